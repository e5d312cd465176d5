//! The stream: records with their lengths, and a digest at the end.

use std::io::{BufRead, Read, Write};

use db::Value;
use sha2::{Digest as _, Sha256 as Hasher};
use stores::Sha256;

use super::{BackupError, BlobHead, FORMAT, Header, Totals};

const MAGIC: &[u8] = b"HANDSEL BACKUP\n";
/// Far above any row. A length beyond it is damage, not data.
const RECORD_BYTES_MAX: u32 = 64 << 20;
/// How much of a blob is in one record.
pub const CONTENT_PIECE: usize = 1 << 20;

const HEADER: u8 = b'H';
const ROW: u8 = b'R';
const PATCH: u8 = b'P';
const BLOB: u8 = b'B';
const CONTENT: u8 = b'C';
const END: u8 = b'E';

/// One record, as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A row of a table, by the table's place in the header.
    Row { table: usize, values: Vec<Value> },
    /// A reference of a row, named by its key, to a row of the same table.
    Patch { table: usize, column: usize, value: Value, key: Vec<Value> },
    /// A blob.
    Blob(BlobHead),
    /// Bytes of the blob before.
    Content(Vec<u8>),
    /// The last one.
    End(Totals),
}

/// Writes records and hashes what it writes.
pub struct Writer<W: Write> {
    to: W,
    hasher: Hasher,
    buffer: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Begins a backup.
    pub fn begin(to: W, header: &Header) -> Result<Self, BackupError> {
        let mut writer = Self { to, hasher: Hasher::new(), buffer: Vec::new() };
        writer.put(MAGIC)?;
        writer.json(HEADER, header)?;
        Ok(writer)
    }

    /// A row.
    pub fn row(&mut self, table: usize, values: &[Value]) -> Result<(), BackupError> {
        self.buffer.clear();
        number(&mut self.buffer, table)?;
        values.iter().try_for_each(|value| encode(&mut self.buffer, value))?;
        self.flush(ROW)
    }

    /// A reference of a row to a row of the same table.
    pub fn patch(
        &mut self,
        table: usize,
        column: usize,
        value: &Value,
        key: &[Value],
    ) -> Result<(), BackupError> {
        self.buffer.clear();
        number(&mut self.buffer, table)?;
        number(&mut self.buffer, column)?;
        encode(&mut self.buffer, value)?;
        key.iter().try_for_each(|value| encode(&mut self.buffer, value))?;
        self.flush(PATCH)
    }

    /// A blob.
    pub fn blob(&mut self, blob: &BlobHead) -> Result<(), BackupError> {
        self.buffer.clear();
        self.buffer.extend_from_slice(blob.sha256.as_bytes());
        self.buffer.extend_from_slice(&blob.size.to_be_bytes());
        self.buffer.push(u8::from(blob.contained));
        self.flush(BLOB)
    }

    /// Bytes of the blob before.
    pub fn content(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        self.record(CONTENT, bytes)
    }

    /// The end, with the digest of everything, which is answered too.
    pub fn end(mut self, totals: &Totals) -> Result<(W, String), BackupError> {
        self.json(END, totals)?;
        let digest: [u8; 32] = self.hasher.finalize().into();
        self.to.write_all(&digest)?;
        self.to.flush()?;
        Ok((self.to, hex::encode(digest)))
    }

    fn json(&mut self, kind: u8, value: &impl serde::Serialize) -> Result<(), BackupError> {
        let text = serde_json::to_vec(value).map_err(std::io::Error::other)?;
        self.record(kind, &text)
    }

    fn flush(&mut self, kind: u8) -> Result<(), BackupError> {
        let payload = std::mem::take(&mut self.buffer);
        let written = self.record(kind, &payload);
        self.buffer = payload;
        written
    }

    fn record(&mut self, kind: u8, payload: &[u8]) -> Result<(), BackupError> {
        let length = u32::try_from(payload.len()).ok().filter(|length| *length <= RECORD_BYTES_MAX);
        let length = length.ok_or_else(|| {
            BackupError::Io(std::io::Error::other(format!("a row of {} bytes is too large", payload.len())))
        })?;
        self.put(&[kind])?;
        self.put(&length.to_be_bytes())?;
        self.put(payload)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        self.hasher.update(bytes);
        Ok(self.to.write_all(bytes)?)
    }
}

/// Reads records, and compares the digest at the end.
pub struct Reader<R: BufRead> {
    from: R,
    hasher: Hasher,
    /// How many bytes were read.
    position: u64,
    /// The digest, when the end was reached and everything is as it was written.
    digest: Option<String>,
}

impl<R: BufRead> Reader<R> {
    /// Begins to read: the header.
    pub fn begin(from: R) -> Result<(Self, Header), BackupError> {
        let mut reader = Self { from, hasher: Hasher::new(), position: 0, digest: None };
        let magic = reader.take(MAGIC.len()).map_err(|error| match error {
            BackupError::CutOff(_) => BackupError::NotABackup,
            other => other,
        })?;
        if magic != MAGIC {
            return Err(BackupError::NotABackup);
        }
        let (kind, payload) = reader.frame()?;
        let header: serde_json::Value = json(&payload)?;
        let format = header.get("format").and_then(serde_json::Value::as_u64);
        let format = format.and_then(|format| u32::try_from(format).ok());
        match format.filter(|_| kind == HEADER) {
            None => Err(damaged("it has no header")),
            Some(format) if format > FORMAT => Err(BackupError::TooNew(format)),
            Some(_) => Ok((reader, json(&payload)?)),
        }
    }

    /// How many bytes were read so far.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// The digest, when the whole was read and found unchanged.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// The next record; nothing after the end, which is only reached when the digest is right.
    pub fn next(&mut self) -> Result<Option<Record>, BackupError> {
        if self.digest.is_some() {
            return Ok(None);
        }
        let (kind, payload) = self.frame()?;
        let mut rest = payload.as_slice();
        let record = match kind {
            ROW => Record::Row { table: take_number(&mut rest)?, values: take_values(&mut rest)? },
            PATCH => {
                let (table, column) = (take_number(&mut rest)?, take_number(&mut rest)?);
                Record::Patch { table, column, value: decode(&mut rest)?, key: take_values(&mut rest)? }
            }
            BLOB => Record::Blob(take_blob(&mut rest)?),
            CONTENT => Record::Content(payload),
            END => {
                let totals = json(&payload)?;
                self.compare()?;
                Record::End(totals)
            }
            _ => return Err(damaged("it has a record of an unknown kind")),
        };
        Ok(Some(record))
    }

    fn compare(&mut self) -> Result<(), BackupError> {
        let expected: [u8; 32] = self.hasher.clone().finalize().into();
        if self.take(expected.len())? != expected {
            return Err(damaged("its digest is not that of its contents"));
        }
        if !self.from.fill_buf()?.is_empty() {
            return Err(damaged("something follows after its end"));
        }
        self.digest = Some(hex::encode(expected));
        Ok(())
    }

    fn frame(&mut self) -> Result<(u8, Vec<u8>), BackupError> {
        let head = self.take(5)?;
        let (kind, length) = head.split_first().ok_or(BackupError::CutOff(self.position))?;
        let length = <[u8; 4]>::try_from(length).map(u32::from_be_bytes).unwrap_or(u32::MAX);
        if length > RECORD_BYTES_MAX {
            return Err(damaged("it has a record of an impossible length"));
        }
        let length =
            usize::try_from(length).map_err(|_| damaged("it has a record of an impossible length"))?;
        Ok((*kind, self.take(length)?))
    }

    /// Reads so many bytes. Memory grows with what is really there, whatever a length claims.
    fn take(&mut self, count: usize) -> Result<Vec<u8>, BackupError> {
        let mut bytes = Vec::new();
        let limit = u64::try_from(count).unwrap_or(u64::MAX);
        let read = self.from.by_ref().take(limit).read_to_end(&mut bytes)?;
        self.position = self.position.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        self.hasher.update(&bytes);
        if read == count { Ok(bytes) } else { Err(BackupError::CutOff(self.position)) }
    }
}

fn damaged(what: &str) -> BackupError {
    BackupError::Damaged(what.to_owned())
}

fn json<T: serde::de::DeserializeOwned>(payload: &[u8]) -> Result<T, BackupError> {
    serde_json::from_slice(payload).map_err(|error| BackupError::Damaged(error.to_string()))
}

fn number(into: &mut Vec<u8>, place: usize) -> Result<(), BackupError> {
    let place = u16::try_from(place).map_err(std::io::Error::other)?;
    into.extend_from_slice(&place.to_be_bytes());
    Ok(())
}

fn encode(into: &mut Vec<u8>, value: &Value) -> Result<(), BackupError> {
    let mut lengthy = |tag: u8, bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).map_err(std::io::Error::other)?;
        into.push(tag);
        into.extend_from_slice(&length.to_be_bytes());
        into.extend_from_slice(bytes);
        Ok(())
    };
    match value {
        Value::Text(text) => lengthy(2, text.as_bytes()),
        Value::Bytes(bytes) => lengthy(3, bytes),
        Value::Null => {
            into.push(0);
            Ok(())
        }
        Value::Int(number) => {
            into.push(1);
            into.extend_from_slice(&number.to_be_bytes());
            Ok(())
        }
    }
}

fn split<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8], BackupError> {
    let (taken, left) = rest.split_at_checked(count).ok_or_else(|| damaged("a record is too short"))?;
    *rest = left;
    Ok(taken)
}

fn split_array<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], BackupError> {
    split(rest, N)?.try_into().map_err(|_| damaged("a record is too short"))
}

fn take_number(rest: &mut &[u8]) -> Result<usize, BackupError> {
    Ok(usize::from(u16::from_be_bytes(split_array(rest)?)))
}

fn take_values(rest: &mut &[u8]) -> Result<Vec<Value>, BackupError> {
    let mut values = Vec::new();
    while !rest.is_empty() {
        values.push(decode(rest)?);
    }
    Ok(values)
}

fn decode(rest: &mut &[u8]) -> Result<Value, BackupError> {
    let [tag] = split_array::<1>(rest)?;
    let lengthy = |rest: &mut &[u8]| {
        let length = u32::from_be_bytes(split_array(rest)?);
        split(rest, usize::try_from(length).unwrap_or(usize::MAX)).map(<[u8]>::to_vec)
    };
    match tag {
        0 => Ok(Value::Null),
        1 => Ok(Value::Int(i64::from_be_bytes(split_array(rest)?))),
        2 => String::from_utf8(lengthy(rest)?).map(Value::Text).map_err(|_| damaged("a text is none")),
        3 => lengthy(rest).map(Value::Bytes),
        _ => Err(damaged("a value is of an unknown kind")),
    }
}

fn take_blob(rest: &mut &[u8]) -> Result<BlobHead, BackupError> {
    let sha256 = Sha256::from_bytes(split_array(rest)?);
    let size = u64::from_be_bytes(split_array(rest)?);
    let [contained] = split_array::<1>(rest)?;
    Ok(BlobHead { sha256, size, contained: contained == 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            format: FORMAT,
            program: "1".to_owned(),
            made_at: kernel::Timestamp::from_seconds(1),
            engine: "sqlite".to_owned(),
            installation: None,
            migrations: Vec::new(),
            keys: Vec::new(),
            tables: Vec::new(),
        }
    }

    fn records() -> Vec<Record> {
        let values = vec![
            Value::Int(i64::MIN),
            Value::Null,
            Value::Text("Grüße".to_owned()),
            Value::Bytes(vec![0, 255]),
        ];
        let blob = BlobHead { sha256: Sha256::of(b"contents"), size: 8, contained: true };
        vec![
            Record::Row { table: 3, values: values.clone() },
            Record::Patch { table: 3, column: 1, value: Value::Text("up".to_owned()), key: values },
            Record::Blob(blob),
            Record::Content(b"contents".to_vec()),
            Record::End(Totals { rows: 1, patches: 1, blobs: 1, contents: 1 }),
        ]
    }

    fn written() -> Vec<u8> {
        let mut writer = Writer::begin(Vec::new(), &header()).unwrap();
        for record in records() {
            match record {
                Record::Row { table, values } => writer.row(table, &values).unwrap(),
                Record::Patch { table, column, value, key } => {
                    writer.patch(table, column, &value, &key).unwrap();
                }
                Record::Blob(blob) => writer.blob(&blob).unwrap(),
                Record::Content(bytes) => writer.content(&bytes).unwrap(),
                Record::End(_) => {}
            }
        }
        writer.end(&Totals { rows: 1, patches: 1, blobs: 1, contents: 1 }).unwrap().0
    }

    fn read(bytes: &[u8]) -> Result<Vec<Record>, BackupError> {
        let (mut reader, _) = Reader::begin(bytes)?;
        let mut all = Vec::new();
        while let Some(record) = reader.next()? {
            all.push(record);
        }
        Ok(all)
    }

    #[test]
    fn what_was_written_is_read() {
        assert_eq!(read(&written()).unwrap(), records());
    }

    #[test]
    fn a_backup_that_was_cut_anywhere_is_refused() {
        let whole = written();
        let accepted = (0..whole.len()).find(|length| read(&whole[..*length]).is_ok());
        assert_eq!(accepted, None);
    }

    #[test]
    fn a_backup_with_a_changed_byte_anywhere_is_refused() {
        let whole = written();
        let changed = |place: usize| {
            let mut bytes = whole.clone();
            bytes[place] ^= 0x20;
            bytes
        };
        let accepted = (0..whole.len()).find(|place| read(&changed(*place)).is_ok());
        assert_eq!(accepted, None);
    }

    #[test]
    fn something_after_the_end_is_refused() {
        let mut bytes = written();
        bytes.push(0);
        assert!(matches!(read(&bytes), Err(BackupError::Damaged(why)) if why.contains("after its end")));
    }

    #[test]
    fn another_file_and_a_newer_format_are_named_as_such() {
        assert!(matches!(read(b"PK"), Err(BackupError::NotABackup)));
        let newer = Header { format: FORMAT + 1, ..header() };
        let (bytes, _) = Writer::begin(Vec::new(), &newer).unwrap().end(&Totals::default()).unwrap();
        assert!(matches!(read(&bytes), Err(BackupError::TooNew(2))));
    }
}
