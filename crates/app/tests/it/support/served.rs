//! The shop on a real socket, for programs that fetch from it.

use std::net::Ipv4Addr;
use std::process::Command;

use app::app::App;
use net::serve::{Limits, Server, StopHandle, TrustedProxies, stop};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

/// A shop that is served on loopback until this is dropped.
pub struct Served {
    port: u16,
    stop: StopHandle,
    runtime: Option<Runtime>,
}

impl Served {
    /// Serves this shop, on threads of its own.
    pub fn new(app: &App) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads");
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let (handle, stopped) = stop();
        let program = app::web::program(app.clone());
        runtime.spawn(async move {
            Server::new(Limits::default(), TrustedProxies::default())
                .serve(listener, None, program, stopped)
                .await
        });
        Self { port, stop: handle, runtime: Some(runtime) }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.at_once();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A program of the system, with nothing of the tester's own settings: no proxy and no rc file.
/// `./test` installs it where it is missing.
pub fn program(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    let path = std::env::var_os("PATH").unwrap_or_default();
    // unzip takes names as UTF-8 only where the locale says so.
    command.args(arguments).env_clear().env("PATH", path).env("LC_ALL", "C.UTF-8");
    command
}

/// Runs a program to its good end.
pub fn run(mut command: Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; run ./test once"));
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&said));
}

/// How a program is ended before it is done.
#[derive(Debug, Clone, Copy)]
pub enum Signal {
    /// It may write down how far it is.
    Term,
    /// It may do nothing.
    Kill,
}

/// Starts a program and ends it as soon as this has come, which must be before it is done.
pub fn cut_off(mut command: Command, signal: Signal, come: impl Fn() -> bool) {
    let child = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}; run ./test once"));
    while !come() {
        assert_eq!(child.try_wait().expect("a status"), None, "{command:?} was done before it was cut off");
        std::thread::yield_now();
    }
    match signal {
        Signal::Kill => child.kill().expect("it is killed"),
        Signal::Term => run(program("kill", &["-TERM", &child.id().to_string()])),
    }
    assert!(!child.wait().expect("a status").success(), "{command:?} was done before it was cut off");
}
