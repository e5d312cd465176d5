//! Copies for the buyer's own key: the file itself is served by no exit.

use std::process::Command;

use app::deliverables::Deliverables;
use app::encryption::{Terms, flow};
use app::fulfillment::Grant;
use app::orders::Order;
use app::parts::PartState;
use app::problem::Flow;
use app::products::{FilePolicy, Product};
use axum::body::Body;
use http::{Request, StatusCode};

use crate::support::goods::content;
use crate::support::{NewGood, Reply, TestApp};

testkit::both_engines! {
    the_file_is_handed_out_as_a_copy_that_the_key_opens,
    nothing_is_handed_out_before_there_is_a_key,
    no_exit_serves_the_file_itself,
    a_key_that_is_none_is_told_beside_the_field,
    a_key_can_be_changed_until_the_first_download,
    a_copy_for_a_key_that_was_replaced_meanwhile_is_recorded_nowhere,
    every_unit_of_a_line_gets_its_copy,
    a_newer_version_is_encrypted_too,
    a_link_that_is_over_takes_no_key,
}

/// A pair of keys, as `age-keygen` makes it.
struct Pair {
    folder: tempfile::TempDir,
    public: String,
}

impl Pair {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let key = folder.path().join("key");
        let made = Command::new("age-keygen").arg("-o").arg(&key).output().expect("age is installed");
        assert!(made.status.success());
        let shown = Command::new("age-keygen").arg("-y").arg(&key).output().expect("age is installed");
        let public = String::from_utf8_lossy(&shown.stdout).trim().to_owned();
        Self { folder, public }
    }

    fn open(&self, copy: &[u8]) -> Option<Vec<u8>> {
        let path = self.folder.path().join("copy.age");
        std::fs::write(&path, copy).expect("written");
        let key = self.folder.path().join("key");
        let opened = Command::new("age").arg("-d").arg("-i").arg(key).arg(path).output().expect("age runs");
        opened.status.success().then_some(opened.stdout)
    }
}

fn good() -> NewGood {
    let deliverables = Deliverables { encryption: Some(Terms::default()), ..Deliverables::default() };
    NewGood { deliverables, ..NewGood::of("SURVEY") }
}

fn bought(t: &TestApp) -> (Product, Order) {
    let product = t.product(good());
    let order = t.bought("one", &product);
    (product, order)
}

fn give(t: &TestApp, grant: &Grant, key: &str) -> Flow<()> {
    let (token, key) = (t.link(grant), key.to_owned());
    t.write(move |cx| flow::give_key(cx, &token, &key))
}

/// What the button of the page's first file brings.
fn fetched(t: &TestApp, grant: &Grant) -> Reply {
    let file = t.files(grant).remove(0).version;
    let start =
        Request::post(format!("/d/{}/files/{file}", t.link(grant))).body(Body::empty()).expect("a request");
    let started = t.request(start);
    assert_eq!(started.status, StatusCode::SEE_OTHER, "{}", started.text());
    let reply = t.get(started.location());
    t.watch_transfers();
    reply
}

fn the_file_is_handed_out_as_a_copy_that_the_key_opens(t: TestApp) {
    let (_, order) = bought(&t);
    let (pair, landing) = (Pair::new(), t.landing_of(&order));
    let visitor = t.visitor();
    visitor.get(&landing);

    let given = visitor.post(&format!("{landing}/key"), &[("public_key", &pair.public)]);
    t.run_jobs();

    assert_eq!(given.location(), landing, "{}", given.text());
    let page = t.get(&landing).text();
    assert!(page.contains("survey.zip.age"), "{page}");
    let copy = fetched(&t, &t.grant(&order));
    assert!(copy.header("content-disposition").contains("survey.zip.age"));
    assert_eq!(pair.open(&copy.body), Some(content("SURVEY", 1_000)));
}

fn nothing_is_handed_out_before_there_is_a_key(t: TestApp) {
    let (_, order) = bought(&t);

    let page = t.get(&t.landing_of(&order)).text();

    assert!(t.files(&t.grant(&order)).is_empty() && page.contains("public_key"), "{page}");
    assert!(t.parts_of(&order).is_empty());
}

fn no_exit_serves_the_file_itself(t: TestApp) {
    let (_, order) = bought(&t);
    let grant = t.grant(&order);
    let plain = t.read(|snapshot| {
        let first =
            db::sql("SELECT id FROM file_versions WHERE product_file_id IS NOT NULL ORDER BY id LIMIT 1");
        Ok(first.one(snapshot, |row| row.get::<String>("id"))?)
    });
    let link = t.link(&grant);
    let post = |path: &str| t.request(Request::post(path).body(Body::empty()).expect("a request")).status;
    let tried = |t: &TestApp| {
        let _ = t;
        [post(&format!("/d/{link}/files/{plain}")), post(&format!("/d/{link}/resume/{plain}"))]
    };
    let before = tried(&t);
    let whole = post(&format!("/d/{link}/archive"));
    give(&t, &grant, &Pair::new().public).expect("a key is given");
    t.run_jobs();

    let after = tried(&t);

    assert!(
        [before, after].iter().flatten().all(|status| *status != StatusCode::SEE_OTHER),
        "{before:?} {after:?}"
    );
    assert_ne!(whole, StatusCode::SEE_OTHER);
    assert!(t.downloads(&grant).is_empty());
}

fn a_key_that_is_none_is_told_beside_the_field(t: TestApp) {
    let (_, order) = bought(&t);
    let landing = t.landing_of(&order);
    let visitor = t.visitor();
    visitor.get(&landing);

    let secret = visitor.post(&format!("{landing}/key"), &[("public_key", "AGE-SECRET-KEY-1QQQ")]);

    assert_eq!(secret.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(secret.text().contains("This is a private key"), "{}", secret.text());
    assert!(!secret.text().contains("AGE-SECRET-KEY-1QQQ"), "a secret is not shown again");
    assert_eq!(t.count("SELECT count(*) AS n FROM buyer_keys"), 0);
}

fn a_key_can_be_changed_until_the_first_download(t: TestApp) {
    let (_, order) = bought(&t);
    let (grant, first, second) = (t.grant(&order), Pair::new(), Pair::new());
    give(&t, &grant, &first.public).expect("a key");
    t.run_jobs();
    give(&t, &grant, &second.public).expect("another key");
    t.run_jobs();

    let copy = fetched(&t, &grant).body;

    assert_eq!((first.open(&copy), second.open(&copy)), (None, Some(content("SURVEY", 1_000))));
    let late = give(&t, &grant, &first.public).expect_err("too late").into_problem();
    assert!(late.detail.contains("cannot be changed any more"), "{late}");
    give(&t, &grant, &second.public).expect("the same key changes nothing");
    assert_eq!(t.files(&grant).len(), 1);
    t.run_jobs();
}

fn a_copy_for_a_key_that_was_replaced_meanwhile_is_recorded_nowhere(t: TestApp) {
    let (_, order) = bought(&t);
    let (grant, first, second) = (t.grant(&order), Pair::new(), Pair::new());
    give(&t, &grant, &first.public).expect("a key");
    let begun = t.claim_jobs();
    give(&t, &grant, &second.public).expect("another key");
    begun.into_iter().for_each(|job| t.perform(job));
    assert!(t.files(&grant).is_empty(), "the copy for the first key is nobody's");

    t.run_jobs();

    assert_eq!(second.open(&fetched(&t, &grant).body), Some(content("SURVEY", 1_000)));
    assert_eq!(t.parts_of(&order).len(), 1);
}

fn every_unit_of_a_line_gets_its_copy(t: TestApp) {
    let product = t.product(good());
    let order = t.order(&[(&product, 2)]);
    t.pay(&order);
    let (pair, grants) = (Pair::new(), t.grants(&order));
    give(&t, &grants[0], &pair.public).expect("a key");

    t.run_jobs();

    let copies: Vec<_> = grants.iter().map(|grant| fetched(&t, grant).body).collect();
    assert!(copies.iter().all(|copy| pair.open(copy) == Some(content("SURVEY", 1_000))));
    assert_ne!(copies[0], copies[1], "no two copies are alike");
}

fn a_newer_version_is_encrypted_too(t: TestApp) {
    let product = t.product(NewGood { file_policy: FilePolicy::Latest, ..good() });
    let order = t.bought("one", &product);
    let (grant, pair) = (t.grant(&order), Pair::new());
    give(&t, &grant, &pair.public).expect("a key");
    t.run_jobs();
    let newer = t.store("survey.zip", b"second edition");
    let (merchant, id) = (product.merchant, product.id);
    t.write(move |cx| {
        let product = app::products::store::by_id(cx.tx, merchant, id)?.expect("a product");
        app::products::change::put_file(cx, &product, &newer)
    })
    .expect("a new version");
    assert!(t.files(&grant).is_empty(), "neither the old copy nor the new file itself");

    give(&t, &grant, &pair.public).expect("the same key once more");
    t.run_jobs();

    assert_eq!(pair.open(&fetched(&t, &grant).body), Some(b"second edition".to_vec()));
    assert_eq!(t.parts_of(&order)[0].state, PartState::Done);
}

fn a_link_that_is_over_takes_no_key(t: TestApp) {
    let (_, order) = bought(&t);
    let grant = t.grant(&order);
    t.advance(kernel::Span::days(4));

    let late = give(&t, &grant, &Pair::new().public).expect_err("over").into_problem();

    assert_eq!(late.code, app::problem::Code::Expired);
}
