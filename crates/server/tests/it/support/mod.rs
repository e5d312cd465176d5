//! A place for one installation, and the program started in it.

pub mod browser;

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use testkit::ForEngine;

pub const HANDSEL: &str = env!("CARGO_BIN_EXE_handsel");

/// A folder with an installation in it, gone when the test ends.
pub struct Place {
    folder: TempDir,
    environment: Vec<(String, String)>,
    database: Option<testkit::pg::Database>,
}

/// How a run of the program ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl ForEngine for Place {
    fn for_engine(engine: db::Engine) -> Self {
        match engine {
            db::Engine::Sqlite => Self::new(),
            db::Engine::Postgres => {
                let database = testkit::pg::cluster().database(&[]);
                let mut place = Self::new().with("HANDSEL_DATABASE", &database.url());
                place.database = Some(database);
                place
            }
        }
    }
}

impl Place {
    pub fn new() -> Self {
        let folder = TempDir::with_prefix("handsel-it-").expect("a temporary folder");
        Self { folder, environment: Vec::new(), database: None }
    }

    /// The same place with one more setting in the environment.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Makes a shop here in which nothing has been done yet.
    pub fn begin(&self) {
        self.json(&["staff", "owner-link"]);
    }

    pub fn engine(&self) -> db::Engine {
        match self.database {
            None => db::Engine::Sqlite,
            Some(_) => db::Engine::Postgres,
        }
    }

    /// Its database as it is, beside the program.
    pub fn db(&self) -> db::Db {
        let options = match &self.database {
            None => db::Options::Sqlite(self.path("data/handsel.db")),
            Some(database) => db::Options::Postgres(database.url()),
        };
        let tuning = db::Tuning { on_pending: db::OnPending::Leave, ..db::Tuning::default() };
        db::Db::open_with(&options, db::MIGRATIONS, tuning).expect("the database opens")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of this name and mode; the answer is its path.
    pub fn file(&self, name: &str, mode: u32, content: &str) -> String {
        let path = self.path(name);
        fs::write(&path, content).expect("a file");
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("its mode");
        path.to_str().expect("a path in UTF-8").to_owned()
    }

    /// The permission bits of a file or folder.
    pub fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).expect("it is there").permissions().mode() & 0o777
    }

    /// The program, with nothing of the tester's own environment.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(HANDSEL);
        command.args(arguments).env_clear().current_dir(self.folder.path()).stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Ran {
        let output = self.command(arguments).output().expect("the program runs");
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs a verb that must succeed, and reads its JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.out, ran.err);
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", ran.out))
    }

    /// Runs a verb that must fail so, and gives what it said.
    pub fn refused<S: AsRef<OsStr> + std::fmt::Debug>(&self, arguments: &[S], code: i32) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {}{}", ran.out, ran.err);
        assert!(ran.out.is_empty(), "{arguments:?} answered {}", ran.out);
        ran.err
    }

    /// Starts the server on a free port and waits until it listens.
    pub fn serve(&self) -> Served {
        self.serve_on(free_port(), &[])
    }

    /// Starts the server on this port with further settings, and waits until it listens.
    pub fn serve_on(&self, port: u16, settings: &[(&str, &str)]) -> Served {
        let log = self.path("log");
        let mut command = self.command(&["serve"]);
        command.env("HANDSEL_LISTEN", format!("127.0.0.1:{port}")).envs(settings.iter().copied());
        command.stderr(File::create(&log).expect("a log"));
        Served::start(command, SocketAddr::from(([127, 0, 0, 1], port)), log)
    }
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").port()
}

/// A running server; killed when the test is through with it.
pub struct Served {
    pub address: SocketAddr,
    /// The first line that it printed.
    pub first_line: String,
    log: PathBuf,
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Served {
    /// Starts a command and waits for the first line it prints.
    pub fn start(mut command: Command, address: SocketAddr, log: PathBuf) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut out = BufReader::new(child.stdout.take().expect("its output"));
        let mut first_line = String::new();
        out.read_line(&mut first_line).expect("its first line");
        let served = Self { address, first_line, log, child, out };
        assert!(!served.first_line.is_empty(), "it did not start: {}", served.log());
        served
    }

    /// One more line of its output.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("a line");
        line
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Asks it to end; the answer is its exit code and whatever it printed meanwhile.
    pub fn stop(mut self, signal: Signal) -> (Option<i32>, String) {
        self.signal(signal);
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).expect("its last words");
        (self.child.wait().expect("its end").code(), rest)
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process");
        kill_process(id, signal).expect("it can be asked");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
