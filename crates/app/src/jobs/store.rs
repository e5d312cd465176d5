//! SQL of the jobs.

use db::{DbError, Row, Source, Tx, sql};
use kernel::{JobId, Timestamp};

use super::{Claimed, Kind, LEASE, Work};

/// Writes a waiting job, unless one for the same subject waits already.
pub fn insert_ready(
    tx: &mut Tx<'_>,
    id: JobId,
    work: &Work,
    now: Timestamp,
    run_at: Timestamp,
) -> Result<(), DbError> {
    sql("INSERT INTO jobs (id, kind, payload, state, attempt, run_at, lease_epoch, dedupe_key, last_error, created_at)
         VALUES ($1, $2, $3, 'ready', 0, $4, 0, $5, '', $6) ON CONFLICT DO NOTHING")
    .bind(id)
    .bind(work.kind())
    .bind(payload(work)?)
    .bind(run_at)
    .bind(work.dedupe_key())
    .bind(now)
    .execute(tx)
    .map(drop)
}

/// Writes a job that this process will run itself right after the commit.
pub fn insert_claimed(tx: &mut Tx<'_>, id: JobId, work: &Work, now: Timestamp) -> Result<Claimed, DbError> {
    sql("INSERT INTO jobs (id, kind, payload, state, attempt, run_at, lease_until, lease_epoch, dedupe_key,
                           last_error, created_at)
         VALUES ($1, $2, $3, 'running', 1, $4, $5, 1, $6, '', $4)")
    .bind(id)
    .bind(work.kind())
    .bind(payload(work)?)
    .bind(now)
    .bind(now + LEASE)
    .bind(work.dedupe_key())
    .execute(tx)?;
    Ok(Claimed { id, work: work.clone(), attempt: 1, epoch: 1 })
}

/// Takes due jobs of a kind, oldest first, each with a new lease.
pub fn claim(tx: &mut Tx<'_>, kind: Kind, now: Timestamp, most: u32) -> Result<Vec<Claimed>, DbError> {
    let mut claimed = sql("UPDATE jobs
            SET state = 'running', attempt = attempt + 1, lease_epoch = lease_epoch + 1, lease_until = $1
          WHERE id IN (SELECT id FROM jobs WHERE state = 'ready' AND kind = $2 AND run_at <= $3
                        ORDER BY run_at, id LIMIT $4 {FOR UPDATE SKIP LOCKED})
      RETURNING id, payload, attempt, lease_epoch")
    .bind(now + LEASE)
    .bind(kind)
    .bind(now)
    .bind(most)
    .all(tx, read)?;
    claimed.sort_by_key(|job| job.id);
    Ok(claimed)
}

/// No job is begun more often, however its workers ended: one that kills its worker each time
/// must not go on for ever.
const BEGUN_MAX: i64 = 100;

/// Gives back the jobs of workers that died, one per subject: where another waits already, or
/// several were running, the rest is dropped.
pub fn release_expired(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64, DbError> {
    sql("DELETE FROM jobs WHERE state = 'running' AND lease_until <= $1 AND EXISTS (
           SELECT 1 FROM jobs other WHERE other.kind = jobs.kind AND other.dedupe_key = jobs.dedupe_key
              AND (other.state = 'ready'
                   OR (other.state = 'running' AND other.lease_until <= $1 AND other.id > jobs.id)))")
    .bind(now)
    .execute(tx)?;
    sql("UPDATE jobs SET state = 'dead', lease_until = NULL, last_error = 'its worker died each time'
          WHERE state = 'running' AND lease_until <= $1 AND attempt >= $2")
    .bind(now)
    .bind(BEGUN_MAX)
    .execute(tx)?;
    sql("UPDATE jobs SET state = 'ready', lease_until = NULL, run_at = $1
          WHERE state = 'running' AND lease_until <= $1")
    .bind(now)
    .execute(tx)
}

/// Prolongs the lease of a job that is still the caller's, before something outside is done.
pub fn renew(tx: &mut Tx<'_>, job: &Claimed, now: Timestamp) -> Result<(), DbError> {
    sql("UPDATE jobs SET lease_until = $1 WHERE id = $2 AND lease_epoch = $3 AND state = 'running'")
        .bind(now + LEASE)
        .bind(job.id)
        .bind(job.epoch)
        .change_one(tx)
}

/// Ends a job that is done.
pub fn finish(tx: &mut Tx<'_>, job: &Claimed) -> Result<(), DbError> {
    sql("DELETE FROM jobs WHERE id = $1 AND lease_epoch = $2").bind(job.id).bind(job.epoch).change_one(tx)
}

/// Whether this waits, or is in somebody's hands.
pub fn is_underway(source: &mut impl Source, work: &Work) -> Result<bool, DbError> {
    let found = sql("SELECT id FROM jobs WHERE state = 'ready' AND kind = $1 AND dedupe_key = $2
                     UNION ALL
                     SELECT id FROM jobs WHERE state = 'running' AND kind = $1 AND dedupe_key = $2 LIMIT 1")
    .bind(work.kind())
    .bind(work.dedupe_key())
    .optional(source, |_| Ok(()))?;
    Ok(found.is_some())
}

/// Whether this waits, is in somebody's hands, or was given up.
pub fn is_known(source: &mut impl Source, work: &Work) -> Result<bool, DbError> {
    if is_underway(source, work)? {
        return Ok(true);
    }
    let dead = sql("SELECT id FROM jobs WHERE state = 'dead' AND kind = $1 AND dedupe_key = $2 LIMIT 1")
        .bind(work.kind())
        .bind(work.dedupe_key())
        .optional(source, |_| Ok(()))?;
    Ok(dead.is_some())
}

/// Puts a job back for later.
pub fn postpone(tx: &mut Tx<'_>, job: &Claimed, run_at: Timestamp, why: &str) -> Result<(), DbError> {
    let waiting = sql("SELECT id FROM jobs WHERE kind = $1 AND dedupe_key = $2 AND state = 'ready'")
        .bind(job.work.kind())
        .bind(job.work.dedupe_key())
        .optional(tx, |_| Ok(()))?;
    if waiting.is_some() {
        return finish(tx, job);
    }
    sql("UPDATE jobs SET state = 'ready', lease_until = NULL, run_at = $1, last_error = $2
          WHERE id = $3 AND lease_epoch = $4")
    .bind(run_at)
    .bind(why.chars().take(500).collect::<String>())
    .bind(job.id)
    .bind(job.epoch)
    .change_one(tx)
}

/// Why a job waits that was put back because nothing may leave the house.
pub const HELD_BACK: &str = "held back by the quarantine";

/// Makes due what a quarantine has held back.
pub fn let_go(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64, DbError> {
    sql("UPDATE jobs SET run_at = $1 WHERE state = 'ready' AND run_at > $1 AND last_error = $2")
        .bind(now)
        .bind(HELD_BACK)
        .execute(tx)
}

/// Parks a job that nobody should try again without looking.
pub fn bury(tx: &mut Tx<'_>, job: &Claimed, why: &str) -> Result<(), DbError> {
    sql("UPDATE jobs SET state = 'dead', lease_until = NULL, last_error = $1 WHERE id = $2 AND lease_epoch = $3")
        .bind(why.chars().take(500).collect::<String>())
        .bind(job.id)
        .bind(job.epoch)
        .change_one(tx)
}

/// When the next waiting job of a kind is due.
pub fn next_due(source: &mut impl Source, kind: Kind) -> Result<Option<Timestamp>, DbError> {
    sql("SELECT run_at FROM jobs WHERE state = 'ready' AND kind = $1 ORDER BY run_at LIMIT 1")
        .bind(kind)
        .optional(source, |row| row.get("run_at"))
}

/// Whether some worker's lease has run out.
pub fn any_expired(source: &mut impl Source, now: Timestamp) -> Result<bool, DbError> {
    let found = sql("SELECT id FROM jobs WHERE state = 'running' AND lease_until <= $1 LIMIT 1")
        .bind(now)
        .optional(source, |_| Ok(()))?;
    Ok(found.is_some())
}

/// How many jobs are in this state.
pub fn count(source: &mut impl Source, state: &'static str) -> Result<i64, DbError> {
    sql("SELECT count(*) AS jobs FROM jobs WHERE state = $1").bind(state).one(source, |row| row.get("jobs"))
}

fn payload(work: &Work) -> Result<String, DbError> {
    serde_json::to_string(work).map_err(|error| DbError::Other(error.to_string()))
}

fn read(row: &mut Row) -> Result<Claimed, DbError> {
    let payload: String = row.get("payload")?;
    let work = serde_json::from_str(&payload).map_err(|error| DbError::Decode {
        column: "payload".to_owned(),
        problem: error.to_string(),
        statement: "jobs".to_owned(),
    })?;
    Ok(Claimed { id: row.get("id")?, work, attempt: row.get("attempt")?, epoch: row.get("lease_epoch")? })
}

/// What a checkup wants to know of the jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Waiting for their time or a worker.
    pub waiting: i64,
    /// Due since before the given time, and still not done.
    pub overdue: i64,
    /// Given up: a person has to look.
    pub dead: i64,
}

/// How the jobs are doing; what was due before `since` is overdue.
pub fn backlog(source: &mut impl Source, since: Timestamp) -> Result<Backlog, DbError> {
    sql("SELECT CAST(COALESCE(SUM(CASE WHEN state = 'ready' THEN 1 ELSE 0 END), 0) AS BIGINT) AS waiting,
                CAST(COALESCE(SUM(CASE WHEN (state = 'ready' AND run_at < $1)
                                         OR (state = 'running' AND lease_until < $1) THEN 1 ELSE 0 END), 0) AS BIGINT)
                    AS overdue,
                CAST(COALESCE(SUM(CASE WHEN state = 'dead' THEN 1 ELSE 0 END), 0) AS BIGINT) AS dead
           FROM jobs")
    .bind(since)
    .one(source, |row| {
        Ok(Backlog { waiting: row.get("waiting")?, overdue: row.get("overdue")?, dead: row.get("dead")? })
    })
}
