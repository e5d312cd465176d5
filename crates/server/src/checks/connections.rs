//! The gateway accounts that are on.

use app::connections::{Connection, mode_word, store};
use app::notices;
use app::ring::Ring;
use db::{Db, DbError};
use gateways::Mode;
use kernel::Timestamp;

use super::Finding;
use crate::config::Config;

/// What a connection heard and what waits for somebody.
struct Traffic {
    last_heard: Option<Timestamp>,
    waiting: i64,
    quarantined: i64,
}

/// Every connection that is on; with the ring also whether its secrets can be opened.
pub fn all(db: &Db, ring: Option<&Ring>, config: &Config) -> Vec<Finding> {
    let read = db.read_blocking(|snapshot| {
        let mut found = Vec::new();
        for connection in store::all_enabled(snapshot)? {
            let (merchant, id) = (connection.merchant, connection.id);
            let (waiting, quarantined) = notices::store::undecided(snapshot, merchant, id)?;
            let last_heard = notices::store::last_heard(snapshot, merchant, id)?;
            found.push((connection, Traffic { last_heard, waiting, quarantined }));
        }
        Ok::<_, DbError>(found)
    });
    match read {
        Err(error) => {
            vec![Finding::failed("connections", error.to_string(), "see the check of the database")]
        }
        Ok(found) if found.is_empty() => vec![Finding::warning(
            "connections",
            "there is none, so nobody can pay",
            "run: handsel connections add paypal-standard --mode test --receiver EMAIL",
        )],
        Ok(found) => found.iter().flat_map(|(one, traffic)| judge(one, traffic, ring, config)).collect(),
    }
}

fn judge(connection: &Connection, traffic: &Traffic, ring: Option<&Ring>, config: &Config) -> Vec<Finding> {
    let mut findings = insecure(connection, ring, &config.base_url);
    findings.push(heard(connection, traffic));
    findings
}

fn named(connection: &Connection) -> String {
    format!("{} ({}, {})", connection.id, connection.gateway, mode_word(connection.mode))
}

fn off(connection: &Connection) -> String {
    format!("handsel connections disable {}", connection.id)
}

/// What a connection must not be used with.
fn insecure(connection: &Connection, ring: Option<&Ring>, base_url: &str) -> Vec<Finding> {
    let (name, off) = (named(connection), off(connection));
    let mut findings = Vec::new();
    if connection.mode == Mode::Live && !base_url.starts_with("https://") {
        findings.push(Finding::insecure(
            "connections",
            format!("live connection {name} is served under {base_url}: anybody on the way could read links and take over sessions"),
            format!("set base_url to the https:// address of the shop, or run: {off}"),
        ));
    }
    let Some(adapter) = gateways::gateway(&connection.gateway) else {
        findings.push(Finding::insecure(
            "connections",
            format!("connection {name}: this program knows no such gateway"),
            format!("run the program that made it, or: {off}"),
        ));
        return findings;
    };
    let Some(ring) = ring else { return findings };
    match connection.opened(ring) {
        Err(error) => findings.push(Finding::insecure(
            "connections",
            format!("the secrets of connection {name} cannot be opened: {error}"),
            format!(
                "put the key ring of this database back: handsel secrets import FILE --passphrase-file FILE; \
                 only if that is lost for good, run: {off}, and add the connection again"
            ),
        )),
        Ok(opened) => {
            for problem in adapter.check(&opened).err().unwrap_or_default() {
                findings.push(Finding::insecure(
                    "connections",
                    format!("connection {name}: {}: {}", problem.field, problem.problem),
                    format!("{}, or run: {off}", problem.remedy),
                ));
            }
        }
    }
    findings
}

fn heard(connection: &Connection, traffic: &Traffic) -> Finding {
    let name = named(connection);
    let open = format!("{} waiting, {} quarantined", traffic.waiting, traffic.quarantined);
    let Some(at) = traffic.last_heard else {
        return Finding::warning(
            "connections",
            format!("{name} has never heard a confirmed notice; {open}"),
            "set its hook URL at the gateway (handsel connections list shows it) and send a test payment",
        );
    };
    let found = format!("{name} last heard its gateway at {at}; {open}");
    if traffic.quarantined > 0 {
        let remedy = "look at them: handsel notices list --state quarantined";
        return Finding::warning("connections", found, remedy);
    }
    Finding::ok("connections", found)
}
