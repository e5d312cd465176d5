//! Certificates: from files, or from an ACME authority.
//!
//! The rest of the program holds a [`Tls`] and never sees a certificate change: new handshakes
//! get the new one, and a renewal that fails leaves the old one in use and a line in the log.

mod acme;
mod cache;
mod files;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::ResolvesServerCert;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::outbound::Roots;

/// Let's Encrypt's production directory, for [`TlsSettings::Acme`].
pub const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

const HTTP: &[u8] = b"http/1.1";
const ACME: &[u8] = b"acme-tls/1";

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
        /// The authority, as [`LETS_ENCRYPT`].
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
        why: io::Error,
    },
    /// Others may read the key.
    #[error("{path} can be read by others (mode {mode:03o}); run: chmod go= {path}")]
    KeyIsPublic {
        /// The key file, or the folder of keys.
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
    /// rustls refuses the settings.
    #[error("TLS cannot be set up: {0}")]
    Rustls(#[from] rustls::Error),
}

/// Certificates in use, shared by every listener.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    source: Source,
}

#[derive(Clone)]
enum Source {
    Files(Arc<files::Files>),
    Acme(Arc<acme::Acme>),
}

impl Tls {
    /// Opens what the settings say; `None` for [`TlsSettings::Off`].
    ///
    /// `roots` are for the ACME authority's own server.
    ///
    /// # Errors
    /// When the certificate or its key cannot be used, or others can read the key.
    pub fn open(settings: &TlsSettings, roots: &Roots) -> Result<Option<Self>, TlsError> {
        let (source, resolver, protocols): (_, Arc<dyn ResolvesServerCert>, _) = match settings {
            TlsSettings::Off => return Ok(None),
            TlsSettings::Files { cert, key } => {
                let files = Arc::new(files::Files::open(cert, key)?);
                (Source::Files(Arc::clone(&files)), files, vec![HTTP.to_vec()])
            }
            TlsSettings::Acme { domains, contact, cache_dir, directory_url } => {
                let account = acme::Account::new(domains, contact, cache_dir, directory_url, roots)?;
                let acme = Arc::new(acme::Acme::new(account));
                (Source::Acme(Arc::clone(&acme)), acme.resolver(), vec![HTTP.to_vec(), ACME.to_vec()])
            }
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = protocols;
        config.ticketer = ring::Ticketer::new()?;
        Ok(Some(Self { acceptor: TlsAcceptor::from(Arc::new(config)), source }))
    }

    /// Keeps certificates fresh for as long as it is polled: reads changed files again, or
    /// talks to the ACME authority. Run it once beside the listeners; it never ends.
    pub async fn keep_fresh(&self) {
        match &self.source {
            Source::Files(files) => files.watch().await,
            Source::Acme(acme) => acme.renew().await,
        }
    }

    /// Reads the files again now (a signal asked for it); the old ones stay in use if that fails.
    ///
    /// # Errors
    /// As for [`Tls::open`].
    pub fn reload(&self) -> Result<(), TlsError> {
        match &self.source {
            Source::Files(files) => files.reload(),
            Source::Acme(_) => Ok(()),
        }
    }

    /// Makes a connection secure. `None` for an ACME authority's visit, which ends with the handshake.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<Option<TlsStream<TcpStream>>> {
        let stream = self.acceptor.accept(stream).await?;
        let visit = stream.get_ref().1.alpn_protocol() == Some(ACME);
        Ok((!visit).then_some(stream))
    }
}
