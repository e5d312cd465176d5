//! What SQLite's error codes mean to a caller.

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::DbError;
use crate::sql::Prepared;

/// The error of a statement.
pub(crate) fn failed(prepared: &Prepared, error: &rusqlite::Error) -> DbError {
    known(error).unwrap_or_else(|| DbError::Statement {
        statement: prepared.name.to_string(),
        problem: error.to_string(),
    })
}

/// The error of something that is not the product's statement.
pub(crate) fn passing_or_other(error: &rusqlite::Error) -> DbError {
    known(error).unwrap_or_else(|| other(error))
}

pub(crate) fn other(error: &rusqlite::Error) -> DbError {
    DbError::Other(error.to_string())
}

/// The error of a COMMIT. Reading or writing the file failed while the commit was being
/// written: whether it is there shows only after a restart.
pub(crate) fn of_commit(error: &rusqlite::Error) -> DbError {
    match passing_or_other(error) {
        DbError::Other(text) if code(error) == Some(ErrorCode::SystemIoFailure) => DbError::Broken(text),
        known => known,
    }
}

fn code(error: &rusqlite::Error) -> Option<ErrorCode> {
    error.sqlite_error_code()
}

fn known(error: &rusqlite::Error) -> Option<DbError> {
    if let rusqlite::Error::SqliteFailure(failure, _) = error
        && matches!(failure.extended_code, ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC)
    {
        return Some(DbError::Broken(format!("flushing to the disk failed: {error}")));
    }
    match code(error)? {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Some(DbError::Busy(error.to_string())),
        ErrorCode::DiskFull => Some(DbError::DiskFull),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Some(DbError::Broken(error.to_string())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn what_passes_what_is_full_and_what_is_broken_are_told_apart() {
        let meaning = |code| passing_or_other(&failure(code));
        assert!(matches!(meaning(ffi::SQLITE_BUSY), DbError::Busy(_)));
        assert!(matches!(meaning(ffi::SQLITE_BUSY_RECOVERY), DbError::Busy(_)));
        assert!(matches!(meaning(ffi::SQLITE_FULL), DbError::DiskFull));
        assert!(matches!(meaning(ffi::SQLITE_IOERR_FSYNC), DbError::Broken(_)));
        assert!(matches!(meaning(ffi::SQLITE_CORRUPT), DbError::Broken(_)));
        assert!(matches!(meaning(ffi::SQLITE_IOERR_READ), DbError::Other(_)));
        assert!(matches!(meaning(ffi::SQLITE_READONLY), DbError::Other(_)));
    }

    #[test]
    fn a_commit_that_could_not_be_written_is_broken() {
        assert!(matches!(of_commit(&failure(ffi::SQLITE_IOERR_WRITE)), DbError::Broken(_)));
        assert!(matches!(of_commit(&failure(ffi::SQLITE_FULL)), DbError::DiskFull));
    }
}
