//! A certificate and its key from PEM files.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::time::{MissedTickBehavior, interval};

use super::TlsError;

/// Renewal tools rename files into place; nothing is lost by noticing within a minute.
const CHECK_EVERY: Duration = Duration::from_secs(60);

/// A chain or key is a few KiB: what is larger is another file by mistake.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Anyone but the owner.
const OTHERS: u32 = 0o077;

#[derive(Debug)]
pub(super) struct Files {
    cert: PathBuf,
    key: PathBuf,
    current: RwLock<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    certified: Arc<CertifiedKey>,
    stamps: Stamps,
}

/// What tells a changed pair of files from the one that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamps {
    cert: Stamp,
    key: Stamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    modified: Option<SystemTime>,
}

impl Files {
    pub(super) fn open(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        let current = RwLock::new(load(cert, key)?);
        Ok(Self { cert: cert.to_owned(), key: key.to_owned(), current })
    }

    pub(super) fn reload(&self) -> Result<(), TlsError> {
        let loaded = load(&self.cert, &self.key)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(())
    }

    /// Looks every minute, for ever.
    pub(super) async fn watch(self: &Arc<Self>) {
        let mut ticks = interval(CHECK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let files = Arc::clone(self);
            match tokio::task::spawn_blocking(move || files.reload_if_changed()).await {
                Ok(Ok(Changed::No)) => {}
                Ok(Ok(Changed::Yes)) => tracing::info!(path = %self.cert.display(), "certificate read again"),
                // Often only half of the pair has been replaced so far: the next look tells.
                Ok(Err(error)) => tracing::error!(%error, "changed certificate not used; the old one stays"),
                Err(error) => tracing::error!(%error, "certificate could not be looked at"),
            }
        }
    }

    fn reload_if_changed(&self) -> Result<Changed, TlsError> {
        let read = self.current.read().unwrap_or_else(PoisonError::into_inner).stamps;
        let stamp = |path: &Path| fs::metadata(path).map(|found| Stamp::of(&found)).map_err(unreadable(path));
        if (Stamps { cert: stamp(&self.cert)?, key: stamp(&self.key)? }) == read {
            return Ok(Changed::No);
        }
        self.reload()?;
        Ok(Changed::Yes)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Changed {
    Yes,
    No,
}

impl ResolvesServerCert for Files {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).certified))
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self { inode: metadata.ino(), size: metadata.len(), modified: metadata.modified().ok() }
    }
}

fn load(cert: &Path, key: &Path) -> Result<Loaded, TlsError> {
    let (chain_pem, cert_found) = read(cert)?;
    let (key_pem, key_found) = read(key)?;
    refuse_public(key, &key_found)?;
    let unusable = |path: &Path, why: String| TlsError::Unusable { path: path.to_owned(), why };

    let chain = CertificateDer::pem_slice_iter(&chain_pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unusable(cert, error.to_string()))?;
    if chain.is_empty() {
        return Err(unusable(cert, "it holds no certificate in PEM form".to_owned()));
    }
    // What is wrong with a key is not repeated: the message might hold a part of it.
    let private = PrivateKeyDer::from_pem_slice(&key_pem)
        .map_err(|_| unusable(key, "it holds no private key in PEM form".to_owned()))?;
    let certified = CertifiedKey::from_der(chain, private, &ring::default_provider())
        .map_err(|error| unusable(key, format!("it does not go with {}: {error}", cert.display())))?;
    let stamps = Stamps { cert: Stamp::of(&cert_found), key: Stamp::of(&key_found) };
    Ok(Loaded { certified: Arc::new(certified), stamps })
}

fn read(path: &Path) -> Result<(Vec<u8>, Metadata), TlsError> {
    let attempt = || {
        let file = File::open(path)?;
        let found = file.metadata()?;
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
        Ok((bytes, found))
    };
    attempt().map_err(unreadable(path))
}

/// A key that others on this machine can read is theirs too.
pub(super) fn refuse_public(path: &Path, found: &Metadata) -> Result<(), TlsError> {
    let mode = found.permissions().mode() & 0o777;
    match mode & OTHERS {
        0 => Ok(()),
        _ => Err(TlsError::KeyIsPublic { path: path.to_owned(), mode }),
    }
}

pub(super) fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> TlsError + use<> {
    let path = path.to_owned();
    |why| TlsError::Unreadable { path, why }
}
