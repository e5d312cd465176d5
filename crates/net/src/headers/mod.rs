//! Response headers that keep a browser safe, and checks on what a browser sends.

use http::uri::Authority;
use http::{HeaderMap, HeaderValue};

use crate::serve::Scheme;

/// The content security policy: nothing from elsewhere, nothing inline.
#[derive(Debug, Clone, Default)]
pub struct ContentSecurityPolicy {}

impl ContentSecurityPolicy {
    /// `default-src 'none'`; styles, images, fonts and scripts of our own; forms to ourselves.
    pub fn strict() -> Self {
        todo!()
    }

    /// Lets forms go to this origin too: `https://www.paypal.com`.
    ///
    /// # Errors
    /// When the text is not an origin.
    pub fn form_action(self, _origin: &str) -> Result<Self, NotAnOrigin> {
        todo!()
    }

    /// The header's value.
    pub fn to_value(&self) -> HeaderValue {
        todo!()
    }
}

/// A text that must not get into a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an origin like https://example.com")]
pub struct NotAnOrigin(pub String);

/// Sets every security header that the response does not already carry.
pub fn secure(_headers: &mut HeaderMap, _scheme: Scheme, _policy: &ContentSecurityPolicy) {
    todo!()
}

/// `Content-Disposition: attachment` with a name that every system can store.
pub fn attachment(_file_name: &str) -> HeaderValue {
    todo!()
}

/// A path on this host that a browser may be sent to, or nothing.
pub fn local_path(_target: &str) -> Option<&str> {
    todo!()
}

/// The names under which this installation answers.
#[derive(Debug, Clone, Default)]
pub struct AllowedHosts {}

impl AllowedHosts {
    /// Names without a port (`shop.example.com`), or with one.
    pub fn new<I: IntoIterator<Item = S>, S: AsRef<str>>(_names: I) -> Self {
        todo!()
    }

    /// Whether a request for this authority is ours.
    pub fn admit(&self, _host: &Authority) -> bool {
        todo!()
    }
}
