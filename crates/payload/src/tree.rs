//! What the resolver asks of a file system.

use std::collections::BTreeMap;

/// A folder or file below a root: names only, so that it leads nowhere else.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(Vec<String>);

impl TreePath {
    /// The root itself.
    pub const fn top() -> Self {
        Self(Vec::new())
    }

    /// The entry with this name in this folder.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        let mut parts = self.0.clone();
        parts.push(name.to_owned());
        Self(parts)
    }

    /// The names, from the root on.
    pub fn parts(&self) -> &[String] {
        &self.0
    }

    /// The last name; nothing for the root.
    pub fn name(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }
}

impl std::fmt::Display for TreePath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

impl serde::Serialize for TreePath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What stands in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name; one that is not Unicode comes with replacement characters and as `Other`.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
}

/// What an entry is. Links are not followed, so they are a kind of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A regular file of so many bytes.
    File {
        /// How many.
        bytes: u64,
    },
    /// A folder.
    Folder,
    /// A symbolic link, wherever it leads.
    Link,
    /// A device, pipe, socket, or a name that is not Unicode.
    Other,
}

/// Why a folder cannot be listed, or a file not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// There is none.
    #[error("there is no \"{0}\"")]
    Missing(TreePath),
    /// A file, or a link that is not followed, where a folder should be.
    #[error("\"{0}\" leads through something that is no folder; links are not followed")]
    NotAFolder(TreePath),
    /// A folder, a link, a device or a pipe where a file should be.
    #[error("\"{0}\" is not a file")]
    NotAFile(TreePath),
    /// It has more entries than were allowed.
    #[error("the folder \"{folder}\" has more than {most} entries")]
    TooMany {
        /// Which.
        folder: TreePath,
        /// How many were allowed.
        most: usize,
    },
    /// The system said no.
    #[error("\"{path}\" cannot be read: {why}")]
    Unreadable {
        /// What.
        path: TreePath,
        /// What the system said.
        why: String,
    },
}

/// The files below one root that the operator declared. An implementation opens every folder
/// through the root's own handle and follows no link.
pub trait FileTree {
    /// What stands in the folder, in any order.
    ///
    /// # Errors
    /// [`TreeError`]; one with more than `most` entries is not read to its end.
    fn list(&self, folder: &TreePath, most: usize) -> Result<Vec<Entry>, TreeError>;
}

/// A tree that stands nowhere, for tests and previews.
#[derive(Debug, Clone, Default)]
pub struct MemoryTree {
    folders: BTreeMap<TreePath, Vec<Entry>>,
}

impl MemoryTree {
    /// An empty root.
    pub fn new() -> Self {
        Self { folders: BTreeMap::from([(TreePath::top(), Vec::new())]) }
    }

    /// The same with a file; its folders are made.
    #[must_use]
    pub fn with(self, path: &str, bytes: u64) -> Self {
        self.with_entry(path, EntryKind::File { bytes })
    }

    /// The same with any entry; its folders are made.
    #[must_use]
    pub fn with_entry(mut self, path: &str, kind: EntryKind) -> Self {
        let mut folder = TreePath::top();
        let mut parts = path.split('/').peekable();
        while let Some(name) = parts.next() {
            let kind = if parts.peek().is_some() { EntryKind::Folder } else { kind };
            let entries = self.folders.entry(folder.clone()).or_default();
            if !entries.iter().any(|entry| entry.name == name) {
                entries.push(Entry { name: name.to_owned(), kind });
            }
            folder = folder.join(name);
            if kind == EntryKind::Folder {
                self.folders.entry(folder.clone()).or_default();
            }
        }
        self
    }
}

impl FileTree for MemoryTree {
    fn list(&self, folder: &TreePath, most: usize) -> Result<Vec<Entry>, TreeError> {
        let entries = self.folders.get(folder).ok_or_else(|| TreeError::Missing(folder.clone()))?;
        if entries.len() > most {
            return Err(TreeError::TooMany { folder: folder.clone(), most });
        }
        Ok(entries.clone())
    }
}
