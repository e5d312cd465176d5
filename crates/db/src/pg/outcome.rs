//! What became of a transaction whose COMMIT was never answered.

use postgres::error::SqlState;

use super::errors::classify;
use super::session::{Origin, PgSession};
use crate::DbError;

/// What the server says about a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Committed,
    Aborted,
    /// Still running: its old connection has not been noticed to be gone, or it waits for a standby.
    Running,
    /// Nobody can tell.
    Unknown,
}

/// Asks on a new connection.
///
/// After a crash the server gives out again the numbers of transactions whose records had not
/// reached its disk, and after a failover those that had not reached the standby. So on another
/// origin, "committed" may speak of somebody else's transaction; every other answer still means
/// that ours is not there.
pub(crate) fn outcome_of(session: &mut PgSession, id: u64, origin: &Origin) -> Result<Outcome, DbError> {
    let same = session.origin == *origin;
    let text = format!("SELECT pg_xact_status('{id}'::xid8)");
    let row = match session.client.query_one(&text, &[]) {
        // The number has not been given out in this life.
        Err(error) if !same && error.code() == Some(&SqlState::INVALID_PARAMETER_VALUE) => {
            return Ok(Outcome::Aborted);
        }
        answer => answer.map_err(|e| classify(&e, &text))?,
    };
    let status: Option<&str> = row.try_get(0).map_err(|e| classify(&e, &text))?;
    Ok(match (status, same) {
        (Some("committed"), true) => {
            wait_for_standby(session)?;
            Outcome::Committed
        }
        (Some("aborted"), _) | (Some("in progress"), false) => Outcome::Aborted,
        (Some("in progress"), true) => Outcome::Running,
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
