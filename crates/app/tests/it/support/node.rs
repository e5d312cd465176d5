//! Another process of the same shop: it shares the database, the contents and the keys, and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use app::app::{App, Parts, Settings};
use app::ring::Ring;
use db::{Db, MIGRATIONS, Options, Tuning};
use kernel::{Secret, SeededEntropy};
use net::outbound::{Client, OutboundPolicy, Roots};

use super::{BASE_URL, RING_KEY, TestApp};

/// Ids are not to be those of the first node.
const SEED: u64 = 1_000;

impl TestApp {
    /// A second node on the database that this one was opened on.
    pub fn second_node(&self, options: &Options, tuning: Tuning) -> App {
        let entropy = Arc::new(SeededEntropy::new(SEED));
        let clock = Arc::new(self.clock.clone());
        let blobs = stores::DirectoryStore::open(&self.folder.path().join("blobs"), entropy.clone());
        let blobs = Arc::new(blobs.expect("a blob store"));
        App::new(Parts {
            db: Db::open_with(options, MIGRATIONS, tuning).expect("the database opens again"),
            clock: clock.clone(),
            entropy,
            ring: Arc::new(Ring::new(BTreeMap::from([(1, Secret::new(RING_KEY))])).expect("a ring")),
            blobs: Arc::new(stores::Mirrors::only("home", "a folder", blobs, clock)),
            mailer: self.mailer.clone(),
            outbound: Client::new(OutboundPolicy { allow: Vec::new() }, &Roots::default()).expect("a client"),
            renderer: Arc::new(ui::Renderer::new().expect("templates")),
            settings: Settings::at(BASE_URL),
        })
    }
}
