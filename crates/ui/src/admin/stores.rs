//! Where what is sold lies, and how that stands.

use kernel::{ProductId, Timestamp};
use serde::Serialize;

use super::sample::{bits, minutes_ago};
use super::words::{Defect, DeliveryWay, StoreStanding};
use crate::Template;
use crate::samples::{LONG, text};

/// templates/admin/stores.html - `/admin/stores`.
///
/// Who may change settings chooses how files are delivered: posts `way` (a word of
/// [`DeliveryWay`]) to `/admin/stores/delivery`.
#[derive(Debug, Clone, Serialize)]
pub struct StoresPage {
    /// How files are delivered.
    pub way: DeliveryWay,
    /// Whether there is a bucket that files can be sent on to.
    pub has_bucket: bool,
    /// Whether files are left to a proxy in front of us.
    pub has_proxy: bool,
    /// For how many minutes a bucket's URL is good.
    pub minutes: i64,
    /// Home first.
    pub stores: Vec<StoreRow>,
    /// Files of this merchant that a store lacks, the newest first.
    pub lacking: Vec<LackingRow>,
}

/// A store.
#[derive(Debug, Clone, Serialize)]
pub struct StoreRow {
    /// Its name.
    pub name: String,
    /// Whether uploads go there.
    pub home: bool,
    /// How it stands.
    pub standing: StoreStanding,
    /// Since when it does not answer.
    pub away_since: Option<Timestamp>,
    /// When it was asked last.
    pub asked_at: Option<Timestamp>,
    /// When it was gone through last.
    pub checked_at: Option<Timestamp>,
    /// Whether every content was read then, too.
    pub read_whole: bool,
    /// How many contents were looked for.
    pub contents: u64,
    /// How many of them were missing or damaged.
    pub defects: u64,
}

/// A file that a store lacks or has damaged.
#[derive(Debug, Clone, Serialize)]
pub struct LackingRow {
    /// The store.
    pub store: String,
    /// The file's name.
    pub name: String,
    /// The product that has it.
    pub product: Option<ProductId>,
    /// What is wrong with it.
    pub defect: Defect,
    /// When that was found.
    pub found_at: Timestamp,
}

impl Template for StoresPage {
    const NAME: &'static str = "admin/stores.html";

    fn samples() -> Vec<Self> {
        let well = StoreRow {
            name: text("home"),
            home: true,
            standing: StoreStanding::Well,
            away_since: None,
            asked_at: Some(minutes_ago(1)),
            checked_at: Some(minutes_ago(600)),
            read_whole: true,
            contents: 412,
            defects: 0,
        };
        let away = StoreRow {
            name: text("cloud"),
            home: false,
            standing: StoreStanding::Away,
            away_since: Some(minutes_ago(17)),
            read_whole: false,
            defects: 3,
            ..well.clone()
        };
        let new = StoreRow {
            name: text("attic"),
            standing: StoreStanding::Unknown,
            asked_at: None,
            checked_at: None,
            ..away.clone()
        };
        let lacking = |name: &str, defect: Defect, product| LackingRow {
            store: text("home"),
            name: text(name),
            product,
            defect,
            found_at: minutes_ago(42),
        };
        let product = Some(ProductId::from_bits(bits(3)));
        let rows = vec![
            lacking("North.zip", Defect::Missing, product),
            lacking(LONG, Defect::Damaged, None),
            lacking("South.zip", Defect::Mended, product),
        ];
        let (way, minutes) = (DeliveryWay::ThroughUs, 5);
        let alone = Self {
            way,
            has_bucket: false,
            has_proxy: false,
            minutes,
            stores: vec![well.clone()],
            lacking: Vec::new(),
        };
        let several = Self {
            way: DeliveryWay::Redirect,
            has_bucket: true,
            has_proxy: true,
            stores: vec![well, away, new],
            lacking: rows,
            ..alone.clone()
        };
        vec![several, alone]
    }
}
