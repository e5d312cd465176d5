//! The stores that the configuration names, opened.

use std::path::Path;
use std::sync::Arc;

use app::storage::HandOff;
use app::storage::network::StoreNetwork;
use http::HeaderName;
use kernel::{Clock, Entropy};
use net::outbound::Client;
use stores::{
    BlobStore, Checksums, DirectoryStore, Mirror, Mirrors, Network, Preference, S3Config, S3Store, UrlStyle,
};

use crate::config::{Config, ConfigError, Reading, StoreConfig, StoreKind, StoreStyle};
use crate::serve::trusted_proxies;
use crate::wiring::StartError;

/// How a store that is not configured is called.
const HOME: &str = "blobs";
/// What is kept of buckets on this machine, each.
const CACHE_MIB: u64 = 10 << 10;

/// Opens the stores. Buckets are not asked yet: a shop whose bucket is away still shows its pages.
pub fn open(
    config: &Config,
    outbound: &Client,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
) -> Result<Mirrors, StartError> {
    let own = config.data.join("blobs");
    if config.stores.is_empty() {
        let store = Arc::new(DirectoryStore::open(&own, entropy)?);
        return Ok(Mirrors::only(HOME, &own.display().to_string(), store, clock));
    }
    refuse_to_forget(config, &own)?;
    let failed = |why| StartError::System { what: "starting the stores' calls".to_owned(), why };
    let network: Arc<dyn Network> = Arc::new(StoreNetwork::new(outbound.clone()).map_err(failed)?);
    let member = |store: &StoreConfig| {
        let (place, opened) = match store.kind {
            StoreKind::Directory => directory(store, &entropy)?,
            StoreKind::S3 => bucket(config, store, &network, &clock, &entropy)?,
        };
        Ok(Mirror { name: store.name.clone(), place, store: opened, weight: store.weight })
    };
    let members = config.stores.iter().map(member).collect::<Result<Vec<_>, StartError>>()?;
    let preference = match config.storage.reading {
        Reading::InOrder => Preference::InOrder,
        Reading::ByWeight => Preference::ByWeight,
    };
    Ok(Mirrors::new(members, preference, clock)?)
}

type Opened = (String, Arc<dyn BlobStore>);

fn directory(store: &StoreConfig, entropy: &Arc<dyn Entropy>) -> Result<Opened, StartError> {
    let path = store.path.clone().unwrap_or_default();
    let opened = DirectoryStore::open(&path, Arc::clone(entropy))?;
    Ok((path.display().to_string(), Arc::new(opened)))
}

fn bucket(
    config: &Config,
    store: &StoreConfig,
    network: &Arc<dyn Network>,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Opened, StartError> {
    let settings = s3_config(store)?;
    let cache = store.cache.clone().unwrap_or_else(|| config.data.join("cache").join(&store.name));
    let bytes_max = store.cache_mib.unwrap_or(CACHE_MIB).saturating_mul(1 << 20);
    let (network, clock, entropy) = (Arc::clone(network), Arc::clone(clock), Arc::clone(entropy));
    let opened = S3Store::open(&settings, &cache, bytes_max, network, clock, entropy)?;
    let place = format!("{}/{}/{}", settings.endpoint, settings.bucket, settings.prefix);
    Ok((place.trim_end_matches('/').to_owned(), Arc::new(opened)))
}

/// The settings of a bucket.
pub fn s3_config(store: &StoreConfig) -> Result<S3Config, ConfigError> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    Ok(S3Config {
        name: store.name.clone(),
        endpoint: text(&store.endpoint).trim_end_matches('/').to_owned(),
        region: store.region.clone().unwrap_or_else(|| "us-east-1".to_owned()),
        bucket: text(&store.bucket),
        style: match store.style {
            Some(StoreStyle::VirtualHost) => UrlStyle::VirtualHost,
            Some(StoreStyle::Path) | None => UrlStyle::Path,
        },
        prefix: text(&store.prefix),
        key_id: text(&store.key_id),
        secret: store.secret_key()?,
        checksums: if store.checksums.unwrap_or(true) { Checksums::Sent } else { Checksums::Left },
    })
}

/// How files are left to the proxy in front of us, if they are.
pub fn hand_off(config: &Config) -> Result<Option<HandOff>, StartError> {
    let Some(wanted) = &config.hand_off else { return Ok(None) };
    let header =
        HeaderName::try_from(&wanted.header).map_err(|error| StartError::Other(error.to_string()))?;
    let home = config.stores.first().map_or(HOME, |store| store.name.as_str());
    Ok(Some(HandOff {
        header,
        prefix: wanted.prefix.clone(),
        store: wanted.store.clone().unwrap_or_else(|| home.to_owned()),
        proxies: trusted_proxies(&config.proxies)?,
    }))
}

/// What was sold from `blobs` in the data folder must not be lost sight of by a new setting.
fn refuse_to_forget(config: &Config, own: &Path) -> Result<(), StartError> {
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    let leads_there = |store: &StoreConfig| store.path.as_deref().and_then(real) == real(own);
    if !own.exists() || config.stores.iter().any(leads_there) || !holds_blobs(own)? {
        return Ok(());
    }
    Err(StartError::Config(ConfigError::Refused {
        name: "stores",
        problem: format!("{} holds contents, and none of the stores leads there", own.display()),
        remedy: "add it as a store of kind \"directory\" and run handsel stores sync, or move it away when \
                 another store has all of it"
            .to_owned(),
    }))
}

fn holds_blobs(folder: &Path) -> Result<bool, StartError> {
    let shelves = folder.join("sha256");
    let failed = |why| StartError::System { what: format!("looking into {}", shelves.display()), why };
    if !shelves.exists() {
        return Ok(false);
    }
    for shelf in std::fs::read_dir(&shelves).map_err(failed)? {
        let path = shelf.map_err(failed)?.path();
        if path.is_dir() && std::fs::read_dir(&path).map_err(failed)?.next().is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
