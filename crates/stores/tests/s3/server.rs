//! A real S3-compatible server: the program `s3s-fs`, which checks signatures and checksums.
//!
//! `./test` installs it beforehand; where it is missing, the first test does.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use kernel::{Clock, Secret, SystemClock, SystemEntropy};
use stores::{Checksums, S3Config, S3Store, UrlStyle};

use crate::network::TestNetwork;

pub const KEY_ID: &str = "AKHANDSEL";
pub const SECRET: &str = "not-a-secret-outside-of-this-test";
/// A name under which the server knows its buckets as hosts. Only these tests' network resolves it.
pub const DOMAIN: &str = "s3.test";

/// A server with one bucket named `shop`. It ends with the test.
pub struct Server {
    child: Child,
    address: SocketAddr,
    dir: tempfile::TempDir,
}

impl Server {
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("data/shop")).unwrap();
        let mut child = Command::new(program())
            .args(["--host", "127.0.0.1", "--port", "0", "--domain", DOMAIN])
            .args(["--access-key", KEY_ID, "--secret-key", SECRET])
            .arg(dir.path().join("data"))
            .env("RUST_LOG", "info")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let address = said.filter_map(|line| address_in(&line)).next().expect("the server says where it is");
        Self { child, address, dir }
    }

    pub fn network(&self) -> Arc<TestNetwork> {
        TestNetwork::to(self.address)
    }

    pub fn config(&self) -> S3Config {
        config(&format!("http://{}", self.address))
    }

    pub fn store(&self) -> S3Store {
        self.store_by(&self.config(), self.network(), Arc::new(SystemClock::default()))
    }

    /// A store on a machine of its own: its folder is empty.
    pub fn store_by(&self, config: &S3Config, network: Arc<TestNetwork>, clock: Arc<dyn Clock>) -> S3Store {
        let folder = tempfile::tempdir_in(self.dir.path()).unwrap().keep();
        open(config, &folder, network, clock)
    }

    /// Where the server keeps an object.
    pub fn file(&self, key: &str) -> PathBuf {
        self.dir.path().join("data/shop").join(key)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn open(config: &S3Config, folder: &Path, network: Arc<TestNetwork>, clock: Arc<dyn Clock>) -> S3Store {
    S3Store::open(config, &folder.join("cache"), 1 << 30, network, clock, Arc::new(SystemEntropy)).unwrap()
}

pub fn config(endpoint: &str) -> S3Config {
    S3Config {
        name: "attic".to_owned(),
        endpoint: endpoint.to_owned(),
        region: "us-east-1".to_owned(),
        bucket: "shop".to_owned(),
        style: UrlStyle::Path,
        prefix: "files/".to_owned(),
        key_id: KEY_ID.to_owned(),
        secret: Secret::new(SECRET.to_owned()),
        checksums: Checksums::Sent,
    }
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("running at http://")?;
    rest.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':')).next()?.parse().ok()
}

/// The server's program. Installed by one test while the others wait.
fn program() -> PathBuf {
    let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("tools");
    let program = tools.join("bin/s3s-fs");
    std::fs::create_dir_all(&tools).unwrap();
    let lock = File::create(tools.join("lock")).unwrap();
    lock.lock().unwrap();
    if !program.exists() {
        println!("installing s3s-fs into {}: a minute or two", tools.display());
        let installed = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/s3/install"))
            .arg(&tools)
            .status()
            .unwrap();
        assert!(installed.success(), "crates/stores/tests/s3/install failed; these tests need s3s-fs");
    }
    program
}
