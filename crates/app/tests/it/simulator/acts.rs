//! What can happen.

use app::cx::Actor;
use app::cx::Cx;
use app::notices::NoticeState;
use app::notices::desk_flow::{self, Again};
use app::notices::flow::{self, Receipt};
use app::orders::{Order, flow as orders};
use app::problem::{Failure, Flow};
use app::reviews;
use gateways::RawPost;
use kernel::{Money, Span};
use mail::SendError;
use paysim::Postback;
use paysim::ipn::{Body, Item, Means, Movement, txn_id};

use super::world::{Told, World};
use crate::support::goods::eur;

type Act = fn(&mut World<'_>);

/// What happens, as often as it stands here.
const ACTS: [Act; 28] = [
    place_order,
    place_order,
    pay_by_button,
    paypal_goes_on,
    paypal_goes_on,
    paypal_goes_on,
    paypal_goes_on,
    paypal_goes_on,
    deliver,
    deliver,
    deliver,
    deliver,
    deliver,
    deliver_and_die,
    deliver_and_die,
    forge,
    work,
    work,
    work,
    wake,
    wake,
    mail_trouble,
    paypal_trouble,
    time_passes,
    time_passes,
    staff_act,
    staff_decide,
    download,
];

impl World<'_> {
    pub fn step(&mut self) {
        let act = ACTS[self.dice.below(ACTS.len())];
        act(self);
    }

    /// A flow that may say no, and must not break.
    fn try_write(&mut self, what: &str, work: impl FnMut(&mut Cx<'_, '_>) -> Flow<()> + Send + 'static) {
        let answer = match self.t.write(work) {
            Ok(()) => "done".to_owned(),
            Err(Failure::Problem(problem)) => problem.detail,
            Err(Failure::Db(error)) => panic!("{what}: {error}"),
        };
        self.note(format!("{what}: {answer}"));
    }

    fn any_order(&self) -> Option<Order> {
        self.dice.pick(&self.t.orders()).cloned()
    }
}

fn place_order(world: &mut World<'_>) {
    let first = world.dice.below(3);
    let quantity = |world: &World<'_>| if world.dice.happens(7) { 1 } else { 3 };
    let mut items = vec![(&world.products[first], quantity(world))];
    if world.dice.happens(3) {
        items.push((&world.products[(first + 1) % 3], quantity(world)));
    }
    let order = world.t.order(&items);
    let mut sale = world.t.sale_of(&order);
    let enough = world.dice.happens(9);
    if !enough {
        sale.items[0].unit = Money::new(sale.items[0].unit.minor - 1, sale.items[0].unit.currency);
    }
    world.note(format!("placed {} for {}, enough: {enough}", order.id, order.due()));
    world.told.push(Told::new(sale, Some(order), enough));
}

fn pay_by_button(world: &mut World<'_>) {
    let seed = format!("buyer{}", world.told.len());
    let (sku, price) = if world.dice.happens(5) { ("MAP", eur(5_00)) } else { ("FONT", eur(49_00)) };
    let sale = world.t.button_sale(&seed, vec![Item::one(sku, price)]);
    world.note(format!("button {sku} by {seed}"));
    world.told.push(Told::new(sale, None, true));
}

/// One payment moves on at PayPal, as payments do there, and a notice of that is sent.
fn paypal_goes_on(world: &mut World<'_>) {
    if world.told.is_empty() {
        return;
    }
    let index = world.dice.below(world.told.len());
    let mut told = world.told[index].clone();
    let body = if told.completed { moved(world, &mut told) } else { paid(world, &mut told) };
    if let Some((what, body)) = body {
        world.note(format!("PayPal says {what} of {}", told.sale.txn_id));
        world.send(&body);
        world.told[index] = told;
    }
}

fn paid(world: &World<'_>, told: &mut Told) -> Option<(&'static str, Body)> {
    if told.failed {
        return None;
    }
    let means = if told.pending { Means::Echeck } else { Means::Instant };
    Some(match world.dice.below(10) {
        0..3 if !told.pending => {
            told.pending = true;
            ("Pending", Body::pending(&told.sale, Means::Echeck, "echeck"))
        }
        3 => {
            told.failed = true;
            ("Failed", Body::with_status(&told.sale, means, "Failed"))
        }
        _ => {
            told.completed = true;
            ("Completed", Body::completed(&told.sale, means))
        }
    })
}

fn moved(world: &World<'_>, told: &mut Told) -> Option<(&'static str, Body)> {
    told.movements += 1;
    let left = told.sale.total().minor - told.refunded;
    let movement = |minor: i64| Movement {
        txn_id: txn_id(&format!("{} {}", told.sale.txn_id, told.movements)),
        amount: Money::new(minor, told.sale.tax.currency),
        reason: "simulated".to_owned(),
        at: world.t.now(),
    };
    let said = match (told.reversed, world.dice.below(10)) {
        (true, _) => {
            told.reversed = false;
            ("Canceled_Reversal", Body::canceled_reversal(&told.sale, &movement(left)))
        }
        (false, 0..3) if left > 1 => {
            let part = left / 2;
            let said = ("Refunded in part", Body::refunded(&told.sale, &movement(part)));
            told.refunded += part;
            said
        }
        (false, 3) if left > 0 => {
            told.refunded += left;
            ("Refunded", Body::refunded(&told.sale, &movement(left)))
        }
        (false, 4..6) if left > 0 => {
            told.reversed = true;
            ("Reversed", Body::reversed(&told.sale, &movement(left)))
        }
        (false, 6) => {
            let case = format!("PP-{}-{}", told.sale.txn_id, told.movements);
            ("new_case", Body::new_case(&told.sale, &case, "dispute", world.t.now()))
        }
        (false, _) => return None,
    };
    Some(said)
}

/// Takes something that is on its way, or a copy of it.
fn arriving(world: &mut World<'_>) -> Option<Vec<u8>> {
    if world.in_flight.is_empty() {
        return None;
    }
    let index = world.dice.below(world.in_flight.len());
    let stays = world.dice.happens(3);
    Some(if stays { world.in_flight[index].clone() } else { world.in_flight.swap_remove(index) })
}

fn deliver(world: &mut World<'_>) {
    let Some(bytes) = arriving(world) else { return };
    let reply = world.t.post_notice(bytes);
    world.t.finish_handed_over();
    world.note(format!("delivered: {}", reply.status));
}

/// The process stores a notice and sleeps before it goes on with it, perhaps for good.
fn deliver_and_die(world: &mut World<'_>) {
    let Some(bytes) = arriving(world) else { return };
    let (t, shop) = (world.t, world.t.shop.clone());
    let key = t.transport_key(&shop, &bytes);
    let post = RawPost {
        method: "POST".to_owned(),
        target: format!("/hooks/{}", shop.connection.id),
        headers: Vec::new(),
        body: bytes,
        received_at: t.now(),
    };
    let connection = shop.connection.clone();
    t.tick();
    let actor = Actor::Gateway(connection.id);
    let stored = t.app.write_blocking(shop.merchant.id, actor, move |cx| {
        Ok(flow::receive(cx, &connection, &post, "192.0.2.1")?)
    });
    let stored = stored.expect("a notice is stored");
    t.note_acknowledged(&shop, key);
    world.note("delivered, and slept");
    if let Receipt::New(job) = stored {
        world.asleep.push(job);
    }
}

fn forge(world: &mut World<'_>) {
    let Some(told) = world.dice.pick(&world.told) else { return };
    let (sale, way) = (told.sale.clone(), world.dice.below(3));
    let number = world.history().len().to_string();
    let body = match way {
        0 => Body::completed(&sale, Means::Instant),
        1 => Body::with_status(&sale, Means::Instant, "Failed"),
        _ => Body::refunded(&sale, &world.t.movement(&number, sale.total())),
    };
    world.t.post_notice(body.set("memo", &number).encode());
    world.t.finish_handed_over();
    world.note("forged");
}

/// Some workers take jobs; some of them finish, the others fall asleep.
fn work(world: &mut World<'_>) {
    let mut claimed = world.t.claim_jobs();
    let count = claimed.len();
    while !claimed.is_empty() {
        let job = claimed.swap_remove(world.dice.below(claimed.len()));
        if world.dice.happens(8) {
            world.t.perform(job);
        } else {
            world.asleep.push(job);
        }
    }
    world.t.keep_house();
    world.note(format!("worked on {count}, {} asleep", world.asleep.len()));
}

/// A worker that slept, for a moment or past its lease, goes on with what it has in hand.
fn wake(world: &mut World<'_>) {
    if world.asleep.is_empty() {
        return;
    }
    let job = world.asleep.swap_remove(world.dice.below(world.asleep.len()));
    world.note(format!("woke with {} {}", job.work.kind(), job.id));
    world.t.perform(job);
}

fn mail_trouble(world: &mut World<'_>) {
    let lost = world.dice.happens(4);
    world.answers_lost += usize::from(lost);
    world.t.mailer.fail_next(if lost {
        SendError::Unknown { why: "simulated".to_owned() }
    } else {
        SendError::Retry { why: "simulated".to_owned() }
    });
    world.note(format!("the next mail fails, after it was taken: {lost}"));
}

fn paypal_trouble(world: &mut World<'_>) {
    let ways =
        [Postback::Honest, Postback::Honest, Postback::Unavailable, Postback::Garbage, Postback::Empty];
    let way = *world.dice.pick(&ways).expect("there are some");
    world.t.paypal.set_postback(way);
    world.note(format!("PayPal answers {way:?}"));
}

fn time_passes(world: &mut World<'_>) {
    let spans = [Span::seconds(3), Span::minutes(2), Span::minutes(2), Span::hours(2), Span::days(1)];
    let span = *world.dice.pick(&spans).expect("there are some");
    world.t.advance(span);
    world.note("time passed");
}

fn staff_act(world: &mut World<'_>) {
    let Some(order) = world.any_order() else { return };
    let (merchant, id) = (order.merchant, order.id);
    let lines = world.t.read(move |snapshot| Ok(app::orders::store::lines(snapshot, merchant, id)?));
    let line = lines[world.dice.below(lines.len())].id;
    match world.dice.below(6) {
        0 => world.try_write("resend", move |cx| orders::resend(cx, id)),
        1 => world.try_write("extend", move |cx| orders::extend(cx, id, 30)),
        2 => world.try_write("reissue", move |cx| orders::reissue(cx, id)),
        3 => world.try_write("regenerate", move |cx| orders::regenerate(cx, id)),
        4 => world.try_write("revoke", move |cx| orders::revoke_line(cx, id, line, "simulated")),
        _ => world.try_write("reinstate", move |cx| orders::reinstate_line(cx, id, line, "simulated")),
    }
}

fn staff_decide(world: &mut World<'_>) {
    let mut notices = world.t.notices();
    notices.retain(|notice| notice.state == NoticeState::Quarantined);
    if let Some(notice) = world.dice.pick(&notices) {
        let (id, accepted) = (notice.id, world.dice.happens(5));
        if accepted {
            world.try_write("accept", move |cx| desk_flow::again(cx, id, Again::Accept));
        } else {
            world.try_write("refuse", move |cx| desk_flow::refuse(cx, id, "simulated"));
        }
        return;
    }
    let merchant = world.t.shop.merchant.id;
    let open = world.t.read(move |snapshot| Ok(reviews::store::open(snapshot, merchant, 100)?));
    if let Some(review) = world.dice.pick(&open) {
        let id = review.id;
        world.try_write("resolve", move |cx| reviews::flow::resolve(cx, id, "simulated").map(drop));
    }
}

/// A buyer follows a link, whatever has become of it, and fetches a part.
fn download(world: &mut World<'_>) {
    let Some(order) = world.any_order() else { return };
    let grants = world.t.grants(&order);
    let Some(grant) = world.dice.pick(&grants) else { return };
    let file = world.t.files(grant)[0].version;
    let path = format!("/d/{}/files/{file}", world.t.link(grant));
    let started =
        world.t.request(http::Request::post(path).body(axum::body::Body::empty()).expect("a request"));
    if started.status == http::StatusCode::SEE_OTHER {
        let part = if world.dice.happens(5) { "bytes=0-49" } else { "bytes=0-" };
        let request = http::Request::get(started.location()).header("range", part);
        world.t.request(request.body(axum::body::Body::empty()).expect("a request"));
        world.t.watch_transfers();
    }
    world.note(format!("download: {}", started.status));
}
