//! Which addresses may be called.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// What is open without the operator's word.
const PORTS: [u16; 2] = [443, 80];

/// IPv4 networks that are not the public internet, by the IANA registry of special addresses.
const CLOSED_V4: [Ipv4Net; 18] = [
    v4([0, 0, 0, 0], 8),        // this network
    v4([10, 0, 0, 0], 8),       // private
    v4([100, 64, 0, 0], 10),    // carriers' NAT, and one cloud's metadata
    v4([127, 0, 0, 0], 8),      // loopback
    v4([168, 63, 129, 16], 32), // a public number, but one cloud's wire server
    v4([169, 254, 0, 0], 16),   // link-local, and most clouds' metadata
    v4([172, 16, 0, 0], 12),    // private
    v4([192, 0, 0, 0], 24),     // protocol assignments, and one cloud's metadata
    v4([192, 0, 2, 0], 24),     // documentation
    v4([192, 31, 196, 0], 24),  // name server sinks
    v4([192, 52, 193, 0], 24),  // multicast tunnels
    v4([192, 88, 99, 0], 24),   // 6to4 relays
    v4([192, 168, 0, 0], 16),   // private
    v4([192, 175, 48, 0], 24),  // name server sinks
    v4([198, 18, 0, 0], 15),    // benchmarks
    v4([198, 51, 100, 0], 24),  // documentation
    v4([203, 0, 113, 0], 24),   // documentation
    v4([224, 0, 0, 0], 3),      // multicast, reserved, broadcast
];

/// All that is public in IPv6; what is closed within it follows.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

const CLOSED_V6: [Ipv6Net; 4] = [
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), // Teredo, ORCHID, benchmarks, …
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), // documentation
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), // 6to4: an IPv4 address in disguise
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), // documentation
];

/// Networks without IPv4 reach it through these addresses, whose last 32 bits are the IPv4 address.
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96);

const fn v4(octets: [u8; 4], prefix: u8) -> Ipv4Net {
    let [a, b, c, d] = octets;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(segments: [u16; 8], prefix: u8) -> Ipv6Net {
    let [a, b, c, d, e, f, g, h] = segments;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), prefix)
}

/// Whether an address is one host on the public internet.
///
/// IPv4 addresses written as IPv6 (`::ffff:10.0.0.1`) are not: no name server has a reason to
/// give them out, and each stack reads them its own way.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !CLOSED_V4.iter().any(|network| network.contains(&v4)),
        IpAddr::V6(v6) if NAT64.contains(&v6) => {
            let [.., a, b, c, d] = v6.octets();
            is_public(IpAddr::V4(Ipv4Addr::new(a, b, c, d)))
        }
        IpAddr::V6(v6) => GLOBAL_V6.contains(&v6) && !CLOSED_V6.iter().any(|network| network.contains(&v6)),
    }
}

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

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (network, port) = text.trim().rsplit_once(':')?;
            let network = match network.strip_prefix('[') {
                Some(bracketed) => bracketed.strip_suffix(']')?,
                None => network,
            };
            // A network with host bits set is more often a slip than meant.
            let network: IpNet = match network.contains('/') {
                true => network.parse().ok().filter(|network: &IpNet| network.trunc() == *network)?,
                false => network.parse::<IpAddr>().ok()?.into(),
            };
            let port = port.parse().ok().filter(|port| *port != 0)?;
            Some(Self { network, port })
        };
        parse().ok_or_else(|| CidrPortError(text.to_owned()))
    }
}

impl std::fmt::Display for CidrPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.network {
            IpNet::V4(network) => write!(f, "{network}:{}", self.port),
            IpNet::V6(network) => write!(f, "[{network}]:{}", self.port),
        }
    }
}

/// The default is public unicast addresses, `https`, ports 443 and 80.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutboundPolicy {
    /// What is allowed beyond that; these may be called with plain `http` too.
    pub allow: Vec<CidrPort>,
}

/// Whether bytes are encrypted on the way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// In the clear.
    Plain,
    /// TLS from the first byte, or at least before anything secret.
    Tls,
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
    #[error("port {0} is not open; list it in outbound.allow if it is meant")]
    Port(u16),
    /// Not a public address.
    #[error("{0} is not a public address; list it in outbound.allow if it is meant")]
    Address(SocketAddr),
}

impl OutboundPolicy {
    /// Whether this very address may be called.
    ///
    /// # Errors
    /// The reason why not.
    pub fn admit(&self, address: SocketAddr, transport: Transport) -> Result<(), Refusal> {
        let listed = |entry: &CidrPort| entry.port == address.port() && entry.network.contains(&address.ip());
        if self.allow.iter().any(listed) {
            return Ok(());
        }
        if !is_public(address.ip()) {
            return Err(Refusal::Address(address));
        }
        self.admit_unlisted(address.port(), transport)
    }

    /// Whether any address at all may be called so: spares the look-up of a name otherwise.
    pub(super) fn admit_port(&self, port: u16, transport: Transport) -> Result<(), Refusal> {
        if self.allow.iter().any(|entry| entry.port == port) {
            return Ok(());
        }
        self.admit_unlisted(port, transport)
    }

    fn admit_unlisted(&self, port: u16, transport: Transport) -> Result<(), Refusal> {
        match transport {
            Transport::Plain => Err(Refusal::Plain),
            Transport::Tls if PORTS.contains(&port) => Ok(()),
            Transport::Tls => Err(Refusal::Port(port)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(text: &str) -> bool {
        is_public(text.parse().unwrap())
    }

    fn policy(allow: &[&str]) -> OutboundPolicy {
        OutboundPolicy { allow: allow.iter().map(|entry| entry.parse().unwrap()).collect() }
    }

    fn admit(policy: &OutboundPolicy, address: &str, transport: Transport) -> Result<(), Refusal> {
        policy.admit(address.parse().unwrap(), transport)
    }

    #[test]
    fn public_hosts_are_public() {
        for text in
            ["8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "11.0.0.1"]
        {
            assert!(public(text), "{text}");
        }
        for text in ["2606:4700::1111", "2a00:1450::1", "64:ff9b::808:808", "2001:200::1", "2620:fe::fe"] {
            assert!(public(text), "{text}");
        }
    }

    #[test]
    fn private_and_special_ipv4_addresses_are_not() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.255",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
        ] {
            assert!(!public(text), "{text}");
        }
    }

    #[test]
    fn private_and_special_ipv6_addresses_are_not() {
        for text in [
            "::",
            "::1",
            "::8.8.8.8",
            "::ffff:169.254.169.254",
            "::ffff:8.8.8.8",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:808:808::1",
            "2002:a9fe:a9fe::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fe81::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!public(text), "{text}");
        }
    }

    #[test]
    fn a_translated_address_is_as_public_as_what_it_stands_for() {
        assert!(!public("64:ff9b::a9fe:a9fe"));
        assert!(!public("64:ff9b::7f00:1"));
        assert!(!public("64:ff9b::a00:1"));
    }

    #[test]
    fn by_default_only_tls_to_the_web_ports_is_open() {
        let default = OutboundPolicy::default();
        assert_eq!(admit(&default, "8.8.8.8:443", Transport::Tls), Ok(()));
        assert_eq!(admit(&default, "8.8.8.8:80", Transport::Tls), Ok(()));
        assert_eq!(admit(&default, "8.8.8.8:80", Transport::Plain), Err(Refusal::Plain));
        assert_eq!(admit(&default, "8.8.8.8:25", Transport::Tls), Err(Refusal::Port(25)));
        assert_eq!(admit(&default, "8.8.8.8:6379", Transport::Tls), Err(Refusal::Port(6379)));
        let private = "10.0.0.1:443".parse().unwrap();
        assert_eq!(default.admit(private, Transport::Tls), Err(Refusal::Address(private)));
    }

    #[test]
    fn a_listed_network_is_open_on_its_port_only() {
        let allowed = policy(&["127.0.0.1/32:8080", "10.0.0.0/8:443", "[fd00::/8]:443", "0.0.0.0/0:8443"]);
        assert_eq!(admit(&allowed, "127.0.0.1:8080", Transport::Plain), Ok(()));
        assert_eq!(admit(&allowed, "10.9.8.7:443", Transport::Tls), Ok(()));
        assert_eq!(admit(&allowed, "[fd12::1]:443", Transport::Tls), Ok(()));
        assert_eq!(admit(&allowed, "8.8.8.8:8443", Transport::Tls), Ok(()));
        assert!(admit(&allowed, "127.0.0.1:8081", Transport::Plain).is_err());
        assert!(admit(&allowed, "127.0.0.2:8080", Transport::Plain).is_err());
        assert!(admit(&allowed, "10.9.8.7:80", Transport::Tls).is_err());
        assert!(admit(&allowed, "[::ffff:127.0.0.1]:8080", Transport::Plain).is_err());
    }

    #[test]
    fn an_entry_is_a_network_and_a_port() {
        for text in ["127.0.0.1/32:8080", "10.0.0.0/8:443", "[fd00::/8]:443"] {
            assert_eq!(text.parse::<CidrPort>().unwrap().to_string(), text);
        }
        assert_eq!("127.0.0.1:80".parse::<CidrPort>().unwrap().to_string(), "127.0.0.1/32:80");
        assert_eq!("[::1]:80".parse::<CidrPort>().unwrap().to_string(), "[::1/128]:80");
        assert_eq!("fd00::/8:443".parse::<CidrPort>().unwrap().to_string(), "[fd00::/8]:443");
    }

    #[test]
    fn what_is_not_an_entry_says_what_one_is() {
        for text in [
            "",
            "10.0.0.0/8",
            "10.0.0.0/8:",
            "10.0.0.0/8:0",
            "10.0.0.0/8:70000",
            "10.0.0.0/33:1",
            "10.0.0.1/8:443",
            "example.com:443",
            "[fd00::/8:443",
        ] {
            let error = text.parse::<CidrPort>().unwrap_err();
            assert!(error.to_string().contains("is not a network and a port like"), "{text}");
        }
    }
}
