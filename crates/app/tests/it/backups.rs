//! Backups move a whole shop between engines, and are refused when anything is wrong with them.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use app::backups::make::{Contents, Made, Origin, make};
use app::backups::restore::{Checked, Restored, check, restore};
use app::backups::{BackupError, keys_missing};
use app::installation::{self, flow};
use app::ring::Ring;
use db::{Db, Engine, MIGRATIONS, Options, Tuning, Value, dump, sql};
use kernel::{Secret, SeededEntropy};
use paysim::ipn::{Body, Means};
use stores::{BlobStore, DirectoryStore};
use tempfile::TempDir;

use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    a_backup_moves_to_the_other_engine_and_back,
    a_restored_database_is_quarantined_and_still_the_same_installation,
    contents_are_restored_when_they_were_asked_for_and_named_when_not,
    a_killed_restore_goes_on_where_it_stopped,
    a_database_that_holds_something_is_refused,
    no_secret_is_in_a_backup,
}

fn nothing(_: u64, _: u64) {}

/// A shop in which something has happened.
fn busy(t: &TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 2)]);
    let sale = t.sale_of(&order);
    t.deliver(&Body::completed(&sale, Means::Instant));
    t.run_jobs();
    t.write(|cx| flow::arrive(cx, "here", &flow::Witnessed::new())).expect("it starts");
}

fn ring() -> Ring {
    Ring::new([(1, Secret::new([7; 32]))].into()).expect("a ring")
}

fn backup(t: &TestApp, contents: Contents) -> (File, Made) {
    let file = tempfile::tempfile().expect("a file");
    let origin = Origin { db: t.app.db(), ring: t.app.ring(), blobs: &**t.app.blobs() };
    let made = make(&origin, &file, contents, t.now(), &mut nothing).expect("a backup");
    (file, made)
}

/// An empty shop to restore into.
struct Empty {
    db: Db,
    blobs: DirectoryStore,
    _folder: TempDir,
}

fn empty(engine: Engine) -> Empty {
    empty_at(&testkit::fresh(engine))
}

fn empty_at(options: &Options) -> Empty {
    let tuning = Tuning { sqlite_readers: 1, postgres_writers: 1, postgres_readers: 1, ..Tuning::default() };
    let db = Db::open_with(options, MIGRATIONS, tuning).expect("an empty database");
    let folder = TempDir::with_prefix("handsel-restored-").expect("a folder");
    let blobs = DirectoryStore::open(&folder.path().join("blobs"), Arc::new(SeededEntropy::new(9)));
    Empty { db, blobs: blobs.expect("a store"), _folder: folder }
}

impl Empty {
    fn take(&self, t: &TestApp, file: &File) -> Result<Restored, BackupError> {
        let checked = checked(file);
        restore(&self.db, &self.blobs, file, &checked, t.now(), &mut nothing)
    }
}

fn checked(file: &File) -> Checked {
    check(file, &mut nothing).expect("a good backup")
}

fn other(engine: Engine) -> Engine {
    match engine {
        Engine::Sqlite => Engine::Postgres,
        Engine::Postgres => Engine::Sqlite,
    }
}

/// Every row of every table but the settings, which tell the copies apart.
fn everything(db: &Db) -> Vec<(String, Vec<Vec<Value>>)> {
    let read = db.read_blocking(|snapshot| {
        let mut all = Vec::new();
        for table in dump::tables(snapshot)?.into_iter().filter(|table| table.name != "settings") {
            let rows = dump::page(snapshot, &table, None, dump::PAGE_ROWS_MAX)?;
            all.push((table.name, rows));
        }
        Ok::<_, db::DbError>(all)
    });
    read.expect("rows")
}

fn a_backup_moves_to_the_other_engine_and_back(t: TestApp) {
    busy(&t);
    let (file, made) = backup(&t, Contents::Listed);
    let over = empty(other(t.app.db().engine()));
    over.take(&t, &file).expect("restored");
    assert_eq!(everything(&over.db), everything(t.app.db()));

    let again = tempfile::tempfile().expect("a file");
    let origin = Origin { db: &over.db, ring: t.app.ring(), blobs: &over.blobs };
    let made_again = make(&origin, &again, Contents::Listed, t.now(), &mut nothing).expect("a backup");
    let back = empty(t.app.db().engine());
    back.take(&t, &again).expect("restored");
    assert_eq!(everything(&back.db), everything(t.app.db()));
    assert_eq!(made_again.totals.rows, made.totals.rows + 1, "beside them only the quarantine");
    assert!(made.totals.rows > 20);
}

fn a_restored_database_is_quarantined_and_still_the_same_installation(t: TestApp) {
    busy(&t);
    let (file, made) = backup(&t, Contents::Listed);
    let over = empty(other(t.app.db().engine()));
    let restored = over.take(&t, &file).expect("restored");
    let read = over.db.read_blocking(|snapshot| {
        let identity = installation::store::identity(snapshot)?;
        Ok::<_, db::DbError>((identity, installation::store::quarantine(snapshot)?))
    });
    let (identity, quarantine) = read.expect("settings");
    assert_eq!(quarantine, Some(restored.quarantine));
    assert_eq!(identity.map(|identity| identity.id), made.header.installation.map(|identity| identity.id));
}

fn contents_are_restored_when_they_were_asked_for_and_named_when_not(t: TestApp) {
    busy(&t);
    let engine = other(t.app.db().engine());
    let (listed, _) = backup(&t, Contents::Listed);
    let without = empty(engine).take(&t, &listed).expect("restored");
    assert_eq!(without.missing.len(), 1);

    let (included, made) = backup(&t, Contents::Included);
    let target = empty(engine);
    let with = target.take(&t, &included).expect("restored");
    assert_eq!((with.missing.len(), made.totals.contents), (0, 1));
    let sha256 = without.missing.first().expect("a blob");
    target.blobs.check(sha256).expect("the contents are those");
}

fn a_killed_restore_goes_on_where_it_stopped(t: TestApp) {
    busy(&t);
    let many = "INSERT INTO settings (name, value, changed_at) VALUES ($1, '1', 1)";
    t.write(move |cx| {
        (0..1_200).try_for_each(|n| sql(many).bind(format!("filler {n:04}")).change_one(cx.tx))?;
        Ok(())
    })
    .expect("rows");
    let (file, made) = backup(&t, Contents::Listed);
    let target = empty(other(t.app.db().engine()));
    let checked = checked(&file);
    let mut records = 0;
    let killed = catch_unwind(AssertUnwindSafe(|| {
        restore(&target.db, &target.blobs, &file, &checked, t.now(), &mut |_, _| {
            records += 1;
            assert!(records < 700, "killed");
        })
    }));
    assert!(killed.is_err());
    let half =
        target.db.read_blocking(|snapshot| installation::store::restoring(snapshot)).expect("settings");
    assert_eq!(half.map(|half| half.records), Some(500));

    let (another, _) = backup(&t, Contents::Included);
    let refused = target.take(&t, &another).expect_err("half of another one").to_string();
    assert!(refused.contains("half of another backup"), "{refused}");

    let restored = target.take(&t, &file).expect("restored");
    assert_eq!(restored.resumed_after, 500);
    assert_eq!(everything(&target.db), everything(t.app.db()));
    let settings = "SELECT count(*) AS n FROM settings";
    let settings = target.db.read_blocking(|snapshot| sql(settings).one(snapshot, |row| row.get::<i64>("n")));
    assert_eq!(settings.expect("settings"), 1_202, "the fillers, the installation, the quarantine");
    assert!(made.totals.rows > 1_200);
}

fn a_database_that_holds_something_is_refused(t: TestApp) {
    busy(&t);
    let (file, _) = backup(&t, Contents::Listed);
    let before = everything(t.app.db());
    let refused = restore(t.app.db(), &**t.app.blobs(), &file, &checked(&file), t.now(), &mut nothing);
    let refused = refused.expect_err("it is full").to_string();
    assert!(refused.contains("already holds") && refused.contains("empty one"), "{refused}");
    assert_eq!(everything(t.app.db()), before);
}

fn no_secret_is_in_a_backup(t: TestApp) {
    busy(&t);
    let new = app::connections::flow::NewConnection {
        gateway: "paypal-standard".to_owned(),
        mode: gateways::Mode::Test,
        name: String::new(),
        settings: [("receiver".to_owned(), "seller@example.com".to_owned())].into(),
        secrets: [("key".to_owned(), Secret::new("hunter2 of the gateway".to_owned()))].into(),
    };
    t.write(move |cx| app::connections::flow::add(cx, &new)).expect("a connection");
    let (mut file, _) = backup(&t, Contents::Included);
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0)).expect("its beginning");
    file.read_to_end(&mut bytes).expect("its bytes");
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    assert!(holds(b"seller@example.com"));
    assert!(!holds(b"hunter2 of the gateway"));
    assert!(!holds(&[7; 32]));
    assert!(!holds(hex::encode([7; 32]).as_bytes()));
}

#[test]
fn a_real_backup_that_was_cut_or_changed_is_refused_before_anything_is_done() {
    testkit::run_on(Engine::Sqlite, |t: TestApp| {
        busy(&t);
        let (file, _) = backup(&t, Contents::Included);
        let length = file.metadata().expect("a file").len();
        for cut in (0..length).rev().step_by(997) {
            file.set_len(cut).expect("cut");
            assert!(check(&file, &mut nothing).is_err(), "cut at {cut} of {length}");
        }
    });
}

#[test]
fn the_keys_that_a_backup_needs_are_known_without_being_told() {
    testkit::run_on(Engine::Sqlite, |t: TestApp| {
        let (_, made) = backup(&t, Contents::Listed);
        assert_eq!(keys_missing(&made.header, &ring()), [0; 0]);
        let another = Ring::new([(1, Secret::new([8; 32]))].into()).expect("a ring");
        assert_eq!(keys_missing(&made.header, &another), [1]);
    });
}
