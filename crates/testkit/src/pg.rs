//! A private PostgreSQL for tests.
//!
//! All test processes of a checkout share one cluster in a temporary folder: starting one costs
//! a second, a database from a template 30 ms. Each process holds a shared lock on a file while it
//! lives; a small script that the first one starts waits until nobody holds it, and stops the
//! server. The server is never reachable from outside: it listens on a socket in that folder.
//!
//! Tests that stop, kill or reconfigure the server start one of their own: [`Cluster::private`].

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use db::{Db, Migration, Options};
use postgres::{Client, NoTls};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// Whether the server waits for the disk. Only tests that kill it need that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// As in production.
    Safe,
    /// `fsync=off`.
    Fast,
}

/// The role that owns the tests' databases. Not a superuser, as in production.
const ROLE: &str = "handsel";
/// The superuser that `initdb` makes.
const ADMIN: &str = "postgres";
/// The account that runs the server when the tests run as root, which it refuses to be.
const ACCOUNT: &str = "postgres";
/// How many templates are kept before all are thrown away.
const TEMPLATES_MAX: usize = 16;
/// How long the server outlives the last test process, in seconds: nextest starts one per test.
const LINGER_SECONDS: u32 = 10;

/// How a server of the test's own is set up.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Whether it waits for the disk.
    pub durability: Durability,
    /// A port of this machine to listen on, beside the socket.
    pub listen: Option<u16>,
    /// Lines of `postgresql.conf`.
    pub settings: Vec<(String, String)>,
    /// Files in its data folder that only it may read: keys, certificates.
    pub files: Vec<(String, String)>,
}

impl Setup {
    /// Nothing special.
    pub fn of(durability: Durability) -> Self {
        Self { durability, listen: None, settings: Vec::new(), files: Vec::new() }
    }
}

/// Names the socket where no port is listened on.
const PORT: u16 = 5432;

/// A running server.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    tools: PathBuf,
    /// Names the socket too.
    port: u16,
    /// Held while the server may be used.
    _users: Option<File>,
    /// Removed with a private server.
    private: Option<TempDir>,
}

/// The server that the tests of this checkout share.
pub fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER
        .get_or_init(|| Cluster::shared().unwrap_or_else(|why| panic!("no PostgreSQL for the tests: {why}")))
}

impl Cluster {
    fn shared() -> Result<Self, String> {
        let checkout = Sha256::digest(env!("CARGO_MANIFEST_DIR").as_bytes());
        let name: String = checkout.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        let folder = std::env::temp_dir().join(format!("handsel-test-pg-{name}"));
        make_folder(&folder)?;
        // Held while the server is looked for and started; the script takes it before it stops one.
        let starting = locked(&folder.join("starting.lock"), File::lock)?;
        let users = locked(&folder.join("users.lock"), File::lock_shared)?;
        let cluster = Self { tools: tools()?, folder, port: PORT, _users: Some(users), private: None };
        if !cluster.answers() {
            cluster.make(&Setup::of(Durability::Fast))?;
            cluster.start()?;
            cluster.sweep();
            cluster.start_stopper()?;
        }
        drop(starting);
        Ok(cluster)
    }

    /// A server of the test's own, which it may stop, kill and start again.
    pub fn private(durability: Durability) -> Self {
        Self::private_with(&Setup::of(durability))
    }

    /// A server of the test's own, set up its way.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn private_with(setup: &Setup) -> Self {
        let made = (|| {
            let folder = TempDir::with_prefix("handsel-pg-").map_err(|e| e.to_string())?;
            make_folder(folder.path())?;
            let path = folder.path().to_owned();
            let port = setup.listen.unwrap_or(PORT);
            let cluster = Self { tools: tools()?, folder: path, port, _users: None, private: Some(folder) };
            cluster.make(setup)?;
            cluster.start()?;
            Ok::<_, String>(cluster)
        })();
        made.unwrap_or_else(|why| panic!("no PostgreSQL for the test: {why}"))
    }

    /// Makes the data folder, when it is not there or was left unfinished.
    fn make(&self, setup: &Setup) -> Result<(), String> {
        let data = self.folder.join("data");
        if data.join("ready").exists() {
            return Ok(());
        }
        drop(std::fs::remove_dir_all(&data));
        self.tool(
            "initdb",
            &["--no-sync", "-A", "trust", "-U", ADMIN, "-E", "UTF8", "--locale=C", "-D"],
            &data,
        )?;
        let safe = if setup.durability == Durability::Safe { "on" } else { "off" };
        let mut settings = format!(
            "listen_addresses = '{}'\nport = {}\nunix_socket_directories = '{}'\nmax_connections = 500\n\
             shared_buffers = '64MB'\nfsync = {safe}\nfull_page_writes = {safe}\nlogging_collector = off\n",
            if setup.listen.is_some() { "127.0.0.1" } else { "" },
            self.port,
            self.folder.display(),
        );
        for (name, value) in &setup.settings {
            settings.push_str(&format!("{name} = '{value}'\n"));
        }
        for (name, text) in &setup.files {
            write_private(&data.join(name), text)?;
        }
        let mut file = OpenOptions::new()
            .append(true)
            .open(data.join("postgresql.conf"))
            .map_err(|e| format!("postgresql.conf: {e}"))?;
        file.write_all(settings.as_bytes()).map_err(|e| e.to_string())
    }

    /// Starts the server and waits until it answers.
    ///
    /// # Errors
    /// What `pg_ctl` said.
    pub fn start(&self) -> Result<(), String> {
        let log = self.folder.join("log");
        let log = log.to_string_lossy();
        let data = self.folder.join("data");
        self.tool("pg_ctl", &["start", "--wait", "--silent", "-l", &log, "-D"], &data)
            .map_err(|why| format!("{why}\n{}", std::fs::read_to_string(&*log).unwrap_or_default()))?;
        let ready = data.join("ready");
        if !ready.exists() {
            self.admin(|client| client.batch_execute(&format!("CREATE ROLE {ROLE} LOGIN")))
                .map_err(|e| e.to_string())?;
            File::create(&ready).map_err(|e| e.to_string())?;
        }
        Ok(())
    }

    /// Stops the server as an administrator would, or as a power cut would.
    pub fn stop(&self, how: Stop) {
        let mode = if how == Stop::Cut { "immediate" } else { "fast" };
        let data = self.folder.join("data");
        if let Err(why) = self.tool("pg_ctl", &["stop", "--silent", "-m", mode, "-D"], &data) {
            eprintln!("PostgreSQL could not be stopped: {why}");
        }
    }

    /// Kills the server's first process with SIGKILL. The others notice and end; until they have,
    /// the server cannot be started again.
    ///
    /// # Errors
    /// When it does not run, or cannot be killed.
    pub fn kill(&self) -> Result<(), String> {
        let file = self.folder.join("data/postmaster.pid");
        let text = std::fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
        let id = text.lines().next().unwrap_or_default();
        let killed = Command::new("kill").args(["-KILL", id]).status().map_err(|e| e.to_string())?;
        if killed.success() { Ok(()) } else { Err(format!("process {id} could not be killed")) }
    }

    /// Where the server listens.
    pub fn socket(&self) -> PathBuf {
        self.folder.join(format!(".s.PGSQL.{}", self.port))
    }

    fn answers(&self) -> bool {
        self.socket().exists() && self.admin(|client| client.batch_execute("SELECT 1")).is_ok()
    }

    /// Runs commands as the superuser, on a thread of their own: a test may be async.
    fn admin<R: Send>(
        &self,
        run: impl FnOnce(&mut Client) -> Result<R, postgres::Error> + Send,
    ) -> Result<R, postgres::Error> {
        let parameters =
            format!("host={} port={} user={ADMIN} dbname=postgres", self.folder.display(), self.port);
        std::thread::scope(|scope| {
            let thread = scope.spawn(move || run(&mut Client::connect(&parameters, NoTls)?));
            thread.join().expect("the administrator's thread does not panic")
        })
    }

    /// Runs commands as the superuser.
    ///
    /// # Panics
    /// When one is refused.
    pub fn command(&self, text: &str) {
        self.admin(|client| client.batch_execute(text)).unwrap_or_else(|e| panic!("{text}: {e}"));
    }

    /// A database for one test, copied from one that these migrations made.
    ///
    /// # Panics
    /// When the server is gone or a migration fails.
    pub fn database(&self, migrations: &'static [Migration]) -> Database {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let template = template_name(migrations);
        let name = format!("t{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let lock = self.folder.join("template.lock");
        let mut copying = locked(&lock, File::lock_shared).expect("the lock file");
        while !self.has(&template) {
            drop(copying);
            let making = locked(&lock, File::lock).expect("the lock file");
            self.make_template(&template, migrations);
            drop(making);
            copying = locked(&lock, File::lock_shared).expect("the lock file");
        }
        self.command(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        self.command(&format!("CREATE DATABASE {name} TEMPLATE {template} OWNER {ROLE}"));
        drop(copying);
        Database { name, folder: self.folder.clone(), port: self.port }
    }

    /// Makes a migrated database to copy, unless somebody was faster.
    fn make_template(&self, name: &str, migrations: &'static [Migration]) {
        if self.has(name) {
            return;
        }
        // Every change of a migration makes another one, and nobody else throws them away.
        let templates = self.names_like("template\\_%");
        for old in templates.iter().filter(|_| templates.len() > TEMPLATES_MAX) {
            self.command(&format!("DROP DATABASE {old} WITH (FORCE)"));
        }
        let draft = name.replace("template_", "draft_");
        self.command(&format!("DROP DATABASE IF EXISTS {draft} WITH (FORCE)"));
        self.command(&format!("CREATE DATABASE {draft} TEMPLATE template0 OWNER {ROLE}"));
        let options = Options::Postgres(url(&self.folder, self.port, &draft));
        let migrated = Db::open_with(&options, migrations, crate::database::small());
        migrated.expect("the migrations run").close();
        // Renamed last: what has the name is finished.
        self.command(&format!("ALTER DATABASE {draft} RENAME TO {name}"));
    }

    fn has(&self, name: &str) -> bool {
        self.names_like(&name.replace('_', "\\_")).len() == 1
    }

    fn names_like(&self, pattern: &str) -> Vec<String> {
        let text = "SELECT datname::text FROM pg_database WHERE datname LIKE $1";
        let found = self.admin(|client| client.query(text, &[&pattern]));
        found.expect("the server answers").iter().map(|row| row.get(0)).collect()
    }

    /// Drops what tests left behind that were killed.
    fn sweep(&self) {
        for name in self.names_like("t%\\_%").iter().filter(|name| !name.starts_with("template")) {
            self.command(&format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }

    /// Runs one of PostgreSQL's programs, not as root.
    fn tool(&self, name: &str, arguments: &[&str], data: &Path) -> Result<(), String> {
        let program = self.tools.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            let (user, group) = (format!("--reuid={ACCOUNT}"), format!("--regid={ACCOUNT}"));
            command.args([&user, &group, "--clear-groups", "--"]).arg(&program);
            command
        } else {
            Command::new(&program)
        };
        // A server that kept the test's output open would keep its runner waiting.
        let output = tempfile::tempfile().map_err(|e| e.to_string())?;
        let copy = output.try_clone().map_err(|e| e.to_string())?;
        let status = command
            .args(arguments)
            .arg(data)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(if name == "pg_ctl" { Stdio::null() } else { Stdio::from(copy) })
            .status()
            .map_err(|e| format!("{}: {e}", program.display()))?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("{} ended with {status}: {}", program.display(), said(output)))
        }
    }

    /// Starts the script that stops the server when no test process is left.
    fn start_stopper(&self) -> Result<(), String> {
        let script = format!(
            "cd '{folder}' || exit 1
             while :; do
               flock -x users.lock true
               sleep {LINGER_SECONDS}
               exec 8>starting.lock; flock -x 8
               exec 9>users.lock
               if flock -xn 9; then '{stop}' stop --silent -m immediate -D '{folder}/data'; exit; fi
               exec 9>&- 8>&-
             done",
            folder = self.folder.display(),
            stop = self.tools.join("pg_ctl").display(),
        );
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            let (user, group) = (format!("--reuid={ACCOUNT}"), format!("--regid={ACCOUNT}"));
            command.args([&user, &group, "--clear-groups", "--", "sh", "-c", &script]);
            command
        } else {
            let mut command = Command::new("sh");
            command.args(["-c", &script]);
            command
        };
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map(drop)
            .map_err(|e| format!("the script that stops the server: {e}"))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.private.is_some() {
            self.stop(Stop::Cut);
        }
    }
}

/// How a server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Connections are ended, everything is written.
    Orderly,
    /// Nothing is written any more.
    Cut,
}

/// A database of a cluster, dropped with this value.
#[derive(Debug)]
pub struct Database {
    name: String,
    folder: PathBuf,
    port: u16,
}

impl Database {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it is reached through the socket.
    pub fn url(&self) -> String {
        url(&self.folder, self.port, &self.name)
    }

    /// How it is reached through a port of this machine, as through a proxy. In the clear.
    pub fn url_through(&self, port: u16) -> String {
        format!("postgres://{ROLE}@127.0.0.1:{port}/{}?sslmode=disable", self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let parameters =
            format!("host={} port={} user={ADMIN} dbname=postgres", self.folder.display(), self.port);
        let text = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let dropped = std::thread::spawn(move || {
            Client::connect(&parameters, NoTls).and_then(|mut client| client.batch_execute(&text))
        });
        // A test may have stopped the server; its folder goes away as a whole.
        drop(dropped.join());
    }
}

/// Recognizes a template by its migrations.
fn template_name(migrations: &[Migration]) -> String {
    let mut digest = Sha256::new();
    for migration in migrations {
        digest.update(migration.name);
        digest.update([0]);
        digest.update(migration.postgres);
        digest.update([0]);
    }
    let digest: String = digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("template_{digest}")
}

fn url(folder: &Path, port: u16, database: &str) -> String {
    let host = folder.to_string_lossy().replace('/', "%2F");
    format!("postgres://{ROLE}@{host}:{port}/{database}")
}

/// A file that only the server's account can read.
fn write_private(path: &Path, text: &str) -> Result<(), String> {
    let wrong = |e: std::io::Error| format!("{}: {e}", path.display());
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path).map_err(wrong)?;
    file.write_all(text.as_bytes()).map_err(wrong)?;
    if is_root() {
        Command::new("chown").arg(format!("{ACCOUNT}:")).arg(path).status().map_err(wrong)?;
    }
    Ok(())
}

/// A folder that the server's account can use and nobody else.
fn make_folder(folder: &Path) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    if is_root() {
        let owned = Command::new("chown").arg(format!("{ACCOUNT}:")).arg(folder).status();
        if !owned.is_ok_and(|status| status.success()) {
            return Err(format!(
                "root cannot run PostgreSQL, and there is no account \"{ACCOUNT}\" that could"
            ));
        }
    }
    Ok(())
}

fn locked(path: &Path, lock: fn(&File) -> std::io::Result<()>) -> Result<File, String> {
    let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path);
    let file = file.map_err(|e| format!("{}: {e}", path.display()))?;
    if is_root() {
        drop(Command::new("chown").arg(format!("{ACCOUNT}:")).arg(path).status());
    }
    lock(&file).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(file)
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// The folder of PostgreSQL's programs: what `pg_config` says, or the newest that is installed.
fn tools() -> Result<PathBuf, String> {
    let said = Command::new("pg_config").arg("--bindir").output().ok();
    let said = said.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    let mut folders: Vec<PathBuf> = said.into_iter().collect();
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = installed.map(|entry| entry.path().join("bin")).collect();
    versions.sort();
    folders.extend(versions.into_iter().rev());
    folders
        .into_iter()
        .find(|folder| folder.join("initdb").exists() && folder.join("pg_ctl").exists())
        .ok_or_else(|| {
            "initdb was found neither by pg_config nor in /usr/lib/postgresql; install it".to_owned()
        })
}

fn said(mut output: File) -> String {
    use std::io::{Read, Seek};
    let mut text = String::new();
    let read = output.rewind().and_then(|()| output.read_to_string(&mut text));
    read.map_or_else(|e| e.to_string(), |_| text)
}
