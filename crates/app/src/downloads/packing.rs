//! Packing: what the archive of a grant's files looks like.
//!
//! It is a function of the files' versions and their forms alone: their names, contents and order,
//! which of them are deflated, and the time at which the newest was added. So every node computes
//! the same bytes, and every buyer of the same files in the same forms gets the same archive.

use archive::{ContentId, ContentIdError, DosTime, Entry, Form, Layout, LayoutError, Protection, safe_names};

use super::GrantedFile;
use crate::packed::Packed;

/// A single file is not packed.
pub const FILES_MIN: usize = 2;

/// Why files cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A row that names no content.
    #[error("{name} has a content that is none: {why}; upload the file again")]
    Content {
        /// The file.
        name: String,
        /// What is wrong with it.
        why: ContentIdError,
    },
    /// More or longer than an archive can be.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

/// The archive of these files, in this order, each in its form.
pub fn pack<'a>(
    files: impl IntoIterator<Item = (&'a GrantedFile, Form)>,
    protection: Option<Protection>,
) -> Result<Layout, PackError> {
    let mut newest = DosTime::FIRST;
    let mut latest = None;
    let mut entries = Vec::new();
    for (file, form) in files {
        if latest.is_none_or(|latest| latest < file.created_at) {
            latest = Some(file.created_at);
            newest = DosTime::from_utc(file.created_at);
        }
        entries.push(entry(file, form)?);
    }
    Ok(Layout::new(entries, newest, protection)?)
}

/// The form of a file: its deflated stream, or as it is where it has none.
pub fn form(file: &GrantedFile, stream: Option<&Packed>) -> Result<Form, PackError> {
    match stream {
        Some(stream) => Ok(Form::Deflated { blob: content(file, &stream.sha256)?, length: stream.size }),
        None => Ok(Form::Stored),
    }
}

fn entry(file: &GrantedFile, form: Form) -> Result<Entry, PackError> {
    let content = content(file, &file.sha256)?;
    Ok(Entry { name: file.name.clone(), content, crc32: file.crc32, size: file.size, form })
}

fn content(file: &GrantedFile, sha256: &str) -> Result<ContentId, PackError> {
    sha256.parse().map_err(|why| PackError::Content { name: file.name.clone(), why })
}

/// The name that buyers save the archive of a product under.
pub fn name(product: &str) -> String {
    // A product's name may have a slash in it, which is no folder.
    let wanted = format!("{}.zip", product.replace(['/', '\\'], "-"));
    safe_names([wanted.as_str()]).pop().unwrap_or_else(|| "files.zip".to_owned())
}

#[cfg(test)]
mod tests {
    use kernel::{FileVersionId, Timestamp};

    use super::*;

    fn file(name: &str, added: i64) -> GrantedFile {
        GrantedFile {
            version: FileVersionId::from_bits(1),
            name: name.to_owned(),
            size: 5,
            sha256: "ab".repeat(32),
            md5: String::new(),
            crc32: 7,
            created_at: Timestamp::from_seconds(added),
            taken: 0,
        }
    }

    fn stored(files: &[GrantedFile]) -> Layout {
        pack(files.iter().map(|file| (file, Form::Stored)), None).unwrap()
    }

    #[test]
    fn an_archive_follows_from_its_files_and_not_from_their_places() {
        let files = [file("a.txt", 1_800_000_000), file("b.txt", 1_700_000_000)];
        let taken = files.clone().map(|file| GrantedFile { taken: 3, ..file });
        let later = [file("a.txt", 1_800_000_002), file("b.txt", 1_700_000_000)];
        let etag = |files: &[GrantedFile]| stored(files).etag().to_owned();

        assert_eq!(etag(&files), etag(&taken));
        assert_ne!(etag(&files), etag(&later));
    }

    #[test]
    fn a_deflated_stream_makes_another_and_a_shorter_archive() {
        let file = GrantedFile { size: 5_000, ..file("a.txt", 0) };
        let stream = Packed { sha256: "cd".repeat(32), size: 700 };
        let deflated = pack([(&file, form(&file, Some(&stream)).unwrap())], None).unwrap();
        let plain = stored(std::slice::from_ref(&file));

        assert_eq!(plain.length() - deflated.length(), 4_300);
        assert_ne!(plain.etag(), deflated.etag());
        let rubbish = Packed { sha256: "rubbish".to_owned(), size: 1 };
        assert!(form(&file, Some(&rubbish)).unwrap_err().to_string().contains("a.txt"));
    }

    #[test]
    fn files_of_one_name_and_hostile_names_are_kept_apart_and_inside() {
        let files = [file("a.txt", 0), file("A.txt", 0), file("../../etc/passwd", 0)];
        let packed = stored(&files);
        let names: Vec<&str> = packed.entries().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["a.txt", "A (2).txt", "etc/passwd"]);
    }

    #[test]
    fn an_archive_is_named_like_its_product() {
        assert_eq!(name("Harbor Charts, North"), "Harbor Charts, North.zip");
        assert_eq!(name("AC/DC: live?"), "AC-DC_ live_.zip");
        assert!(name(&"long ".repeat(100)).len() <= archive::PART_BYTES_MAX);
    }

    #[test]
    fn a_row_without_a_content_is_named() {
        let broken = GrantedFile { sha256: "rubbish".to_owned(), ..file("a.txt", 0) };
        let error = pack([(&broken, Form::Stored)], None).unwrap_err().to_string();
        assert!(error.contains("a.txt"), "{error}");
    }
}
