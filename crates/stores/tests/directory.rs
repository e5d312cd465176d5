//! What a folder of blobs promises, asked of a real folder.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::fs::{File, Permissions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use kernel::{SeededEntropy, Span, SystemEntropy, Timestamp};
use stores::{
    BlobStore as _, CHECKED_AT_ONCE_MAX, CHECKED_ON_OPEN_MAX, Digests, DirectoryStore, Removal, Sha256,
    StoreError, Upload, put,
};

struct Folder {
    dir: tempfile::TempDir,
    store: DirectoryStore,
}

impl Folder {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = open(&dir.path().join("blobs"));
        Self { dir, store }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("blobs")
    }

    fn path_of(&self, sha256: &Sha256) -> PathBuf {
        self.path().join("sha256").join(format!("{:02x}", sha256.shelf())).join(sha256.to_string())
    }

    /// Another process's view: nothing is open in it yet.
    fn afresh(&self) -> DirectoryStore {
        open(&self.path())
    }

    fn uploads(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.path().join("tmp")).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    fn blobs(&self) -> usize {
        (0..=u8::MAX).map(|shelf| self.store.list(shelf).unwrap().len()).sum()
    }
}

fn open(path: &Path) -> DirectoryStore {
    DirectoryStore::open(path, Arc::new(SystemEntropy)).unwrap()
}

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

fn date(path: &Path, at: Timestamp) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_micros(at.as_micros().unsigned_abs());
    File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

fn flip_a_byte(path: &Path, at: usize) {
    let mut content = std::fs::read(path).unwrap();
    content[at] ^= 1;
    std::fs::write(path, content).unwrap();
}

const LONG_AGO: Timestamp = Timestamp::from_seconds(1_000_000_000);
const FAR_OFF: Timestamp = Timestamp::from_seconds(100_000_000_000);

#[test]
fn what_is_stored_can_be_read_whole_and_in_parts() {
    let folder = Folder::new();
    let mut upload = folder.store.begin().unwrap();
    upload.write(b"hello, ").unwrap();
    upload.write(b"world").unwrap();
    assert_eq!(upload.written(), 12);
    let digests = upload.finish().unwrap();

    let blob = folder.store.open(&digests.sha256, 12).unwrap();

    assert_eq!(&blob.all()[..], b"hello, world");
    assert_eq!(&blob.bytes(7..12).unwrap()[..], b"world");
    assert_eq!(blob.bytes(7..13), None);
    assert_eq!(blob.bytes(Range::backwards()), None);
    assert_eq!(folder.store.size(&digests.sha256).unwrap(), Some(12));
}

/// A range that clippy would not let one write down.
struct Range;

impl Range {
    fn backwards() -> std::ops::Range<u64> {
        std::ops::Range { start: 5, end: 1 }
    }
}

#[test]
fn the_digests_are_those_that_everyone_else_computes() {
    let digests = Digests::of(b"The quick brown fox jumps over the lazy dog");

    assert_eq!(
        digests.sha256.to_string(),
        "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592"
    );
    assert_eq!(digests.md5_hex(), "9e107d9d372bb6826bd81d3542a419d6");
    assert_eq!(digests.crc32, 0x414f_a339);
    assert_eq!(digests.size, 43);
}

#[test]
fn the_digests_do_not_depend_on_how_the_bytes_arrive() {
    let folder = Folder::new();
    let content: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
    let mut upload = folder.store.begin().unwrap();
    content.chunks(7919).for_each(|piece| upload.write(piece).unwrap());

    assert_eq!(upload.finish().unwrap(), Digests::of(&content));
}

#[test]
fn a_name_has_one_spelling() {
    let name = Sha256::of(b"x").to_string();

    assert_eq!(name.parse(), Ok(Sha256::of(b"x")));
    assert!(name.to_uppercase().parse::<Sha256>().is_err());
    assert!(name[..63].parse::<Sha256>().is_err());
    assert!("../../../../etc/passwd".parse::<Sha256>().is_err());
}

#[test]
fn an_empty_blob_is_a_blob() {
    let folder = Folder::new();
    let digests = put(&folder.store, b"").unwrap();

    let blob = folder.store.open(&digests.sha256, 0).unwrap();

    assert!(blob.is_empty());
    assert_eq!(blob.bytes(0..0).unwrap().len(), 0);
    assert_eq!(folder.store.check(&digests.sha256).unwrap(), digests);
}

#[test]
fn an_upload_that_is_given_up_leaves_nothing() {
    let folder = Folder::new();
    let mut upload = folder.store.begin().unwrap();
    upload.write(b"half a file").unwrap();
    assert_eq!(folder.uploads().len(), 1);

    drop(upload);

    assert_eq!(folder.uploads().len(), 0);
    assert_eq!(folder.blobs(), 0);
}

#[test]
fn an_upload_that_is_killed_leaves_no_blob_and_is_swept_after_its_lease() {
    let folder = Folder::new();
    kill_an_upload_into(&folder.path());
    let [left] = &folder.uploads()[..] else { panic!("the killed upload leaves its temporary file") };
    let written_at = Timestamp::from_seconds(2_000_000_000);
    date(left, written_at);
    let lease = Span::hours(1);

    assert_eq!(folder.blobs(), 0);
    assert_eq!(folder.store.sweep(written_at + Span::minutes(59), lease).unwrap(), 0);
    assert_eq!(folder.store.sweep(written_at + lease, lease).unwrap(), 1);
    assert_eq!(folder.uploads().len(), 0);
}

/// Runs this test program again, up to the middle of an upload, and kills it there.
fn kill_an_upload_into(path: &Path) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "an_upload_that_waits_to_be_killed", "--nocapture"])
        .env("BLOBS", path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(said.map_while(Result::ok).any(|line| line.contains("half written")));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
#[ignore = "runs as the victim of another test"]
fn an_upload_that_waits_to_be_killed() {
    let store = open(Path::new(&std::env::var_os("BLOBS").expect("the other test says where")));
    let mut upload = store.begin().unwrap();
    upload.write(b"half a file").unwrap();
    println!("half written");
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn an_upload_in_progress_is_not_swept_however_slow_it_is() {
    let folder = Folder::new();
    let mut upload = folder.store.begin().unwrap();
    upload.write(b"slowly").unwrap();

    assert_eq!(folder.afresh().sweep(FAR_OFF, Span::hours(1)).unwrap(), 0);

    upload.finish().unwrap();
    assert_eq!(folder.blobs(), 1);
}

#[test]
fn the_same_content_twice_at_once_is_one_blob() {
    let folder = Folder::new();
    let mut first = folder.store.begin().unwrap();
    let mut second = folder.afresh().begin().unwrap();
    first.write(b"the same").unwrap();
    second.write(b"the same").unwrap();

    let (first, second) = (first.finish().unwrap(), second.finish().unwrap());

    assert_eq!(first, second);
    assert_eq!(folder.blobs(), 1);
    assert_eq!(folder.uploads().len(), 0);
    assert_eq!(&folder.store.open(&first.sha256, 8).unwrap().all()[..], b"the same");
}

#[test]
fn an_open_blob_outlives_its_replacement_and_removal() {
    let folder = Folder::new();
    let digests = put(&folder.store, b"still read by a slow buyer").unwrap();
    let blob = folder.store.open(&digests.sha256, digests.size).unwrap();

    put(&folder.store, b"still read by a slow buyer").unwrap();
    assert_eq!(folder.store.remove(&digests.sha256, FAR_OFF).unwrap(), Removal::Removed);

    assert_eq!(&blob.all()[..], b"still read by a slow buyer");
    assert!(matches!(folder.store.open(&digests.sha256, digests.size), Err(StoreError::Missing(_))));
}

#[test]
fn a_blob_stored_again_is_young_again_and_stays() {
    let folder = Folder::new();
    let digests = put(&folder.store, b"orphan, then wanted again").unwrap();
    date(&folder.path_of(&digests.sha256), LONG_AGO);
    let seen = folder.store.list(digests.sha256.shelf()).unwrap();
    assert_eq!(seen[0].stored_at, LONG_AGO);
    let grace_ended = LONG_AGO + Span::days(2);

    put(&folder.store, b"orphan, then wanted again").unwrap();

    assert_eq!(folder.store.remove(&digests.sha256, grace_ended).unwrap(), Removal::Young);
    assert_eq!(folder.blobs(), 1);
}

#[test]
fn an_old_orphan_is_removed_once() {
    let folder = Folder::new();
    let digests = put(&folder.store, b"orphan").unwrap();
    date(&folder.path_of(&digests.sha256), LONG_AGO);

    assert_eq!(folder.store.remove(&digests.sha256, LONG_AGO).unwrap(), Removal::Young);
    assert_eq!(folder.store.remove(&digests.sha256, LONG_AGO + Span::days(2)).unwrap(), Removal::Removed);
    assert_eq!(folder.store.remove(&digests.sha256, LONG_AGO + Span::days(2)).unwrap(), Removal::Absent);
}

#[test]
fn a_changed_byte_in_a_small_blob_is_not_served() {
    let folder = Folder::new();
    let digests = put(&folder.store, b"license text").unwrap();
    flip_a_byte(&folder.path_of(&digests.sha256), 3);

    let opened = folder.afresh().open(&digests.sha256, digests.size);

    assert!(matches!(opened, Err(StoreError::Corrupted { .. })));
}

#[test]
fn a_changed_byte_in_a_blob_that_takes_a_while_to_read_is_not_served_and_nobody_is_kept_waiting() {
    let folder = Folder::new();
    let content = vec![7u8; usize::try_from(CHECKED_AT_ONCE_MAX).unwrap() + 1];
    let digests = put(&folder.store, &content).unwrap();
    let afresh = folder.afresh();
    assert!(afresh.at_hand(&digests.sha256, digests.size).unwrap().is_none());
    afresh.open(&digests.sha256, digests.size).unwrap();
    assert!(afresh.at_hand(&digests.sha256, digests.size).unwrap().is_some());

    flip_a_byte(&folder.path_of(&digests.sha256), content.len() - 1);

    let opened = folder.afresh().open(&digests.sha256, digests.size);
    assert!(matches!(opened, Err(StoreError::Corrupted { .. })));
}

#[test]
fn a_changed_byte_in_a_large_blob_is_found_by_the_check_and_mended_by_an_upload() {
    let folder = Folder::new();
    let content = vec![7u8; usize::try_from(CHECKED_ON_OPEN_MAX).unwrap() + 1];
    let digests = put(&folder.store, &content).unwrap();
    flip_a_byte(&folder.path_of(&digests.sha256), content.len() - 1);
    let found = folder.store.check(&digests.sha256);
    assert!(matches!(found, Err(StoreError::Corrupted { .. })));

    put(&folder.store, &content).unwrap();

    assert_eq!(folder.store.check(&digests.sha256).unwrap(), digests);
    assert_eq!(folder.store.open(&digests.sha256, digests.size).unwrap().all(), content);
}

#[test]
fn a_blob_cut_short_is_not_served() {
    let folder = Folder::new();
    let content = vec![7u8; usize::try_from(CHECKED_ON_OPEN_MAX).unwrap() + 1];
    let digests = put(&folder.store, &content).unwrap();
    File::options().write(true).open(folder.path_of(&digests.sha256)).unwrap().set_len(10).unwrap();

    let opened = folder.store.open(&digests.sha256, digests.size);

    assert!(matches!(opened, Err(StoreError::Corrupted { .. })));
}

#[test]
fn an_open_blob_is_refused_for_a_row_that_records_another_size() {
    let folder = Folder::new();
    let digests = put(&folder.store, b"twelve bytes").unwrap();
    folder.store.open(&digests.sha256, 12).unwrap();

    assert!(matches!(folder.store.open(&digests.sha256, 13), Err(StoreError::Corrupted { .. })));
}

#[test]
fn a_link_or_a_pipe_in_a_blobs_place_is_not_followed() {
    let folder = Folder::new();
    let secret = folder.dir.path().join("secret");
    std::fs::write(&secret, "secret").unwrap();
    let linked = Sha256::of(b"secret");
    symlink(&secret, folder.path_of(&linked)).unwrap();
    let piped = Sha256::of(b"pipe");
    assert!(Command::new("mkfifo").arg(folder.path_of(&piped)).status().unwrap().success());

    assert!(matches!(folder.store.open(&linked, 6), Err(StoreError::Corrupted { .. })));
    assert!(matches!(folder.store.open(&piped, 0), Err(StoreError::Corrupted { .. })));
    assert_eq!(folder.blobs(), 0);
}

#[test]
fn only_the_owner_may_read_what_is_stored() {
    let folder = Folder::new();
    let upload = folder.store.begin().unwrap();
    assert_eq!(mode(&folder.uploads()[0]), 0o600);
    drop(upload);
    let digests = put(&folder.store, b"paid for").unwrap();

    assert_eq!(mode(&folder.path_of(&digests.sha256)), 0o600);
    assert_eq!(mode(folder.path_of(&digests.sha256).parent().unwrap()), 0o700);
    assert_eq!(mode(&folder.path().join("tmp")), 0o700);
    assert_eq!(mode(&folder.path()), 0o700);
}

#[test]
fn a_folder_that_is_open_to_others_is_refused_with_the_remedy() {
    let folder = Folder::new();
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();

    let refused = DirectoryStore::open(&folder.path(), Arc::new(SystemEntropy)).unwrap_err();

    assert!(refused.to_string().contains("chmod 700"), "{refused}");
}

#[test]
fn a_shelf_that_is_a_link_is_refused() {
    let folder = Folder::new();
    let shelf = folder.path().join("sha256").join("ab");
    std::fs::remove_dir(&shelf).unwrap();
    symlink(folder.dir.path(), &shelf).unwrap();

    let refused = DirectoryStore::open(&folder.path(), Arc::new(SystemEntropy)).unwrap_err();

    assert!(matches!(refused, StoreError::Unfit { .. }));
}

#[test]
fn a_generator_that_repeats_itself_does_not_mix_two_uploads() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("blobs");
    let store = DirectoryStore::open(&path, Arc::new(SeededEntropy::new(1))).unwrap();
    let restarted = DirectoryStore::open(&path, Arc::new(SeededEntropy::new(1))).unwrap();
    let mut first = store.begin().unwrap();
    let mut second = restarted.begin().unwrap();

    first.write(b"one").unwrap();
    second.write(b"two").unwrap();

    assert_eq!(first.finish().unwrap().sha256, Sha256::of(b"one"));
    assert_eq!(second.finish().unwrap().sha256, Sha256::of(b"two"));
}

#[test]
fn a_shelf_lists_its_blobs_and_nothing_else() {
    let folder = Folder::new();
    let digests = put(&folder.store, b"listed").unwrap();
    std::fs::write(folder.path_of(&digests.sha256).with_file_name("notes.txt"), "stray").unwrap();

    let listed = folder.store.list(digests.sha256.shelf()).unwrap();

    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].sha256, listed[0].size), (digests.sha256, 6));
}

#[test]
fn free_space_is_told() {
    assert!(Folder::new().store.free_space().unwrap().is_some_and(|bytes| bytes > 0));
}

#[test]
fn a_store_serves_all_threads_at_once() {
    let folder = Folder::new();
    let digests = put(&folder.store, b"popular").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let blob = folder.store.open(&digests.sha256, digests.size).unwrap();
                assert_eq!(&blob.all()[..], b"popular");
            });
        }
    });
}

#[test]
fn an_upload_may_move_to_another_thread() {
    fn movable(upload: Box<dyn Upload>) -> Box<dyn Upload + Send> {
        upload
    }
    let folder = Folder::new();
    let upload = movable(folder.store.begin().unwrap());

    let digests = std::thread::spawn(move || upload.finish().unwrap()).join().unwrap();

    assert_eq!(digests.size, 0);
}
