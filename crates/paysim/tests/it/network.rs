//! Notices reach a shop, and questions are answered.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Clock, ManualClock, Span};
use paysim::ipn::Buyer;
use paysim::{
    Answer, Choice, Delivery, Faults, NoticeState, Options, Patience, PaySim, PaySimHandle, Postback,
    Sequence,
};
use tokio::net::TcpListener;

use crate::shop::{Shop, ask, body_of};
use crate::{button, start};

const FORM: &str = "user-agent: shop/1.0\r\ncontent-type: application/x-www-form-urlencoded\r\n";

async fn sim(delivery: Delivery) -> (PaySimHandle, ManualClock) {
    let clock = ManualClock::at(start());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let options = Options { clock: Arc::new(clock.clone()), delivery, ..Options::default() };
    (PaySim::start(listener, options).expect("it starts"), clock)
}

async fn by_hand() -> (PaySimHandle, ManualClock) {
    sim(Delivery::ByHand).await
}

async fn question(sim: &PaySimHandle, body: &[u8]) -> String {
    let echo = [b"cmd=_notify-validate&".as_slice(), body].concat();
    let response = ask(sim, "POST /cgi-bin/webscr", FORM, &echo).await;
    body_of(&response).to_owned()
}

fn pay(sim: &PaySimHandle, notify_url: &str, choice: Choice) -> paysim::PaymentHandle {
    sim.pay(&button("o1", notify_url), choice, Buyer::default()).expect("the button can be paid")
}

#[tokio::test]
async fn only_the_very_bytes_are_verified() {
    let (sim, _) = by_hand().await;
    pay(&sim, "http://127.0.0.1:9/", Choice::Now);
    let body = sim.bodies().remove(0);
    let mut changed = body.clone();
    changed[9] ^= 1;
    assert_eq!(question(&sim, &body).await, "VERIFIED");
    assert_eq!(question(&sim, &changed).await, "INVALID");
    assert_eq!(question(&sim, b"payment_status=Completed&txn_id=X").await, "INVALID");
    assert_eq!(question(&sim, b"").await, "INVALID");
    assert_eq!(sim.postbacks(), 4);
}

#[tokio::test]
async fn bytes_can_be_issued_by_hand() {
    let (sim, _) = by_hand().await;
    assert_eq!(question(&sim, b"txn_type=odd&x=%00").await, "INVALID");
    sim.issue(b"txn_type=odd&x=%00");
    assert_eq!(question(&sim, b"txn_type=odd&x=%00").await, "VERIFIED");
}

#[tokio::test]
async fn a_question_without_a_user_agent_is_forbidden() {
    let (sim, _) = by_hand().await;
    let response = ask(&sim, "POST /cgi-bin/webscr", "", b"cmd=_notify-validate&a=b").await;
    assert!(response.starts_with("HTTP/1.1 403"), "{response}");
}

#[tokio::test]
async fn questions_can_be_answered_badly() {
    let (sim, _) = by_hand().await;
    sim.issue(b"a=b");
    sim.set_postback(Postback::Unavailable);
    let response = ask(&sim, "POST /cgi-bin/webscr", FORM, b"cmd=_notify-validate&a=b").await;
    assert!(response.starts_with("HTTP/1.1 503"), "{response}");
    sim.set_postback(Postback::Garbage);
    assert!(question(&sim, b"a=b").await.starts_with("<html>"));
    sim.set_postback(Postback::Silent);
    let silence = tokio::time::timeout(Duration::from_millis(50), question(&sim, b"a=b")).await;
    assert!(silence.is_err());
    sim.set_postback(Postback::Honest);
    assert_eq!(question(&sim, b"a=b").await, "VERIFIED");
}

#[tokio::test]
async fn a_notice_is_posted_as_paypal_posts_it() {
    let (shop, url) = Shop::open(&[]).await;
    let (sim, _) = by_hand().await;
    pay(&sim, &url, Choice::Now);
    let answers = sim.deliver().await;
    assert_eq!(answers, [(1, Answer::Status { status: 200, text: "said!".to_owned() })]);
    let request = shop.received().remove(0);
    assert!(request.starts_with("POST /hook?a=b HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("user-agent: PayPal IPN ( https://www.paypal.com/ipn )\r\n"), "{request}");
    assert!(request.contains("content-type: application/x-www-form-urlencoded\r\n"), "{request}");
    assert_eq!(body_of(&request).as_bytes(), sim.bodies().remove(0));
}

#[tokio::test]
async fn a_shop_that_is_down_is_tried_until_it_answers_200() {
    let (shop, url) = Shop::open(&["503 Unavailable", "500 Oops", "302 Found", "204 No Content"]).await;
    let (sim, clock) = by_hand().await;
    let payment = pay(&sim, &url, Choice::Now);
    for gap in [0, 10, 20, 40, 80] {
        clock.advance(Span::seconds(gap));
        assert_eq!(sim.deliver().await.len(), 1);
        assert!(sim.deliver().await.is_empty());
    }
    let notice = payment.notices().remove(0);
    assert_eq!((notice.state, notice.attempts.len()), (NoticeState::Delivered, 5));
    assert_eq!(shop.bodies().len(), 5);
    assert!(shop.bodies().iter().all(|body| *body == shop.bodies()[0]));
}

#[tokio::test]
async fn nobody_there_is_no_receipt() {
    let (sim, _) = by_hand().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    pay(&sim, &format!("http://{closed}/"), Choice::Now);
    sim.send("https://127.0.0.1/", b"a=b");
    sim.send("http://192.0.2.1/", b"a=b");
    let answers = sim.deliver().await;
    assert_eq!(answers.len(), 3);
    assert!(answers.iter().all(|(_, answer)| matches!(answer, Answer::Unreachable(_))), "{answers:?}");
}

#[tokio::test]
async fn an_echeck_clears_while_the_days_go_by() {
    let (shop, url) = Shop::open(&[]).await;
    let (sim, _) = by_hand().await;
    pay(&sim, &url, Choice::EcheckClears);
    sim.deliver().await;
    sim.advance(3);
    assert!(sim.deliver().await.is_empty());
    sim.advance(1);
    sim.deliver().await;
    let statuses: Vec<bool> =
        shop.bodies().iter().map(|body| body.contains("payment_status=Completed")).collect();
    assert_eq!(statuses, [false, true]);
    assert_eq!(sim.now(), start() + Span::days(4));
}

#[tokio::test]
async fn notices_arrive_twice_held_back_and_turned_round() {
    let (shop, url) = Shop::open(&[]).await;
    let (sim, _) = by_hand().await;
    let faults = Faults { copies: 1, held: true, sequence: Sequence::NewestFirst, ..Faults::default() };
    sim.set_faults(faults.clone());
    pay(&sim, &url, Choice::Now).refund().unwrap();
    assert!(sim.deliver().await.is_empty());
    sim.set_faults(Faults { held: false, ..faults });
    sim.deliver().await;
    let refunds: Vec<bool> = shop.bodies().iter().map(|body| body.contains("Refunded")).collect();
    assert_eq!(refunds, [true, true, false, false]);
}

#[tokio::test]
async fn many_arrive_together() {
    let (shop, url) = Shop::open(&[]).await;
    let (sim, _) = by_hand().await;
    sim.set_faults(Faults { copies: 99, sequence: Sequence::Together, ..Faults::default() });
    pay(&sim, &url, Choice::Now);
    assert_eq!(sim.deliver().await.len(), 100);
    assert_eq!(shop.bodies().len(), 100);
}

#[tokio::test]
async fn by_itself_it_sends_what_is_due() {
    let (shop, url) = Shop::open(&["503 Unavailable"]).await;
    let (sim, _) = sim(Delivery::Automatic).await;
    let payment = pay(&sim, &url, Choice::Now);
    until(|| payment.notices()[0].attempts.len() == 1).await;
    sim.with(|book, now| book.hasten(now));
    until(|| payment.notices()[0].state == NoticeState::Delivered).await;
    assert_eq!(shop.bodies().len(), 2);
}

#[tokio::test]
async fn in_a_demo_it_tries_again_on_real_seconds() {
    let (_shop, url) = Shop::open(&["503 Unavailable"]).await;
    let (sim, clock) = {
        let clock = ManualClock::at(start());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let book = paysim::BookOptions { patience: Patience::Demo, ..paysim::BookOptions::default() };
        let options = Options { book, clock: Arc::new(clock.clone()), ..Options::default() };
        (PaySim::start(listener, options).unwrap(), clock)
    };
    let payment = pay(&sim, &url, Choice::Now);
    until(|| payment.notices()[0].attempts.len() == 1).await;
    assert_eq!(payment.notices()[0].due_at, clock.now() + Span::seconds(2));
}

#[tokio::test]
async fn it_ends_with_its_last_handle() {
    let (sim, _) = by_hand().await;
    let address = sim.address();
    drop(sim);
    until(|| std::net::TcpStream::connect(address).is_err()).await;
}

/// Lets the tasks work until it holds; nextest's time limit ends what never comes true.
async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::task::yield_now().await;
    }
}
