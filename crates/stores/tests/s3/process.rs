//! The program `s3s-fs`: a real S3-compatible server, which checks signatures and checksums.
//!
//! `./test` installs it beforehand; where it is missing, the first test does. Also used by the
//! tests of other crates, which name this file by its path.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

pub const KEY_ID: &str = "AKHANDSEL";
pub const SECRET: &str = "not-a-secret-outside-of-this-test";
/// A name under which the server knows its buckets as hosts. Only these tests' network resolves it.
pub const DOMAIN: &str = "s3.test";

/// A server with one bucket named `shop`. It ends with the test.
pub struct Process {
    child: Child,
    pub address: SocketAddr,
    pub dir: tempfile::TempDir,
}

impl Process {
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

    /// Where the server keeps an object.
    pub fn file(&self, key: &str) -> PathBuf {
        self.dir.path().join("data/shop").join(key)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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
        let installed =
            Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../stores/tests/s3/install"))
                .arg(&tools)
                .status()
                .unwrap();
        assert!(installed.success(), "crates/stores/tests/s3/install failed; these tests need s3s-fs");
    }
    program
}
