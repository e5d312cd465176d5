//! Sending files in pieces from the back office, as the page's script does it.

use axum::body::Body;
use http::StatusCode;
use kernel::Span;
use serde_json::Value;

use super::products::{Pieces, SCRIPT, at, desk, file, posted, token, upload};
use crate::support::goods::{content, eur};
use crate::support::http::Visitor;
use crate::support::{NewGood, Reply, TestApp};

testkit::both_engines! {
    the_script_sends_a_file_in_pieces_and_goes_on_after_a_break,
    a_piece_without_the_forms_token_is_refused,
    a_replacement_is_told_to_buyers_if_staff_want_it,
    the_page_of_a_replacement_says_how_many_can_be_told,
}

fn begin(owner: &Visitor<'_>, product: &app::products::Product, fields: &[(&str, &str)]) -> Value {
    owner.get(&at(product, ""));
    let reply = owner.post(&at(product, "/uploads"), fields);
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    serde_json::from_slice(&reply.body).expect("JSON")
}

fn json(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).expect("JSON")
}

fn the_script_sends_a_file_in_pieces_and_goes_on_after_a_break(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let owner = desk(&t);
    let whole = content("film", 100_000);
    let begun = begin(&owner, &font, &[("name", "film.mkv"), ("size", "100000")]);
    let path = format!("/admin/uploads/{}", begun["id"].as_str().expect("an id"));
    let token = token(&owner, &at(&font, ""));
    let piece = |from: usize, to: usize| {
        let parts = [token.clone(), file("film.mkv", &whole[from..to])];
        upload(&t, &owner, &format!("{path}/from/{from}"), SCRIPT, &parts)
    };

    let first = piece(0, 40_000);
    let body = file("film.mkv", &whole[40_000..]);
    let pieces = [token.clone(), body[..30_000].to_vec(), body[30_000..50_000].to_vec()];
    let body = Body::new(Pieces(pieces.into()));
    let broken = posted(&owner, &format!("{path}/from/40000"), SCRIPT).body(body).expect("a request");
    let broken = t.request(broken);
    let there = json(&owner.get(&path))["received"].as_u64().expect("a number");
    let there = usize::try_from(there).expect("small");
    let wrong = piece(0, 10);
    let rest = piece(there, whole.len());
    let done = owner.post(&format!("{path}/finish"), &[]);

    assert_eq!(json(&first)["received"], 40_000);
    assert_eq!(broken.status, StatusCode::BAD_REQUEST);
    assert!(there > 40_000 && there < 100_000, "{there}");
    assert_eq!((wrong.status, json(&wrong)["code"].as_str()), (StatusCode::CONFLICT, Some("conflict")));
    assert_eq!(json(&rest)["received"], 100_000);
    assert_eq!((done.status, done.location()), (StatusCode::SEE_OTHER, at(&font, "").as_str()));
    let stored = t.app.blobs().open(&stores::Sha256::of(&whole), 100_000).expect("it is stored");
    assert_eq!(stored.all(), whole);
    assert_eq!(t.disk.uploads(), 0);
    t.run_jobs();
}

fn a_piece_without_the_forms_token_is_refused(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let owner = desk(&t);
    let begun = begin(&owner, &font, &[("name", "film.mkv"), ("size", "5")]);
    let path = format!("/admin/uploads/{}/from/0", begun["id"].as_str().expect("an id"));

    let refused = upload(&t, &owner, &path, SCRIPT, &[file("film.mkv", b"12345")]);

    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(t.disk.uploads(), 0);
}

fn a_replacement_is_told_to_buyers_if_staff_want_it(t: TestApp) {
    let font = t.product(NewGood::of("FONT").always_newest());
    let sale = t.button_sale("ada", vec![paysim::ipn::Item::one("FONT", eur(49_00))]);
    t.deliver_and_run(&paysim::ipn::Body::completed(&sale, paysim::ipn::Means::Instant));
    let owner = desk(&t);
    let replace = t.first_file(&font, "replace");
    let told = |t: &TestApp| {
        t.run_jobs();
        let mails = t.mails_to("ada@example.com");
        mails.iter().filter(|mail| mail.subject.contains("A new version")).count()
    };
    let form = |tell: &[u8], bytes: &[u8]| {
        let tell = super::products::part("name=\"tell\"", tell);
        upload(&t, &owner, &replace, "text/html", &[token(&owner, &replace), tell, file("font.otf", bytes)])
    };

    let quietly = form(b"", b"a correction");
    let first = told(&t);
    t.advance(Span::hours(1));
    let loudly = form(b"on", b"a new version");
    let second = told(&t);
    let slot = replace.split('/').rev().nth(1).expect("a file").to_owned();
    let begun = begin(&owner, &font, &[("name", "font.otf"), ("size", "0"), ("file", &slot)]);
    let path = format!("/admin/uploads/{}/finish", begun["id"].as_str().expect("an id"));
    let by_script = owner.post(&path, &[("tell", "on")]);

    assert_eq!([quietly.status, loudly.status, by_script.status], [StatusCode::SEE_OTHER; 3]);
    assert_eq!((first, second, told(&t)), (0, 1, 2));
}

fn the_page_of_a_replacement_says_how_many_can_be_told(t: TestApp) {
    let font = t.product(NewGood::of("FONT").always_newest());
    let owner = desk(&t);
    let replace = t.first_file(&font, "replace");
    let before = owner.get(&replace).text();
    let sale = t.button_sale("ada", vec![paysim::ipn::Item::one("FONT", eur(49_00))]);
    t.deliver_and_run(&paysim::ipn::Body::completed(&sale, paysim::ipn::Means::Instant));

    let page = owner.get(&replace).text();

    assert!(!before.contains("name=\"tell\""), "there is nobody to tell");
    assert!(page.contains("Tell the 1 buyer who is entitled to it"), "{page}");
}
