//! What a transaction promises, on both engines.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use common::{Shop, add, stock, take};
use db::{DbError, Inserted, sql};

testkit::both_engines! {
    what_was_written_is_read,
    an_error_rolls_back,
    a_swallowed_error_does_not_commit,
    a_poisoned_transaction_refuses_every_statement,
    a_panic_rolls_back_and_the_next_transaction_works,
    a_change_that_hits_nothing_is_a_conflict,
    an_insert_tells_whether_the_row_is_new,
    a_transaction_inside_a_transaction_is_refused,
    a_snapshot_sees_one_moment,
    a_snapshot_cannot_write,
    writers_that_run_at_once_lose_no_update,
    async_callers_get_their_own_answers,
    blocking_reads_work_on_an_async_worker,
    a_closed_database_says_so,
}

fn what_was_written_is_read(shop: Shop) {
    shop.add("pen", 3);
    assert_eq!(shop.stock("pen"), Some(3));
    assert_eq!(shop.stock("ink"), None);
}

fn an_error_rolls_back(shop: Shop) {
    let refused = shop.db.write_blocking(|tx| {
        add(tx, "pen", 3)?;
        Err::<(), _>(DbError::NotFound("on purpose".to_owned()))
    });
    assert!(matches!(refused, Err(DbError::NotFound(_))));
    assert_eq!(shop.stock("pen"), None);
}

fn a_swallowed_error_does_not_commit(shop: Shop) {
    shop.add("pen", 3);
    let committed = shop.db.write_blocking(|tx| {
        add(tx, "ink", 1)?;
        // The stock may not go below zero, and nobody looks at the refusal.
        drop(take(tx, "pen", 4));
        Ok::<_, DbError>(())
    });
    assert!(matches!(committed, Err(DbError::Poisoned(_))), "{committed:?}");
    assert_eq!(shop.stock("ink"), None);
    assert_eq!(shop.stock("pen"), Some(3));
}

fn a_poisoned_transaction_refuses_every_statement(shop: Shop) {
    shop.add("pen", 3);
    let seen = shop.db.write_blocking(|tx| {
        drop(take(tx, "pen", 4));
        let read = stock(tx, "pen").map(drop);
        let write = add(tx, "ink", 1);
        assert!(matches!(read, Err(DbError::Poisoned(_))), "{read:?}");
        assert!(matches!(write, Err(DbError::Poisoned(_))), "{write:?}");
        write
    });
    assert!(matches!(seen, Err(DbError::Poisoned(_))));
}

fn a_panic_rolls_back_and_the_next_transaction_works(shop: Shop) {
    let panicked = shop.db.write_blocking(|tx| {
        add(tx, "pen", 3)?;
        if stock(tx, "pen")? == Some(3) {
            panic!("out of ink");
        }
        Ok::<_, DbError>(())
    });
    let Err(DbError::Panicked(why)) = panicked else { panic!("{panicked:?}") };
    assert_eq!(why, "out of ink");
    assert_eq!(shop.stock("pen"), None);
    shop.add("pen", 5);
    assert_eq!(shop.stock("pen"), Some(5));
}

fn a_change_that_hits_nothing_is_a_conflict(shop: Shop) {
    let missed = shop.db.write_blocking(|tx| {
        add(tx, "pen", 1)?;
        take(tx, "ink", 1)
    });
    assert!(matches!(missed, Err(DbError::Conflict(_))), "{missed:?}");
    assert_eq!(shop.stock("pen"), None);
}

fn an_insert_tells_whether_the_row_is_new(shop: Shop) {
    let insert = |tx: &mut db::Tx<'_>| {
        sql("INSERT INTO goods (id, stock) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind("pen")
            .bind(3)
            .insert_new(tx)
    };
    assert_eq!(shop.db.write_blocking(insert).expect("it writes"), Inserted::New);
    assert_eq!(shop.db.write_blocking(insert).expect("it writes"), Inserted::Existing);
}

fn a_transaction_inside_a_transaction_is_refused(shop: Shop) {
    let inner = shop.db.clone();
    let both = shop.db.write_blocking(move |tx| {
        add(tx, "pen", 1)?;
        inner.write_blocking(|tx| add(tx, "ink", 1))
    });
    assert!(matches!(&both, Err(DbError::Other(why)) if why.contains("inside another")), "{both:?}");
    let read = shop.db.read_blocking(|_| shop.db.read_blocking(|snapshot| stock(snapshot, "pen")));
    assert!(matches!(&read, Err(DbError::Other(why)) if why.contains("inside another")), "{read:?}");
    assert_eq!(shop.stock("pen"), None);
}

fn a_snapshot_sees_one_moment(shop: Shop) {
    shop.add("pen", 1);
    let writer = shop.db.clone();
    let (before, after) = shop
        .db
        .read_blocking(move |snapshot| {
            let before = stock(snapshot, "pen")?;
            let db = writer.clone();
            // On another thread, since a transaction may not begin inside this one.
            let written = std::thread::spawn(move || db.write_blocking(|tx| take(tx, "pen", 1))).join();
            written.expect("no panic")?;
            Ok::<_, DbError>((before, stock(snapshot, "pen")?))
        })
        .expect("it reads");
    assert_eq!((before, after), (Some(1), Some(1)));
    assert_eq!(shop.stock("pen"), Some(0));
}

fn a_snapshot_cannot_write(shop: Shop) {
    let written = shop.db.read_blocking(|snapshot| {
        sql("INSERT INTO goods (id, stock) VALUES ('pen', 1) RETURNING id")
            .all(snapshot, |row| row.get::<String>("id"))
    });
    assert!(matches!(written, Err(DbError::Statement { .. })), "{written:?}");
    assert_eq!(shop.stock("pen"), None);
}

const WRITERS: i64 = 8;
const TURNS: i64 = 25;

fn writers_that_run_at_once_lose_no_update(shop: Shop) {
    shop.add("pen", WRITERS * TURNS);
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                for _ in 0..TURNS {
                    shop.db.write_blocking(|tx| take(tx, "pen", 1)).expect("it writes");
                }
            });
        }
    });
    assert_eq!(shop.stock("pen"), Some(0));
}

fn async_callers_get_their_own_answers(shop: Shop) {
    let runs = Arc::new(AtomicU32::new(0));
    let answers = runtime().block_on(async {
        let mut tasks = Vec::new();
        for number in 0..100_i64 {
            let (db, runs) = (shop.db.clone(), Arc::clone(&runs));
            tasks.push(tokio::spawn(async move {
                db.write(move |tx| {
                    runs.fetch_add(1, Ordering::SeqCst);
                    add(tx, &format!("pen{number:03}"), number)?;
                    // Every third is refused, and takes only its own row back.
                    if number % 3 == 0 { Err(DbError::NotFound(number.to_string())) } else { Ok(number) }
                })
                .await
            }));
        }
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.expect("no panic"));
        }
        answers
    });
    for (number, answer) in (0..100_i64).zip(answers) {
        match answer {
            Ok(answered) => assert_eq!(answered, number),
            Err(DbError::NotFound(text)) => assert_eq!(text, number.to_string()),
            Err(other) => panic!("{other}"),
        }
    }
    let count = shop.db.read_blocking(|snapshot| {
        sql("SELECT count(*) AS n FROM goods").one(snapshot, |row| row.get::<i64>("n"))
    });
    assert_eq!(count.expect("it reads"), 66);
    assert!(runs.load(Ordering::SeqCst) >= 100);
}

fn blocking_reads_work_on_an_async_worker(shop: Shop) {
    shop.add("pen", 2);
    let (here, there) = runtime().block_on(async {
        let here = shop.db.read_blocking(|snapshot| stock(snapshot, "pen"));
        let there = shop.db.read(|snapshot| stock(snapshot, "pen")).await;
        (here, there)
    });
    assert_eq!(here.expect("it reads"), Some(2));
    assert_eq!(there.expect("it reads"), Some(2));
}

fn a_closed_database_says_so(shop: Shop) {
    shop.db.close();
    let written = shop.db.write_blocking(|tx| add(tx, "pen", 1));
    assert!(matches!(written, Err(DbError::Closed)), "{written:?}");
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}
