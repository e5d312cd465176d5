//! Clearing away copies whose links have been over for long.
//!
//! Only what can be made again from the unit's frozen row goes: stamped copies and rendered
//! artwork. When the link is prolonged or replaced, it is made again. What was gathered, answered by
//! a plug-in or sold as a file is never touched.

use std::collections::HashSet;

use db::DbError;
use kernel::{FileVersionId, MerchantId, Span};

use super::{PartKey, PartState, store};
use crate::app::App;
use crate::cx::{Actor, Cx};
use crate::problem::Flow;

/// How long after the end of its link a copy is kept.
pub const GRACE: Span = Span::days(30);
/// Copies that are looked at in one turn.
const TURN_MAX: u32 = 500;
/// Copies that are cleared away in one commit.
const COMMIT_MAX: usize = 50;

/// A copy whose link has been over for long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Over {
    /// Whose.
    pub merchant: MerchantId,
    /// The part that made it.
    pub key: PartKey,
    /// The copy.
    pub version: FileVersionId,
    /// Its content, hex.
    pub sha256: String,
}

/// Clears away what was found over in two turns, an hour apart: a clock that is set forward for a
/// moment takes nothing.
#[derive(Debug, Default)]
pub struct Sweeper {
    suspects: HashSet<FileVersionId>,
}

impl Sweeper {
    /// Goes over the copies once; answers how many were cleared away.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub async fn turn(&mut self, app: &App) -> Flow<u64> {
        let before = app.now() - GRACE;
        let over = app.read(move |snapshot| Ok(store::over(snapshot, before, TURN_MAX)?)).await?;
        let seen = over.iter().map(|over| over.version).collect();
        let before_that = std::mem::replace(&mut self.suspects, seen);
        let certain: Vec<Over> =
            over.into_iter().filter(|over| before_that.contains(&over.version)).collect();
        for some in certain.chunks(COMMIT_MAX) {
            let some = some.to_vec();
            app.write(MerchantId::from_bits(0), Actor::System, move |cx| {
                some.iter().try_for_each(|over| clear(cx, over)).map_err(Into::into)
            })
            .await?;
        }
        Ok(u64::try_from(certain.len()).unwrap_or(u64::MAX))
    }
}

/// Clears one copy away, unless its link was prolonged meanwhile.
fn clear(cx: &mut Cx<'_, '_>, over: &Over) -> Result<(), DbError> {
    cx.merchant = over.merchant;
    if !store::take_over(cx.tx, over, cx.now - GRACE)? {
        return Ok(());
    }
    store::sweep_part(cx.tx, over.merchant, &over.key, PartState::Swept, cx.now)?;
    store::let_go(cx.tx, &over.sha256, cx.now)
}
