//! A real S3-compatible server, and stores in it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kernel::{Clock, Secret, SystemClock, SystemEntropy};
use stores::{Checksums, S3Config, S3Store, UrlStyle};

use crate::network::TestNetwork;
use crate::process::Process;
pub use crate::process::{DOMAIN, KEY_ID, SECRET};

/// A server with one bucket named `shop`. It ends with the test.
pub struct Server(Process);

impl Server {
    pub fn start() -> Self {
        Self(Process::start())
    }

    fn address(&self) -> SocketAddr {
        self.0.address
    }

    pub fn network(&self) -> Arc<TestNetwork> {
        TestNetwork::to(self.address())
    }

    pub fn config(&self) -> S3Config {
        config(&format!("http://{}", self.address()))
    }

    pub fn store(&self) -> S3Store {
        self.store_by(&self.config(), self.network(), Arc::new(SystemClock::default()))
    }

    /// A store on a machine of its own: its folder is empty.
    pub fn store_by(&self, config: &S3Config, network: Arc<TestNetwork>, clock: Arc<dyn Clock>) -> S3Store {
        let folder = tempfile::tempdir_in(self.0.dir.path()).unwrap().keep();
        open(config, &folder, network, clock)
    }

    /// Where the server keeps an object.
    pub fn file(&self, key: &str) -> PathBuf {
        self.0.file(key)
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
