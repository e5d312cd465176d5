//! Uploads that are left and taken up again, by the same process or another.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kernel::{Span, SystemEntropy, Timestamp, UploadId};
use stores::{BlobStore as _, Digests, DirectoryStore, RESUMABLE_LEASE, StoreError};

const ID: UploadId = UploadId::from_bits(7);

struct Folder {
    _dir: tempfile::TempDir,
    root: PathBuf,
}

impl Folder {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { root: dir.path().join("blobs"), _dir: dir }
    }

    /// What another process sees: it remembers nothing.
    fn store(&self) -> DirectoryStore {
        DirectoryStore::open(&self.root, Arc::new(SystemEntropy)).unwrap()
    }

    fn uploads(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.root.join("tmp")).unwrap().map(|entry| entry.unwrap().path()).collect()
    }
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at * at % 251).unwrap()).collect()
}

fn date(path: &Path, at: Timestamp) {
    let seconds = u64::try_from(at.as_micros() / 1_000_000).unwrap();
    let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
    std::fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

#[test]
fn an_upload_is_gone_on_with_where_it_was_saved() {
    let (folder, whole) = (Folder::new(), bytes(300_000));
    let mut first = folder.store().resume(ID, 0, None).unwrap();
    first.write(&whole[..100_000]).unwrap();
    let saved = first.save().unwrap();
    first.write(b"what nobody was told of").unwrap();
    drop(first);

    let mut second = folder.store().resume(ID, saved, None).unwrap();
    assert_eq!((saved, second.received()), (100_000, 100_000));
    second.write(&whole[100_000..]).unwrap();
    let digests = second.finish().unwrap();

    assert_eq!(digests, Digests::of(&whole));
    assert_eq!(folder.store().open(&digests.sha256, digests.size).unwrap().all(), whole);
    assert_eq!(folder.uploads(), Vec::<PathBuf>::new());
}

#[test]
fn what_was_hashed_before_a_pause_is_not_read_again() {
    let (folder, whole) = (Folder::new(), bytes(10_000));
    let store = folder.store();
    let mut first = store.resume(ID, 0, None).unwrap();
    first.write(&whole[..6_000]).unwrap();
    let saved = first.save().unwrap();
    let progress = first.pause();
    // Were the file read, the digests would be those of what stands in it now.
    std::fs::write(&folder.uploads()[0], vec![0; 6_000]).unwrap();

    let mut second = store.resume(ID, saved, Some(progress)).unwrap();
    second.write(&whole[6_000..]).unwrap();

    assert_eq!(second.digest().unwrap(), Digests::of(&whole));
    assert_eq!(second.digest().unwrap(), Digests::of(&whole), "as often as it is asked for");
}

#[test]
fn progress_of_another_length_is_not_believed() {
    let (folder, whole) = (Folder::new(), bytes(10_000));
    let store = folder.store();
    let mut first = store.resume(ID, 0, None).unwrap();
    first.write(&whole[..6_000]).unwrap();
    first.save().unwrap();
    let progress = first.pause();

    let mut second = store.resume(ID, 5_000, Some(progress)).unwrap();
    second.write(&whole[5_000..]).unwrap();

    assert_eq!(second.finish().unwrap(), Digests::of(&whole));
}

#[test]
fn two_do_not_write_to_one_upload() {
    let folder = Folder::new();
    let held = folder.store().resume(ID, 0, None).unwrap();

    assert!(matches!(folder.store().resume(ID, 0, None), Err(StoreError::Busy)));
    drop(held);
    assert!(folder.store().resume(ID, 0, None).is_ok());
}

#[test]
fn an_upload_that_is_gone_begins_anew() {
    let folder = Folder::new();
    let mut upload = folder.store().resume(ID, 0, None).unwrap();
    upload.write(b"some").unwrap();
    upload.save().unwrap();
    drop(upload);

    folder.store().discard(ID).unwrap();
    folder.store().discard(ID).unwrap();

    let again = folder.store().resume(ID, 4, None).unwrap();
    assert_eq!(again.received(), 0);
    assert_eq!(folder.uploads().len(), 1);
}

#[test]
fn a_sweep_leaves_an_upload_that_may_be_gone_on_with() {
    let folder = Folder::new();
    let store = folder.store();
    drop(store.resume(ID, 0, None).unwrap());
    let (made, lease) = (Timestamp::from_seconds(1_800_000_000), Span::hours(6));
    date(&folder.uploads()[0], made);

    let early = store.sweep(made + Span::days(8), lease).unwrap();
    let late = store.sweep(made + RESUMABLE_LEASE, lease).unwrap();

    assert_eq!((early, late), (0, 1));
    assert_eq!(folder.uploads(), Vec::<PathBuf>::new());
}

#[test]
fn nothing_is_a_content_too() {
    let folder = Folder::new();
    let digests = folder.store().resume(ID, 0, None).unwrap().finish().unwrap();
    assert_eq!(digests, Digests::of(b""));
}
