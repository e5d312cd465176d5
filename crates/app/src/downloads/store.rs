//! SQL of downloads and places.

use db::{DbError, Row, Source, Tx, sql};
use kernel::{DownloadId, FileVersionId, GrantId, MerchantId, OrderId, Timestamp};

use super::{Authorized, Download, DownloadState, GrantedFile, Parcel};
use crate::deliverables::Deliverables;
use crate::fulfillment::{Grant, GrantStatus};
use crate::storage::Way;

/// Which version of a file (`bought`) a line (`l`) of an order (`o`) gives: that of the day of
/// purchase, the newest, or the newest of those that came out while its buyer was to get updates.
/// A day of updates is 24 hours, from the payment; where that is still pending, from the order.
const VERSION: &str = "CASE l.file_policy
        WHEN 'latest' THEN (SELECT max(n.id) FROM file_versions n WHERE n.product_file_id = bought.product_file_id)
        WHEN 'updates_until' THEN (SELECT max(n.id) FROM file_versions n
             WHERE n.product_file_id = bought.product_file_id
               AND (n.id = bought.id
                    OR n.created_at < COALESCE(o.paid_at, o.created_at) + l.update_days * 86400000000))
        ELSE bought.id END";

/// The files that a grant gives: those of the day of purchase or the product's newest, and those
/// that were made for its unit.
///
/// What is handed out only as a copy that was made for the unit is not in the list before the
/// copy is there.
pub fn files(source: &mut impl Source, grant: &Grant) -> Result<Vec<GrantedFile>, DbError> {
    Ok(given(listed(source, grant)?).into_iter().map(|(_, file)| file).collect())
}

/// The files that a grant gives only as copies that are still to be made.
pub fn lacking_copies(source: &mut impl Source, grant: &Grant) -> Result<Vec<FileVersionId>, DbError> {
    let rows = listed(source, grant)?;
    let copied: Vec<FileVersionId> = rows.iter().filter_map(|row| row.replaces).collect();
    let lacks = |row: &&Listed| {
        row.replaces.is_none()
            && row.deliverables.replaces(&row.file.name)
            && !copied.contains(&row.file.version)
    };
    Ok(rows.iter().filter(lacks).map(|row| row.file.version).collect())
}

fn listed(source: &mut impl Source, grant: &Grant) -> Result<Vec<Listed>, DbError> {
    let of_products = of_products();
    sql(format!("{of_products} WHERE g.merchant_id = $1 AND g.id = $2 UNION ALL {OF_UNITS} WHERE g.merchant_id = $1 AND g.id = $2 ORDER BY made, position"))
        .bind(grant.merchant)
        .bind(grant.id)
        .all(source, read_listed)
}

/// The files of every grant of an order, by grant, in one question.
pub fn files_of_order(
    source: &mut impl Source,
    merchant: MerchantId,
    order: OrderId,
) -> Result<Vec<(GrantId, GrantedFile)>, DbError> {
    let of_products = of_products();
    let rows = sql(format!("{of_products} WHERE g.merchant_id = $1 AND g.order_id = $2 UNION ALL {OF_UNITS} WHERE g.merchant_id = $1 AND g.order_id = $2 ORDER BY grant_id, made, position"))
        .bind(merchant)
        .bind(order)
        .all(source, read_listed)?;
    Ok(given(rows))
}

fn of_products() -> String {
    format!(
        "SELECT 0 AS made, lf.position AS position, g.id AS grant_id, l.deliverables AS deliverables,
                NULL AS replaces_id, v.id AS version_id, v.name AS name, b.size AS size, b.sha256 AS sha256,
                b.md5 AS md5, b.crc32 AS crc32, v.created_at AS created_at,
                COALESCE(p.open_places + p.spent_places, 0) AS taken
           FROM grants g
           JOIN line_files lf ON lf.line_id = g.line_id
           JOIN order_lines l ON l.id = lf.line_id
           JOIN orders o ON o.id = l.order_id
           JOIN file_versions bought ON bought.id = lf.file_version_id
           JOIN file_versions v ON v.id = {VERSION}
           JOIN blobs b ON b.sha256 = v.sha256
           LEFT JOIN grant_files p ON p.grant_id = g.id AND p.file_version_id = v.id"
    )
}

const OF_UNITS: &str = "SELECT 1 AS made, uf.position AS position, g.id AS grant_id,
            CASE uf.part WHEN 'payload' THEN l.deliverables ELSE '{}' END AS deliverables,
            uf.replaces_id AS replaces_id, v.id AS version_id, v.name AS name, b.size AS size, b.sha256 AS sha256,
            b.md5 AS md5, b.crc32 AS crc32, v.created_at AS created_at,
            COALESCE(p.open_places + p.spent_places, 0) AS taken
       FROM grants g
       JOIN unit_files uf ON uf.line_id = g.line_id AND uf.unit_no = g.unit_no
       JOIN order_lines l ON l.id = g.line_id
       JOIN file_versions v ON v.id = uf.file_version_id
       JOIN blobs b ON b.sha256 = v.sha256
       LEFT JOIN grant_files p ON p.grant_id = g.id AND p.file_version_id = v.id";

/// A file of a product, or one that was made for a unit.
struct Listed {
    grant: GrantId,
    made: bool,
    /// What the line was sold with; of a file that was made for its buyer alone, nothing.
    deliverables: Deliverables,
    replaces: Option<FileVersionId>,
    file: GrantedFile,
}

fn read_listed(row: &mut Row) -> Result<Listed, DbError> {
    Ok(Listed {
        grant: row.get("grant_id")?,
        made: row.get::<i64>("made")? == 1,
        deliverables: row.get("deliverables")?,
        replaces: row.get("replaces_id")?,
        file: read_granted(row)?,
    })
}

/// Puts copies in the places of what they replace, and leaves out what has no copy yet.
fn given(mut rows: Vec<Listed>) -> Vec<(GrantId, GrantedFile)> {
    let first_made = rows.iter().position(|row| row.made).unwrap_or(rows.len());
    let plain = first_made == rows.len() && rows.iter().all(|row| row.deliverables.is_empty());
    if plain {
        return rows.into_iter().map(|row| (row.grant, row.file)).collect();
    }
    let (made, files): (Vec<Listed>, Vec<Listed>) = rows.drain(..).partition(|row| row.made);
    let (copies, own): (Vec<Listed>, Vec<Listed>) = made.into_iter().partition(|row| row.replaces.is_some());
    let mut given: Vec<(GrantId, GrantedFile)> = Vec::new();
    for row in files.into_iter().chain(own) {
        let copy =
            copies.iter().find(|copy| copy.grant == row.grant && copy.replaces == Some(row.file.version));
        match copy {
            Some(copy) => given.push((row.grant, copy.file.clone())),
            None if row.deliverables.replaces(&row.file.name) => {}
            None => given.push((row.grant, row.file)),
        }
    }
    given.sort_by_key(|(grant, _)| *grant);
    given
}

/// Reads a granted file's columns.
pub fn read_granted(row: &mut Row) -> Result<GrantedFile, DbError> {
    Ok(GrantedFile {
        version: row.get("version_id")?,
        name: row.get("name")?,
        size: row.get("size")?,
        sha256: row.get("sha256")?,
        md5: row.get("md5")?,
        crc32: row.get("crc32")?,
        created_at: row.get("created_at")?,
        taken: row.get("taken")?,
    })
}

/// Makes the row that counts places, where it is missing.
pub fn ensure_places(tx: &mut Tx<'_>, grant: &Grant, file: FileVersionId) -> Result<(), DbError> {
    sql("INSERT INTO grant_files (grant_id, file_version_id, merchant_id, open_places, spent_places, bytes)
         VALUES ($1, $2, $3, 0, 0, 0) ON CONFLICT DO NOTHING")
    .bind(grant.id)
    .bind(file)
    .bind(grant.merchant)
    .execute(tx)
    .map(drop)
}

/// Reserves a place if one is free: check and count are one statement, so no race can pass.
pub fn reserve_place(tx: &mut Tx<'_>, grant: &Grant, file: FileVersionId) -> Result<bool, DbError> {
    let changed = sql("UPDATE grant_files SET open_places = open_places + 1
          WHERE grant_id = $1 AND file_version_id = $2 AND merchant_id = $3 AND open_places + spent_places < $4")
    .bind(grant.id)
    .bind(file)
    .bind(grant.merchant)
    .bind(grant.download_limit)
    .execute(tx)?;
    Ok(changed == 1)
}

/// Frees all places of a grant whose links were replaced, and ends its sessions.
pub fn forget_places(tx: &mut Tx<'_>, grant: &Grant) -> Result<(), DbError> {
    sql("UPDATE grant_files SET open_places = 0, spent_places = 0, bytes = 0 WHERE merchant_id = $1 AND grant_id = $2")
        .bind(grant.merchant)
        .bind(grant.id)
        .execute(tx)?;
    sql("UPDATE downloads SET state = 'returned' WHERE merchant_id = $1 AND grant_id = $2 AND state = 'open'")
        .bind(grant.merchant)
        .bind(grant.id)
        .execute(tx)
        .map(drop)
}

/// Writes a new session.
pub fn insert(tx: &mut Tx<'_>, download: &Download) -> Result<(), DbError> {
    let (file, etag) = match &download.parcel {
        Parcel::File(version) => (Some(*version), None),
        Parcel::Archive { etag } => (None, Some(etag.as_str())),
    };
    sql("INSERT INTO downloads (id, merchant_id, grant_id, file_version_id, archive_etag, generation, nonce, ring_key,
            state, bytes, size, address, user_agent, started_at, last_byte_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)")
    .bind(download.id)
    .bind(download.merchant)
    .bind(download.grant)
    .bind(file)
    .bind(etag)
    .bind(download.generation)
    .bind(download.nonce)
    .bind(download.ring_key)
    .bind(download.state)
    .bind(download.bytes)
    .bind(download.size)
    .bind(&download.address)
    .bind(&download.user_agent)
    .bind(download.started_at)
    .bind(download.last_byte_at)
    .execute(tx)
    .map(drop)
}

/// A session with what authorizes it.
#[derive(Debug)]
pub struct Session {
    /// The session.
    pub download: Download,
    /// The grant that it hands out by, as it is now.
    pub grant: Grant,
    /// The name to save its content under, and its hex SHA-256; none for an archive.
    pub file: Option<(String, String)>,
    /// How its merchant wants files to be delivered.
    pub way: Way,
}

/// The session with the id in a transfer token.
pub fn session(source: &mut impl Source, id: DownloadId) -> Result<Option<Session>, DbError> {
    sql("SELECT d.id AS d_id, d.merchant_id AS d_merchant, d.grant_id AS d_grant, d.file_version_id AS d_file,
                d.generation AS d_generation, d.nonce AS d_nonce, d.ring_key AS d_ring_key, d.state AS d_state,
                d.bytes AS d_bytes, d.size AS d_size, d.address AS d_address, d.user_agent AS d_user_agent,
                d.started_at AS d_started_at, d.last_byte_at AS d_last_byte_at, d.archive_etag AS d_archive_etag,
                g.id AS id, g.merchant_id AS merchant_id, g.order_id AS order_id, g.line_id AS line_id,
                g.unit_no AS unit_no, g.customer_id AS customer_id, g.status AS status, g.nonce AS nonce,
                g.ring_key AS ring_key, g.generation AS generation, g.download_limit AS download_limit,
                g.expires_at AS expires_at, g.created_at AS created_at, v.name AS file_name, v.sha256 AS sha256,
                w.way AS way
           FROM downloads d JOIN grants g ON g.id = d.grant_id LEFT JOIN file_versions v ON v.id = d.file_version_id
           LEFT JOIN shop_delivery w ON w.merchant_id = d.merchant_id
          WHERE d.id = $1")
    .bind(id)
    .optional(source, |row| {
        let name: Option<String> = row.get("file_name")?;
        let sha256: Option<String> = row.get("sha256")?;
        Ok(Session {
            download: read(row)?,
            grant: crate::fulfillment::store::read(row)?,
            file: name.zip(sha256),
            way: row.get::<Option<Way>>("way")?.unwrap_or_default(),
        })
    })
}

/// How far a session is by now: what became of its place, what it handed out, and of how much.
#[derive(Debug, Clone, Copy)]
pub struct Tally {
    /// What became of its place.
    pub state: DownloadState,
    /// Bytes handed out.
    pub bytes: u64,
    /// Bytes in all.
    pub size: u64,
}

/// How far a session is by now.
pub fn tally(source: &mut impl Source, id: DownloadId) -> Result<Option<Tally>, DbError> {
    sql("SELECT state, bytes, size FROM downloads WHERE id = $1").bind(id).optional(source, |row| {
        Ok(Tally { state: row.get("state")?, bytes: row.get("bytes")?, size: row.get("size")? })
    })
}

/// A session that may be running, as the watch looks at it.
#[derive(Debug, Clone, Copy)]
pub struct Watched {
    /// What became of its place.
    pub state: DownloadState,
    /// The grant's generation.
    pub generation: u32,
    /// Whether the grant is good.
    pub status: GrantStatus,
}

/// Whether a session may go on.
pub fn watched(source: &mut impl Source, id: DownloadId) -> Result<Option<Watched>, DbError> {
    sql("SELECT d.state AS state, g.generation AS generation, g.status AS status
           FROM downloads d JOIN grants g ON g.id = d.grant_id WHERE d.id = $1")
    .bind(id)
    .optional(source, |row| {
        Ok(Watched {
            state: row.get("state")?,
            generation: row.get("generation")?,
            status: row.get("status")?,
        })
    })
}

/// The places of a grant's files, held for this transaction in the order of the files.
pub fn lock_places(tx: &mut Tx<'_>, merchant: MerchantId, grant: GrantId) -> Result<Vec<Places>, DbError> {
    sql("SELECT file_version_id, open_places, spent_places, bytes FROM grant_files
          WHERE merchant_id = $1 AND grant_id = $2 ORDER BY file_version_id {FOR UPDATE}")
    .bind(merchant)
    .bind(grant)
    .all(tx, read_places)
}

/// Writes back places that were locked.
pub fn save_places(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    grant: GrantId,
    places: &Places,
) -> Result<(), DbError> {
    sql("UPDATE grant_files SET open_places = $1, spent_places = $2, bytes = $3
          WHERE merchant_id = $4 AND grant_id = $5 AND file_version_id = $6")
    .bind(places.open)
    .bind(places.spent)
    .bind(places.bytes)
    .bind(merchant)
    .bind(grant)
    .bind(places.file)
    .change_one(tx)
}

/// Adds handed-out bytes to a session, and writes what became of its place.
pub fn add_bytes(
    tx: &mut Tx<'_>,
    of: &Authorized,
    bytes: u64,
    becomes: DownloadState,
    now: Timestamp,
) -> Result<(), DbError> {
    sql("UPDATE downloads SET bytes = bytes + $1, last_byte_at = $2, state = $3 WHERE id = $4 AND merchant_id = $5")
        .bind(bytes)
        .bind(now)
        .bind(becomes)
        .bind(of.download)
        .bind(of.merchant)
        .change_one(tx)
}

/// Sessions that are open and idle since before this time.
pub fn idle(source: &mut impl Source, since: Timestamp, most: u32) -> Result<Vec<Download>, DbError> {
    sql("SELECT id AS d_id, merchant_id AS d_merchant, grant_id AS d_grant, file_version_id AS d_file,
                generation AS d_generation, nonce AS d_nonce, ring_key AS d_ring_key, state AS d_state,
                bytes AS d_bytes, size AS d_size, address AS d_address, user_agent AS d_user_agent,
                started_at AS d_started_at, last_byte_at AS d_last_byte_at, archive_etag AS d_archive_etag
           FROM downloads WHERE state = 'open' AND last_byte_at < $1 ORDER BY last_byte_at LIMIT $2")
    .bind(since)
    .bind(most)
    .all(source, read)
}

/// The sessions of an order, oldest first.
pub fn of_grant(
    source: &mut impl Source,
    merchant: MerchantId,
    grant: GrantId,
) -> Result<Vec<Download>, DbError> {
    sql("SELECT id AS d_id, merchant_id AS d_merchant, grant_id AS d_grant, file_version_id AS d_file,
                generation AS d_generation, nonce AS d_nonce, ring_key AS d_ring_key, state AS d_state,
                bytes AS d_bytes, size AS d_size, address AS d_address, user_agent AS d_user_agent,
                started_at AS d_started_at, last_byte_at AS d_last_byte_at, archive_etag AS d_archive_etag
           FROM downloads WHERE merchant_id = $1 AND grant_id = $2 ORDER BY id")
    .bind(merchant)
    .bind(grant)
    .all(source, read)
}

/// The places of one file of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    /// Which content.
    pub file: FileVersionId,
    /// Reserved.
    pub open: u32,
    /// Used up.
    pub spent: u32,
    /// Bytes handed out, by which places are used up.
    pub bytes: u64,
}

/// The places of a grant's files, as far as any was taken.
pub fn places(
    source: &mut impl Source,
    merchant: MerchantId,
    grant: GrantId,
) -> Result<Vec<Places>, DbError> {
    sql("SELECT file_version_id, open_places, spent_places, bytes FROM grant_files
          WHERE merchant_id = $1 AND grant_id = $2 ORDER BY file_version_id")
    .bind(merchant)
    .bind(grant)
    .all(source, read_places)
}

fn read_places(row: &mut Row) -> Result<Places, DbError> {
    Ok(Places {
        file: row.get("file_version_id")?,
        open: row.get("open_places")?,
        spent: row.get("spent_places")?,
        bytes: row.get("bytes")?,
    })
}

/// Ends an idle session, unless somebody else has.
pub fn close(tx: &mut Tx<'_>, download: &Download, becomes: DownloadState) -> Result<bool, DbError> {
    let closed = sql("UPDATE downloads SET state = $1 WHERE id = $2 AND merchant_id = $3 AND state = 'open'")
        .bind(becomes)
        .bind(download.id)
        .bind(download.merchant)
        .execute(tx)?;
    Ok(closed == 1)
}

/// Reads a session's columns, each with `d_` in front.
pub fn read(row: &mut Row) -> Result<Download, DbError> {
    Ok(Download {
        id: row.get("d_id")?,
        merchant: row.get("d_merchant")?,
        grant: row.get("d_grant")?,
        parcel: parcel(row)?,
        generation: row.get("d_generation")?,
        nonce: row.get("d_nonce")?,
        ring_key: row.get("d_ring_key")?,
        state: row.get("d_state")?,
        bytes: row.get("d_bytes")?,
        size: row.get("d_size")?,
        address: row.get("d_address")?,
        user_agent: row.get("d_user_agent")?,
        started_at: row.get("d_started_at")?,
        last_byte_at: row.get("d_last_byte_at")?,
    })
}

fn parcel(row: &mut Row) -> Result<Parcel, DbError> {
    let file: Option<FileVersionId> = row.get("d_file")?;
    let etag: Option<String> = row.get("d_archive_etag")?;
    match (file, etag) {
        (Some(file), None) => Ok(Parcel::File(file)),
        (None, Some(etag)) => Ok(Parcel::Archive { etag }),
        (Some(_), Some(_)) | (None, None) => {
            Err(DbError::Other("a download is of a file or of an archive, and this one is not".to_owned()))
        }
    }
}
