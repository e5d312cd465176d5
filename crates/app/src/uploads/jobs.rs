//! Forgetting uploads that nobody goes on with.

use std::sync::Arc;

use kernel::MerchantId;

use super::{EXPIRES_AFTER, store};
use crate::app::App;
use crate::cx::Actor;
use crate::products::jobs::CleanError;

/// How many are forgotten in one turn.
const FORGOTTEN_AT_ONCE: u32 = 500;

/// Forgets some that have run out: what arrived of them, and then their rows. Answers how many.
///
/// In this order: a row without its bytes asks for them again, and bytes without a row would take
/// up room for weeks.
///
/// # Errors
/// When the database or the store cannot be changed.
pub async fn forget(app: &App) -> Result<u64, CleanError> {
    let since = app.now() - EXPIRES_AFTER;
    let idle = app.read(move |snapshot| Ok(store::idle(snapshot, since, FORGOTTEN_AT_ONCE)?)).await?;
    let count = u64::try_from(idle.len()).unwrap_or(u64::MAX);
    for id in idle {
        app.paused().take(id);
        let blobs = Arc::clone(app.blobs());
        tokio::task::spawn_blocking(move || blobs.discard(id)).await??;
        app.write(MerchantId::from_bits(0), Actor::System, move |cx| {
            Ok(store::delete_idle(cx.tx, id, since)?)
        })
        .await?;
    }
    Ok(count)
}
