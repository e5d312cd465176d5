//! The content security policy.

use std::collections::BTreeSet;

use http::HeaderValue;
use url::Url;

/// Nothing from elsewhere, nothing inline, no frames; forms go only where they are known to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentSecurityPolicy {
    kind: Kind,
    form_actions: BTreeSet<String>,
    frames: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Page,
    Download,
}

/// `connect-src` is there for htmx, which fetches from the page's own host.
const PAGE: &str = "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; \
                    script-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; \
                    form-action 'self'";

/// A file that a browser opens in spite of all can do nothing.
const DOWNLOAD: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";

impl ContentSecurityPolicy {
    /// For pages.
    pub const fn strict() -> Self {
        Self { kind: Kind::Page, form_actions: BTreeSet::new(), frames: BTreeSet::new() }
    }

    /// For files that merchants and customers brought.
    pub const fn download() -> Self {
        Self { kind: Kind::Download, form_actions: BTreeSet::new(), frames: BTreeSet::new() }
    }

    /// Lets a page's forms, and the redirects after them, go to this URL's origin too.
    ///
    /// # Errors
    /// When the text is not a URL with a plain host.
    pub fn form_action(mut self, url: &str) -> Result<Self, NotAnOrigin> {
        self.form_actions.insert(origin(url).ok_or_else(|| NotAnOrigin(url.to_owned()))?);
        Ok(self)
    }

    /// Lets a page show a page of this URL's origin in a frame.
    ///
    /// # Errors
    /// When the text is not a URL with a plain host.
    pub fn frame(mut self, url: &str) -> Result<Self, NotAnOrigin> {
        self.frames.insert(origin(url).ok_or_else(|| NotAnOrigin(url.to_owned()))?);
        Ok(self)
    }

    /// The header's value.
    pub fn to_value(&self) -> HeaderValue {
        match self.kind {
            Kind::Download => HeaderValue::from_static(DOWNLOAD),
            Kind::Page if self.form_actions.is_empty() && self.frames.is_empty() => {
                HeaderValue::from_static(PAGE)
            }
            Kind::Page => {
                let mut value = PAGE.to_owned();
                for origin in &self.form_actions {
                    value.push(' ');
                    value.push_str(origin);
                }
                if !self.frames.is_empty() {
                    value.push_str("; frame-src");
                }
                for origin in &self.frames {
                    value.push(' ');
                    value.push_str(origin);
                }
                // Origins are ASCII, so this never falls back; if it did, forms would stay at home.
                HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static(PAGE))
            }
        }
    }
}

/// A text that must not get into a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} has no origin like https://example.com")]
pub struct NotAnOrigin(pub String);

/// URL hosts may hold `;` and `'`, which would end the directive and begin another.
fn origin(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let web = matches!(url.scheme(), "https" | "http");
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']');
    let named = url.username().is_empty() && url.password().is_none();
    (web && named && url.host_str()?.bytes().all(plain)).then(|| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(url: &str) -> String {
        ContentSecurityPolicy::strict().form_action(url).unwrap().to_value().to_str().unwrap().to_owned()
    }

    #[test]
    fn a_frame_is_let_in_from_one_origin_and_forms_stay_at_home() {
        let policy =
            ContentSecurityPolicy::strict().frame("https://player.example:8443/embed/42?a=b").unwrap();
        let value = policy.to_value().to_str().unwrap().to_owned();
        assert!(value.ends_with("; form-action 'self'; frame-src https://player.example:8443"), "{value}");
        assert!(ContentSecurityPolicy::strict().frame("javascript:alert(1)").is_err());
    }

    #[test]
    fn a_page_loads_only_from_home_and_runs_nothing_inline() {
        let value = ContentSecurityPolicy::strict().to_value();
        let directives: Vec<&str> = value.to_str().unwrap().split("; ").collect();
        assert_eq!(
            directives,
            [
                "default-src 'none'",
                "style-src 'self'",
                "img-src 'self'",
                "font-src 'self'",
                "script-src 'self'",
                "connect-src 'self'",
                "base-uri 'none'",
                "frame-ancestors 'none'",
                "form-action 'self'",
            ]
        );
    }

    #[test]
    fn forms_may_go_to_a_gateway_of_which_only_the_origin_is_named() {
        assert!(
            with("https://www.paypal.com/cgi-bin/webscr?a=;b").ends_with("'self' https://www.paypal.com")
        );
        assert!(with("http://127.0.0.1:4001/pay").ends_with("form-action 'self' http://127.0.0.1:4001"));
        assert!(with("https://[2001:db8::1]:8443/").ends_with(" https://[2001:db8::1]:8443"));
        assert!(with("https://pay.bücher.example").ends_with(" https://pay.xn--bcher-kva.example"));
    }

    #[test]
    fn a_gateway_is_named_once() {
        let twice = ContentSecurityPolicy::strict().form_action("https://a.example/1").unwrap();
        let twice = twice.form_action("https://a.example/2").unwrap();
        assert_eq!(twice.to_value().to_str().unwrap().matches("a.example").count(), 1);
    }

    #[test]
    fn nothing_else_gets_into_the_policy() {
        for text in [
            "https://a.example;script-src/",
            "https://a'.example/",
            "https://*.example/",
            "https://user@a.example/",
            "javascript:alert(1)",
            "data:text/html,x",
            "'unsafe-inline'",
            "a.example",
            "",
        ] {
            assert_eq!(
                ContentSecurityPolicy::strict().form_action(text),
                Err(NotAnOrigin(text.to_owned())),
                "{text}"
            );
        }
    }
}
