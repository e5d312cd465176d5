//! From a host to a connection: look up once, judge every address, connect to a judged one.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use url::Host;

use super::{CallError, OutboundPolicy, Transport};

/// For one address.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How much later the next address is tried while the one before has not answered (RFC 8305).
const HEAD_START: Duration = Duration::from_millis(250);

/// Of a name's addresses, so many are tried.
const ADDRESSES_MAX: usize = 6;

/// A look-up under way.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Looks names up. Tests bring their own.
pub trait Resolve: Send + Sync {
    /// All addresses of a host, best first.
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a>;
}

/// The system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
        Box::pin(async move {
            Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
        })
    }
}

/// Connects, for HTTP and for whatever else speaks to hosts that a merchant named.
#[derive(Clone)]
pub struct Dialer {
    policy: Arc<OutboundPolicy>,
    resolver: Arc<dyn Resolve>,
}

impl Dialer {
    /// A dialer with the system's resolver.
    pub fn new(policy: OutboundPolicy) -> Self {
        Self { policy: Arc::new(policy), resolver: Arc::new(SystemResolver) }
    }

    /// The same dialer with another resolver.
    #[must_use]
    pub fn with_resolver(mut self, resolver: Arc<dyn Resolve>) -> Self {
        self.resolver = resolver;
        self
    }

    /// Connects to a permitted address of this host.
    ///
    /// # Errors
    /// `Refused` when the policy permits none of its addresses, `Unreachable` when none answers.
    pub async fn dial(&self, host: &Host, port: u16, transport: Transport) -> Result<TcpStream, CallError> {
        self.policy.admit_port(port, transport)?;
        let addresses = self.addresses(host, port, transport).await?;
        race(addresses).await.map_err(|error| unreachable(host, &error))
    }

    async fn addresses(
        &self,
        host: &Host,
        port: u16,
        transport: Transport,
    ) -> Result<Vec<SocketAddr>, CallError> {
        let found = match host {
            Host::Ipv4(v4) => vec![IpAddr::V4(*v4)],
            Host::Ipv6(v6) => vec![IpAddr::V6(*v6)],
            Host::Domain(name) => {
                self.resolver.resolve(name).await.map_err(|error| unreachable(host, &error))?
            }
        };
        let mut permitted = Vec::new();
        let mut refusal = None;
        for address in found {
            let address = SocketAddr::new(address, port);
            match self.policy.admit(address, transport) {
                Ok(()) if permitted.len() < ADDRESSES_MAX => permitted.push(address),
                Ok(()) => {}
                Err(why) => refusal = Some(why),
            }
        }
        match (permitted.is_empty(), refusal) {
            (false, _) => Ok(permitted),
            (true, Some(why)) => Err(why.into()),
            (true, None) => Err(unreachable(host, &io::Error::other("the name has no address"))),
        }
    }
}

/// The first connection that is made wins; the others are dropped.
#[expect(clippy::disallowed_methods, reason = "a head start is a length of time, and orders nothing")]
async fn race(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut runners = JoinSet::new();
    let mut start = Duration::ZERO;
    for address in addresses {
        runners.spawn(async move {
            tokio::time::sleep(start).await;
            let connected = timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await;
            connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        });
        start += HEAD_START;
    }
    let mut last = io::Error::other("no address was tried");
    while let Some(runner) = runners.join_next().await {
        match runner {
            Ok(Ok(stream)) => {
                // A request and its answer are one exchange: nothing is gained by waiting for more.
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = error,
            Err(broken) => last = io::Error::other(broken),
        }
    }
    Err(last)
}

pub(super) fn unreachable(host: &Host, error: &dyn std::error::Error) -> CallError {
    CallError::Unreachable { host: host.to_string(), why: error.to_string() }
}
