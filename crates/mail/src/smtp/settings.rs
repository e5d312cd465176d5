//! What the operator tells about the mail server, and what of it is refused.

use std::net::IpAddr;
use std::sync::Arc;

use kernel::{Secret, Span};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

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
    /// What is right for this server if the operator says nothing.
    pub fn for_server(host: &str, port: u16) -> Self {
        match port {
            _ if is_loopback(host) => Self::Clear,
            465 => Self::Implicit,
            _ => Self::StartTls,
        }
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
    /// No exchange could end within it.
    #[error("the timeout must be longer than nothing")]
    Timeout,
    /// The certificates cannot be read.
    #[error("the certificates to trust cannot be read: {0}")]
    Roots(String),
}

impl SmtpSettings {
    /// The server as messages show it.
    pub(super) fn server(&self) -> String {
        format!("mail server {}:{}", self.host, self.port)
    }

    pub(super) fn validate(&self) -> Result<ServerName<'static>, SmtpSettingsError> {
        let name = ServerName::try_from(self.host.clone())
            .map_err(|_| SmtpSettingsError::Host(self.host.clone()))?;
        let in_hello = |c: char| c.is_ascii_alphanumeric() || ".-[]:".contains(c);
        if self.hello.is_empty() || !self.hello.chars().all(in_hello) {
            return Err(SmtpSettingsError::Hello(self.hello.clone()));
        }
        if self.timeout <= Span::default() {
            return Err(SmtpSettingsError::Timeout);
        }
        if self.login.is_some() && self.tls == TlsMode::Clear && !is_loopback(&self.host) {
            return Err(SmtpSettingsError::PasswordInClear(self.host.clone()));
        }
        Ok(name)
    }

    pub(super) fn tls_config(&self) -> Result<Arc<ClientConfig>, SmtpSettingsError> {
        let unreadable = |error: &dyn std::fmt::Display| SmtpSettingsError::Roots(error.to_string());
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for root in CertificateDer::pem_slice_iter(self.extra_roots_pem.as_deref().unwrap_or_default()) {
            let root = root.map_err(|error| unreadable(&error))?;
            roots.add(root).map_err(|error| unreadable(&error))?;
        }
        // The provider is named, so that no other crate's choice of a default decides.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unreadable(&error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
