//! The pages as a browser without script uses them.

use kernel::{Currency, Money};
use paysim::{Delivery, NoticeState, Options, PaySim, PaySimHandle, PaymentState, Postback};
use tokio::net::TcpListener;

use crate::button;
use crate::shop::{ask, body_of};

const FORM: &str = "content-type: application/x-www-form-urlencoded\r\nsec-fetch-site: same-origin\r\n";
const SHOP: &str = "http://127.0.0.1:9/hook";

async fn sim() -> PaySimHandle {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    PaySim::start(listener, Options { delivery: Delivery::ByHand, ..Options::default() }).expect("it starts")
}

async fn get(sim: &PaySimHandle, path: &str) -> String {
    ask(sim, &format!("GET {path}"), "", b"").await
}

async fn press(sim: &PaySimHandle, path: &str, body: &str) -> String {
    ask(sim, &format!("POST {path}"), FORM, body.as_bytes()).await
}

fn status(response: &str) -> &str {
    response.split(' ').nth(1).unwrap_or_default()
}

fn location(response: &str) -> &str {
    response.split("location: ").nth(1).and_then(|rest| rest.lines().next()).unwrap_or_default()
}

/// A form in the encoding of browsers; the values here need no more than this.
fn encoded(fields: &[(String, String)]) -> String {
    let escape = |text: &str| {
        text.replace('%', "%25").replace('&', "%26").replace('+', "%2B").replace('<', "%3C").replace(' ', "+")
    };
    fields.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect::<Vec<_>>().join("&")
}

/// A buyer arrives from another site with this form.
async fn arrive(sim: &PaySimHandle, fields: &[(String, String)]) -> String {
    let headers = "content-type: application/x-www-form-urlencoded\r\nsec-fetch-site: cross-site\r\n";
    ask(sim, "POST /cgi-bin/webscr", headers, encoded(fields).as_bytes()).await
}

async fn payment_page(sim: &PaySimHandle) -> String {
    let response = arrive(sim, &button("o1", SHOP)).await;
    assert_eq!(status(&response), "303", "{response}");
    location(&response).to_owned()
}

async fn paid(sim: &PaySimHandle, choice: &str) -> String {
    let page = payment_page(sim).await;
    let response = press(sim, &format!("{page}/pay"), &format!("choice={choice}")).await;
    let txn_id = location(&response).strip_prefix("/paid/").expect("the page after it");
    txn_id.to_owned()
}

fn state(sim: &PaySimHandle) -> PaymentState {
    sim.payments()[0].state
}

#[tokio::test]
async fn a_buyer_sees_what_is_bought_and_from_whom() {
    let sim = sim().await;
    let page = get(&sim, &payment_page(&sim).await).await;
    let expected =
        ["Vector Gold", "49.00 EUR", "seller@example.com", "shop.example/cart", "echeck-bounces", "o1"];
    let page_text = page.replace("&#x2f;", "/");
    assert!(expected.iter().all(|text| page_text.contains(text)), "{page}");
    assert!(page.contains("content-security-policy: default-src 'none'"), "{page}");
    assert!(!page.contains("<script"), "{page}");
}

#[tokio::test]
async fn a_link_opens_a_payment_too() {
    let sim = sim().await;
    let path = format!("/cgi-bin/webscr?{}", encoded(&button("o1", SHOP)));
    assert!(location(&get(&sim, &path).await).starts_with("/checkout/"));
}

#[tokio::test]
async fn what_the_buyer_chooses_happens() {
    let sim = sim().await;
    let page = payment_page(&sim).await;
    let form = "choice=echeck-clears&email=ada%40example.org&first_name=Ada&last_name=L%C3%B8vel&country=gb";
    let response = press(&sim, &format!("{page}/pay"), form).await;
    let after = get(&sim, location(&response)).await;
    assert!(after.contains("Payment pending"), "{after}");
    assert!(after.replace("&#x2f;", "/").contains("https://shop.example/thanks"), "{after}");
    let payment = sim.payments().remove(0);
    assert_eq!(payment.state, PaymentState::Pending);
    assert_eq!((payment.sale.buyer.last_name.as_str(), payment.sale.buyer.country.as_str()), ("Løvel", "GB"));
    assert_eq!(status(&press(&sim, &format!("{page}/pay"), "choice=now").await), "409");
    assert_eq!(status(&get(&sim, &page).await), "410");
}

#[tokio::test]
async fn who_is_refused_goes_back_to_the_cart() {
    let sim = sim().await;
    let txn_id = paid(&sim, "denied").await;
    let after = get(&sim, &format!("/paid/{txn_id}")).await.replace("&#x2f;", "/");
    assert!(after.contains("Payment denied") && after.contains("https://shop.example/cart"), "{after}");
}

#[tokio::test]
async fn a_shop_can_have_its_buyer_back_by_form() {
    let sim = sim().await;
    let mut fields = button("o1", SHOP);
    fields.retain(|(name, _)| name != "rm");
    fields.push(("rm".to_owned(), "2".to_owned()));
    let page = location(&arrive(&sim, &fields).await).to_owned();
    let done = press(&sim, &format!("{page}/pay"), "choice=now").await;
    let after = get(&sim, location(&done)).await;
    assert!(after.contains("name=\"payment_status\" value=\"Completed\""), "{after}");
    assert!(!after.contains("form-action"), "{after}");
}

#[tokio::test]
async fn what_a_shop_sends_is_shown_and_never_run() {
    let sim = sim().await;
    let mut fields = button("<script>alert(1)</script>", SHOP);
    fields.push(("item_name".to_owned(), "<img src=x onerror=alert(1)>".to_owned()));
    let page = location(&arrive(&sim, &fields).await).to_owned();
    let shown = get(&sim, &page).await;
    press(&sim, &format!("{page}/pay"), "choice=now").await;
    let control = get(&sim, "/").await;
    assert!(
        [&shown, &control].iter().all(|page| !page.contains("<script") && !page.contains("<img")),
        "{shown}{control}"
    );
}

#[tokio::test]
async fn a_form_that_cannot_be_paid_says_why() {
    let sim = sim().await;
    let mut fields = button("o1", SHOP);
    fields.push(("amount".to_owned(), "-1".to_owned()));
    let response = arrive(&sim, &fields).await;
    assert_eq!(status(&response), "400");
    assert!(response.contains("amount"), "{response}");
    let page = payment_page(&sim).await;
    assert_eq!(status(&press(&sim, &format!("{page}/pay"), "choice=nothing").await), "400");
    assert_eq!(status(&press(&sim, &format!("{page}/pay"), "choice=now&email=nobody").await), "400");
    assert_eq!(status(&press(&sim, &format!("{page}/pay"), "choice=now&country=DEU").await), "400");
}

#[tokio::test]
async fn the_control_page_moves_the_days() {
    let sim = sim().await;
    paid(&sim, "echeck-clears").await;
    assert!(get(&sim, "/").await.contains("clears"));
    assert_eq!(status(&press(&sim, "/clock", "days=4").await), "303");
    assert_eq!(state(&sim), PaymentState::Completed);
    assert_eq!(status(&press(&sim, "/clock", "days=0").await), "400");
    assert_eq!(status(&press(&sim, "/clock", "days=99999999999").await), "400");
}

#[tokio::test]
async fn the_control_page_moves_the_money() {
    let sim = sim().await;
    let txn_id = paid(&sim, "now").await;
    press(&sim, &format!("/payments/{txn_id}/refund"), "amount=9.00").await;
    assert_eq!(sim.payments()[0].refunded, Money::new(900, Currency::EUR));
    assert_eq!(status(&press(&sim, &format!("/payments/{txn_id}/refund"), "amount=1e3").await), "400");
    assert_eq!(status(&press(&sim, &format!("/payments/{txn_id}/refund"), "amount=41").await), "409");
    press(&sim, &format!("/payments/{txn_id}/reverse"), "").await;
    assert_eq!(state(&sim), PaymentState::Reversed);
    assert!(get(&sim, "/").await.contains("Cancel the reversal"));
    press(&sim, &format!("/payments/{txn_id}/cancel-reversal"), "").await;
    press(&sim, &format!("/payments/{txn_id}/case"), "").await;
    assert!(sim.payments()[0].case_id.is_some());
    press(&sim, &format!("/payments/{txn_id}/refund"), "").await;
    assert_eq!(state(&sim), PaymentState::Refunded);
    assert_eq!(sim.notices().len(), 6);
}

#[tokio::test]
async fn the_control_page_moves_the_notices() {
    let sim = sim().await;
    press(&sim, "/notices/hold", "").await;
    paid(&sim, "now").await;
    assert!(get(&sim, "/").await.contains("held back"));
    assert!(sim.deliver().await.is_empty());
    press(&sim, "/notices/release", "sequence=newest").await;
    press(&sim, "/notices/1/resend", "").await;
    press(&sim, "/notices/1/twice", "").await;
    let order: Vec<u64> = sim.deliver().await.into_iter().map(|(number, _)| number).collect();
    assert_eq!(order, [4, 3, 2, 1]);
    assert!(get(&sim, "/").await.contains("not received yet"));
    press(&sim, "/notices/now", "").await;
    assert_eq!(sim.deliver().await.len(), 4);
    press(&sim, "/notices/again", "").await;
    assert_eq!(sim.notices().len(), 6);
    assert_eq!(status(&press(&sim, "/notices/99/resend", "").await), "409");
    assert_eq!(status(&press(&sim, "/notices/1/burn", "").await), "400");
}

#[tokio::test]
async fn the_control_page_lets_things_go_wrong() {
    let sim = sim().await;
    press(&sim, "/faults", "copies=2&lose=1").await;
    paid(&sim, "now").await;
    assert!(sim.notices().iter().all(|notice| notice.state == NoticeState::Lost));
    assert_eq!(sim.notices().len(), 3);
    assert_eq!(status(&press(&sim, "/faults", "copies=9999999&lose=0").await), "400");
    press(&sim, "/postback", "postback=unavailable").await;
    assert_eq!(sim.with(|book, _| book.postback), Postback::Unavailable);
}

#[tokio::test]
async fn a_page_elsewhere_cannot_press_the_buttons() {
    let sim = sim().await;
    let txn_id = paid(&sim, "now").await;
    let headers = "sec-fetch-site: cross-site\r\n";
    let response = ask(&sim, &format!("POST /payments/{txn_id}/refund"), headers, b"").await;
    assert_eq!((status(&response), state(&sim)), ("403", PaymentState::Completed));
}

#[tokio::test]
async fn it_refreshes_by_itself_only_when_asked_and_stays_so() {
    let sim = sim().await;
    assert!(!get(&sim, "/").await.contains("http-equiv"));
    assert!(get(&sim, "/?watch=yes").await.contains("http-equiv"));
    let headers = format!("{FORM}referer: {}/?watch=yes\r\n", sim.url());
    assert_eq!(location(&ask(&sim, "POST /notices/now", &headers, b"").await), "/?watch=yes");
    assert!(!body_of(&get(&sim, "/paysim.css").await).is_empty());
}
