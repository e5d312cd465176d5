//! A root on a disk, with things around it that nobody may reach.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use payload::{DirectoryTree, EntryKind, Layout, Limits, MemoryTree, Resolution, Root, Spec, resolve};
use rustix::fs::{CWD, FileType, Mode, mknodat};

/// `root/` is declared; `secret.txt` and `private/` stand beside it.
pub(crate) struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    pub(crate) fn new() -> Self {
        let disk = Self { folder: tempfile::tempdir().expect("a folder") };
        fs::create_dir(disk.root()).expect("made");
        fs::create_dir(disk.path("private")).expect("made");
        fs::write(disk.path("secret.txt"), "secret").expect("written");
        fs::write(disk.path("private/a.zip"), "private").expect("written");
        disk
    }

    /// Beside the root.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.path("root")
    }

    /// The root as specs call it.
    pub(crate) fn spelled(&self) -> String {
        self.root().to_str().expect("UTF-8").to_owned()
    }

    pub(crate) fn tree(&self) -> DirectoryTree {
        DirectoryTree::open(&self.root()).expect("a root")
    }

    /// Below the root, with its folders.
    pub(crate) fn file(&self, path: &str, content: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("below the root")).expect("made");
        fs::write(path, content).expect("written");
    }

    pub(crate) fn folder(&self, path: &str) {
        fs::create_dir_all(self.root().join(path)).expect("made");
    }

    pub(crate) fn link(&self, to: impl AsRef<Path>, path: &str) {
        symlink(to, self.root().join(path)).expect("linked");
    }

    pub(crate) fn pipe(&self, path: &str) {
        mknodat(CWD, self.root().join(path), FileType::Fifo, Mode::RWXU, 0).expect("made");
    }

    /// Where a spec leads that stands below the root by itself.
    pub(crate) fn below(&self, spec: &str) -> Resolution {
        self.resolve(spec, &Layout::by_attribute(&self.spelled(), None).expect("a base"))
    }

    pub(crate) fn resolve(&self, spec: &str, layout: &Layout) -> Resolution {
        let spec = Spec::parse(spec).unwrap_or_else(|error| panic!("{}", error.pointed(spec)));
        resolve_in(&self.spelled(), &self.tree(), &spec, layout)
    }
}

pub(crate) fn resolve_in(
    root: &str,
    tree: &dyn payload::FileTree,
    spec: &Spec,
    layout: &Layout,
) -> Resolution {
    resolve(spec, &[Root::new(root, tree).expect("a root")], layout, Limits::default())
}

pub(crate) fn names(found: &Resolution) -> Vec<String> {
    found.files.iter().map(|file| file.path.to_string()).collect()
}

/// The same tree on a disk and in memory. What has no place in it is left out of both.
pub(crate) fn both(entries: &[(Vec<String>, u8)]) -> (Disk, MemoryTree) {
    let (disk, mut tree) = (Disk::new(), MemoryTree::new());
    for (parts, kind) in entries {
        let path = parts.join("/");
        let on_disk = disk.root().join(&path);
        let parent = on_disk.parent().expect("below the root");
        let blocked = fs::create_dir_all(parent).is_err() || fs::symlink_metadata(&on_disk).is_ok();
        if blocked || parent.ancestors().any(Path::is_symlink) {
            continue;
        }
        let kind = match kind % 4 {
            0 => EntryKind::Folder,
            1 => EntryKind::Link,
            2 => EntryKind::Other,
            _ => EntryKind::File { bytes: 3 },
        };
        match kind {
            EntryKind::Folder => disk.folder(&path),
            EntryKind::Link => disk.link("../private", &path),
            EntryKind::Other => disk.pipe(&path),
            EntryKind::File { .. } => disk.file(&path, "abc"),
        }
        tree = tree.with_entry(&path, kind);
    }
    (disk, tree)
}
