//! Invariants that one statement can see.

use db::{DbError, Source, sql};

use super::{FOUND_MAX, Report, Violation};

/// A statement that answers with what must not be, in the column `found`.
pub struct Check {
    /// The invariant's number.
    pub id: &'static str,
    /// What it says.
    pub rule: &'static str,
    statement: &'static str,
}

/// All of them.
pub const CHECKS: &[Check] = &[
    Check {
        id: "I1",
        rule: "a paid order has exactly the units that were bought; no order has more",
        statement: "SELECT l.id || ' has ' || CAST(u.made AS TEXT) || ' units of ' || CAST(l.quantity AS TEXT) AS found
              FROM order_lines l JOIN orders o ON o.id = l.order_id
              JOIN (SELECT line.id AS line_id, count(unit.unit_no) AS made FROM order_lines line
                      LEFT JOIN units unit ON unit.line_id = line.id GROUP BY line.id) u ON u.line_id = l.id
             WHERE l.kind = 'product'
               AND ((o.status = 'paid' AND u.made <> CASE WHEN l.quantity > 1000 THEN 1 ELSE l.quantity END)
                 OR u.made > CASE WHEN l.quantity > 1000 THEN 1 ELSE l.quantity END)",
    },
    Check {
        id: "I2",
        rule: "whoever has access has paid, or staff gave it with a record",
        statement: "SELECT g.id || ' is ' || g.status || ' and its order is ' || o.status AS found
              FROM grants g JOIN orders o ON o.id = g.order_id
             WHERE ((g.status = 'active' AND o.status <> 'paid')
                 OR (g.status = 'provisional' AND o.status NOT IN ('pending', 'paid')))
               AND NOT EXISTS (SELECT 1 FROM grant_changes c
                                WHERE c.grant_id = g.id AND c.change = 'reinstated' AND c.cause LIKE 'evt%')",
    },
    Check {
        id: "I3",
        rule: "every unit has its grant",
        statement: "SELECT u.line_id || ' unit ' || CAST(u.unit_no AS TEXT) || ' has no grant' AS found
              FROM units u LEFT JOIN grants g ON g.line_id = u.line_id AND g.unit_no = u.unit_no WHERE g.id IS NULL",
    },
    Check {
        id: "I4",
        rule: "every fact that moved money stands in the ledger once, with its amount",
        statement: "SELECT f.id || ' of ' || CAST(f.amount_minor AS TEXT) || ' ' || f.currency || ' is not in the ledger' AS found
              FROM facts f LEFT JOIN transfers t ON t.fact_id = f.id
             WHERE f.amount_minor > 0 AND f.kind IN ('settlement', 'refund', 'refund_failure', 'reversal',
                   'reversal_cancellation', 'dispute_lost')
               AND (t.id IS NULL OR t.amount_minor <> f.amount_minor OR t.currency <> f.currency)",
    },
    Check {
        id: "I6",
        rule: "a notice that is not decided has work waiting for it",
        statement: "SELECT n.id || ' is received and nobody works on it' AS found FROM notices n
             WHERE n.state = 'received' AND NOT EXISTS (SELECT 1 FROM jobs j
                   WHERE j.kind = 'verify_notice' AND j.dedupe_key = n.id)",
    },
    Check {
        id: "I7",
        rule: "a message that has not left has work waiting for it, and one that has left says when",
        statement: "SELECT m.id || ' waits and nobody works on it' AS found FROM messages m
             WHERE (m.state = 'waiting' AND NOT EXISTS (SELECT 1 FROM jobs j
                   WHERE j.kind = 'send_message' AND j.dedupe_key = m.id))
                OR (m.state = 'sent') <> (m.sent_at IS NOT NULL)",
    },
    Check {
        id: "I8",
        rule: "no file of a grant has more places taken than its limit",
        statement: "SELECT p.grant_id || ' ' || p.file_version_id || ' has ' ||
                   CAST(p.open_places + p.spent_places AS TEXT) || ' of ' || CAST(g.download_limit AS TEXT) AS found
              FROM grant_files p JOIN grants g ON g.id = p.grant_id
             WHERE p.open_places + p.spent_places > g.download_limit",
    },
    Check {
        id: "I8",
        rule: "reserved places are the sessions that are open",
        statement: "SELECT p.grant_id || ' ' || p.file_version_id || ' has ' || CAST(p.open_places AS TEXT) ||
                   ' places reserved' AS found
              FROM grant_files p
             WHERE p.open_places <> (SELECT count(*) FROM downloads d WHERE d.grant_id = p.grant_id
                   AND d.file_version_id = p.file_version_id AND d.state = 'open')",
    },
    Check {
        id: "I9",
        rule: "the numbers of a series run from 1 without a gap",
        statement: "SELECT s.merchant_id || ' ' || s.series || ' counts ' || CAST(s.last_number AS TEXT) ||
                   ' and has ' || CAST(count(i.id) AS TEXT) AS found
              FROM invoice_series s
              LEFT JOIN invoices i ON i.merchant_id = s.merchant_id AND i.series = s.series
             GROUP BY s.merchant_id, s.series, s.last_number
            HAVING count(i.id) <> s.last_number OR COALESCE(max(i.number), 0) <> s.last_number",
    },
    Check {
        id: "I9",
        rule: "a later number was not issued earlier",
        statement: "SELECT b.id || ' was issued before the number ahead of it' AS found
              FROM invoices a JOIN invoices b ON b.merchant_id = a.merchant_id AND b.series = a.series
               AND b.number = a.number + 1 WHERE b.issued_at < a.issued_at",
    },
    Check {
        id: "I16",
        rule: "a unit stands for what a payment brought: no grant is older than its order",
        statement: "SELECT g.id || ' was given before its order was made' AS found
              FROM grants g JOIN orders o ON o.id = g.order_id WHERE g.created_at < o.created_at",
    },
    Check {
        id: "I18",
        rule: "what is not authentic has stated nothing",
        statement: "SELECT f.id || ' comes from ' || n.id || ', which is forged' AS found
              FROM facts f JOIN notices n ON n.id = f.notice_id WHERE n.state = 'forged'",
    },
];

/// What breaks a check.
pub fn find(source: &mut impl Source, check: &Check) -> Result<Vec<String>, DbError> {
    let statement = format!("{} LIMIT {FOUND_MAX}", check.statement);
    sql(statement).all(source, |row| row.get("found"))
}

/// Rows with a reference to a row that belongs to a merchant too.
const REFERENCES: &[(&str, &str, &str)] = &[
    ("customers", "sessions", "customer_id"),
    ("staff", "sessions", "staff_id"),
    ("products", "prices", "product_id"),
    ("products", "product_files", "product_id"),
    ("product_files", "file_versions", "product_file_id"),
    ("connections", "orders", "connection_id"),
    ("customers", "orders", "customer_id"),
    ("orders", "order_lines", "order_id"),
    ("products", "order_lines", "product_id"),
    ("order_lines", "line_files", "line_id"),
    ("file_versions", "line_files", "file_version_id"),
    ("connections", "notices", "connection_id"),
    ("orders", "notices", "order_id"),
    ("connections", "payments", "connection_id"),
    ("orders", "payments", "order_id"),
    ("payments", "facts", "payment_id"),
    ("notices", "facts", "notice_id"),
    ("facts", "transfers", "fact_id"),
    ("orders", "units", "order_id"),
    ("orders", "grants", "order_id"),
    ("customers", "grants", "customer_id"),
    ("grants", "grant_changes", "grant_id"),
    ("grants", "grant_files", "grant_id"),
    ("grants", "downloads", "grant_id"),
    ("orders", "messages", "order_id"),
    ("customers", "messages", "customer_id"),
    ("orders", "invoices", "order_id"),
    ("orders", "reviews", "order_id"),
    ("orders", "events", "order_id"),
];

/// I14: no row refers to a row of another merchant.
pub fn merchants_apart(source: &mut impl Source, report: &mut Report) -> Result<(), DbError> {
    report.checks.push("I14");
    for (parent, child, column) in REFERENCES {
        let statement = format!(
            "SELECT c.{column} AS found FROM {child} c JOIN {parent} p ON p.id = c.{column}
              WHERE p.merchant_id <> c.merchant_id LIMIT {FOUND_MAX}"
        );
        for id in sql(statement).all(source, |row| row.get::<String>("found"))? {
            report.violations.push(Violation {
                check: "I14",
                rule: "no row refers to a row of another merchant",
                found: format!("{child} refers to {id} of another merchant"),
            });
        }
    }
    Ok(())
}
