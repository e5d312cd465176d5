//! The network as this crate needs it: the wiring brings the program's own outbound client.

use bytes::Bytes;
use kernel::{Secret, Span};

/// Makes calls, and waits between them.
pub trait Network: Send + Sync {
    /// Makes one call. Redirects are answers; nothing is retried; the whole call, from the
    /// look-up to the last byte, ends within [`HttpCall::deadline`].
    ///
    /// # Errors
    /// When there is no whole answer: a body that ends early is an error, not a short body.
    fn call(&self, call: &HttpCall) -> Result<HttpAnswer, NetworkError>;

    /// Waits between two attempts.
    fn pause(&self, span: Span);
}

/// A call to make.
#[derive(Debug)]
pub struct HttpCall {
    /// `GET`, `PUT`, …
    pub method: &'static str,
    /// Absolute. It is signed, and so a secret.
    pub url: Secret<String>,
    /// Beside Host, Content-Length and what else frames a message.
    pub headers: Vec<(String, String)>,
    /// The body to send.
    pub body: Bytes,
    /// For everything.
    pub deadline: Span,
    /// How many bytes of answer are accepted.
    pub body_max: usize,
}

/// What came back, whatever its status.
#[derive(Debug, Clone)]
pub struct HttpAnswer {
    /// As sent.
    pub status: u16,
    /// As sent; names in lower case.
    pub headers: Vec<(String, String)>,
    /// Whole.
    pub body: Bytes,
}

impl HttpAnswer {
    /// The first header of this lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer. Must not hold the URL: it is signed.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// No attempt will help: the address is not allowed, the call cannot be made.
    #[error("{0}")]
    Forbidden(String),
    /// Another attempt may help.
    #[error("{0}")]
    Failed(String),
}
