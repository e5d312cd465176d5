//! A simulated PayPal on the network, and the handle by which tests and the demo move it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kernel::{Clock, Money, Span, SystemClock, Timestamp};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinSet};

use crate::book::{Book, BookOptions, Postback, Refusal};
use crate::ipn::Buyer;
use crate::outbox::{Answer, Faults, Notice, Sequence};
use crate::payment::{Choice, Payment};
use crate::{pages, send, server};

/// PayPal waits half a minute for an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Even a clock that stands still is looked at no more often than this.
const LOOK_AGAIN_MIN: Duration = Duration::from_millis(100);
/// As many as are on their way at the same time.
const TOGETHER_MAX: usize = 64;

/// Who sends what is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delivery {
    /// The simulator, as soon as it is due.
    #[default]
    Automatic,
    /// Nobody before [`PaySimHandle::deliver`] is called: for tests.
    ByHand,
}

/// How a simulator is run.
#[derive(Clone)]
pub struct Options {
    /// What it is.
    pub book: BookOptions,
    /// The clock that its own days are added to.
    pub clock: Arc<dyn Clock>,
    /// Who sends.
    pub delivery: Delivery,
    /// How long a shop may take over an answer.
    pub answer_within: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            book: BookOptions::default(),
            clock: Arc::new(SystemClock::default()),
            delivery: Delivery::default(),
            answer_within: ANSWER_WITHIN,
        }
    }
}

/// The simulated PayPal.
#[derive(Debug, Clone, Copy)]
pub struct PaySim;

impl PaySim {
    /// Serves on this listener until the last handle is dropped. Needs a running tokio.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn start(listener: TcpListener, options: Options) -> std::io::Result<PaySimHandle> {
        let shared = Arc::new(Shared {
            address: listener.local_addr()?,
            book: Mutex::new(Book::new(options.book)),
            clock: options.clock,
            ahead: AtomicI64::new(0),
            answer_within: options.answer_within,
            postbacks: AtomicU64::new(0),
            changed: Notify::new(),
            delivering: tokio::sync::Mutex::new(()),
            templates: pages::templates(),
        });
        let router = server::router(shared.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await });
        let mut tasks = vec![serving.abort_handle()];
        if options.delivery == Delivery::Automatic {
            tasks.push(tokio::spawn(deliver_always(shared.clone())).abort_handle());
        }
        Ok(PaySimHandle { shared, _running: Arc::new(Running(tasks)) })
    }
}

/// What the tasks and the handles have in common.
pub(crate) struct Shared {
    address: SocketAddr,
    book: Mutex<Book>,
    clock: Arc<dyn Clock>,
    ahead: AtomicI64,
    answer_within: Duration,
    postbacks: AtomicU64,
    changed: Notify,
    delivering: tokio::sync::Mutex<()>,
    pub(crate) templates: minijinja::Environment<'static>,
}

impl Shared {
    /// The simulator's time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now() + Span::micros(self.ahead.load(Ordering::SeqCst))
    }

    /// Looks into the book, at this time, and has what follows sent.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut Book, Timestamp) -> R) -> R {
        let done = act(&mut self.book(), self.now());
        self.changed.notify_one();
        done
    }

    /// Moves the simulator's clock on; eChecks whose days are over are decided.
    pub(crate) fn advance(&self, by: Span) {
        self.ahead.fetch_add(by.as_micros(), Ordering::SeqCst);
        self.with(Book::look);
    }

    /// Whether these bytes were sent, and how to answer that.
    pub(crate) fn postback(&self, body: &[u8]) -> (Postback, bool) {
        self.postbacks.fetch_add(1, Ordering::Relaxed);
        let book = self.book();
        (book.postback, book.has_issued(body))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the tasks with the last handle.
struct Running(Vec<AbortHandle>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

async fn deliver_always(shared: Arc<Shared>) {
    loop {
        deliver_due(&shared).await;
        let due = shared.book().next_due();
        let wait = due.map(|due| due.since(shared.now()).to_std().max(LOOK_AGAIN_MIN));
        match wait {
            // Waking up early is as good as being told.
            Some(wait) => drop(tokio::time::timeout(wait, shared.changed.notified()).await),
            None => shared.changed.notified().await,
        }
    }
}

/// Tries everything that is due once.
async fn deliver_due(shared: &Arc<Shared>) -> Vec<(u64, Answer)> {
    let _only_one = shared.delivering.lock().await;
    let (due, together) = {
        let (mut book, now) = (shared.book(), shared.now());
        book.look(now);
        (book.take_due(now), book.faults().sequence == Sequence::Together)
    };
    let at_once = if together { TOGETHER_MAX } else { 1 };
    let mut answers = Vec::new();
    for group in due.chunks(at_once) {
        let mut sending = JoinSet::new();
        for notice in group.iter().cloned() {
            let within = shared.answer_within;
            sending.spawn(async move { (notice.number, send::post(&notice.url, notice.body, within).await) });
        }
        while let Some(sent) = sending.join_next().await {
            let Ok((number, answer)) = sent else { continue };
            shared.book().answered(number, answer.clone(), shared.now());
            answers.push((number, answer));
        }
    }
    answers
}

/// Moves a running simulator. Clones are the same simulator.
#[derive(Clone)]
pub struct PaySimHandle {
    shared: Arc<Shared>,
    _running: Arc<Running>,
}

impl PaySimHandle {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// Its control page, and what a connection's endpoint setting is: `http://127.0.0.1:8090`.
    pub fn url(&self) -> String {
        format!("http://{}", self.shared.address)
    }

    /// The simulator's time.
    pub fn now(&self) -> Timestamp {
        self.shared.now()
    }

    /// A form is paid as if the buyer had come to the page and decided.
    ///
    /// # Errors
    /// When the form cannot be paid.
    pub fn pay(
        &self,
        fields: &[(String, String)],
        choice: Choice,
        buyer: Buyer,
    ) -> Result<PaymentHandle, Refusal> {
        let txn_id = self.shared.with(|book, now| book.pay(fields, choice, buyer, now))?;
        Ok(self.payment(&txn_id))
    }

    /// The payment of this id.
    pub fn payment(&self, txn_id: &str) -> PaymentHandle {
        PaymentHandle { sim: self.clone(), txn_id: txn_id.to_owned() }
    }

    /// Moves its clock on; eChecks whose days are over are decided.
    pub fn advance(&self, days: u32) {
        self.shared.advance(Span::days(i64::from(days)));
    }

    /// From now on these bytes are `VERIFIED`.
    pub fn issue(&self, body: &[u8]) {
        self.shared.with(|book, _| book.issue(body));
    }

    /// These bytes are `VERIFIED` and sent to this address.
    pub fn send(&self, url: &str, body: &[u8]) {
        self.shared.with(|book, now| book.send(url, body, now));
    }

    /// The bodies of all notifications, oldest first, sent or not.
    pub fn bodies(&self) -> Vec<Vec<u8>> {
        self.shared.book().notices().map(|notice| notice.body.clone()).collect()
    }

    /// All notifications and how they fared, oldest first.
    pub fn notices(&self) -> Vec<Notice> {
        self.shared.book().notices().cloned().collect()
    }

    /// All payments, oldest first.
    pub fn payments(&self) -> Vec<Payment> {
        self.shared.book().payments().to_vec()
    }

    /// How many times somebody asked for `VERIFIED`.
    pub fn postbacks(&self) -> u64 {
        self.shared.postbacks.load(Ordering::Relaxed)
    }

    /// What goes wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.shared.with(|book, _| *book.faults() = faults);
    }

    /// How questions are answered from now on.
    pub fn set_postback(&self, postback: Postback) {
        self.shared.with(|book, _| book.postback = postback);
    }

    /// Everything else that a book can do, at the simulator's time.
    pub fn with<R>(&self, act: impl FnOnce(&mut Book, Timestamp) -> R) -> R {
        self.shared.with(act)
    }

    /// Tries everything that is due once, and tells how each went.
    pub async fn deliver(&self) -> Vec<(u64, Answer)> {
        deliver_due(&self.shared).await
    }
}

/// One payment at a running simulator.
#[derive(Clone)]
pub struct PaymentHandle {
    sim: PaySimHandle,
    txn_id: String,
}

impl PaymentHandle {
    /// Its transaction id.
    pub fn txn_id(&self) -> &str {
        &self.txn_id
    }

    /// What has become of it.
    pub fn look(&self) -> Option<Payment> {
        self.sim.shared.book().payments().iter().find(|payment| payment.sale.txn_id == self.txn_id).cloned()
    }

    /// Its notifications, oldest first.
    pub fn notices(&self) -> Vec<Notice> {
        self.sim.shared.book().notices().filter(|notice| notice.txn_id == self.txn_id).cloned().collect()
    }

    /// Sends all that is left back; gives the refund's id.
    ///
    /// # Errors
    /// When the seller does not have it.
    pub fn refund(&self) -> Result<String, Refusal> {
        self.sim.shared.with(|book, now| book.refund(&self.txn_id, None, now))
    }

    /// Sends a part back; gives the refund's id.
    ///
    /// # Errors
    /// When the seller does not have so much.
    pub fn refund_part(&self, amount: Money) -> Result<String, Refusal> {
        self.sim.shared.with(|book, now| book.refund(&self.txn_id, Some(amount), now))
    }

    /// Pulls the money back for this reason; gives the reversal's id.
    ///
    /// # Errors
    /// When the seller does not have it.
    pub fn reverse(&self, reason: &str) -> Result<String, Refusal> {
        self.sim.shared.with(|book, now| book.reverse(&self.txn_id, reason, now))
    }

    /// Gives pulled back money again; gives that movement's id.
    ///
    /// # Errors
    /// When nothing was reversed.
    pub fn cancel_reversal(&self) -> Result<String, Refusal> {
        self.sim.shared.with(|book, now| book.cancel_reversal(&self.txn_id, now))
    }

    /// Opens a case of this type; gives its id.
    ///
    /// # Errors
    /// When there is nothing to argue about.
    pub fn open_case(&self, case_type: &str) -> Result<String, Refusal> {
        self.sim.shared.with(|book, now| book.open_case(&self.txn_id, case_type, now))
    }

    /// Sends its latest notification again from the history, marked `resend=true`.
    ///
    /// # Errors
    /// When it has none.
    pub fn resend(&self) -> Result<(), Refusal> {
        let latest = self.notices().last().map_or(0, |notice| notice.number);
        self.sim.shared.with(|book, now| book.resend(latest, now))
    }
}
