//! The data folder, the key ring, and room on the disk.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use app::ring::Ring;

use super::Finding;
use crate::config::Config;
use crate::keys::{self, KeysError};

/// Below this, an upload or a busy day stops the shop.
const FREE_LOW: u64 = 2 << 30;
/// Below this, the database may not be able to commit an order.
const FREE_TOO_LOW: u64 = 200 << 20;

/// Who may look into the data folder.
pub fn folders(config: &Config) -> Vec<Finding> {
    let shown = config.data.display();
    let Ok(found) = std::fs::metadata(&config.data) else {
        return vec![Finding::warning(
            "data folder",
            format!("{shown} is not there yet"),
            "nothing, if this is a new installation: handsel serve makes it; otherwise correct \"data\" in the configuration",
        )];
    };
    let mode = found.permissions().mode() & 0o777;
    let open = |to: &str| format!("{shown} is open to {to} (mode {mode:03o})");
    let remedy = format!("run: chmod 700 {shown}");
    vec![match (mode & 0o007, mode & 0o070) {
        (0, 0) => Finding::ok("data folder", format!("{shown} is open to nobody else")),
        (0, _) => Finding::warning("data folder", open("its group"), remedy),
        _ => Finding::insecure("data folder", open("everybody"), remedy),
    }]
}

/// Reads the key ring; nothing when there is none.
pub fn ring(config: &Config) -> Result<Option<Ring>, Finding> {
    let path = keys::ring_path(&config.data);
    keys::read(&config.data).map_err(|error| match error {
        KeysError::Public { mode, .. } => Finding::insecure(
            "keys",
            format!("{} can be read by others (mode {mode:03o})", path.display()),
            format!(
                "run: chmod 600 {}, and if others may have read it: handsel secrets rotate",
                path.display()
            ),
        ),
        other => Finding::insecure(
            "keys",
            other.to_string(),
            "restore the file with: handsel secrets import FILE --passphrase-file FILE",
        ),
    })
}

/// A ring that can be read.
pub fn ring_is_there(ring: &Ring) -> Finding {
    let count = ring.keys().count();
    Finding::ok("keys", format!("{count} in the ring, number {} signs", ring.newest()))
}

/// A ring that is not there.
pub fn ring_is_missing(database_is_there: bool) -> Finding {
    if !database_is_there {
        return Finding::ok("keys", "no ring yet: handsel serve makes one");
    }
    Finding::insecure(
        "keys",
        "there is a database, and the key ring that it was sealed with is missing",
        "put data/keys/ring back, or run: handsel secrets import FILE --passphrase-file FILE",
    )
}

/// Room for the database.
pub fn disk(config: &Config) -> Finding {
    room("disk: data", &config.data)
}

/// Room at a place.
pub fn room(check: &'static str, path: &Path) -> Finding {
    let place = nearest(path);
    let space = match rustix::fs::statvfs(&place) {
        Ok(space) => space,
        Err(error) => {
            return Finding::failed(
                check,
                format!("{}: {error}", place.display()),
                "make the folder readable for the account that runs handsel",
            );
        }
    };
    rated(check, &place, space.f_bavail.saturating_mul(space.f_frsize))
}

/// Judges the free space of a place.
pub fn rated(check: &'static str, place: &Path, free: u64) -> Finding {
    let found = format!("{} MiB free at {}", free >> 20, place.display());
    let remedy = "free space or enlarge the disk; sent backups and old uploads are good candidates";
    if free < FREE_TOO_LOW {
        Finding::failed(check, found, remedy)
    } else if free < FREE_LOW {
        Finding::warning(check, found, remedy)
    } else {
        Finding::ok(check, found)
    }
}

/// The folder itself, or the nearest one above it that is there.
fn nearest(path: &Path) -> PathBuf {
    let there = path.ancestors().find(|place| !place.as_os_str().is_empty() && place.exists());
    there.map_or_else(|| PathBuf::from("."), Path::to_owned)
}
