//! `/v1/customers`: the accounts of buyers.

use db::Snapshot;
use kernel::{CustomerId, EmailAddress, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Customer, store};
use crate::api_keys::Scope;
use crate::problem::{Flow, Problem};
use crate::web::api::caller::Access;
use crate::web::api::endpoint::{Asked, Endpoint, at};
use crate::web::api::input::Paging;
use crate::web::api::view::{Nothing, Page};

const READ: Access = Access::Scope(Scope::CustomersRead);

/// The endpoints of this noun.
pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::list(at("listCustomers", "/v1/customers", READ, "Accounts of buyers, newest first."), list),
        Endpoint::get(at("getCustomer", "/v1/customers/{id}", READ, "The account of a buyer."), get),
    ]
}

/// The account of a buyer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Customer)]
pub struct CustomerView {
    id: CustomerId,
    /// Unique.
    email: EmailAddress,
    name: String,
    company: String,
    /// Several lines, as on invoices; may be empty.
    address: String,
    /// ISO 3166 alpha-2.
    country: Option<String>,
    vat_id: Option<String>,
    /// BCP 47: the language of pages and mails.
    locale: String,
    /// When the first money came.
    created_at: Timestamp,
}

impl From<Customer> for CustomerView {
    fn from(customer: Customer) -> Self {
        let Customer { id, merchant: _, email, name, company, address, country, vat_id, locale, created_at } =
            customer;
        Self { id, email, name, company, address, country, vat_id, locale, created_at }
    }
}

/// Which accounts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Only the one with this mail address.
    email: Option<EmailAddress>,
}

/// `GET /v1/customers`
fn list(
    snapshot: &mut Snapshot<'_>,
    asked: &Asked<(), Wanted>,
    paging: Paging<CustomerId>,
) -> Flow<Page<CustomerView>> {
    let rows = match &asked.input.email {
        Some(email) => store::by_email(snapshot, asked.merchant, email)?.into_iter().collect(),
        None => store::page(snapshot, asked.merchant, paging.after, paging.rows())?,
    };
    Ok(Page::of(rows, paging.limit, |row: &Customer| row.id.to_string(), CustomerView::from))
}

/// `GET /v1/customers/{id}`
fn get(snapshot: &mut Snapshot<'_>, asked: &Asked<CustomerId, Nothing>) -> Flow<CustomerView> {
    let customer = store::by_id(snapshot, asked.merchant, asked.at)?;
    Ok(customer.ok_or_else(|| Problem::not_found("customer"))?.into())
}
