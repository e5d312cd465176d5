//! Looking at a merchant's alarms, and calling somebody.

use db::Source;
use kernel::{EmailAddress, MerchantId, MessageId, Timestamp};
use ui::admin::Alarm;

use super::find::{self, House};
use super::{Note, Watch, store};
use crate::cx::Cx;
use crate::messages::{self, Message, MessageKind, MessageState};
use crate::problem::Flow;
use crate::{merchants, staff};

/// What a look has seen.
#[derive(Debug, Clone)]
pub struct Seen {
    watch: Watch,
    found: Vec<Alarm>,
    /// Who can be called now.
    to: Option<EmailAddress>,
}

/// Looks at what is wrong at a merchant's, and whom it could be told.
pub fn look(source: &mut impl Source, merchant: MerchantId, house: &House) -> Flow<Seen> {
    let watch = store::by_merchant(source, merchant)?;
    let to = if is_on_its_way(source, &watch)? { None } else { recipient(source, merchant)? };
    Ok(Seen { found: find::all(source, merchant, house)?, watch, to })
}

/// Whether the last mail has not left yet. A second behind it would tell nothing more.
fn is_on_its_way(source: &mut impl Source, watch: &Watch) -> Flow<bool> {
    let Some(mailed_at) = watch.mailed_at else { return Ok(false) };
    let state = messages::store::state_of(source, watch.merchant, &dedupe_key(mailed_at))?;
    Ok(state == Some(MessageState::Waiting))
}

/// Where alarms go: where the merchant wants them, or to the first of its owners.
fn recipient(source: &mut impl Source, merchant: MerchantId) -> Flow<Option<EmailAddress>> {
    let wanted = merchants::store::by_id(source, merchant)?.alarm_email;
    match wanted {
        Some(wanted) => Ok(Some(wanted)),
        None => Ok(staff::store::first_owner(source, merchant)?.map(|owner| owner.email)),
    }
}

/// Records a look, and calls if that is due. Whoever looked at the same time from another node
/// has the first word.
pub fn record(cx: &mut Cx<'_, '_>, seen: &Seen) -> Flow<()> {
    let looked = seen.watch.looked(&seen.found, cx.now);
    let to = seen.to.as_ref().filter(|_| looked.calls(&seen.found, cx.now));
    let next = if to.is_some() { looked.mailed(&seen.found, cx.now) } else { looked };
    if !store::advance(cx.tx, &seen.watch, &next)? {
        return Ok(());
    }
    to.map_or(Ok(()), |to| call(cx, to, &seen.found))
}

fn call(cx: &mut Cx<'_, '_>, to: &EmailAddress, found: &[Alarm]) -> Flow<()> {
    let notes: Vec<Note> = found.iter().map(Note::from).collect();
    let message = Message {
        id: MessageId::mint(cx.draws),
        merchant: cx.merchant,
        kind: MessageKind::Alarm,
        dedupe_key: dedupe_key(cx.now),
        order: None,
        customer: None,
        to: to.clone(),
        subject: String::new(),
        context: serde_json::json!({ "alarms": notes }),
        state: MessageState::Waiting,
        attempts: 0,
        last_error: String::new(),
        created_at: cx.now,
        sent_at: None,
    };
    Ok(messages::flow::intend(cx, &message)?)
}

fn dedupe_key(mailed_at: Timestamp) -> String {
    format!("{}:{}", MessageKind::Alarm, mailed_at.as_micros())
}
