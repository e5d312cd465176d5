//! Certificates: from files, or from an ACME authority.

use std::path::PathBuf;
use std::sync::Arc;

/// Where certificates come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum TlsSettings {
    /// Plain HTTP, for a proxy in front that does TLS.
    #[default]
    Off,
    /// PEM files; read again when they change.
    Files {
        /// The chain, our certificate first.
        cert: PathBuf,
        /// Its key, readable by nobody else.
        key: PathBuf,
    },
    /// Fetched and renewed by tls-alpn-01 on the TLS port itself.
    Acme {
        /// Every name of the certificate.
        domains: Vec<String>,
        /// E-mail addresses for the authority to write to.
        contact: Vec<String>,
        /// Where account key and certificates are kept.
        cache_dir: PathBuf,
        /// The authority.
        directory_url: String,
    },
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{path} cannot be read: {why}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: std::io::Error,
    },
    /// Others may read the key.
    #[error("{path} can be read by others (mode {mode:03o}); run: chmod 600 {path}")]
    KeyIsPublic {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file does not hold what it should.
    #[error("{path} is of no use: {why}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The ACME settings cannot work.
    #[error("ACME cannot be used: {0}")]
    Acme(String),
}

/// Certificates in use, shared by every listener.
#[derive(Clone)]
pub struct Tls {
    #[expect(dead_code, reason = "the interface comes first")]
    config: Arc<rustls::ServerConfig>,
}

impl Tls {
    /// Opens what the settings say; `None` for [`TlsSettings::Off`].
    ///
    /// # Errors
    /// When the certificate or its key cannot be used, or others can read the key.
    pub fn open(_settings: &TlsSettings) -> Result<Option<Self>, TlsError> {
        todo!()
    }

    /// Keeps certificates fresh for as long as it is polled: reads changed files again, or
    /// talks to the ACME authority. Run it beside the listeners; it never ends.
    pub async fn keep_fresh(&self) {
        todo!()
    }

    /// Reads the files again now (a signal asked for it); the old ones stay in use if that fails.
    ///
    /// # Errors
    /// As for [`Tls::open`].
    pub fn reload(&self) -> Result<(), TlsError> {
        todo!()
    }
}
