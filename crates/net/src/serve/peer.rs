//! Who is asking.

use std::net::{IpAddr, SocketAddr};

use http::uri::Authority;
use ipnet::IpNet;

/// How the client speaks to us, or to the proxy in front of us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

/// The client of a request: an extension on every one.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The client's own address, taken from a trusted proxy's word where there is one.
    pub addr: IpAddr,
    /// The other end of the socket.
    pub socket: SocketAddr,
    /// Whether the client's bytes are encrypted on the way.
    pub scheme: Scheme,
    /// The host asked for; `None` only for HTTP/1.0 without a Host.
    pub host: Option<Authority>,
}

/// The header in which a proxy tells about its client.
///
/// One, chosen by the operator: a proxy sets the one it knows and passes the other through as
/// the client sent it, so honoring both would let a client name its own address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForwardedBy {
    /// `X-Forwarded-For` and `X-Forwarded-Proto`.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Proxies whose word is taken.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies {
    /// Their addresses; empty means that nobody's word is taken.
    pub networks: Vec<IpNet>,
    /// The header that they set.
    pub header: ForwardedBy,
}
