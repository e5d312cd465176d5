//! Wiring: from configuration to a running product.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use app::app::{App, Parts, Settings};
use app::cx::Actor;
use app::merchants::{self, flow::NewMerchant};
use app::problem::Failure;
use db::{Db, DbError, MIGRATIONS, OnPending, Options, Tuning};
use kernel::{Currency, EmailAddress, MerchantId, Span, SystemClock, SystemEntropy};
use mail::{
    Accepted, BoxFuture, Credentials, Mailer, Outgoing, SendError, SmtpMailer, SmtpSettings, TlsMode,
};
use net::outbound::{Client, OutboundPolicy, Roots};
use stores::{Mirrors, StoreError};

use crate::config::{Config, ConfigError, FileRootConfig, SmtpConfig, secret_file};
use crate::installation;
use crate::keys::{self, Database, KeysError};
use crate::storage;

/// Why the program cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The key ring.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The database.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The folder of contents.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the product refuses.
    #[error(transparent)]
    Product(#[from] Failure),
    /// A file or socket of ours.
    #[error("{what}: {why}")]
    System {
        /// What was being done.
        what: String,
        /// What the system said.
        why: std::io::Error,
    },
    /// An address that cannot be listened on.
    #[error("cannot listen on {address}: {why}; {remedy}")]
    Address {
        /// Which.
        address: String,
        /// What the system said.
        why: std::io::Error,
        /// What to do.
        remedy: String,
    },
    /// Something that must not be run with.
    #[error("{problem}; {remedy}")]
    Insecure {
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: String,
    },
    /// There is no shop where one was looked for.
    #[error(
        "{missing}; if the shop is elsewhere, run this in the folder that holds its data folder, or name its \
             configuration with --config; a new one is made by: handsel serve"
    )]
    Absent {
        /// What is not there.
        missing: String,
    },
    /// Anything else, in words.
    #[error("{0}")]
    Other(String),
}

/// Opens everything that the configuration names, making what is missing, and wires the product.
pub fn open(config: &Config) -> Result<App, StartError> {
    make_data_folder(&config.data)?;
    wire_as_configured(config, OnPending::Migrate)
}

/// Opens what is there and wires the product. A look must leave no keys and no shop behind: a
/// mistyped folder would get one, and a backup could not be restored there any more.
pub fn open_existing(config: &Config) -> Result<App, StartError> {
    installation::find(config)?;
    wire_as_configured(config, OnPending::Refuse)
}

fn wire_as_configured(config: &Config, on_pending: OnPending) -> Result<App, StartError> {
    let mailer: Arc<dyn Mailer> = match &config.smtp {
        Some(smtp) => Arc::new(smtp_mailer(smtp, &host_of(&config.base_url))?),
        None => Arc::new(NoMailServer),
    };
    let policy = OutboundPolicy { allow: config.outbound_allow()? };
    let mut settings = Settings::at(config.base_url.clone());
    settings.raw_notice_days = config.raw_notice_days;
    settings.file_roots = config.file_roots.iter().map(FileRootConfig::declared).collect();
    settings.hand_off = storage::hand_off(config)?;
    wire(config, on_pending, mailer, policy, settings)
}

/// Wires the product with doors of the caller's choice.
pub fn wire(
    config: &Config,
    on_pending: OnPending,
    mailer: Arc<dyn Mailer>,
    policy: OutboundPolicy,
    settings: Settings,
) -> Result<App, StartError> {
    let tuning = Tuning { on_pending, ..Tuning::default() };
    let db = Db::open_with(&database_options(config), MIGRATIONS, tuning)?;
    refuse_half_a_restore(&db)?;
    let used = db.read_blocking(|snapshot| merchants::store::first(snapshot))?.is_some();
    let entropy = Arc::new(SystemEntropy);
    let state = if used { Database::Used } else { Database::Fresh };
    let ring = keys::open_or_create(&config.data, state, &*entropy)?;
    let clock = Arc::new(SystemClock::default());
    let outbound = outbound(policy)?;
    let blobs = storage::open(config, &outbound, clock.clone(), entropy.clone())?;
    let renderer = ui::Renderer::new().map_err(|error| StartError::Other(error.to_string()))?;
    Ok(App::new(Parts {
        db,
        clock,
        entropy,
        ring: Arc::new(ring),
        blobs: Arc::new(blobs),
        mailer,
        outbound,
        renderer: Arc::new(renderer),
        settings,
    }))
}

/// The only way out.
pub fn outbound(policy: OutboundPolicy) -> Result<Client, StartError> {
    Client::new(policy, &Roots::default()).map_err(|error| StartError::Other(error.to_string()))
}

/// The stores, without the product.
pub fn stores_alone(config: &Config) -> Result<Mirrors, StartError> {
    let outbound = outbound(OutboundPolicy { allow: config.outbound_allow()? })?;
    storage::open(config, &outbound, Arc::new(SystemClock::default()), Arc::new(SystemEntropy))
}

/// Half a database must neither serve nor be changed.
pub fn refuse_half_a_restore(db: &Db) -> Result<(), StartError> {
    let half = db.read_blocking(|snapshot| app::installation::store::restoring(snapshot))?;
    half.map_or(Ok(()), |_| {
        let text = "a restore of this database was begun and not finished; run the same handsel restore \
                    again: it goes on where it stopped";
        Err(StartError::Other(text.to_owned()))
    })
}

/// Where the configured database is.
pub fn database_options(config: &Config) -> Options {
    if config.database == "sqlite" {
        Options::Sqlite(sqlite_path(&config.data))
    } else {
        Options::Postgres(config.database.clone())
    }
}

/// The embedded database's file.
pub fn sqlite_path(data: &Path) -> PathBuf {
    data.join("handsel.db")
}

/// The merchant of a new installation, made on the first start.
pub fn first_merchant(app: &App) -> Result<MerchantId, StartError> {
    let made = app.write_blocking(MerchantId::from_bits(0), Actor::System, |cx| {
        if let Some(merchant) = merchants::store::first(cx.tx)? {
            return Ok(merchant.id);
        }
        let email = EmailAddress::parse("shop@localhost").expect("this is an address");
        let new = NewMerchant {
            slug: "shop".to_owned(),
            name: "My shop".to_owned(),
            email,
            currency: Currency::USD,
        };
        Ok(merchants::flow::create(cx, &new)?.id)
    });
    Ok(made?)
}

/// A one-time link for the owner of a shop in which nobody can sign in yet.
pub async fn owner_link(
    app: &App,
    merchant: MerchantId,
    base_url: &str,
) -> Result<Option<String>, StartError> {
    let made = app.write(merchant, Actor::System, app::staff::flow::owner_link).await?;
    Ok(made.map(|link| format!("{base_url}/admin/welcome/{}", link.token.expose())))
}

/// The folder of everything, for nobody else's eyes.
pub fn make_data_folder(data: &Path) -> Result<(), StartError> {
    use std::os::unix::fs::DirBuilderExt as _;
    let failed = |why| StartError::System { what: format!("the data folder {}", data.display()), why };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(failed)?;
    refuse_open_folder(data)
}

/// Whoever may look into the folder may take the keys.
pub fn refuse_open_folder(data: &Path) -> Result<(), StartError> {
    use std::os::unix::fs::PermissionsExt as _;
    let failed = |why| StartError::System { what: format!("the data folder {}", data.display()), why };
    let mode = std::fs::metadata(data).map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o007 != 0 {
        return Err(StartError::Insecure {
            problem: format!("the data folder {} is open to everybody (mode {mode:03o})", data.display()),
            remedy: format!("run: chmod 700 {}", data.display()),
        });
    }
    Ok(())
}

/// The mailer for a configured server. Does not connect yet.
pub fn smtp_mailer(smtp: &SmtpConfig, hello: &str) -> Result<SmtpMailer, StartError> {
    let tls = match smtp.tls.as_deref() {
        None => TlsMode::for_server(&smtp.host, smtp.port),
        Some("starttls") => TlsMode::StartTls,
        Some("implicit") => TlsMode::Implicit,
        Some("none") if TlsMode::for_server(&smtp.host, smtp.port) != TlsMode::Clear => {
            return Err(StartError::Config(ConfigError::Refused {
                name: "smtp.tls",
                problem: format!("mail with download links would go to {} in clear", smtp.host),
                remedy: "write starttls or implicit, or name a server on this machine".to_owned(),
            }));
        }
        Some("none") => TlsMode::Clear,
        Some(other) => {
            return Err(StartError::Config(ConfigError::Refused {
                name: "smtp.tls",
                problem: format!("\"{other}\" is no way to encrypt"),
                remedy: "write starttls, implicit or none".to_owned(),
            }));
        }
    };
    let login = match (&smtp.user, &smtp.password_file) {
        (Some(user), Some(path)) => {
            Some(Credentials { user: user.clone(), password: secret_file("smtp.password_file", path)? })
        }
        (None, None) => None,
        _ => {
            return Err(StartError::Config(ConfigError::Refused {
                name: "smtp",
                problem: "a user without a password file, or the other way round".to_owned(),
                remedy: "set both user and password_file, or neither".to_owned(),
            }));
        }
    };
    let settings = SmtpSettings {
        host: smtp.host.clone(),
        port: smtp.port,
        tls,
        login,
        hello: hello.to_owned(),
        timeout: SMTP_TIMEOUT,
        extra_roots_pem: None,
    };
    SmtpMailer::new(settings).map_err(|error| StartError::Other(error.to_string()))
}

/// What one message may take from connecting to the server's last word.
const SMTP_TIMEOUT: Span = Span::seconds(60);

/// The host in our base URL: what we greet mail servers with.
pub fn host_of(base_url: &str) -> String {
    let host = url::Url::parse(base_url).ok().and_then(|url| url.host_str().map(str::to_owned));
    host.unwrap_or_else(|| "localhost".to_owned())
}

/// Stands where no mail server is configured: everything waits, nothing is lost.
struct NoMailServer;

impl Mailer for NoMailServer {
    fn send<'a>(&'a self, _: &'a Outgoing) -> BoxFuture<'a, Result<Accepted, SendError>> {
        Box::pin(async { Err(SendError::Retry { why: app::messages::NO_MAIL_SERVER.to_owned() }) })
    }

    fn has_server(&self) -> bool {
        false
    }
}
