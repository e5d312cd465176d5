//! Making a connection that keeps what the product promises.

use std::time::Duration;

use postgres::config::SslMode;
use postgres::{Client, Config, NoTls, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::errors::{classify, of_connecting};
use super::session::{Origin, PgSession};
use super::tls::Wish;
use crate::DbError;

/// The first release with 64-bit transaction numbers, which outcomes are asked by.
const VERSION_MIN: u32 = 130_000;
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// How long unanswered bytes keep a connection that has gone silent.
const SILENCE_MAX: Duration = Duration::from_secs(20);

/// Every session's settings. The waits are below a gateway's patience, and end what a lost
/// client left behind.
const SETTINGS: &str = "
    SET standard_conforming_strings = on;
    SET statement_timeout = '30s';
    SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '30s';
    SET client_min_messages = 'warning';
    SET timezone = 'UTC';
    SET jit = off;
";

/// What is asked of a server before it is trusted.
const CHECK: &str = "
    SELECT current_setting('server_version_num'),
           current_setting('synchronous_commit'),
           current_setting('server_encoding'),
           current_setting('client_encoding'),
           CASE WHEN pg_is_in_recovery() THEN 'standby'
                ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END,
           pg_stat_get_bgwriter_stat_reset_time()
";

/// Where to connect to, and how.
pub(crate) struct Target {
    config: Config,
    /// `None` on this machine, and where the operator said so.
    tls: Option<MakeRustlsConnect>,
}

impl Target {
    pub fn parse(url: &str) -> Result<Self, DbError> {
        let (plain_url, wish) = Wish::take_from(url);
        // The parser's message may quote the URL, and with it the password.
        let mut config: Config = plain_url.parse().map_err(|_| unreadable())?;
        if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err(unreadable());
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_WAIT);
        }
        if config.get_application_name().is_none() {
            config.application_name("handsel");
        }
        config.tcp_user_timeout(SILENCE_MAX).keepalives_idle(SILENCE_MAX);
        let tls = wish.settle(&config)?;
        config.ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable });
        Ok(Self { config, tls })
    }

    /// Connects, sets the session up and refuses a server that would lose what it confirms.
    pub fn connect(&self) -> Result<PgSession, DbError> {
        let connected = match &self.tls {
            Some(tls) => self.config.connect(tls.clone()),
            None => self.config.connect(NoTls),
        };
        let mut client = connected.map_err(|e| of_connecting(&e))?;
        client.batch_execute(SETTINGS).map_err(|e| classify(&e, "session settings"))?;
        let origin = check(&mut client)?;
        Ok(PgSession::new(client, origin))
    }
}

fn unreadable() -> DbError {
    let text = "the PostgreSQL URL cannot be read; it looks like postgres://user:password@host/database";
    DbError::Other(text.to_owned())
}

/// Refuses a server that is too old, would confirm what is not on its disk, stores another
/// encoding, or is a standby.
fn check(client: &mut Client) -> Result<Origin, DbError> {
    let answers = client.simple_query(CHECK).map_err(|e| classify(&e, "session check"))?;
    let row = answers.iter().find_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let value = |place: usize| row.and_then(|row| row.get(place)).unwrap_or_default();
    let refuse = |text: String| Err(DbError::Other(text));
    if value(0).parse::<u32>().unwrap_or(0) < VERSION_MIN {
        return refuse(format!("PostgreSQL {} is too old; 13 or newer is needed", value(0)));
    }
    if !matches!(value(1), "on" | "remote_write" | "remote_apply") {
        return refuse(format!(
            "synchronous_commit is \"{}\" on this PostgreSQL server, which confirms orders before they are \
             stored; set it to on",
            value(1)
        ));
    }
    if value(2) != "UTF8" || value(3) != "UTF8" {
        return refuse(format!(
            "the database's encoding is {} and the client's {}; both must be UTF8",
            value(2),
            value(3)
        ));
    }
    if value(4) == "standby" {
        return Err(DbError::Disconnected("this PostgreSQL server is a standby".to_owned()));
    }
    let timeline = u32::from_str_radix(value(4), 16)
        .map_err(|_| DbError::Other(format!("PostgreSQL names its timeline \"{}\"", value(4))))?;
    Ok(Origin { timeline, life: value(5).to_owned() })
}
