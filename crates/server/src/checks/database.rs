//! The database: whether it answers, is whole, and belongs to this program.

use app::installation;
use app::jobs::store as jobs_store;
use db::{Db, DbError, Engine, MIGRATIONS, OnPending, Options, Tuning};
use kernel::{Span, Timestamp};

use super::Finding;
use crate::config::Config;
use crate::wiring;

/// 2026-01-01: nothing of this program ran before.
const EARLIEST: Timestamp = Timestamp::from_seconds(1_767_225_600);
/// 2100-01-01: by then somebody will have looked.
const LATEST: Timestamp = Timestamp::from_seconds(4_102_444_800);
/// Clocks of two machines that are this far apart are not set by the same world.
const CLOCKS_APART_MAX: Span = Span::seconds(30);
/// A job that is late by this much is waiting for somebody who does not come.
const OVERDUE: Span = Span::minutes(15);

/// Few threads: a look, not a day's work.
pub fn tuning(on_pending: OnPending) -> Tuning {
    Tuning {
        sqlite_readers: 1,
        postgres_writers: 1,
        postgres_readers: 1,
        reconnect_attempts_max: 1,
        on_pending,
        ..Tuning::default()
    }
}

/// Whether the time is one at all.
pub fn clock_alone(now: Timestamp) -> Option<Finding> {
    let possible = now > EARLIEST && now < LATEST;
    (!possible).then(|| wrong_clock(format!("this machine says that it is {now}")))
}

fn wrong_clock(found: String) -> Finding {
    Finding::failed("clock", found, "set the clock, and keep it right with NTP: links expire by it")
}

/// Opens the database as it is, without changing it.
pub fn open(config: &Config, now: Timestamp) -> (Vec<Finding>, Option<Db>) {
    let options = wiring::database_options(config);
    if let Options::Sqlite(path) = &options
        && !path.exists()
    {
        let found = format!("{} is not there yet: handsel serve makes it", path.display());
        return (vec![Finding::ok("database", found)], None);
    }
    let db = match Db::open_with(&options, MIGRATIONS, tuning(OnPending::Leave)) {
        Ok(db) => db,
        Err(error) => return (vec![unreachable(&error, config)], None),
    };
    let mut findings = vec![answers(&db, config)];
    if findings.iter().any(|finding| finding.status == super::Status::Failed) {
        return (findings, None);
    }
    let (schema, current) = schema(&db);
    findings.push(schema);
    findings.push(integrity(&db));
    if !current {
        return (findings, None);
    }
    findings.extend(clock(&db, now));
    findings.extend(standing(&db));
    (findings, Some(db))
}

fn unreachable(error: &DbError, config: &Config) -> Finding {
    let remedy = if config.database == "sqlite" {
        format!(
            "make {} readable and writable for the account that runs handsel, or restore a backup",
            wiring::sqlite_path(&config.data).display()
        )
    } else {
        "check that the server runs, and the address, user and password in the configuration".to_owned()
    };
    Finding::failed("database", error.to_string(), remedy)
}

fn answers(db: &Db, config: &Config) -> Finding {
    let health = match db.health() {
        Ok(health) => health,
        Err(error) => return unreachable(&error, config),
    };
    let engine = match health.engine {
        Engine::Sqlite => "SQLite",
        Engine::Postgres => "PostgreSQL",
    };
    let found = format!("{engine} {}, {} MiB", health.version, health.size >> 20);
    if health.warnings.is_empty() {
        return Finding::ok("database", found);
    }
    let settings = health.warnings.join("; ");
    Finding::warning("database", format!("{found}: {settings}"), "switch it on in postgresql.conf")
}

fn schema(db: &Db) -> (Finding, bool) {
    match db.pending() {
        Ok(missing) if missing.is_empty() => {
            (Finding::ok("schema", format!("all {} migrations have run", MIGRATIONS.len())), true)
        }
        Ok(missing) => {
            let names: Vec<&str> = missing.iter().map(|migration| migration.name).collect();
            let found = format!("not yet run: {}", names.join(", "));
            (Finding::warning("schema", found, "run: handsel migrate (handsel serve does it too)"), false)
        }
        Err(error) => {
            let remedy = "run the program that belongs to this database, or restore a backup";
            (Finding::failed("schema", error.to_string(), remedy), false)
        }
    }
}

fn integrity(db: &Db) -> Finding {
    let remedy = "stop the server, keep a copy of the file, and restore the newest backup";
    match db.quick_integrity() {
        Ok(damage) if damage.is_empty() => Finding::ok("integrity", "no damage found by the quick check"),
        Ok(damage) => Finding::failed("integrity", damage.join("; "), remedy),
        Err(error) => Finding::failed("integrity", error.to_string(), remedy),
    }
}

/// Whether there is something in it that was sealed.
pub fn is_used(db: &Db) -> bool {
    db.read_blocking(|snapshot| app::merchants::store::first(snapshot)).is_ok_and(|first| first.is_some())
}

fn clock(db: &Db, now: Timestamp) -> Vec<Finding> {
    let server = db.server_time().ok().flatten();
    let told = db.read_blocking(|snapshot| installation::store::last_told(snapshot)).ok().flatten();
    vec![compared(now, server, told)]
}

/// Compares the clock with the database server's, and with what the database was told last.
pub fn compared(now: Timestamp, server: Option<Timestamp>, told: Option<Timestamp>) -> Finding {
    if let Some(told) = told.filter(|told| told.since(now) > CLOCKS_APART_MAX) {
        return wrong_clock(format!(
            "this machine says that it is {now}, but the database was used at {told}"
        ));
    }
    let apart = server.map(|server| server.since(now).as_micros().unsigned_abs());
    if apart.is_some_and(|apart| apart > CLOCKS_APART_MAX.as_micros().unsigned_abs()) {
        let server = server.unwrap_or(now);
        return wrong_clock(format!("this machine says that it is {now}, the database server says {server}"));
    }
    Finding::ok("clock", format!("it is {now}"))
}

/// Whether this is the whole and newest copy of the database.
fn standing(db: &Db) -> Vec<Finding> {
    let read = db.read_blocking(|snapshot| {
        let quarantine = installation::store::quarantine(snapshot)?;
        Ok::<_, DbError>((quarantine, installation::store::restoring(snapshot)?))
    });
    match read {
        Err(error) => vec![Finding::failed("quarantine", error.to_string(), "see the check of the database")],
        Ok((_, Some(_))) => vec![Finding::insecure(
            "restore",
            "a restore of this database was begun and not finished",
            "run the same handsel restore again: it goes on where it stopped",
        )],
        Ok((Some(quarantine), None)) => vec![Finding::warning(
            "quarantine",
            format!("nothing is sent since {}: {}", quarantine.since, quarantine.why),
            "look at handsel quarantine status, then: handsel quarantine lift --yes",
        )],
        Ok((None, None)) => Vec::new(),
    }
}

/// Whether what is to be done gets done.
pub fn jobs(db: &Db, now: Timestamp) -> Finding {
    let since = now - OVERDUE;
    let backlog = match db.read_blocking(move |snapshot| jobs_store::backlog(snapshot, since)) {
        Ok(backlog) => backlog,
        Err(error) => return Finding::failed("jobs", error.to_string(), "see the check of the database"),
    };
    let found =
        format!("{} waiting, {} overdue, {} given up", backlog.waiting, backlog.overdue, backlog.dead);
    if backlog.overdue > 0 {
        let remedy = "see that handsel serve runs and its log shows no errors; a quarantine holds jobs back too, and mail \
             waits where there is no mail server";
        return Finding::warning("jobs", found, remedy);
    }
    if backlog.dead > 0 {
        let remedy =
            "see handsel notices list and the messages in the back office; replay or resend what is wanted";
        return Finding::warning("jobs", found, remedy);
    }
    Finding::ok("jobs", found)
}
