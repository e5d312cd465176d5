//! SQL of the stores' states and troubles. They are the installation's, not a merchant's.

use db::{DbError, Row, Source, Tx, sql};
use kernel::{MerchantId, ProductId, Timestamp};

use super::{Defect, LastCheck, StoreState, Trouble, Way};

/// Writes how a store answered just now. Since when it is away stays while it is.
pub fn save_answer(tx: &mut Tx<'_>, name: &str, away: Option<&str>, now: Timestamp) -> Result<(), DbError> {
    sql("INSERT INTO store_states (name, asked_at, away_since, away_why, check_contents, check_defects)
         VALUES ($1, $2, $3, $4, 0, 0)
         ON CONFLICT (name) DO UPDATE SET asked_at = excluded.asked_at, away_why = excluded.away_why,
            away_since = CASE WHEN excluded.away_since IS NULL THEN NULL
                              ELSE COALESCE(store_states.away_since, excluded.away_since) END")
    .bind(name)
    .bind(now)
    .bind(away.map(|_| now))
    .bind(away.unwrap_or_default())
    .execute(tx)
    .map(drop)
}

/// Writes what a check of a store found. It was asked, and answered.
pub fn save_check(tx: &mut Tx<'_>, name: &str, check: &LastCheck) -> Result<(), DbError> {
    sql("INSERT INTO store_states (name, asked_at, away_why, checked_at, check_depth, check_contents, check_defects)
         VALUES ($1, $2, '', $2, $3, $4, $5)
         ON CONFLICT (name) DO UPDATE SET checked_at = excluded.checked_at, check_depth = excluded.check_depth,
            check_contents = excluded.check_contents, check_defects = excluded.check_defects")
    .bind(name)
    .bind(check.at)
    .bind(check.depth)
    .bind(check.contents)
    .bind(check.defects)
    .execute(tx)
    .map(drop)
}

/// How the stores stood when they were last asked, by name. Some may not be configured any more.
pub fn states(source: &mut impl Source) -> Result<Vec<StoreState>, DbError> {
    sql("SELECT name, asked_at, away_since, away_why, checked_at, check_depth, check_contents, check_defects
           FROM store_states ORDER BY name")
    .all(source, |row| {
        let (at, depth) = (row.get::<Option<Timestamp>>("checked_at")?, row.get("check_depth")?);
        let (contents, defects) = (row.get("check_contents")?, row.get("check_defects")?);
        Ok(StoreState {
            name: row.get("name")?,
            asked_at: row.get("asked_at")?,
            away_since: row.get("away_since")?,
            away_why: row.get("away_why")?,
            check: at.zip(depth).map(|(at, depth)| LastCheck { at, depth, contents, defects }),
        })
    })
}

/// Forgets stores that are not configured any more, and what they lacked.
pub fn forget_others(tx: &mut Tx<'_>, names: &[&str]) -> Result<(), DbError> {
    let is_known = |name: &String| names.contains(&name.as_str());
    let mut known: Vec<String> =
        sql("SELECT name FROM store_states UNION SELECT store AS name FROM store_troubles ORDER BY name")
            .all(tx, |row| row.get("name"))?;
    known.retain(|name| !is_known(name));
    for gone in &known {
        sql("DELETE FROM store_troubles WHERE store = $1").bind(gone).execute(tx)?;
        sql("DELETE FROM store_states WHERE name = $1").bind(gone).execute(tx)?;
    }
    Ok(())
}

/// Notes a trouble, unless no row knows the content. One that was mended is open again.
pub fn note(
    tx: &mut Tx<'_>,
    (store, sha256): (&str, &str),
    (defect, detail): (Defect, &str),
    now: Timestamp,
) -> Result<(), DbError> {
    sql("INSERT INTO store_troubles (store, sha256, defect, detail, found_at, tried_at)
         SELECT $1, b.sha256, $2, $3, $4, 0 FROM blobs b WHERE b.sha256 = $5
         ON CONFLICT (store, sha256) DO UPDATE SET defect = excluded.defect, detail = excluded.detail,
            tried_at = CASE WHEN store_troubles.mended_at IS NULL THEN store_troubles.tried_at ELSE 0 END,
            found_at = CASE WHEN store_troubles.mended_at IS NULL THEN store_troubles.found_at
                            ELSE excluded.found_at END,
            mended_at = NULL")
    .bind(store)
    .bind(defect)
    .bind(detail)
    .bind(now)
    .bind(sha256)
    .execute(tx)
    .map(drop)
}

const TROUBLES: &str = "SELECT t.store AS store, t.sha256 AS sha256, b.size AS size, t.defect AS defect,
    t.detail AS detail, t.found_at AS found_at, t.mended_at AS mended_at
    FROM store_troubles t JOIN blobs b ON b.sha256 = t.sha256";

/// Troubles that were not tried since this moment, those that waited longest first.
pub fn due(source: &mut impl Source, before: Timestamp, most: u32) -> Result<Vec<Trouble>, DbError> {
    sql(format!(
        "{TROUBLES} WHERE t.mended_at IS NULL AND t.tried_at <= $1 ORDER BY t.tried_at, t.store, t.sha256 LIMIT $2"
    ))
    .bind(before)
    .bind(most)
    .all(source, read)
}

/// The newest troubles, those that stand first.
pub fn newest(source: &mut impl Source, most: u32) -> Result<Vec<Trouble>, DbError> {
    sql(format!(
        "{TROUBLES} ORDER BY CASE WHEN t.mended_at IS NULL THEN 0 ELSE 1 END, t.found_at DESC, t.store, t.sha256 LIMIT $1"
    ))
    .bind(most)
    .all(source, read)
}

/// Writes that mending was tried, and whether it is well now.
pub fn tried(tx: &mut Tx<'_>, trouble: &Trouble, mended: bool, now: Timestamp) -> Result<(), DbError> {
    sql("UPDATE store_troubles SET tried_at = $1, mended_at = $2 WHERE store = $3 AND sha256 = $4 AND mended_at IS NULL")
        .bind(now)
        .bind(mended.then_some(now))
        .bind(&trouble.store)
        .bind(&trouble.sha256)
        .execute(tx)
        .map(drop)
}

/// Closes the troubles of a store that a check has found to be well.
pub fn found_well(tx: &mut Tx<'_>, store: &str, sha256: &str, now: Timestamp) -> Result<(), DbError> {
    sql("UPDATE store_troubles SET mended_at = $1 WHERE store = $2 AND sha256 = $3 AND mended_at IS NULL")
        .bind(now)
        .bind(store)
        .bind(sha256)
        .execute(tx)
        .map(drop)
}

/// The open troubles of a store, by content.
pub fn open_of(source: &mut impl Source, store: &str) -> Result<Vec<Trouble>, DbError> {
    sql(format!("{TROUBLES} WHERE t.store = $1 AND t.mended_at IS NULL ORDER BY t.sha256"))
        .bind(store)
        .all(source, read)
}

/// Forgets what was mended before this moment.
pub fn forget_mended(tx: &mut Tx<'_>, before: Timestamp) -> Result<(), DbError> {
    sql("DELETE FROM store_troubles WHERE mended_at < $1").bind(before).execute(tx).map(drop)
}

/// A file of a merchant that a store lacks or has damaged.
#[derive(Debug, Clone)]
pub struct Lacking {
    /// The store.
    pub store: String,
    /// The file's name.
    pub name: String,
    /// The product that has it; none for what was made for one buyer.
    pub product: Option<ProductId>,
    /// What is wrong with it.
    pub defect: Defect,
    /// When that was found.
    pub found_at: Timestamp,
    /// When it was put right.
    pub mended_at: Option<Timestamp>,
}

/// What a merchant is to be told of: what stands, and damage that was mended since this moment.
pub fn lacking(
    source: &mut impl Source,
    merchant: MerchantId,
    mended_since: Timestamp,
    most: u32,
) -> Result<Vec<Lacking>, DbError> {
    sql("SELECT t.store AS store, t.sha256 AS sha256, t.defect AS defect, t.found_at AS found_at,
                t.mended_at AS mended_at, min(v.name) AS name, min(f.product_id) AS product_id
           FROM store_troubles t
           JOIN file_versions v ON v.sha256 = t.sha256
             OR v.sha256 IN (SELECT p.sha256 FROM packed p WHERE p.packed_sha256 = t.sha256)
           LEFT JOIN product_files f ON f.id = v.product_file_id
          WHERE v.merchant_id = $1 AND (t.mended_at IS NULL OR (t.defect = 'damaged' AND t.mended_at > $2))
          GROUP BY t.store, t.sha256, t.defect, t.found_at, t.mended_at ORDER BY t.found_at, t.store, t.sha256 LIMIT $3")
    .bind(merchant)
    .bind(mended_since)
    .bind(most)
    .all(source, |row| {
        Ok(Lacking {
            store: row.get("store")?,
            name: row.get("name")?,
            product: row.get("product_id")?,
            defect: row.get("defect")?,
            found_at: row.get("found_at")?,
            mended_at: row.get("mended_at")?,
        })
    })
}

/// How a merchant wants files to be delivered.
pub fn way(source: &mut impl Source, merchant: MerchantId) -> Result<Way, DbError> {
    let chosen = sql("SELECT way FROM shop_delivery WHERE merchant_id = $1")
        .bind(merchant)
        .optional(source, |row| row.get("way"))?;
    Ok(chosen.unwrap_or_default())
}

/// Writes how a merchant wants files to be delivered.
pub fn save_way(tx: &mut Tx<'_>, merchant: MerchantId, way: Way, now: Timestamp) -> Result<(), DbError> {
    sql("INSERT INTO shop_delivery (merchant_id, way, changed_at) VALUES ($1, $2, $3)
         ON CONFLICT (merchant_id) DO UPDATE SET way = excluded.way, changed_at = excluded.changed_at")
    .bind(merchant)
    .bind(way)
    .bind(now)
    .execute(tx)
    .map(drop)
}

/// A content that should be in every store.
#[derive(Debug, Clone)]
pub struct Content {
    /// Hex.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
}

/// How many bytes all contents have together.
pub fn bytes_in_all(source: &mut impl Source) -> Result<u64, DbError> {
    sql("SELECT CAST(COALESCE(sum(size), 0) AS BIGINT) AS bytes FROM blobs")
        .one(source, |row| row.get("bytes"))
}

/// The contents whose digests begin with this byte, in their order.
pub fn contents(source: &mut impl Source, shelf: u8) -> Result<Vec<Content>, DbError> {
    // Digests are lower-case hexadecimal; "g" comes after all that begin with "ff".
    let end = shelf.checked_add(1).map_or_else(|| "g".to_owned(), |next| format!("{next:02x}"));
    sql("SELECT sha256, size FROM blobs WHERE sha256 >= $1 AND sha256 < $2 ORDER BY sha256")
        .bind(format!("{shelf:02x}"))
        .bind(end)
        .all(source, |row| Ok(Content { sha256: row.get("sha256")?, size: row.get("size")? }))
}

fn read(row: &mut Row) -> Result<Trouble, DbError> {
    Ok(Trouble {
        store: row.get("store")?,
        sha256: row.get("sha256")?,
        size: row.get("size")?,
        defect: row.get("defect")?,
        detail: row.get("detail")?,
        found_at: row.get("found_at")?,
        mended_at: row.get("mended_at")?,
    })
}
