//! SQL of the outbox as a person looks through it.

use db::{DbError, Source, sql};
use kernel::{MerchantId, MessageId, Timestamp};

use super::store::read;
use super::{Message, MessageKind, MessageState};
use crate::paging::{self, Ask, ListQuery, Slice};

/// What the list is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Narrow {
    /// What became of it.
    pub state: Option<MessageState>,
    /// What it says.
    pub kind: Option<MessageKind>,
    /// An address or a word of a subject.
    pub words: String,
}

const LISTED: &str =
    "SELECT id, merchant_id, kind, dedupe_key, order_id, customer_id, to_address, subject, context,
    state, attempts, last_error, created_at, sent_at FROM messages";

/// One page of the outbox.
pub fn list(
    source: &mut impl Source,
    merchant: MerchantId,
    narrow: &Narrow,
    ask: &Ask,
) -> Result<Slice<Message>, DbError> {
    let mut query = ListQuery::new(LISTED, merchant);
    match narrow.state {
        // The literal list is what lets the partial index be used.
        Some(state @ (MessageState::Waiting | MessageState::Failed | MessageState::Expired)) => {
            query =
                query.narrowed_to("state IN ('waiting', 'failed', 'expired')").narrowed("state = $", state);
        }
        Some(state @ MessageState::Sent) => query = query.among("state = $", state),
        None => {}
    }
    if let Some(kind) = narrow.kind {
        query = query.among("kind = $", kind);
    }
    // Both engines fold ASCII letters only.
    let words = narrow.words.trim().to_ascii_lowercase();
    if kernel::EmailAddress::parse(&words).is_ok() {
        query = query.narrowed("to_address = $", words);
    } else if !words.is_empty() {
        query =
            query.among("lower(to_address || ' ' || subject) LIKE $ ESCAPE '\\'", paging::anywhere(&words));
    }
    query.page(source, ask, read)
}

/// So many of the messages that wait are looked through for one that was tried in vain.
const TRIED_MAX: u32 = 1_000;

/// Why the oldest message that is tried again and again does not leave.
pub fn trouble(source: &mut impl Source, merchant: MerchantId) -> Result<Option<String>, DbError> {
    let oldest = stuck(source, merchant, (MessageState::Waiting, Tried::InVain), MessageId::from_bits(0), 1)?;
    Ok(oldest.into_iter().next().map(|message| message.last_error))
}

/// A message that did not leave.
#[derive(Debug, Clone)]
pub struct Stuck {
    /// Its id.
    pub id: MessageId,
    /// To which address.
    pub to: String,
    /// Why it did not leave, the last time.
    pub last_error: String,
    /// When it was intended.
    pub created_at: Timestamp,
}

/// Which of the messages that did not leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// Such as were tried in vain: behind a long queue the others will go.
    InVain,
    /// All, where none can be tried.
    OrNot,
}

/// Messages in a state other than sent that did not leave, from an id on, the oldest first.
pub fn stuck(
    source: &mut impl Source,
    merchant: MerchantId,
    (state, tried): (MessageState, Tried),
    since: MessageId,
    most: u32,
) -> Result<Vec<Stuck>, DbError> {
    sql("SELECT id, to_address, last_error, created_at FROM
            (SELECT id, to_address, last_error, created_at FROM messages
              WHERE merchant_id = $1 AND state IN ('waiting', 'failed', 'expired') AND state = $2 AND id >= $3
              ORDER BY id LIMIT $4) AS near
          WHERE $6 = 1 OR last_error <> '' ORDER BY id LIMIT $5")
    .bind(merchant)
    .bind(state)
    .bind(since)
    .bind(TRIED_MAX)
    .bind(most)
    .bind(i64::from(tried == Tried::OrNot))
    .all(source, |row| {
        Ok(Stuck {
            id: row.get("id")?,
            to: row.get("to_address")?,
            last_error: row.get("last_error")?,
            created_at: row.get("created_at")?,
        })
    })
}
