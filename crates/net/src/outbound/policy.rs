//! Which addresses may be called.

use std::net::SocketAddr;

use ipnet::IpNet;

/// What the operator allows beyond the default: `127.0.0.1/32:8080`, `10.0.0.0/8:443`, `[fd00::/8]:443`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CidrPort {
    /// The addresses.
    pub network: IpNet,
    /// The port.
    pub port: u16,
}

/// A text that is not a network with a port.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a network and a port like 10.0.0.0/8:443 or [fd00::/8]:443")]
pub struct CidrPortError(pub String);

impl std::str::FromStr for CidrPort {
    type Err = CidrPortError;
    fn from_str(_text: &str) -> Result<Self, Self::Err> {
        todo!()
    }
}

/// The default is public unicast addresses, `https`, ports 443 and 80.
#[derive(Debug, Clone, Default)]
pub struct OutboundPolicy {
    /// What is allowed beyond that; these may be called with plain `http` too.
    pub allow: Vec<CidrPort>,
}

/// Why an address or URL may not be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// `gopher:`, `file:`, …
    #[error("only https URLs are called")]
    Scheme,
    /// `https://user:password@…`
    #[error("a URL with credentials in it is not called")]
    Credentials,
    /// Plain `http` to an address that the operator did not list.
    #[error("plain http is only used where outbound.allow lists the address and port")]
    Plain,
    /// Not an open port.
    #[error("port {0} is not open; list it in outbound.allow")]
    Port(u16),
    /// Not a public address.
    #[error("{0} is not a public address; list it in outbound.allow if it is meant")]
    Address(SocketAddr),
}

impl OutboundPolicy {
    /// Whether this very address may be called with TLS.
    ///
    /// # Errors
    /// The reason why not.
    pub fn admit(&self, _address: SocketAddr) -> Result<(), Refusal> {
        todo!()
    }
}
