//! SQL of pick-ups that are under way: they are jobs.

use db::{DbError, Source, sql};
use kernel::{ProductId, Timestamp};

use crate::jobs::Work;

/// A pick-up that is not done.
#[derive(Debug, Clone)]
pub struct UnderWay {
    /// What is to be taken.
    pub spec: String,
    /// `ready`, `running` or `dead`.
    pub state: String,
    /// Why it failed the last time.
    pub last_error: String,
    /// Since when it waits.
    pub since: Timestamp,
}

/// So many are shown.
const SHOWN_MAX: u32 = 50;

/// The pick-ups of a product that are not done, the oldest first.
pub fn under_way(source: &mut impl Source, product: ProductId) -> Result<Vec<UnderWay>, DbError> {
    let jobs = sql("SELECT payload, state, last_error, created_at FROM jobs
          WHERE kind = 'pick_up' AND dedupe_key LIKE $1 ORDER BY id LIMIT $2")
    .bind(format!("{product}:%"))
    .bind(SHOWN_MAX)
    .all(source, |row| {
        let payload: String = row.get("payload")?;
        let work = serde_json::from_str(&payload)
            .map_err(|error| DbError::Other(format!("jobs.payload: {error}")))?;
        let (state, last_error): (String, String) = (row.get("state")?, row.get("last_error")?);
        Ok(match work {
            Work::PickUp { spec, .. } => {
                Some(UnderWay { spec, state, last_error, since: row.get("created_at")? })
            }
            _ => None,
        })
    })?;
    Ok(jobs.into_iter().flatten().collect())
}
