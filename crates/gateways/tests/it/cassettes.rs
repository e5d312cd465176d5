//! Recorded requests, judged as the hook would judge them.

use std::path::{Path, PathBuf};

use gateways::cassette::{Cassette, Played};

/// Requests that providers and public libraries have signed. They are not part of the project; where
/// the folder is, they must all come out as they say.
const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cassettes");

/// A cassette of a folder.
pub fn play(folder: &Path) -> Played {
    let cassette = Cassette::read(|name| std::fs::read(folder.join(name)).ok());
    cassette.and_then(|cassette| cassette.play()).unwrap_or_else(|why| panic!("{}: {why}", folder.display()))
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let children = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
    };
    children(root).iter().flat_map(|gateway| children(gateway)).collect()
}

#[test]
fn every_recorded_request_comes_out_as_it_says() {
    let mut wrong = Vec::new();
    for folder in folders(Path::new(SHARED)) {
        let known = folder.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        if known.and_then(gateways::gateway).is_none() {
            continue;
        }
        let played = play(&folder);
        if !played.differences.is_empty() {
            wrong.push(format!("{}: {:?} ({:?})", folder.display(), played.differences, played.reason));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
