//! Whether and how the way to the server is encrypted.
//!
//! Encrypted always means verified: an encryption with just anybody protects from nobody. So
//! `require` and `verify-ca` mean what `verify-full` means. Without a word, only a server on
//! this machine is spoken to in the clear.

use std::path::PathBuf;
use std::sync::Arc;

use postgres::Config;
use postgres::config::Host;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::DbError;

/// What the URL says about encryption.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    mode: Option<String>,
    /// A file of certificates to trust instead of the web's.
    roots: Option<PathBuf>,
}

impl Wish {
    /// Takes it out of the URL, whose parser does not know all of it.
    pub fn take_from(url: &str) -> (String, Self) {
        let mut wish = Self { mode: None, roots: None };
        let Some((base, query)) = url.split_once('?') else { return (url.to_owned(), wish) };
        let mut left = Vec::new();
        for pair in query.split('&') {
            match pair.split_once('=') {
                Some(("sslmode", mode)) => wish.mode = Some(mode.to_owned()),
                Some(("sslrootcert", path)) => wish.roots = Some(PathBuf::from(decoded(path))),
                _ => left.push(pair),
            }
        }
        let url = if left.is_empty() { base.to_owned() } else { format!("{base}?{}", left.join("&")) };
        (url, wish)
    }

    /// The encryption, or none where that is safe or wanted.
    pub fn settle(&self, config: &Config) -> Result<Option<MakeRustlsConnect>, DbError> {
        match self.mode.as_deref() {
            Some("disable") => Ok(None),
            Some("require" | "verify-ca" | "verify-full") => self.verified().map(Some),
            None | Some("allow" | "prefer") if is_here(config) => Ok(None),
            None | Some("allow" | "prefer") => Err(DbError::Other(
                "this PostgreSQL server is on another machine: add ?sslmode=verify-full to its URL \
                 (and &sslrootcert=FILE for certificates of your own), or ?sslmode=disable if nobody \
                 else can listen on the way"
                    .to_owned(),
            )),
            Some(other) => Err(DbError::Other(format!(
                "sslmode is \"{}\", which is neither disable nor verify-full",
                other.chars().take(20).collect::<String>()
            ))),
        }
    }

    fn verified(&self) -> Result<MakeRustlsConnect, DbError> {
        let mut roots = RootCertStore::empty();
        match &self.roots {
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Some(path) => {
                let wrong = |why: String| DbError::Other(format!("sslrootcert {}: {why}", path.display()));
                let certificates = CertificateDer::pem_file_iter(path).map_err(|e| wrong(e.to_string()))?;
                for certificate in certificates {
                    let certificate = certificate.map_err(|e| wrong(e.to_string()))?;
                    roots.add(certificate).map_err(|e| wrong(e.to_string()))?;
                }
                if roots.is_empty() {
                    return Err(wrong("has no certificate in it".to_owned()));
                }
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| DbError::Other(format!("TLS: {e}")))?;
        Ok(MakeRustlsConnect::new(config.with_root_certificates(roots).with_no_client_auth()))
    }
}

/// Whether every server named is on this machine.
fn is_here(config: &Config) -> bool {
    let named = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        Host::Unix(_) => true,
    });
    named && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback)
}

/// `%2F` and its like, in a path.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encrypted(url: &str) -> Result<bool, String> {
        let (plain, wish) = Wish::take_from(url);
        let config: Config = plain.parse().expect("a good URL");
        wish.settle(&config).map(|tls| tls.is_some()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_server_elsewhere_is_not_spoken_to_in_the_clear_by_default() {
        let refused = encrypted("postgres://shop@db.example/shop").expect_err("refused");
        assert!(refused.contains("sslmode=verify-full"), "{refused}");
        assert!(encrypted("postgres://shop@db.example/shop?sslmode=prefer").is_err());
        assert_eq!(encrypted("postgres://shop@db.example/shop?sslmode=disable"), Ok(false));
        assert_eq!(encrypted("postgres://shop@db.example/shop?sslmode=require"), Ok(true));
    }

    #[test]
    fn a_server_on_this_machine_needs_no_encryption() {
        assert_eq!(encrypted("postgres://shop@localhost/shop"), Ok(false));
        assert_eq!(encrypted("postgres://shop@127.0.0.1/shop"), Ok(false));
        assert_eq!(encrypted("postgres://shop@%2Frun%2Fpostgresql/shop"), Ok(false));
        assert!(encrypted("postgres://shop@localhost,db.example/shop").is_err());
    }

    #[test]
    fn what_the_driver_does_not_know_is_taken_out_of_the_url() {
        let (url, wish) = Wish::take_from(
            "postgres://h/d?sslmode=verify-full&connect_timeout=3&sslrootcert=%2Fetc%2Fca.pem",
        );
        assert_eq!(url, "postgres://h/d?connect_timeout=3");
        assert_eq!(wish, Wish { mode: Some("verify-full".into()), roots: Some("/etc/ca.pem".into()) });
    }

    #[test]
    fn a_missing_file_of_certificates_is_named() {
        let error = encrypted("postgres://h/d?sslmode=verify-full&sslrootcert=/nowhere.pem");
        assert!(error.expect_err("missing").contains("/nowhere.pem"));
    }
}
