//! Asked to end, under load: what was begun is finished, nothing new is begun, and it ends in time.

use std::io::Write as _;
use std::thread;
use std::time::Duration;

use crate::check::key_of;
use crate::http::{self, Question};
use crate::load::{Purchase, Story};
use crate::random::{joined, shop};
use crate::report::Report;
use crate::trouble::{Tried, trouble};
use crate::wait;
use crate::world::{Build, World};

/// What was begun may take ten seconds; a busy machine gets some more.
const END_WITHIN: Duration = Duration::from_secs(20);
/// New connections are refused this soon.
const CLOSED_WITHIN: Duration = Duration::from_secs(5);
/// What a buyer reads before the end.
const READ_BEFORE: u64 = 1 << 20;

/// Ends the first node while a notice is half sent, a download runs, and others buy.
pub fn run(world: &mut World, report: &mut Report) -> Tried<()> {
    let when = format!("{} ending seed {}", world.topology.name(), world.seed);
    world.recover(Build::Shipped)?;
    world.purchases.push(world.shopper("downloader").buy_this(Story::Paid, 1)?);
    let mut findings = world.settle()?;
    let bought = world.unfetched(Some(1)).ok_or_else(|| trouble("nobody has a link"))?;
    let buyer = world.buyer_of(&bought)?;
    let path = buyer.begin()?;
    let question = Question { method: "GET", path: &path, ..Question::default() };
    let transfer = http::send(buyer.port, &buyer.host, &question)?;
    let peer = transfer.try_clone()?;
    let begun = http::read(transfer, READ_BEFORE)?.body;

    let (body, head) = half_a_notice(world);
    let mut half = http::connect(world.port())?;
    half.write_all(head.as_bytes())?;
    let (first, second) = body.split_at(body.len() / 2);
    half.write_all(first)?;
    let shopper = world.shopper("shopper at the end");
    let shopped = thread::scope(|scope| -> Tried<Vec<Purchase>> {
        let shopping = scope.spawn(move || shop(shopper));
        wait::pass(Duration::from_millis(300));
        let port = world.port();
        world.node(0)?.ask_to_end()?;
        if wait::until(CLOSED_WITHIN, || http::connect(port).is_err().then_some(())).is_none() {
            findings.push("new connections are taken after it was asked to end".to_owned());
        }
        half.write_all(second)?;
        match http::read(half, u64::MAX) {
            Ok(answer) if answer.status == 200 => {}
            Ok(answer) => findings.push(format!("a notice that was begun is answered {}", answer.status)),
            Err(why) => findings.push(format!("a notice that was begun is not answered: {why}")),
        }
        let (ended, time) = wait::measured(|| world.node(0).map(|node| node.wait(END_WITHIN)));
        match ended? {
            Some(status) if status.success() => report.ended += 1,
            Some(status) => findings.push(format!("it ended with {status}")),
            None => findings.push(format!("it has not ended after {time:?}")),
        }
        joined(shopping)
    });
    world.purchases.extend(shopped?);
    drop(peer);
    if !world.stored(&body)? {
        findings.push("lost: a notice that was answered with 200 while it ended".to_owned());
    }
    world.recover(Build::Shipped)?;
    findings.extend(world.settle()?);
    // The download that was cut goes on where it was.
    let fetched = buyer.finish(&path, begun);
    findings.extend(world.compare(&bought, fetched));
    findings.extend(world.check()?);
    report.find(&when, findings);
    Ok(())
}

/// A notice that nobody will confirm, but that is acknowledged like any other.
fn half_a_notice(world: &World) -> (Vec<u8>, String) {
    let body = b"payment_status=Completed&txn_id=HALF&receiver_email=shop%40example.com".to_vec();
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
        world.goods.hook,
        world.host(),
        body.len()
    );
    (body, head)
}

impl World {
    /// Whether the inbox has this notice.
    fn stored(&self, body: &[u8]) -> Tried<bool> {
        let key = key_of(&self.goods.hook, body);
        let db = self.open()?;
        let found = db.read_blocking(|snapshot| {
            db::sql("SELECT id FROM notices WHERE transport_key = $1")
                .bind(key)
                .optional(snapshot, |_| Ok(()))
        })?;
        db.close();
        Ok(found.is_some())
    }
}
