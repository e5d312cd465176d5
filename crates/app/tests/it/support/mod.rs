//! A whole shop for one test: its database, its clock, its gateway, its mail.
//!
//! The world is simulated, the product is not: notices come in through the router, a simulated
//! PayPal answers the postback over loopback, mail lands in a mailbox. Time stands still, but for
//! a millisecond at whatever happens, until [`TestApp::advance`] moves it. Nothing runs unless the test runs it: jobs are done by
//! [`TestApp::run_jobs`]. Dropping a `TestApp` fails the test when jobs were left undone or the
//! audit finds something.
#![allow(dead_code, reason = "each test module uses its part")]

pub mod artwork;
pub mod disk;
pub mod goods;
pub mod http;
pub mod jobs;
pub mod look;
pub mod node;
pub mod notices;
mod partner;
pub mod served;
pub mod state;
pub mod unzip;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use app::app::{App, Parts, Settings};
use app::audit::{self, Acknowledged, Report};
use app::cx::{Actor, Cx};
use app::payloads::source::FileRoot;
use app::problem::Flow;
use app::ring::Ring;
use db::{Db, Engine, MIGRATIONS, Tuning};
use kernel::{Clock, ManualClock, MerchantId, Secret, SeededEntropy, Span, Timestamp};
use mail::{Mailbox, MailboxMailer};
use net::outbound::{Client, OutboundPolicy, Roots};
use paysim::{BookOptions, Delivery, PaySim, PaySimHandle};
use stores::Mirrors;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

pub use disk::Disk;
pub use goods::{NewGood, Shop};
pub use http::Reply;
pub use partner::Partner;

/// When every test begins: 2027-01-15 08:00 UTC.
pub const START: Timestamp = Timestamp::from_seconds(1_800_000_000);
/// The shop's address.
pub const BASE_URL: &str = "http://shop.test";
/// What the shop's only ring key is.
const RING_KEY: [u8; 32] = [7; 32];

/// A shop with a simulated world around it.
pub struct TestApp {
    /// The product.
    pub app: App,
    /// The time, which stands still.
    pub clock: ManualClock,
    /// What the shop's mail server took.
    pub mailbox: Mailbox,
    /// Makes mail fail.
    pub mailer: Arc<MailboxMailer>,
    /// PayPal.
    pub paypal: PaySimHandle,
    /// Where contents lie, and how much room there is.
    pub disk: Arc<Disk>,
    /// The first merchant, with its connection.
    pub shop: Shop,
    /// Another system that the shop may call.
    pub partner: Partner,
    /// The root that payload specs call `/goods`.
    pub goods: PathBuf,
    program: app::web::Program,
    left: RefCell<Left>,
    acknowledged: RefCell<Vec<Acknowledged>>,
    runtime: Runtime,
    folder: TempDir,
}

/// Where a test's contents may lie.
pub struct Room {
    /// A folder that goes away.
    pub folder: PathBuf,
    /// Home, whose disk can be full.
    pub disk: Arc<Disk>,
    /// The time, which stands still.
    pub clock: Arc<dyn Clock>,
    /// Seeded.
    pub entropy: Arc<SeededEntropy>,
}

impl Room {
    /// Home and nothing else.
    pub fn home_alone(&self) -> Mirrors {
        Mirrors::only("home", "a folder", self.disk.clone(), self.clock.clone())
    }
}

/// What a test says it leaves behind on purpose.
#[derive(Default)]
struct Left {
    jobs: bool,
    violations: Vec<String>,
}

impl testkit::ForEngine for TestApp {
    fn for_engine(engine: Engine) -> Self {
        Self::seeded(engine, 1)
    }
}

impl TestApp {
    /// A shop whose ids and nonces follow from this seed.
    pub fn seeded(engine: Engine, seed: u64) -> Self {
        let tuning =
            Tuning { sqlite_readers: 2, postgres_writers: 4, postgres_readers: 2, ..Tuning::default() };
        Self::at(&testkit::fresh(engine), tuning, seed)
    }

    /// A shop on a database of the test's own.
    pub fn at(options: &db::Options, tuning: Tuning, seed: u64) -> Self {
        Self::furnished(options, tuning, seed, |room, _| room.home_alone())
    }

    /// A shop with stores and settings of the test's own.
    pub fn with_stores(engine: Engine, furnish: impl FnOnce(&Room, &mut Settings) -> Mirrors) -> Self {
        let tuning =
            Tuning { sqlite_readers: 2, postgres_writers: 4, postgres_readers: 2, ..Tuning::default() };
        Self::furnished(&testkit::fresh(engine), tuning, 1, furnish)
    }

    fn furnished(
        options: &db::Options,
        tuning: Tuning,
        seed: u64,
        furnish: impl FnOnce(&Room, &mut Settings) -> Mirrors,
    ) -> Self {
        let db = Db::open_with(options, MIGRATIONS, tuning).expect("a fresh database opens");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let clock = ManualClock::at(START);
        let paypal = start_paypal(&runtime, &clock, seed);
        let mailbox = Mailbox::new();
        let mailer = Arc::new(MailboxMailer::new(mailbox.clone(), Arc::new(clock.clone())));
        let folder = TempDir::with_prefix("handsel-blobs-").expect("a temporary folder");
        let entropy = Arc::new(SeededEntropy::new(seed));
        let root = folder.path().join("blobs");
        let blobs = stores::DirectoryStore::open(&root, entropy.clone());
        let disk = Arc::new(Disk::new(root, blobs.expect("a blob store")));
        let goods = folder.path().join("goods");
        std::fs::create_dir(&goods).expect("a folder for payloads");
        let file_roots = vec![FileRoot { name: "/goods".to_owned(), folder: goods.clone() }];
        let port = paypal.address().port();
        let partner = Partner::start(&runtime);
        let allowed = |port: u16| format!("127.0.0.1/32:{port}").parse().expect("a network and a port");
        let allow = vec![allowed(port), allowed(partner.port)];
        let room = Room {
            folder: folder.path().to_owned(),
            disk: disk.clone(),
            clock: Arc::new(clock.clone()),
            entropy: entropy.clone(),
        };
        let mut settings = Settings::at(BASE_URL);
        let stores = furnish(&room, &mut settings);
        let app = App::new(Parts {
            db,
            clock: Arc::new(clock.clone()),
            entropy,
            ring: Arc::new(Ring::new(BTreeMap::from([(1, Secret::new(RING_KEY))])).expect("a ring")),
            blobs: Arc::new(stores),
            mailer: mailer.clone(),
            outbound: Client::new(OutboundPolicy { allow }, &Roots::default()).expect("a client"),
            renderer: Arc::new(ui::Renderer::new().expect("templates")),
            settings: Settings { file_roots, ..settings },
        });
        let shop = goods::open_shop(&app, "shop", "seller@example.com", &paypal.url());
        let program = app::web::program(app.clone());
        Self {
            app,
            clock,
            mailbox,
            mailer,
            paypal,
            disk,
            shop,
            program,
            left: RefCell::default(),
            acknowledged: RefCell::default(),
            runtime,
            goods,
            partner,
            folder,
        }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves the time on, for the shop and for PayPal.
    pub fn advance(&self, by: Span) {
        self.clock.advance(by);
    }

    /// A moment passes, as one does between any two things that happen: ids of what comes later
    /// are greater.
    pub fn tick(&self) {
        self.clock.advance(Span::micros(1_000));
    }

    /// Runs a future to its end on the test's thread.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Runs a flow for the first merchant, as the operator.
    pub fn write<T, F>(&self, work: F) -> Flow<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Cx<'_, '_>) -> Flow<T> + Send + 'static,
    {
        self.write_for(self.shop.merchant.id, work)
    }

    /// Runs a flow for this merchant, as the operator.
    pub fn write_for<T, F>(&self, merchant: MerchantId, work: F) -> Flow<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Cx<'_, '_>) -> Flow<T> + Send + 'static,
    {
        self.tick();
        self.app.write_blocking(merchant, Actor::Shell, work)
    }

    /// Reads on this thread.
    pub fn read<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut db::Snapshot<'_>) -> Flow<T> + Send + 'static,
    ) -> T {
        self.app.read_now(work).expect("it can be read")
    }

    /// What the audit says now, including whether every notice that heard 200 is in the inbox.
    pub fn audit(&self) -> Report {
        let options =
            audit::Options { acknowledged: self.acknowledged.borrow().clone(), ..audit::Options::default() };
        audit::run(self.app.db(), &**self.app.blobs(), self.now(), &options).expect("the audit runs")
    }

    /// The names of the checks that find something.
    pub fn broken_checks(&self) -> Vec<&'static str> {
        self.audit().broken().map(|check| check.id).collect()
    }

    /// Says that this test leaves jobs undone on purpose.
    pub fn leaves_jobs(&self) {
        self.left.borrow_mut().jobs = true;
    }

    /// Says that this test leaves behind what this check of the audit finds.
    pub fn leaves_violation(&self, check: &str) {
        self.left.borrow_mut().violations.push(check.to_owned());
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let left = self.left.take();
            let jobs = self.undone_jobs();
            assert!(left.jobs || jobs.is_empty(), "jobs were left undone:\n{}", jobs.join("\n"));
            let report = self.audit();
            let unexpected: Vec<_> =
                report.broken().filter(|check| !left.violations.iter().any(|id| id == check.id)).collect();
            assert!(unexpected.is_empty(), "the audit found something: {unexpected:#?}");
        }
        self.app.db().close();
    }
}

fn start_paypal(runtime: &Runtime, clock: &ManualClock, seed: u64) -> PaySimHandle {
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let options = paysim::Options {
            book: BookOptions { seed, ..BookOptions::default() },
            clock: Arc::new(clock.clone()),
            delivery: Delivery::ByHand,
            ..paysim::Options::default()
        };
        PaySim::start(listener, options).expect("a simulator")
    })
}
