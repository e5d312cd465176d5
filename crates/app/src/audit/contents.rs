//! What is sold is there.

use db::{DbError, Snapshot, sql};
use stores::Sha256;

use super::{Auditor, Check, Depth, Findings, PAGE_ROWS, Rule};

/// I12.
pub const STORED: Check = Check {
    id: "I12",
    title: "every content that is sold or shown is stored, whole",
    why: "a buyer would get an error page instead of a file",
    rules: &[Rule {
        says: "an upload that is whole is none that arrived",
        find: "SELECT u.id AS id, CAST(u.received AS TEXT) || ' of ' || CAST(COALESCE(u.size, b.size, 0) AS TEXT) AS detail
                 FROM uploads u LEFT JOIN file_versions v ON v.id = u.file_version_id
                 LEFT JOIN blobs b ON b.sha256 = v.sha256
                WHERE u.received > u.size
                   OR (u.file_version_id IS NOT NULL AND (u.sha256 IS NULL OR u.received <> b.size))",
    },
    Rule {
        says: "a drawing or picture of a design that was kept is not among the contents",
        find: "SELECT a.sha256 AS id, a.kind AS detail FROM artwork_contents a
                WHERE a.kept_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM blobs b WHERE b.sha256 = a.sha256)",
    }],
    code: Some(contents),
    not_applicable: None,
};

struct Content {
    sha256: String,
    size: Option<u64>,
}

fn contents(auditor: &Auditor<'_>, findings: &mut Findings) -> Result<(), DbError> {
    let mut after = String::new();
    loop {
        let page = auditor.read(|snapshot| page(snapshot, &after))?;
        for content in &page {
            if let Err(why) = look(auditor, content) {
                findings.add(vec![content.sha256.clone()], why);
            }
        }
        match page.into_iter().next_back() {
            Some(last) => after = last.sha256,
            None => return logos(auditor, findings),
        }
    }
}

fn page(snapshot: &mut Snapshot<'_>, after: &str) -> Result<Vec<Content>, DbError> {
    sql("SELECT b.sha256 AS sha256, b.size AS size FROM blobs b
          WHERE b.sha256 > $1 AND b.gone_at IS NULL AND (EXISTS (SELECT 1 FROM file_versions v WHERE v.sha256 = b.sha256)
                                   OR EXISTS (SELECT 1 FROM packed p WHERE p.packed_sha256 = b.sha256)
                                   OR EXISTS (SELECT 1 FROM artwork_contents a
                                               WHERE a.sha256 = b.sha256 AND a.kept_at IS NOT NULL))
          ORDER BY b.sha256 LIMIT $2")
    .bind(after)
    .bind(PAGE_ROWS)
    .all(snapshot, |row| Ok(Content { sha256: row.get("sha256")?, size: Some(row.get("size")?) }))
}

/// Merchants are few.
fn logos(auditor: &Auditor<'_>, findings: &mut Findings) -> Result<(), DbError> {
    let logos: Vec<String> = auditor.read(|snapshot| {
        sql("SELECT logo_sha256 FROM merchants WHERE logo_sha256 IS NOT NULL ORDER BY id")
            .all(snapshot, |row| row.get("logo_sha256"))
    })?;
    for sha256 in logos {
        let logo = Content { sha256, size: None };
        if let Err(why) = look(auditor, &logo) {
            findings.add(vec![logo.sha256], why);
        }
    }
    Ok(())
}

fn look(auditor: &Auditor<'_>, content: &Content) -> Result<(), String> {
    let sha256: Sha256 = content.sha256.parse().map_err(|_| "the row does not name a content".to_owned())?;
    let stored = auditor.blobs.size(&sha256).map_err(|error| error.to_string())?;
    match (stored, content.size) {
        (None, _) => return Err("the content is not stored".to_owned()),
        (Some(stored), Some(size)) if stored != size => {
            return Err(format!("the content has {stored} bytes and not {size}"));
        }
        (Some(_), _) => {}
    }
    match auditor.options.depth {
        Depth::Sizes => Ok(()),
        Depth::Contents => auditor.blobs.check(&sha256).map(drop).map_err(|error| error.to_string()),
    }
}
