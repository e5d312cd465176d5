//! What became of a transaction whose COMMIT was never answered.

use super::errors::classify;
use super::session::PgSession;
use crate::DbError;

/// What the server says about a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Committed,
    Aborted,
    /// Still running: its old connection has not been noticed to be gone, or it waits for a standby.
    Running,
    /// Nobody remembers, or another server has taken over, where the number means nothing.
    Unknown,
}

/// Asks on a new connection.
pub(crate) fn outcome_of(session: &mut PgSession, id: u64, timeline: u32) -> Result<Outcome, DbError> {
    if session.timeline != timeline {
        return Ok(Outcome::Unknown);
    }
    let text = format!("SELECT pg_xact_status('{id}'::xid8)");
    let row = session.client.query_one(&text, &[]).map_err(|e| classify(&e, &text))?;
    let status: Option<&str> = row.try_get(0).map_err(|e| classify(&e, &text))?;
    Ok(match status {
        Some("committed") => {
            wait_for_standby(session)?;
            Outcome::Committed
        }
        Some("aborted") => Outcome::Aborted,
        Some("in progress") => Outcome::Running,
        _ => Outcome::Unknown,
    })
}

/// After a restart, a transaction that was waiting for the standby shows as committed without
/// being there. A commit of our own, which comes later in the log, is answered only when the
/// standby has both.
fn wait_for_standby(session: &mut PgSession) -> Result<(), DbError> {
    let text = "SELECT pg_logical_emit_message(true, 'handsel', 'after a lost commit')";
    session.client.batch_execute(text).map_err(|e| classify(&e, text))
}
