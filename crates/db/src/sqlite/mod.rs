//! SQLite: one file, one writer thread, and read-only connections used where they are wanted.
//!
//! Durable means `synchronous=FULL` in WAL mode: every commit waits for the disk. The writer
//! shares that wait between the closures that are queued (`writer`). Readers see the last
//! commit and never wait for the writer (`readers`).

mod errors;
mod ground;
mod readers;
mod session;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::queue::{Queue, Refused};
use crate::work::{ReadWork, WriteWork};
use crate::{DbError, Tuning};

pub(crate) use errors::{other, passing_or_other};
pub(crate) use ground::SqliteGround;
pub(crate) use readers::Readers;
pub(crate) use session::BorrowingSession;

/// Before 3.51.3, a bug in WAL mode could corrupt the file when two connections checkpointed.
const VERSION_MIN: i32 = 3_051_003;
/// In pages of 4 KiB: how long the log grows before it is copied into the file.
const CHECKPOINT_PAGES: u32 = 4_000;
/// In bytes: what the log is cut back to after it had to grow.
const LOG_SIZE_MAX: u32 = 64 * 1024 * 1024;
/// In KiB: what a connection keeps in memory.
const WRITER_CACHE_KIB: u32 = 16 * 1024;
const READER_CACHE_KIB: u32 = 2 * 1024;
/// How long a connection waits for another process, when nothing else is said.
const BUSY_WAIT: Duration = Duration::from_secs(5);
/// How many closures may wait to write, or to read on a database thread.
const WAITING_MAX: usize = 4_096;

/// What the threads and the handle share.
pub(crate) struct Shared {
    pub path: PathBuf,
    pub writes: Queue<Box<dyn WriteWork>>,
    pub reads: Queue<Box<dyn ReadWork>>,
    pub readers: Readers,
    /// Why nothing is written any more.
    broken: Mutex<Option<String>>,
    /// Whether the last commit did not fit on the disk.
    pub disk_full: AtomicBool,
    /// A connection that only watches for commits of others.
    watcher: Mutex<Option<Connection>>,
}

impl Shared {
    /// A number that changes with every commit, whichever process made it.
    pub fn data_version(&self) -> Result<i64, DbError> {
        let mut watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = match watcher.take() {
            Some(connection) => connection,
            None => open_reader(&self.path)?,
        };
        let connection = watcher.insert(connection);
        let version = connection
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)));
        version.map_err(|e| passing_or_other(&e))
    }

    pub fn broken(&self) -> Option<String> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// After a failed flush nobody knows what is on the disk: the kernel may have thrown the
    /// pages away and say "done" the next time. Only a restart reads the truth.
    pub fn note(&self, error: &DbError) {
        match error {
            DbError::Broken(why) => {
                tracing::error!(why, "the database's storage failed; nothing more is written");
                let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
                broken.get_or_insert_with(|| why.clone());
            }
            DbError::DiskFull => self.disk_full.store(true, Ordering::Relaxed),
            _ => {}
        }
    }

    /// After a failed flush the log in memory may not be the one on the disk: copied into the file
    /// by the connection that closes last, it would damage that too.
    fn keep_untrusted_log(&self, connection: &Connection) {
        if self.broken().is_some()
            && let Err(error) = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        {
            tracing::error!(%error, "the log cannot be kept from being copied");
        }
    }
}

/// A SQLite database with its threads.
pub(crate) struct Sqlite {
    pub shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Gives its connection back when it ends, to be closed as the last.
    writer: Mutex<Option<JoinHandle<Connection>>>,
}

impl Sqlite {
    /// Opens the file, which must have been prepared by [`create`], and starts the threads.
    pub fn start(path: &Path, tuning: &Tuning) -> Result<Self, DbError> {
        let connection = open_writer(path)?;
        connection.busy_timeout(tuning.busy_wait).map_err(|e| other(&e))?;
        let shared = Arc::new(Shared {
            path: path.to_owned(),
            writes: Queue::new(WAITING_MAX),
            reads: Queue::new(WAITING_MAX),
            readers: Readers::new(path.to_owned()),
            broken: Mutex::new(None),
            disk_full: AtomicBool::new(false),
            watcher: Mutex::new(None),
        });
        let mut threads = Vec::new();
        let (batch_max, of_writer) = (tuning.batch_max.max(1), Arc::clone(&shared));
        let writer = spawn("db-writer", move || {
            writer::run(&connection, &of_writer, batch_max);
            of_writer.keep_untrusted_log(&connection);
            connection
        })?;
        for _ in 0..tuning.sqlite_readers.max(1) {
            let shared = Arc::clone(&shared);
            threads.push(spawn("db-reader", move || readers::run(&shared))?);
        }
        Ok(Self { shared, threads: Mutex::new(threads), writer: Mutex::new(Some(writer)) })
    }

    pub fn write(&self, work: Box<dyn WriteWork>) {
        // What is refused is answered here: nothing is lost without a word.
        if let Some(why) = self.shared.broken() {
            return work.answer(Err(DbError::Broken(why)));
        }
        if let Err((refused, work)) = self.shared.writes.push(work) {
            work.answer(Err(refused.into()));
        }
    }

    pub fn read(&self, work: Box<dyn ReadWork>) {
        if let Err((refused, work)) = self.shared.reads.push(work) {
            work.answer(Err(refused.into()));
        }
    }

    /// Ends the threads after what is queued is done, and leaves everything in the one file:
    /// whoever closes it last copies the log into it and removes the log. That needs the right
    /// to write, so the writer's connection is closed after those that only read.
    pub fn close(&self) {
        self.shared.writes.close();
        self.shared.reads.close();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let connection = writer.and_then(crate::work::joined);
        for thread in std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner)) {
            crate::work::joined(thread);
        }
        self.shared.readers.clear();
        self.shared.watcher.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Err((_, error))) = connection.map(Connection::close) {
            tracing::error!(%error, "the database could not be closed");
        }
    }
}

impl From<Refused> for DbError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Full => Self::Busy("too many transactions are waiting".to_owned()),
            Refused::Closed => Self::Closed,
        }
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    body: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, DbError> {
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(body);
    thread.map_err(|e| DbError::Other(format!("cannot start the thread {name}: {e}")))
}

/// Opens a connection that may write, making the file when it is missing.
pub(crate) fn open_writer(path: &Path) -> Result<Connection, DbError> {
    refuse_older_than_needed(rusqlite::version_number(), rusqlite::version())?;
    make_private(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| cannot_open(path, &e))?;
    // Set first: the other settings have to wait for other processes too.
    connection.busy_timeout(BUSY_WAIT).map_err(|e| other(&e))?;
    let settings = format!(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES};
         PRAGMA journal_size_limit = {LOG_SIZE_MAX};
         PRAGMA cache_size = -{WRITER_CACHE_KIB};"
    );
    connection.execute_batch(&settings).map_err(|e| cannot_open(path, &e))?;
    set_common(&connection).map_err(|e| cannot_open(path, &e))?;
    let mode: String = connection
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .map_err(|e| cannot_open(path, &e))?;
    if mode != "wal" {
        let text = "cannot use write-ahead logging there (a network file system?); put it on a local disk";
        return Err(DbError::Other(format!("{}: {text}", path.display())));
    }
    Ok(connection)
}

/// Makes a missing file such that only its owner can read it; the log inherits that.
fn make_private(path: &Path) -> Result<(), DbError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(DbError::Other(format!("cannot make {}: {error}", path.display())))
        }
        _ => Ok(()),
    }
}

/// Opens a connection that only reads.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, DbError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| cannot_open(path, &e))?;
    connection.busy_timeout(BUSY_WAIT).map_err(|e| other(&e))?;
    let settings = format!("PRAGMA cache_size = -{READER_CACHE_KIB};");
    connection.execute_batch(&settings).map_err(|e| cannot_open(path, &e))?;
    set_common(&connection).map_err(|e| cannot_open(path, &e))?;
    Ok(connection)
}

/// Copies the log into the file and empties it, as far as readers allow.
pub(crate) fn checkpoint(path: &Path) -> Result<(), DbError> {
    let connection = open_writer(path)?;
    let done = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    done.map_err(|e| passing_or_other(&e))
}

/// `temp_store`: savepoint journals in files cost a third. `mmap_size`: a mapped file that is
/// cut short kills the process. `trusted_schema`: the file's text runs no functions of ours.
/// QPSG: without it a statement may be planned again, which costs more than running it, whenever
/// another value is bound.
fn set_common(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(
        "PRAGMA foreign_keys = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA mmap_size = 0;
         PRAGMA trusted_schema = OFF;",
    )
}

fn cannot_open(path: &Path, error: &rusqlite::Error) -> DbError {
    match passing_or_other(error) {
        DbError::Other(text) => DbError::Other(format!("cannot open {}: {text}", path.display())),
        DbError::Busy(_) => DbError::Busy(format!("{} is locked by another process", path.display())),
        known => known,
    }
}

fn refuse_older_than_needed(number: i32, name: &str) -> Result<(), DbError> {
    if number >= VERSION_MIN {
        return Ok(());
    }
    Err(DbError::Other(format!(
        "this program is linked with SQLite {name}, which can damage a database in WAL mode; \
         it needs 3.51.3 or newer, so build it with the bundled library"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_library_is_refused_by_name() {
        let error = refuse_older_than_needed(3_046_001, "3.46.1").expect_err("too old");
        assert!(error.to_string().contains("3.46.1"), "{error}");
        assert!(refuse_older_than_needed(3_051_003, "3.51.3").is_ok());
    }

    fn started() -> (tempfile::TempDir, Sqlite) {
        let folder = tempfile::tempdir().expect("a folder");
        let sqlite = Sqlite::start(&folder.path().join("test.db"), &Tuning::default()).expect("it starts");
        (folder, sqlite)
    }

    fn write_nothing(sqlite: &Sqlite) -> Result<(), DbError> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let work = |_: &mut crate::Tx<'_>| Ok::<_, DbError>(());
        sqlite.write(Box::new(crate::work::Task::new(work, crate::work::Reply::Blocked(sender))));
        receiver.recv().expect("an answer")
    }

    #[test]
    fn after_a_failed_flush_nothing_is_written_any_more() {
        let (_folder, sqlite) = started();
        assert!(write_nothing(&sqlite).is_ok());
        let flush = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC);
        sqlite.shared.note(&errors::of_commit(&rusqlite::Error::SqliteFailure(flush, None)));
        let refused = write_nothing(&sqlite);
        assert!(matches!(refused, Err(DbError::Broken(_))), "{refused:?}");
        assert!(sqlite.shared.readers.with(|_| ()).is_ok(), "reading goes on");
        sqlite.close();
        assert!(log(&sqlite.shared.path).exists(), "a log that nobody can trust was copied into the file");
    }

    fn log(path: &Path) -> PathBuf {
        path.with_extension("db-wal")
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_the_file_and_its_log() {
        use std::os::unix::fs::PermissionsExt;
        let (folder, _sqlite) = started();
        let connection = open_writer(&folder.path().join("test.db")).expect("it opens");
        connection.execute_batch("CREATE TABLE goods (id TEXT) STRICT").expect("it writes");
        for name in ["test.db", "test.db-wal", "test.db-shm"] {
            let file = std::fs::metadata(folder.path().join(name)).expect(name);
            assert_eq!(file.permissions().mode() & 0o777, 0o600, "{name}");
        }
    }
}
