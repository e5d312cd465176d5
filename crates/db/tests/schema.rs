//! The product's schema is the same on both engines, and can be dumped and put back.

mod common;

use std::collections::BTreeSet;

use db::{Db, DbError, Engine, Source, Value, dump, sql};
use testkit::ForEngine;

testkit::both_engines! {
    no_tables_refer_to_each_other_in_a_circle,
    rows_are_read_in_key_order_page_by_page,
}

fn no_tables_refer_to_each_other_in_a_circle(db: Db) {
    let tables = db.read_blocking(|snapshot| dump::tables(snapshot)).expect("an order of tables");
    assert!(!tables.is_empty());
    assert!(tables.iter().all(|table| table.name != "migrations"));
}

#[test]
fn both_engines_have_the_same_tables() {
    let [sqlite, postgres] = [Engine::Sqlite, Engine::Postgres].map(|engine| {
        let db = Db::for_engine(engine);
        db.read_blocking(|snapshot| dump::tables(snapshot)).expect("tables")
    });
    for (left, right) in sqlite.iter().zip(&postgres) {
        assert_eq!(left, right);
    }
    assert_eq!(sqlite.len(), postgres.len());
}

#[test]
fn both_engines_have_the_same_indexes() {
    let [sqlite, postgres] =
        [Engine::Sqlite, Engine::Postgres].map(|engine| indexes(&Db::for_engine(engine)));
    assert_eq!(sqlite.difference(&postgres).collect::<Vec<_>>(), Vec::<&Index>::new(), "only on SQLite");
    assert_eq!(postgres.difference(&sqlite).collect::<Vec<_>>(), Vec::<&Index>::new(), "only on PostgreSQL");
}

/// Table, columns (with `?` for an expression), unique, partial.
type Index = (String, String, bool, bool);

fn indexes(db: &Db) -> BTreeSet<Index> {
    let of_sqlite = "
        SELECT t.name AS on_table, l.\"unique\" AS is_unique, l.partial AS is_partial,
               (SELECT group_concat(coalesce(i.name, '?') || CASE i.desc WHEN 1 THEN ' desc' ELSE '' END, ',')
                  FROM (SELECT * FROM pragma_index_xinfo(l.name) WHERE key = 1 ORDER BY seqno) i) AS on_columns
          FROM sqlite_schema t, pragma_index_list(t.name) l
         WHERE t.type = 'table' AND t.name <> 'migrations'";
    let of_postgres = "
        SELECT c.relname::text AS on_table, i.indisunique AS is_unique, i.indpred IS NOT NULL AS is_partial,
               (SELECT string_agg(coalesce(a.attname::text, '?')
                         || CASE WHEN i.indoption[k.place - 1] & 1 = 1 THEN ' desc' ELSE '' END, ',' ORDER BY k.place)
                  FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
                  LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number) AS on_columns
          FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
         WHERE c.relnamespace = current_schema()::regnamespace AND c.relname <> 'migrations'";
    let found = db.read_blocking(|snapshot| {
        let text = if snapshot.engine() == Engine::Sqlite { of_sqlite } else { of_postgres };
        sql(text).all(snapshot, |row| {
            let (unique, partial): (i64, i64) = (row.get("is_unique")?, row.get("is_partial")?);
            Ok::<_, DbError>((row.get("on_table")?, row.get("on_columns")?, unique != 0, partial != 0))
        })
    });
    found.expect("indexes").into_iter().collect()
}

fn rows_are_read_in_key_order_page_by_page(shop: common::Shop) {
    for id in ["b", "B", "ä", "a", "_", "10", "9", "Z"] {
        shop.add(id, 1);
    }
    let read = shop.db.read_blocking(|snapshot| {
        let tables = dump::tables(snapshot)?;
        let goods = tables.first().expect("goods").clone();
        let mut rows: Vec<Vec<Value>> = Vec::new();
        loop {
            let after = rows.last().map(|row| goods.key_of(row));
            let page = dump::page(snapshot, &goods, after.as_deref(), 3)?;
            if page.is_empty() {
                return Ok::<_, DbError>(rows);
            }
            rows.extend(page);
        }
    });
    let ids: Vec<Value> = read.expect("rows").into_iter().map(|mut row| row.swap_remove(0)).collect();
    assert_eq!(ids, ["10", "9", "B", "Z", "_", "a", "b", "ä"].map(|id| Value::Text(id.to_owned())));
}

#[test]
fn a_dump_of_one_engine_is_put_back_into_the_other_and_round_again() {
    let first = common::Shop::for_engine(Engine::Sqlite);
    let middle = common::Shop::for_engine(Engine::Postgres);
    let last = common::Shop::for_engine(Engine::Sqlite);
    first
        .db
        .write_blocking(|tx| {
            for (id, data) in [("a", Some(vec![0_u8, 255, 10])), ("b", None)] {
                sql("INSERT INTO goods (id, stock, note, data) VALUES ($1, $2, $3, $4)")
                    .bind(id)
                    .bind(i64::MAX)
                    .bind("naïve ☃ \u{1}")
                    .bind(data)
                    .change_one(tx)?;
            }
            Ok::<_, DbError>(())
        })
        .expect("it writes");
    copy(&first.db, &middle.db);
    copy(&middle.db, &last.db);
    assert_eq!(rows(&first.db), rows(&last.db));
    assert_eq!(rows(&middle.db).len(), 2);
}

fn rows(db: &Db) -> Vec<Vec<Value>> {
    let read = db.read_blocking(|snapshot| {
        let tables = dump::tables(snapshot)?;
        dump::page(snapshot, tables.first().expect("goods"), None, 100)
    });
    read.expect("rows")
}

fn copy(from: &Db, to: &Db) {
    let all = rows(from);
    let table = from.read_blocking(|snapshot| dump::tables(snapshot)).expect("tables").swap_remove(0);
    let copied = to.write_blocking(move |tx| all.iter().try_for_each(|row| dump::insert(tx, &table, row)));
    copied.expect("it writes");
}
