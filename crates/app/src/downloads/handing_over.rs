//! Leaving a file to somebody else to deliver: to a bucket, by a URL that it signed for, or to the
//! proxy in front of us, by the name of the file.
//!
//! Neither tells us how many bytes it delivered, and neither can be called back. So the place is
//! spent when the file is handed over for the first time, before the answer leaves; each further
//! time the grant is looked at again, and after so many times the rest goes through us.

use db::{DbError, Tx, sql};
use kernel::Timestamp;

use super::{Authorized, counting, flow};
use crate::cx::Cx;
use crate::problem::Flow;

/// So many resumes and parts of a download manager are left to somebody else.
const TIMES_MAX: u32 = 100;

/// Counts that a session's file is handed over now, and spends its place. `false`: it was handed
/// over often enough.
///
/// Authorized anew in this transaction: what was revoked meanwhile is not handed over.
pub fn hand_over(cx: &mut Cx<'_, '_>, token: &str) -> Flow<bool> {
    let authorized = flow::authorize(cx.tx, cx.ring, token, cx.now)?;
    cx.merchant = authorized.merchant;
    if !count(cx.tx, &authorized, cx.now)? {
        return Ok(false);
    }
    counting::charge_whole(cx, &authorized)?;
    Ok(true)
}

/// One more time, if there may be one: check and count are one statement.
fn count(tx: &mut Tx<'_>, session: &Authorized, now: Timestamp) -> Result<bool, DbError> {
    let changed = sql("INSERT INTO hand_overs (download_id, merchant_id, times, first_at, last_at)
         VALUES ($1, $2, 1, $3, $3)
         ON CONFLICT (download_id) DO UPDATE SET times = hand_overs.times + 1, last_at = excluded.last_at
          WHERE hand_overs.times < $4")
    .bind(session.download)
    .bind(session.merchant)
    .bind(now)
    .bind(TIMES_MAX)
    .execute(tx)?;
    Ok(changed == 1)
}
