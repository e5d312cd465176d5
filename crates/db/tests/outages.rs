//! What happens when PostgreSQL, or the way to it, is lost.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Barrier, Once};

use common::{SCHEMA, Shop, add, take, tuning};
use db::{Db, DbError, Engine, Options, Source, Tuning, sql};
use testkit::pg::{self, Cluster, Durability, Setup, Stop};
use testkit::{Cut, FaultProxy, ForEngine};

/// A database behind a proxy.
fn behind_a_proxy() -> (Shop, FaultProxy, pg::Database) {
    let database = pg::cluster().database(SCHEMA);
    let proxy = FaultProxy::before(pg::cluster().socket());
    let options = Options::Postgres(database.url_through(proxy.port()));
    let tuning = Tuning { postgres_writers: 1, postgres_readers: 1, reconnect_attempts_max: 4, ..tuning() };
    let db = Db::open_with(&options, SCHEMA, tuning).expect("it opens");
    (Shop { db, options }, proxy, database)
}

/// Adds a pen and counts how often that ran.
fn add_counted(shop: &Shop) -> (Result<u32, DbError>, u32) {
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let added = shop.db.write_blocking(move |tx| {
        let run = counted.fetch_add(1, Ordering::SeqCst) + 1;
        add(tx, "pen", 1).map(|()| run)
    });
    (added, runs.load(Ordering::SeqCst))
}

#[test]
fn a_commit_whose_answer_was_lost_is_not_run_again() {
    let (shop, proxy, _database) = behind_a_proxy();
    proxy.cut(Cut::AfterCommit, 1);
    let (added, runs) = add_counted(&shop);
    assert_eq!(added.expect("it was committed"), 1, "the result of the run that was committed");
    assert_eq!((runs, proxy.cuts()), (1, 1));
    assert_eq!(shop.stock("pen"), Some(1));
}

#[test]
fn a_commit_that_never_arrived_is_run_again() {
    let (shop, proxy, _database) = behind_a_proxy();
    proxy.cut(Cut::BeforeCommit, 2);
    let (added, runs) = add_counted(&shop);
    assert_eq!(added.expect("the third run was committed"), 3);
    assert_eq!((runs, proxy.cuts()), (3, 2));
    assert_eq!(shop.stock("pen"), Some(1));
}

#[test]
fn a_commit_that_cannot_be_asked_for_is_unknown() {
    let (shop, proxy, _database) = behind_a_proxy();
    proxy.cut(Cut::AfterCommitForGood, 1);
    let (added, runs) = add_counted(&shop);
    assert!(matches!(added, Err(DbError::OutcomeUnknown)), "{added:?}");
    assert_eq!(runs, 1);
    proxy.heal();
    assert_eq!(shop.stock("pen"), Some(1), "it was committed all along");
}

#[test]
fn a_server_that_cannot_be_reached_is_an_error_after_a_while() {
    let (shop, proxy, _database) = behind_a_proxy();
    proxy.cut(Cut::AfterCommitForGood, 1);
    drop(add_counted(&shop));
    let (added, runs) = add_counted(&shop);
    assert!(matches!(added, Err(DbError::Disconnected(_))), "{added:?}");
    assert_eq!(runs, 0);
}

#[test]
fn a_connection_lost_in_the_middle_is_made_anew_and_the_closure_run_again() {
    let shop = Shop::for_engine(Engine::Postgres);
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let added = shop.db.write_blocking(move |tx| {
        add(tx, "pen", 1)?;
        if counted.fetch_add(1, Ordering::SeqCst) == 0 {
            sql("SELECT pg_terminate_backend(pg_backend_pid()) AS done")
                .one(tx, |row| row.get::<i64>("done"))?;
        }
        Ok::<_, DbError>(())
    });
    added.expect("the second run was committed");
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    assert_eq!(shop.stock("pen"), Some(1));
}

#[test]
fn a_read_whose_connection_is_lost_is_run_again() {
    let shop = Shop::for_engine(Engine::Postgres);
    shop.add("pen", 1);
    let once = Once::new();
    let read = shop.db.read_blocking(|snapshot| {
        let mut killed = Ok(());
        once.call_once(|| {
            let text = "SELECT pg_terminate_backend(pg_backend_pid()) AS done";
            killed = sql(text).one(snapshot, |row| row.get::<i64>("done")).map(drop);
        });
        killed?;
        common::stock(snapshot, "pen")
    });
    assert_eq!(read.expect("the second run works"), Some(1));
}

#[test]
fn two_that_wait_for_each_other_both_get_through() {
    let shop = Shop::for_engine(Engine::Postgres);
    shop.add("pen", 2);
    shop.add("ink", 2);
    let both_have_one = Arc::new(Barrier::new(2));
    let runs = Arc::new(AtomicU32::new(0));
    let crossing = |first: &'static str, second: &'static str| {
        let (db, barrier, runs) = (shop.db.clone(), Arc::clone(&both_have_one), Arc::clone(&runs));
        let mut first_run = true;
        std::thread::spawn(move || {
            db.write_blocking(move |tx| {
                runs.fetch_add(1, Ordering::SeqCst);
                take(tx, first, 1)?;
                if std::mem::take(&mut first_run) {
                    barrier.wait();
                }
                take(tx, second, 1)
            })
        })
    };
    let threads = [crossing("pen", "ink"), crossing("ink", "pen")];
    for thread in threads {
        thread.join().expect("no panic").expect("it gets through");
    }
    assert_eq!((shop.stock("pen"), shop.stock("ink")), (Some(0), Some(0)));
    assert!(runs.load(Ordering::SeqCst) > 2, "one of them was run again");
}

#[test]
fn a_server_that_was_killed_and_came_back_has_everything_that_was_confirmed() {
    let cluster = Cluster::private(Durability::Safe);
    let database = cluster.database(SCHEMA);
    let options = Options::Postgres(database.url());
    let db = Db::open_with(&options, SCHEMA, tuning()).expect("it opens");
    let shop = Shop { db, options };
    shop.add("pen", 7);
    cluster.stop(Stop::Cut);
    cluster.start().expect("it comes back");
    assert_eq!(shop.stock("pen"), Some(7));
    shop.add("ink", 1);
    assert_eq!(shop.stock("ink"), Some(1));
}

#[test]
fn a_number_given_out_again_after_a_crash_is_not_taken_for_a_commit() {
    // Nothing else may write to the log which numbers are taken.
    let mut setup = Setup::of(Durability::Safe);
    let quiet = [("wal_level", "minimal"), ("max_wal_senders", "0"), ("autovacuum", "off")];
    setup.settings = quiet.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let cluster = Cluster::private_with(&setup);
    let database = cluster.database(SCHEMA);
    let proxy = FaultProxy::before(cluster.socket());
    let options = Options::Postgres(database.url_through(proxy.port()));
    let tuning = Tuning { postgres_writers: 1, postgres_readers: 1, reconnect_attempts_max: 100, ..tuning() };
    let db = Db::open_with(&options, SCHEMA, tuning).expect("it opens");
    let shop = Shop { db, options };
    proxy.cut(Cut::BeforeCommitForGood, 1);
    let added = std::thread::scope(|scope| {
        let adding = scope.spawn(|| {
            // Nothing is written, so nothing of the number reaches the log.
            shop.db.write_blocking(|_| Ok::<_, DbError>(()))
        });
        while proxy.cuts() == 0 {
            std::thread::yield_now();
        }
        cluster.stop(Stop::Cut);
        cluster.start().expect("it comes back");
        // Others take the numbers that were lost.
        cluster.command(
            "DO $$ BEGIN FOR i IN 1..50 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$",
        );
        proxy.heal();
        adding.join().expect("no panic")
    });
    assert!(matches!(added, Err(DbError::OutcomeUnknown)), "{added:?}");
}

#[test]
fn a_server_that_confirms_before_it_stores_is_refused() {
    let database = pg::cluster().database(SCHEMA);
    pg::cluster().command(&format!("ALTER DATABASE {} SET synchronous_commit = off", database.name()));
    let opened = Db::open_with(&Options::Postgres(database.url()), SCHEMA, tuning());
    let error = opened.expect_err("refused").to_string();
    assert!(error.contains("synchronous_commit is \"off\""), "{error}");
}

#[test]
fn a_database_in_another_encoding_is_refused() {
    let database = pg::cluster().database(SCHEMA);
    let name = format!("{}_ascii", database.name());
    pg::cluster().command(&format!(
        "CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'"
    ));
    let opened = Db::open_with(&Options::Postgres(format!("{}_ascii", database.url())), SCHEMA, tuning());
    let error = opened.expect_err("refused").to_string();
    pg::cluster().command(&format!("DROP DATABASE {name} WITH (FORCE)"));
    assert!(error.contains("encoding is SQL_ASCII"), "{error}");
}

#[test]
fn a_careless_server_is_told_of() {
    let shop = Shop::for_engine(Engine::Postgres);
    let health = shop.db.health().expect("health");
    assert!(health.warnings.iter().any(|warning| warning.starts_with("fsync is off")), "{health:?}");
    assert!(health.size > 0 && health.log_size.is_none());
}

#[test]
fn a_password_is_not_in_the_message_about_a_wrong_address() {
    let url = "postgres://shop:hunter2@%%%/db".to_owned();
    let error = Db::open_with(&Options::Postgres(url), SCHEMA, tuning()).expect_err("refused").to_string();
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn a_snapshot_on_a_lost_server_does_not_hang() {
    let (shop, proxy, _database) = behind_a_proxy();
    proxy.cut(Cut::AfterCommitForGood, 1);
    drop(add_counted(&shop));
    // The reader connects for the first time here.
    let read = shop.db.read_blocking(|snapshot| {
        assert_eq!(snapshot.engine(), Engine::Postgres);
        common::stock(snapshot, "pen")
    });
    assert!(matches!(read, Err(DbError::Disconnected(_))), "{read:?}");
}
