//! The only way out: HTTP calls to addresses that the operator's policy permits.

mod policy;

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use rustls::pki_types::CertificateDer;

pub use policy::{CidrPort, CidrPortError, OutboundPolicy, Refusal};

/// A call to make. Secrets may be in it: it has no `Debug`.
#[derive(Clone)]
pub struct Call {
    /// `GET`, `POST`, …
    pub method: String,
    /// Absolute, `https` (or `http` where the policy allows the address by name).
    pub url: String,
    /// Beside Host, Content-Length and what else frames a message.
    pub headers: Vec<(String, String)>,
    /// The body to send.
    pub body: Bytes,
    /// For everything, from the look-up to the last byte.
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
    /// No connection was made; nothing was sent.
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
    /// The answer is larger than was allowed.
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

/// Looks names up. Tests bring their own.
pub trait Resolve: Send + Sync {
    /// All addresses of a host.
    fn resolve<'a>(
        &'a self,
        host: &'a str,
    ) -> Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send + 'a>>;
}

/// The system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(
        &'a self,
        _host: &'a str,
    ) -> Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send + 'a>> {
        todo!()
    }
}

/// The root certificates that servers are held to.
#[derive(Debug, Clone, Default)]
pub struct Roots {
    /// Beside the public ones: a private authority, or a test's.
    pub extra: Vec<CertificateDer<'static>>,
}

/// Makes calls.
#[derive(Clone)]
pub struct Client {
    #[expect(dead_code, reason = "the interface comes first")]
    resolver: Arc<dyn Resolve>,
}

impl Client {
    /// A client with the system's resolver.
    ///
    /// # Errors
    /// When an extra root is not a certificate.
    pub fn new(_policy: OutboundPolicy, _roots: &Roots) -> Result<Self, rustls::Error> {
        todo!()
    }

    /// The same client with another resolver.
    #[must_use]
    pub fn with_resolver(self, resolver: Arc<dyn Resolve>) -> Self {
        Self { resolver }
    }

    /// Makes one call on a connection of its own. Redirects are not followed.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn call(&self, _call: Call) -> Result<Answer, CallError> {
        todo!()
    }
}
