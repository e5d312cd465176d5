//! `handsel merchants …`

use app::cx::Actor;
use app::merchants::flow::NewMerchant;
use app::merchants::{Merchant, flow, store};
use kernel::{Currency, EmailAddress};

use super::{Desk, VerbError};

/// What can be done with sellers.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Add a seller beside the others; it is reached under /m/SLUG.
    Add {
        /// Lower-case letters, digits and hyphens.
        #[arg(long)]
        slug: String,
        /// As shown on pages.
        #[arg(long)]
        name: String,
        /// Where its mail comes from and buyers write to.
        #[arg(long)]
        email: String,
        /// What new products are priced in.
        #[arg(long, default_value = "USD")]
        currency: String,
    },
    /// List the sellers.
    List,
}

/// Runs the verb.
pub fn run(desk: &Desk, verb: Verb) -> Result<(), VerbError> {
    match verb {
        Verb::Add { slug, name, email, currency } => {
            let usage = |error: &dyn std::fmt::Display| VerbError::Usage(error.to_string());
            let email = EmailAddress::parse(&email).map_err(|error| usage(&error))?;
            let currency = Currency::parse(&currency).map_err(|error| usage(&error))?;
            let new = NewMerchant { slug, name, email, currency };
            let made =
                desk.app.write_blocking(desk.merchant, Actor::Shell, move |cx| flow::create(cx, &new))?;
            desk.output.done(&format!("{} is reached under /m/{}", made.id, made.slug), &view(&made));
        }
        Verb::List => {
            let all = desk.app.read_now(|snapshot| Ok(store::list(snapshot)?))?;
            let rows: Vec<_> =
                all.iter().map(|m| vec![m.id.to_string(), m.slug.clone(), m.name.clone()]).collect();
            desk.output.list(&["ID", "SLUG", "NAME"], &rows, &all.iter().map(view).collect::<Vec<_>>());
        }
    }
    Ok(())
}

fn view(merchant: &Merchant) -> serde_json::Value {
    serde_json::json!({
        "id": merchant.id, "slug": merchant.slug, "name": merchant.name, "host": merchant.host,
        "currency": merchant.currency, "sender_email": merchant.sender_email, "time_zone": merchant.time_zone,
    })
}
