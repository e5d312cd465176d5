//! A fresh, migrated database for one test, gone when the test ends.

use std::cell::RefCell;

use db::{Db, Engine, MIGRATIONS, Migration, Options, Tuning};
use tempfile::TempDir;

use crate::pg;

/// What can be made for an engine: a database, or an app around one.
pub trait ForEngine {
    /// Makes a fresh one. Its database comes from [`fresh`].
    fn for_engine(engine: Engine) -> Self;
}

impl ForEngine for Db {
    fn for_engine(engine: Engine) -> Self {
        let options = fresh(engine);
        Self::open_with(&options, MIGRATIONS, small()).expect("a fresh database opens")
    }
}

/// Where a database is; the place goes away with the test.
#[derive(Debug, Clone)]
pub struct Place(pub Options);

impl ForEngine for Place {
    fn for_engine(engine: Engine) -> Self {
        Self(fresh(engine))
    }
}

/// Few threads and connections: many tests run side by side.
pub fn small() -> Tuning {
    Tuning { sqlite_readers: 2, postgres_writers: 4, postgres_readers: 2, ..Tuning::default() }
}

/// What a test leaves behind.
enum Leftover {
    Folder(#[expect(dead_code, reason = "dropping it removes the folder")] TempDir),
    Database(#[expect(dead_code, reason = "dropping it drops the database")] pg::Database),
}

thread_local! {
    static LEFTOVERS: RefCell<Vec<Leftover>> = const { RefCell::new(Vec::new()) };
}

/// Runs a test on an engine and removes what it left, whether it passed or not.
pub fn run_on<T: ForEngine>(engine: Engine, test: fn(T)) {
    struct Cleaner;
    impl Drop for Cleaner {
        fn drop(&mut self) {
            LEFTOVERS.take();
        }
    }
    let _cleaner = Cleaner;
    test(T::for_engine(engine));
}

/// A database with the product's schema, for this test alone.
pub fn fresh(engine: Engine) -> Options {
    fresh_with(engine, MIGRATIONS)
}

/// A database with a schema of the test's own, for this test alone.
pub fn fresh_with(engine: Engine, migrations: &'static [Migration]) -> Options {
    let (leftover, options) = match engine {
        Engine::Sqlite => {
            let folder = TempDir::with_prefix("handsel-test-").expect("a temporary folder");
            let options = Options::Sqlite(folder.path().join("handsel.db"));
            (Leftover::Folder(folder), options)
        }
        Engine::Postgres => {
            let database = pg::cluster().database(migrations);
            let options = Options::Postgres(database.url());
            (Leftover::Database(database), options)
        }
    };
    LEFTOVERS.with_borrow_mut(|leftovers| leftovers.push(leftover));
    options
}
