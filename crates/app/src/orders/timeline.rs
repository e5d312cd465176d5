//! Everything that happened to an order, as one list: notices, facts, grants, downloads,
//! messages, documents, questions, acts.
//!
//! Every row of the database has an id that begins with the time it was made, so ids of all
//! kinds sort into one sequence, and a page of the timeline goes on where the page before
//! ended, at an id.

use std::collections::HashMap;

use db::Source;
use kernel::{
    DownloadId, EventId, FactId, GrantChangeId, InvoiceId, LineId, MerchantId, MessageId, Money, NoticeId,
    Timestamp,
};
use ui::admin::{DownloadEntry, Entry, FactEntry, Happening, MessageEntry, NoticeEntry, ReviewState};

use super::{Line, Order, timeline_store};
use crate::events::names::{Names, pairs};
use crate::notices::view::{raw_body, says};
use crate::paging::bits_at;
use crate::problem::Flow;
use crate::ring::Ring;
use crate::web::listing::word;
use crate::{fulfillment, invoices, reviews};

/// Entries on one page.
const ENTRIES_MAX: u32 = 150;
/// Up to so many units, each has an entry; beyond, those of their grants say enough.
const UNITS_TOLD_MAX: u32 = 20;

/// Whether somebody may see what came from the gateway byte for byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Raw {
    /// They may.
    Shown,
    /// They may not.
    Hidden,
}

/// A page of the timeline, and where it goes on.
#[derive(Debug)]
pub struct Page {
    /// The newest first.
    pub entries: Vec<Entry>,
    /// What to ask for next.
    pub older: Option<String>,
}

/// A place in the timeline, out of an address.
pub fn place(text: &str) -> u128 {
    u128::from_str_radix(text, 16).unwrap_or(u128::MAX)
}

struct Telling<'a> {
    merchant: MerchantId,
    order: &'a Order,
    names: HashMap<LineId, String>,
    people: Names,
    before: u128,
    told: Vec<(u128, Entry)>,
}

/// What happened to an order before this place.
pub fn page(
    source: &mut impl Source,
    ring: &Ring,
    (order, lines): (&Order, &[Line]),
    before: u128,
    raw: Raw,
) -> Flow<Page> {
    let mut telling = Telling {
        merchant: order.merchant,
        order,
        names: lines.iter().map(|line| (line.id, line.name.clone())).collect(),
        people: Names::read(source, order.merchant)?,
        before,
        told: Vec::new(),
    };
    telling.notices(source, ring, raw)?;
    telling.facts(source)?;
    telling.units(source)?;
    telling.grants(source)?;
    telling.downloads(source)?;
    telling.messages(source)?;
    telling.documents(source)?;
    telling.questions(source)?;
    telling.acts(source)?;
    Ok(telling.cut())
}

impl Telling<'_> {
    const fn most() -> u32 {
        ENTRIES_MAX + 1
    }

    fn tell(&mut self, place: u128, at: Timestamp, what: Happening) {
        if place < self.before {
            self.told.push((place, Entry { at, what }));
        }
    }

    fn product(&self, line: LineId) -> String {
        self.names.get(&line).cloned().unwrap_or_default()
    }

    fn cut(mut self) -> Page {
        self.told.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
        let most = usize::try_from(ENTRIES_MAX).unwrap_or(usize::MAX);
        let more = self.told.len() > most;
        self.told.truncate(most);
        let older = self.told.last().filter(|_| more).map(|(place, _)| format!("{place:x}"));
        Page { entries: self.told.into_iter().map(|(_, entry)| entry).collect(), older }
    }

    fn notices(&mut self, source: &mut impl Source, ring: &Ring, raw: Raw) -> Flow<()> {
        let before = NoticeId::from_bits(self.before);
        let found =
            timeline_store::notices_before(source, self.merchant, self.order.id, before, Self::most())?;
        for notice in found {
            let entry = NoticeEntry {
                id: notice.id,
                connection: self.people.name(&notice.connection.to_string()),
                state: word(notice.state.as_str()),
                reason: notice.reason.clone(),
                says: says(&notice),
                verified_at: notice.verified_at,
                copies: notice.copies,
                address: notice.address.clone(),
                raw_body: (raw == Raw::Shown).then(|| raw_body(ring, &notice)).flatten(),
            };
            self.tell(notice.id.bits(), notice.received_at, Happening::Notice(entry));
        }
        Ok(())
    }

    fn facts(&mut self, source: &mut impl Source) -> Flow<()> {
        let before = FactId::from_bits(self.before);
        let found = timeline_store::facts_before(source, self.merchant, self.order.id, before, Self::most())?;
        for told in found {
            let fact = told.fact;
            let entry = FactEntry {
                fact: word(fact.kind.as_str()),
                amount: Money::new(fact.amount_minor, fact.currency),
                gateway_ref: told.gateway_ref,
                movement_ref: fact.movement_ref,
                detail: fact.detail,
                occurred_at: fact.occurred_at,
                notice: fact.notice,
            };
            self.tell(fact.id.bits(), told.recorded_at, Happening::Fact(entry));
        }
        Ok(())
    }

    fn units(&mut self, source: &mut impl Source) -> Flow<()> {
        let units = fulfillment::store::units(source, self.merchant, self.order.id, UNITS_TOLD_MAX + 1)?;
        if units.len() > usize::try_from(UNITS_TOLD_MAX).unwrap_or(usize::MAX) {
            return Ok(());
        }
        for unit in units {
            // Units have no id of their own: they come first in the moment they were made in.
            let line = (unit.line.bits() & 0xfff_ffff_ffff) << 20;
            let place = bits_at(unit.created_at) | line | u128::from(unit.unit_no);
            let what = Happening::Unit {
                product: self.product(unit.line),
                number: unit.unit_no,
                capacity: unit.capacity,
            };
            self.tell(place, unit.created_at, what);
        }
        Ok(())
    }

    fn grants(&mut self, source: &mut impl Source) -> Flow<()> {
        let before = GrantChangeId::from_bits(self.before);
        let found =
            timeline_store::changes_before(source, self.merchant, self.order.id, before, Self::most())?;
        for changed in found {
            let what = Happening::Grant {
                change: word(changed.change.as_str()),
                product: self.product(changed.line),
                number: changed.unit_no,
                generation: None,
                expires_at: None,
                cause: changed.cause,
                by: self.people.actor(&changed.actor),
            };
            self.tell(changed.id.bits(), changed.at, what);
        }
        Ok(())
    }

    fn downloads(&mut self, source: &mut impl Source) -> Flow<()> {
        let before = DownloadId::from_bits(self.before);
        let found =
            timeline_store::downloads_before(source, self.merchant, self.order.id, before, Self::most())?;
        for fetched in found {
            let download = fetched.download;
            let entry = DownloadEntry {
                file: fetched.name,
                state: word(download.state.as_str()),
                bytes: download.bytes,
                size: download.size,
                address: download.address,
                user_agent: download.user_agent,
                generation: download.generation,
                last_byte_at: download.last_byte_at,
            };
            self.tell(download.id.bits(), download.started_at, Happening::Download(entry));
        }
        Ok(())
    }

    fn messages(&mut self, source: &mut impl Source) -> Flow<()> {
        let before = MessageId::from_bits(self.before);
        let found =
            timeline_store::messages_before(source, self.merchant, self.order.id, before, Self::most())?;
        for message in found {
            let entry = MessageEntry {
                id: message.id,
                about: word(message.kind.as_str()),
                state: word(message.state.as_str()),
                to: message.to.to_string(),
                subject: message.subject,
                attempts: message.attempts,
                last_error: message.last_error,
                sent_at: message.sent_at,
            };
            self.tell(message.id.bits(), message.created_at, Happening::Message(entry));
        }
        Ok(())
    }

    fn documents(&mut self, source: &mut impl Source) -> Flow<()> {
        for invoice in invoices::store::of_order(source, self.merchant, self.order.id)? {
            let id: InvoiceId = invoice.id;
            let what = Happening::Invoice {
                id,
                document: word(invoice.kind.as_str()),
                number: invoice.label(),
                gross: invoices::staff_pages::reference(&invoice).gross,
            };
            self.tell(id.bits(), invoice.issued_at, what);
        }
        Ok(())
    }

    fn questions(&mut self, source: &mut impl Source) -> Flow<()> {
        let answered = timeline_store::answered(source, self.merchant, self.order.id)?;
        for review in reviews::store::of_order(source, self.merchant, self.order.id)? {
            let about = word(review.kind.as_str());
            let asked = Happening::Review {
                id: review.id,
                about,
                state: ReviewState::Open,
                detail: review.detail.clone(),
                by: self.people.actor("system"),
            };
            self.tell(review.id.bits(), review.opened_at, asked);
            let by = answered.iter().find(|(id, _)| *id == review.id).map(|(_, by)| by);
            if let (Some(at), Some(by)) = (review.resolved_at, by) {
                let answered = Happening::Review {
                    id: review.id,
                    about,
                    state: ReviewState::Resolved,
                    detail: review.resolution.clone().unwrap_or_default(),
                    by: self.people.actor(by),
                };
                // The answer has no id of its own: it comes last in its moment.
                let place = bits_at(at) | (0xffff << 64) | (review.id.bits() & 0xffff_ffff_ffff_ffff);
                self.tell(place, at, answered);
            }
        }
        Ok(())
    }

    fn acts(&mut self, source: &mut impl Source) -> Flow<()> {
        let before = EventId::from_bits(self.before);
        let found =
            timeline_store::events_before(source, self.merchant, self.order.id, before, Self::most())?;
        for event in found {
            let by = self.people.actor(&event.actor);
            let what = match event.kind.as_str() {
                "order.placed" | "order.made" => {
                    Happening::Made { source: word(self.order.source.as_str()), due: self.order.due(), by }
                }
                // What has an entry of its own is not told twice.
                "invoice.issued"
                | "credit_note.issued"
                | "message.not_delivered"
                | "notice.quarantined"
                | "review.resolved" => continue,
                kind if kind.starts_with("payment.") => continue,
                kind => Happening::Act { event: kind.to_owned(), by, detail: pairs(&event.detail) },
            };
            self.tell(event.id.bits(), event.at, what);
        }
        Ok(())
    }
}
