//! The blocking `postgres` driver alone against the `db` crate.

use std::collections::HashMap;
use std::time::Duration;

use db::{Db, Options, Tuning};
use postgres::types::ToSql;
use postgres::{Client, NoTls, Statement};
use testkit::pg::{Cluster, Durability};

use super::order::{
    BODY, EVENTS, EXPIRES, FINISH, INSERT_EVENT, INSERT_GRANT, INSERT_LINE, INSERT_ORDER, INSERT_UNIT, LINES,
    NONCE, PAY, READ_LINES, READ_ORDER, SCHEMA, TEXTS, at, id,
};
use super::{Numbers, TASKS, through_db};
use crate::report::{Failure, Pace, Report, Stopwatch, timed};

/// How many connections both sides use.
const CONNECTIONS: usize = 16;

pub fn run(pace: Pace, report: &mut Report) -> Result<(), Failure> {
    eprintln!("PostgreSQL, {CONNECTIONS} connections, orders of 20 statements, durable:");
    let cluster = Cluster::private(Durability::Safe);
    for tasks in TASKS.into_iter().filter(|tasks| *tasks >= CONNECTIONS) {
        let (bare_place, db_place) = (cluster.database(SCHEMA), cluster.database(SCHEMA));
        let mut bare = Vec::new();
        for _ in 0..CONNECTIONS {
            bare.push(Bare::connect(&bare_place.url())?);
        }
        let tuning = Tuning { postgres_writers: CONNECTIONS, ..Tuning::default() };
        let db = Db::open_with(&Options::Postgres(db_place.url()), SCHEMA, tuning)?;
        let numbers = Numbers::default();
        report.compare(
            &format!("PostgreSQL, {tasks} tasks waiting"),
            ("bare, 1 per commit", &mut timed(|time| loop_bare(&mut bare, &numbers, time))),
            &mut timed(|time| through_db(&db, &numbers, tasks, time)),
            None,
            pace,
        )?;
    }
    Ok(())
}

fn loop_bare(connections: &mut [Bare], numbers: &Numbers, time: Duration) -> Result<u64, Failure> {
    let clock = Stopwatch::start();
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for bare in connections {
            threads.push(scope.spawn(move || {
                let mut written = 0;
                while clock.elapsed() < time {
                    bare.client.batch_execute("BEGIN")?;
                    bare.write(numbers.next())?;
                    bare.client.batch_execute("COMMIT")?;
                    written += 1;
                }
                Ok::<u64, postgres::Error>(written)
            }));
        }
        let mut written = 0;
        for thread in threads {
            written += thread.join().map_err(|_| "a thread panicked")??;
        }
        Ok(written)
    })
}

/// A connection with its prepared statements.
struct Bare {
    client: Client,
    statements: HashMap<&'static str, Statement>,
}

impl Bare {
    fn connect(url: &str) -> Result<Self, Failure> {
        let mut client = Client::connect(url, NoTls)?;
        let mut statements = HashMap::new();
        for text in TEXTS {
            statements.insert(text, client.prepare(text)?);
        }
        Ok(Self { client, statements })
    }

    fn run(&mut self, text: &str, params: &[&(dyn ToSql + Sync)]) -> Result<u64, postgres::Error> {
        let statement = self.statements.get(text).expect("all texts are prepared");
        self.client.execute(statement, params)
    }

    fn read(
        &mut self,
        text: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<postgres::Row>, postgres::Error> {
        let statement = self.statements.get(text).expect("all texts are prepared");
        self.client.query(statement, params)
    }

    /// The same 20 statements as `order::write`.
    fn write(&mut self, number: u64) -> Result<(), postgres::Error> {
        let (order, customer) = (id("ord", number, 0), id("cus", number % 1_000, 0));
        self.run(INSERT_ORDER, &[&order, &customer, &"awaiting", &4900_i64, &1_i64, &at(number)])?;
        for line in 0..LINES {
            self.run(INSERT_LINE, &[&id("lin", number, line), &order, &"SKU-1", &1_i64, &1633_i64])?;
        }
        let rows = self.read(READ_ORDER, &[&order])?;
        let mut version = 0_i64;
        for row in rows {
            let _: (String, String, String, i64) = (row.get(0), row.get(1), row.get(2), row.get(3));
            version = row.get(4);
        }
        self.run(PAY, &[&"paid", &order, &version])?;
        let rows = self.read(READ_LINES, &[&order])?;
        for (part, row) in (0..).zip(&rows) {
            let line: String = row.get(0);
            let _: (String, i64, i64) = (row.get(1), row.get(2), row.get(3));
            self.run(INSERT_UNIT, &[&line, &1_i64, &"delivered"])?;
            let nonce = NONCE.as_slice();
            self.run(INSERT_GRANT, &[&id("gra", number, part), &line, &1_i64, &nonce, &EXPIRES])?;
        }
        for event in 0..EVENTS {
            let event = id("evt", number, event);
            self.run(INSERT_EVENT, &[&event, &order, &"payment.settled", &BODY, &at(number)])?;
        }
        self.run(FINISH, &[&1_i64, &order]).map(drop)
    }
}
