//! `handsel staff …`

use app::cx::Actor;
use app::merchants;
use app::staff::flow;
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
}

/// Runs the verb.
pub fn run(desk: &Desk, verb: Verb) -> Result<(), VerbError> {
    let Verb::OwnerLink { email } = verb;
    let email = email.map(|email| EmailAddress::parse(&email)).transpose();
    let email = email.map_err(|error| VerbError::Usage(format!("--email: {error}")))?;
    let made = desk.app.write_blocking(desk.merchant, Actor::Shell, move |cx| match &email {
        Some(email) => flow::recovery_link(cx, email).map(Some),
        None => flow::owner_link(cx),
    })?;
    let link = made.ok_or_else(|| {
        VerbError::Usage("the owner has a password already; name the person with --email".to_owned())
    })?;
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
