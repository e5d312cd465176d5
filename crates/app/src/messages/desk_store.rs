//! SQL of the outbox as a person looks through it.

use db::{DbError, Source, sql};
use kernel::MerchantId;

use super::store::read;
use super::{Message, MessageKind, MessageState};
use crate::paging::{Ask, ListQuery, Slice};

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
    let words = narrow.words.trim().to_lowercase();
    if kernel::EmailAddress::parse(&words).is_ok() {
        query = query.narrowed("to_address = $", words);
    } else if !words.is_empty() {
        query = query.among("lower(to_address || ' ' || subject) LIKE $", format!("%{words}%"));
    }
    query.page(source, ask, read)
}

/// Why the oldest message that is tried again and again does not leave.
pub fn trouble(source: &mut impl Source, merchant: MerchantId) -> Result<Option<String>, DbError> {
    sql("SELECT last_error FROM messages WHERE merchant_id = $1 AND state = 'waiting'
            AND state IN ('waiting', 'failed', 'expired') AND last_error <> '' ORDER BY id LIMIT 1")
    .bind(merchant)
    .optional(source, |row| row.get("last_error"))
}
