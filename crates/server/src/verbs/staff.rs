//! `handsel staff …`

use app::cx::Actor;
use app::merchants;
use app::problem::Problem;
use app::staff::{Role, flow, store};
use kernel::EmailAddress;

use super::{Desk, VerbError};

/// What can be done for people of the back office.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Print a one-time link: for the owner of a new shop, or for somebody who lost their password.
    OwnerLink {
        /// Whose link, when somebody can sign in already.
        #[arg(long)]
        email: Option<String>,
    },
    /// Turn somebody's second step off who lost the phone with it.
    TotpOff {
        /// Whose.
        #[arg(long)]
        email: String,
    },
}

/// Runs the verb.
pub fn run(desk: &Desk, verb: Verb) -> Result<(), VerbError> {
    match verb {
        Verb::OwnerLink { email } => owner_link(desk, email.as_deref().map(address).transpose()?),
        Verb::TotpOff { email } => totp_off(desk, address(&email)?),
    }
}

fn address(email: &str) -> Result<EmailAddress, VerbError> {
    EmailAddress::parse(email).map_err(|error| VerbError::Usage(format!("--email: {error}")))
}

fn owner_link(desk: &Desk, email: Option<EmailAddress>) -> Result<(), VerbError> {
    let made = desk.app.write_blocking(desk.merchant, Actor::Shell, move |cx| match &email {
        Some(email) => flow::recovery_link(cx, email).map(Some),
        None => flow::owner_link(cx),
    })?;
    let Some(link) = made else {
        let text = format!(
            "the owner has a password already; name the person with --email: {}",
            owners(desk)?.join(", ")
        );
        return Err(VerbError::Usage(text));
    };
    let (merchant, base_url) = (desk.merchant, desk.config.base_url.clone());
    let address = desk.app.read_now(move |snapshot| {
        let merchant = merchants::store::by_id(snapshot, merchant)?;
        Ok(merchants::store::address(snapshot, &base_url, &merchant)?)
    })?;
    let url = address.url(&format!("/admin/welcome/{}", link.token.expose()));
    desk.output.done(
        &format!("{url}\nworks once, until {}", link.link.expires_at),
        &serde_json::json!({ "url": url, "expires_at": link.link.expires_at }),
    );
    Ok(())
}

/// Whoever is locked out may not know any more by which address.
fn owners(desk: &Desk) -> Result<Vec<String>, VerbError> {
    let merchant = desk.merchant;
    let people = desk.app.read_now(move |snapshot| Ok(store::list(snapshot, merchant)?))?;
    let owners = people.iter().filter(|one| one.role == Role::Owner && one.disabled_at.is_none());
    Ok(owners.map(|owner| owner.email.to_string()).collect())
}

fn totp_off(desk: &Desk, email: EmailAddress) -> Result<(), VerbError> {
    let text = format!("{email} signs in with the password alone");
    desk.app.write_blocking(desk.merchant, Actor::Shell, move |cx| {
        let staff = store::by_email(cx.tx, cx.merchant, &email)?;
        let staff = staff.ok_or_else(|| Problem::not_found("person"))?;
        if !staff.has_totp() {
            return Err(Problem::conflict("this person has no second step").into());
        }
        flow::totp_off(cx, staff.id)
    })?;
    desk.output.done(&text, &serde_json::json!({ "totp": false }));
    Ok(())
}
