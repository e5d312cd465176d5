//! What SQLite does when the disk is full, the file is damaged, or another process is writing.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use common::{SCHEMA, Shop, add, stock, take};
use db::{Cached, Db, DbError, Engine, Options, Tuning, Tx, sql};
use testkit::ForEngine;

/// Holds the writer up until the sender is used, so that what is queued meanwhile is one batch.
fn held_up(shop: &Shop) -> (mpsc::Sender<()>, std::thread::JoinHandle<()>) {
    let (release, wait) = mpsc::channel::<()>();
    let (begun, has_begun) = mpsc::channel();
    let db = shop.db.clone();
    let holder = std::thread::spawn(move || {
        let held = db.write_blocking(move |_| {
            begun.send(()).expect("the test listens");
            wait.recv().expect("the test releases");
            Ok::<_, DbError>(())
        });
        held.expect("holding does nothing");
    });
    has_begun.recv().expect("the writer runs");
    (release, holder)
}

type Work<T> = Box<dyn FnMut(&mut Tx<'_>) -> Result<T, DbError> + Send>;

/// Queues closures one after the other and lets them run as one batch.
fn in_one_batch<T: Send + 'static>(shop: &Shop, works: Vec<Work<T>>) -> Vec<Result<T, DbError>> {
    let (release, holder) = held_up(shop);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let answers = runtime.block_on(async {
        let mut waiting = Vec::new();
        for work in works {
            let db = shop.db.clone();
            // Spawned and yielded to, so that it is in the queue before the writer goes on.
            waiting.push(tokio::spawn(async move { db.write(work).await }));
            tokio::task::yield_now().await;
        }
        assert_eq!(shop.db.waiting(), waiting.len());
        release.send(()).expect("the holder waits");
        let mut answers = Vec::new();
        for task in waiting {
            answers.push(task.await.expect("no panic"));
        }
        answers
    });
    holder.join().expect("no panic");
    answers
}

fn limit_pages(shop: &Shop, more: i64) {
    let limited = shop.db.write_blocking(move |tx| {
        let pages = sql("PRAGMA page_count").one(tx, |row| row.get::<i64>("page_count"))?;
        sql(format!("PRAGMA max_page_count = {}", pages + more))
            .one(tx, |row| row.get::<i64>("max_page_count"))
    });
    limited.expect("a limit");
}

fn add_large(tx: &mut Tx<'_>) -> Result<(), DbError> {
    sql("INSERT INTO goods (id, stock, data) VALUES ('large', 1, $1)")
        .bind(vec![7_u8; 1 << 20])
        .change_one(tx)
}

#[test]
fn a_full_disk_refuses_one_and_lets_the_rest_of_the_batch_through() {
    let shop = Shop::for_engine(Engine::Sqlite);
    limit_pages(&shop, 4);
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let answers = in_one_batch(
        &shop,
        vec![
            Box::new(move |tx| {
                counted.fetch_add(1, Ordering::SeqCst);
                add(tx, "before", 1)
            }),
            Box::new(add_large),
            Box::new(|tx| add(tx, "after", 1)),
        ],
    );
    let [before, large, after] = answers.as_slice() else { panic!("three answers") };
    assert!(before.is_ok(), "{before:?}");
    assert!(matches!(large, Err(DbError::DiskFull)), "{large:?}");
    assert!(after.is_ok(), "{after:?}");
    assert_eq!((shop.stock("before"), shop.stock("large"), shop.stock("after")), (Some(1), None, Some(1)));
    assert_eq!(runs.load(Ordering::SeqCst), 2, "the batch was lost, so it ran again");
}

#[test]
fn a_full_disk_that_nobody_looked_at_is_still_refused() {
    let shop = Shop::for_engine(Engine::Sqlite);
    limit_pages(&shop, 4);
    let swallowed = shop.db.write_blocking(|tx| {
        add(tx, "pen", 1)?;
        drop(add_large(tx));
        Ok::<_, DbError>(())
    });
    assert!(matches!(swallowed, Err(DbError::Poisoned(_))), "{swallowed:?}");
    assert_eq!(shop.stock("pen"), None);
}

#[test]
fn when_there_is_room_again_writing_goes_on_without_a_restart() {
    let shop = Shop::for_engine(Engine::Sqlite);
    limit_pages(&shop, 4);
    assert!(matches!(shop.db.write_blocking(add_large), Err(DbError::DiskFull)));
    assert!(shop.db.is_full_disk());
    assert_eq!(shop.stock("pen"), None, "reading goes on");
    limit_pages(&shop, 1_000);
    shop.db.write_blocking(add_large).expect("there is room");
    assert!(!shop.db.is_full_disk());
}

#[test]
fn a_failure_in_a_batch_takes_back_only_its_own_work() {
    let shop = Shop::for_engine(Engine::Sqlite);
    shop.add("pen", 1);
    let answers = in_one_batch(
        &shop,
        vec![
            Box::new(|tx| add(tx, "first", 1)),
            Box::new(|tx| {
                add(tx, "second", 1)?;
                take(tx, "pen", 2)
            }),
            Box::new(|tx| {
                add(tx, "third", 1)?;
                panic!("on purpose")
            }),
            Box::new(|tx| add(tx, "fourth", 1)),
        ],
    );
    let [first, second, third, fourth] = answers.as_slice() else { panic!("four answers") };
    assert!(first.is_ok() && fourth.is_ok(), "{answers:?}");
    assert!(matches!(second, Err(DbError::Statement { .. })), "{second:?}");
    assert!(matches!(third, Err(DbError::Panicked(_))), "{third:?}");
    let stocks = ["first", "second", "third", "fourth"].map(|id| shop.stock(id));
    assert_eq!(stocks, [Some(1), None, None, Some(1)]);
}

#[test]
fn closures_of_a_batch_see_each_other_in_order() {
    let shop = Shop::for_engine(Engine::Sqlite);
    let answers = in_one_batch::<Option<i64>>(
        &shop,
        vec![
            Box::new(|tx| add(tx, "pen", 1).map(|()| None)),
            Box::new(|tx| stock(tx, "pen")),
            Box::new(|tx| take(tx, "pen", 1).map(|()| None)),
            Box::new(|tx| stock(tx, "pen")),
        ],
    );
    let seen: Vec<_> = answers.into_iter().map(|answer| answer.expect("it works")).collect();
    assert_eq!(seen, [None, Some(1), None, Some(0)]);
}

/// The connection of another process: a shell verb beside the server.
fn beside(shop: &Shop) -> rusqlite::Connection {
    let Options::Sqlite(path) = &shop.options else { panic!("a file") };
    rusqlite::Connection::open(path).expect("it opens")
}

#[test]
fn a_writer_waits_for_another_process() {
    let shop = Shop::for_engine(Engine::Sqlite);
    let other = beside(&shop);
    other
        .execute_batch("BEGIN IMMEDIATE; INSERT INTO goods (id, stock) VALUES ('theirs', 1)")
        .expect("the lock");
    let db = shop.db.clone();
    let waiting = std::thread::spawn(move || db.write_blocking(|tx| add(tx, "ours", 1)));
    assert_eq!(shop.stock("theirs"), None, "reading does not wait");
    other.execute_batch("COMMIT").expect("the lock is given back");
    waiting.join().expect("no panic").expect("it was worth the wait");
    assert_eq!((shop.stock("theirs"), shop.stock("ours")), (Some(1), Some(1)));
}

#[test]
fn a_process_that_never_ends_makes_writers_busy_and_loses_nothing() {
    let shop = Shop::for_engine(Engine::Sqlite);
    let other = beside(&shop);
    let tuning = Tuning { busy_wait: Duration::from_millis(1), ..common::tuning() };
    let impatient = Db::open_with(&shop.options, SCHEMA, tuning).expect("it opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    let busy = impatient.write_blocking(|tx| add(tx, "pen", 1));
    assert!(matches!(busy, Err(DbError::Busy(_))), "{busy:?}");
    other.execute_batch("ROLLBACK").expect("the lock is given back");
    impatient.write_blocking(|tx| add(tx, "pen", 1)).expect("nobody is in the way");
}

#[test]
fn a_cached_value_is_computed_again_after_any_commit() {
    let shop = Shop::for_engine(Engine::Sqlite);
    shop.add("pen", 1);
    let (cached, loads) = (Cached::new(), AtomicU32::new(0));
    let get = || {
        let value = cached.get(&shop.db, |snapshot| {
            loads.fetch_add(1, Ordering::SeqCst);
            stock(snapshot, "pen")
        });
        (value.map(|value| *value).expect("it reads"), loads.load(Ordering::SeqCst))
    };
    assert_eq!(get(), (Some(1), 1));
    assert_eq!(get(), (Some(1), 1));
    beside(&shop).execute_batch("UPDATE goods SET stock = 2").expect("another process writes");
    assert_eq!(get(), (Some(2), 2));
    shop.db.write_blocking(|tx| take(tx, "pen", 1)).expect("we write");
    assert_eq!(get(), (Some(1), 3));
    assert_eq!(get(), (Some(1), 3));
}

#[test]
fn rows_without_their_parents_are_found() {
    let shop = Shop::for_engine(Engine::Sqlite);
    assert_eq!(shop.db.integrity().expect("it reads"), Vec::<String>::new());
    let other = beside(&shop);
    other
        .execute_batch(
            "PRAGMA foreign_keys = OFF;
             CREATE TABLE tags (goods TEXT PRIMARY KEY REFERENCES goods (id)) STRICT;
             INSERT INTO tags VALUES ('nothing');",
        )
        .expect("an orphan");
    let found = shop.db.integrity().expect("it reads");
    assert_eq!(found, ["1 rows of tags refer to rows of goods that are not there"]);
}

#[test]
fn a_damaged_file_is_found_and_not_written_to() {
    let shop = Shop::for_engine(Engine::Sqlite);
    for number in 0..200 {
        let note = "x".repeat(500);
        let written = shop.db.write_blocking(move |tx| {
            sql("INSERT INTO goods (id, stock, note) VALUES ($1, 1, $2)")
                .bind(format!("id{number:03}"))
                .bind(&note)
                .change_one(tx)
        });
        written.expect("it writes");
    }
    shop.db.checkpoint().expect("the log is empty");
    shop.db.close();
    let Options::Sqlite(path) = &shop.options else { panic!("a file") };
    let mut bytes = std::fs::read(path).expect("the file");
    // All but the first pages, which hold the schema.
    let damaged = bytes.len() / 2;
    bytes.iter_mut().skip(damaged).for_each(|byte| *byte = 0x5a);
    std::fs::write(path, bytes).expect("damage");

    let db = Db::open_with(&shop.options, SCHEMA, common::tuning()).expect("the schema is whole");
    assert_ne!(db.integrity().expect("what can be read"), Vec::<String>::new());
    let all = db.write_blocking(|tx| sql("UPDATE goods SET note = note || 'y'").execute(tx));
    assert!(matches!(all, Err(DbError::Broken(_))), "{all:?}");
    assert!(db.failure().is_some());
    let next = db.write_blocking(|tx| add(tx, "pen", 1));
    assert!(matches!(next, Err(DbError::Broken(_))), "{next:?}");
    assert!(matches!(db.ping(), Err(DbError::Broken(_))));
}

#[test]
fn text_that_is_not_text_is_an_error() {
    let shop = Shop::for_engine(Engine::Sqlite);
    beside(&shop)
        .execute_batch("INSERT INTO goods (id, stock, note) VALUES ('pen', 1, CAST(x'66ff' AS TEXT))")
        .expect("SQLite takes it");
    let read = shop.db.read_blocking(|snapshot| {
        sql("SELECT note FROM goods").one(snapshot, |row| row.get::<String>("note"))
    });
    let error = read.expect_err("not UTF-8").to_string();
    assert!(error.contains("column note") && error.contains("not UTF-8"), "{error}");
}

#[test]
fn the_log_is_cut_back_by_a_checkpoint() {
    let shop = Shop::for_engine(Engine::Sqlite);
    shop.db.write_blocking(add_large).expect("it writes");
    let before = shop.db.health().expect("health");
    assert!(before.log_size.is_some_and(|size| size > 1 << 20), "{before:?}");
    assert!(before.size > 1 << 20 && before.failure.is_none() && !before.disk_full);
    shop.db.checkpoint().expect("nobody reads");
    assert_eq!(shop.db.health().expect("health").log_size, Some(0));
}

/// The file alone, as whoever copies a closed database takes it, and how much is in stock in it.
fn stock_in_a_copy(shop: &Shop, name: &'static str) -> Option<i64> {
    let Options::Sqlite(path) = &shop.options else { panic!("a file") };
    let copy = path.with_file_name("copy.db");
    std::fs::copy(path, &copy).expect("a copy");
    let db = Db::open_with(&Options::Sqlite(copy), SCHEMA, common::tuning()).expect("it opens");
    db.read_blocking(move |snapshot| stock(snapshot, name)).expect("it reads")
}

#[test]
fn a_closed_database_is_whole_in_its_one_file() {
    let shop = Shop::for_engine(Engine::Sqlite);
    shop.db.write_blocking(|tx| add(tx, "pen", 7)).expect("it writes");
    // Connections that only read must not be the last: they may not copy the log.
    shop.db.read_blocking(|snapshot| stock(snapshot, "pen")).expect("it reads");
    shop.db.data_version().expect("it watches");
    shop.db.close();
    let Options::Sqlite(path) = &shop.options else { panic!("a file") };
    for log in ["db-wal", "db-shm"] {
        assert!(!path.with_extension(log).exists(), "{log} was left behind");
    }
    assert_eq!(stock_in_a_copy(&shop, "pen"), Some(7));
}

#[test]
fn closing_beside_another_that_is_open_takes_nothing_from_it() {
    let shop = Shop::for_engine(Engine::Sqlite);
    let other = Db::open_with(&shop.options, SCHEMA, common::tuning()).expect("it opens twice");
    other.write_blocking(|tx| add(tx, "pen", 7)).expect("it writes");
    shop.db.close();
    other.write_blocking(|tx| take(tx, "pen", 2)).expect("it writes still");
    other.close();
    assert_eq!(stock_in_a_copy(&shop, "pen"), Some(5));
}
