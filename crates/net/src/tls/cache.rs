//! Where ACME keys and certificates are kept: files of nobody but us, replaced whole.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use rustls_acme::{AccountCache, CertCache};
use sha2::{Digest, Sha256};

use super::TlsError;
use super::files::{refuse_public, unreadable};

/// A folder with mode 700.
#[derive(Debug, Clone)]
pub(super) struct PrivateFolder(PathBuf);

impl PrivateFolder {
    /// Makes the folder if there is none, and refuses one that others can look into.
    pub(super) fn open(path: &Path) -> Result<Self, TlsError> {
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unreadable(path))?;
        refuse_public(path, &fs::metadata(path).map_err(unreadable(path))?)?;
        Ok(Self::at(path))
    }

    /// The folder, opened before.
    pub(super) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    async fn load(&self, name: String) -> io::Result<Option<Vec<u8>>> {
        let path = self.0.join(name);
        blocking(move || match fs::read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    /// A torn account key would be tried for ever: so the new file is complete before it has the name.
    async fn store(&self, name: String, bytes: &[u8]) -> io::Result<()> {
        let (folder, bytes) = (self.0.clone(), bytes.to_owned());
        blocking(move || {
            let (new, kept) = (folder.join(format!("{name}.new")), folder.join(name));
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(new, kept)?;
            File::open(folder)?.sync_all()
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// One file per set of names and authority, so that a changed configuration asks anew.
fn name(kind: &str, of: &[String], directory_url: &str) -> String {
    let mut hash = Sha256::new();
    for part in of {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.update(directory_url.as_bytes());
    let hex: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{kind}-{hex}")
}

#[async_trait]
impl CertCache for PrivateFolder {
    type EC = io::Error;

    async fn load_cert(&self, domains: &[String], directory_url: &str) -> io::Result<Option<Vec<u8>>> {
        self.load(name("certificate", domains, directory_url)).await
    }

    async fn store_cert(&self, domains: &[String], directory_url: &str, cert: &[u8]) -> io::Result<()> {
        self.store(name("certificate", domains, directory_url), cert).await
    }
}

#[async_trait]
impl AccountCache for PrivateFolder {
    type EA = io::Error;

    async fn load_account(&self, contact: &[String], directory_url: &str) -> io::Result<Option<Vec<u8>>> {
        self.load(name("account", contact, directory_url)).await
    }

    async fn store_account(&self, contact: &[String], directory_url: &str, key: &[u8]) -> io::Result<()> {
        self.store(name("account", contact, directory_url), key).await
    }
}
