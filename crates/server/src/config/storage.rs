//! `[[stores]]`, `[storage]` and `[hand_off]`: where contents lie, and who carries them.

use std::collections::HashSet;
use std::path::PathBuf;

use kernel::Secret;

use super::{ConfigError, secret_file};

/// One of `[[stores]]`.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreConfig {
    /// How messages, pages and the environment name it.
    pub name: String,
    /// What it is.
    pub kind: StoreKind,
    /// Whether uploads go there.
    #[serde(default)]
    pub role: StoreRole,
    /// Lower is asked first; where it stands in the file when absent.
    pub order: Option<i64>,
    /// Its share of the reading, where that goes by weight.
    #[serde(default = "one")]
    pub weight: u32,
    /// The folder, for `directory`.
    pub path: Option<PathBuf>,
    /// `https://s3.eu-central-1.amazonaws.com`, for `s3`, and so on.
    pub endpoint: Option<String>,
    /// As the store's documentation says.
    pub region: Option<String>,
    /// Must exist.
    pub bucket: Option<String>,
    /// What stands before our keys, like `shop/`.
    pub prefix: Option<String>,
    /// How the bucket stands in the URL.
    pub style: Option<StoreStyle>,
    /// Whether the store is told the SHA-256 of what it shall keep.
    pub checksums: Option<bool>,
    /// The access key's public half.
    pub key_id: Option<String>,
    /// The access key's secret half: from the environment.
    pub secret: Option<Secret<String>>,
    /// A file with it.
    pub secret_file: Option<PathBuf>,
    /// Where blobs are brought over to; in the data folder when absent.
    pub cache: Option<PathBuf>,
    /// How much is kept there.
    pub cache_mib: Option<u64>,
}

/// What a store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreKind {
    /// A folder.
    Directory,
    /// An S3-compatible bucket.
    S3,
}

/// What a store is there for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreRole {
    /// Uploads go there.
    Home,
    /// It follows.
    #[default]
    Mirror,
}

/// How a bucket stands in a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreStyle {
    /// `https://endpoint/bucket/key`
    Path,
    /// `https://bucket.endpoint/key`
    VirtualHost,
}

/// `[storage]`
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StorageConfig {
    /// Which store is asked first.
    pub reading: Reading,
}

/// Which store is asked first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// The first that is well.
    #[default]
    InOrder,
    /// Each as often as its weight says.
    ByWeight,
}

/// `[hand_off]`: files are left to the proxy in front of us.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandOffConfig {
    /// `X-Accel-Redirect` (nginx) or `X-Sendfile` (Apache, lighttpd).
    pub header: String,
    /// What stands before `sha256/ab/…` in it: a location of nginx, or the folder itself.
    pub prefix: String,
    /// The store whose folder the proxy can read; home when absent.
    pub store: Option<String>,
}

impl HandOffConfig {
    /// Refuses what would send buyers nowhere, or files to anybody who asks.
    pub fn check(&self, stores: &[StoreConfig], proxies: &[String]) -> Result<(), ConfigError> {
        let refused = |problem: &str, remedy: &str| {
            let (problem, remedy) = (problem.to_owned(), remedy.to_owned());
            Err(ConfigError::Refused { name: "hand_off", problem, remedy })
        };
        if !["x-accel-redirect", "x-sendfile"].contains(&self.header.to_ascii_lowercase().as_str()) {
            return refused(
                "no proxy knows this header",
                "write header = \"X-Accel-Redirect\" or \"X-Sendfile\"",
            );
        }
        let plain = self.prefix.bytes().all(|byte| byte.is_ascii_graphic() && !b"%?#\\".contains(&byte));
        let whole = self.prefix.starts_with('/') && self.prefix.ends_with('/');
        if !plain || !whole || self.prefix.contains("/../") {
            return refused(
                "its prefix is no path",
                "write it from / to /, such as prefix = \"/protected/\"",
            );
        }
        if proxies.is_empty() {
            return refused("there is no proxy", "list its address under [proxies] trusted");
        }
        let store = match &self.store {
            Some(name) => stores.iter().find(|store| store.name == *name),
            None => stores.first(),
        };
        match store {
            Some(store) if store.kind == StoreKind::Directory => Ok(()),
            None if self.store.is_none() => Ok(()),
            _ => refused("its store is no directory", "name a store of kind \"directory\" with store = …"),
        }
    }
}

const fn one() -> u32 {
    1
}

fn refused(store: &str, problem: &str, remedy: &str) -> ConfigError {
    let problem = if store.is_empty() { problem.to_owned() } else { format!("store \"{store}\" {problem}") };
    ConfigError::Refused { name: "stores", problem, remedy: remedy.to_owned() }
}

/// Puts the stores in their order, home first, and refuses what cannot be meant.
pub fn arranged(mut stores: Vec<StoreConfig>) -> Result<Vec<StoreConfig>, ConfigError> {
    let mut names = HashSet::new();
    for store in &stores {
        let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        if store.name.is_empty() || store.name.len() > 40 || !store.name.chars().all(plain) {
            return Err(refused(
                &store.name,
                "has a name that cannot be used",
                "write up to 40 lower-case letters, digits and hyphens",
            ));
        }
        if !names.insert(store.name.clone()) {
            return Err(refused(&store.name, "is there twice", "give each store a name of its own"));
        }
        store.fits_its_kind()?;
    }
    let homes = stores.iter().filter(|store| store.role == StoreRole::Home).count();
    if homes > 1 {
        return Err(refused("", "two stores are home", "write role = \"home\" at one: uploads go there"));
    }
    let mut place = 0;
    stores.sort_by_cached_key(|store| {
        place += 1;
        (store.role != StoreRole::Home, store.order.unwrap_or(place))
    });
    Ok(stores)
}

impl StoreConfig {
    fn fits_its_kind(&self) -> Result<(), ConfigError> {
        let of_bucket = [
            ("endpoint", self.endpoint.is_some()),
            ("region", self.region.is_some()),
            ("bucket", self.bucket.is_some()),
            ("prefix", self.prefix.is_some()),
            ("style", self.style.is_some()),
            ("checksums", self.checksums.is_some()),
            ("key_id", self.key_id.is_some()),
            ("secret", self.secret.is_some()),
            ("secret_file", self.secret_file.is_some()),
            ("cache", self.cache.is_some()),
            ("cache_mib", self.cache_mib.is_some()),
        ];
        let needed = |kind: &str, names: &[(&str, bool)]| match names.iter().find(|(_, there)| !there) {
            None => Ok(()),
            Some((name, _)) => {
                Err(refused(&self.name, &format!("is a {kind} without {name}"), &format!("write {name} = …")))
            }
        };
        match self.kind {
            StoreKind::Directory => {
                if let Some((name, _)) = of_bucket.iter().find(|(_, there)| *there) {
                    let problem = format!("is a directory with {name}, which buckets have");
                    return Err(refused(&self.name, &problem, "take it out, or write kind = \"s3\""));
                }
                needed("directory", &[("path", self.path.is_some())])
            }
            StoreKind::S3 => {
                if self.path.is_some() {
                    let problem = "is a bucket with path, which directories have";
                    return Err(refused(&self.name, problem, "name the folder of copies with cache = …"));
                }
                let secret = self.secret.is_some() || self.secret_file.is_some();
                needed(
                    "bucket",
                    &[
                        ("endpoint", self.endpoint.is_some()),
                        ("bucket", self.bucket.is_some()),
                        ("key_id", self.key_id.is_some()),
                        ("secret_file", secret),
                    ],
                )
            }
        }
    }

    /// The secret half of the access key: from its file, or from the environment.
    pub fn secret_key(&self) -> Result<Secret<String>, ConfigError> {
        match (&self.secret_file, &self.secret) {
            (Some(path), _) => secret_file("stores.secret_file", path),
            (None, Some(secret)) if !secret.is_empty() => Ok(secret.clone()),
            (None, _) => Err(refused(&self.name, "has no secret key", "name a file with secret_file = …")),
        }
    }
}

/// `HANDSEL_STORES__ATTIC__KEY_ID=…`: the store of this name, made where there is none.
pub fn named<'a>(stores: &'a mut Vec<toml::Value>, section: &str) -> Option<&'a mut toml::Table> {
    // The environment has no hyphens in its names.
    let name = section.replace('_', "-");
    let is_it = |store: &toml::Value| store.get("name").and_then(toml::Value::as_str) == Some(&name);
    let place = match stores.iter().position(is_it) {
        Some(place) => place,
        None => {
            let table = toml::Table::from_iter([("name".to_owned(), toml::Value::String(name))]);
            stores.push(toml::Value::Table(table));
            stores.len() - 1
        }
    };
    stores.get_mut(place)?.as_table_mut()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(name: &str, more: &str) -> StoreConfig {
        toml::from_str(&format!("name = \"{name}\"\n{more}")).unwrap()
    }

    fn folder(name: &str, more: &str) -> StoreConfig {
        store(name, &format!("kind = \"directory\"\npath = \"/srv/{name}\"\n{more}"))
    }

    fn refusal(stores: Vec<StoreConfig>) -> String {
        arranged(stores).unwrap_err().to_string()
    }

    #[test]
    fn home_comes_first_then_whoever_is_ordered_lower_then_as_written() {
        let stores = vec![
            folder("a", ""),
            folder("b", "order = 9"),
            folder("c", ""),
            folder("d", "role = \"home\"\norder = 50"),
            folder("e", "order = -1"),
        ];
        let names: Vec<String> = arranged(stores).unwrap().into_iter().map(|store| store.name).collect();
        assert_eq!(names, ["d", "e", "a", "c", "b"]);
    }

    #[test]
    fn a_hand_off_needs_a_header_a_path_a_proxy_and_a_directory() {
        let proxies = ["127.0.0.1/32".to_owned()];
        let bucket = "kind = \"s3\"\nendpoint = \"https://s3.example\"\nbucket = \"b\"\nkey_id = \"k\"\nsecret = \"s\"";
        let stores = [folder("home", ""), store("cloud", bucket)];
        let hand_off = |header: &str, prefix: &str, store: Option<&str>| HandOffConfig {
            header: header.to_owned(),
            prefix: prefix.to_owned(),
            store: store.map(ToOwned::to_owned),
        };
        let refusal = |wanted: &HandOffConfig| wanted.check(&stores, &proxies).unwrap_err().to_string();

        let good = hand_off("X-Accel-Redirect", "/protected/", None);
        good.check(&stores, &proxies).unwrap();
        good.check(&[], &proxies).unwrap();
        assert!(good.check(&stores, &[]).unwrap_err().to_string().contains("[proxies] trusted"));
        assert!(refusal(&hand_off("Location", "/protected/", None)).contains("X-Accel-Redirect"));
        assert!(refusal(&hand_off("X-Sendfile", "protected", None)).contains("from / to /"));
        assert!(refusal(&hand_off("X-Sendfile", "/a/../", None)).contains("from / to /"));
        assert!(refusal(&hand_off("X-Sendfile", "/srv/", Some("cloud"))).contains("no directory"));
        assert!(refusal(&hand_off("X-Sendfile", "/srv/", Some("nowhere"))).contains("no directory"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_the_stores_name_and_the_remedy() {
        let twice = refusal(vec![folder("attic", ""), folder("attic", "")]);
        assert!(twice.contains("\"attic\" is there twice"), "{twice}");
        let homes = refusal(vec![folder("a", "role = \"home\""), folder("b", "role = \"home\"")]);
        assert!(homes.contains("two stores are home"), "{homes}");
        let mixed = refusal(vec![folder("a", "bucket = \"shop\"")]);
        assert!(mixed.contains("a directory with bucket"), "{mixed}");
        let half = refusal(vec![store("a", "kind = \"s3\"\nendpoint = \"https://s3.example\"")]);
        assert!(half.contains("a bucket without bucket; write bucket = "), "{half}");
        let odd = refusal(vec![folder("../up", "")]);
        assert!(odd.contains("lower-case letters"), "{odd}");
    }
}
