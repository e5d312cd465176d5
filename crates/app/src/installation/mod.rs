//! The installation: which database this is, whether it is the newest copy, and quarantine.
//!
//! A restored backup does not know what was sent after it was made, and a clone does not know
//! that it is one. Both would send again what was sent already. So the database counts its own
//! life (`epoch`, `sequence`) and knows where it lies; a witness outside the database remembers
//! the count. Whoever starts the program compares them, and when they contradict each other
//! nothing leaves the house until the operator has looked: no mail, no call to a gateway.

pub mod flow;
pub mod store;

use kernel::Timestamp;

/// Who a database is, as it says itself.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    /// Drawn when the database was new. Backups and clones keep it.
    pub id: String,
    /// How far its life has come.
    #[serde(flatten)]
    pub mark: Mark,
    /// Where it was when it last started, as [`db::Db::place`] says.
    pub place: String,
}

/// How far a database's life has come. Later marks are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Mark {
    /// Grows when a quarantine is lifted: from then on this copy is the true one.
    pub epoch: u64,
    /// Grows with every start, backup, and hour.
    pub sequence: u64,
}

impl Mark {
    /// The first mark of a new database.
    pub const FIRST: Self = Self { epoch: 1, sequence: 1 };

    /// The next mark of the same life.
    #[must_use]
    pub const fn advanced(self) -> Self {
        Self { epoch: self.epoch, sequence: self.sequence.saturating_add(1) }
    }

    /// The first mark of the life that begins when this copy is declared the true one.
    #[must_use]
    pub fn reborn(self, witnessed: Option<Self>) -> Self {
        let newest = witnessed.map_or(self, |witnessed| witnessed.max(self));
        Self { epoch: newest.epoch.saturating_add(1), sequence: 1 }
    }
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.epoch, self.sequence)
    }
}

/// Why nothing leaves the house, and since when.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Quarantine {
    /// In words, for the operator.
    pub why: String,
    /// When it began.
    pub since: Timestamp,
}

/// How far a restore has come. While it stands, the database is half of one.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Restoring {
    /// The digest of the backup.
    pub backup: String,
    /// How many of its records have been put back.
    pub records: u64,
}

/// What the comparison of a database with its witness says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It has never been started.
    New,
    /// It is where it was, and not older than the witness.
    Same,
    /// It is where it was, and this witness has never seen it: another node of the same shop,
    /// or a witness that was lost.
    Unwitnessed,
    /// Something is wrong: the text says what.
    Doubtful(String),
}

/// Compares a database with what the witness beside the keys remembers of it.
pub fn judge(identity: Option<&Identity>, witnessed: Option<Mark>, place: &str) -> Standing {
    let Some(identity) = identity else { return Standing::New };
    if let Some(witnessed) = witnessed.filter(|witnessed| *witnessed > identity.mark) {
        return Standing::Doubtful(format!(
            "the database is older than its witness: it stands at {}, and {witnessed} has been reached; \
             an older copy was put in its place, which does not know what was sent since",
            identity.mark
        ));
    }
    if identity.place != place {
        return Standing::Doubtful(format!(
            "the database is a copy: it was last served as {}, and now it is {place}",
            identity.place
        ));
    }
    if witnessed.is_some() { Standing::Same } else { Standing::Unwitnessed }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn mark(epoch: u64, sequence: u64) -> Mark {
        Mark { epoch, sequence }
    }

    fn identity(at: Mark) -> Identity {
        Identity { id: "a".to_owned(), mark: at, place: "here".to_owned() }
    }

    #[test]
    fn a_database_that_is_at_or_beyond_its_witness_is_the_same() {
        assert_eq!(judge(Some(&identity(mark(1, 5))), Some(mark(1, 5)), "here"), Standing::Same);
        assert_eq!(judge(Some(&identity(mark(2, 1))), Some(mark(1, 9)), "here"), Standing::Same);
    }

    #[test]
    fn a_database_behind_its_witness_is_doubtful_also_at_its_own_place() {
        let standing = judge(Some(&identity(mark(1, 5))), Some(mark(1, 6)), "here");
        assert!(matches!(standing, Standing::Doubtful(why) if why.contains("older than its witness")));
    }

    #[test]
    fn a_database_at_another_place_is_doubtful() {
        let standing = judge(Some(&identity(mark(1, 5))), Some(mark(1, 5)), "there");
        assert!(matches!(standing, Standing::Doubtful(why) if why.contains("a copy")));
    }

    #[test]
    fn another_node_of_the_same_database_is_welcome() {
        assert_eq!(judge(Some(&identity(mark(1, 5))), None, "here"), Standing::Unwitnessed);
    }

    #[test]
    fn a_copy_declared_true_is_beyond_whatever_was_witnessed() {
        assert!(mark(1, 5).reborn(Some(mark(3, 9))) > mark(3, 9));
        assert!(mark(1, 5).reborn(None) > mark(1, 5));
    }
}
