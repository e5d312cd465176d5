//! An order as its buyer sees it: on the thank-you page and in the portal.

use std::collections::BTreeMap;

use db::{DbError, Source};
use kernel::{GrantId, Money, Timestamp};
use ui::shop::{FileFacts, KeyShown, LinkState, OrderLine, OrderState, Progress, UnitDelivery};

use super::{Line, Order, OrderStatus, checkout, store};
use crate::connections;
use crate::downloads::{self, GrantedFile};
use crate::fulfillment::{self, Grant, GrantStatus};
use crate::invoices::{self, Invoice, InvoiceKind};
use crate::links::{self, Presented};
use crate::merchants::Address;
use crate::notices;
use crate::parts::store::SealedText;
use crate::parts::{self, MadeText, UnitPart};
use crate::problem::{Code, Flow, Problem};
use crate::ring::Ring;

/// So many units are listed on one page.
const UNITS_SHOWN_MAX: usize = 1_000;

/// An order with everything that its page shows.
#[derive(Debug)]
pub struct Seen {
    /// The order.
    pub order: Order,
    /// What was ordered.
    pub lines: Vec<Line>,
    /// What it gives.
    pub grants: Vec<Grant>,
    /// The files of each grant.
    pub files: BTreeMap<GrantId, Vec<GrantedFile>>,
    /// What is made for its units.
    pub parts: Vec<UnitPart>,
    /// What its buyer is told of each grant; sealed.
    pub texts: BTreeMap<GrantId, Vec<SealedText>>,
    /// The gateway's name, as buyers know it.
    pub brand: String,
    /// Whether news of its payment waits for a person.
    pub held: bool,
    /// Its documents.
    pub invoices: Vec<Invoice>,
}

/// The order behind a thank-you page's address. Unknown and wrong are one answer.
pub fn open(source: &mut impl Source, ring: &Ring, token: &str) -> Flow<Order> {
    let unknown = || Problem::new(Code::NotFound, "there is nothing under this link");
    let presented = Presented::read(token).ok_or_else(unknown)?;
    let order = store::by_page(source, presented.order())?;
    // The code is computed also when there is no such order, so that both take the same time.
    let code = match &order {
        Some(order) => links::order_code(ring, order),
        None => ring.code(ring.newest(), "order page", &[&[0; 16], &[0; 16], &[0; 16]]),
    };
    match order {
        Some(order) if presented.proves(code) => Ok(order),
        _ => Err(unknown().into()),
    }
}

/// Reads what an order's page shows.
pub fn see(source: &mut impl Source, order: Order) -> Result<Seen, DbError> {
    let (merchant, id) = (order.merchant, order.id);
    let connection = match order.connection {
        Some(connection) => connections::store::by_id(source, merchant, connection)?,
        None => None,
    };
    let mut files: BTreeMap<GrantId, Vec<GrantedFile>> = BTreeMap::new();
    for (grant, file) in downloads::store::files_of_order(source, merchant, id)? {
        files.entry(grant).or_default().push(file);
    }
    let lines = store::lines(source, merchant, id)?;
    let grants = fulfillment::store::of_order(source, merchant, id)?;
    // Most orders are files alone, and cost no further question.
    let made = lines.iter().any(|line| !line.deliverables.is_empty());
    let parts = if made { parts::store::of_order(source, merchant, id)? } else { Vec::new() };
    let mut texts = BTreeMap::new();
    for grant in grants.iter().filter(|_| made).take(UNITS_SHOWN_MAX) {
        texts.insert(grant.id, parts::store::texts(source, grant)?);
    }
    Ok(Seen {
        lines,
        grants,
        parts,
        texts,
        files,
        brand: connection.map(|connection| connection.brand().to_owned()).unwrap_or_default(),
        held: notices::store::any_quarantined(source, merchant, id)?,
        invoices: invoices::store::of_order(source, merchant, id)?,
        order,
    })
}

/// Which links a page may show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// On the thank-you page, whose address the gateway and the browser's history know: only the
    /// first links. Those that replaced them went to the buyer's mailbox alone.
    First,
    /// To the signed-in customer: the present ones.
    Present,
}

impl Seen {
    /// The order's number, as people are told it.
    pub fn number(&self) -> String {
        number(&self.order)
    }

    /// How far it is. `canceled`: the buyer has just come back from the gateway without paying.
    pub fn progress(&self, canceled: bool) -> Progress {
        let suspended = self.grants.iter().any(|grant| grant.status == GrantStatus::Suspended);
        let waits = matches!(
            self.order.status,
            OrderStatus::AwaitingPayment | OrderStatus::Pending | OrderStatus::Void
        );
        match progress_of(&self.order) {
            _ if waits && self.held => Progress::Held,
            // The money was pulled back, and may come again.
            Progress::Paid | Progress::Refunded { .. } if suspended => Progress::Held,
            Progress::Waiting if canceled => Progress::Canceled,
            progress => progress,
        }
    }

    /// The order for its page.
    pub fn state(
        &self,
        ring: &Ring,
        address: &Address,
        now: Timestamp,
        progress: Progress,
        shown: Shown,
    ) -> OrderState {
        let token = links::order_token(ring, &self.order).unwrap_or_default();
        let again = matches!(progress, Progress::Canceled | Progress::Failed);
        let pay =
            if checkout::payable(&self.order, now) { format!("/o/{token}/pay") } else { "/".to_owned() };
        let invoice = self.invoices.iter().find(|invoice| invoice.kind == InvoiceKind::Invoice);
        OrderState {
            number: self.number(),
            email: self.order.buyer_email.as_ref().map(ToString::to_string),
            total: self.order.due(),
            gateway: self.brand.clone(),
            lines: self.lines.iter().map(|line| order_line(line, &self.order)).collect(),
            units: self.units(ring, address, now, shown),
            invoice_path: invoice.map(|invoice| format!("/o/{token}/invoices/{}", invoice.id)),
            poll_path: format!("/o/{token}/state"),
            retry_path: again.then_some(pay),
            progress,
        }
    }

    fn units(&self, ring: &Ring, address: &Address, now: Timestamp, shown: Shown) -> Vec<UnitDelivery> {
        let unit = |grant: &Grant| {
            let line = self.lines.iter().find(|line| line.id == grant.line);
            let files = self.files.get(&grant.id).map(Vec::as_slice).unwrap_or_default();
            let link = match link_state(grant, files, now) {
                LinkState::Open if shown == Shown::First && grant.generation > 1 => LinkState::Expired,
                state => state,
            };
            let token = (link == LinkState::Open).then(|| links::grant_token(ring, grant)).flatten();
            UnitDelivery {
                product: line.map(|line| line.name.clone()).unwrap_or_default(),
                unit: grant.unit_no,
                units: line.map_or(1, |line| fulfillment::units_of(line.quantity).0),
                link_url: token.map(|token| address.url(&format!("/d/{token}"))).unwrap_or_default(),
                link,
                expires_at: Some(grant.expires_at),
                downloads_left: downloads_left(grant, files),
                files: files.iter().map(facts).collect(),
                keys: self.keys(ring, grant, link),
                making: self.is_making(grant),
                note: None,
            }
        };
        self.grants.iter().take(UNITS_SHOWN_MAX).map(unit).collect()
    }
}

impl Seen {
    /// Whether something of a grant is still being made.
    pub fn is_making(&self, grant: &Grant) -> bool {
        let own = |part: &&UnitPart| (part.key.line, part.key.unit_no) == (grant.line, grant.unit_no);
        self.parts.iter().filter(own).any(|part| part.is_unfinished())
    }

    /// What the buyer is told of a grant, while its link works.
    pub fn keys(&self, ring: &Ring, grant: &Grant, link: LinkState) -> Vec<KeyShown> {
        if link != LinkState::Open {
            return Vec::new();
        }
        let sealed = self.texts.get(&grant.id).cloned().unwrap_or_default();
        parts::flow::open_texts(ring, sealed).iter().map(key_shown).collect()
    }
}

/// What a buyer is told, for pages and mails.
pub fn key_shown(text: &MadeText) -> KeyShown {
    KeyShown { label: text.label.clone(), value: text.text.clone() }
}

/// How far an order is, by itself.
pub fn progress_of(order: &Order) -> Progress {
    let returned = Money::new(order.returned_minor, order.currency);
    match order.status {
        OrderStatus::AwaitingPayment => Progress::Waiting,
        OrderStatus::Pending => Progress::Pending { expected_by: None },
        OrderStatus::Void => Progress::Failed,
        OrderStatus::Paid if returned.minor > 0 => Progress::Refunded { amount: returned, in_part: true },
        OrderStatus::Paid => Progress::Paid,
        OrderStatus::Refunded => Progress::Refunded { amount: returned, in_part: false },
    }
}

/// An order's number, as people are told it.
pub fn number(order: &Order) -> String {
    order.id.to_string()
}

/// A line for pages and mails.
pub fn order_line(line: &Line, order: &Order) -> OrderLine {
    OrderLine {
        name: line.name.clone(),
        quantity: line.quantity,
        total: Money::new(line.gross_minor, order.currency),
    }
}

/// A file for pages and mails.
pub fn facts(file: &GrantedFile) -> FileFacts {
    FileFacts {
        name: file.name.clone(),
        bytes: file.size,
        sha256: file.sha256.clone(),
        md5: Some(file.md5.clone()),
    }
}

/// How often the scarcest file of a grant can still be fetched.
pub fn downloads_left(grant: &Grant, files: &[GrantedFile]) -> Option<u32> {
    files.iter().map(|file| grant.download_limit.saturating_sub(file.taken)).min()
}

/// Whether a grant's link leads to anything now.
pub fn link_state(grant: &Grant, files: &[GrantedFile], now: Timestamp) -> LinkState {
    let spent = !files.is_empty() && files.iter().all(|file| file.taken >= grant.download_limit);
    match grant.status {
        GrantStatus::Revoked | GrantStatus::Suspended => LinkState::Revoked,
        GrantStatus::Active | GrantStatus::Provisional if now >= grant.expires_at => LinkState::Expired,
        GrantStatus::Active | GrantStatus::Provisional if spent => LinkState::UsedUp,
        GrantStatus::Active | GrantStatus::Provisional => LinkState::Open,
    }
}
