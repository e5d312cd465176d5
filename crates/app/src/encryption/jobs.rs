//! Making the copies of a unit for its buyer's key.

use std::io::{self, Write};

use encrypt::Recipient;
use stores::{BlobStore, Upload};

use super::store::{self, Missing};
use crate::app::App;
use crate::jobs::runner::JobError;
use crate::parts::{Made, MadeFile, Unit};
use crate::products::flow::StoredFile;

/// Encrypts each file that has no copy yet.
pub async fn make(app: &App, unit: &Unit) -> Result<Made, JobError> {
    let (grant, line) = (unit.grant.clone(), unit.line.id);
    let found = app.read(move |snapshot| {
        let key = store::key(snapshot, grant.merchant, line)?;
        Ok((key, store::missing(snapshot, &grant)?))
    });
    let (key, missing) = found.await?;
    let key = key.and_then(|text| Recipient::parse(&text).ok());
    let Some(key) = key.filter(|key| key.fingerprint() == unit.part.key.subject) else {
        return Ok(Made::Waits("the buyer has given another key".to_owned()));
    };
    let app = app.clone();
    // Reading, encrypting and writing take as long as the files are large.
    let made = tokio::task::spawn_blocking(move || {
        missing.iter().map(|file| copy(&**app.blobs(), &key, file)).collect::<Result<Vec<_>, String>>()
    });
    let made = made.await.map_err(|error| JobError::Retry(error.to_string()))?;
    let files = made.map_err(JobError::Retry)?;
    Ok(Made::Done { files, texts: Vec::new() })
}

fn copy(blobs: &dyn BlobStore, key: &Recipient, file: &Missing) -> Result<MadeFile, String> {
    let said = |error: &dyn std::fmt::Display| format!("{}: {error}", file.name);
    let sha256 = file.sha256.parse().map_err(|error| said(&error))?;
    let blob = blobs.open(&sha256, file.size).map_err(|error| said(&error))?;
    let mut upload = TakenIn { upload: blobs.begin().map_err(|error| said(&error))? };
    let bytes =
        blob.bytes(0..file.size).ok_or_else(|| said(&"the content is cut; restore it from a backup"))?;
    let mut content = io::Cursor::new(bytes);
    encrypt::encrypt(key, &mut content, &mut upload).map_err(|error| said(&error))?;
    let digests = upload.upload.finish().map_err(|error| said(&error))?;
    let stored = StoredFile {
        name: format!("{}{}", file.name, encrypt::SUFFIX),
        sha256: digests.sha256.to_string(),
        size: digests.size,
        crc32: digests.crc32,
        md5: digests.md5_hex(),
    };
    Ok(MadeFile { stored, replaces: Some(file.version) })
}

/// A blob that is being taken in.
struct TakenIn {
    upload: Box<dyn Upload>,
}

impl Write for TakenIn {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.upload.write(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
