//! The stage of one run: a shop that runs as processes, a simulated PayPal, and a mail server.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use db::{Db, MIGRATIONS, OnPending, Options, Tuning};
use kernel::{Clock as _, SystemClock, Timestamp};
use mail::{Mailbox, sink};
use paysim::{BookOptions, Options as SimulatorOptions, Patience, PaySim, PaySimHandle};
use tempfile::TempDir;
use testkit::pg::{Cluster, Database, Durability};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::check::Mails;
use crate::load::{Purchase, Shopper};
use crate::node::Node;
use crate::trouble::{Tried, trouble};
use crate::verbs::Goods;

/// How the program is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Topology {
    /// One process on SQLite.
    Sqlite,
    /// One process on PostgreSQL.
    Postgres,
    /// Two processes on one PostgreSQL and one folder.
    TwoNodes,
}

impl Topology {
    /// For people and programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::TwoNodes => "two-nodes",
        }
    }

    const fn nodes(self) -> usize {
        match self {
            Self::Sqlite | Self::Postgres => 1,
            Self::TwoNodes => 2,
        }
    }
}

/// The two builds.
#[derive(Debug, Clone)]
pub struct Programs {
    /// As it ships.
    pub shipped: PathBuf,
    /// With the feature `failpoints`.
    pub failpoints: PathBuf,
}

/// Which build is started, and what is asked of its failpoints.
#[derive(Debug, Clone, Copy)]
pub enum Build<'a> {
    /// As it ships.
    Shipped,
    /// With failpoints, told so.
    Failpoints(&'a str),
}

/// Where an installation lies.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its data folder.
    pub data: PathBuf,
    /// `sqlite`, or a URL.
    pub database: String,
}

/// How long a shop may take over an answer, for its simulated PayPal.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// A shop, and everybody that it deals with.
pub struct World {
    /// How it is run.
    pub topology: Topology,
    /// Where it lies.
    pub place: Place,
    /// What it sells.
    pub goods: Goods,
    /// What was bought so far.
    pub purchases: Vec<Purchase>,
    /// What the mail server took.
    pub mails: Mails,
    /// The simulated PayPal.
    pub sim: PaySimHandle,
    /// How often a process was killed.
    pub kills: u32,
    /// All chance follows from it.
    pub seed: u64,
    nodes: Vec<Option<Node>>,
    ports: Vec<u16>,
    smtp_port: u16,
    programs: Programs,
    wait_for_leases: bool,
    _sink: sink::Sink,
    databases: Vec<Database>,
    cluster: Option<Cluster>,
    folder: TempDir,
    _runtime: Runtime,
}

impl World {
    /// Sets the stage: a shop with its goods and its connection, and nobody in it yet.
    ///
    /// # Errors
    /// When something of it cannot be started.
    pub fn make(topology: Topology, programs: &Programs, seed: u64, wait_for_leases: bool) -> Tried<Self> {
        let folder = TempDir::with_prefix("handsel-crash-")?;
        let cluster = (topology != Topology::Sqlite).then(|| Cluster::private(Durability::Safe));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let mailbox = Mailbox::new();
        let (sim, sink, smtp_port) = runtime.block_on(others(seed, mailbox.clone()))?;
        let ports = (0..topology.nodes()).map(|_| free_port()).collect::<Tried<Vec<_>>>()?;
        let mut world = Self {
            topology,
            place: Place { data: folder.path().join("data"), database: "sqlite".to_owned() },
            goods: Goods::default(),
            purchases: Vec::new(),
            mails: Mails::of(mailbox),
            sim,
            kills: 0,
            seed,
            nodes: ports.iter().map(|_| None).collect(),
            ports,
            smtp_port,
            programs: programs.clone(),
            wait_for_leases,
            _sink: sink,
            databases: Vec::new(),
            cluster,
            folder,
            _runtime: runtime,
        };
        world.place.database = world.new_database();
        world.goods = Goods::put_on_sale(&world)?;
        Ok(world)
    }

    /// An empty database of this world's engine.
    pub fn new_database(&mut self) -> String {
        let Some(cluster) = &self.cluster else { return "sqlite".to_owned() };
        let database = cluster.database(&[]);
        let url = database.url();
        self.databases.push(database);
        url
    }

    /// Whether there is a database server that could be killed by itself.
    pub const fn has_server(&self) -> bool {
        self.cluster.is_some()
    }

    /// The database server.
    pub fn server(&self) -> Tried<&Cluster> {
        self.cluster.as_ref().ok_or_else(|| trouble("there is no database server"))
    }

    /// A path in this world's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A folder that payloads may be taken from.
    pub fn file_root(&self) -> PathBuf {
        self.path("goods")
    }

    /// A command of the program, with nothing of the tester's own environment.
    pub fn command(&self, build: Build<'_>, place: &Place, arguments: &[&str]) -> Command {
        let program = match build {
            Build::Shipped => &self.programs.shipped,
            Build::Failpoints(_) => &self.programs.failpoints,
        };
        let mut command = Command::new(program);
        command.args(arguments).env_clear().current_dir(self.folder.path());
        if let Build::Failpoints(asked) = build
            && !asked.is_empty()
        {
            command.env("HANDSEL_FAILPOINT", asked);
        }
        command
            .env("HANDSEL_DATA", &place.data)
            .env("HANDSEL_DATABASE", &place.database)
            .env("HANDSEL_FILE_ROOTS", format!("[{:?}]", self.file_root()))
            .env("HANDSEL_BASE_URL", format!("http://{}", self.host()))
            .env("HANDSEL_SMTP__HOST", "127.0.0.1")
            .env("HANDSEL_SMTP__PORT", self.smtp_port.to_string())
            .env("HANDSEL_SMTP__TLS", "none")
            .env("HANDSEL_OUTBOUND__ALLOW", format!("[\"127.0.0.1/32:{}\"]", self.sim.address().port()));
        command
    }

    /// The name of the shop on the network, whichever node answers.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port())
    }

    /// Where the first node listens.
    pub fn port(&self) -> u16 {
        self.ports.first().copied().unwrap_or(0)
    }

    /// Where each node hears of payments.
    pub fn hooks(&self) -> Vec<String> {
        self.ports.iter().map(|port| format!("http://127.0.0.1:{port}{}", self.goods.hook)).collect()
    }

    /// Somebody who buys at all nodes.
    pub fn shopper(&self, purpose: &str) -> Shopper {
        Shopper::of(self.sim.clone(), self.hooks(), self.seed, purpose)
    }

    /// How many nodes there are.
    pub fn size(&self) -> usize {
        self.ports.len()
    }

    /// Starts a node.
    pub fn start(&mut self, index: usize, build: Build<'_>) -> Tried<()> {
        let port = self.ports.get(index).copied().unwrap_or(0);
        let mut command = self.command(build, &self.place, &["serve"]);
        command.env("HANDSEL_LISTEN", format!("127.0.0.1:{port}"));
        let log = self.path("log");
        let mut node = Node::start(command, port, &log)?;
        if let (Build::Shipped, Some(status)) = (build, node.ended()) {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            let last = said.lines().next_back().unwrap_or_default();
            return Err(trouble(format!("the program did not start: {status}: {last}")));
        }
        if let Some(place) = self.nodes.get_mut(index) {
            *place = Some(node);
        }
        Ok(())
    }

    /// Starts all nodes that do not run.
    pub fn start_all(&mut self, build: Build<'_>) -> Tried<()> {
        (0..self.size()).try_for_each(|index| self.start(index, build))
    }

    /// A running node.
    pub fn node(&mut self, index: usize) -> Tried<&mut Node> {
        let node = self.nodes.get_mut(index).and_then(Option::as_mut);
        node.ok_or_else(|| trouble(format!("node {index} does not run")))
    }

    /// Kills a node, if it runs.
    pub fn kill(&mut self, index: usize) -> Tried<()> {
        if let Some(mut node) = self.nodes.get_mut(index).and_then(Option::take) {
            node.kill()?;
            self.kills += 1;
        }
        Ok(())
    }

    /// Kills whatever runs, starts everything again, and lets the leases of the dead run out.
    pub fn recover(&mut self, build: Build<'_>) -> Tried<()> {
        (0..self.size()).try_for_each(|index| self.kill(index))?;
        let died_at = SystemClock::default().now();
        self.start_all(build)?;
        if self.wait_for_leases {
            crate::wait::pass((app::jobs::LEASE).to_std());
        }
        self.end_leases(died_at)
    }

    /// What would happen by itself a minute and a half later: the jobs of workers that died come
    /// back. A lease taken after their death is longer, so nobody alive loses one.
    fn end_leases(&self, died_at: Timestamp) -> Tried<()> {
        let last = died_at + app::jobs::LEASE;
        let db = self.open()?;
        db.write_blocking(move |tx| {
            db::sql("UPDATE jobs SET lease_until = 1 WHERE state = 'running' AND lease_until <= $1")
                .bind(last)
                .execute(tx)?;
            db::sql("UPDATE jobs SET run_at = 1 WHERE state = 'ready'").execute(tx)
        })?;
        db.close();
        Ok(())
    }

    /// The shop's database, to look at.
    pub fn open(&self) -> Tried<Db> {
        let options = if self.place.database == "sqlite" {
            Options::Sqlite(self.place.data.join("handsel.db"))
        } else {
            Options::Postgres(self.place.database.clone())
        };
        let tuning = Tuning {
            sqlite_readers: 1,
            postgres_writers: 1,
            postgres_readers: 1,
            on_pending: OnPending::Leave,
            ..Tuning::default()
        };
        Ok(Db::open_with(&options, MIGRATIONS, tuning)?)
    }
}

async fn others(seed: u64, mailbox: Mailbox) -> Tried<(PaySimHandle, sink::Sink, u16)> {
    let book = BookOptions { seed, patience: Patience::Demo, ..BookOptions::default() };
    let options = SimulatorOptions { book, answer_within: ANSWER_WITHIN, ..SimulatorOptions::default() };
    let sim = PaySim::start(TcpListener::bind("127.0.0.1:0").await?, options)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let clock = Arc::new(SystemClock::default());
    Ok((sim, sink::Sink::start(listener, mailbox, clock, sink::Limits::default()), port))
}

fn free_port() -> Tried<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
