//! What is at the configured place: looked at without making or changing anything.

use std::path::Path;

use app::backups::unused;
use db::{Db, MIGRATIONS, OnPending, Options, Tuning};

use crate::checks::tuning;
use crate::config::Config;
use crate::wiring::{StartError, database_options};
use crate::{keys, wiring};

/// Makes sure that there is a shop: its folder, database, tables, keys and merchant.
pub fn find(config: &Config) -> Result<(), StartError> {
    let data = config.data.display();
    let absent = |what: String| Err(StartError::Absent { missing: format!("there is no shop here: {what}") });
    if !is_there(&config.data)? {
        return absent(format!("the data folder {data} does not exist"));
    }
    wiring::refuse_open_folder(&config.data)?;
    let Some(db) = database(config)? else {
        let file = wiring::sqlite_path(&config.data);
        return absent(format!("there is no database {}", file.display()));
    };
    let place = match db.engine() {
        db::Engine::Sqlite => format!("the database in {data}"),
        db::Engine::Postgres => format!("the PostgreSQL database that goes with {data}"),
    };
    if is_blank(&db)? {
        return absent(format!("{place} is empty"));
    }
    // Behind this program: opening it says so, and what to do.
    if !db.pending()?.is_empty() {
        return Ok(());
    }
    wiring::refuse_half_a_restore(&db)?;
    let sold_by = db.read_blocking(|snapshot| app::merchants::store::first(snapshot))?;
    match (sold_by, keys::read(&config.data)?) {
        (None, _) => absent(format!("{place} has no seller yet")),
        (Some(_), None) => Err(keys::KeysError::Lost { path: keys::ring_path(&config.data) }.into()),
        (Some(_), Some(_)) => Ok(()),
    }
}

/// The configured database as it is. `None`: there is no file.
pub fn database(config: &Config) -> Result<Option<Db>, StartError> {
    let options = database_options(config);
    match &options {
        Options::Sqlite(path) if !is_there(path)? => Ok(None),
        _ => {
            let patience = Tuning::default().reconnect_attempts_max;
            let tuning = Tuning { reconnect_attempts_max: patience, ..tuning(OnPending::Leave) };
            Ok(Some(Db::open_with(&options, MIGRATIONS, tuning)?))
        }
    }
}

fn is_there(path: &Path) -> Result<bool, StartError> {
    path.try_exists().map_err(|why| StartError::System { what: path.display().to_string(), why })
}

/// Whether no migration has run on it.
pub fn is_blank(db: &Db) -> Result<bool, StartError> {
    Ok(db.pending()?.len() == MIGRATIONS.len())
}

/// Whether there is a shop in which nobody has done anything yet: made by a first start alone.
pub fn is_unused(config: &Config) -> Result<bool, StartError> {
    let Some(db) = database(config)? else { return Ok(false) };
    if !db.pending()?.is_empty() {
        return Ok(false);
    }
    Ok(db.read_blocking(|snapshot| {
        let made = app::merchants::store::first(snapshot)?.is_some();
        Ok::<_, db::DbError>(made && unused::in_the_way(snapshot)?.is_none())
    })?)
}
