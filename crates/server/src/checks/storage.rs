//! The stores that contents lie in: there, closed to others, with room, and answering.

use std::path::Path;
use std::sync::Arc;

use app::storage::network::StoreNetwork;
use kernel::{SystemClock, SystemEntropy};
use net::outbound::OutboundPolicy;
use stores::{BlobStore as _, S3Store};

use super::{Finding, files};
use crate::config::{Config, StoreConfig, StoreKind};
use crate::storage::s3_config;
use crate::wiring;

const CHECK: &str = "stores";

/// Looks at each store, or at the one folder where none is configured.
pub fn all(config: &Config) -> Vec<Finding> {
    if config.stores.is_empty() {
        return vec![files::room("disk: blobs", &config.data.join("blobs"))];
    }
    let look = |store: &StoreConfig| match (store.kind, &store.path) {
        (StoreKind::Directory, Some(path)) => directory(store, path),
        _ => vec![bucket(config, store)],
    };
    config.stores.iter().flat_map(look).collect()
}

fn directory(store: &StoreConfig, path: &Path) -> Vec<Finding> {
    use std::os::unix::fs::PermissionsExt as _;
    let shown = path.display();
    let Ok(found) = std::fs::metadata(path) else {
        return vec![Finding::warning(
            CHECK,
            format!("store \"{}\": {shown} is not there", store.name),
            "mount it, or correct its path; where it is new, handsel serve makes it",
        )];
    };
    let mode = found.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return vec![Finding::insecure(
            CHECK,
            format!("store \"{}\": {shown} is open to other users (mode {mode:03o})", store.name),
            format!("run: chmod 700 {shown}"),
        )];
    }
    let there = Finding::ok(CHECK, format!("store \"{}\": {shown} is open to nobody else", store.name));
    vec![there, files::room("disk: store", path)]
}

fn bucket(config: &Config, store: &StoreConfig) -> Finding {
    match reach(config, store) {
        Ok(()) => Finding::ok(CHECK, format!("store \"{}\": its bucket answers", store.name)),
        Err(why) => Finding::failed(
            CHECK,
            format!("store \"{}\": {why}", store.name),
            "correct its settings, or wait for it: what only it has cannot be delivered meanwhile",
        ),
    }
}

/// Asks the bucket, leaving nothing behind on this machine.
fn reach(config: &Config, store: &StoreConfig) -> Result<(), String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let settings = s3_config(store).map_err(|error| text(&error))?;
    let allow = config.outbound_allow().map_err(|error| text(&error))?;
    let client = wiring::outbound(OutboundPolicy { allow }).map_err(|error| text(&error))?;
    let network = Arc::new(StoreNetwork::new(client).map_err(|error| text(&error))?);
    let folder = tempfile::tempdir().map_err(|error| text(&error))?;
    let (clock, entropy) = (Arc::new(SystemClock::default()), Arc::new(SystemEntropy));
    let opened = S3Store::open(&settings, &folder.path().join("cache"), 0, network, clock, entropy);
    opened.and_then(|store| store.reach()).map_err(|error| text(&error))
}
