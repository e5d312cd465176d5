//! All that this PayPal knows: payments, what it said about them, what it confirms.
//!
//! Pure: the time is an argument, ids follow from the seed. What is to be sent lies in the
//! outbox until somebody takes it out and tells how it went.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Money, Timestamp};
use sha2::{Digest, Sha256};

use crate::checkout::{Checkout, CheckoutError};
use crate::ipn::{self, Body, Buyer, Means, Movement, Side};
use crate::outbox::{Answer, Faults, Letter, Notice, Outbox, Patience};
use crate::payment::{Choice, Payment, PaymentState};

/// Checkouts that nobody pays are forgotten.
const CHECKOUTS_MAX: usize = 1_000;
const TOKEN_LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const TOKEN_LENGTH: usize = 20;

/// How a PayPal is set up.
#[derive(Debug, Clone)]
pub struct BookOptions {
    /// All ids follow from it. A shop that outlives its simulator needs another seed each
    /// time, or transaction ids come a second time.
    pub seed: u64,
    /// Whether notifications say that they are a test.
    pub side: Side,
    /// Where notifications of buttons go that name no address.
    pub profile_notify_url: Option<String>,
    /// How soon it tries again.
    pub patience: Patience,
}

impl Default for BookOptions {
    fn default() -> Self {
        Self { seed: 1, side: Side::Sandbox, profile_notify_url: None, patience: Patience::Paypal }
    }
}

/// How questions for `VERIFIED` are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Postback {
    /// `VERIFIED` for the bytes that it sent, `INVALID` for all others.
    #[default]
    Honest,
    /// Status 503.
    Unavailable,
    /// Status 200, and a page that says something else.
    Garbage,
    /// Status 200, and nothing.
    Empty,
    /// `INVALID`, also for what it sent itself.
    Disowning,
    /// Status 302, to a page of somebody who confirms everything.
    Elsewhere,
    /// No answer.
    Silent,
}

/// Why something cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The form was wrong.
    #[error(transparent)]
    Checkout(#[from] CheckoutError),
    /// No such checkout.
    #[error("this checkout is over; begin again in the shop")]
    CheckoutOver,
    /// PayPal takes an invoice number once.
    #[error("the invoice {0} has already been paid")]
    InvoicePaid(String),
    /// No such payment.
    #[error("there is no payment {0}")]
    NoPayment(String),
    /// No such notification.
    #[error("there is no notification {0}")]
    NoNotice(u64),
    /// The money is not there.
    #[error("a payment that is {0:?} has no money to send back")]
    NoMoney(PaymentState),
    /// More than is left.
    #[error("{asked} cannot be refunded of the {left} that are left")]
    TooMuch {
        /// What was asked.
        asked: Money,
        /// What there is.
        left: Money,
    },
    /// Nothing was reversed.
    #[error("there is no reversal to cancel")]
    NotReversed,
    /// One case at a time.
    #[error("the case {0} is open already")]
    CaseOpen(String),
}

/// The state of a simulated PayPal.
#[derive(Debug, Default)]
pub struct Book {
    options: BookOptions,
    drawn: u64,
    checkouts: BTreeMap<String, (u64, Checkout)>,
    payments: Vec<Payment>,
    outbox: Outbox,
    issued: BTreeSet<[u8; 32]>,
    /// How it answers questions.
    pub postback: Postback,
}

impl Book {
    /// An empty one.
    pub fn new(options: BookOptions) -> Self {
        let outbox = Outbox::new(options.patience);
        Self { options, outbox, ..Self::default() }
    }

    /// A buyer arrives with this form; gives the token of the payment page.
    ///
    /// # Errors
    /// When the form cannot be paid.
    pub fn open(&mut self, fields: &[(String, String)]) -> Result<String, Refusal> {
        let checkout = self.payable(fields)?;
        let token = self.draw("checkout", TOKEN_LETTERS, TOKEN_LENGTH);
        self.checkouts.insert(token.clone(), (self.drawn, checkout));
        if self.checkouts.len() > CHECKOUTS_MAX {
            let oldest =
                self.checkouts.iter().min_by_key(|(_, (opened, _))| *opened).map(|(token, _)| token.clone());
            oldest.and_then(|token| self.checkouts.remove(&token));
        }
        Ok(token)
    }

    /// The checkout of a payment page.
    pub fn checkout(&self, token: &str) -> Option<&Checkout> {
        self.checkouts.get(token).map(|(_, checkout)| checkout)
    }

    /// The buyer of this payment page decides. Gives the transaction id.
    ///
    /// # Errors
    /// When the page is over, or the invoice was paid meanwhile.
    pub fn decide(
        &mut self,
        token: &str,
        choice: Choice,
        buyer: Buyer,
        now: Timestamp,
    ) -> Result<String, Refusal> {
        let checkout = self.checkout(token).cloned().ok_or(Refusal::CheckoutOver)?;
        self.refuse_paid_invoice(&checkout)?;
        self.checkouts.remove(token);
        Ok(self.take(checkout, choice, buyer, now))
    }

    /// A form is paid without a page. Gives the transaction id.
    ///
    /// # Errors
    /// When the form cannot be paid.
    pub fn pay(
        &mut self,
        fields: &[(String, String)],
        choice: Choice,
        buyer: Buyer,
        now: Timestamp,
    ) -> Result<String, Refusal> {
        let checkout = self.payable(fields)?;
        Ok(self.take(checkout, choice, buyer, now))
    }

    fn payable(&self, fields: &[(String, String)]) -> Result<Checkout, Refusal> {
        let checkout = Checkout::read(fields)?;
        self.refuse_paid_invoice(&checkout)?;
        Ok(checkout)
    }

    fn refuse_paid_invoice(&self, checkout: &Checkout) -> Result<(), Refusal> {
        let came_to_nothing =
            |payment: &Payment| matches!(payment.state, PaymentState::Failed | PaymentState::Denied);
        let same = |payment: &&Payment| {
            payment.sale.invoice == checkout.invoice && payment.sale.business == checkout.business
        };
        let paid = self.payments.iter().filter(same).any(|payment| !came_to_nothing(payment));
        if paid && !checkout.invoice.is_empty() {
            Err(Refusal::InvoicePaid(checkout.invoice.clone()))
        } else {
            Ok(())
        }
    }

    fn take(&mut self, checkout: Checkout, choice: Choice, buyer: Buyer, now: Timestamp) -> String {
        let txn_id = self.new_txn_id();
        let sale = checkout.sale(txn_id.clone(), buyer, now, self.options.side);
        let refunded = Money::zero(sale.tax.currency);
        let state = choice.first_state();
        let later = choice.later(now);
        self.payments.push(Payment { sale, checkout, choice, state, later, refunded, case_id: None });
        self.tell_state(self.payments.len() - 1, now);
        txn_id
    }

    /// Decides the eChecks whose days are over.
    pub fn look(&mut self, now: Timestamp) {
        let is_due = |payment: &Payment| payment.later.is_some_and(|(at, _)| at <= now);
        let due: Vec<usize> = self
            .payments
            .iter()
            .enumerate()
            .filter(|(_, payment)| is_due(payment))
            .map(|(index, _)| index)
            .collect();
        for index in due {
            if let Some(payment) = self.payments.get_mut(index)
                && let Some((_, state)) = payment.later.take()
            {
                payment.state = state;
            }
            self.tell_state(index, now);
        }
    }

    fn tell_state(&mut self, index: usize, now: Timestamp) {
        let Some(payment) = self.payments.get(index) else { return };
        let (sale, means) = (&payment.sale, payment.choice.means());
        let (about, body) = match payment.state {
            PaymentState::Pending => ("Pending: echeck", Body::pending(sale, Means::Echeck, "echeck")),
            PaymentState::Failed => ("Failed", Body::with_status(sale, means, "Failed")),
            PaymentState::Denied => ("Denied", Body::with_status(sale, means, "Denied")),
            PaymentState::Completed
            | PaymentState::PartlyRefunded
            | PaymentState::Refunded
            | PaymentState::Reversed => ("Completed", Body::completed(sale, means)),
        };
        self.tell(index, about, &body, now);
    }

    fn tell(&mut self, index: usize, about: &str, body: &Body, now: Timestamp) {
        let body = body.encode();
        self.issue(&body);
        let Some(payment) = self.payments.get(index) else { return };
        let Some(url) =
            payment.checkout.notify_url.clone().or_else(|| self.options.profile_notify_url.clone())
        else {
            return;
        };
        let letter = Letter { txn_id: payment.sale.txn_id.clone(), about: about.to_owned(), url, body };
        self.outbox.post(&letter, now);
    }

    /// Sends money back: so much, or all that is left. Gives the refund's transaction id.
    ///
    /// # Errors
    /// When the seller does not have it.
    pub fn refund(&mut self, txn_id: &str, amount: Option<Money>, now: Timestamp) -> Result<String, Refusal> {
        let refund_id = self.new_txn_id();
        let (index, payment) = self.with_money(txn_id)?;
        let left = payment.remaining();
        let amount = amount.unwrap_or(left);
        if amount.currency != left.currency || amount.minor <= 0 || amount.minor > left.minor {
            return Err(Refusal::TooMuch { asked: amount, left });
        }
        let movement = Movement { txn_id: refund_id.clone(), amount, reason: "refund".to_owned(), at: now };
        payment.refunded = Money::new(payment.refunded.minor + amount.minor, amount.currency);
        let is_all = amount == left;
        payment.state = if is_all { PaymentState::Refunded } else { PaymentState::PartlyRefunded };
        let body = Body::refunded(&payment.sale, &movement);
        self.tell(index, &format!("Refunded: {amount}"), &body, now);
        Ok(refund_id)
    }

    /// Pulls the money back. Gives the reversal's transaction id.
    ///
    /// # Errors
    /// When the seller does not have it.
    pub fn reverse(&mut self, txn_id: &str, reason: &str, now: Timestamp) -> Result<String, Refusal> {
        let reversal_id = self.new_txn_id();
        let (index, payment) = self.with_money(txn_id)?;
        payment.state = PaymentState::Reversed;
        let amount = payment.remaining();
        let movement = Movement { txn_id: reversal_id.clone(), amount, reason: reason.to_owned(), at: now };
        let body = Body::reversed(&payment.sale, &movement);
        self.tell(index, &format!("Reversed: {reason}"), &body, now);
        Ok(reversal_id)
    }

    /// Gives pulled back money to the seller again. Gives that movement's transaction id.
    ///
    /// # Errors
    /// When nothing was reversed.
    pub fn cancel_reversal(&mut self, txn_id: &str, now: Timestamp) -> Result<String, Refusal> {
        let movement_id = self.new_txn_id();
        let (index, payment) = self.find(txn_id)?;
        if payment.state != PaymentState::Reversed {
            return Err(Refusal::NotReversed);
        }
        let part = payment.refunded.minor > 0;
        payment.state = if part { PaymentState::PartlyRefunded } else { PaymentState::Completed };
        let amount = payment.remaining();
        let movement = Movement { txn_id: movement_id.clone(), amount, reason: "other".to_owned(), at: now };
        let body = Body::canceled_reversal(&payment.sale, &movement);
        self.tell(index, "Canceled_Reversal", &body, now);
        Ok(movement_id)
    }

    /// The buyer or the bank objects. Gives the case id.
    ///
    /// # Errors
    /// When there is no money to argue about, or a case already.
    pub fn open_case(&mut self, txn_id: &str, case_type: &str, now: Timestamp) -> Result<String, Refusal> {
        let case_id = format!("PP-D-{}", self.draw("case", b"0123456789", 9));
        let (index, payment) = self.find(txn_id)?;
        if !payment.holds_money() && payment.state != PaymentState::Reversed {
            return Err(Refusal::NoMoney(payment.state));
        }
        if let Some(open) = &payment.case_id {
            return Err(Refusal::CaseOpen(open.clone()));
        }
        payment.case_id = Some(case_id.clone());
        let body = Body::new_case(&payment.sale, &case_id, case_type, now);
        self.tell(index, &format!("new_case: {case_type}"), &body, now);
        Ok(case_id)
    }

    fn find(&mut self, txn_id: &str) -> Result<(usize, &mut Payment), Refusal> {
        let found = self.payments.iter_mut().enumerate().find(|(_, payment)| payment.sale.txn_id == txn_id);
        found.ok_or_else(|| Refusal::NoPayment(txn_id.to_owned()))
    }

    fn with_money(&mut self, txn_id: &str) -> Result<(usize, &mut Payment), Refusal> {
        let (index, payment) = self.find(txn_id)?;
        if payment.holds_money() { Ok((index, payment)) } else { Err(Refusal::NoMoney(payment.state)) }
    }

    /// Sends a notification again from the history: PayPal marks it, so the bytes differ.
    ///
    /// # Errors
    /// When it is not known.
    pub fn resend(&mut self, number: u64, now: Timestamp) -> Result<(), Refusal> {
        let mut letter = self.letter(number)?;
        if !letter.body.ends_with(b"&resend=true") {
            letter.body.extend_from_slice(b"&resend=true");
        }
        self.issue(&letter.body);
        self.outbox.post(&letter, now);
        Ok(())
    }

    /// Sends the same bytes once more.
    ///
    /// # Errors
    /// When it is not known.
    pub fn repeat(&mut self, number: u64, now: Timestamp) -> Result<(), Refusal> {
        let letter = self.letter(number)?;
        self.outbox.post(&letter, now);
        Ok(())
    }

    /// Sends the same bytes of everything once more, the newest first.
    pub fn repeat_all_reversed(&mut self, now: Timestamp) {
        let numbers: Vec<u64> = self.outbox.all().rev().map(|notice| notice.number).collect();
        let letters: Vec<Letter> =
            numbers.into_iter().filter_map(|number| self.letter(number).ok()).collect();
        let mut known = BTreeSet::new();
        for letter in letters.iter().filter(|letter| known.insert(&letter.body)) {
            self.outbox.post(letter, now);
        }
    }

    fn letter(&self, number: u64) -> Result<Letter, Refusal> {
        let notice = self.outbox.get(number).ok_or(Refusal::NoNotice(number))?;
        Ok(Letter {
            txn_id: notice.txn_id.clone(),
            about: notice.about.clone(),
            url: notice.url.clone(),
            body: notice.body.clone(),
        })
    }

    /// From now on these bytes are confirmed, as if they had been sent.
    pub fn issue(&mut self, body: &[u8]) {
        self.issued.insert(Sha256::digest(body).into());
    }

    /// These bytes are confirmed and sent to this address.
    pub fn send(&mut self, url: &str, body: &[u8], now: Timestamp) {
        self.issue(body);
        let letter = Letter {
            txn_id: String::new(),
            about: "by hand".to_owned(),
            url: url.to_owned(),
            body: body.to_vec(),
        };
        self.outbox.post(&letter, now);
    }

    /// Whether exactly these bytes were sent.
    pub fn has_issued(&self, body: &[u8]) -> bool {
        let digest: [u8; 32] = Sha256::digest(body).into();
        self.issued.contains(&digest)
    }

    /// Payments, oldest first.
    pub fn payments(&self) -> &[Payment] {
        &self.payments
    }

    /// Notifications, oldest first.
    pub fn notices(&self) -> impl DoubleEndedIterator<Item = &Notice> {
        self.outbox.all()
    }

    /// What goes wrong on the way, to be changed.
    pub fn faults(&mut self) -> &mut Faults {
        &mut self.outbox.faults
    }

    /// Everything that waits is due now.
    pub fn hasten(&mut self, now: Timestamp) {
        self.outbox.hasten(now);
    }

    /// Takes out what is due, in order.
    pub fn take_due(&mut self, now: Timestamp) -> Vec<Notice> {
        self.outbox.take_due(now)
    }

    /// Writes down how sending went.
    pub fn answered(&mut self, number: u64, answer: Answer, now: Timestamp) {
        self.outbox.answered(number, answer, now);
    }

    /// When the next notification or eCheck is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        let echecks = self.payments.iter().filter_map(Payment::decided_at).min();
        self.outbox.next_due().into_iter().chain(echecks).min()
    }

    fn new_txn_id(&mut self) -> String {
        self.drawn += 1;
        ipn::txn_id(&format!("{} {}", self.options.seed, self.drawn))
    }

    fn draw(&mut self, what: &str, letters: &[u8], length: usize) -> String {
        self.drawn += 1;
        ipn::draw(&format!("{what} {} {}", self.options.seed, self.drawn), letters, length)
    }
}
