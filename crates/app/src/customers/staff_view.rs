//! An account as staff see it: everything of one buyer on one page.

use db::{DbError, Source};
use kernel::{CustomerId, MerchantId, OrderId, Timestamp};
use ui::admin::{CustomerLink, CustomerPage, EventRow, InvoiceRow, MessageRow};

use super::{Customer, staff_list, store};
use crate::events::{self, desk_store::Line, names::Names};
use crate::fulfillment;
use crate::orders::{self, LineKind, Order};
use crate::paging::Ask;
use crate::problem::{Flow, Problem};
use crate::sessions::{self, Holder};
use crate::{invoices, messages, staff};

/// The newest orders that are shown whole; the list of transactions has the others.
const ORDERS_SHOWN: u32 = 20;
/// The newest mails that are shown; the list of mails has the others.
const MESSAGES_SHOWN: usize = 15;
/// The newest acts that are shown; the audit log has the others.
const ACTS_SHOWN: usize = 20;
/// Most sessions that are listed.
const SESSIONS_SHOWN_MAX: u32 = 100;

/// The account with this id at the merchant's, or a refusal.
pub fn find(source: &mut impl Source, merchant: MerchantId, id: CustomerId) -> Flow<Customer> {
    let customer = store::by_id(source, merchant, id)?;
    customer.ok_or_else(|| Problem::not_found("account").into())
}

/// The page of an account.
pub fn page(source: &mut impl Source, customer: &Customer, now: Timestamp) -> Flow<CustomerPage> {
    let merchant = customer.merchant;
    let mut orders =
        orders::store::of_customer_before(source, merchant, customer.id, None, ORDERS_SHOWN + 1)?;
    let more = orders.len() > usize::try_from(ORDERS_SHOWN).unwrap_or(usize::MAX);
    orders.truncate(usize::try_from(ORDERS_SHOWN).unwrap_or(usize::MAX));
    let ids: Vec<OrderId> = orders.iter().map(|order| order.id).collect();
    let (messages, more_messages) = mails(source, customer, &ids)?;
    let search = url::form_urlencoded::byte_serialize(customer.email.as_str().as_bytes()).collect::<String>();
    let holder = Holder::Customer(customer.id);
    let sessions = sessions::store::of_holder(source, merchant, holder, now, SESSIONS_SHOWN_MAX)?;
    let mut listed = orders::desk_store::by_ids(source, merchant, &ids)?;
    listed.sort_unstable_by_key(|order| std::cmp::Reverse(order.id));
    Ok(CustomerPage {
        customer: staff_list::row(source, customer)?,
        vat_id: customer.vat_id.clone(),
        locale: customer.locale.clone(),
        orders: orders::rows::rows(source, merchant, &listed)?,
        orders_more: more.then(|| format!("/admin/orders?q={search}")),
        messages,
        messages_more: more_messages.then(|| format!("/admin/messages?q={search}")),
        links: links(source, &orders, now)?,
        invoices: documents(source, merchant, &ids)?,
        acts: acts(source, customer, &ids)?,
        sessions: sessions.iter().map(|session| staff::account_pages::session_row(session, None)).collect(),
    })
}

/// What went to the account's address or was about its orders: the address may have been another
/// one before.
fn mails(source: &mut impl Source, customer: &Customer, orders: &[OrderId]) -> Flow<(Vec<MessageRow>, bool)> {
    let narrow = messages::desk_store::Narrow { words: customer.email.to_string(), ..Default::default() };
    let most = u32::try_from(MESSAGES_SHOWN).unwrap_or(u32::MAX);
    let slice = messages::desk_store::list(source, customer.merchant, &narrow, &Ask::newest(most))?;
    let mut more = slice.after.is_some();
    let mut found = slice.rows;
    for order in orders {
        found.extend(messages::store::of_order(source, customer.merchant, *order)?);
    }
    found.sort_unstable_by_key(|message| std::cmp::Reverse(message.id));
    found.dedup_by_key(|message| message.id);
    more |= found.len() > MESSAGES_SHOWN;
    found.truncate(MESSAGES_SHOWN);
    Ok((found.iter().map(messages::staff_pages::row).collect(), more))
}

fn links(source: &mut impl Source, orders: &[Order], now: Timestamp) -> Flow<Vec<CustomerLink>> {
    let mut links = Vec::new();
    for order in orders {
        let grants = fulfillment::store::of_order(source, order.merchant, order.id)?;
        let lines = orders::store::lines(source, order.merchant, order.id)?;
        for line in lines.into_iter().filter(|line| line.kind == LineKind::Product) {
            let own = grants.iter().filter(|grant| grant.line == line.id);
            let Some(expires_at) = own.clone().map(|grant| grant.expires_at).max() else { continue };
            links.push(CustomerLink {
                order: order.id,
                state: orders::staff_view::line_state(&grants, line.id, now),
                product: line.name,
                expires_at,
                count: u32::try_from(own.count()).unwrap_or(u32::MAX),
            });
        }
    }
    Ok(links)
}

fn documents(
    source: &mut impl Source,
    merchant: MerchantId,
    orders: &[OrderId],
) -> Result<Vec<InvoiceRow>, DbError> {
    let mut documents = invoices::desk_store::of_orders(source, merchant, orders)?;
    documents.sort_unstable_by_key(|invoice| std::cmp::Reverse(invoice.id));
    documents.dedup_by_key(|invoice| invoice.id);
    Ok(documents.iter().map(invoices::staff_pages::row).collect())
}

/// What was done to the account by anybody, and to its orders by staff.
fn acts(source: &mut impl Source, customer: &Customer, orders: &[OrderId]) -> Flow<Vec<EventRow>> {
    let most = u32::try_from(ACTS_SHOWN).unwrap_or(u32::MAX);
    let subject = customer.id.to_string();
    let mut found = events::desk_store::about(source, customer.merchant, &subject, most)?;
    found.extend(events::desk_store::of_staff(source, customer.merchant, orders, most)?);
    found.sort_unstable_by_key(|line| std::cmp::Reverse(line.event.id));
    found.dedup_by_key(|line: &mut Line| line.event.id);
    found.truncate(ACTS_SHOWN);
    let names = Names::read(source, customer.merchant)?;
    Ok(found.into_iter().map(|line| events::staff_pages::row(line, &names)).collect())
}
