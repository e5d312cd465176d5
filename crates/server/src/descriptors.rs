//! How many connections the system lets us hold: each one is an open file.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::wiring::StartError;

/// For the database, contents, mail, gateways and the program's own files.
const RESERVED: u64 = 512;
/// With fewer connections than this a shop is not served, but turned away at random.
const CONNECTIONS_MIN: u64 = 64;

/// How many connections to serve at once: as many as wanted, or as open files allow.
///
/// Accepting more than there are descriptors for would fail in the database and in uploads, where
/// it hurts, and not at the door.
pub fn connections_max(wanted: usize) -> Result<usize, StartError> {
    let open_files = raise();
    let allowed = connections_for(open_files);
    if allowed < CONNECTIONS_MIN {
        return Err(StartError::Insecure {
            problem: format!("the system allows {open_files} open files, too few to serve anybody"),
            remedy: format!("{REMEDY} to at least {}", RESERVED + CONNECTIONS_MIN),
        });
    }
    let allowed = usize::try_from(allowed).unwrap_or(usize::MAX);
    if allowed < wanted {
        tracing::warn!(
            open_files,
            connections = allowed,
            "fewer connections than the {wanted} that are meant to be served at once; {REMEDY} to {}",
            RESERVED.saturating_add(u64::try_from(wanted).unwrap_or(u64::MAX))
        );
    }
    Ok(allowed.min(wanted))
}

const REMEDY: &str = "raise the limit (LimitNOFILE= in the service, ulimit -n in a shell)";

/// What remains for connections.
const fn connections_for(open_files: u64) -> u64 {
    open_files.saturating_sub(RESERVED)
}

/// Takes as much as the system grants without being asked by root, and tells how much that is.
fn raise() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let granted = Rlimit { current: limit.maximum, maximum: limit.maximum };
    // Refused where the hard limit is above the kernel's own; the soft one stays then.
    let limit = setrlimit(Resource::Nofile, granted).map_or(limit, |()| granted);
    limit.current.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_needs_itself_is_not_given_to_connections() {
        assert_eq!(connections_for(1_024), 512);
        assert_eq!(connections_for(100), 0);
        assert_eq!(connections_for(u64::MAX), u64::MAX - RESERVED);
    }
}
