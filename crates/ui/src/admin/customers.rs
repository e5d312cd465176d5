//! Accounts: the buyers of this merchant, and one with everything they have.

use kernel::{CustomerId, Money, Timestamp};
use serde::Serialize;

use super::access::SessionRow;
use super::list::{Direction, Listing, Sort};
use super::messages::MessageRow;
use super::orders::OrderRow;
use super::sample::{bits, days_ago};
use crate::Template;
use crate::samples::{LONG, RIGHT_TO_LEFT, eur, text, usd};

/// templates/admin/customers.html - `/admin/customers`.
///
/// `q` finds mail addresses, names and companies. Columns to sort by: `email`, `name`, `created`.
#[derive(Debug, Clone, Serialize)]
pub struct CustomersPage {
    /// Search, sort, pages.
    pub list: Listing,
    /// One page of them.
    pub customers: Vec<CustomerRow>,
}

/// A customer in the list.
#[derive(Debug, Clone, Serialize)]
pub struct CustomerRow {
    /// Their id.
    pub id: CustomerId,
    /// What they are known by.
    pub email: String,
    /// May be empty.
    pub name: String,
    /// May be empty.
    pub company: String,
    /// ISO 3166 alpha-2.
    pub country: Option<String>,
    /// Paid orders.
    pub orders: u64,
    /// What they brought, less what went back, per currency.
    pub sums: Vec<Money>,
    /// When the first payment made the account.
    pub created_at: Timestamp,
}

/// templates/admin/customer.html - `/admin/customers/{id}`.
///
/// Signing them out everywhere is confirmed at `/admin/customers/{id}/sign-out`.
#[derive(Debug, Clone, Serialize)]
pub struct CustomerPage {
    /// Who.
    pub customer: CustomerRow,
    /// VAT id, where given.
    pub vat_id: Option<String>,
    /// The language of their mails.
    pub locale: String,
    /// Their orders, the newest first.
    pub orders: Vec<OrderRow>,
    /// The list with all of them, when there are more.
    pub orders_more: Option<String>,
    /// What was sent to them, the newest first.
    pub messages: Vec<MessageRow>,
    /// The list with all of it, when there is more.
    pub messages_more: Option<String>,
    /// The browsers they are signed in with.
    pub sessions: Vec<SessionRow>,
}

fn customer(number: u128, name: &str) -> CustomerRow {
    CustomerRow {
        id: CustomerId::from_bits(bits(number)),
        email: format!("buyer{number}@example.com"),
        name: text(name),
        company: String::new(),
        country: Some(text("GB")),
        orders: 4,
        sums: vec![eur(213_00), usd(19_00)],
        created_at: days_ago(120),
    }
}

impl Template for CustomersPage {
    const NAME: &'static str = "admin/customers.html";

    fn samples() -> Vec<Self> {
        const SORTABLE: &[(&str, Direction)] = &[
            ("email", Direction::Ascending),
            ("name", Direction::Ascending),
            ("created", Direction::Descending),
        ];
        let list = |search: &str| {
            Listing::of("/admin/customers")
                .search(search)
                .sorted(Sort::by("created", Direction::Descending), SORTABLE)
                .csv("/admin/customers.csv")
        };
        let odd = CustomerRow {
            company: text(LONG),
            country: None,
            sums: Vec::new(),
            orders: 0,
            ..customer(4, LONG)
        };
        let customers = vec![customer(1, "Ada Lovelace"), customer(2, ""), customer(3, RIGHT_TO_LEFT), odd];
        vec![
            Self { list: list("").pages(None, Some("x")).done(), customers },
            Self { list: list("").done(), customers: Vec::new() },
            Self { list: list("nobody").done(), customers: Vec::new() },
        ]
    }
}

impl Template for CustomerPage {
    const NAME: &'static str = "admin/customer.html";

    fn samples() -> Vec<Self> {
        let page = Self {
            customer: CustomerRow { company: text("Analytical Engines Ltd"), ..customer(1, "Ada Lovelace") },
            vat_id: Some(text("GB123456789")),
            locale: text("en"),
            orders: OrderRow::samples(),
            orders_more: Some(text("/admin/orders?q=buyer1%40example.com")),
            messages: MessageRow::samples(),
            messages_more: Some(text("/admin/messages?q=buyer1%40example.com")),
            sessions: vec![SessionRow::sample(1, false), SessionRow::sample(2, false)],
        };
        let bare = Self {
            customer: CustomerRow { name: String::new(), country: None, ..customer(2, "") },
            vat_id: None,
            orders: Vec::new(),
            orders_more: None,
            messages: Vec::new(),
            messages_more: None,
            sessions: Vec::new(),
            ..page.clone()
        };
        vec![page, bare]
    }
}
