//! The state of the business as one number, for tests that nothing has changed.

use db::{Value, dump};
use sha2::{Digest, Sha256};

use super::TestApp;

/// Not business: the inbox and its log, work to be done, the watch over it, who is signed in, and where the gateway
/// is, which is another port in each run.
const LEFT_OUT: [&str; 10] = [
    "notices",
    "events",
    "jobs",
    "alarm_watch",
    "sessions",
    "login_tokens",
    "api_keys",
    "idempotency",
    "settings",
    "connections",
];

impl TestApp {
    /// A digest of every row that says what was sold, paid, granted, sent and asked.
    pub fn business_state(&self) -> String {
        self.read(|snapshot| {
            let mut hash = Sha256::new();
            for table in dump::tables(snapshot)? {
                if LEFT_OUT.contains(&table.name.as_str()) {
                    continue;
                }
                hash.update(format!("\n{}\n", table.name));
                let mut after: Option<Vec<Value>> = None;
                loop {
                    let rows = dump::page(snapshot, &table, after.as_deref(), dump::PAGE_ROWS_MAX)?;
                    rows.iter().for_each(|row| hash.update(format!("{row:?}\n")));
                    match rows.last() {
                        Some(last) => after = Some(table.key_of(last)),
                        None => break,
                    }
                }
            }
            Ok(hex::encode(hash.finalize()))
        })
    }
}
