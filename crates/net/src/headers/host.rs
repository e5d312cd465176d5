//! The names under which this installation answers.

use std::collections::HashSet;

use http::uri::Authority;

/// Hosts that requests may name. Anything else could poison links and caches (`Host: evil`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedHosts {
    /// In lower case, without a dot at the end.
    names: HashSet<String>,
}

impl AllowedHosts {
    /// Names without a port (`shop.example.com`) answer on every port, names with one on that.
    pub fn new<I: IntoIterator<Item = S>, S: AsRef<str>>(names: I) -> Self {
        Self { names: names.into_iter().map(|name| normal(name.as_ref())).collect() }
    }

    /// Whether a request for this authority is ours.
    pub fn admit(&self, host: &Authority) -> bool {
        if host.as_str().contains('@') {
            return false;
        }
        let name = normal(host.host());
        let with_port = host.port().map(|port| format!("{name}:{port}"));
        self.names.contains(&name) || with_port.is_some_and(|name| self.names.contains(&name))
    }
}

/// `shop.example.com.` is the same host, and so is `SHOP.example.com`.
fn normal(name: &str) -> String {
    let name = name.trim();
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(host: &str) -> bool {
        let hosts = AllowedHosts::new(["Shop.example.com", "127.0.0.1:8080", "[::1]"]);
        hosts.admit(&host.parse().unwrap())
    }

    #[test]
    fn a_name_is_known_in_any_case_and_on_any_port() {
        assert!(admits("shop.example.com"));
        assert!(admits("SHOP.EXAMPLE.COM:8443"));
        assert!(admits("shop.example.com."));
        assert!(admits("[::1]:80"));
    }

    #[test]
    fn a_name_with_a_port_is_known_on_that_port() {
        assert!(admits("127.0.0.1:8080"));
        assert!(!admits("127.0.0.1"));
        assert!(!admits("127.0.0.1:8081"));
    }

    #[test]
    fn strangers_are_refused() {
        assert!(!admits("evil.example"));
        assert!(!admits("shop.example.com.evil"));
        assert!(!admits("shop.example.com@evil"));
        assert!(!admits("evil@shop.example.com"));
        assert!(!admits("xshop.example.com"));
    }
}
