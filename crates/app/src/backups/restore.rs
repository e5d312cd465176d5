//! Restoring a backup into an empty or unused database, resumable, and quarantining what comes of it.

use std::fs::File;
use std::io::{BufReader, Seek as _, SeekFrom};
use std::sync::Arc;

use db::dump::{self, Table};
use db::{Db, DbError, MIGRATIONS, Migration, Tx, Value};
use kernel::Timestamp;
use stores::{BlobStore, Sha256, Upload};

use super::records::{Reader, Record};
use super::{BackupError, BlobHead, Header, Told, Totals, unused};
use crate::failpoint;
use crate::installation::{Quarantine, Restoring, store};

/// Records in one transaction.
const BATCH_RECORDS: usize = 500;
/// Bytes in one transaction, as far as they are known.
const BATCH_BYTES: u64 = 4 << 20;

/// A backup that was read whole and found unchanged.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What it says of itself.
    pub header: Header,
    /// What is in it.
    pub totals: Totals,
    /// Its digest.
    pub digest: String,
    length: u64,
}

/// What a restore did.
#[derive(Debug, Clone)]
pub struct Restored {
    /// Records that an earlier, killed run had put back already.
    pub resumed_after: u64,
    /// Blobs that the database knows and the store does not have.
    pub missing: Vec<Sha256>,
    /// Why nothing is sent.
    pub quarantine: Quarantine,
}

/// Reads a backup from its beginning to its end, before anything is done with it.
pub fn check(file: &File, told: Told<'_>) -> Result<Checked, BackupError> {
    let length = file.metadata()?.len();
    let (mut reader, header) = begin(file)?;
    let mut counted = Totals::default();
    while let Some(record) = reader.next()? {
        let known = |table: usize| header.tables.get(table);
        match record {
            Record::Row { table, values } => {
                counted.rows += 1;
                if known(table).is_none_or(|head| head.columns.len() != values.len()) {
                    return Err(BackupError::Damaged("a row belongs to no table".to_owned()));
                }
            }
            Record::Patch { table, column, key, .. } => {
                counted.patches += 1;
                if known(table).is_none_or(|head| head.key.len() != key.len() || head.columns.len() <= column)
                {
                    return Err(BackupError::Damaged("a reference belongs to no table".to_owned()));
                }
            }
            Record::Blob(blob) => {
                counted.blobs += 1;
                counted.contents += u64::from(blob.contained);
            }
            Record::Content(_) => {}
            Record::End(totals) if totals == counted => {}
            Record::End(_) => {
                return Err(BackupError::Damaged("it has more or fewer records than it says".to_owned()));
            }
        }
        told(reader.position(), length);
    }
    let digest = reader.digest().unwrap_or_default().to_owned();
    Ok(Checked { header, totals: counted, digest, length })
}

fn begin(file: &File) -> Result<(Reader<BufReader<&File>>, Header), BackupError> {
    let mut place = file;
    place.seek(SeekFrom::Start(0))?;
    Reader::begin(BufReader::with_capacity(1 << 20, file))
}

/// The migrations that a backup's rows fit: it is restored into the schema it was made with,
/// and migrated from there.
pub fn migrations_of(header: &Header) -> Result<&'static [Migration], BackupError> {
    let known = MIGRATIONS.get(..header.migrations.len());
    let same = |known: &&'static [Migration]| {
        known.iter().zip(&header.migrations).all(|(known, named)| known.name == named)
    };
    known.filter(same).ok_or_else(|| {
        let newest = header.migrations.last().cloned().unwrap_or_default();
        BackupError::refused(
            format!(
                "the backup was made by program {} with schema {newest}, which this one does not know",
                header.program
            ),
            "restore it with that program, or a newer one",
        )
    })
}

/// Puts a checked backup into a database that is empty or unused, or that holds the part of it which an
/// earlier run put there. The database is open with [`migrations_of`] the backup.
pub fn restore(
    db: &Db,
    blobs: &dyn BlobStore,
    file: &File,
    checked: &Checked,
    now: Timestamp,
    told: Told<'_>,
) -> Result<Restored, BackupError> {
    let targets = Arc::new(targets(db, &checked.header)?);
    let (mut reader, _) = begin(file)?;
    let resumed_after = enter(db, &checked.digest, now)?;
    failpoint!(RestoreEntered);
    let mut batch =
        Batch { db, targets: &targets, checked, now, done: resumed_after, steps: Vec::new(), since: 0 };
    let (mut seen, mut shelf) = (0u64, Shelf { blobs, open: None, missing: Vec::new() });
    while let Some(record) = reader.next()? {
        match record {
            Record::Row { .. } | Record::Patch { .. } => {
                seen += 1;
                if seen > resumed_after {
                    batch.add(record, reader.position())?;
                }
            }
            Record::Blob(blob) => shelf.begin(&blob)?,
            Record::Content(bytes) => shelf.write(&bytes)?,
            Record::End(_) => {}
        }
        told(reader.position(), checked.length);
    }
    batch.write()?;
    let missing = shelf.finish()?;
    if reader.digest() != Some(checked.digest.as_str()) {
        return Err(BackupError::Damaged("it was changed while it was being restored".to_owned()));
    }
    failpoint!(RestoreWhole);
    let quarantine = leave(db, checked, now)?;
    failpoint!(RestoreLeft);
    Ok(Restored { resumed_after, missing, quarantine })
}

/// A table of the backup and its place in the database.
struct Target {
    table: Table,
    /// For each column of the table, its place in the backup's rows.
    from: Vec<usize>,
}

fn targets(db: &Db, header: &Header) -> Result<Vec<Target>, BackupError> {
    let mut known = db.read_blocking(|snapshot| dump::tables(snapshot))?;
    let mut found = Vec::with_capacity(header.tables.len());
    for head in &header.tables {
        let unfit = || {
            BackupError::refused(
                format!("table {} of the backup does not fit this database", head.name),
                "restore it with the program that made it",
            )
        };
        let place = known.iter().position(|table| table.name == head.name).ok_or_else(unfit)?;
        let table = known.swap_remove(place);
        let place_of = |name: &str| head.columns.iter().position(|column| column == name);
        let from: Option<Vec<usize>> = table.columns.iter().map(|column| place_of(&column.name)).collect();
        let from = from.filter(|from| from.len() == head.columns.len()).ok_or_else(unfit)?;
        found.push(Target { table, from });
    }
    Ok(found)
}

/// Makes sure that nothing but this restore is in the database, and answers how far it is.
fn enter(db: &Db, backup: &str, now: Timestamp) -> Result<u64, BackupError> {
    let backup = backup.to_owned();
    let entered = db.write_blocking(move |tx| {
        match store::restoring(tx)? {
            Some(earlier) if earlier.backup == backup => return Ok(Ok(earlier.records)),
            Some(_) => return Ok(Err("half of another backup".to_owned())),
            None => {}
        }
        if let Some(holds) = unused::in_the_way(tx)? {
            return Ok(Err(holds));
        }
        unused::clear(tx)?;
        store::save_restoring(tx, &Restoring { backup: backup.clone(), records: 0 }, now)?;
        Ok::<_, DbError>(Ok(0))
    })?;
    entered.map_err(|holds| {
        BackupError::refused(
            format!("the database already holds {holds}"),
            "a shop is never restored over: use an empty one, in another data folder or a new PostgreSQL database",
        )
    })
}

/// Rows on their way into the database.
struct Batch<'a> {
    db: &'a Db,
    targets: &'a Arc<Vec<Target>>,
    checked: &'a Checked,
    now: Timestamp,
    /// Records that are in the database.
    done: u64,
    steps: Vec<Record>,
    /// Where in the file the first of them began, roughly.
    since: u64,
}

impl Batch<'_> {
    fn add(&mut self, record: Record, position: u64) -> Result<(), BackupError> {
        self.steps.push(record);
        if self.steps.len() >= BATCH_RECORDS || position.saturating_sub(self.since) >= BATCH_BYTES {
            self.since = position;
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), BackupError> {
        let steps = std::mem::take(&mut self.steps);
        let count = u64::try_from(steps.len()).unwrap_or(u64::MAX);
        let (targets, now) = (Arc::clone(self.targets), self.now);
        let before = Restoring { backup: self.checked.digest.clone(), records: self.done };
        let after = Restoring { records: self.done + count, ..before.clone() };
        self.db.write_blocking(move |tx| {
            if store::restoring(tx)?.as_ref() != Some(&before) {
                return Err(DbError::Other("another restore is at work on this database".to_owned()));
            }
            steps.iter().try_for_each(|record| apply(tx, &targets, record))?;
            store::save_restoring(tx, &after, now)
        })?;
        failpoint!(RestoreBatch);
        self.done += count;
        Ok(())
    }
}

fn apply(tx: &mut Tx<'_>, targets: &[Target], record: &Record) -> Result<(), DbError> {
    let known = |table: usize| {
        targets.get(table).ok_or_else(|| DbError::Other("the backup has a row of no table".to_owned()))
    };
    match record {
        Record::Row { table, values } => {
            let target = known(*table)?;
            let value = |place: &usize| values.get(*place).cloned().unwrap_or(Value::Null);
            let row: Vec<Value> = target.from.iter().map(value).collect();
            if is_left_out(&target.table, &row) { Ok(()) } else { dump::insert(tx, &target.table, &row) }
        }
        Record::Patch { table, column, value, key } => {
            let target = known(*table)?;
            let column = target.from.iter().position(|from| from == column);
            let missing = || DbError::Other("the backup fills no column".to_owned());
            dump::patch(tx, &target.table, key, column.ok_or_else(missing)?, value)
        }
        Record::Blob(_) | Record::Content(_) | Record::End(_) => Ok(()),
    }
}

/// What the restored database writes itself.
fn is_left_out(table: &Table, row: &[Value]) -> bool {
    let own = |value: &Value| matches!(value, Value::Text(name) if name == store::QUARANTINE || name == store::RESTORING);
    table.name == "settings" && table.key_of(row).iter().any(own)
}

/// Blobs on their way into the store.
struct Shelf<'a> {
    blobs: &'a dyn BlobStore,
    open: Option<(Sha256, Box<dyn Upload>)>,
    missing: Vec<Sha256>,
}

impl Shelf<'_> {
    fn begin(&mut self, blob: &BlobHead) -> Result<(), BackupError> {
        self.close()?;
        let there = self.blobs.size(&blob.sha256)? == Some(blob.size);
        match (there, blob.contained) {
            (true, _) => {}
            (false, true) => self.open = Some((blob.sha256, self.blobs.begin()?)),
            (false, false) => self.missing.push(blob.sha256),
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        self.open.as_mut().map_or(Ok(()), |(_, upload)| Ok(upload.write(bytes)?))
    }

    fn close(&mut self) -> Result<(), BackupError> {
        let Some((sha256, upload)) = self.open.take() else { return Ok(()) };
        if upload.finish()?.sha256 != sha256 {
            return Err(BackupError::Damaged(format!("the contents of blob {sha256} are not those")));
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Sha256>, BackupError> {
        self.close()?;
        Ok(self.missing)
    }
}

/// The last step: the database is whole, and quarantined in the same transaction.
fn leave(db: &Db, checked: &Checked, now: Timestamp) -> Result<Quarantine, BackupError> {
    let why = format!(
        "restored from a backup made at {}: what was sent after that is not known here",
        checked.header.made_at
    );
    let quarantine = Quarantine { why, since: now };
    let (place, written) = (db.place()?, quarantine.clone());
    db.write_blocking(move |tx| {
        if let Some(mut identity) = store::lock_identity(tx)? {
            identity.place.clone_from(&place);
            store::save_identity(tx, &identity, now)?;
        }
        store::save_quarantine(tx, &written, now)?;
        store::remove(tx, store::RESTORING)
    })?;
    Ok(quarantine)
}
