//! Named places where a test can kill the program: the hops of an order, of a file and of a backup.
//!
//! Only in builds with the feature `failpoints`, which nothing turns on by itself. There,
//! `HANDSEL_FAILPOINT=name` ends the process the first time it passes that place, `name@3` the
//! third time: by SIGKILL, without unwinding or flushing. What is listed here and
//! what the tests kill is the same list, so a place cannot be forgotten by either.

/// Lists the hops, once, with the names by which the environment calls them.
macro_rules! hops {
    ($($(#[$meaning:meta])* $hop:ident = $name:literal,)*) => {
        /// A place between two steps, where a crash must lose nothing and repeat nothing.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Hop {
            $($(#[$meaning])* $hop,)*
        }

        impl Hop {
            /// All of them, in the order in which an order passes them.
            pub const ALL: &'static [Self] = &[$(Self::$hop,)*];

            /// Its name in the environment.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$hop => $name,)*
                }
            }
        }
    };
}

hops! {
    /// A notice was read; nothing of it is stored.
    InboxBeforeCommit = "inbox.before_commit",
    /// A notice is stored, and its sender has not heard so.
    InboxAfterCommit = "inbox.after_commit",
    /// Jobs are leased, and none was begun.
    JobsClaimed = "jobs.claimed",
    /// The gateway has confirmed a notice; nothing came of it yet.
    VerifyJudged = "verify.judged",
    /// Payment, order, units, grants and messages are written, and not committed.
    ApplyBeforeCommit = "apply.before_commit",
    /// They are committed; nobody has been told.
    ApplyAfterCommit = "apply.after_commit",
    /// Events are sealed; invoices are not numbered yet.
    HouseSealed = "house.sealed",
    /// Invoices are numbered.
    HouseInvoiced = "house.invoiced",
    /// An attempt to send a mail is recorded; the mail has not left.
    MailBeforeSend = "mail.before_send",
    /// The mail server has taken a mail; that is not recorded.
    MailAfterSend = "mail.after_send",
    /// It is recorded, with the end of its job.
    MailRecorded = "mail.recorded",
    /// A part of a unit is made; no row knows it.
    PartMade = "part.made",
    /// It is recorded, with the end of its job.
    PartRecorded = "part.recorded",
    /// A place of a link is reserved; the buyer has not heard where the bytes are.
    DownloadReserved = "download.reserved",
    /// Bytes were handed out that are not saved.
    DownloadBeforeCount = "download.before_count",
    /// They are saved.
    DownloadAfterCount = "download.after_count",
    /// All of a content has arrived; it has no name in the store yet.
    UploadReceived = "upload.received",
    /// It has its name; no row knows it.
    UploadStored = "upload.stored",
    /// A row knows it; the sender has not heard so.
    UploadRecorded = "upload.recorded",
    /// A content is deflated and the stream stored; no row knows it.
    PackedStored = "packed.stored",
    /// A row knows it; archives that begin from now on have it.
    PackedRecorded = "packed.recorded",
    /// A backup is written; it is not durable and has no name.
    BackupWritten = "backup.written",
    /// It is durable and has its name.
    BackupNamed = "backup.named",
    /// A database was chosen for a restore, which has put back nothing.
    RestoreEntered = "restore.entered",
    /// A part of the rows is back.
    RestoreBatch = "restore.batch",
    /// Rows and contents are back; the restore is not declared whole.
    RestoreWhole = "restore.whole",
    /// The restore is declared whole, and quarantined.
    RestoreLeft = "restore.left",
}

/// Ends the process here when the environment says so; nothing at all in a shipped build.
#[macro_export]
macro_rules! failpoint {
    ($hop:ident) => {
        #[cfg(feature = "failpoints")]
        $crate::failpoint::pass($crate::failpoint::Hop::$hop);
    };
}

/// What `HANDSEL_FAILPOINT` says instead of a place for the sabotage that a test of losses must
/// notice: notices are acknowledged first and committed later.
#[cfg(feature = "failpoints")]
const ACKNOWLEDGE_EARLY: &str = "sabotage.acknowledge_early";

#[cfg(feature = "failpoints")]
fn asked() -> Option<&'static str> {
    static ASKED: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    ASKED.get_or_init(|| std::env::var("HANDSEL_FAILPOINT").ok()).as_deref()
}

/// Ends the process when this is the place that was named, and the time that was named.
#[cfg(feature = "failpoints")]
pub fn pass(hop: Hop) {
    use std::sync::atomic::{AtomicU32, Ordering};
    static PASSED: AtomicU32 = AtomicU32::new(0);
    let Some(asked) = asked() else { return };
    let (name, time) = asked.split_once('@').unwrap_or((asked, "1"));
    if name != hop.name() {
        return;
    }
    let passed = PASSED.fetch_add(1, Ordering::SeqCst) + 1;
    if time.parse() == Ok(passed) {
        // A signal that cannot be sent must not let the test pass by.
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        std::process::abort();
    }
}

/// Whether this process was told to break the promise that an acknowledged notice is kept.
#[cfg(feature = "failpoints")]
pub fn acknowledges_early() -> bool {
    asked() == Some(ACKNOWLEDGE_EARLY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hop_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<&str> = Hop::ALL.iter().map(|hop| hop.name()).collect();
        assert_eq!(names.len(), Hop::ALL.len());
    }
}
