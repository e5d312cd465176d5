//! The witness: a small file outside the database that remembers how far its life has come.
//!
//! One line per installation: id, epoch, sequence. It lies beside the keys, so that a copy of
//! the database alone is noticed, as is an older copy put in the database's place. A copy of
//! the whole data folder, with its inodes or made as a snapshot, is not.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use app::app::App;
use app::cx::Actor;
use app::installation::flow::{self, WaitingMail, Witnessed};
use app::installation::{Identity, Mark, Quarantine};
use kernel::{MerchantId, Span};

use crate::wiring::StartError;

/// How often the database counts on, which bounds how much an older copy can hide.
const ADVANCE_EVERY: Span = Span::hours(1);

fn path(data: &Path) -> PathBuf {
    data.join("witness")
}

/// What is remembered.
pub fn read(data: &Path) -> Result<Witnessed, StartError> {
    let path = path(data);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(Witnessed::new()),
        Err(why) => return Err(StartError::System { what: path.display().to_string(), why }),
    };
    let parsed = |line: &str| {
        let mut words = line.split_whitespace();
        let (id, epoch, sequence) = (words.next()?, words.next()?, words.next()?);
        Some((id.to_owned(), Mark { epoch: epoch.parse().ok()?, sequence: sequence.parse().ok()? }))
    };
    let lines = text.lines().map(parsed).collect::<Option<Witnessed>>();
    lines.ok_or_else(|| {
        let problem =
            format!("{} is damaged, so nobody knows whether the database is its newest copy", path.display());
        let remedy = "if you are sure that it is, remove the file".to_owned();
        StartError::Insecure { problem, remedy }
    })
}

/// Remembers how far a database has come. Called after the database has committed it.
pub fn write(data: &Path, identity: &Identity) -> Result<(), StartError> {
    let mut all = read(data)?;
    let mark = all.entry(identity.id.clone()).or_insert(identity.mark);
    *mark = identity.mark.max(*mark);
    let (path, temporary) = (path(data), data.join("witness.new"));
    let failed = |why| StartError::System { what: path.display().to_string(), why };
    let how = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary);
    let mut file = how.map_err(failed)?;
    for (id, mark) in &all {
        writeln!(file, "{id} {} {}", mark.epoch, mark.sequence).map_err(failed)?;
    }
    file.sync_all().map_err(failed)?;
    std::fs::rename(&temporary, &path).map_err(failed)?;
    File::open(data).and_then(|folder| folder.sync_all()).map_err(failed)
}

/// Compares the database with the witness at a start. What is doubtful is quarantined.
pub fn arrive(app: &App, data: &Path) -> Result<Option<Quarantine>, StartError> {
    let (place, witnessed) = (app.db().place()?, read(data)?);
    let arrival = app.write_blocking(MerchantId::from_bits(0), Actor::System, move |cx| {
        flow::arrive(cx, &place, &witnessed)
    })?;
    if arrival.quarantine.is_none() {
        write(data, &arrival.identity)?;
    }
    app.note_quarantine(arrival.quarantine.clone());
    Ok(arrival.quarantine)
}

/// Counts on, in the database and then in the witness.
pub fn advance(app: &App, data: &Path) -> Result<(), StartError> {
    let identity = app.write_blocking(MerchantId::from_bits(0), Actor::System, flow::advance)?;
    identity.map_or(Ok(()), |identity| write(data, &identity))
}

/// Ends a quarantine: this copy is the true one. Answers how many messages were dropped.
pub fn lift(app: &App, data: &Path, merchant: MerchantId, mail: WaitingMail) -> Result<u64, StartError> {
    let (place, witnessed) = (app.db().place()?, read(data)?);
    let (identity, dropped) =
        app.write_blocking(merchant, Actor::Shell, move |cx| flow::lift(cx, &place, &witnessed, mail))?;
    write(data, &identity)?;
    Ok(dropped)
}

/// Counts on every hour while the server runs.
pub async fn keep(app: App, data: PathBuf) {
    let mut ticks = tokio::time::interval(ADVANCE_EVERY.to_std());
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // The first tick is now, and the start has just counted.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let (app, data) = (app.clone(), data.clone());
        match tokio::task::spawn_blocking(move || advance(&app, &data)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the witness could not be written"),
            Err(error) => tracing::error!(%error, "the witness could not be written"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::wiring;

    struct Shop {
        config: Config,
        folder: tempfile::TempDir,
    }

    impl Shop {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let config = Config { data: folder.path().join("data"), ..Config::default() };
            Self { config, folder }
        }

        /// Starts and ends.
        fn start(&self) -> Option<Quarantine> {
            let app = wiring::open(&self.config).unwrap();
            wiring::first_merchant(&app).unwrap();
            let quarantine = arrive(&app, &self.config.data).unwrap();
            // Everything into the one file that the tests copy.
            app.db().checkpoint().unwrap();
            app.db().close();
            quarantine
        }

        fn database(&self) -> PathBuf {
            wiring::sqlite_path(&self.config.data)
        }

        /// Puts a file in the database's place, as whoever restores it by hand does.
        fn replace_database(&self, by: &Path) {
            std::fs::copy(by, self.database()).unwrap();
            for log in ["handsel.db-wal", "handsel.db-shm"] {
                let _ = std::fs::remove_file(self.config.data.join(log));
            }
        }

        fn kept(&self) -> PathBuf {
            self.folder.path().join("kept.db")
        }

        fn lift(&self) {
            let app = wiring::open(&self.config).unwrap();
            let merchant = wiring::first_merchant(&app).unwrap();
            lift(&app, &self.config.data, merchant, WaitingMail::Send).unwrap();
            app.db().close();
        }
    }

    #[test]
    fn starting_again_and_again_is_never_doubtful() {
        let shop = Shop::new();
        assert_eq!([shop.start(), shop.start(), shop.start()], [None, None, None]);
    }

    #[test]
    fn yesterdays_file_copied_over_the_database_is_quarantined_until_it_is_lifted() {
        let shop = Shop::new();
        shop.start();
        std::fs::copy(shop.database(), shop.kept()).unwrap();
        shop.start();
        // Writes into the same file: only the witness can tell.
        shop.replace_database(&shop.kept());
        let quarantine = shop.start().unwrap();
        assert!(quarantine.why.contains("older than its witness"), "{}", quarantine.why);
        assert!(shop.start().is_some(), "another start does not help");
        shop.lift();
        assert_eq!(shop.start(), None);
    }

    #[test]
    fn a_clone_of_the_database_in_another_data_folder_is_quarantined() {
        let (shop, staging) = (Shop::new(), Shop::new());
        shop.start();
        wiring::make_data_folder(&staging.config.data.join("keys")).unwrap();
        let ring = |shop: &Shop| crate::keys::ring_path(&shop.config.data);
        std::fs::copy(ring(&shop), ring(&staging)).unwrap();
        staging.replace_database(&shop.database());
        assert!(staging.start().unwrap().why.contains("a copy"));
        assert_eq!(shop.start(), None);
    }

    #[test]
    fn a_damaged_witness_is_not_taken_for_a_new_one() {
        let shop = Shop::new();
        shop.start();
        std::fs::write(path(&shop.config.data), "half a li").unwrap();
        assert!(read(&shop.config.data).unwrap_err().to_string().contains("remove the file"));
    }
}
