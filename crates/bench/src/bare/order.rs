//! The order that is written: its schema, its statements, and how the product writes it.

use db::{DbError, Migration, Tx, sql};

/// The tables, on both engines.
pub const SCHEMA: &[Migration] = &[Migration {
    name: "0001_bench",
    sqlite: "
        CREATE TABLE orders (id TEXT NOT NULL PRIMARY KEY, customer TEXT NOT NULL, status TEXT NOT NULL,
                             total INTEGER NOT NULL, version INTEGER NOT NULL, created_at INTEGER NOT NULL) STRICT;
        CREATE INDEX orders_customer ON orders (customer, created_at);
        CREATE TABLE lines (id TEXT NOT NULL PRIMARY KEY, order_id TEXT NOT NULL REFERENCES orders (id),
                            sku TEXT NOT NULL, quantity INTEGER NOT NULL, amount INTEGER NOT NULL) STRICT;
        CREATE INDEX lines_order ON lines (order_id);
        CREATE TABLE units (line_id TEXT NOT NULL REFERENCES lines (id), number INTEGER NOT NULL,
                            state TEXT NOT NULL, PRIMARY KEY (line_id, number)) STRICT;
        CREATE TABLE grants (id TEXT NOT NULL PRIMARY KEY, line_id TEXT NOT NULL, number INTEGER NOT NULL,
                             nonce BLOB NOT NULL, expires_at INTEGER,
                             FOREIGN KEY (line_id, number) REFERENCES units (line_id, number)) STRICT;
        CREATE TABLE events (id TEXT NOT NULL PRIMARY KEY, order_id TEXT NOT NULL REFERENCES orders (id),
                             kind TEXT NOT NULL, body TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
        CREATE INDEX events_order ON events (order_id, at);",
    postgres: "
        CREATE TABLE orders (id TEXT COLLATE \"C\" NOT NULL PRIMARY KEY, customer TEXT COLLATE \"C\" NOT NULL,
                             status TEXT NOT NULL, total BIGINT NOT NULL, version BIGINT NOT NULL,
                             created_at BIGINT NOT NULL);
        CREATE INDEX orders_customer ON orders (customer, created_at);
        CREATE TABLE lines (id TEXT COLLATE \"C\" NOT NULL PRIMARY KEY,
                            order_id TEXT COLLATE \"C\" NOT NULL REFERENCES orders (id),
                            sku TEXT NOT NULL, quantity BIGINT NOT NULL, amount BIGINT NOT NULL);
        CREATE INDEX lines_order ON lines (order_id);
        CREATE TABLE units (line_id TEXT COLLATE \"C\" NOT NULL REFERENCES lines (id), number BIGINT NOT NULL,
                            state TEXT NOT NULL, PRIMARY KEY (line_id, number));
        CREATE TABLE grants (id TEXT COLLATE \"C\" NOT NULL PRIMARY KEY, line_id TEXT COLLATE \"C\" NOT NULL,
                             number BIGINT NOT NULL, nonce BYTEA NOT NULL, expires_at BIGINT,
                             FOREIGN KEY (line_id, number) REFERENCES units (line_id, number));
        CREATE TABLE events (id TEXT COLLATE \"C\" NOT NULL PRIMARY KEY,
                             order_id TEXT COLLATE \"C\" NOT NULL REFERENCES orders (id),
                             kind TEXT NOT NULL, body TEXT NOT NULL, at BIGINT NOT NULL);
        CREATE INDEX events_order ON events (order_id, at);",
}];

pub const INSERT_ORDER: &str =
    "INSERT INTO orders (id, customer, status, total, version, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
pub const INSERT_LINE: &str =
    "INSERT INTO lines (id, order_id, sku, quantity, amount) VALUES ($1, $2, $3, $4, $5)";
pub const READ_ORDER: &str = "SELECT id, customer, status, total, version FROM orders WHERE id = $1";
pub const READ_LINES: &str = "SELECT id, sku, quantity, amount FROM lines WHERE order_id = $1 ORDER BY id";
pub const PAY: &str = "UPDATE orders SET status = $1, version = version + 1 WHERE id = $2 AND version = $3";
pub const INSERT_UNIT: &str =
    "INSERT INTO units (line_id, number, state) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
pub const INSERT_GRANT: &str =
    "INSERT INTO grants (id, line_id, number, nonce, expires_at) VALUES ($1, $2, $3, $4, $5)";
pub const INSERT_EVENT: &str =
    "INSERT INTO events (id, order_id, kind, body, at) VALUES ($1, $2, $3, $4, $5)";
pub const FINISH: &str = "UPDATE orders SET total = total + $1 WHERE id = $2";

/// All of them, for preparing.
pub const TEXTS: [&str; 9] =
    [INSERT_ORDER, INSERT_LINE, READ_ORDER, READ_LINES, PAY, INSERT_UNIT, INSERT_GRANT, INSERT_EVENT, FINISH];

pub const LINES: u64 = 3;
pub const EVENTS: u64 = 6;
pub const NONCE: [u8; 16] = [7; 16];
pub const BODY: &str =
    "{\"gateway\":\"paysim\",\"transaction\":\"tx_0123456789abcdef\",\"amount\":4900,\"currency\":\"EUR\"}";
pub const EXPIRES: Option<i64> = Some(1_800_000_000_000_000);

/// Time-ordered text ids, as the product mints them.
pub fn id(kind: &str, number: u64, part: u64) -> String {
    format!("{kind}_01j9{number:016x}{part:06x}")
}

pub fn at(number: u64) -> i64 {
    1_700_000_000_000_000_i64.saturating_add_unsigned(number)
}

/// 20 statements through the `db` crate.
pub fn write(tx: &mut Tx<'_>, number: u64) -> Result<(), DbError> {
    let (order, customer) = (id("ord", number, 0), id("cus", number % 1_000, 0));
    sql(INSERT_ORDER)
        .bind(&order)
        .bind(&customer)
        .bind("awaiting")
        .bind(4900)
        .bind(1)
        .bind(at(number))
        .change_one(tx)?;
    for line in 0..LINES {
        let line = id("lin", number, line);
        sql(INSERT_LINE).bind(&line).bind(&order).bind("SKU-1").bind(1).bind(1633).change_one(tx)?;
    }
    let version = sql(READ_ORDER).bind(&order).one(tx, |row| {
        let _: (String, String, String, i64) =
            (row.get("id")?, row.get("customer")?, row.get("status")?, row.get("total")?);
        row.get::<i64>("version")
    })?;
    sql(PAY).bind("paid").bind(&order).bind(version).change_one(tx)?;
    let lines = sql(READ_LINES).bind(&order).all(tx, |row| {
        let _: (String, i64, i64) = (row.get("sku")?, row.get("quantity")?, row.get("amount")?);
        row.get::<String>("id")
    })?;
    for (part, line) in (0..).zip(&lines) {
        sql(INSERT_UNIT).bind(line).bind(1).bind("delivered").insert_new(tx)?;
        let grant = id("gra", number, part);
        sql(INSERT_GRANT).bind(&grant).bind(line).bind(1).bind(NONCE).bind(EXPIRES).change_one(tx)?;
    }
    for event in 0..EVENTS {
        let event = id("evt", number, event);
        sql(INSERT_EVENT)
            .bind(&event)
            .bind(&order)
            .bind("payment.settled")
            .bind(BODY)
            .bind(at(number))
            .change_one(tx)?;
    }
    sql(FINISH).bind(1).bind(&order).change_one(tx)
}
