//! Accounts: the buyers of this merchant, and one with everything they have.

use kernel::{CustomerId, Money, OrderId, Timestamp};
use serde::Serialize;

use super::access::{Errors, SessionRow, errors};
use super::events::EventRow;
use super::invoices::InvoiceRow;
use super::list::{Choice, Direction, Label, Listing, Sort};
use super::messages::MessageRow;
use super::orders::OrderRow;
use super::sample::{bits, days_ago};
use super::timeline::order_id;
use super::words::{LinkState, Word as _};
use crate::Template;
use crate::samples::{LONG, RIGHT_TO_LEFT, eur, text, usd};

/// templates/admin/customers.html - `/admin/customers`.
///
/// `q` finds mail addresses, names, companies and ids. Filters: `country`, `from`, `to`. Columns to
/// sort by: `email`, `name`, `created`.
#[derive(Debug, Clone, Serialize)]
pub struct CustomersPage {
    /// Search, filters, sort, pages.
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
/// Signing them out everywhere is confirmed at `/admin/customers/{id}/sign-out`, mailing a sign-in
/// link at `…/sign-in-link`; name and address are changed at `…/edit`.
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
    /// What the orders above let them download.
    pub links: Vec<CustomerLink>,
    /// Documents of the orders above, the newest first.
    pub invoices: Vec<InvoiceRow>,
    /// What was done to the account, and by staff to the orders above, the newest first.
    pub acts: Vec<EventRow>,
    /// The browsers they are signed in with.
    pub sessions: Vec<SessionRow>,
}

/// What one line of an order lets a customer download.
#[derive(Debug, Clone, Serialize)]
pub struct CustomerLink {
    /// Of which order.
    pub order: OrderId,
    /// What it delivers.
    pub product: String,
    /// Whether it works.
    pub state: LinkState,
    /// Until when, at the latest.
    pub expires_at: Timestamp,
    /// How many links there are.
    pub count: u32,
}

/// templates/admin/customer_edit.html - `/admin/customers/{id}/edit`.
///
/// Posts `name`, `company` and `email` to its own path.
#[derive(Debug, Clone, Serialize)]
pub struct CustomerEditPage {
    /// Whose account.
    pub id: CustomerId,
    /// The address that is told when it is replaced.
    pub email_now: String,
    /// As typed.
    pub form: CustomerForm,
    /// Field name to what is wrong with it.
    pub errors: Errors,
}

/// What staff may change of an account, as it was typed.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CustomerForm {
    /// May be empty.
    pub name: String,
    /// May be empty.
    pub company: String,
    /// What they are known by.
    pub email: String,
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

fn link(state: &LinkState) -> CustomerLink {
    CustomerLink {
        order: order_id(1),
        product: text("Harbor Charts, North"),
        state: *state,
        expires_at: days_ago(-2),
        count: 3,
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
                .choice(
                    "country",
                    "",
                    vec![Choice { value: text("GB"), label: Label::text("United Kingdom") }],
                )
                .day("from", "")
                .day("to", "")
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
            links: LinkState::ALL.iter().map(link).collect(),
            invoices: InvoiceRow::samples(),
            acts: EventRow::samples(),
            sessions: vec![SessionRow::sample(1, false), SessionRow::sample(2, false)],
        };
        let bare = Self {
            customer: CustomerRow { name: String::new(), country: None, ..customer(2, "") },
            vat_id: None,
            orders: Vec::new(),
            orders_more: None,
            messages: Vec::new(),
            messages_more: None,
            links: Vec::new(),
            invoices: Vec::new(),
            acts: Vec::new(),
            sessions: Vec::new(),
            ..page.clone()
        };
        vec![page, bare]
    }
}

impl Template for CustomerEditPage {
    const NAME: &'static str = "admin/customer_edit.html";

    fn samples() -> Vec<Self> {
        let form = CustomerForm {
            name: text("Ada Lovelace"),
            company: String::new(),
            email: text("ada@example.com"),
        };
        let page = Self {
            id: CustomerId::from_bits(bits(1)),
            email_now: text("ada@example.com"),
            form,
            errors: Errors::new(),
        };
        let wrong = Self {
            form: CustomerForm { name: text(LONG), company: text(RIGHT_TO_LEFT), email: text("ada@") },
            errors: errors(&[("email", "This is no mail address.")]),
            ..page.clone()
        };
        vec![page, wrong]
    }
}
