//! The door: an FTP server for reading only.
//!
//! It speaks RFC 959 with the extensions that clients of today rely on (RFC 2228 and 4217 for TLS,
//! 2428 for IPv6, 3659 for exact listings and resuming), in passive mode only: a server that connects
//! to wherever a client says is a tool for attacking others. A data connection is taken from the
//! address of the control connection and from no other, so that nobody who guesses a port is
//! handed somebody else's goods.

mod accept;
mod command;
mod control;
mod data;
mod gate;
mod listing;
mod passive;
mod path;
mod reply;
mod session;
mod transfer;

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::Stream;
use kernel::{Entropy, Timestamp};
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use gate::Gate;
use passive::Ports;

/// What a visitor is, as far as anything is known of somebody who is nobody in particular.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visitor {
    /// Where the control connection comes from.
    pub address: IpAddr,
}

/// A file as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// One path component: no slash, no line break.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// When it was last changed.
    pub modified: Timestamp,
}

/// Bytes on their way. The stream ends where the file does; an error cuts the transfer.
pub type Chunks = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// Why something is not shown or handed out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such directory, or none any more. One answer for both: nothing is learned by guessing.
    #[error("there is nothing under this name")]
    NotFound,
    /// The visitor may not have it, and is told why.
    #[error("{0}")]
    Denied(String),
    /// It starts beyond the end of the file.
    #[error("the file ends before this position")]
    BeyondEnd,
    /// Not now.
    #[error("{0}")]
    Later(String),
}

/// What the door shows. The names of directories are secrets: they are not to be logged.
#[async_trait]
pub trait Shelf: Send + Sync + 'static {
    /// The files of a directory.
    async fn list(&self, visitor: Visitor, directory: &str) -> Result<Vec<Entry>, Refusal>;

    /// The bytes of a file from a position on.
    async fn fetch(
        &self,
        visitor: Visitor,
        directory: &str,
        file: &str,
        from: u64,
    ) -> Result<Chunks, Refusal>;
}

/// How a listener's connections are protected.
#[derive(Clone)]
pub enum Protection {
    /// TLS from the first byte (`ftps://`).
    Implicit(Arc<ServerConfig>),
    /// TLS after `AUTH TLS`, without which nobody logs in.
    Required(Arc<ServerConfig>),
    /// TLS after `AUTH TLS`, and clear text for who does not ask.
    Offered(Arc<ServerConfig>),
    /// Clear text: names of directories and goods can be read on the way.
    Plain,
}

/// What the door allows.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The ports that data connections come in on.
    pub passive_ports: RangeInclusive<u16>,
    /// The IPv4 address that clients are told to connect to, where the machine's own is not reachable.
    pub passive_address: Option<Ipv4Addr>,
    /// Control connections in all.
    pub connections_max: usize,
    /// Control connections of one subscriber.
    pub connections_each_max: usize,
    /// From the connection to the login, with the handshakes.
    pub login_timeout: Duration,
    /// Between two commands.
    pub idle_timeout: Duration,
    /// For the client to open a data connection, and for each 64 KiB to get through.
    pub data_timeout: Duration,
    /// How long transfers may go on after a stop.
    pub drain: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            passive_ports: 50_000..=50_099,
            passive_address: None,
            connections_max: 200,
            connections_each_max: 8,
            login_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(300),
            data_timeout: Duration::from_secs(60),
            drain: Duration::from_secs(30),
        }
    }
}

/// The door, which any number of listeners share.
#[derive(Clone)]
pub struct Door(Arc<Shared>);

pub(crate) struct Shared {
    settings: Settings,
    shelf: Arc<dyn Shelf>,
    ports: Ports,
    gate: Arc<Gate>,
}

/// TLS of a listener.
#[derive(Clone)]
struct Security {
    acceptor: Option<TlsAcceptor>,
    implicit: bool,
    required: bool,
}

impl Door {
    /// A door to this shelf.
    pub fn new(settings: Settings, shelf: Arc<dyn Shelf>, entropy: Arc<dyn Entropy>) -> Self {
        let gate = Arc::new(Gate::new(settings.connections_max, settings.connections_each_max));
        let ports = Ports::new(settings.passive_ports.clone(), entropy);
        Self(Arc::new(Shared { settings, shelf, ports, gate }))
    }

    /// Serves what comes in on a listener until `stop` is ready; then sends idle visitors away, and lets
    /// transfers go on for as long as the settings say. Answers how many were cut off.
    pub async fn serve(
        &self,
        listener: TcpListener,
        protection: Protection,
        stop: impl Future<Output = ()> + Send,
    ) -> usize {
        let security = Security::from(protection);
        accept::run(listener, Arc::clone(&self.0), security, stop).await
    }
}

impl From<Protection> for Security {
    fn from(protection: Protection) -> Self {
        let (config, implicit, required) = match protection {
            Protection::Implicit(config) => (Some(config), true, true),
            Protection::Required(config) => (Some(config), false, true),
            Protection::Offered(config) => (Some(config), false, false),
            Protection::Plain => (None, false, false),
        };
        Self { acceptor: config.map(TlsAcceptor::from), implicit, required }
    }
}
