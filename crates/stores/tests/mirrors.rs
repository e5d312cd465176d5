//! Several stores as one: what a buyer gets when some of them are silent, empty or damaged.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use kernel::{Clock as _, ManualClock, Span, SystemEntropy, Timestamp, UploadId};
use stores::{
    Blob, BlobStore, Defect, Digests, DirectoryStore, Listed, Mirror, Mirrors, Preference, Progress, Removal,
    Resumable, Sha256, Step, StoreError, Upload, put, sync,
};

const NOON: Timestamp = Timestamp::from_seconds(1_800_000_000);
const FAR_OFF: Timestamp = Timestamp::from_seconds(100_000_000_000);

/// A folder of blobs that falls silent when it is told to.
struct Moody {
    folder: DirectoryStore,
    silent: AtomicBool,
    /// Whether its blobs have to be fetched.
    far: AtomicBool,
    asked: AtomicUsize,
}

impl Moody {
    fn ask(&self) -> Result<&DirectoryStore, StoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.silent.load(Ordering::SeqCst) {
            let (store, object) = ("moody".to_owned(), "all".to_owned());
            return Err(StoreError::Unanswered { store, object, why: "silence".to_owned() });
        }
        Ok(&self.folder)
    }
}

impl BlobStore for Moody {
    fn begin(&self) -> Result<Box<dyn Upload>, StoreError> {
        self.ask()?.begin()
    }
    fn resume(
        &self,
        id: UploadId,
        saved: u64,
        earlier: Option<Progress>,
    ) -> Result<Box<dyn Resumable>, StoreError> {
        self.ask()?.resume(id, saved, earlier)
    }
    fn discard(&self, id: UploadId) -> Result<(), StoreError> {
        self.ask()?.discard(id)
    }
    fn open(&self, sha256: &Sha256, size: u64) -> Result<Blob, StoreError> {
        self.ask()?.open(sha256, size)
    }
    fn size(&self, sha256: &Sha256) -> Result<Option<u64>, StoreError> {
        self.ask()?.size(sha256)
    }
    fn check(&self, sha256: &Sha256) -> Result<Digests, StoreError> {
        self.ask()?.check(sha256)
    }
    fn remove(&self, sha256: &Sha256, unused_since: Timestamp) -> Result<Removal, StoreError> {
        self.ask()?.remove(sha256, unused_since)
    }
    fn list(&self, shelf: u8) -> Result<Vec<Listed>, StoreError> {
        self.ask()?.list(shelf)
    }
    fn sweep(&self, now: Timestamp, lease: Span) -> Result<u64, StoreError> {
        self.ask()?.sweep(now, lease)
    }
    fn free_space(&self) -> Result<Option<u64>, StoreError> {
        self.ask()?.free_space()
    }
    fn at_hand(&self, sha256: &Sha256, size: u64) -> Result<Option<Blob>, StoreError> {
        if self.far.load(Ordering::SeqCst) {
            return Ok(None);
        }
        self.ask()?.at_hand(sha256, size)
    }
}

struct Shop {
    dir: tempfile::TempDir,
    stores: Vec<Arc<Moody>>,
    clock: ManualClock,
    mirrors: Mirrors,
}

impl Shop {
    fn new(weights: &[u32], preference: Preference) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(NOON);
        let store = |which: usize| {
            let folder =
                DirectoryStore::open(&dir.path().join(which.to_string()), Arc::new(SystemEntropy)).unwrap();
            Arc::new(Moody {
                folder,
                silent: AtomicBool::new(false),
                far: AtomicBool::new(false),
                asked: AtomicUsize::new(0),
            })
        };
        let stores: Vec<_> = (0..weights.len()).map(store).collect();
        let members = stores.iter().zip(weights).enumerate().map(|(which, (store, weight))| Mirror {
            name: which.to_string(),
            place: String::new(),
            store: store.clone(),
            weight: *weight,
        });
        let mirrors = Mirrors::new(members.collect(), preference, Arc::new(clock.clone())).unwrap();
        Self { dir, stores, clock, mirrors }
    }

    /// The same content in every store.
    fn everywhere(&self, content: &[u8]) -> Digests {
        let stored: Vec<_> = self.stores.iter().map(|store| put(&store.folder, content).unwrap()).collect();
        stored[0]
    }

    fn silence(&self, which: usize) {
        self.stores[which].silent.store(true, Ordering::SeqCst);
    }

    fn wake(&self, which: usize) {
        self.stores[which].silent.store(false, Ordering::SeqCst);
    }

    fn asked(&self) -> Vec<usize> {
        self.stores.iter().map(|store| store.asked.swap(0, Ordering::SeqCst)).collect()
    }

    fn file(&self, which: usize, sha256: &Sha256) -> PathBuf {
        let shelf = format!("sha256/{:02x}", sha256.shelf());
        self.dir.path().join(which.to_string()).join(shelf).join(sha256.to_string())
    }
}

#[test]
fn the_first_that_is_well_serves() {
    let shop = Shop::new(&[1, 1], Preference::InOrder);
    let digests = shop.everywhere(b"mirrored");

    assert_eq!(&shop.mirrors.open(&digests.sha256, 8).unwrap().all()[..], b"mirrored");

    assert_eq!(shop.asked(), [1, 0]);
}

#[test]
fn each_serves_as_often_as_its_weight_says() {
    let shop = Shop::new(&[3, 1], Preference::ByWeight);
    let digests = shop.everywhere(b"mirrored");
    (0..20).for_each(|_| drop(shop.mirrors.open(&digests.sha256, 8).unwrap()));

    assert_eq!(shop.asked(), [15, 5]);
}

#[test]
fn a_silent_mirror_is_left_out_for_a_while_and_tried_again() {
    let shop = Shop::new(&[1, 1], Preference::InOrder);
    let digests = shop.everywhere(b"mirrored");
    shop.silence(0);
    (0..10).for_each(|_| drop(shop.mirrors.open(&digests.sha256, 8).unwrap()));
    assert_eq!(shop.asked(), [1, 10]);
    let standings = shop.mirrors.standings();
    assert_eq!(standings[0].out_until, Some(NOON + Span::seconds(30)));
    assert!(standings[0].last_trouble.as_ref().is_some_and(|(_, why)| why.contains("silence")));

    shop.wake(0);
    shop.clock.advance(Span::seconds(30));
    (0..10).for_each(|_| drop(shop.mirrors.open(&digests.sha256, 8).unwrap()));

    assert_eq!(shop.asked(), [10, 0]);
    assert_eq!(shop.mirrors.standings()[0].out_until, None);
}

#[test]
fn what_only_a_mirror_that_was_left_out_has_is_asked_of_it_all_the_same() {
    let shop = Shop::new(&[1, 1], Preference::InOrder);
    let digests = put(&shop.stores[0].folder, b"only here").unwrap();
    shop.silence(0);
    assert!(shop.mirrors.open(&digests.sha256, 9).is_err());
    shop.wake(0);

    assert_eq!(&shop.mirrors.open(&digests.sha256, 9).unwrap().all()[..], b"only here");
}

#[test]
fn a_damaged_copy_gives_way_to_a_whole_one_and_its_store_stays_in() {
    let shop = Shop::new(&[1, 1], Preference::InOrder);
    let digests = shop.everywhere(b"license text");
    std::fs::write(shop.file(0, &digests.sha256), "License text").unwrap();

    assert_eq!(&shop.mirrors.open(&digests.sha256, 12).unwrap().all()[..], b"license text");
    assert_eq!(shop.mirrors.check(&digests.sha256).unwrap(), digests);

    let each = shop.mirrors.check_each(&digests.sha256);
    assert!(matches!(each[0], ("0", Err(StoreError::Corrupted { .. }))));
    assert!(matches!(each[1], ("1", Ok(_))));
    assert_eq!(shop.mirrors.standings()[0].out_until, None);
}

#[test]
fn a_blob_is_missing_only_when_every_mirror_says_so() {
    let shop = Shop::new(&[1, 1], Preference::InOrder);
    let absent = Sha256::of(b"absent");
    assert!(matches!(shop.mirrors.open(&absent, 6), Err(StoreError::Missing(_))));
    assert_eq!(shop.mirrors.size(&absent).unwrap(), None);

    shop.silence(1);

    assert!(matches!(shop.mirrors.open(&absent, 6), Err(StoreError::Unanswered { .. })));
    assert!(matches!(shop.mirrors.size(&absent), Err(StoreError::Unanswered { .. })));
    assert!(matches!(shop.mirrors.list(absent.shelf()), Err(StoreError::Unanswered { .. })));
}

#[test]
fn uploads_go_home_and_the_sync_takes_them_further() {
    let shop = Shop::new(&[1, 1], Preference::InOrder);
    let digests = put(&shop.mirrors, b"new file").unwrap();
    let [home, copy] = [&shop.stores[0].folder, &shop.stores[1].folder];
    assert_eq!([home, copy].map(|store| store.size(&digests.sha256).unwrap()), [Some(8), None]);
    let mut steps = Vec::new();

    let synced = sync(home, copy, digests.sha256.shelf(), &mut |step| steps.push(step)).unwrap();

    assert_eq!((synced.copied, synced.bytes, synced.had, synced.failed.len()), (1, 8, 0, 0));
    assert!(matches!(steps[..], [Step::Copying(_), Step::Copied(_)]));
    assert_eq!(copy.check(&digests.sha256).unwrap(), digests);
    let again = sync(home, copy, digests.sha256.shelf(), &mut |_| {}).unwrap();
    assert_eq!((again.copied, again.had), (0, 1));
}

#[test]
fn damage_is_not_copied() {
    let shop = Shop::new(&[1, 1], Preference::InOrder);
    let content = vec![7u8; usize::try_from(stores::CHECKED_ON_OPEN_MAX).unwrap() + 1];
    let digests = put(&shop.mirrors, &content).unwrap();
    let mut damaged = content;
    damaged[1000] ^= 1;
    std::fs::write(shop.file(0, &digests.sha256), damaged).unwrap();
    let copy = &shop.stores[1].folder;

    let synced = sync(&shop.stores[0].folder, copy, digests.sha256.shelf(), &mut |_| {}).unwrap();

    assert!(matches!(synced.failed[..], [(_, StoreError::Corrupted { .. })]));
    assert_eq!((0..=u8::MAX).map(|shelf| copy.list(shelf).unwrap().len()).sum::<usize>(), 0);
}

#[test]
fn what_is_young_at_home_stays_everywhere_and_what_is_old_goes_everywhere() {
    let shop = Shop::new(&[1, 1], Preference::InOrder);
    let digests = shop.everywhere(b"orphan");
    let listed = shop.mirrors.list(digests.sha256.shelf()).unwrap();
    assert_eq!(listed.len(), 1);
    assert!(listed[0].stored_at < FAR_OFF && shop.clock.now() == NOON);

    assert_eq!(shop.mirrors.remove(&digests.sha256, Timestamp::from_seconds(0)).unwrap(), Removal::Young);
    assert_eq!(shop.mirrors.size(&digests.sha256).unwrap(), Some(6));
    assert_eq!(shop.mirrors.remove(&digests.sha256, FAR_OFF).unwrap(), Removal::Removed);

    assert_eq!(shop.mirrors.list(digests.sha256.shelf()).unwrap(), []);
    assert_eq!(shop.mirrors.remove(&digests.sha256, FAR_OFF).unwrap(), Removal::Absent);
}

#[test]
fn two_stores_of_one_name_are_refused() {
    let shop = Shop::new(&[1], Preference::InOrder);
    let member =
        Mirror { name: "attic".to_owned(), place: String::new(), store: shop.stores[0].clone(), weight: 1 };
    let twice = vec![member.clone(), member];

    let refused =
        Mirrors::new(twice, Preference::InOrder, Arc::new(shop.clock.clone())).map(drop).unwrap_err();

    assert!(refused.to_string().contains("attic"), "{refused}");
    assert!(Mirrors::new(Vec::new(), Preference::InOrder, Arc::new(shop.clock.clone())).is_err());
}

#[test]
fn what_is_at_hand_in_any_store_is_preferred_to_what_would_have_to_be_fetched() {
    let shop = Shop::new(&[1, 1], Preference::InOrder);
    let digests = shop.everywhere(b"sold");
    shop.stores[0].far.store(true, Ordering::SeqCst);

    let found = shop.mirrors.at_hand(&digests.sha256, digests.size).unwrap();
    assert_eq!(found.unwrap().all(), b"sold"[..]);

    shop.stores[1].far.store(true, Ordering::SeqCst);
    assert!(shop.mirrors.at_hand(&digests.sha256, digests.size).unwrap().is_none());
}

#[test]
fn what_nobody_has_is_missing_at_once_unless_somebody_far_may_have_it() {
    let shop = Shop::new(&[1, 1], Preference::InOrder);
    let unknown = Sha256::of(b"never stored");

    assert!(matches!(shop.mirrors.at_hand(&unknown, 12), Err(StoreError::Missing(_))));
    shop.stores[1].far.store(true, Ordering::SeqCst);
    assert!(shop.mirrors.at_hand(&unknown, 12).unwrap().is_none());
}

#[test]
fn what_reading_finds_is_told_once_by_store_and_blob() {
    let shop = Shop::new(&[1, 1, 1], Preference::InOrder);
    let digests = shop.everywhere(b"sold");
    std::fs::write(shop.file(0, &digests.sha256), b"dlos").unwrap();
    std::fs::remove_file(shop.file(1, &digests.sha256)).unwrap();

    assert_eq!(shop.mirrors.open(&digests.sha256, digests.size).unwrap().all(), b"sold"[..]);
    shop.mirrors.open(&digests.sha256, digests.size).unwrap();

    let told: Vec<_> = shop
        .mirrors
        .take_troubles()
        .into_iter()
        .map(|found| (found.store, found.sha256, found.defect))
        .collect();
    let expected = |store: &str, defect| (store.to_owned(), digests.sha256, defect);
    assert_eq!(told, [expected("0", Defect::Damaged), expected("1", Defect::Missing)]);
    assert!(shop.mirrors.take_troubles().is_empty());
}

#[test]
fn a_damaged_copy_is_mended_from_a_store_that_has_it_whole_and_from_no_other() {
    let shop = Shop::new(&[1, 1, 1], Preference::InOrder);
    let digests = shop.everywhere(b"sold");
    std::fs::write(shop.file(0, &digests.sha256), b"dlos").unwrap();
    std::fs::write(shop.file(1, &digests.sha256), b"lost").unwrap();

    shop.mirrors.mend("0", &digests.sha256, digests.size).unwrap();
    assert_eq!(shop.stores[0].folder.check(&digests.sha256).unwrap(), digests);

    let lost = put(&shop.stores[1].folder, b"sold once").unwrap();
    std::fs::write(shop.file(1, &lost.sha256), b"sold ones").unwrap();
    let refused = shop.mirrors.mend("0", &lost.sha256, lost.size).unwrap_err();
    assert!(matches!(refused, StoreError::Corrupted { .. }), "{refused}");
    assert_eq!(shop.stores[0].folder.size(&lost.sha256).unwrap(), None);
}

#[test]
fn a_probe_leaves_out_who_is_silent_and_takes_back_who_answers() {
    let shop = Shop::new(&[1, 1], Preference::InOrder);
    let digests = shop.everywhere(b"sold");
    shop.silence(0);

    let answers: Vec<bool> = shop.mirrors.probe().iter().map(Result::is_ok).collect();
    assert_eq!(answers, [false, true]);
    shop.asked();
    shop.mirrors.open(&digests.sha256, digests.size).unwrap();
    assert_eq!(shop.asked(), [0, 1]);

    shop.wake(0);
    shop.mirrors.probe();
    shop.asked();
    shop.mirrors.open(&digests.sha256, digests.size).unwrap();
    assert_eq!(shop.asked(), [1, 0]);
}
