//! Response headers that keep a browser safe, and checks on what a browser sends.

mod csp;
mod disposition;
mod host;
mod redirect;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::serve::Scheme;

pub use csp::{ContentSecurityPolicy, NotAnOrigin};
pub use disposition::attachment;
pub use host::AllowedHosts;
pub use redirect::local_path;

/// A year, which is what ASVS asks for. Sub-domains are the merchant's own business.
const HSTS: &str = "max-age=31536000";

/// Everything that a shop has no use for.
const PERMISSIONS: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
                           magnetometer=(), microphone=(), midi=(), payment=(), usb=()";

const ALWAYS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Sets every security header that the response does not already carry.
///
/// That includes `Cache-Control: no-store`: an answer is private unless its handler says otherwise.
pub fn secure(headers: &mut HeaderMap, scheme: Scheme, policy: &ContentSecurityPolicy) {
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy.to_value());
    }
    if scheme == Scheme::Https {
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(HeaderValue::from_static(HSTS));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_gets_the_whole_set() {
        let mut headers = HeaderMap::new();
        secure(&mut headers, Scheme::Https, &ContentSecurityPolicy::strict());
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["strict-transport-security"], "max-age=31536000");
        assert_eq!(headers["cross-origin-opener-policy"], "same-origin");
        assert_eq!(headers["cross-origin-resource-policy"], "same-origin");
        assert_eq!(headers["x-frame-options"], "DENY");
        assert!(headers["permissions-policy"].to_str().unwrap().contains("camera=()"));
        assert!(headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none';"));
    }

    #[test]
    fn plain_http_is_not_told_to_be_strict() {
        let mut headers = HeaderMap::new();
        secure(&mut headers, Scheme::Http, &ContentSecurityPolicy::strict());
        assert!(!headers.contains_key("strict-transport-security"));
    }

    #[test]
    fn what_a_handler_set_stays() {
        let mut headers = HeaderMap::new();
        headers.insert("cache-control", HeaderValue::from_static("public, max-age=31536000, immutable"));
        headers.insert("content-security-policy", ContentSecurityPolicy::download().to_value());
        secure(&mut headers, Scheme::Http, &ContentSecurityPolicy::strict());
        assert_eq!(headers["cache-control"], "public, max-age=31536000, immutable");
        assert_eq!(headers["content-security-policy"], "default-src 'none'; frame-ancestors 'none'; sandbox");
    }
}
