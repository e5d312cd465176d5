//! Configuration: one TOML file, overridden by the environment, secrets from files.
//!
//! `HANDSEL_LISTEN=…` overrides `listen`, `HANDSEL_SMTP__HOST=…` overrides `host` in `[smtp]`,
//! `HANDSEL_STORES__ATTIC__BUCKET=…` overrides `bucket` of the store that is named `attic`.
//! Unknown names are errors: a misspelled limit must not be a missing one.

mod storage;

use std::path::{Path, PathBuf};

use app::payloads::source::FileRoot;
use kernel::Secret;
use net::outbound::CidrPort;

pub use storage::{HandOffConfig, Reading, StorageConfig, StoreConfig, StoreKind, StoreStyle};

/// Everything the operator decides. Every field has a default that is safe on one machine.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Folder of the embedded database, contents and keys.
    pub data: PathBuf,
    /// `sqlite`, or a `postgres://` URL.
    pub database: String,
    /// A file with that URL, so that its password is in no process list.
    pub database_file: Option<PathBuf>,
    /// Where to listen.
    pub listen: String,
    /// Scheme and host by which buyers and gateways reach us; from `listen` when empty.
    pub base_url: String,
    /// Certificates.
    pub tls: TlsConfig,
    /// Proxies whose word about the client is taken.
    pub proxies: ProxyConfig,
    /// The mail server.
    pub smtp: Option<SmtpConfig>,
    /// What may be called beside public addresses.
    pub outbound: OutboundConfig,
    /// How many days raw notices are kept.
    pub raw_notice_days: i64,
    /// Folders that payloads may be taken from.
    pub file_roots: Vec<FileRootConfig>,
    /// Where contents lie, home first; `blobs` in the data folder when empty.
    pub stores: Vec<StoreConfig>,
    /// How they are read.
    pub storage: StorageConfig,
    /// Whether files are left to the proxy in front of us.
    pub hand_off: Option<HandOffConfig>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("./data"),
            database: "sqlite".to_owned(),
            database_file: None,
            listen: "127.0.0.1:8080".to_owned(),
            base_url: String::new(),
            tls: TlsConfig::default(),
            proxies: ProxyConfig::default(),
            smtp: None,
            outbound: OutboundConfig::default(),
            raw_notice_days: 90,
            file_roots: Vec::new(),
            stores: Vec::new(),
            storage: StorageConfig::default(),
            hand_off: None,
        }
    }
}

/// `[tls]`
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsConfig {
    /// `off`, `files` or `acme`.
    pub mode: TlsMode,
    /// PEM chain, for `files`.
    pub cert: Option<PathBuf>,
    /// PEM key, for `files`.
    pub key: Option<PathBuf>,
    /// Names of the certificate, for `acme`.
    pub domains: Vec<String>,
    /// Whom the authority may write to, for `acme`.
    pub contact: Vec<String>,
    /// The authority; Let's Encrypt when empty.
    pub directory_url: String,
    /// Where plain HTTP is redirected from, such as `0.0.0.0:80`.
    pub redirect_from: Option<String>,
}

/// Where certificates come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsMode {
    /// Plain HTTP.
    #[default]
    Off,
    /// From files.
    Files,
    /// From an ACME authority.
    Acme,
}

/// `[proxies]`
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProxyConfig {
    /// Networks such as `10.0.0.0/8`.
    pub trusted: Vec<String>,
    /// `x-forwarded` or `forwarded`: the one header that they set.
    pub header: Option<String>,
}

/// `[smtp]`
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpConfig {
    /// Host name.
    pub host: String,
    /// Port.
    pub port: u16,
    /// `starttls`, `implicit` or `none` (loopback only); by port when absent.
    pub tls: Option<String>,
    /// Account name.
    pub user: Option<String>,
    /// A file with its password.
    pub password_file: Option<PathBuf>,
}

/// A folder that payload specs may lead into: its path, or with the name that specs have for it.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(untagged)]
pub enum FileRootConfig {
    /// Specs call it by its path.
    Path(PathBuf),
    /// Specs call it otherwise, as in `{ name = 'c:\payloadsource', folder = "/srv/goods" }`.
    Named {
        /// As specs call it.
        name: String,
        /// Where it is on this machine.
        folder: PathBuf,
    },
}

impl FileRootConfig {
    /// The root that is declared.
    pub fn declared(&self) -> FileRoot {
        match self {
            Self::Path(folder) => {
                FileRoot { name: folder.to_string_lossy().into_owned(), folder: folder.clone() }
            }
            Self::Named { name, folder } => FileRoot { name: name.clone(), folder: folder.clone() },
        }
    }
}

/// `[outbound]`
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutboundConfig {
    /// Networks with ports such as `10.0.0.0/8:443`.
    pub allow: Vec<String>,
}

/// Why the configuration cannot be used, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path} cannot be read: {why}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: std::io::Error,
    },
    /// Not TOML, an unknown name, or a value of the wrong type.
    #[error("{path}: {why}")]
    Malformed {
        /// The file, or the environment.
        path: String,
        /// Where and what.
        why: String,
    },
    /// A value that is well formed and must not be used.
    #[error("{name}: {problem}; {remedy}")]
    Refused {
        /// The setting.
        name: &'static str,
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: String,
    },
}

const ENVIRONMENT_PREFIX: &str = "HANDSEL_";

impl Config {
    /// Reads the file, if one is given, and the environment over it.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut table = match file {
            None => toml::Table::new(),
            Some(path) => {
                let unreadable = |why| ConfigError::Unreadable { path: path.to_owned(), why };
                let text = std::fs::read_to_string(path).map_err(unreadable)?;
                let malformed = |why: toml::de::Error| ConfigError::Malformed {
                    path: path.display().to_string(),
                    why: why.to_string(),
                };
                let table = text.parse::<toml::Table>().map_err(malformed)?;
                refuse_open_password(path, &table)?;
                table
            }
        };
        // In the order of their names: stores that the environment makes have one, too.
        let environment: std::collections::BTreeMap<String, String> = environment.collect();
        for (name, value) in environment {
            if let Some(name) = name.strip_prefix(ENVIRONMENT_PREFIX)
                && !RESERVED.contains(&name)
            {
                override_with(&mut table, name, &value);
            }
        }
        let source = file.map_or_else(|| "the environment".to_owned(), |path| path.display().to_string());
        let mut config: Self = table
            .try_into()
            .map_err(|why: toml::de::Error| ConfigError::Malformed { path: source, why: why.to_string() })?;
        if let Some(path) = &config.database_file {
            config.database = secret_file("database_file", path)?.expose().clone();
        }
        if config.base_url.is_empty() {
            config.base_url = config.default_base_url();
        }
        config.base_url = config.base_url.trim_end_matches('/').to_owned();
        config.stores = storage::arranged(config.stores)?;
        config.check()?;
        Ok(config)
    }

    fn default_base_url(&self) -> String {
        match self.tls.mode {
            TlsMode::Off => format!("http://{}", self.listen),
            TlsMode::Files => format!("https://{}", self.listen),
            TlsMode::Acme => {
                self.tls.domains.first().map_or_else(String::new, |name| format!("https://{name}"))
            }
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        let refused = |name, problem: &str, remedy: &str| {
            Err(ConfigError::Refused { name, problem: problem.to_owned(), remedy: remedy.to_owned() })
        };
        if self.tls.mode == TlsMode::Acme && self.tls.domains.is_empty() {
            return refused("tls.domains", "missing", "list the names of the certificate");
        }
        let Ok(url) = url::Url::parse(&self.base_url) else {
            return refused(
                "base_url",
                "not a URL",
                "write scheme and host, such as https://shop.example.com",
            );
        };
        if !matches!(url.scheme(), "http" | "https") || url.path() != "/" || url.query().is_some() {
            return refused(
                "base_url",
                "more or less than scheme and host",
                "write https://shop.example.com",
            );
        }
        if self.database != "sqlite" && !self.database.starts_with("postgres") {
            return refused("database", "neither sqlite nor a postgres:// URL", "write one of them");
        }
        if let Some(hand_off) = &self.hand_off {
            hand_off.check(&self.stores, &self.proxies.trusted)?;
        }
        if self.raw_notice_days < 1 {
            return refused(
                "raw_notice_days",
                "less than a day",
                "keep raw notices long enough to look at them",
            );
        }
        Ok(())
    }

    /// The outbound ranges, read.
    pub fn outbound_allow(&self) -> Result<Vec<CidrPort>, ConfigError> {
        let read = |text: &String| {
            text.parse::<CidrPort>().map_err(|error| ConfigError::Refused {
                name: "outbound.allow",
                problem: error.to_string(),
                remedy: "correct the entry".to_owned(),
            })
        };
        self.outbound.allow.iter().map(read).collect()
    }
}

/// A password in the database's URL, or a store's secret, makes the whole file a secret.
fn refuse_open_password(path: &Path, table: &toml::Table) -> Result<(), ConfigError> {
    use std::os::unix::fs::PermissionsExt as _;
    let url = table.get("database").and_then(toml::Value::as_str).and_then(|url| url::Url::parse(url).ok());
    let stores = table.get("stores").and_then(toml::Value::as_array);
    let name = if url.is_some_and(|url| url.password().is_some()) {
        "database"
    } else if stores.is_some_and(|stores| stores.iter().any(|store| store.get("secret").is_some())) {
        "stores"
    } else {
        return Ok(());
    };
    let unreadable = |why| ConfigError::Unreadable { path: path.to_owned(), why };
    let mode = std::fs::metadata(path).map_err(unreadable)?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let file = if name == "database" { "database_file" } else { "secret_file" };
    Err(ConfigError::Refused {
        name,
        problem: format!("{} holds a password and can be read by others (mode {mode:03o})", path.display()),
        remedy: format!(
            "run: chmod 600 {}, or move it into a file of its own and name that with {file}",
            path.display()
        ),
    })
}

/// Names that other parts of the program read from the environment.
const RESERVED: [&str; 3] = ["FAILPOINT", "LOG", "CONFIG"];

fn override_with(table: &mut toml::Table, name: &str, value: &str) {
    let path: Vec<String> = name.split("__").map(str::to_ascii_lowercase).collect();
    let Some((last, sections)) = path.split_last() else { return };
    let mut place = table;
    if let [stores, name] = sections
        && stores == "stores"
    {
        let list = place.entry(stores.clone()).or_insert_with(|| toml::Value::Array(Vec::new()));
        let Some(store) = list.as_array_mut().and_then(|list| storage::named(list, name)) else { return };
        // A secret of digits alone is a text all the same.
        let typed = if NUMBERS_OF_STORES.contains(&last.as_str()) { typed(value) } else { value.into() };
        store.insert(last.clone(), typed);
        return;
    }
    for section in sections {
        let entry = place.entry(section.clone()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        let toml::Value::Table(next) = entry else { return };
        place = next;
    }
    place.insert(last.clone(), typed(value));
}

const NUMBERS_OF_STORES: [&str; 4] = ["order", "weight", "checksums", "cache_mib"];

/// Numbers, booleans and lists are written as in the file; everything else is text.
fn typed(value: &str) -> toml::Value {
    let as_toml =
        format!("value = {value}").parse::<toml::Table>().ok().and_then(|mut table| table.remove("value"));
    match as_toml {
        Some(typed @ (toml::Value::Integer(_) | toml::Value::Boolean(_) | toml::Value::Array(_))) => typed,
        _ => toml::Value::String(value.to_owned()),
    }
}

/// Reads a secret from a file that nobody else may read.
pub fn secret_file(name: &'static str, path: &Path) -> Result<Secret<String>, ConfigError> {
    use std::os::unix::fs::PermissionsExt as _;
    let unreadable = |why| ConfigError::Refused {
        name,
        problem: format!("{} cannot be read: {why}", path.display()),
        remedy: "make the file, with mode 0600 and owned by the account that runs handsel, or name another"
            .to_owned(),
    };
    let mode = std::fs::metadata(path).map_err(unreadable)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(ConfigError::Refused {
            name,
            problem: format!("{} can be read by others (mode {mode:03o})", path.display()),
            remedy: format!("run: chmod 600 {}", path.display()),
        });
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let secret = text.trim_end_matches(['\r', '\n']).to_owned();
    if secret.is_empty() {
        return Err(ConfigError::Refused {
            name,
            problem: format!("{} is empty", path.display()),
            remedy: "put the secret into it, or take the setting out".to_owned(),
        });
    }
    Ok(Secret::new(secret))
}

#[cfg(test)]
mod tests;
