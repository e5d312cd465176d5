//! The demo: a shop with sample products, a simulated PayPal and a mailbox, all on loopback.

mod browser;
mod mailbox;
mod once;
mod samples;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use app::app::{App, Settings};
use app::connections::{self, flow::NewConnection};
use app::cx::Actor;
use app::merchants::{self, flow::NewMerchant};
use app::products::{self, flow::NewProduct};
use gateways::{Mode, paypal_standard};
use indicatif::ProgressBar;
use kernel::{Currency, EmailAddress, Entropy as _, MerchantId, Money, SystemClock, SystemEntropy};
use mail::{Mailbox, SmtpMailer, SmtpSettings, TlsMode, sink};
use net::outbound::{CidrPort, OutboundPolicy};
use paysim::{BookOptions, Options, Patience, PaySim, PaySimHandle};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::serve;
use crate::wiring::{self, StartError};

/// How the demo is run.
#[derive(Debug, clap::Args)]
pub struct DemoOptions {
    /// Do one purchase by itself over HTTP, check everything, and end.
    #[arg(long)]
    once: bool,
    /// Keep the data here; without it they are thrown away at the end.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The shop's port; the mailbox and the simulator take the next two. 0 takes free ones.
    #[arg(long, default_value_t = 8080)]
    port: u16,
}

/// The running demo.
pub struct Stage {
    app: App,
    shop: SocketAddr,
    simulator: PaySimHandle,
    mails: Mailbox,
    mailbox_page: SocketAddr,
    merchant: MerchantId,
    serving: JoinHandle<Result<(), StartError>>,
    _sink: sink::Sink,
    _folder: Option<Folder>,
}

/// The folder of a demo that keeps nothing.
struct Folder(PathBuf);

impl Drop for Folder {
    /// A task of the shop may be writing its last file, which then is in the way once.
    fn drop(&mut self) {
        for _ in 0..20 {
            match std::fs::remove_dir_all(&self.0) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    std::thread::park_timeout(Duration::from_millis(50));
                }
                Ok(()) | Err(_) => {}
            }
            if !self.0.exists() {
                return;
            }
        }
    }
}

/// Sets the stage and either serves it or plays one purchase on it.
pub async fn run(options: DemoOptions, json: bool) -> Result<ExitCode, StartError> {
    let port = if options.once { 0 } else { options.port };
    let stage = set(&options, port).await?;
    if options.once {
        let report = once::play(&stage).await;
        return Ok(once::tell(&report, json));
    }
    tell(&stage, owner_link(&stage).await?);
    stage.serving.await.map_err(|error| StartError::Other(error.to_string()))??;
    Ok(ExitCode::SUCCESS)
}

fn tell(stage: &Stage, owner_link: Option<String>) {
    println!("Shop         http://{}/", stage.shop);
    match owner_link {
        Some(link) => println!("Back office  {link}   (one-time owner link)"),
        None => println!("Back office  http://{}/admin", stage.shop),
    }
    println!(
        "PayPal       {}/   (simulated: move its days on, refund, reverse, delay)",
        stage.simulator.url()
    );
    println!("Mailbox      http://{}/", stage.mailbox_page);
    println!("\nBuy something, and watch the mailbox. Ctrl-C ends the demo.");
}

/// What the audit finds, in words.
async fn audit(stage: &Stage) -> Result<Vec<String>, String> {
    let app = stage.app.clone();
    let audited = tokio::task::spawn_blocking(move || {
        let options =
            app::audit::Options { depth: app::audit::Depth::Contents, ..app::audit::Options::default() };
        app::audit::run(app.db(), &**app.blobs(), app.now(), &options)
    });
    let report = audited.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    let words = |check: &app::audit::Outcome| {
        let (id, title) = (check.id, check.title);
        check.violations.iter().map(|one| format!("{id} {title}: {}", one.text)).collect::<Vec<_>>()
    };
    Ok(report.broken().flat_map(words).collect())
}

/// The way in for the owner, as long as nobody has one.
async fn owner_link(stage: &Stage) -> Result<Option<String>, StartError> {
    let base = format!("http://{}", stage.shop);
    wiring::owner_link(&stage.app, stage.merchant, &base).await
}

/// What is being done, for a person at a terminal; nothing where the output goes elsewhere.
fn progress() -> ProgressBar {
    let shown = ProgressBar::new_spinner();
    shown.enable_steady_tick(SPIN_EVERY);
    shown
}

const SPIN_EVERY: Duration = Duration::from_millis(100);

async fn set(options: &DemoOptions, port: u16) -> Result<Stage, StartError> {
    let stopped = serve::stop_on_signals()?;
    let shown = progress();
    shown.set_message("opening the database");
    let (data, folder) = data_folder(options)?;
    let listener = bind(port).await?;
    let mailbox_listener = bind(port.checked_add(u16::from(port != 0)).unwrap_or(0)).await?;
    let simulator_listener = bind(if port == 0 { 0 } else { port.saturating_add(2) }).await?;
    let smtp_listener = bind(0).await?;
    let (shop, mailbox_page) = (address(&listener)?, address(&mailbox_listener)?);
    let smtp = address(&smtp_listener)?;

    let mails = Mailbox::new();
    let clock = Arc::new(SystemClock::default());
    let sink = sink::Sink::start(smtp_listener, mails.clone(), clock, sink::Limits::default());
    let simulator = simulate(simulator_listener)?;
    let app = wire(data, shop, smtp, &simulator).await?;
    shown.set_message("stocking the shelves");
    let merchant = furnish(&app, &simulator).await?;
    shown.finish_and_clear();

    let config = demo_config(shop);
    let serving = app.clone();
    let serving = tokio::spawn(async move { serve::run(serving, &config, listener, stopped).await });
    mailbox::serve(mailbox_listener, mails.clone(), app.clone());
    Ok(Stage { app, shop, simulator, mails, mailbox_page, merchant, serving, _sink: sink, _folder: folder })
}

fn data_folder(options: &DemoOptions) -> Result<(PathBuf, Option<Folder>), StartError> {
    if let Some(data) = &options.data {
        return Ok((data.clone(), None));
    }
    use std::os::unix::fs::PermissionsExt as _;
    let ours = std::fs::Permissions::from_mode(0o700);
    let made = tempfile::Builder::new().prefix("handsel-demo-").permissions(ours).tempdir();
    let folder = made.map_err(|why| StartError::System { what: "a folder for the demo".to_owned(), why })?;
    let folder = folder.keep();
    Ok((folder.clone(), Some(Folder(folder))))
}

async fn bind(port: u16) -> Result<TcpListener, StartError> {
    serve::bind(&format!("127.0.0.1:{port}")).await
}

fn address(listener: &TcpListener) -> Result<SocketAddr, StartError> {
    listener.local_addr().map_err(|why| StartError::System { what: "a listening socket".to_owned(), why })
}

/// Each run needs transaction ids of its own: a kept data folder remembers the old ones.
fn simulate(listener: TcpListener) -> Result<PaySimHandle, StartError> {
    let mut seed = [0u8; 8];
    SystemEntropy.fill(&mut seed);
    let book =
        BookOptions { seed: u64::from_le_bytes(seed), patience: Patience::Demo, ..BookOptions::default() };
    let options = Options { book, answer_within: Duration::from_secs(5), ..Options::default() };
    let started = PaySim::start(listener, options);
    started.map_err(|why| StartError::System { what: "the simulated PayPal".to_owned(), why })
}

fn demo_config(shop: SocketAddr) -> Config {
    Config { listen: shop.to_string(), base_url: format!("http://{shop}"), ..Config::default() }
}

async fn wire(
    data: PathBuf,
    shop: SocketAddr,
    smtp: SocketAddr,
    simulator: &PaySimHandle,
) -> Result<App, StartError> {
    let config = Config { data, ..demo_config(shop) };
    let settings = Settings { demo: true, ..Settings::at(config.base_url.clone()) };
    let mailer = SmtpMailer::new(SmtpSettings {
        host: smtp.ip().to_string(),
        port: smtp.port(),
        tls: TlsMode::Clear,
        login: None,
        hello: "localhost".to_owned(),
        timeout: kernel::Span::seconds(20),
        extra_roots_pem: None,
    });
    let mailer = Arc::new(mailer.map_err(|error| StartError::Other(error.to_string()))?);
    let simulated: CidrPort = format!("127.0.0.1/32:{}", simulator.address().port())
        .parse()
        .map_err(|e| StartError::Other(format!("{e}")))?;
    let policy = OutboundPolicy { allow: vec![simulated] };
    let opened = tokio::task::spawn_blocking(move || {
        wiring::make_data_folder(&config.data)?;
        wiring::wire(&config, db::OnPending::Migrate, mailer, policy, settings)
    });
    opened.await.map_err(|error| StartError::Other(error.to_string()))?
}

/// A merchant with products and a connection to the simulator.
async fn furnish(app: &App, simulator: &PaySimHandle) -> Result<MerchantId, StartError> {
    let endpoint = simulator.url();
    let blobs = Arc::clone(app.blobs());
    let filled = tokio::task::spawn_blocking(move || {
        let store = |sample: samples::Sample| {
            let files = sample.files.iter().map(|(name, content)| samples::store(&*blobs, name, content));
            let files = files.collect::<Result<Vec<_>, _>>()?;
            Ok::<_, stores::StoreError>((sample, files))
        };
        samples::all().into_iter().map(store).collect::<Result<Vec<_>, _>>()
    });
    let filled = filled.await.map_err(|error| StartError::Other(error.to_string()))??;
    let filled = Arc::new(filled);
    let merchant = app
        .write(MerchantId::from_bits(0), Actor::System, move |cx| {
            let merchant = match merchants::store::first(cx.tx)? {
                Some(merchant) => merchant,
                None => merchants::flow::create(cx, &demo_merchant())?,
            };
            cx.merchant = merchant.id;
            for (sample, files) in filled.iter() {
                if products::store::by_sku(cx.tx, cx.merchant, sample.sku)?.is_none() {
                    stock(cx, sample, files)?;
                }
            }
            connect(cx, &endpoint)?;
            Ok(merchant.id)
        })
        .await?;
    Ok(merchant)
}

fn demo_merchant() -> NewMerchant {
    NewMerchant {
        slug: "shop".to_owned(),
        name: "Harbor & Lathe".to_owned(),
        email: EmailAddress::parse("shop@example.com").expect("this is an address"),
        currency: Currency::USD,
    }
}

fn stock(
    cx: &mut app::cx::Cx<'_, '_>,
    sample: &samples::Sample,
    files: &[products::flow::StoredFile],
) -> app::problem::Flow<()> {
    let [usd, eur] = sample.prices;
    let new = NewProduct {
        sku: sample.sku.to_owned(),
        name: sample.name.to_owned(),
        description: sample.description.to_owned(),
        prices: vec![Money::new(usd, Currency::USD), Money::new(eur, Currency::EUR)],
    };
    let mut product = products::flow::create(cx, &new)?;
    product.standard_text = sample.standard_text.to_owned();
    product.other_text = sample.other_text.to_owned();
    products::store::save(cx.tx, &product, cx.now)?;
    for file in files {
        products::flow::add_file(cx, &product, file)?;
    }
    Ok(())
}

/// The simulator may have another port than the last time: an old connection to it is put away.
fn connect(cx: &mut app::cx::Cx<'_, '_>, endpoint: &str) -> app::problem::Flow<()> {
    for old in connections::store::list(cx.tx, cx.merchant)? {
        if old.settings.get(paypal_standard::ENDPOINT).is_some_and(|known| known == endpoint) {
            return Ok(());
        }
        connections::store::disable(cx.tx, cx.merchant, old.id, cx.now)?;
    }
    let settings = [(paypal_standard::RECEIVER, "shop@example.com"), (paypal_standard::ENDPOINT, endpoint)];
    let new = NewConnection {
        gateway: "paypal-standard".to_owned(),
        mode: Mode::Test,
        name: "Simulated PayPal".to_owned(),
        settings: settings.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        secrets: std::collections::BTreeMap::new(),
    };
    connections::flow::add(cx, &new)?;
    Ok(())
}
