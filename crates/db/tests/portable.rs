//! One text for both engines.

mod common;

use common::Shop;
use db::{DbError, Source, sql};

testkit::both_engines! {
    arguments_go_by_number_not_by_place,
    an_argument_may_stand_twice,
    a_missing_argument_is_refused,
    a_surplus_argument_is_refused,
    words_in_braces_run_where_they_are_understood,
    a_value_that_does_not_fit_names_its_table_column_and_row,
    a_column_that_is_not_there_is_named,
    numbers_text_bytes_and_nothing_come_back_as_they_were,
    text_sorts_by_its_bytes,
    nothing_sorts_where_it_is_told_to,
    a_sum_is_a_number,
    a_truth_is_a_number,
    a_changed_row_is_returned,
    a_change_that_answers_with_rows_must_be_read,
    an_update_returns_each_row_once,
    an_error_does_not_quote_what_was_bound,
    a_statement_put_together_at_run_time_works,
    upserts_have_one_text,
}

fn arguments_go_by_number_not_by_place(shop: Shop) {
    let swapped = shop.db.read_blocking(|snapshot| {
        sql("SELECT CAST($2 AS BIGINT) AS second, CAST($1 AS BIGINT) AS first")
            .bind(1)
            .bind(2)
            .one(snapshot, |row| Ok::<_, DbError>((row.get::<i64>("first")?, row.get::<i64>("second")?)))
    });
    assert_eq!(swapped.expect("it reads"), (1, 2));
}

fn an_argument_may_stand_twice(shop: Shop) {
    shop.add("pen", 3);
    let found = shop.db.read_blocking(|snapshot| {
        sql("SELECT id FROM goods WHERE stock >= $2 AND stock <= $2 AND id = $1")
            .bind("pen")
            .bind(3)
            .optional(snapshot, |row| row.get::<String>("id"))
    });
    assert_eq!(found.expect("it reads"), Some("pen".to_owned()));
}

fn a_missing_argument_is_refused(shop: Shop) {
    let missing = shop.db.read_blocking(|snapshot| {
        sql("SELECT id FROM goods WHERE id = $1 AND stock = $2")
            .bind("pen")
            .optional(snapshot, |row| row.get::<String>("id"))
    });
    let error = missing.expect_err("one is missing").to_string();
    assert!(error.contains("takes 2 arguments, got 1"), "{error}");
}

fn a_surplus_argument_is_refused(shop: Shop) {
    let surplus = shop.db.read_blocking(|snapshot| {
        sql("SELECT id FROM goods WHERE id = $1")
            .bind("pen")
            .bind(1)
            .optional(snapshot, |row| row.get::<String>("id"))
    });
    let error = surplus.expect_err("one too many").to_string();
    assert!(error.contains("takes 1 arguments, got 2"), "{error}");
}

fn words_in_braces_run_where_they_are_understood(shop: Shop) {
    shop.add("pen", 3);
    let locked = shop.db.write_blocking(|tx| {
        sql("SELECT stock FROM goods WHERE id = $1 {FOR UPDATE SKIP LOCKED}")
            .bind("pen")
            .one(tx, |row| row.get::<i64>("stock"))
    });
    assert_eq!(locked.expect("it reads"), 3);
}

fn a_value_that_does_not_fit_names_its_table_column_and_row(shop: Shop) {
    shop.add("pen", 300);
    shop.add("ink", 3);
    let read = shop.db.read_blocking(|snapshot| {
        sql("SELECT id, stock FROM goods ORDER BY id").all(snapshot, |row| {
            row.get::<String>("id")?;
            row.get::<u8>("stock")
        })
    });
    let error = read.expect_err("300 is too large").to_string();
    for part in ["column stock", "table goods", "row 2", "id = \"pen\"", "300, which is out of range"] {
        assert!(error.contains(part), "{part} is missing from: {error}");
    }
}

fn a_column_that_is_not_there_is_named(shop: Shop) {
    shop.add("pen", 3);
    let read = shop
        .db
        .read_blocking(|snapshot| sql("SELECT id FROM goods").one(snapshot, |row| row.get::<i64>("price")));
    let error = read.expect_err("no price").to_string();
    assert!(error.contains("column price") && error.contains("no such column"), "{error}");
}

fn numbers_text_bytes_and_nothing_come_back_as_they_were(shop: Shop) {
    let bytes: Vec<u8> = (0..=255).collect();
    let wanted = (i64::MAX, Some("naïve ☃ 'x' {y} $1".to_owned()), Some(bytes));
    let (stock, note, data) = wanted.clone();
    let written = shop.db.write_blocking(move |tx| {
        sql("INSERT INTO goods (id, stock, note, data) VALUES ($1, $2, $3, $4)")
            .bind("full")
            .bind(stock)
            .bind(note.as_ref())
            .bind(data.as_ref())
            .change_one(tx)?;
        sql("INSERT INTO goods (id, stock, note, data) VALUES ($1, $2, $3, $4)")
            .bind("empty")
            .bind(0)
            .bind(None::<&str>)
            .bind(None::<Vec<u8>>)
            .change_one(tx)
    });
    written.expect("it writes");
    let read = |id: &'static str| {
        let read = shop.db.read_blocking(|snapshot| {
            sql("SELECT stock, note, data FROM goods WHERE id = $1").bind(id).one(snapshot, |row| {
                Ok::<_, DbError>((row.get("stock")?, row.get("note")?, row.get("data")?))
            })
        });
        read.expect("it reads")
    };
    assert_eq!(read("full"), wanted);
    assert_eq!(read("empty"), (0_i64, None::<String>, None::<Vec<u8>>));
}

fn text_sorts_by_its_bytes(shop: Shop) {
    for id in ["b", "B", "ä", "a", "_", "10", "9", "Z"] {
        shop.add(id, 1);
    }
    let sorted = shop.db.read_blocking(|snapshot| {
        sql("SELECT id FROM goods ORDER BY id").all(snapshot, |row| row.get::<String>("id"))
    });
    assert_eq!(sorted.expect("it reads"), ["10", "9", "B", "Z", "_", "a", "b", "ä"]);
}

fn nothing_sorts_where_it_is_told_to(shop: Shop) {
    let written = shop.db.write_blocking(|tx| {
        for (id, note) in [("a", None), ("b", Some("x")), ("c", None)] {
            sql("INSERT INTO goods (id, stock, note) VALUES ($1, 0, $2)")
                .bind(id)
                .bind(note)
                .change_one(tx)?;
        }
        Ok::<_, DbError>(())
    });
    written.expect("it writes");
    let sorted = |order: &str| {
        let text = format!("SELECT id FROM goods ORDER BY note {order}, id");
        shop.db
            .read_blocking(|snapshot| sql(text.clone()).all(snapshot, |row| row.get::<String>("id")))
            .expect("it reads")
    };
    assert_eq!(sorted("ASC NULLS LAST"), ["b", "a", "c"]);
    assert_eq!(sorted("ASC NULLS FIRST"), ["a", "c", "b"]);
    assert_eq!(sorted("DESC NULLS LAST"), ["b", "a", "c"]);
}

fn a_sum_is_a_number(shop: Shop) {
    shop.add("pen", 3);
    shop.add("ink", 4);
    let sum = shop.db.read_blocking(|snapshot| {
        sql("SELECT CAST(sum(stock) AS BIGINT) AS total FROM goods")
            .one(snapshot, |row| row.get::<i64>("total"))
    });
    assert_eq!(sum.expect("it reads"), 7);
}

fn a_truth_is_a_number(shop: Shop) {
    shop.add("pen", 3);
    let truth = shop.db.read_blocking(|snapshot| {
        sql("SELECT EXISTS (SELECT 1 FROM goods WHERE id = $1) AS there, stock > 5 AS many FROM goods")
            .bind("pen")
            .one(snapshot, |row| Ok::<_, DbError>((row.get::<i64>("there")?, row.get::<i64>("many")?)))
    });
    assert_eq!(truth.expect("it reads"), (1, 0));
}

fn a_changed_row_is_returned(shop: Shop) {
    shop.add("pen", 3);
    let left = shop.db.write_blocking(|tx| {
        sql("UPDATE goods SET stock = stock - 1 WHERE id = $1 AND stock > 0 RETURNING stock")
            .bind("pen")
            .optional(tx, |row| row.get::<i64>("stock"))
    });
    assert_eq!(left.expect("it writes"), Some(2));
    assert_eq!(shop.stock("pen"), Some(2));
}

fn a_change_that_answers_with_rows_must_be_read(shop: Shop) {
    shop.add("pen", 3);
    let ran = shop.db.write_blocking(|tx| sql("UPDATE goods SET stock = 0 RETURNING stock").execute(tx));
    assert!(matches!(ran, Err(DbError::Statement { .. })), "{ran:?}");
    assert_eq!(shop.stock("pen"), Some(3));
}

fn an_update_returns_each_row_once(shop: Shop) {
    for id in ["c", "a", "b"] {
        shop.add(id, 1);
    }
    let returned = shop.db.write_blocking(|tx| {
        sql("UPDATE goods SET stock = 2 RETURNING id").all(tx, |row| row.get::<String>("id"))
    });
    // In no order of its own: PostgreSQL gives them as it finds them.
    let mut returned = returned.expect("it writes");
    returned.sort();
    assert_eq!(returned, ["a", "b", "c"]);
}

fn an_error_does_not_quote_what_was_bound(shop: Shop) {
    shop.add("buyer@example.com", 1);
    let again = shop.db.write_blocking(|tx| common::add(tx, "buyer@example.com", 1));
    let error = again.expect_err("the key is there already").to_string();
    assert!(error.contains("INSERT INTO goods"), "{error}");
    assert!(!error.contains("buyer@example.com"), "{error}");
}

fn a_statement_put_together_at_run_time_works(shop: Shop) {
    shop.add("pen", 3);
    for number in 0..600_i64 {
        let text = format!("SELECT stock + {number} AS more FROM goods WHERE id = $1");
        let more = shop.db.read_blocking(|snapshot| {
            assert!(matches!(snapshot.engine(), db::Engine::Sqlite | db::Engine::Postgres));
            sql(text.clone()).bind("pen").one(snapshot, |row| row.get::<i64>("more"))
        });
        assert_eq!(more.expect("it reads"), 3 + number);
    }
}

fn upserts_have_one_text(shop: Shop) {
    let add = |tx: &mut db::Tx<'_>| {
        sql("INSERT INTO goods (id, stock) VALUES ($1, $2)
             ON CONFLICT (id) DO UPDATE SET stock = goods.stock + excluded.stock RETURNING stock")
        .bind("pen")
        .bind(2)
        .one(tx, |row| row.get::<i64>("stock"))
    };
    assert_eq!(shop.db.write_blocking(add).expect("it writes"), 2);
    assert_eq!(shop.db.write_blocking(add).expect("it writes"), 4);
}
