//! `handsel customers …`

use app::customers::{Customer, store};
use kernel::{CustomerId, EmailAddress};

use super::{Desk, VerbError, found};

/// What can be done with accounts.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// List the accounts, newest first.
    List {
        /// At most so many.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Show one account with its orders.
    Show {
        /// Its id or mail address.
        customer: String,
    },
}

/// Runs the verb.
pub fn run(desk: &Desk, verb: Verb) -> Result<(), VerbError> {
    let merchant = desk.merchant;
    match verb {
        Verb::List { limit } => {
            let all = desk.app.read_now(move |snapshot| Ok(store::newest(snapshot, merchant, limit)?))?;
            let rows: Vec<_> =
                all.iter().map(|c| vec![c.id.to_string(), c.email.to_string(), c.name.clone()]).collect();
            desk.output.list(&["ID", "EMAIL", "NAME"], &rows, &all.iter().map(view).collect::<Vec<_>>());
        }
        Verb::Show { customer } => {
            let wanted = customer.clone();
            let customer = desk.app.read_now(move |snapshot| match wanted.parse::<CustomerId>() {
                Ok(id) => Ok(store::by_id(snapshot, merchant, id)?),
                Err(_) => match EmailAddress::parse(&wanted) {
                    Ok(email) => Ok(store::by_email(snapshot, merchant, &email)?),
                    Err(_) => Ok(None),
                },
            })?;
            let customer = found("customer", customer)?;
            let id = customer.id;
            let orders = desk
                .app
                .read_now(move |snapshot| Ok(app::orders::store::of_customer(snapshot, merchant, id)?))?;
            let mut value = view(&customer);
            let orders: Vec<_> = orders.iter().map(super::orders::summary).collect();
            if let Some(fields) = value.as_object_mut() {
                fields.insert("orders".to_owned(), orders.into());
            }
            desk.output.one(&value);
        }
    }
    Ok(())
}

fn view(customer: &Customer) -> serde_json::Value {
    serde_json::json!({
        "id": customer.id, "email": customer.email, "name": customer.name, "company": customer.company,
        "country": customer.country, "created_at": customer.created_at,
    })
}
