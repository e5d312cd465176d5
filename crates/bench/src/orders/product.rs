//! The product's side: many notices at once, each to the commit that fulfills its order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use app::cx::Actor;
use app::jobs;
use app::notices::flow::{Receipt, Trust, apply, receive};
use app::orders::Order;
use gateways::{Exchange, Judgment, RawPost};
use paysim::{BookOptions, Delivery, Options, PaySim, PaySimHandle};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::TASKS;
use crate::report::{Failure, Stopwatch};
use crate::shop::{PRICE, RECEIVER, Shop};

/// Orders placed ahead, outside the measured time.
const PLACED_AT_ONCE: usize = 500;

/// A simulated PayPal that confirms what it is told it sent.
pub async fn simulator() -> Result<PaySimHandle, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let options = Options { book: BookOptions::default(), delivery: Delivery::ByHand, ..Options::default() };
    Ok(PaySim::start(listener, options)?)
}

/// The product under load.
pub struct Product<'s> {
    shop: &'s Shop,
    runtime: &'s Runtime,
    simulator: &'s PaySimHandle,
    sold: u64,
}

impl<'s> Product<'s> {
    /// Measures this shop.
    pub fn new(shop: &'s Shop, runtime: &'s Runtime, simulator: &'s PaySimHandle) -> Self {
        Self { shop, runtime, simulator, sold: 0 }
    }

    /// Notices whose verification is answered without a call.
    pub fn at_the_seam(&mut self, turn: Duration) -> Result<(u64, Duration), Failure> {
        self.run(turn, Verify::AtTheSeam)
    }

    /// Notices that are posted back to the simulator.
    pub fn over_loopback(&mut self, turn: Duration) -> Result<(u64, Duration), Failure> {
        self.run(turn, Verify::OverLoopback)
    }

    fn run(&mut self, turn: Duration, verify: Verify) -> Result<(u64, Duration), Failure> {
        // Placing is not what is measured: the clock stands while orders are placed.
        let (mut spent, mut done) = (Duration::ZERO, 0);
        while spent < turn {
            let orders = self.shop.place(PLACED_AT_ONCE)?;
            let posts: Vec<RawPost> = orders.iter().map(|order| self.post(order)).collect();
            if matches!(verify, Verify::OverLoopback) {
                posts.iter().for_each(|post| self.simulator.issue(&post.body));
            }
            let stopwatch = Stopwatch::start();
            done += self.runtime.block_on(deliver(self.shop, posts, verify))?;
            spent += stopwatch.elapsed();
        }
        Ok((done, spent))
    }

    fn post(&mut self, order: &Order) -> RawPost {
        self.sold += 1;
        notice(self.shop, order, self.sold)
    }
}

/// How the gateway's word is had.
#[derive(Debug, Clone, Copy)]
pub enum Verify {
    /// Without a call.
    AtTheSeam,
    /// By a call to the simulator.
    OverLoopback,
}

/// A notification as PayPal sends it.
pub fn notice(shop: &Shop, order: &Order, number: u64) -> RawPost {
    let body = format!(
        "mc_gross={price}&invoice={order}&protection_eligibility=Eligible&payer_id=LPLWNMTBWMFAY&tax=0.00\
         &payment_date=20%3A12%3A59+Jan+13%2C+2026+PST&payment_status=Completed&charset=utf-8&first_name=Ada\
         &mc_fee=0.88&notify_version=3.9&custom={order}&payer_status=verified&business={receiver}&quantity=1\
         &payer_email=ada{number}%40example.com&txn_id=B{number:016}&payment_type=instant&last_name=Buyer\
         &receiver_email={receiver}&txn_type=web_accept&item_name=Product&mc_currency=USD&item_number=SKU-1\
         &residence_country=US&test_ipn=1&payment_gross={price}&ipn_track_id=7fc2298c7ab92",
        price = PRICE.decimal(),
        order = order.id,
        receiver = RECEIVER.replace('@', "%40"),
    );
    RawPost {
        method: "POST".to_owned(),
        target: format!("/hooks/{}", shop.connection.id),
        headers: vec![("content-type".to_owned(), b"application/x-www-form-urlencoded".to_vec())],
        body: body.into_bytes(),
        received_at: shop.app.now(),
    }
}

/// Delivers the notices, many at a time. Answers how many orders were fulfilled.
pub async fn deliver(shop: &Shop, posts: Vec<RawPost>, verify: Verify) -> Result<u64, Failure> {
    let posts = Arc::new(std::sync::Mutex::new(posts));
    let done = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (posts, done) = (Arc::clone(&posts), Arc::clone(&done));
            let (app, connection) = (shop.app.clone(), shop.connection.clone());
            tokio::spawn(async move {
                loop {
                    let Some(post) = posts.lock().map_err(|e| e.to_string())?.pop() else { return Ok(()) };
                    one(&app, &connection, post, verify).await?;
                    done.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for task in tasks {
        let ended: Result<(), String> = task.await?;
        ended?;
    }
    Ok(done.load(Ordering::Relaxed))
}

async fn one(
    app: &app::app::App,
    connection: &app::connections::Connection,
    post: RawPost,
    verify: Verify,
) -> Result<(), String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let (stored, hooked) = (post.clone(), connection.clone());
    let actor = Actor::Gateway(connection.id);
    let received =
        app.write(connection.merchant, actor, move |cx| Ok(receive(cx, &hooked, &stored, "127.0.0.1")?));
    let Receipt::New(job) = received.await.map_err(|e| text(&e))? else {
        return Err("came twice".to_owned());
    };
    match verify {
        Verify::OverLoopback => jobs::runner::perform(app, job).await,
        Verify::AtTheSeam => {
            let adapter = gateways::gateway(&connection.gateway).ok_or("no adapter")?;
            let answer = Exchange {
                purpose: gateways::paypal_standard::POSTBACK,
                status: 200,
                body: b"VERIFIED".to_vec(),
            };
            let Judgment::Authentic(statements) =
                adapter.judge(&post, &connection.without_secrets(), &[answer])
            else {
                return Err("not authentic".to_owned());
            };
            let jobs::Work::VerifyNotice { notice, .. } = job.work else {
                return Err("not a notice".to_owned());
            };
            let hooked = connection.clone();
            let applied = app.write(connection.merchant, actor, move |cx| {
                apply(cx, &hooked, notice, &statements, Trust::Verify)?;
                Ok(jobs::store::finish(cx.tx, &job)?)
            });
            applied.await.map_err(|e| text(&e))?;
        }
    }
    Ok(())
}
