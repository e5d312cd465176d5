//! Contents in several stores: what a buyer gets when one lacks them, and who is told.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use app::fulfillment::Grant;
use app::installation::Quarantine;
use app::storage::check::{Remedy, Report, run};
use app::storage::{Depth, jobs};
use axum::body::Body;
use db::Engine;
use http::{Request, StatusCode};
use kernel::{Span, Timestamp, UploadId};
use stores::{
    Blob, BlobStore, Digests, DirectoryStore, Listed, Mirror, Mirrors, Preference, Progress, Removal,
    Resumable, Sha256, StoreError, Upload,
};

use crate::support::goods::content;
use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    a_damaged_file_is_taken_from_another_store_put_right_and_told_for_three_days,
    a_file_that_a_mirror_lacks_is_copied_there_and_no_alarm,
    a_file_that_no_store_has_is_refused_before_the_first_byte_and_told_to_its_seller_alone,
    a_store_that_does_not_answer_is_an_alarm_after_five_minutes_until_it_does,
    a_check_finds_what_each_store_lacks_and_a_sync_puts_it_there,
    damage_behind_the_right_size_is_found_by_reading_and_forgotten_by_no_smaller_look,
    a_sync_that_is_only_planned_changes_nothing,
    mirrors_follow_by_themselves_and_an_idle_shop_writes_little,
    a_full_store_is_told_and_what_was_copied_stays,
    a_quarantined_shop_puts_nothing_right,
    a_store_that_is_not_configured_any_more_is_forgotten,
}

/// A shop with a home and a mirror. The mirror falls silent when it is told to.
struct World {
    t: TestApp,
    mirror: Arc<Moody>,
    folder: PathBuf,
}

impl testkit::ForEngine for World {
    fn for_engine(engine: Engine) -> Self {
        let (mut mirror, mut folder) = (None, PathBuf::new());
        let t = TestApp::with_stores(engine, |room, _| {
            folder.clone_from(&room.folder);
            let second =
                DirectoryStore::open(&folder.join("second"), room.entropy.clone()).expect("a folder");
            let second = Arc::new(Moody { folder: second, silent: AtomicBool::new(false) });
            mirror = Some(second.clone());
            let member = |name: &str, store: Arc<dyn BlobStore>| Mirror {
                name: name.to_owned(),
                place: "a folder".to_owned(),
                store,
                weight: 1,
            };
            let members = vec![member("home", room.disk.clone()), member("second", second)];
            Mirrors::new(members, Preference::InOrder, room.clock.clone()).expect("two names")
        });
        Self { t, mirror: mirror.expect("it was made"), folder }
    }
}

struct Moody {
    folder: DirectoryStore,
    silent: AtomicBool,
}

impl Moody {
    fn ask(&self) -> Result<&DirectoryStore, StoreError> {
        if self.silent.load(Ordering::SeqCst) {
            let (store, object) = ("second".to_owned(), "all".to_owned());
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
        from: u64,
        progress: Option<Progress>,
    ) -> Result<Box<dyn Resumable>, StoreError> {
        self.ask()?.resume(id, from, progress)
    }
    fn discard(&self, id: UploadId) -> Result<(), StoreError> {
        self.ask()?.discard(id)
    }
    fn open(&self, sha256: &Sha256, size: u64) -> Result<Blob, StoreError> {
        self.ask()?.open(sha256, size)
    }
    fn at_hand(&self, sha256: &Sha256, size: u64) -> Result<Option<Blob>, StoreError> {
        self.ask()?.at_hand(sha256, size)
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
}

const SIZE: usize = 5_000;

impl World {
    /// A paid order of one file, which lies in both stores.
    fn sold(&self) -> Grant {
        let font =
            self.t.product(NewGood { files: vec![("font.zip".to_owned(), goods())], ..NewGood::of("FONT") });
        let order = self.t.order(&[(&font, 1)]);
        self.t.pay(&order);
        // Stored, and not opened: what is open already is not looked at again.
        stores::put(&self.mirror.folder, &goods()).expect("a copy");
        self.t.grant(&order)
    }

    fn sync(&self, remedy: Remedy) -> Vec<Report> {
        run(&self.t.app, Depth::Presence, remedy, &mut |_, _| {}).expect("it goes through")
    }

    fn check(&self, depth: Depth) -> Vec<Report> {
        run(&self.t.app, depth, Remedy::None, &mut |_, _| {}).expect("it goes through")
    }

    /// Where a store keeps a file.
    fn file(&self, store: &str) -> PathBuf {
        let sha256 = Sha256::of(&goods()).to_string();
        let folder = if store == "home" { "blobs" } else { store };
        self.folder.join(folder).join("sha256").join(&sha256[..2]).join(sha256)
    }

    fn damage(&self, store: &str) {
        let mut bytes = goods();
        bytes[17] ^= 1;
        std::fs::write(self.file(store), bytes).expect("a damaged file");
    }

    fn lose(&self, store: &str) {
        std::fs::remove_file(self.file(store)).expect("a lost file");
    }

    fn turn(&self) {
        self.t.tick();
        self.t.block_on(jobs::turn(&self.t.app)).expect("a turn");
    }

    fn download(&self, grant: &Grant) -> crate::support::Reply {
        let version = self.t.files(grant)[0].version;
        let path = format!("/d/{}/files/{version}", self.t.link(grant));
        let started = self.t.request(Request::post(path).body(Body::empty()).expect("a request"));
        let got = self.t.get(started.location());
        self.t.watch_transfers();
        got
    }
}

fn goods() -> Vec<u8> {
    content("font.zip", SIZE)
}

const LACKING: &str = "1 file is missing or damaged in a store";
const AWAY: &str = "1 store of contents does not answer";

fn a_damaged_file_is_taken_from_another_store_put_right_and_told_for_three_days(w: World) {
    let (_, owner) = w.t.owner();
    let grant = w.sold();
    w.damage("home");

    let got = w.download(&grant);
    assert_eq!(got.status, StatusCode::OK);
    assert!(got.body == goods());
    w.turn();

    assert!(std::fs::read(w.file("home")).expect("it is there") == goods(), "it was put right");
    let told = owner.get("/admin").text();
    assert!(told.contains(LACKING) && told.contains("font.zip") && told.contains("home: damaged"), "{told}");
    let page = owner.get("/admin/stores").text();
    assert!(page.contains("Put right") && page.contains("font.zip") && page.contains("second"), "{page}");
    w.t.advance(Span::days(3));
    w.turn();
    assert!(!owner.get("/admin").text().contains(LACKING));
    assert_eq!(w.t.count("SELECT count(*) AS n FROM store_troubles"), 0);
}

fn a_file_that_a_mirror_lacks_is_copied_there_and_no_alarm(w: World) {
    let (_, owner) = w.t.owner();
    let grant = w.sold();
    w.lose("home");

    let got = w.download(&grant);
    w.turn();

    assert!(got.body == goods());
    assert!(std::fs::read(w.file("home")).expect("it is there") == goods());
    assert!(!owner.get("/admin").text().contains(LACKING));
}

fn a_file_that_no_store_has_is_refused_before_the_first_byte_and_told_to_its_seller_alone(w: World) {
    let (_, owner) = w.t.owner();
    w.t.leaves_violation("I12");
    let grant = w.sold();
    w.lose("home");
    w.damage("second");

    let got = w.download(&grant);
    assert_eq!(got.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(got.text().contains("the seller has been told"), "{}", got.text());
    w.turn();

    let told = owner.get("/admin").text();
    assert!(told.contains("2 files are missing or damaged in a store"), "{told}");
    let other = w.t.second_shop();
    let lacking = w.t.read(move |snapshot| {
        Ok(app::storage::store::lacking(snapshot, other.merchant.id, Timestamp::from_seconds(0), 10)?)
    });
    assert!(lacking.is_empty(), "{lacking:?}");
    // Uploading it again mends home; the mirror follows.
    w.t.store("font.zip", &goods());
    w.t.advance(Span::minutes(10));
    w.turn();
    assert!(w.download(&grant).body == goods());
    assert!(std::fs::read(w.file("second")).expect("it is there") == goods());
}

fn a_store_that_does_not_answer_is_an_alarm_after_five_minutes_until_it_does(w: World) {
    let (_, owner) = w.t.owner();
    let grant = w.sold();
    w.mirror.silent.store(true, Ordering::SeqCst);
    w.turn();
    assert!(!owner.get("/admin").text().contains(AWAY), "it may have been restarted");

    w.t.advance(Span::minutes(5));
    w.turn();
    let told = owner.get("/admin").text();
    assert!(told.contains(AWAY) && told.contains("silence"), "{told}");
    assert!(w.download(&grant).body == goods());

    w.mirror.silent.store(false, Ordering::SeqCst);
    w.turn();
    assert!(!owner.get("/admin").text().contains(AWAY));
}

fn a_check_finds_what_each_store_lacks_and_a_sync_puts_it_there(w: World) {
    let (_, owner) = w.t.owner();
    w.t.product(NewGood { files: vec![("font.zip".to_owned(), goods())], ..NewGood::of("FONT") });

    let reports = w.check(Depth::Presence);
    let found: Vec<_> = reports.iter().map(|report| (report.contents, report.defects.len())).collect();
    assert_eq!(found, [(1, 0), (1, 1)]);
    assert_eq!(reports[1].defects[0].defect, "missing");
    assert!(owner.get("/admin").text().contains(LACKING));

    let reports = w.sync(Remedy::Copy);
    assert_eq!((reports[1].copied.len(), reports[1].is_whole()), (1, true));
    assert!(std::fs::read(w.file("second")).expect("it is there") == goods());
    assert!(!owner.get("/admin").text().contains(LACKING), "what was copied is not missed any more");
    assert!(w.sync(Remedy::Copy)[1].copied.is_empty(), "there is nothing left to do");
    assert!(owner.get("/admin/stores").text().contains("1 content · all there"));
    w.t.run_jobs();
}

fn damage_behind_the_right_size_is_found_by_reading_and_forgotten_by_no_smaller_look(w: World) {
    let (_, owner) = w.t.owner();
    w.sold();
    w.damage("second");

    assert!(w.check(Depth::Presence)[1].is_whole(), "its size is right");
    let reports = w.check(Depth::Content);
    assert_eq!((reports[0].is_whole(), reports[1].defects[0].defect), (true, "damaged"));
    w.check(Depth::Presence);
    assert!(owner.get("/admin").text().contains(LACKING));

    let reports = run(&w.t.app, Depth::Content, Remedy::Copy, &mut |_, _| {}).expect("it goes through");
    assert_eq!(reports[1].copied.len(), 1);
    assert!(w.check(Depth::Content).iter().all(Report::is_whole));
}

fn a_sync_that_is_only_planned_changes_nothing(w: World) {
    w.t.product(NewGood { files: vec![("font.zip".to_owned(), goods())], ..NewGood::of("FONT") });

    let reports = w.sync(Remedy::Planned);

    assert_eq!((reports[1].copied.len(), reports[1].defects.len()), (1, 0));
    assert!(!w.file("second").exists());
    assert_eq!(w.t.count("SELECT count(*) AS n FROM store_troubles"), 0);
}

fn mirrors_follow_by_themselves_and_an_idle_shop_writes_little(w: World) {
    w.t.product(NewGood { files: vec![("font.zip".to_owned(), goods())], ..NewGood::of("FONT") });
    w.t.block_on(jobs::follow(&w.t.app)).expect("they follow");
    assert!(std::fs::read(w.file("second")).expect("it is there") == goods());

    w.turn();
    let commits = w.t.app.commits();
    w.turn();
    assert_eq!(w.t.app.commits(), commits);
    w.t.advance(Span::minutes(5));
    w.turn();
    assert!(w.t.app.commits() > commits);
}

fn a_full_store_is_told_and_what_was_copied_stays(w: World) {
    w.sold();
    w.lose("home");
    w.t.disk.leave_room(100);

    let reports = w.sync(Remedy::Copy);
    w.t.disk.leave_room(u64::MAX);
    let again = w.sync(Remedy::Copy);

    assert!(reports[0].away.as_deref().is_some_and(|why| why.contains("disk")), "{:?}", reports[0].away);
    assert!(reports[1].is_whole());
    assert_eq!((again[0].copied.len(), again[0].is_whole()), (1, true));
}

fn a_quarantined_shop_puts_nothing_right(w: World) {
    let (_, owner) = w.t.owner();
    let grant = w.sold();
    w.lose("home");
    let quarantine = Quarantine { why: "a test".to_owned(), since: w.t.now() };
    w.t.write(move |cx| Ok(app::installation::store::save_quarantine(cx.tx, &quarantine, cx.now)?))
        .expect("quarantined");
    w.t.app.note_quarantine(Some(Quarantine { why: "a test".to_owned(), since: w.t.now() }));

    w.download(&grant);
    w.turn();
    w.t.block_on(jobs::follow(&w.t.app)).expect("nothing is done");

    assert!(!w.file("home").exists());
    assert!(owner.get("/admin").text().contains(LACKING));
}

fn a_store_that_is_not_configured_any_more_is_forgotten(w: World) {
    let (_, owner) = w.t.owner();
    w.sold();
    w.t.write(|cx| {
        app::storage::store::save_answer(cx.tx, "gone", Some("silence"), cx.now)?;
        let font = Sha256::of(&goods()).to_string();
        Ok(app::storage::store::note(
            cx.tx,
            ("gone", &font),
            (app::storage::Defect::Missing, "it is not there"),
            cx.now,
        )?)
    })
    .expect("noted");
    assert!(owner.get("/admin").text().contains(LACKING));

    w.turn();

    assert!(!owner.get("/admin").text().contains(LACKING));
}
