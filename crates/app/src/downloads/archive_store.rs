//! SQL of the contents of archives.

use db::{DbError, Source, Tx, sql};
use kernel::FileVersionId;

use super::{Authorized, Download, DownloadState, GrantedFile, Parcel, store};
use crate::packed::Packed;

/// A file of an archive.
#[derive(Debug)]
pub struct Member {
    /// The file. Its places are not asked for.
    pub file: GrantedFile,
    /// The deflated stream that the archive has in its place.
    pub stream: Option<Packed>,
    /// Bytes that the session has handed out for it.
    pub handed_out: u64,
}

impl Member {
    /// How many bytes it has in the archive.
    pub fn held(&self) -> u64 {
        self.stream.as_ref().map_or(self.file.size, |stream| stream.size)
    }
}

/// Writes which files a new session's archive has, in this order, each in its form.
pub fn insert(tx: &mut Tx<'_>, download: &Download, members: &[Member]) -> Result<(), DbError> {
    for (position, member) in (0u32..).zip(members) {
        sql("INSERT INTO download_files (download_id, file_version_id, merchant_id, position, packed_sha256, bytes)
             VALUES ($1, $2, $3, $4, $5, 0)")
        .bind(download.id)
        .bind(member.file.version)
        .bind(download.merchant)
        .bind(position)
        .bind(member.stream.as_ref().map(|stream| stream.sha256.as_str()))
        .execute(tx)?;
    }
    Ok(())
}

/// The files of a session's archive, in the order of its entries, each in the form that it had
/// when the session began.
pub fn contents(source: &mut impl Source, download: &Download) -> Result<Vec<Member>, DbError> {
    sql("SELECT v.id AS version_id, v.name AS name, b.size AS size, b.sha256 AS sha256, b.md5 AS md5,
                b.crc32 AS crc32, v.created_at AS created_at, 0 AS taken, f.bytes AS handed_out,
                s.sha256 AS stream_sha256, s.size AS stream_size
           FROM download_files f JOIN file_versions v ON v.id = f.file_version_id JOIN blobs b ON b.sha256 = v.sha256
           LEFT JOIN blobs s ON s.sha256 = f.packed_sha256
          WHERE f.merchant_id = $1 AND f.download_id = $2 ORDER BY f.position")
    .bind(download.merchant)
    .bind(download.id)
    .all(source, |row| {
        let (sha256, size): (Option<String>, Option<u64>) =
            (row.get("stream_sha256")?, row.get("stream_size")?);
        let stream = sha256.zip(size).map(|(sha256, size)| Packed { sha256, size });
        Ok(Member { file: store::read_granted(row)?, stream, handed_out: row.get("handed_out")? })
    })
}

/// Those of a grant's sessions that are open, and of an archive of just these files.
pub fn of_files(
    source: &mut impl Source,
    sessions: &[Download],
    files: &[GrantedFile],
) -> Result<Vec<Download>, DbError> {
    let mut found = Vec::new();
    for session in sessions {
        let is_open =
            session.state == DownloadState::Open && matches!(session.parcel, Parcel::Archive { .. });
        if is_open
            && contents(source, session)?
                .iter()
                .map(|member| member.file.version)
                .eq(files.iter().map(|file| file.version))
        {
            found.push(session.clone());
        }
    }
    Ok(found)
}

/// The name of the product that a session's grant gives, as it was bought.
pub fn product(source: &mut impl Source, download: &Download) -> Result<String, DbError> {
    sql("SELECT l.name AS name FROM grants g JOIN order_lines l ON l.id = g.line_id
          WHERE g.merchant_id = $1 AND g.id = $2")
    .bind(download.merchant)
    .bind(download.grant)
    .one(source, |row| row.get("name"))
}

/// Adds handed-out bytes to a content of a session's archive.
pub fn add_bytes(tx: &mut Tx<'_>, of: &Authorized, file: FileVersionId, bytes: u64) -> Result<(), DbError> {
    sql("UPDATE download_files SET bytes = bytes + $1
          WHERE download_id = $2 AND file_version_id = $3 AND merchant_id = $4")
    .bind(bytes)
    .bind(of.download)
    .bind(file)
    .bind(of.merchant)
    .change_one(tx)
}
