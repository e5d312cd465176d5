//! The verbs of the shell: what the operator does without a browser.
//!
//! They open the same database as the server and may run beside it; what they enqueue, the
//! server does. Every verb that a script would read has `--json`.

mod api_keys;
mod audit;
mod backup;
mod connections;
mod customers;
mod doctor;
mod import;
mod merchants;
mod migrate;
mod notices;
mod orders;
mod output;
mod payload;
mod products;
mod quarantine;
mod secrets;
mod staff;
mod stamp;
mod storage;

use std::path::Path;
use std::process::ExitCode;

use app::app::App;
use app::problem::Failure;
use clap::Subcommand;
use kernel::{Clock as _, MerchantId, SystemClock};

use crate::config::Config;
use crate::wiring::{self, StartError};
pub use output::{Output, printable};

/// The verbs that work on one merchant's things.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Sellers: add, list.
    #[command(subcommand)]
    Merchants(merchants::Verb),
    /// Gateway accounts: add, list, disable.
    #[command(subcommand)]
    Connections(connections::Verb),
    /// What is sold: add, list, show.
    #[command(subcommand)]
    Products(products::Verb),
    /// Transactions: list, show, resend, extend, reissue, regenerate.
    #[command(subcommand)]
    Orders(orders::Verb),
    /// Accounts of buyers: list, show.
    #[command(subcommand)]
    Customers(customers::Verb),
    /// What gateways sent: list, show, replay, accept, refuse.
    #[command(subcommand)]
    Notices(notices::Verb),
    /// Keys for programs that use the API: create, list, revoke.
    #[command(subcommand)]
    ApiKeys(api_keys::Verb),
    /// Ways into the back office: owner-link, totp-off.
    #[command(subcommand)]
    Staff(staff::Verb),
    /// Show which schema changes the database has had, and make those that are missing.
    Migrate(migrate::Options),
    /// Check database, clock, keys, disk, mail, address and connections, each with its remedy.
    Doctor,
    /// Run the invariants on the database: nothing lost, nothing twice, nothing unpaid.
    Audit(audit::Options),
    /// Write the whole database into one file that either engine can restore.
    Backup(backup::BackupOptions),
    /// Put a backup into an empty or unused database. Nothing is sent from it until you say so.
    Restore(backup::RestoreOptions),
    /// Why nothing is sent, and the end of it: status, lift.
    #[command(subcommand)]
    Quarantine(quarantine::Verb),
    /// The keys: export, import, rotate.
    #[command(subcommand)]
    Secrets(secrets::Verb),
    /// Take over what other shops leave behind: sendsafe.
    #[command(subcommand)]
    Import(import::Verb),
    /// Where contents lie: list, check, sync.
    #[command(subcommand)]
    Stores(storage::Verb),
    /// What a payload spec delivers: explain, pack.
    #[command(subcommand)]
    Payload(payload::Verb),
    /// Copies made out to buyers: lookup.
    #[command(subcommand)]
    Stamp(stamp::Verb),
}

/// Flags that every verb understands.
#[derive(Debug, Clone, clap::Args)]
pub struct Common {
    /// Print JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// Which seller, by slug; the first one when absent.
    #[arg(long, global = true, value_name = "SLUG")]
    pub merchant: Option<String>,
}

/// What a verb works with.
pub struct Desk {
    /// The product.
    pub app: App,
    /// The configuration that it was opened with.
    pub config: Config,
    /// Whose things.
    pub merchant: MerchantId,
    /// Where answers go.
    pub output: Output,
}

/// Why a verb did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum VerbError {
    /// The program could not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The product refused.
    #[error("{0}")]
    Refused(#[from] Failure),
    /// A backup that cannot be made or restored.
    #[error("{0}")]
    Backup(#[from] app::backups::BackupError),
    /// What was typed cannot be understood.
    #[error("{0}")]
    Usage(String),
    /// A file of the operator's.
    #[error("{path}: {why}")]
    File {
        /// Which.
        path: String,
        /// What the system said.
        why: std::io::Error,
    },
}

impl From<db::DbError> for VerbError {
    fn from(error: db::DbError) -> Self {
        Self::Refused(Failure::Db(error))
    }
}

impl From<stores::StoreError> for VerbError {
    fn from(error: stores::StoreError) -> Self {
        Self::Start(StartError::Store(error))
    }
}

/// Runs one verb.
pub fn run(config_file: Option<&Path>, common: &Common, verb: Verb) -> Result<ExitCode, VerbError> {
    let verb = match without_desk(config_file, common, verb)? {
        Done(code) => return Ok(code),
        NeedsDesk(verb) => verb,
    };
    let desk = desk(config_file, common, verb.beginning())?;
    let judged = |good: bool| if good { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    match verb {
        Verb::Audit(options) => return audit::run(&desk, options).map(judged),
        Verb::Import(verb) => return import::run(&desk, verb).map(judged),
        Verb::Stores(verb) => return storage::run(&desk, &verb).map(judged),
        Verb::Merchants(verb) => merchants::run(&desk, verb),
        Verb::Connections(verb) => connections::run(&desk, verb),
        Verb::Products(verb) => products::run(&desk, verb),
        Verb::Orders(verb) => orders::run(&desk, verb),
        Verb::Customers(verb) => customers::run(&desk, verb),
        Verb::Notices(verb) => notices::run(&desk, verb),
        Verb::ApiKeys(verb) => api_keys::run(&desk, verb),
        Verb::Staff(verb) => staff::run(&desk, verb),
        Verb::Backup(options) => backup::backup(&desk, &options),
        Verb::Quarantine(verb) => quarantine::run(&desk, verb),
        Verb::Stamp(verb) => stamp::run(&desk, verb),
        Verb::Migrate(_) | Verb::Doctor | Verb::Restore(_) | Verb::Secrets(_) | Verb::Payload(_) => Ok(()),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// What came of a verb before the product was opened.
enum Early {
    Done(ExitCode),
    NeedsDesk(Verb),
}
use Early::{Done, NeedsDesk};

/// Verbs that need no database, or one that may be missing, broken, old or new: they must not open the product.
fn without_desk(config_file: Option<&Path>, common: &Common, verb: Verb) -> Result<Early, VerbError> {
    let output = Output::new(common.json);
    let config = || Config::load(config_file, std::env::vars()).map_err(StartError::Config);
    match verb {
        Verb::Migrate(options) => migrate::run(&config()?, &options, output)?,
        Verb::Doctor => return Ok(Done(doctor::run(config_file, output, SystemClock::default().now()))),
        Verb::Restore(options) => backup::restore_from(&config()?, &options, output)?,
        Verb::Secrets(verb) => secrets::run(&config()?, verb, output)?,
        Verb::Payload(verb) => return Ok(Done(payload::run(verb, output)?)),
        Verb::Stamp(stamp::Verb::Work) => stamp::work()?,
        other => return Ok(NeedsDesk(other)),
    }
    Ok(Done(ExitCode::SUCCESS))
}

/// Whether a verb may be the first thing that is done with a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beginning {
    /// It puts something into the shop, which is made when there is none.
    Makes,
    /// It shows or changes what is there: where nothing is, it makes nothing.
    Finds,
}

impl Verb {
    const fn beginning(&self) -> Beginning {
        match self {
            Self::Merchants(merchants::Verb::Add { .. })
            | Self::Connections(connections::Verb::Add { .. })
            | Self::Products(products::Verb::Add { .. })
            | Self::ApiKeys(api_keys::Verb::Create { .. })
            | Self::Staff(staff::Verb::OwnerLink { .. })
            | Self::Import(_) => Beginning::Makes,
            // Whoever forgets a new verb here gets one that makes nothing.
            _ => Beginning::Finds,
        }
    }
}

/// Opens the product for a verb.
fn desk(config_file: Option<&Path>, common: &Common, beginning: Beginning) -> Result<Desk, VerbError> {
    let config = Config::load(config_file, std::env::vars()).map_err(StartError::Config)?;
    let app = match beginning {
        Beginning::Makes => wiring::open(&config)?,
        Beginning::Finds => wiring::open_existing(&config)?,
    };
    let merchant = match &common.merchant {
        None => wiring::first_merchant(&app)?,
        Some(slug) => {
            let wanted = slug.clone();
            let found =
                app.read_now(move |snapshot| Ok(app::merchants::store::by_slug(snapshot, &wanted)?))?;
            found.map(|merchant| merchant.id).ok_or_else(|| {
                VerbError::Usage(format!("there is no merchant \"{slug}\"; see: handsel merchants list"))
            })?
        }
    };
    Ok(Desk { app, config, merchant, output: Output::new(common.json) })
}

/// Reads a typed id from the command line.
pub fn id<T: std::str::FromStr<Err = kernel::IdError>>(text: &str) -> Result<T, VerbError> {
    text.parse().map_err(|error: kernel::IdError| VerbError::Usage(error.to_string()))
}

/// A thing that must be there.
pub fn found<T>(what: &str, thing: Option<T>) -> Result<T, VerbError> {
    thing.ok_or_else(|| VerbError::Refused(app::problem::Problem::not_found(what).into()))
}
