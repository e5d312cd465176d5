//! Files that a bucket or a proxy delivers: what is charged, what is signed, and what still goes through us.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use app::app::Settings;
use app::downloads::store::places;
use app::fulfillment::Grant;
use app::storage::network::StoreNetwork;
use app::storage::{HandOff, Way};
use axum::body::Body;
use db::{Engine, sql};
use http::{Method, Request, StatusCode};
use kernel::{Clock as _, Secret, Span, SystemClock};
use net::outbound::{Client, OutboundPolicy, Roots};
use net::serve::{Peer, Scheme, TrustedProxies};
use paysim::ipn::{Body as Ipn, Sale};
use stores::{
    BlobStore, Checksums, HttpAnswer, HttpCall, Mirror, Mirrors, Network, Preference, S3Config, S3Store,
    UrlStyle,
};

use crate::process::{KEY_ID, Process, SECRET};
use crate::support::goods::{content, eur};
use crate::support::{NewGood, Reply, Room, TestApp};

testkit::both_engines! {
    a_file_is_sent_on_to_the_bucket_and_charged_the_first_time,
    the_stable_address_signs_again_and_costs_nothing_more,
    what_was_revoked_is_sent_on_no_more,
    a_download_that_was_sent_on_counts_against_the_limit,
    archives_and_looks_go_through_us,
    a_file_that_no_bucket_has_goes_through_us,
    after_a_hundred_times_the_rest_goes_through_us_and_is_counted,
    a_shop_that_did_not_choose_it_sends_nothing_on,
    the_page_tells_what_revoking_cannot_reach,
    the_landing_page_lets_its_forms_end_at_the_bucket,
}

mod proxied {
    use super::*;

    testkit::both_engines! {
        a_file_is_left_to_the_proxy_by_its_name_and_charged,
        whoever_does_not_come_through_the_proxy_is_served_by_us,
        a_file_that_the_proxy_cannot_have_goes_through_us,
    }
}

/// A shop whose goods lie in a bucket and, where the test puts them there, at home.
struct World {
    t: TestApp,
    bucket: Arc<S3Store>,
    network: Arc<StoreNetwork>,
    server: Process,
}

impl testkit::ForEngine for World {
    fn for_engine(engine: Engine) -> Self {
        let server = Process::start();
        let allow =
            vec![format!("{}/32:{}", server.address.ip(), server.address.port()).parse().expect("a port")];
        let client = Client::new(OutboundPolicy { allow }, &Roots::default()).expect("a client");
        let network = Arc::new(StoreNetwork::new(client).expect("a thread"));
        let mut bucket = None;
        let t = TestApp::with_stores(engine, |room, _| {
            let opened = Arc::new(open_bucket(room, &server, network.clone()));
            bucket = Some(opened.clone());
            let member = |name: &str, store: Arc<dyn BlobStore>| Mirror {
                name: name.to_owned(),
                place: String::new(),
                store,
                weight: 1,
            };
            let members = vec![member("home", room.disk.clone()), member("bucket", opened)];
            Mirrors::new(members, Preference::InOrder, room.clock.clone()).expect("two names")
        });
        Self { t, bucket: bucket.expect("it was opened"), network, server }
    }
}

fn open_bucket(room: &Room, server: &Process, network: Arc<StoreNetwork>) -> S3Store {
    let config = S3Config {
        name: "bucket".to_owned(),
        endpoint: format!("http://{}", server.address),
        region: "us-east-1".to_owned(),
        bucket: "shop".to_owned(),
        style: UrlStyle::Path,
        prefix: String::new(),
        key_id: KEY_ID.to_owned(),
        secret: Secret::new(SECRET.to_owned()),
        checksums: Checksums::Sent,
    };
    // A server looks at the time of a signature, so this clock goes.
    let clock = Arc::new(SystemClock::default());
    S3Store::open(&config, &room.folder.join("cache"), 1 << 30, network, clock, room.entropy.clone())
        .expect("a store")
}

struct Bought {
    grant: Grant,
    sale: Sale,
    landing: String,
}

impl World {
    /// A paid order of files that lie in both stores, at a shop that has them sent on.
    fn bought(&self, names: &[&str]) -> Bought {
        self.choose(Way::Redirect);
        for name in names {
            stores::put(&*self.bucket, &content(name, SIZE)).expect("it is stored");
        }
        bought(&self.t, names)
    }

    fn choose(&self, way: Way) {
        self.t.write(move |cx| app::storage::flow::deliver(cx, way)).expect("it is chosen");
    }

    fn fetch(&self, url: &str) -> HttpAnswer {
        let call = HttpCall {
            method: "GET",
            url: Secret::new(url.to_owned()),
            headers: Vec::new(),
            body: bytes::Bytes::new(),
            deadline: Span::seconds(10),
            body_max: 1 << 20,
        };
        self.network.call(&call).expect("an answer")
    }
}

const SIZE: usize = 30_000;

fn bought(t: &TestApp, names: &[&str]) -> Bought {
    let files = names.iter().map(|name| ((*name).to_owned(), content(name, SIZE))).collect();
    let product = t.product(NewGood { files, ..NewGood::of("FONT") });
    let order = t.order(&[(&product, 1)]);
    let sale = t.pay(&order);
    let grant = t.grant(&order);
    Bought { landing: format!("/d/{}", t.link(&grant)), grant, sale }
}

/// Starts a download and answers the path of its bytes.
fn start(t: &TestApp, bought: &Bought) -> String {
    let version = t.files(&bought.grant)[0].version;
    let path = format!("{}/files/{version}", bought.landing);
    let started = t.request(Request::post(path).body(Body::empty()).expect("a request"));
    assert_eq!(started.status, StatusCode::SEE_OTHER, "{}", started.text());
    started.location().to_owned()
}

/// Places that are open and spent.
fn taken(t: &TestApp, bought: &Bought) -> (u32, u32) {
    let (merchant, grant) = (bought.grant.merchant, bought.grant.id);
    let all = t.read(move |snapshot| Ok(places(snapshot, merchant, grant)?));
    (all[0].open, all[0].spent)
}

fn times(t: &TestApp) -> i64 {
    t.count("SELECT CAST(COALESCE(sum(times), 0) AS BIGINT) AS n FROM hand_overs")
}

fn is_whole(reply: &Reply) -> bool {
    reply.status == StatusCode::OK && reply.body == content("a.bin", SIZE)
}

fn a_file_is_sent_on_to_the_bucket_and_charged_the_first_time(w: World) {
    let bought = w.bought(&["a.bin"]);
    let path = start(&w.t, &bought);
    assert_eq!(taken(&w.t, &bought), (1, 0), "a place is reserved");

    let sent = w.t.get(&path);

    assert_eq!((sent.status, sent.body.len()), (StatusCode::FOUND, 0));
    assert_eq!((taken(&w.t, &bought), times(&w.t)), ((0, 1), 1));
    let url = sent.location();
    assert!(url.starts_with(&format!("http://{}/shop/sha256/", w.server.address)), "{url}");
    assert!(url.contains("X-Amz-Expires=300&"), "{url}");
    assert!(sent.header("cache-control").contains("no-store"), "it is not to be kept");
    assert_eq!(sent.header("referrer-policy"), "no-referrer");
    let answer = w.fetch(url);
    assert!(answer.status == 200 && answer.body == content("a.bin", SIZE), "{}", answer.status);
    assert!(answer.header("content-disposition").is_some_and(|name| name.contains("a.bin")));
    assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
}

fn the_stable_address_signs_again_and_costs_nothing_more(w: World) {
    let bought = w.bought(&["a.bin"]);
    let path = start(&w.t, &bought);
    w.t.get(&path);

    w.t.advance(Span::hours(23));
    let resume = Request::get(&path).header("range", "bytes=100-").body(Body::empty()).expect("a request");
    let again = w.t.request(resume);
    w.t.run_jobs();

    assert_eq!(again.status, StatusCode::FOUND);
    assert_eq!((taken(&w.t, &bought), times(&w.t)), ((0, 1), 2));
    w.t.advance(Span::hours(2));
    assert_eq!(w.t.get(&path).status, StatusCode::GONE, "a session has its time");
}

fn what_was_revoked_is_sent_on_no_more(w: World) {
    let bought = w.bought(&["a.bin"]);
    let (begun, unused) = (start(&w.t, &bought), start(&w.t, &bought));
    assert_eq!(w.t.get(&begun).status, StatusCode::FOUND);

    w.t.deliver_and_run(&Ipn::refunded(&bought.sale, &w.t.movement("all", eur(49_00))));

    for path in [begun, unused] {
        let refused = w.t.get(&path);
        assert_eq!(refused.status, StatusCode::GONE);
        assert_eq!(refused.header("location"), "");
    }
    assert_eq!(times(&w.t), 1);
}

fn a_download_that_was_sent_on_counts_against_the_limit(w: World) {
    let bought = w.bought(&["a.bin"]);
    for _ in 0..bought.grant.download_limit {
        assert_eq!(w.t.get(&start(&w.t, &bought)).status, StatusCode::FOUND);
    }

    let version = w.t.files(&bought.grant)[0].version;
    let path = format!("{}/files/{version}", bought.landing);
    let more = w.t.request(Request::post(path).body(Body::empty()).expect("a request"));

    assert_eq!(more.status, StatusCode::GONE, "{}", more.text());
    assert_eq!(taken(&w.t, &bought), (0, bought.grant.download_limit));
}

fn archives_and_looks_go_through_us(w: World) {
    let bought = w.bought(&["a.bin", "b.bin"]);
    let archive =
        Request::post(format!("{}/archive", bought.landing)).body(Body::empty()).expect("a request");
    let archive = w.t.request(archive).location().to_owned();
    let file = start(&w.t, &bought);

    let packed = w.t.get(&archive);
    let look = Request::builder().method(Method::HEAD).uri(&file).body(Body::empty()).expect("a request");
    let look = w.t.request(look);
    w.t.watch_transfers();

    assert_eq!(packed.status, StatusCode::OK);
    assert!(packed.body.len() > 2 * SIZE);
    assert_eq!((look.status, look.header("content-length")), (StatusCode::OK, "30000"));
    assert_eq!(times(&w.t), 0);
}

fn a_file_that_no_bucket_has_goes_through_us(w: World) {
    w.choose(Way::Redirect);
    let bought = bought(&w.t, &["a.bin"]);

    let got = w.t.get(&start(&w.t, &bought));
    w.t.watch_transfers();

    assert!(is_whole(&got), "{}", got.status);
    assert_eq!((taken(&w.t, &bought), times(&w.t)), ((0, 1), 0));
}

fn after_a_hundred_times_the_rest_goes_through_us_and_is_counted(w: World) {
    let bought = w.bought(&["a.bin"]);
    let path = start(&w.t, &bought);
    w.t.get(&path);
    w.t.write(|cx| Ok(sql("UPDATE hand_overs SET times = 99").change_one(cx.tx)?)).expect("many times");

    assert_eq!(w.t.get(&path).status, StatusCode::FOUND);
    let by_us = [(); 5].map(|()| {
        let got = w.t.get(&path);
        w.t.watch_transfers();
        got.status
    });

    assert_eq!(by_us[..4], [StatusCode::OK; 4]);
    assert_eq!(by_us[4], StatusCode::GONE, "what we deliver has its budget");
    assert_eq!(times(&w.t), 100);
}

fn a_shop_that_did_not_choose_it_sends_nothing_on(w: World) {
    let bought = w.bought(&["a.bin"]);
    let path = start(&w.t, &bought);
    w.choose(Way::ThroughUs);

    let got = w.t.get(&path);
    w.t.watch_transfers();

    assert!(is_whole(&got), "a change holds for what has begun: {}", got.status);
    assert_eq!(times(&w.t), 0);
}

fn the_page_tells_what_revoking_cannot_reach(w: World) {
    let (_, owner) = w.t.owner();
    let page = owner.get("/admin/stores").text();
    assert!(page.contains("for up to 5 minutes") && page.contains("What revoking cannot reach"), "{page}");

    let saved = owner.post("/admin/stores/delivery", &[("way", "redirect")]);
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text());
    let wrong = owner.post("/admin/stores/delivery", &[("way", "by_pigeon")]);

    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let merchant = w.t.shop.merchant.id;
    assert_eq!(w.t.read(move |snapshot| Ok(app::storage::store::way(snapshot, merchant)?)), Way::Redirect);
    assert_eq!(w.t.count("SELECT count(*) AS n FROM events WHERE kind = 'merchant.delivery_changed'"), 1);
    w.t.run_jobs();
}

fn the_landing_page_lets_its_forms_end_at_the_bucket(w: World) {
    let bought = w.bought(&["a.bin"]);
    let policy = |w: &World| w.t.get(&bought.landing).header("content-security-policy").to_owned();

    assert!(
        policy(&w).ends_with(&format!("form-action 'self' http://{}", w.server.address)),
        "{}",
        policy(&w)
    );
    w.choose(Way::ThroughUs);
    assert!(policy(&w).ends_with("form-action 'self'"), "{}", policy(&w));
}

/// A shop behind a proxy that reads the folder of home.
struct Proxied(TestApp);

impl testkit::ForEngine for Proxied {
    fn for_engine(engine: Engine) -> Self {
        Self(TestApp::with_stores(engine, |room, settings: &mut Settings| {
            settings.hand_off = Some(HandOff {
                header: http::HeaderName::from_static("x-accel-redirect"),
                prefix: "/protected/".to_owned(),
                store: "home".to_owned(),
                proxies: TrustedProxies {
                    networks: vec!["127.0.0.0/8".parse().expect("a network")],
                    ..TrustedProxies::default()
                },
            });
            room.home_alone()
        }))
    }
}

fn a_file_is_left_to_the_proxy_by_its_name_and_charged(p: Proxied) {
    let t = p.0;
    let bought = bought(&t, &["a.bin"]);

    let left = t.get(&start(&t, &bought));

    let sha256 = stores::Sha256::of(&content("a.bin", SIZE)).to_string();
    let path = format!("/protected/sha256/{}/{sha256}", &sha256[..2]);
    assert_eq!((left.status, left.header("x-accel-redirect")), (StatusCode::OK, path.as_str()));
    assert!(left.body.is_empty() && left.header("content-disposition").contains("a.bin"));
    assert_eq!(left.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'; sandbox");
    assert_eq!((taken(&t, &bought), times(&t)), ((0, 1), 1));
}

fn whoever_does_not_come_through_the_proxy_is_served_by_us(p: Proxied) {
    let t = p.0;
    let bought = bought(&t, &["a.bin"]);
    let mut request = Request::get(start(&t, &bought)).body(Body::empty()).expect("a request");
    let elsewhere = Ipv4Addr::new(192, 0, 2, 9);
    request.extensions_mut().insert(Peer {
        addr: Ipv4Addr::LOCALHOST.into(),
        socket: SocketAddr::from((elsewhere, 4000)),
        scheme: Scheme::Http,
        host: None,
    });

    let got = t.request(request);
    t.watch_transfers();

    assert!(is_whole(&got), "{}", got.status);
    assert_eq!((got.header("x-accel-redirect"), times(&t)), ("", 0));
}

fn a_file_that_the_proxy_cannot_have_goes_through_us(p: Proxied) {
    let t = p.0;
    t.leaves_violation("I12");
    let bought = bought(&t, &["a.bin"]);
    let path = start(&t, &bought);
    let lost = stores::Sha256::of(&content("a.bin", SIZE));
    t.disk.remove(&lost, SystemClock::default().now() + Span::days(1)).expect("removed");

    let refused = t.get(&path);

    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((taken(&t, &bought), times(&t)), ((1, 0), 0), "nothing is charged");
}
