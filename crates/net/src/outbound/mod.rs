//! The only way out: HTTP calls to addresses that the operator's policy permits.
//!
//! URLs come from merchants, and what they point to must not be this machine, its network or a
//! cloud's metadata. So a name is looked up once, every address is judged by its number, and the
//! connection goes to a judged address itself: a name server that answers differently a second
//! later is never asked again. Redirects are answers, not instructions. Every call has one
//! deadline, from the look-up to the last byte, and a cap on what it takes in.

mod dial;
mod exchange;
mod policy;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::{Instant, timeout_at};
use url::Url;

pub use dial::{Dialer, Resolve, Resolving, SystemResolver};
pub use policy::{CidrPort, CidrPortError, OutboundPolicy, Refusal, Transport, is_public};

/// No call may take longer, whatever it asks for.
const DEADLINE_MAX: Duration = Duration::from_secs(600);

/// A call to make. Secrets may be in it: it has no `Debug`.
#[derive(Clone)]
pub struct Call {
    /// `GET`, `POST`, …
    pub method: String,
    /// Absolute, `https` (or `http` where the policy lists the address).
    pub url: String,
    /// Beside Host, Content-Length and what else frames a message.
    pub headers: Vec<(String, String)>,
    /// The body to send.
    pub body: Bytes,
    /// For everything, from the look-up to the last byte; ten minutes at most.
    pub deadline: Duration,
    /// How many bytes of body are accepted.
    pub body_max: usize,
}

/// What came back, whatever its status: redirects are answers too.
#[derive(Debug, Clone)]
pub struct Answer {
    /// As sent.
    pub status: StatusCode,
    /// As sent.
    pub headers: HeaderMap,
    /// Whole.
    pub body: Bytes,
}

/// Why there is no answer. No variant holds what was sent, nor a URL's path or query.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The call itself is wrong: no retry will help.
    #[error("the call cannot be made: {0}")]
    Invalid(&'static str),
    /// The address filter said no.
    #[error("refused by the outbound policy: {0}")]
    Refused(#[from] Refusal),
    /// No connection was made, or its certificate is not good; nothing was sent.
    #[error("{host} cannot be reached: {why}")]
    Unreachable {
        /// The host that was asked for.
        host: String,
        /// What the system or TLS said.
        why: String,
    },
    /// The deadline passed.
    #[error("no answer in time")]
    TimedOut {
        /// Whether the other side may have acted on the request.
        sent: bool,
    },
    /// The answer's body is larger than was allowed.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit that was passed.
        limit: usize,
    },
    /// The connection broke, or what came back is not HTTP.
    #[error("the exchange failed: {why}")]
    Protocol {
        /// What was wrong.
        why: String,
    },
}

impl CallError {
    /// Whether the other side may have acted on the request: then only an idempotent call may be repeated.
    pub fn may_have_been_sent(&self) -> bool {
        match self {
            Self::Invalid(_) | Self::Refused(_) | Self::Unreachable { .. } => false,
            Self::TimedOut { sent } => *sent,
            Self::TooLarge { .. } | Self::Protocol { .. } => true,
        }
    }
}

/// The root certificates that servers are held to.
#[derive(Debug, Clone, Default)]
pub struct Roots {
    /// Beside the public ones: a private authority, or a test's.
    pub extra: Vec<CertificateDer<'static>>,
}

impl Roots {
    /// The TLS settings of a client that trusts these roots; also for other protocols than HTTP.
    ///
    /// # Errors
    /// When an extra root is not a certificate.
    pub fn client_config(&self) -> Result<ClientConfig, rustls::Error> {
        let mut store = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for root in &self.extra {
            store.add(root.clone())?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        Ok(versions.with_root_certificates(store).with_no_client_auth())
    }
}

/// Makes calls, each on a connection of its own.
#[derive(Clone)]
pub struct Client {
    dialer: Dialer,
    tls: Arc<ClientConfig>,
}

impl Client {
    /// A client with the system's resolver.
    ///
    /// # Errors
    /// When an extra root is not a certificate.
    pub fn new(policy: OutboundPolicy, roots: &Roots) -> Result<Self, rustls::Error> {
        let mut tls = roots.client_config()?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { dialer: Dialer::new(policy), tls: Arc::new(tls) })
    }

    /// The same client with another resolver.
    #[must_use]
    pub fn with_resolver(mut self, resolver: Arc<dyn Resolve>) -> Self {
        self.dialer = self.dialer.with_resolver(resolver);
        self
    }

    /// Makes one call. Redirects are not followed and nothing is retried.
    ///
    /// # Errors
    /// See [`CallError`]; [`CallError::may_have_been_sent`] tells whether a retry is safe.
    pub async fn call(&self, call: Call) -> Result<Answer, CallError> {
        let deadline = Instant::now() + call.deadline.min(DEADLINE_MAX);
        let url = Url::parse(&call.url).map_err(|_| CallError::Invalid("the URL cannot be read"))?;
        let (host, port, transport) = exchange::target(&url)?;
        let request = exchange::request(&call, &url, &host)?;

        let unsent = |_| CallError::TimedOut { sent: false };
        let stream =
            timeout_at(deadline, self.dialer.dial(&host, port, transport)).await.map_err(unsent)??;
        match transport {
            Transport::Plain => exchange::run(stream, request, deadline, call.body_max).await,
            Transport::Tls => {
                let secured = exchange::secure(&self.tls, &host, stream);
                let stream = timeout_at(deadline, secured).await.map_err(unsent)??;
                exchange::run(stream, request, deadline, call.body_max).await
            }
        }
    }
}
