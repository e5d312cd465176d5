//! `handsel secrets …`: the keys apart from the database that they open.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use app::ring::{KEY_LENGTH, Ring};
use kernel::{Entropy as _, Secret, SystemEntropy};

use super::{Output, VerbError};
use crate::config::{Config, secret_file};
use crate::keys::{self, KeysError};
use crate::outfile::OutFile;
use crate::secrets::{self, Cost};
use crate::wiring::{self, StartError};

/// What can be done with the keys.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Write the keys to a file, sealed by a passphrase. Without them a backup cannot be opened.
    Export {
        /// The file to write.
        file: PathBuf,
        /// A file with the passphrase, readable by nobody else.
        #[arg(long, value_name = "FILE")]
        passphrase_file: PathBuf,
    },
    /// Put exported keys back.
    Import {
        /// The exported file.
        file: PathBuf,
        /// A file with its passphrase, readable by nobody else.
        #[arg(long, value_name = "FILE")]
        passphrase_file: PathBuf,
        /// Also where there are other keys. Those are kept beside, as keys/ring.replaced.
        #[arg(long)]
        force: bool,
    },
    /// Add a new key that signs and seals from now on. Older ones keep working.
    Rotate,
}

/// Runs the verb.
pub fn run(config: &Config, verb: Verb, output: Output) -> Result<(), VerbError> {
    match verb {
        Verb::Export { file, passphrase_file } => export(config, &file, &passphrase_file, output),
        Verb::Import { file, passphrase_file, force } => {
            let how = if force { Replace::Any } else { Replace::Same };
            import(config, &file, &passphrase_file, how, output)
        }
        Verb::Rotate => rotate(config, output),
    }
}

fn ring_here(config: &Config) -> Result<Ring, VerbError> {
    let none = || {
        VerbError::Start(StartError::Absent {
            missing: format!("there are no keys in {}", config.data.display()),
        })
    };
    keys::read(&config.data).map_err(StartError::from)?.ok_or_else(none)
}

fn passphrase(path: &Path) -> Result<Secret<String>, VerbError> {
    Ok(secret_file("--passphrase-file", path).map_err(StartError::from)?)
}

fn export(config: &Config, path: &Path, passphrase_file: &Path, output: Output) -> Result<(), VerbError> {
    let ring = ring_here(config)?;
    let text = Secret::new(keys::text(&ring));
    let sealed = secrets::seal(&text, &passphrase(passphrase_file)?, Cost::USUAL, &SystemEntropy)
        .map_err(|error| VerbError::Usage(error.to_string()))?;
    let failed = |why| VerbError::File { path: path.display().to_string(), why };
    let out = OutFile::create(path).map_err(failed)?;
    let mut file = out.file();
    file.write_all(sealed.as_bytes()).map_err(failed)?;
    out.finish().map_err(failed)?;
    let numbers: Vec<u32> = ring.keys().map(|(number, _)| number).collect();
    output.done(
        &format!("{} keys exported; keep the file and the passphrase at two places", numbers.len()),
        &serde_json::json!({ "file": path, "keys": numbers }),
    );
    Ok(())
}

/// What an import may replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Replace {
    /// Only keys that are in the import too.
    Same,
    /// Any.
    Any,
}

fn import(
    config: &Config,
    path: &Path,
    passphrase_file: &Path,
    how: Replace,
    output: Output,
) -> Result<(), VerbError> {
    let failed = |why| VerbError::File { path: path.display().to_string(), why };
    let export = std::fs::read_to_string(path).map_err(failed)?;
    let text = secrets::open(&export, &passphrase(passphrase_file)?)
        .map_err(|error| VerbError::Usage(format!("{}: {error}", path.display())))?;
    let imported = keys::parse(path, text.expose()).and_then(|keys| Ok(Ring::new(keys)?));
    let imported = imported.map_err(StartError::from)?;
    let numbers: Vec<u32> = imported.keys().map(|(number, _)| number).collect();
    wiring::make_data_folder(&config.data)?;
    // A ring that cannot be read is one that cannot be lost.
    let here = match keys::read(&config.data) {
        Ok(here) => here,
        Err(KeysError::Malformed { .. } | KeysError::Ring(_)) => None,
        Err(error) => return Err(StartError::from(error).into()),
    };
    if let Some(here) = here.filter(|here| !is_part_of(here, &imported)) {
        if how == Replace::Same {
            return Err(VerbError::Usage(
                "there are other keys here already, which some database may need; export them first, then \
                 import with --force"
                    .to_owned(),
            ));
        }
        keys::keep_replaced(&config.data, &here).map_err(StartError::from)?;
    }
    keys::write(&config.data, &imported).map_err(StartError::from)?;
    output.done(
        &format!("{} keys imported; restart the server", numbers.len()),
        &serde_json::json!({ "keys": numbers }),
    );
    Ok(())
}

fn is_part_of(here: &Ring, imported: &Ring) -> bool {
    let same = |number, key: &Secret<[u8; KEY_LENGTH]>| {
        imported.keys().any(|(other, known)| other == number && known.matches(key.expose()))
    };
    here.keys().all(|(number, key)| same(number, key))
}

fn rotate(config: &Config, output: Output) -> Result<(), VerbError> {
    let here = ring_here(config)?;
    let number = here.newest().checked_add(1);
    let number = number.ok_or_else(|| VerbError::Usage("there is no further key number".to_owned()))?;
    let mut key = [0u8; KEY_LENGTH];
    SystemEntropy.fill(&mut key);
    let all = here.keys().map(|(number, key)| (number, key.clone())).chain([(number, Secret::new(key))]);
    let ring = Ring::new(all.collect()).map_err(KeysError::from).map_err(StartError::from)?;
    keys::write(&config.data, &ring).map_err(StartError::from)?;
    output.done(
        &format!(
            "key {number} signs from the next start: restart the server now (on every node, with the same ring), \
             and export the keys again"
        ),
        &serde_json::json!({ "newest": number, "keys": ring.keys().count() }),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    struct Place {
        config: Config,
        folder: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let config = Config { data: folder.path().join("data"), ..Config::default() };
            Self { config, folder }
        }

        fn with_keys() -> Self {
            let place = Self::new();
            keys::open_or_create(&place.config.data, keys::Database::Fresh, &SystemEntropy).unwrap();
            place
        }

        fn file(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn passphrase(&self, text: &str) -> PathBuf {
            let path = self.file(text);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            path
        }

        fn run(&self, verb: Verb) -> Result<(), VerbError> {
            run(&self.config, verb, Output::new(true))
        }

        fn code(&self) -> Option<[u8; 16]> {
            ring_here(&self.config).unwrap().code(1, "x", &[])
        }
    }

    #[test]
    fn exported_keys_come_back_in_an_empty_place_and_replace_nothing_by_accident() {
        let (from, to, other) = (Place::with_keys(), Place::new(), Place::with_keys());
        let file = from.file("export");
        let passphrase_file = from.passphrase("five words are enough");
        from.run(Verb::Export { file: file.clone(), passphrase_file: passphrase_file.clone() }).unwrap();
        let import =
            |force| Verb::Import { file: file.clone(), passphrase_file: passphrase_file.clone(), force };
        to.run(import(false)).unwrap();
        assert_eq!(to.code(), from.code());

        let before = other.code();
        assert!(other.run(import(false)).unwrap_err().to_string().contains("--force"));
        assert_eq!(other.code(), before);
        other.run(import(true)).unwrap();
        assert_eq!(other.code(), from.code());
        assert!(other.config.data.join("keys/ring.replaced").exists());
    }

    #[test]
    fn a_wrong_passphrase_is_said_to_be_one() {
        let place = Place::with_keys();
        let file = place.file("export");
        let passphrase_file = place.passphrase("five words are enough");
        place.run(Verb::Export { file: file.clone(), passphrase_file }).unwrap();
        let wrong = place.passphrase("something else entirely");
        let error = place.run(Verb::Import { file, passphrase_file: wrong, force: true }).unwrap_err();
        assert!(error.to_string().contains("the passphrase is wrong"), "{error}");
    }

    #[test]
    fn a_rotation_adds_a_key_and_breaks_nothing() {
        let place = Place::with_keys();
        let before = place.code();
        place.run(Verb::Rotate).unwrap();
        assert_eq!(ring_here(&place.config).unwrap().newest(), 2);
        assert_eq!(place.code(), before);
    }
}
