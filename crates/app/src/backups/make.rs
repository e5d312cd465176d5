//! Making a backup: one moment of the database, then the blobs that it knows.

use std::fs::File;
use std::io::{BufWriter, Seek as _, SeekFrom};

use db::dump::{self, Table};
use db::{Db, DbError, Engine, MIGRATIONS, Snapshot, Source as _, Value};
use kernel::Timestamp;
use stores::{BlobStore, Sha256};

use super::records::{CONTENT_PIECE, Writer};
use super::{BackupError, BlobHead, FORMAT, Header, TableHead, Told, Totals, proofs};
use crate::installation;
use crate::ring::Ring;

/// Rows read at a time: raw notices can be large.
const PAGE_ROWS: u32 = 256;

/// Whether the contents of blobs are in the backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contents {
    /// Only which they are: they are kept elsewhere.
    Listed,
    /// All of them.
    Included,
}

/// A backup that was made.
#[derive(Debug, Clone)]
pub struct Made {
    /// What it says of itself.
    pub header: Header,
    /// What is in it.
    pub totals: Totals,
    /// The SHA-256 at its end.
    pub digest: String,
    /// Blobs that the database knows and the store does not have, or not as they were.
    pub missing: Vec<Sha256>,
}

/// What is backed up.
pub struct Origin<'a> {
    /// The database, with the schema of this program.
    pub db: &'a Db,
    /// The keys that its rows need.
    pub ring: &'a Ring,
    /// Its contents.
    pub blobs: &'a dyn BlobStore,
}

/// Writes a backup into an open, empty file. The caller makes it durable and gives it its name.
pub fn make(
    origin: &Origin<'_>,
    file: &File,
    contents: Contents,
    now: Timestamp,
    told: Told<'_>,
) -> Result<Made, BackupError> {
    let (mut writer, header, mut totals, blobs) = origin.db.read_blocking(|snapshot| {
        // The closure may run again: whatever an earlier run wrote is not part of this one.
        let mut place = file;
        place.seek(SeekFrom::Start(0))?;
        file.set_len(0)?;
        rows(origin.ring, snapshot, file, now, told)
    })?;
    let mut missing = Vec::new();
    let every = u64::try_from(blobs.len()).unwrap_or(u64::MAX);
    for (done, (sha256, size)) in (1..).zip(&blobs) {
        let opened = match contents {
            Contents::Listed => None,
            Contents::Included => origin.blobs.open(sha256, *size).ok(),
        };
        if !is_there(origin.blobs, sha256, *size) || (contents == Contents::Included && opened.is_none()) {
            missing.push(*sha256);
        }
        writer.blob(&BlobHead { sha256: *sha256, size: *size, contained: opened.is_some() })?;
        if let Some(blob) = opened {
            totals.contents += 1;
            blob.all().chunks(CONTENT_PIECE).try_for_each(|piece| writer.content(piece))?;
        }
        told(done, every);
    }
    totals.blobs = every;
    let (_, digest) = writer.end(&totals)?;
    Ok(Made { header, totals, digest, missing })
}

fn is_there(store: &dyn BlobStore, sha256: &Sha256, size: u64) -> bool {
    store.size(sha256).is_ok_and(|found| found == Some(size))
}

type Begun<'f> = (Writer<BufWriter<&'f File>>, Header, Totals, Vec<(Sha256, u64)>);

fn rows<'f>(
    ring: &Ring,
    snapshot: &mut Snapshot<'_>,
    file: &'f File,
    now: Timestamp,
    told: &mut dyn FnMut(u64, u64),
) -> Result<Begun<'f>, BackupError> {
    let tables = dump::tables(snapshot)?;
    let header = header(ring, snapshot, &tables, now)?;
    let mut writer = Writer::begin(BufWriter::new(file), &header)?;
    let mut totals = Totals::default();
    let every: u64 = header.tables.iter().map(|table| table.rows).sum();
    let mut blobs = Vec::new();
    for (place, table) in tables.iter().enumerate() {
        let mut patches = Vec::new();
        let mut after: Option<Vec<Value>> = None;
        loop {
            let mut page = dump::page(snapshot, table, after.as_deref(), PAGE_ROWS)?;
            let Some(last) = page.last() else { break };
            after = Some(table.key_of(last));
            for row in &mut page {
                patches.extend(take_references(table, row));
                writer.row(place, row)?;
                blobs.extend(blob_of(table, row)?);
                totals.rows += 1;
            }
            told(totals.rows, every);
        }
        for (key, column, value) in patches {
            writer.patch(place, column, &value, &key)?;
            totals.patches += 1;
        }
    }
    Ok((writer, header, totals, blobs))
}

/// Takes out the references to rows of the same table, which may come later than this one.
fn take_references(table: &Table, row: &mut [Value]) -> Vec<(Vec<Value>, usize, Value)> {
    let key = table.key_of(row);
    let taken = table.refers_to_itself.iter().filter_map(|column| {
        let value = std::mem::replace(row.get_mut(*column)?, Value::Null);
        (value != Value::Null).then(|| (key.clone(), *column, value))
    });
    taken.collect()
}

fn blob_of(table: &Table, row: &[Value]) -> Result<Option<(Sha256, u64)>, DbError> {
    if table.name != "blobs" {
        return Ok(None);
    }
    let value = |name: &str| {
        let place = table.columns.iter().position(|column| column.name == name)?;
        row.get(place)
    };
    if value("gone_at").is_some_and(|gone| *gone != Value::Null) {
        return Ok(None);
    }
    match (value("sha256"), value("size")) {
        (Some(Value::Text(sha256)), Some(Value::Int(size))) => {
            let sha256 = sha256.parse().map_err(|error| DbError::Other(format!("blobs.sha256: {error}")))?;
            Ok(Some((sha256, u64::try_from(*size).unwrap_or(0))))
        }
        _ => Err(DbError::Other("a row of blobs has no digest or size".to_owned())),
    }
}

fn header(
    ring: &Ring,
    snapshot: &mut Snapshot<'_>,
    tables: &[Table],
    now: Timestamp,
) -> Result<Header, DbError> {
    let mut heads = Vec::with_capacity(tables.len());
    for table in tables {
        heads.push(TableHead {
            name: table.name.clone(),
            columns: table.columns.iter().map(|column| column.name.clone()).collect(),
            key: table.key.clone(),
            rows: dump::count(snapshot, table)?,
        });
    }
    let engine = match snapshot.engine() {
        Engine::Sqlite => "sqlite",
        Engine::Postgres => "postgres",
    };
    Ok(Header {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: now,
        engine: engine.to_owned(),
        installation: installation::store::identity(snapshot)?,
        // A database that is open has had all of them.
        migrations: MIGRATIONS.iter().map(|migration| migration.name.to_owned()).collect(),
        keys: proofs(ring),
        tables: heads,
    })
}
