//! Buyers, what becomes of their money, and the notices of it: doubled, turned round, all at once.

use std::sync::atomic::{AtomicU64, Ordering};

use paysim::ipn::Buyer;
use paysim::{Choice, Faults, PaySimHandle, Sequence};

use crate::dice::Dice;
use crate::trouble::{Tried, trouble};

/// Who is paid.
pub const RECEIVER: &str = "shop@example.com";
/// What everything costs.
pub const PRICE: &str = "12.00";
/// What somebody pays who cheats.
const TOO_LITTLE: &str = "1.00";
/// What is sold: a small file, a large one, and one that is gathered for each order.
pub const SKUS: [&str; 3] = ["SMALL", "LARGE", "GATHERED"];

/// The place of the one that is gathered.
pub const GATHERED: usize = 2;

/// What becomes of the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Story {
    /// It comes at once.
    Paid,
    /// It comes days later.
    Clears,
    /// It bounces days later.
    Bounces,
    /// The card is refused.
    Denied,
    /// It comes and goes back.
    Refunded,
    /// It is less than the price.
    TooLittle,
}

impl Story {
    /// Out of ten, six simply pay.
    fn tell(dice: &mut Dice) -> Self {
        let often = [Self::Paid; 5];
        let rest = [Self::Clears, Self::Bounces, Self::Denied, Self::Refunded, Self::TooLittle];
        if dice.below(2) == 0 { dice.one_of(often) } else { dice.one_of(rest) }
    }

    const fn choice(self) -> Choice {
        match self {
            Self::Paid | Self::Refunded | Self::TooLittle => Choice::Now,
            Self::Clears => Choice::EcheckClears,
            Self::Bounces => Choice::EcheckBounces,
            Self::Denied => Choice::Denied,
        }
    }
}

/// What somebody bought.
#[derive(Debug, Clone)]
pub struct Purchase {
    /// What becomes of the money.
    pub story: Story,
    /// The gateway's name for the payment.
    pub txn_id: String,
    /// The buyer, who buys only this.
    pub email: String,
    /// Which of the products.
    pub product: usize,
}

/// Buys one thing after another.
pub struct Shopper {
    sim: PaySimHandle,
    hooks: Vec<String>,
    dice: Dice,
}

impl Shopper {
    /// Somebody who buys where these hooks hear of it.
    pub fn of(sim: PaySimHandle, hooks: Vec<String>, seed: u64, purpose: &str) -> Self {
        Self { sim, hooks, dice: Dice::of(seed, purpose) }
    }

    /// The same shopper, where only the first node hears of it.
    #[must_use]
    pub fn at_the_first(mut self) -> Self {
        self.hooks.truncate(1);
        self
    }

    /// Their dice, for pauses between purchases.
    pub const fn dice(&mut self) -> &mut Dice {
        &mut self.dice
    }

    /// From now on notices come doubled, or turned round, or all at once.
    pub fn disturb(&mut self) {
        let sequence = self.dice.one_of([
            Sequence::OldestFirst,
            Sequence::NewestFirst,
            Sequence::Together,
            Sequence::Together,
        ]);
        let copies = u32::try_from(self.dice.below(3)).unwrap_or(0);
        self.sim.set_faults(Faults { copies, sequence, ..Faults::default() });
    }

    /// Buys something, with a story that the dice tell.
    pub fn buy(&mut self) -> Tried<Purchase> {
        let story = Story::tell(&mut self.dice);
        let product = self.dice.place(SKUS.len());
        self.buy_this(story, product)
    }

    /// Buys this product with this story.
    pub fn buy_this(&mut self, story: Story, product: usize) -> Tried<Purchase> {
        static BUYERS: AtomicU64 = AtomicU64::new(1);
        let email = format!("buyer{}@example.net", BUYERS.fetch_add(1, Ordering::Relaxed));
        let place = self.dice.place(self.hooks.len());
        let hook = self.hooks.get(place).cloned().unwrap_or_default();
        let sku = SKUS.get(product).copied().unwrap_or_default();
        let amount = if story == Story::TooLittle { TOO_LITTLE } else { PRICE };
        let fields = [
            ("cmd", "_xclick"),
            ("business", RECEIVER),
            ("item_name", sku),
            ("item_number", sku),
            ("amount", amount),
            ("currency_code", "USD"),
            ("notify_url", hook.as_str()),
            ("charset", "utf-8"),
        ];
        let fields: Vec<_> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let buyer = Buyer { email: email.clone(), ..Buyer::default() };
        let refused = |refusal: paysim::Refusal| trouble(format!("the simulator refuses: {refusal}"));
        let payment = self.sim.pay(&fields, story.choice(), buyer).map_err(refused)?;
        if story == Story::Refunded {
            payment.refund().map_err(refused)?;
        }
        Ok(Purchase { story, txn_id: payment.txn_id().to_owned(), email, product })
    }
}

impl Purchase {
    /// Whether the buyer is to have something in the end.
    pub const fn is_delivered(&self) -> bool {
        matches!(self.story, Story::Paid | Story::Clears)
    }
}
