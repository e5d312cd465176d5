//! The world around the shop: buyers, PayPal, mail servers, workers, and the dice.

use app::jobs::Claimed;
use app::orders::Order;
use app::products::Product;
use kernel::{Entropy as _, SeededEntropy};
use paysim::Postback;
use paysim::ipn::{Body, Sale};

use crate::support::goods::eur;
use crate::support::{NewGood, TestApp};

/// Chance, by the seed.
pub struct Dice(SeededEntropy);

impl Dice {
    /// A number below this one.
    pub fn below(&self, limit: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        let limit = u64::try_from(limit.max(1)).expect("a small number");
        usize::try_from(u64::from_le_bytes(bytes) % limit).expect("below a small number")
    }

    /// So many times out of ten.
    pub fn happens(&self, tenths: usize) -> bool {
        self.below(10) < tenths
    }

    /// One of these.
    pub fn pick<'a, T>(&self, among: &'a [T]) -> Option<&'a T> {
        among.get(self.below(among.len()))
    }
}

/// A payment as PayPal knows it.
#[derive(Debug, Clone)]
pub struct Told {
    pub sale: Sale,
    /// What it pays; nothing for a button.
    pub order: Option<Order>,
    /// Whether it pays what is due.
    pub enough: bool,
    pub pending: bool,
    pub failed: bool,
    pub completed: bool,
    /// In cents.
    pub refunded: i64,
    pub reversed: bool,
    /// Movements and cases so far; each has a number of its own.
    pub movements: u32,
}

impl Told {
    pub fn new(sale: Sale, order: Option<Order>, enough: bool) -> Self {
        Self {
            sale,
            order,
            enough,
            pending: false,
            failed: false,
            completed: false,
            refunded: 0,
            reversed: false,
            movements: 0,
        }
    }
}

/// Everything that is there.
pub struct World<'a> {
    pub t: &'a TestApp,
    pub dice: Dice,
    pub products: Vec<Product>,
    pub told: Vec<Told>,
    /// What PayPal has sent and the shop may not have got, or get again.
    pub in_flight: Vec<Vec<u8>>,
    /// Jobs in the hands of workers that sleep or are dead.
    pub asleep: Vec<Claimed>,
    /// Answers of mail servers that were to be lost.
    pub answers_lost: usize,
    history: Vec<String>,
}

impl<'a> World<'a> {
    pub fn new(t: &'a TestApp, seed: u64) -> Self {
        let goods = [
            NewGood::of("FONT"),
            NewGood::of("MAP").priced(&[eur(5_00)]).provisional(),
            NewGood::of("SONG").priced(&[eur(1_99)]).limited_to(1).with_other_text("Write to us."),
        ];
        let products = goods.map(|good| t.product(good)).to_vec();
        let dice = Dice(SeededEntropy::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        Self {
            t,
            dice,
            products,
            told: Vec::new(),
            in_flight: Vec::new(),
            asleep: Vec::new(),
            answers_lost: 0,
            history: Vec::new(),
        }
    }

    /// What has happened, in words.
    pub fn history(&self) -> &[String] {
        &self.history
    }

    pub fn note(&mut self, what: impl Into<String>) {
        let line = format!("{} {}", self.t.now(), what.into());
        self.history.push(line);
    }

    /// PayPal says this: it is confirmed from now on, and on its way.
    pub fn send(&mut self, body: &Body) {
        let bytes = body.encode();
        self.t.paypal.issue(&bytes);
        self.in_flight.push(bytes);
    }

    /// No more trouble: everybody answers, and what is on its way arrives.
    pub fn make_peace(&mut self) {
        self.note("peace");
        self.t.paypal.set_postback(Postback::Honest);
        self.asleep.clear();
        while !self.in_flight.is_empty() {
            let bytes = self.in_flight.swap_remove(self.dice.below(self.in_flight.len()));
            let reply = self.t.post_notice(bytes);
            assert_eq!(reply.status, http::StatusCode::OK);
            self.t.finish_handed_over();
        }
    }
}
