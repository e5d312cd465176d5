//! Who is asking.
//!
//! What a client says of itself in a header is worth nothing, unless a proxy that the operator
//! trusts has said it. So forwarded addresses are read from the right, where the nearest proxy
//! wrote, and only for as long as each of them is trusted.

use std::net::{IpAddr, SocketAddr};

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::Authority;
use http::{Uri, Version};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// How the client speaks to us, or to the proxy in front of us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

/// The client of a request: an extension on every one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The client's own address, taken from a trusted proxy's word where there is one.
    pub addr: IpAddr,
    /// The other end of the socket.
    pub socket: SocketAddr,
    /// Whether the client's bytes are encrypted on the way.
    pub scheme: Scheme,
    /// The host asked for; `None` only for HTTP/1.0 without a Host. Any host: see `AllowedHosts`.
    pub host: Option<Authority>,
}

/// The header in which a proxy tells about its client.
///
/// One, chosen by the operator: a proxy sets the one it knows and passes the other through as
/// the client sent it, so honoring both would let a client choose its own address.
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

/// A request that does not say clearly which host it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UnclearHost;

impl TrustedProxies {
    /// Whether this address is one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// The client and its scheme, of a request that came from `socket` by `scheme`.
    fn client(&self, socket: IpAddr, scheme: Scheme, headers: &HeaderMap) -> (IpAddr, Scheme) {
        let socket = socket.to_canonical();
        if !self.contains(socket) {
            return (socket, scheme);
        }
        match self.header {
            ForwardedBy::XForwarded => {
                let proto = from_right(headers, &X_FORWARDED_PROTO, ',').next().and_then(parse_proto);
                let nodes = from_right(headers, &X_FORWARDED_FOR, ',').map(parse_node);
                (self.walk(socket, nodes), proto.unwrap_or(scheme))
            }
            ForwardedBy::Forwarded => {
                // Each element tells how its own proxy was spoken to: the last one read counts.
                let mut proto = None;
                let elements = from_right(headers, &header::FORWARDED, ',').map(|element| {
                    proto = parameter(element, "proto").and_then(parse_proto);
                    parameter(element, "for").and_then(parse_node)
                });
                let address = self.walk(socket, elements);
                (address, proto.unwrap_or(scheme))
            }
        }
    }

    /// Follows addresses away from us until one is not a trusted proxy, or is not an address.
    fn walk(&self, nearest: IpAddr, nodes: impl Iterator<Item = Option<IpAddr>>) -> IpAddr {
        let mut client = nearest;
        for node in nodes {
            let Some(node) = node else {
                return client;
            };
            client = node.to_canonical();
            if !self.contains(client) {
                return client;
            }
        }
        client
    }
}

impl Peer {
    pub(super) fn of(
        version: Version,
        uri: &Uri,
        headers: &HeaderMap,
        socket: SocketAddr,
        scheme: Scheme,
        proxies: &TrustedProxies,
    ) -> Result<Self, UnclearHost> {
        let host = host(version, uri, headers)?;
        let (addr, scheme) = proxies.client(socket.ip(), scheme, headers);
        Ok(Self { addr, socket, scheme, host })
    }
}

/// RFC 9112, 3.2: exactly one Host, which a full URL in the request line overrides.
fn host(version: Version, uri: &Uri, headers: &HeaderMap) -> Result<Option<Authority>, UnclearHost> {
    let mut lines = headers.get_all(header::HOST).iter();
    let named = match (lines.next(), lines.next()) {
        (Some(line), None) => Some(parse_authority(line)?),
        (None, _) if version < Version::HTTP_11 => None,
        _ => return Err(UnclearHost),
    };
    match uri.authority() {
        Some(authority) if is_plain(authority) => Ok(Some(authority.clone())),
        Some(_) => Err(UnclearHost),
        None => Ok(named),
    }
}

fn parse_authority(line: &HeaderValue) -> Result<Authority, UnclearHost> {
    let authority = Authority::try_from(line.as_bytes()).map_err(|_| UnclearHost)?;
    if is_plain(&authority) { Ok(authority) } else { Err(UnclearHost) }
}

/// A name or address with or without a port. URLs allow more than that in a host, and links are made of it.
fn is_plain(authority: &Authority) -> bool {
    let text = authority.as_str();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    let port = text.strip_prefix(authority.host()).unwrap_or("?");
    let port_fits = port.is_empty() || authority.port_u16().is_some();
    text.bytes().all(plain) && port_fits && !authority.host().is_empty()
}

/// The list elements of all lines of a header, the last one first. Quotes are respected.
fn from_right<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    separator: char,
) -> impl Iterator<Item = &'a str> + use<'a> {
    let lines = headers.get_all(name).iter().rev();
    // A line that is not text is an element that is not an address: there the walk ends.
    lines.flat_map(move |line| split(line.to_str().unwrap_or("?"), separator).into_iter().rev())
}

fn split(line: &str, separator: char) -> Vec<&str> {
    let mut quoted = false;
    line.split(|c: char| {
        quoted ^= c == '"';
        c == separator && !quoted
    })
    .map(str::trim)
    .collect()
}

/// `for=192.0.2.1;proto=https`: the value of one of them, without quotes.
fn parameter<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    split(element, ';').into_iter().find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim_matches('"'))
    })
}

fn parse_proto(text: &str) -> Option<Scheme> {
    match text {
        _ if text.eq_ignore_ascii_case("https") => Some(Scheme::Https),
        _ if text.eq_ignore_ascii_case("http") => Some(Scheme::Http),
        _ => None,
    }
}

/// An address with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`.
fn parse_node(text: &str) -> Option<IpAddr> {
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || text.parse().map(|address: SocketAddr| address.ip()).ok();
    text.parse().ok().or_else(bracketed).or_else(with_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: &str = "198.51.100.7";
    const EDGE: &str = "10.0.0.9";

    struct Asked {
        proxies: TrustedProxies,
        socket: &'static str,
        headers: HeaderMap,
    }

    impl Asked {
        fn through(socket: &'static str, header: ForwardedBy) -> Self {
            let networks =
                ["10.0.0.0/8", "2001:db8:ffff::/48"].map(|network| network.parse().unwrap()).to_vec();
            Self { proxies: TrustedProxies { networks, header }, socket, headers: HeaderMap::new() }
        }

        fn with(mut self, name: &'static str, value: &str) -> Self {
            self.headers.append(name, HeaderValue::from_str(value).unwrap());
            self
        }

        fn client(&self) -> (String, Scheme) {
            let socket = self.socket.parse().unwrap();
            let (address, scheme) = self.proxies.client(socket, Scheme::Http, &self.headers);
            (address.to_string(), scheme)
        }

        fn address(&self) -> String {
            self.client().0
        }
    }

    fn x(socket: &'static str, forwarded_for: &str) -> String {
        Asked::through(socket, ForwardedBy::XForwarded).with("x-forwarded-for", forwarded_for).address()
    }

    fn forwarded(value: &str) -> (String, Scheme) {
        Asked::through(EDGE, ForwardedBy::Forwarded).with("forwarded", value).client()
    }

    #[test]
    fn a_stranger_is_not_believed() {
        let stranger = Asked::through(CLIENT, ForwardedBy::XForwarded)
            .with("x-forwarded-for", "127.0.0.1")
            .with("x-forwarded-proto", "https")
            .with("forwarded", "for=127.0.0.1;proto=https");
        assert_eq!(stranger.client(), (CLIENT.to_owned(), Scheme::Http));
    }

    #[test]
    fn a_trusted_proxy_is_believed() {
        let through = Asked::through(EDGE, ForwardedBy::XForwarded)
            .with("x-forwarded-for", CLIENT)
            .with("x-forwarded-proto", "https");
        assert_eq!(through.client(), (CLIENT.to_owned(), Scheme::Https));
        assert_eq!(x("::ffff:10.0.0.9", CLIENT), CLIENT);
        assert_eq!(x("2001:db8:ffff::1", "2001:db8::5"), "2001:db8::5");
    }

    #[test]
    fn what_the_client_wrote_before_the_proxy_is_not() {
        assert_eq!(x(EDGE, "127.0.0.1, 10.1.1.1, 198.51.100.7"), CLIENT);
        assert_eq!(x(EDGE, "1.1.1.1, 198.51.100.7, 10.1.1.1 , 10.2.2.2"), CLIENT);
        let lines = Asked::through(EDGE, ForwardedBy::XForwarded)
            .with("x-forwarded-for", "1.1.1.1")
            .with("x-forwarded-for", CLIENT);
        assert_eq!(lines.address(), CLIENT);
    }

    #[test]
    fn what_is_not_an_address_ends_the_walk() {
        assert_eq!(x(EDGE, "1.1.1.1, unknown, 10.1.1.1"), "10.1.1.1");
        assert_eq!(x(EDGE, "1.1.1.1, "), EDGE);
        assert_eq!(x(EDGE, "localhost"), EDGE);
        assert_eq!(Asked::through(EDGE, ForwardedBy::XForwarded).address(), EDGE);
    }

    #[test]
    fn addresses_may_carry_ports_and_brackets() {
        assert_eq!(x(EDGE, "198.51.100.7:4711"), CLIENT);
        assert_eq!(x(EDGE, "[2001:db8::5]:4711"), "2001:db8::5");
        assert_eq!(x(EDGE, "[2001:db8::5]"), "2001:db8::5");
        assert_eq!(x(EDGE, "::ffff:198.51.100.7"), CLIENT);
    }

    #[test]
    fn only_the_header_that_the_proxy_sets_is_read() {
        let smuggled = Asked::through(EDGE, ForwardedBy::XForwarded)
            .with("forwarded", "for=1.1.1.1;proto=https")
            .with("x-forwarded-for", CLIENT);
        assert_eq!(smuggled.client(), (CLIENT.to_owned(), Scheme::Http));
        let smuggled = Asked::through(EDGE, ForwardedBy::Forwarded)
            .with("forwarded", "for=198.51.100.7")
            .with("x-forwarded-for", "1.1.1.1")
            .with("x-forwarded-proto", "https");
        assert_eq!(smuggled.client(), (CLIENT.to_owned(), Scheme::Http));
    }

    #[test]
    fn the_last_word_on_the_scheme_is_the_nearest_proxys() {
        let through = |proto| Asked::through(EDGE, ForwardedBy::XForwarded).with("x-forwarded-proto", proto);
        assert_eq!(through("https, http").client().1, Scheme::Http);
        assert_eq!(through("http, HTTPS").client().1, Scheme::Https);
        assert_eq!(through("gopher").client().1, Scheme::Http);
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_writes_it() {
        assert_eq!(
            forwarded("for=198.51.100.7;proto=https;by=203.0.113.43"),
            (CLIENT.to_owned(), Scheme::Https)
        );
        assert_eq!(forwarded("For=\"[2001:db8:cafe::17]:4711\"").0, "2001:db8:cafe::17");
        assert_eq!(
            forwarded("for=1.1.1.1, for=198.51.100.7; proto=https, for=10.1.1.1;proto=http"),
            (CLIENT.to_owned(), Scheme::Https)
        );
        assert_eq!(forwarded("for=\"_a,b;c\", for=198.51.100.7").0, CLIENT);
        assert_eq!(forwarded("for=_hidden, for=10.1.1.1").0, "10.1.1.1");
        assert_eq!(forwarded("proto=https").0, EDGE);
    }

    fn host_of(version: Version, uri: &str, hosts: &[&str]) -> Result<Option<String>, UnclearHost> {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, HeaderValue::from_str(host).unwrap());
        }
        host(version, &uri.parse().unwrap(), &headers).map(|host| host.map(|host| host.to_string()))
    }

    #[test]
    fn the_host_is_the_one_that_was_asked_for() {
        let one = |hosts: &[&str]| host_of(Version::HTTP_11, "/", hosts);
        assert_eq!(one(&["shop.example.com:8443"]), Ok(Some("shop.example.com:8443".to_owned())));
        assert_eq!(one(&["[2001:db8::1]:80"]), Ok(Some("[2001:db8::1]:80".to_owned())));
        assert_eq!(host_of(Version::HTTP_10, "/", &[]), Ok(None));
        let full = host_of(Version::HTTP_11, "http://a.example/x", &["b.example"]);
        assert_eq!(full, Ok(Some("a.example".to_owned())));
    }

    #[test]
    fn an_unclear_host_is_refused() {
        for hosts in [
            &[][..],
            &["a", "b"],
            &["a", "a"],
            &[""],
            &["user@a"],
            &["a b"],
            &["a/b"],
            &["a:b"],
            &["a:99999"],
            &["a;b"],
            &["a%41"],
            &["a,b"],
            &["a\"b"],
            &[":80"],
            &["a:80:81"],
        ] {
            assert_eq!(host_of(Version::HTTP_11, "/", hosts), Err(UnclearHost), "{hosts:?}");
        }
        assert_eq!(host_of(Version::HTTP_11, "http://user@a/", &["a"]), Err(UnclearHost));
        assert_eq!(host_of(Version::HTTP_10, "/", &["a", "b"]), Err(UnclearHost));
    }
}
