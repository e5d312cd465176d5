//! What the standing checks find: each with the oldest few, and where the whole list is.

use std::sync::Arc;

use db::Source;
use kernel::{MerchantId, MessageId, Span, Timestamp};
use ui::admin::{Alarm, AlarmExample, AlarmKind};

use crate::installation::Quarantine;
use crate::messages::desk_store::Tried;
use crate::messages::{self, MessageState, NO_MAIL_SERVER};
use crate::notices::{self, NoticeState};
use crate::orders::desk_store::{self, Listed};
use crate::orders::wrong::{self, Among, Wrong};
use crate::paging::bits_at;
use crate::problem::Flow;
use crate::storage::staff_pages::STORES;
use crate::{events, jobs, reviews, storage};

/// Examples under an alarm: enough to recognize the case, few enough to see the next alarm.
const EXAMPLES: u32 = 3;
/// Beyond so many, an alarm says no more by being exact.
const COUNTED_MAX: u32 = 1_000;
/// Mail that failed longer ago no longer calls for somebody.
const UNDELIVERED_SINCE: Span = Span::days(7);

/// A gateway that has not confirmed a notice for so long is more than slow.
const VERIFIED_WITHIN: Span = Span::minutes(10);

/// What the alarms depend on that is not in the database.
#[derive(Debug, Clone)]
pub struct House {
    /// Why nothing leaves the house, if so.
    pub quarantine: Option<Arc<Quarantine>>,
    /// Whether there is a mail server.
    pub has_mail: bool,
    /// The time.
    pub now: Timestamp,
}

/// All that needs a person at a merchant's, the worst first. Every check is bounded: it costs the
/// same after a million orders.
pub fn all(source: &mut impl Source, merchant: MerchantId, house: &House) -> Flow<Vec<Alarm>> {
    let now = house.now;
    let mut found: Vec<Alarm> = house.quarantine.as_deref().map(held_back).into_iter().collect();
    found.extend(orders(source, merchant, Wrong::PaidNotDelivered, now)?);
    found.extend(unverified(source, merchant, now)?);
    found.extend(orders(source, merchant, Wrong::PaidNotReached, now)?);
    found.extend(lacking(source, merchant, now)?);
    found.extend(away(source, now)?);
    found.extend(orders(source, merchant, Wrong::RefundedStillOpen, now)?);
    found.extend(quarantined(source, merchant)?);
    for state in [MessageState::Failed, MessageState::Expired, MessageState::Waiting] {
        found.extend(mail(source, merchant, state, house)?);
    }
    found.extend(questions(source, merchant)?);
    found.extend(dead_jobs(source, merchant)?);
    Ok(found)
}

fn held_back(quarantine: &Quarantine) -> Alarm {
    let path = "/admin/messages?state=waiting".to_owned();
    Alarm {
        kind: AlarmKind::HeldBack,
        count: 1,
        since: Some(quarantine.since),
        examples: vec![AlarmExample { path: path.clone(), what: quarantine.why.clone(), why: String::new() }],
        path,
    }
}

fn orders(
    source: &mut impl Source,
    merchant: MerchantId,
    what: Wrong,
    now: Timestamp,
) -> Flow<Option<Alarm>> {
    let kind = match what {
        Wrong::PaidNotDelivered => AlarmKind::PaidNotDelivered,
        Wrong::PaidNotReached => AlarmKind::PaidNotReached,
        Wrong::RefundedStillOpen => AlarmKind::RefundedStillOpen,
    };
    let ids = wrong::find(source, merchant, what, (Among::Newest, now), COUNTED_MAX)?;
    let oldest = ids.len().saturating_sub(usize::try_from(EXAMPLES).unwrap_or(usize::MAX));
    let mut few = desk_store::by_ids(source, merchant, ids.get(oldest..).unwrap_or_default())?;
    few.sort_unstable_by_key(|order| order.id);
    let example = |order: &Listed| AlarmExample {
        path: format!("/admin/orders/{}", order.id),
        what: order.email.clone().unwrap_or_else(|| order.id.to_string()),
        why: kernel::Money::new(order.due_minor, order.currency).to_string(),
    };
    Ok((!ids.is_empty()).then(|| Alarm {
        kind,
        count: u32::try_from(ids.len()).unwrap_or(COUNTED_MAX),
        since: few.first().map(|order| order.paid_at.unwrap_or(order.created_at)),
        path: format!("/admin/orders?alarm={}", ui::admin::Word::word(kind)),
        examples: few.iter().map(example).collect(),
    }))
}

/// Notices that their gateway has not confirmed: whoever paid waits, and so does the money.
fn unverified(source: &mut impl Source, merchant: MerchantId, now: Timestamp) -> Flow<Option<Alarm>> {
    let waiting = notices::desk_store::unverified(source, merchant, now - VERIFIED_WITHIN, COUNTED_MAX)?;
    Ok((!waiting.is_empty()).then(|| Alarm {
        kind: AlarmKind::NotVerified,
        count: u32::try_from(waiting.len()).unwrap_or(COUNTED_MAX),
        since: waiting.first().map(|notice| notice.received_at),
        path: "/admin/notices?state=received".to_owned(),
        examples: shown(&waiting).map(notice_example).collect(),
    }))
}

fn notice_example(notice: &notices::Stored) -> AlarmExample {
    AlarmExample {
        path: format!("/admin/notices/{}", notice.id),
        what: notices::staff_pages::name_of(notice),
        why: notice.reason.clone(),
    }
}

/// Files that a store lacks or has damaged.
fn lacking(source: &mut impl Source, merchant: MerchantId, now: Timestamp) -> Flow<Option<Alarm>> {
    let lacking = storage::store::lacking(source, merchant, now - storage::TOLD_FOR, COUNTED_MAX)?;
    let example = |file: &storage::store::Lacking| AlarmExample {
        path: file.product.map_or_else(|| STORES.to_owned(), |product| format!("/admin/products/{product}")),
        what: file.name.clone(),
        why: format!("{}: {}", file.store, file.defect),
    };
    Ok((!lacking.is_empty()).then(|| Alarm {
        kind: AlarmKind::ContentLacking,
        count: u32::try_from(lacking.len()).unwrap_or(COUNTED_MAX),
        since: lacking.first().map(|file| file.found_at),
        path: STORES.to_owned(),
        examples: shown(&lacking).map(example).collect(),
    }))
}

/// Stores that have not answered for a while.
fn away(source: &mut impl Source, now: Timestamp) -> Flow<Option<Alarm>> {
    let mut away = storage::store::states(source)?;
    let long = |since: Timestamp| now.since(since) >= storage::AWAY_FOR_MIN;
    away.retain(|state| state.away_since.is_some_and(long));
    let example = |state: &storage::StoreState| AlarmExample {
        path: STORES.to_owned(),
        what: state.name.clone(),
        why: state.away_why.clone(),
    };
    Ok((!away.is_empty()).then(|| Alarm {
        kind: AlarmKind::StoreAway,
        count: u32::try_from(away.len()).unwrap_or(COUNTED_MAX),
        since: away.iter().filter_map(|state| state.away_since).min(),
        path: STORES.to_owned(),
        examples: shown(&away).map(example).collect(),
    }))
}

fn shown<T>(found: &[T]) -> impl Iterator<Item = &T> {
    found.iter().take(usize::try_from(EXAMPLES).unwrap_or(usize::MAX))
}

fn quarantined(source: &mut impl Source, merchant: MerchantId) -> Flow<Option<Alarm>> {
    let count = notices::store::count_waiting(source, merchant, NoticeState::Quarantined, COUNTED_MAX)?;
    let oldest = notices::desk_store::quarantined(source, merchant, EXAMPLES)?;
    Ok((count > 0).then(|| Alarm {
        kind: AlarmKind::Quarantined,
        count,
        since: oldest.first().map(|notice| notice.received_at),
        path: "/admin/notices?state=quarantined".to_owned(),
        examples: oldest.iter().map(notice_example).collect(),
    }))
}

/// Mail of one state: the list can be narrowed to one state at a time.
fn mail(
    source: &mut impl Source,
    merchant: MerchantId,
    state: MessageState,
    house: &House,
) -> Flow<Option<Alarm>> {
    let waiting = state == MessageState::Waiting;
    // What still waits is a matter of today, however old it is.
    let since = if waiting { 0 } else { bits_at(house.now - UNDELIVERED_SINCE) };
    let tried = if waiting && !house.has_mail { Tried::OrNot } else { Tried::InVain };
    let which = (state, tried);
    let stuck =
        messages::desk_store::stuck(source, merchant, which, MessageId::from_bits(since), COUNTED_MAX)?;
    let example = |message: &messages::desk_store::Stuck| AlarmExample {
        path: format!("/admin/messages/{}", message.id),
        what: message.to.clone(),
        why: if tried == Tried::OrNot { NO_MAIL_SERVER.to_owned() } else { message.last_error.clone() },
    };
    Ok((!stuck.is_empty()).then(|| Alarm {
        kind: AlarmKind::MailFailing,
        count: u32::try_from(stuck.len()).unwrap_or(COUNTED_MAX),
        since: stuck.first().map(|message| message.created_at),
        path: format!("/admin/messages?state={state}"),
        examples: shown(&stuck).map(example).collect(),
    }))
}

fn questions(source: &mut impl Source, merchant: MerchantId) -> Flow<Option<Alarm>> {
    let count = reviews::store::count_open(source, merchant, COUNTED_MAX)?;
    let oldest = reviews::store::open(source, merchant, EXAMPLES)?;
    let example = |review: &reviews::Review| AlarmExample {
        path: format!("/admin/reviews/{}", review.id),
        what: review.detail.clone(),
        why: String::new(),
    };
    Ok((count > 0).then(|| Alarm {
        kind: AlarmKind::OpenReviews,
        count,
        since: oldest.first().map(|review| review.opened_at),
        path: "/admin/reviews".to_owned(),
        examples: oldest.iter().map(example).collect(),
    }))
}

fn dead_jobs(source: &mut impl Source, merchant: MerchantId) -> Flow<Option<Alarm>> {
    let dead = jobs::desk_store::dead(source, merchant, None, COUNTED_MAX)?;
    let example = |job: &jobs::desk_store::Listed| {
        let subject = job.work.dedupe_key();
        AlarmExample {
            path: events::names::path_of(&subject).unwrap_or_else(|| "/admin/jobs".to_owned()),
            what: subject,
            why: job.last_error.clone(),
        }
    };
    Ok((!dead.is_empty()).then(|| Alarm {
        kind: AlarmKind::DeadJobs,
        count: u32::try_from(dead.len()).unwrap_or(COUNTED_MAX),
        since: dead.first().map(|job| job.created_at),
        path: "/admin/jobs".to_owned(),
        examples: shown(&dead).map(example).collect(),
    }))
}
