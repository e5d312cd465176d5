//! `handsel backup` and `handsel restore`.

use std::fs::File;
use std::path::{Path, PathBuf};

use app::backups::make::{Contents, Origin, make};
use app::backups::restore::{check, migrations_of, restore};
use app::backups::{BackupError, Header, keys_missing};
use app::failpoint;
use app::ring::Ring;
use db::{Db, MIGRATIONS, OnPending};
use indicatif::{ProgressBar, ProgressStyle};
use kernel::{Clock as _, SystemClock};
use stores::Sha256;

use super::{Desk, Output, VerbError};
use crate::checks::tuning;
use crate::config::Config;
use crate::outfile::OutFile;
use crate::wiring::StartError;
use crate::{installation, keys, wiring, witness};

/// What to back up.
#[derive(Debug, clap::Args)]
pub struct BackupOptions {
    /// The file to write. It holds buyers' names and addresses in clear, and no secret.
    file: PathBuf,
    /// Also the contents of everything that is sold; otherwise keep data/blobs yourself.
    #[arg(long)]
    with_blobs: bool,
}

/// What to restore.
#[derive(Debug, clap::Args)]
pub struct RestoreOptions {
    /// The backup.
    file: PathBuf,
    /// Also with other keys than those of the backup: links and sealed secrets stay dead.
    #[arg(long)]
    force: bool,
}

/// A bar for people; nothing when the output goes elsewhere.
pub fn bar(what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:10} {wide_bar} {percent:>3}%");
    let bar = ProgressBar::new(0).with_message(what);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// Moves the bar.
pub fn tell(bar: &ProgressBar) -> impl FnMut(u64, u64) {
    |done, every| {
        bar.set_length(every);
        bar.set_position(done);
    }
}

/// Writes a backup of one moment.
pub fn backup(desk: &Desk, options: &BackupOptions) -> Result<(), VerbError> {
    let failed = |why| VerbError::File { path: options.file.display().to_string(), why };
    let out = OutFile::create(&options.file).map_err(failed)?;
    // So that whoever restores this backup is behind the witness.
    witness::advance(&desk.app, &desk.config.data)?;
    let contents = if options.with_blobs { Contents::Included } else { Contents::Listed };
    let app = &desk.app;
    let origin = Origin { db: app.db(), ring: app.ring(), blobs: &**app.blobs() };
    let shown = bar("backing up");
    let made = make(&origin, out.file(), contents, app.now(), &mut tell(&shown))?;
    failpoint!(BackupWritten);
    out.finish().map_err(failed)?;
    failpoint!(BackupNamed);
    shown.finish_and_clear();
    let text = format!(
        "{} rows, {} of {} contents; SHA-256 {}\nkeep the keys too: handsel secrets export FILE --passphrase-file FILE{}",
        made.totals.rows,
        made.totals.contents,
        made.totals.blobs,
        made.digest,
        told_missing(&made.missing),
    );
    desk.output.done(
        &text,
        &serde_json::json!({
            "file": options.file, "made_at": made.header.made_at, "totals": made.totals, "sha256": made.digest,
            "missing_blobs": texts(&made.missing),
        }),
    );
    Ok(())
}

fn texts(missing: &[Sha256]) -> Vec<String> {
    missing.iter().map(ToString::to_string).collect()
}

fn told_missing(missing: &[Sha256]) -> String {
    if missing.is_empty() {
        return String::new();
    }
    let list = texts(missing).join("\n  ");
    format!(
        "\nthese contents are in none of the stores; copy them there or upload the files again:\n  {list}"
    )
}

/// Puts a backup into the configured database, which must be empty or never used.
pub fn restore_from(config: &Config, options: &RestoreOptions, output: Output) -> Result<(), VerbError> {
    let failed = |why| VerbError::File { path: options.file.display().to_string(), why };
    let file = File::open(&options.file).map_err(failed)?;
    let shown = bar("checking");
    let checked = check(&file, &mut tell(&shown))?;
    shown.finish_and_clear();
    let migrations = migrations_of(&checked.header)?;
    let keys = keys_here(config, &checked.header, options.force)?;
    wiring::make_data_folder(&config.data)?;
    let place = wiring::database_options(config);
    let db = Db::open_with(&place, migrations, tuning(OnPending::Migrate))?;
    let keys = keys.settled(&config.data)?;
    let blobs = wiring::stores_alone(config)?;
    let shown = bar("restoring");
    let now = SystemClock::default().now();
    let restored = restore(&db, &blobs, &file, &checked, now, &mut tell(&shown))?;
    shown.finish_and_clear();
    db.close();
    // From the schema of the backup to this program's.
    Db::open_with(&place, MIGRATIONS, tuning(OnPending::Migrate))?.close();
    let text = format!(
        "{} rows restored; {}\nnothing is sent until you run: handsel quarantine lift --yes{}{}",
        checked.totals.rows,
        restored.quarantine.why,
        keys.told(),
        told_missing(&restored.missing),
    );
    output.done(
        &text,
        &serde_json::json!({
            "made_at": checked.header.made_at, "totals": checked.totals, "sha256": checked.digest,
            "resumed_after": restored.resumed_after, "quarantine": restored.quarantine,
            "missing_blobs": texts(&restored.missing), "keys": keys.word(),
        }),
    );
    Ok(())
}

/// Whether the keys of a backup are here.
enum Keys {
    Here,
    Missing,
    Other,
    /// Those here were made by a first start and sealed nothing: they make room.
    Unused(Ring),
    /// They made room, and are kept here.
    SetAside(PathBuf),
}

impl Keys {
    const fn word(&self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Other => "other",
            Self::Missing | Self::Unused(_) | Self::SetAside(_) => "missing",
        }
    }

    fn told(&self) -> String {
        let missing = "\nthe keys are not here yet: handsel secrets import FILE --passphrase-file FILE";
        match self {
            Self::Here => String::new(),
            Self::Other => {
                "\nthe keys here are others: links and sealed secrets of the backup stay dead".to_owned()
            }
            Self::Missing | Self::Unused(_) => missing.to_owned(),
            Self::SetAside(kept) => {
                format!(
                    "{missing}\nthose of the shop that was here and never used are kept as {}",
                    kept.display()
                )
            }
        }
    }

    /// Takes unused keys away.
    fn settled(self, data: &Path) -> Result<Self, VerbError> {
        match self {
            Self::Unused(ring) => Ok(Self::SetAside(keys::set_aside(data, &ring).map_err(StartError::from)?)),
            settled => Ok(settled),
        }
    }
}

fn keys_here(config: &Config, header: &Header, force: bool) -> Result<Keys, VerbError> {
    let data = &config.data;
    let Some(ring) = keys::read(data).map_err(StartError::from)? else { return Ok(Keys::Missing) };
    let missing = keys_missing(header, &ring);
    if missing.is_empty() {
        return Ok(Keys::Here);
    }
    if force {
        return Ok(Keys::Other);
    }
    if installation::is_unused(config)? {
        return Ok(Keys::Unused(ring));
    }
    let numbers = missing.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Err(VerbError::Backup(BackupError::Refused {
        problem: format!("the keys in {} are not those that the backup was sealed with (number {numbers})", data.display()),
        remedy: "import its keys with handsel secrets import, use an empty data folder, or restore with --force and \
                 lose every link and sealed secret"
            .to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use app::installation::store;

    use super::*;
    use crate::verbs::quarantine;

    struct Place {
        config: Config,
        folder: tempfile::TempDir,
    }

    fn place() -> Place {
        let folder = tempfile::tempdir().unwrap();
        Place { config: Config { data: folder.path().join("data"), ..Config::default() }, folder }
    }

    impl Place {
        fn desk(&self) -> Desk {
            let app = wiring::open(&self.config).unwrap();
            let merchant = wiring::first_merchant(&app).unwrap();
            Desk { app, config: self.config.clone(), merchant, output: Output::new(true) }
        }

        /// A shop that was served once, and its backup.
        fn backed_up(&self) -> PathBuf {
            let desk = self.desk();
            witness::arrive(&desk.app, &self.config.data).unwrap();
            let file = self.folder.path().join("backup");
            backup(&desk, &BackupOptions { file: file.clone(), with_blobs: true }).unwrap();
            file
        }

        fn restore(&self, file: &Path, force: bool) -> Result<(), VerbError> {
            let options = RestoreOptions { file: file.to_owned(), force };
            restore_from(&self.config, &options, Output::new(true))
        }

        fn take_keys_of(&self, other: &Self) {
            let ring = keys::read(&other.config.data).unwrap().unwrap();
            wiring::make_data_folder(&self.config.data).unwrap();
            keys::write(&self.config.data, &ring).unwrap();
        }
    }

    #[test]
    fn a_restored_shop_serves_with_its_keys_and_stays_quarantined_until_it_is_lifted() {
        let (from, to) = (place(), place());
        let file = from.backed_up();
        to.restore(&file, false).unwrap();
        let refused = wiring::open(&to.config).err().expect("no keys").to_string();
        assert!(refused.contains("secrets import"), "{refused}");

        to.take_keys_of(&from);
        let desk = to.desk();
        assert!(witness::arrive(&desk.app, &to.config.data).unwrap().is_some());
        assert!(desk.app.quarantine().unwrap().is_some());
        let lift = |yes| quarantine::run(&desk, quarantine::Verb::Lift { yes, drop_mail: false });
        assert!(lift(false).unwrap_err().to_string().contains("--yes"));
        lift(true).unwrap();
        assert!(witness::arrive(&desk.app, &to.config.data).unwrap().is_none());
    }

    #[test]
    fn the_keys_of_another_shop_are_noticed_before_anything_is_restored() {
        let (from, to, another) = (place(), place(), place());
        let file = from.backed_up();
        another.backed_up();
        to.take_keys_of(&another);
        assert!(to.restore(&file, false).unwrap_err().to_string().contains("--force"));
        assert!(!wiring::sqlite_path(&to.config.data).exists());
        to.restore(&file, true).unwrap();
    }

    #[test]
    fn a_shop_that_is_there_is_not_restored_over() {
        let from = place();
        let file = from.backed_up();
        let desk = from.desk();
        let somebody = kernel::EmailAddress::parse("ada@example.com").unwrap();
        desk.app
            .write_blocking(desk.merchant, app::cx::Actor::Shell, move |cx| {
                app::staff::flow::invite(cx, &somebody, "Ada", app::staff::Role::Owner)
            })
            .unwrap();
        for force in [false, true] {
            let refused = from.restore(&file, force).unwrap_err().to_string();
            assert!(refused.contains("empty one"), "{refused}");
        }
    }

    #[test]
    fn half_a_restore_neither_serves_nor_takes_verbs() {
        let place = place();
        let desk = place.desk();
        let half = app::installation::Restoring { backup: "a".to_owned(), records: 1 };
        desk.app
            .write_blocking(desk.merchant, app::cx::Actor::Shell, move |cx| {
                Ok(store::save_restoring(cx.tx, &half, cx.now)?)
            })
            .unwrap();
        let refused = wiring::open(&place.config).err().expect("half").to_string();
        assert!(refused.contains("handsel restore again"), "{refused}");
    }
}
