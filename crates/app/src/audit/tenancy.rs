//! Merchants live beside each other, and never in each other's rows.

use db::{DbError, sql};

use super::{Auditor, Check, Findings, SHOWN_MAX};

/// I14.
pub const SEPARATE: Check = Check {
    id: "I14",
    title: "no row refers to a row of another merchant",
    why: "one merchant's buyers would see another's goods, or names",
    rules: &[],
    code: Some(references),
    not_applicable: None,
};

/// A foreign key from one table with a merchant to another.
#[derive(Debug, Clone, Copy)]
pub struct Reference {
    /// The table that refers.
    pub table: &'static str,
    /// The column that names its rows.
    pub names: &'static str,
    /// The columns that refer, with those that they refer to.
    pub columns: &'static [(&'static str, &'static str)],
    /// The table that is referred to.
    pub parent: &'static str,
}

const fn by_id(
    table: &'static str,
    columns: &'static [(&'static str, &'static str)],
    parent: &'static str,
) -> Reference {
    Reference { table, names: "id", columns, parent }
}

const fn named(
    table: &'static str,
    names: &'static str,
    columns: &'static [(&'static str, &'static str)],
    parent: &'static str,
) -> Reference {
    Reference { table, names, columns, parent }
}

/// Every such key of the schema; a test compares this list with it.
pub const REFERENCES: &[Reference] = &[
    by_id("sessions", &[("staff_id", "id")], "staff"),
    by_id("sessions", &[("customer_id", "id")], "customers"),
    by_id("login_tokens", &[("staff_id", "id")], "staff"),
    by_id("login_tokens", &[("customer_id", "id")], "customers"),
    named("idempotency", "key", &[("api_key_id", "id")], "api_keys"),
    by_id("prices", &[("product_id", "id")], "products"),
    by_id("product_files", &[("product_id", "id")], "products"),
    by_id("file_versions", &[("product_file_id", "id")], "product_files"),
    by_id("orders", &[("connection_id", "id")], "connections"),
    by_id("orders", &[("payer_id", "id")], "customers"),
    by_id("orders", &[("customer_id", "id")], "customers"),
    by_id("order_lines", &[("order_id", "id")], "orders"),
    by_id("order_lines", &[("product_id", "id")], "products"),
    named("line_files", "line_id", &[("line_id", "id")], "order_lines"),
    named("line_files", "line_id", &[("file_version_id", "id")], "file_versions"),
    by_id("notices", &[("connection_id", "id")], "connections"),
    by_id("notices", &[("order_id", "id")], "orders"),
    by_id("payments", &[("connection_id", "id")], "connections"),
    by_id("payments", &[("order_id", "id")], "orders"),
    by_id("facts", &[("payment_id", "id")], "payments"),
    by_id("facts", &[("notice_id", "id")], "notices"),
    by_id("transfers", &[("fact_id", "id")], "facts"),
    by_id("transfers", &[("payment_id", "id")], "payments"),
    named("units", "line_id", &[("line_id", "id")], "order_lines"),
    named("units", "line_id", &[("order_id", "id")], "orders"),
    by_id("grants", &[("order_id", "id")], "orders"),
    by_id("grants", &[("customer_id", "id")], "customers"),
    by_id("grants", &[("line_id", "line_id"), ("unit_no", "unit_no")], "units"),
    by_id("grant_changes", &[("grant_id", "id")], "grants"),
    named("grant_files", "grant_id", &[("grant_id", "id")], "grants"),
    named("grant_files", "grant_id", &[("file_version_id", "id")], "file_versions"),
    named("stamps", "line_id", &[("order_id", "id")], "orders"),
    named("stamps", "line_id", &[("line_id", "line_id"), ("unit_no", "unit_no")], "units"),
    named("stamps", "line_id", &[("file_version_id", "id")], "file_versions"),
    by_id("downloads", &[("grant_id", "id")], "grants"),
    by_id("downloads", &[("file_version_id", "id")], "file_versions"),
    named("download_files", "download_id", &[("download_id", "id")], "downloads"),
    named("download_files", "download_id", &[("file_version_id", "id")], "file_versions"),
    named("unit_parts", "line_id", &[("line_id", "line_id"), ("unit_no", "unit_no")], "units"),
    named("unit_parts", "line_id", &[("order_id", "id")], "orders"),
    named("unit_files", "line_id", &[("line_id", "line_id"), ("unit_no", "unit_no")], "units"),
    named("unit_files", "line_id", &[("file_version_id", "id")], "file_versions"),
    named("unit_files", "line_id", &[("replaces_id", "id")], "file_versions"),
    named("unit_texts", "line_id", &[("line_id", "line_id"), ("unit_no", "unit_no")], "units"),
    named("unit_archives", "line_id", &[("line_id", "line_id"), ("unit_no", "unit_no")], "units"),
    by_id("choices", &[("product_id", "id")], "products"),
    named("hand_overs", "download_id", &[("download_id", "id")], "downloads"),
    by_id("messages", &[("order_id", "id")], "orders"),
    by_id("messages", &[("customer_id", "id")], "customers"),
    by_id("invoices", &[("order_id", "id")], "orders"),
    by_id("invoices", &[("corrects_id", "id")], "invoices"),
    named("credits_due", "fact_id", &[("fact_id", "id")], "facts"),
    named("credits_due", "fact_id", &[("order_id", "id")], "orders"),
    by_id("reviews", &[("order_id", "id")], "orders"),
    by_id("reviews", &[("notice_id", "id")], "notices"),
    by_id("events", &[("order_id", "id")], "orders"),
];

impl Reference {
    fn query(&self) -> String {
        let on: Vec<String> = self.columns.iter().map(|(from, to)| format!("p.{to} = c.{from}")).collect();
        format!(
            "SELECT c.{} AS id FROM {} c JOIN {} p ON {} WHERE p.merchant_id <> c.merchant_id ORDER BY 1 LIMIT {SHOWN_MAX}",
            self.names,
            self.table,
            self.parent,
            on.join(" AND ")
        )
    }
}

fn references(auditor: &Auditor<'_>, findings: &mut Findings) -> Result<(), DbError> {
    for reference in REFERENCES {
        let rows: Vec<String> =
            auditor.read(|snapshot| sql(reference.query()).all(snapshot, |row| row.get("id")))?;
        let columns: Vec<&str> = reference.columns.iter().map(|(from, _)| *from).collect();
        for row in rows {
            let text = format!("{}.{} names a row of another merchant", reference.table, columns.join("."));
            findings.add(vec![row], text);
        }
    }
    Ok(())
}
