//! The list of accounts in the back office, and the same as a file.

use axum::extract::State;
use axum::response::Response;
use db::Source;
use kernel::Money;
use ui::admin::{Choice, CustomerRow, CustomersPage, Label};

use super::countries::{self, COUNTRIES};
use super::desk_store::{self, BY_EMAIL, BY_NAME, Filter};
use super::{Customer, store};
use crate::app::App;
use crate::merchants::Merchant;
use crate::paging::{Ask, BY_ID, Key, KeyKind, Mark, Slice, Way, page_of};
use crate::problem::Flow;
use crate::staff::Right;
use crate::web::csv;
use crate::web::desk::Desk;
use crate::web::listing::{Asked, Column};
use crate::web::staff_visit::StaffVisit;

const LIST: &str = "/admin/customers";
const FILE: &str = "/admin/customers.csv";
const COLUMNS: &[Column] = &[(BY_ID, Way::Down), (BY_EMAIL, Way::Up), (BY_NAME, Way::Up)];

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get(LIST, Right::Read, list).get(FILE, Right::Export, file)
}

/// An account with what its orders brought.
pub fn row(source: &mut impl Source, customer: &Customer) -> Flow<CustomerRow> {
    let brought = desk_store::brought(source, customer.merchant, customer.id)?;
    Ok(CustomerRow {
        id: customer.id,
        email: customer.email.to_string(),
        name: customer.name.clone(),
        company: customer.company.clone(),
        country: customer.country.clone(),
        orders: brought.iter().map(|sum| sum.orders).fold(0, u64::saturating_add),
        sums: brought.iter().map(|sum| Money::new(sum.minor, sum.currency)).collect(),
        created_at: customer.created_at,
    })
}

fn filter(asked: &Asked, merchant: &Merchant) -> Filter {
    let days = asked.days(&merchant.time_zone);
    let country = Some(asked.get("country")).filter(|code| countries::is_country(code));
    Filter { country: country.map(str::to_owned), from: days.from, until: days.until }
}

fn countries() -> Vec<Choice> {
    let choice =
        |(code, name): &(&str, &str)| Choice { value: (*code).to_owned(), label: Label::text(*name) };
    COUNTRIES.iter().map(choice).collect()
}

/// `GET /admin/customers`
async fn list(State(app): State<App>, staff: StaffVisit, asked: Asked) -> Response {
    let merchant = staff.visit.merchant.clone();
    let page = app
        .read(move |snapshot| {
            let ask = asked.ask(COLUMNS);
            let slice = read(snapshot, &merchant, &asked, &ask)?;
            let list = asked
                .listing(LIST, COLUMNS, &ask, &slice)
                .search(asked.search())
                .choice("country", asked.get("country"), countries())
                .day("from", asked.get("from"))
                .day("to", asked.get("to"))
                .csv(FILE)
                .done();
            let mut customers = Vec::with_capacity(slice.rows.len());
            for customer in &slice.rows {
                customers.push(row(snapshot, customer)?);
            }
            Ok(CustomersPage { list, customers })
        })
        .await;
    staff.answer(&app, page)
}

fn read(source: &mut impl Source, merchant: &Merchant, asked: &Asked, ask: &Ask) -> Flow<Slice<Customer>> {
    let (words, filter) = (asked.search(), filter(asked, merchant));
    if words.is_empty() {
        return Ok(desk_store::page(source, merchant.id, &filter, ask)?);
    }
    let mut found = match words.parse() {
        Ok(id) => store::by_id(source, merchant.id, id)?.into_iter().collect(),
        Err(_) => desk_store::search(source, merchant.id, words)?,
    };
    found.retain(|customer| matches(customer, &filter));
    Ok(page_of(found, ask, |customer| mark(customer, ask)))
}

/// What the database would leave out, for accounts that a search found.
fn matches(customer: &Customer, filter: &Filter) -> bool {
    filter.country.as_ref().is_none_or(|country| customer.country.as_ref() == Some(country))
        && filter.from.is_none_or(|from| customer.created_at >= from)
        && filter.until.is_none_or(|until| customer.created_at < until)
}

fn mark(customer: &Customer, ask: &Ask) -> Mark {
    let key = match ask.by.kind {
        KeyKind::Id => Key::Id,
        _ if ask.by == BY_NAME => Key::Text(customer.name.to_ascii_lowercase()),
        _ => Key::Text(customer.email.to_string()),
    };
    Mark { key, id: customer.id.to_string() }
}

/// `GET /admin/customers.csv`: the list as it is searched, filtered and sorted, whole.
async fn file(State(app): State<App>, staff: StaffVisit, asked: Asked) -> Response {
    if let Err(failure) = staff.note_export(&app, "customers").await {
        return staff.refuse(&app, failure);
    }
    let merchant = staff.visit.merchant.clone();
    let ask = Ask { most: csv::ROWS_AT_ONCE, ..asked.ask(COLUMNS) };
    csv::stream("accounts.csv", HEAD, move |place| {
        let (app, merchant, asked) = (app.clone(), merchant.clone(), asked.clone());
        let ask = Ask { place, ..ask.clone() };
        async move {
            app.read(move |snapshot| {
                let slice = read(snapshot, &merchant, &asked, &ask)?;
                let mut rows = Vec::with_capacity(slice.rows.len());
                for customer in &slice.rows {
                    rows.push(cells(customer, &row(snapshot, customer)?));
                }
                Ok(Slice { rows, before: slice.before, after: slice.after })
            })
            .await
        }
    })
}

const HEAD: &[&str] = &[
    "id",
    "created_at",
    "email",
    "name",
    "company",
    "address",
    "country",
    "vat_id",
    "language",
    "paid_orders",
    "paid_in_all",
];

fn cells(customer: &Customer, row: &CustomerRow) -> csv::Cells {
    let sums: Vec<String> = row.sums.iter().map(ToString::to_string).collect();
    vec![
        customer.id.to_string(),
        customer.created_at.to_string(),
        row.email.clone(),
        row.name.clone(),
        row.company.clone(),
        customer.address.clone(),
        row.country.clone().unwrap_or_default(),
        customer.vat_id.clone().unwrap_or_default(),
        customer.locale.clone(),
        row.orders.to_string(),
        sums.join(" + "),
    ]
}
