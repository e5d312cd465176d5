//! Schema changes: once, in order, and never other than they were released.

use db::{Db, DbError, Engine, Migration, OnPending, Options, Source, Tuning, sql};
use testkit::{ForEngine, fresh_with};

testkit::both_engines! {
    migrations_run_once_and_in_order,
    a_changed_file_is_refused,
    a_database_that_is_newer_than_the_program_is_refused,
    a_migration_that_comes_late_is_refused,
    a_migration_that_fails_leaves_nothing_behind,
    opening_may_refuse_instead_of_migrating,
    two_nodes_that_start_at_once_migrate_once,
}

/// A database without any table.
struct Empty(Options);

impl ForEngine for Empty {
    fn for_engine(engine: Engine) -> Self {
        Self(fresh_with(engine, &[]))
    }
}

const FIRST: Migration = both("0001_first", "CREATE TABLE first (id TEXT PRIMARY KEY)");
const SECOND: Migration = both("0002_second", "CREATE TABLE second (id TEXT PRIMARY KEY)");
const THIRD: Migration = both("0003_third", "INSERT INTO second (id) VALUES ('made by the third')");
const LATE: Migration = both("0003_late", "SELECT 1");
const CHANGED: Migration = both("0001_first", "CREATE TABLE first (id TEXT PRIMARY KEY, more TEXT)");
const FAULTY: Migration =
    both("0002_faulty", "CREATE TABLE half (id TEXT PRIMARY KEY); INSERT INTO nowhere (id) VALUES ('x')");

const fn both(name: &'static str, text: &'static str) -> Migration {
    Migration { name, sqlite: text, postgres: text }
}

fn open(options: &Options, list: &'static [Migration], on_pending: OnPending) -> Result<Db, DbError> {
    let tuning = Tuning {
        sqlite_readers: 1,
        postgres_writers: 1,
        postgres_readers: 1,
        on_pending,
        ..Tuning::default()
    };
    Db::open_with(options, list, tuning)
}

fn names(list: &[&'static Migration]) -> Vec<&'static str> {
    list.iter().map(|migration| migration.name).collect()
}

fn exists(db: &Db, table: &'static str) -> bool {
    let found = db.read_blocking(|snapshot| {
        let text = if snapshot.engine() == Engine::Sqlite {
            "SELECT count(*) AS n FROM sqlite_schema WHERE name = $1"
        } else {
            "SELECT count(*) AS n FROM pg_tables WHERE tablename = $1"
        };
        sql(text).bind(table).one(snapshot, |row| row.get::<i64>("n"))
    });
    found.expect("it reads") == 1
}

fn migrations_run_once_and_in_order(empty: Empty) {
    let db = open(&empty.0, &[FIRST], OnPending::Migrate).expect("it opens");
    assert!(exists(&db, "first") && !exists(&db, "second"));
    drop(db);
    let db = open(&empty.0, &[FIRST, SECOND, THIRD], OnPending::Leave).expect("it opens");
    assert_eq!(names(&db.pending().expect("known")), ["0002_second", "0003_third"]);
    assert_eq!(names(&db.migrate().expect("they run")), ["0002_second", "0003_third"]);
    assert_eq!(names(&db.migrate().expect("nothing to do")), Vec::<&str>::new());
    assert!(exists(&db, "second"));
}

fn a_changed_file_is_refused(empty: Empty) {
    open(&empty.0, &[FIRST], OnPending::Migrate).expect("it opens");
    let error = open(&empty.0, &[CHANGED, SECOND], OnPending::Migrate).expect_err("changed").to_string();
    assert!(error.contains("0001_first") && error.contains("changed after its release"), "{error}");
    let db = open(&empty.0, &[FIRST], OnPending::Refuse).expect("the released file still fits");
    assert!(!exists(&db, "second"));
}

fn a_database_that_is_newer_than_the_program_is_refused(empty: Empty) {
    open(&empty.0, &[FIRST, SECOND], OnPending::Migrate).expect("it opens");
    let error = open(&empty.0, &[FIRST], OnPending::Migrate).expect_err("newer").to_string();
    assert!(error.contains("newer than this program") && error.contains("0002_second"), "{error}");
}

fn a_migration_that_comes_late_is_refused(empty: Empty) {
    open(&empty.0, &[FIRST, LATE], OnPending::Migrate).expect("it opens");
    let list: &[Migration] = &[FIRST, SECOND, LATE];
    let error = open(&empty.0, list, OnPending::Migrate).expect_err("late").to_string();
    assert!(error.contains("0002_second, which comes first"), "{error}");
}

fn a_migration_that_fails_leaves_nothing_behind(empty: Empty) {
    let error = open(&empty.0, &[FIRST, FAULTY], OnPending::Migrate).expect_err("faulty").to_string();
    assert!(error.contains("0002_faulty") && error.contains("nowhere"), "{error}");
    let db = open(&empty.0, &[FIRST, FAULTY], OnPending::Leave).expect("it opens");
    assert_eq!(names(&db.pending().expect("known")), ["0002_faulty"]);
    assert!(exists(&db, "first") && !exists(&db, "half"));
}

fn opening_may_refuse_instead_of_migrating(empty: Empty) {
    let error = open(&empty.0, &[FIRST], OnPending::Refuse).expect_err("pending").to_string();
    assert!(error.contains("handsel migrate") && error.contains("0001_first"), "{error}");
}

fn two_nodes_that_start_at_once_migrate_once(empty: Empty) {
    let opened: Vec<_> = std::thread::scope(|scope| {
        let start = || open(&empty.0, &[FIRST, SECOND, THIRD], OnPending::Migrate);
        let nodes: Vec<_> = (0..4).map(|_| scope.spawn(start)).collect();
        nodes.into_iter().map(|node| node.join().expect("no panic")).collect()
    });
    assert!(opened.iter().all(Result::is_ok), "{opened:?}");
}

#[test]
fn a_table_that_others_refer_to_can_be_rebuilt() {
    const REBUILD: &[Migration] = &[
        both(
            "0001_family",
            "CREATE TABLE parent (id TEXT PRIMARY KEY) STRICT;
             CREATE TABLE child (id TEXT PRIMARY KEY, parent TEXT NOT NULL REFERENCES parent ON DELETE CASCADE) STRICT;
             INSERT INTO parent VALUES ('p'); INSERT INTO child VALUES ('c', 'p');",
        ),
        both(
            "0002_rebuild",
            "CREATE TABLE parent_new (id TEXT PRIMARY KEY, name TEXT) STRICT;
             INSERT INTO parent_new (id) SELECT id FROM parent;
             DROP TABLE parent;
             ALTER TABLE parent_new RENAME TO parent;",
        ),
    ];
    let empty = Empty::for_engine(Engine::Sqlite);
    let db = open(&empty.0, REBUILD, OnPending::Migrate).expect("it opens");
    let count = db.read_blocking(|snapshot| {
        sql("SELECT count(*) AS n FROM child").one(snapshot, |row| row.get::<i64>("n"))
    });
    assert_eq!(count.expect("it reads"), 1);
}

#[test]
fn a_migration_that_leaves_orphans_is_refused() {
    const ORPHANS: &[Migration] = &[both(
        "0001_orphans",
        "CREATE TABLE parent (id TEXT PRIMARY KEY) STRICT;
         CREATE TABLE child (id TEXT PRIMARY KEY, parent TEXT NOT NULL REFERENCES parent) STRICT;
         INSERT INTO child VALUES ('c', 'p');",
    )];
    let empty = Empty::for_engine(Engine::Sqlite);
    let error = open(&empty.0, ORPHANS, OnPending::Migrate).expect_err("orphans").to_string();
    assert!(error.contains("refer to rows that are not there"), "{error}");
}
