//! The program's verbs, as a seller runs them.

use std::process::{ExitStatus, Stdio};

use sha2::{Digest as _, Sha256};

use crate::load::{PRICE, RECEIVER, SKUS};
use crate::trouble::{Tried, trouble};
use crate::world::{Build, Place, World};

/// Sizes of what is sold: one that arrives at once, and one that takes a while.
const SIZES: [usize; 2] = [100_000, 24 << 20];

/// How a verb ended.
#[derive(Debug)]
pub struct Ran {
    /// Whether it was content, failed or died.
    pub status: ExitStatus,
    /// What it printed.
    pub out: String,
    /// What it said beside.
    pub err: String,
}

impl World {
    /// Runs a verb on an installation.
    pub fn run(&self, build: Build<'_>, place: &Place, arguments: &[&str]) -> Tried<Ran> {
        let output = self.command(build, place, arguments).stdin(Stdio::null()).output()?;
        Ok(Ran {
            status: output.status,
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    fn json(&self, arguments: &[&str]) -> Tried<serde_json::Value> {
        let arguments = [arguments, &["--json"]].concat();
        let ran = self.run(Build::Shipped, &self.place, &arguments)?;
        if !ran.status.success() {
            return Err(trouble(format!("{arguments:?} failed: {}", ran.err)));
        }
        Ok(serde_json::from_str(&ran.out)?)
    }
}

/// What a shop sells, and how its sellers get in.
#[derive(Debug, Clone, Default)]
pub struct Goods {
    /// The path of its hook.
    pub hook: String,
    /// A key of its API, which may change products.
    pub key: String,
    /// The product that gets new files.
    pub growing: String,
    /// The SHA-256 of each product's file, in hex.
    pub digests: Vec<String>,
}

impl Goods {
    /// Puts everything on sale.
    ///
    /// # Errors
    /// When a verb fails.
    pub fn put_on_sale(world: &World) -> Tried<Self> {
        let mut goods = Self::default();
        for (sku, size) in SKUS.into_iter().zip(SIZES) {
            let content: Vec<u8> =
                (0..size).map(|place| u8::try_from(place * 31 % 251).unwrap_or(0)).collect();
            let path = world.path(&format!("{sku}.bin"));
            std::fs::write(&path, &content)?;
            let path = path.to_string_lossy().into_owned();
            let add = ["products", "add", "--sku", sku, "--name", sku, "--price", PRICE, "--currency", "USD"];
            world.json(&[&add[..], &["--file", path.as_str()]].concat())?;
            goods.digests.push(hex::encode(Sha256::digest(&content)));
        }
        goods.digests.push(Self::gather_one(world)?);
        let add = ["products", "add", "--sku", "GROWING", "--name", "Growing", "--price", PRICE];
        goods.growing = word(&world.json(&add)?, "id")?;
        let endpoint = world.sim.url();
        let connect = ["connections", "add", "paypal-standard", "--mode", "test", "--receiver", RECEIVER];
        let connected = world.json(&[&connect[..], &["--endpoint", endpoint.as_str()]].concat())?;
        goods.hook = format!("/hooks/{}", word(&connected, "id")?);
        let scopes = ["--scope", "products:read", "--scope", "products:write"];
        let made = world.json(&[&["api-keys", "create", "--name", "crash"][..], &scopes].concat())?;
        goods.key = word(&made, "key")?;
        Ok(goods)
    }
}

impl Goods {
    /// Puts on sale what is gathered from a folder once it is paid; answers its digest.
    fn gather_one(world: &World) -> Tried<String> {
        let [.., sku] = SKUS;
        let content = b"gathered for each order".repeat(1_000);
        std::fs::create_dir_all(world.file_root())?;
        std::fs::write(world.file_root().join("gathered.bin"), &content)?;
        world.json(&[
            "products",
            "add",
            "--sku",
            sku,
            "--name",
            sku,
            "--price",
            PRICE,
            "--currency",
            "USD",
        ])?;
        let spec = format!("{}/*.bin", world.file_root().display());
        world.json(&["products", "payload", sku, "--spec", &spec])?;
        Ok(hex::encode(Sha256::digest(&content)))
    }
}

fn word(value: &serde_json::Value, name: &str) -> Tried<String> {
    let found = value.get(name).and_then(serde_json::Value::as_str);
    found.map(str::to_owned).ok_or_else(|| trouble(format!("there is no \"{name}\" in {value}")))
}
