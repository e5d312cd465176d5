//! The operator's roots, and taking their files into the blob store.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use payload::{DirectoryTree, Limits, Placement, Resolution, Root, Spec, TreeError, resolve};
use stores::{BlobStore, StoreError};

use super::Terms;
use crate::products::flow::StoredFile;

/// A folder that the operator declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRoot {
    /// As specs call it: `/srv/goods` or `\\ServerA\goods`.
    pub name: String,
    /// Where it is on this machine.
    pub folder: PathBuf,
}

/// The roots, opened for one resolution.
#[derive(Debug)]
pub struct Opened(Vec<(String, DirectoryTree)>);

/// Why a payload cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A root that is not there.
    #[error("the root {name} ({folder}) cannot be opened: {why}; mount it, or change file_roots in the configuration", folder = folder.display())]
    Root {
        /// As specs call it.
        name: String,
        /// Where it should be.
        folder: PathBuf,
        /// What the system said.
        why: std::io::Error,
    },
    /// A declaration or a base directory that cannot be.
    #[error("{0}")]
    Declared(String),
    /// A file that is gone, or cannot be read.
    #[error("{path}: {why}")]
    File {
        /// As specs write it.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// It grew or shrank while it was read.
    #[error("{0} changed while it was read; it is tried again")]
    Changed(String),
    /// The blob store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Opened {
    /// Opens every root.
    ///
    /// # Errors
    /// When one is not there: what a spec means cannot be told without it.
    pub fn open(roots: &[FileRoot]) -> Result<Self, SourceError> {
        let open = |root: &FileRoot| {
            let failed =
                |why| SourceError::Root { name: root.name.clone(), folder: root.folder.clone(), why };
            Ok((root.name.clone(), DirectoryTree::open(&root.folder).map_err(failed)?))
        };
        Ok(Self(roots.iter().map(open).collect::<Result<_, SourceError>>()?))
    }

    /// What a spec means now, for who chose `attribute`.
    ///
    /// # Errors
    /// When roots or base directory are declared wrongly.
    pub fn resolve(
        &self,
        spec: &Spec,
        terms: &Terms,
        attribute: Option<&str>,
    ) -> Result<Resolution, SourceError> {
        let choice = attribute.and_then(|sent| terms.choose(sent));
        let layout = terms.layout(choice).map_err(SourceError::Declared)?;
        let root = |(name, tree): &'_ (String, DirectoryTree)| {
            Root::new(name, tree)
                .map_err(|error| SourceError::Declared(format!("the root {name}: {error}")))
                .map(|_| ())
        };
        self.0.iter().try_for_each(root)?;
        let roots: Vec<Root<'_>> =
            self.0.iter().filter_map(|(name, tree)| Root::new(name, tree).ok()).collect();
        Ok(resolve(spec, &roots, &layout, Limits::default()))
    }

    /// Where a file is, as specs write it.
    pub fn path(&self, at: &Placement) -> String {
        let root = self.0.get(at.root).map_or("", |(name, _)| name).trim_end_matches(['/', '\\']);
        format!("{root}/{}", at.path)
    }

    /// Takes a file into the blob store. One that was taken before and has not been touched since
    /// is not read again.
    ///
    /// # Errors
    /// When it is gone, changes while it is read, or the store has no room.
    pub fn take(
        &self,
        at: &Placement,
        blobs: &dyn BlobStore,
        known: &Remembered,
    ) -> Result<StoredFile, SourceError> {
        let failed = |why: String| SourceError::File { path: self.path(at), why };
        let (_, tree) = self.0.get(at.root).ok_or_else(|| failed("its root is gone".to_owned()))?;
        let (file, _) = tree.read(&at.path).map_err(|error: TreeError| failed(error.to_string()))?;
        let seen = Look::at(&file).map_err(|error| failed(error.to_string()))?;
        if let Some(stored) = known.find(&seen, blobs) {
            return Ok(StoredFile { name: at.path.name().to_owned(), ..stored });
        }
        let mut upload = blobs.begin()?;
        let mut reader = &file;
        let mut piece = vec![0; 1 << 20];
        loop {
            let count = reader.read(&mut piece).map_err(|error| failed(error.to_string()))?;
            match piece.get(..count) {
                Some([]) | None => break,
                Some(bytes) => upload.write(bytes)?,
            }
        }
        let after = Look::at(&file).map_err(|error| failed(error.to_string()))?;
        if after != seen || upload.written() != seen.size {
            return Err(SourceError::Changed(self.path(at)));
        }
        let digests = upload.finish()?;
        let stored = StoredFile {
            name: at.path.name().to_owned(),
            sha256: digests.sha256.to_string(),
            size: digests.size,
            crc32: digests.crc32,
            md5: digests.md5_hex(),
        };
        known.keep(seen, &stored);
        Ok(stored)
    }
}

/// What tells one state of a file from another without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Look {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    /// Set by the system alone: a file whose time was set back is noticed by it.
    changed: (i64, i64),
}

impl Look {
    fn at(file: &File) -> std::io::Result<Self> {
        let seen = file.metadata()?;
        Ok(Self {
            device: seen.dev(),
            inode: seen.ino(),
            size: seen.size(),
            modified: (seen.mtime(), seen.mtime_nsec()),
            changed: (seen.ctime(), seen.ctime_nsec()),
        })
    }
}

/// So many states of files are remembered; beyond that all are forgotten, and read again.
const REMEMBERED_MAX: usize = 10_000;

/// Files that were taken, by how they looked: a product's files are read once, not for every order.
#[derive(Debug, Default)]
pub struct Remembered(Mutex<HashMap<Look, StoredFile>>);

impl Remembered {
    fn find(&self, look: &Look, blobs: &dyn BlobStore) -> Option<StoredFile> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(look).cloned()?;
        // The cleaner may have removed it meanwhile.
        let there = blobs.size(&known.sha256.parse().ok()?).ok().flatten();
        (there == Some(known.size)).then_some(known)
    }

    fn keep(&self, look: Look, stored: &StoredFile) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert(look, stored.clone());
    }
}
