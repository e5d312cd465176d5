//! The buyer's own address of a stream.

use app::deliverables::Deliverables;
use app::orders::Order;
use app::products::Product;
use app::streams::{Shown, Signing, Terms, desk_flow};
use http::StatusCode;
use kernel::Span;
use paysim::ipn::Body as Ipn;

use super::{good, landing};
use crate::buyer::{attribute, hidden};
use crate::support::TestApp;
use crate::support::goods::eur;

testkit::both_engines! {
    the_address_leads_on_to_the_stream_and_is_counted,
    a_signed_address_can_be_checked_and_runs_out,
    a_player_is_framed_from_its_own_origin_alone,
    a_page_of_words_is_shown,
    an_address_works_as_long_as_the_link,
    a_refunded_stream_is_closed,
    what_opens_nothing_gets_the_page_of_unknown_links,
    a_stream_that_moves_takes_its_buyers_along,
    a_stream_is_set_up_in_the_back_office,
}

const TARGET: &str = "https://tv.example/live/42?lang=en";

fn stream(shown: Shown, signing: Signing) -> Terms {
    let (title, text) = ("Watch live".to_owned(), "Begins at 19:30 <b>sharp</b>.".to_owned());
    Terms { title, shown, url: TARGET.to_owned(), text, signing }.checked().expect("terms")
}

fn selling(t: &TestApp, terms: Terms) -> Product {
    t.product(good("CAST", Deliverables { stream: Some(terms), ..Deliverables::default() }))
}

/// The buyer's own address.
fn address(t: &TestApp, order: &Order) -> String {
    attribute(&landing(t, order), "href=\"/s/", "href").expect("the landing page leads to the stream")
}

fn opened(t: &TestApp, order: &Order) -> u32 {
    let grant = t.grant(order);
    let visits = t.read(move |snapshot| Ok(app::streams::store::visits(snapshot, grant.merchant, grant.id)?));
    visits.map_or(0, |visits| visits.opened)
}

fn the_address_leads_on_to_the_stream_and_is_counted(t: TestApp) {
    let order = t.bought("one", &selling(&t, stream(Shown::Redirect, Signing::Plain)));
    let address = address(&t, &order);

    let led = [t.get(&address), t.get(&address)];

    assert_eq!(
        led.each_ref().map(|reply| (reply.status, reply.location())),
        [(StatusCode::SEE_OTHER, TARGET); 2]
    );
    assert_eq!(led[0].header("referrer-policy"), "no-referrer");
    assert_eq!(opened(&t, &order), 2);
}

fn a_signed_address_can_be_checked_and_runs_out(t: TestApp) {
    let product = selling(&t, stream(Shown::Redirect, Signing::Signed));
    let id = product.id;
    let secret = t.write(move |cx| desk_flow::new_secret(cx, id)).expect("a secret");
    let order = t.bought("one", &product);

    let led = t.get(&address(&t, &order));

    let (rest, signature) = led.location().rsplit_once("&signature=").expect("a signature");
    let covered = rest.strip_prefix("https://tv.example").expect("the stream's server");
    let expires = (t.now() + app::streams::SIGNED_FOR).as_seconds();
    assert!(covered.contains(&format!("&expires={expires}&grant={}", t.grant(&order).id)), "{covered}");
    // As the stream's server would: with the program that every server has.
    let mut openssl = std::process::Command::new("openssl");
    openssl.args(["dgst", "-sha256", "-hmac", secret.expose(), "-r"]);
    openssl.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut running = openssl.spawn().expect("openssl is installed: ./test installs it");
    std::io::Write::write_all(&mut running.stdin.take().expect("its input"), covered.as_bytes())
        .expect("written");
    let said = running.wait_with_output().expect("it ends").stdout;
    assert_eq!(String::from_utf8_lossy(&said).split(' ').next(), Some(signature));
}

fn a_player_is_framed_from_its_own_origin_alone(t: TestApp) {
    let order = t.bought("one", &selling(&t, stream(Shown::Player, Signing::Plain)));

    let page = t.get(&address(&t, &order));

    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(attribute(&page.text(), "<iframe".trim_start_matches('<'), "src").as_deref(), Some(TARGET));
    assert!(page.header("content-security-policy").ends_with("; frame-src https://tv.example"));
}

fn a_page_of_words_is_shown(t: TestApp) {
    let order = t.bought("one", &selling(&t, stream(Shown::Text, Signing::Plain)));

    let page = t.get(&address(&t, &order));

    assert!(page.text().contains("Begins at 19:30 &lt;b&gt;sharp"), "{}", page.text());
    assert!(!page.header("content-security-policy").contains("frame-src"));
}

fn an_address_works_as_long_as_the_link(t: TestApp) {
    let order = t.bought("one", &selling(&t, stream(Shown::Redirect, Signing::Plain)));
    let address = address(&t, &order);
    t.advance(Span::days(4));

    let late = t.get(&address);

    assert_eq!(late.status, StatusCode::GONE);
    assert_eq!(opened(&t, &order), 0);
    let link = hidden(&late, "link");
    assert_eq!(link, t.link(&t.grant(&order)), "the way to a new link is offered");
    let id = order.id;
    t.write(move |cx| app::orders::flow::reissue(cx, id)).expect("reissued");
    assert_eq!(t.get(&address).status, StatusCode::NOT_FOUND, "the old address is dead");
    t.run_jobs();
}

fn a_refunded_stream_is_closed(t: TestApp) {
    let order = t.order(&[(&selling(&t, stream(Shown::Redirect, Signing::Plain)), 1)]);
    let sale = t.pay(&order);
    let address = address(&t, &order);

    t.deliver_and_run(&Ipn::refunded(&sale, &t.movement("back", eur(49_00))));

    let closed = t.get(&address);
    assert_eq!(closed.status, StatusCode::GONE);
    assert!(!closed.text().contains("tv.example"));
    assert_eq!(opened(&t, &order), 0);
}

fn what_opens_nothing_gets_the_page_of_unknown_links(t: TestApp) {
    let order = t.bought("one", &selling(&t, stream(Shown::Redirect, Signing::Plain)));
    let (address, link) = (address(&t, &order), t.link(&t.grant(&order)));
    let visitor = t.visitor();
    visitor.get("/");
    let last = if address.ends_with('A') { 'B' } else { 'A' };
    let wrong = [format!("{}{last}", &address[..address.len() - 1]), format!("/s/{link}"), "/s/x".to_owned()];

    let answers = wrong.map(|path| visitor.get(&path));

    assert!(answers.iter().all(|reply| reply.status == StatusCode::NOT_FOUND));
    assert!(answers.iter().all(|reply| reply.body == visitor.get("/d/x").body));
    assert_eq!(t.get(&address.replace("/s/", "/d/")).status, StatusCode::NOT_FOUND);
}

fn a_stream_that_moves_takes_its_buyers_along(t: TestApp) {
    let product = selling(&t, stream(Shown::Redirect, Signing::Plain));
    let order = t.bought("one", &product);
    let moved = Terms { url: "https://new.example/".to_owned(), ..stream(Shown::Redirect, Signing::Plain) };
    let (id, version) = (product.id, t.version_of(&product));
    t.write(move |cx| desk_flow::change(cx, id, version, Some(&moved))).expect("moved");
    assert_eq!(t.get(&address(&t, &order)).location(), "https://new.example/");

    let version = t.version_of(&product);
    t.write(move |cx| desk_flow::change(cx, id, version, None)).expect("sold no more");

    assert_eq!(t.get(&address(&t, &order)).location(), TARGET);
    t.run_jobs();
}

fn a_stream_is_set_up_in_the_back_office(t: TestApp) {
    let product = t.product(good("CAST", Deliverables::default()));
    let (_, owner) = t.owner();
    let path = format!("/admin/products/{}/stream", product.id);
    let version = hidden(&owner.get(&path), "version");
    let fields = |url| {
        let fields =
            [("version", version.as_str()), ("shown", "redirect"), ("title", "Live"), ("signed", "yes")];
        [fields.as_slice(), &[("url", url)]].concat()
    };

    let wrong = owner.post(&path, &fields("http://tv.example/"));
    let saved = owner.post(&path, &fields(TARGET));

    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text().contains("begins with https://"), "{}", wrong.text());
    let secret = attribute(&saved.text(), "data-copy=", "data-copy").expect("the secret is shown");
    assert_eq!((saved.status, secret.len()), (StatusCode::OK, 64));
    assert!(!owner.get(&path).text().contains(&secret), "and shown once");
    let order = t.bought("one", &product);
    assert!(t.get(&address(&t, &order)).location().contains("&signature="));
}
