//! SQL of the jobs that a person looks at.

use db::{DbError, Row, Source, Tx, sql};
use kernel::{JobId, MerchantId, Timestamp};

use super::Work;

/// A job that is not done, as a person sees it.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Its id.
    pub id: JobId,
    /// What to do.
    pub work: Work,
    /// `ready`, `running` or `dead`.
    pub state: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is due.
    pub run_at: Timestamp,
    /// Why it failed the last time.
    pub last_error: String,
    /// Since when it exists.
    pub created_at: Timestamp,
}

const COLUMNS: &str = "SELECT id, payload, state, attempt, run_at, last_error, created_at FROM jobs";

/// The jobs about a subject, in any state. The literal states are what the partial indexes want.
pub fn of_subject(source: &mut impl Source, work: &Work) -> Result<Vec<Listed>, DbError> {
    let mut jobs = Vec::new();
    for state in ["ready", "running", "dead"] {
        let found =
            sql(format!("{COLUMNS} WHERE state = '{state}' AND kind = $1 AND dedupe_key = $2 LIMIT 10"))
                .bind(work.kind())
                .bind(work.dedupe_key())
                .all(source, read)?;
        jobs.extend(found);
    }
    jobs.sort_by_key(|job| std::cmp::Reverse(job.id));
    Ok(jobs)
}

/// A merchant's jobs that were given up, the oldest first, behind an id.
pub fn dead(
    source: &mut impl Source,
    merchant: MerchantId,
    after: Option<JobId>,
    most: u32,
) -> Result<Vec<Listed>, DbError> {
    sql(format!("{COLUMNS} WHERE state = 'dead' AND payload LIKE $1 AND id > $2 ORDER BY id LIMIT $3"))
        .bind(of_merchant(merchant))
        .bind(after.unwrap_or(JobId::from_bits(0)))
        .bind(most)
        .all(source, read)
}

/// A merchant's job that was given up.
pub fn dead_by_id(
    source: &mut impl Source,
    merchant: MerchantId,
    id: JobId,
) -> Result<Option<Listed>, DbError> {
    sql(format!("{COLUMNS} WHERE id = $1 AND state = 'dead' AND payload LIKE $2"))
        .bind(id)
        .bind(of_merchant(merchant))
        .optional(source, read)
}

/// Forgets a job that was given up.
pub fn drop_dead(tx: &mut Tx<'_>, merchant: MerchantId, id: JobId) -> Result<(), DbError> {
    sql("DELETE FROM jobs WHERE id = $1 AND state = 'dead' AND payload LIKE $2")
        .bind(id)
        .bind(of_merchant(merchant))
        .change_one(tx)
}

/// Whose a job is stands in what it is to do.
fn of_merchant(merchant: MerchantId) -> String {
    format!("%\"merchant\":\"{merchant}\"%")
}

fn read(row: &mut Row) -> Result<Listed, DbError> {
    let payload: String = row.get("payload")?;
    let work = serde_json::from_str(&payload).map_err(|error| DbError::Decode {
        column: "payload".to_owned(),
        problem: error.to_string(),
        statement: "jobs".to_owned(),
    })?;
    Ok(Listed {
        id: row.get("id")?,
        work,
        state: row.get("state")?,
        attempts: row.get("attempt")?,
        run_at: row.get("run_at")?,
        last_error: row.get("last_error")?,
        created_at: row.get("created_at")?,
    })
}
