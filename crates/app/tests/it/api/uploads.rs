//! Files that are sent in pieces, over lines that break and through restarts.

use app::products::Product;
use axum::body::Body;
use bytes::Bytes;
use http::{Method, StatusCode, header};
use kernel::{Span, UploadId};
use serde_json::{Value, json};

use super::products::Breaking;
use super::{Answer, Program};
use crate::support::goods::content;
use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    a_file_that_is_sent_in_pieces_is_a_file,
    a_piece_from_another_place_is_refused_with_the_right_one,
    what_arrived_before_the_line_broke_is_kept,
    a_restart_in_between_costs_nothing,
    what_was_changed_on_its_way_is_refused_and_sent_again,
    more_or_less_than_was_announced_is_refused,
    two_that_send_the_same_piece_do_not_mix,
    a_finish_that_was_killed_is_finished_later,
    an_upload_of_which_bytes_are_lost_asks_for_them_again,
    a_full_disk_stops_a_piece_and_the_rest_can_come_later,
    an_upload_that_cannot_fit_is_refused_before_it_is_sent,
    an_upload_comes_in_the_place_of_a_file_under_another_name,
    an_upload_that_nobody_goes_on_with_runs_out_and_leaves_nothing,
    an_upload_that_is_given_up_is_gone,
}

const WHOLE: usize = 90_000;

struct Sending<'a> {
    program: Program<'a>,
    product: Product,
    id: String,
    whole: Vec<u8>,
}

impl Sending<'_> {
    fn begun<'a>(t: &'a TestApp, body: &Value) -> Sending<'a> {
        let product = t.product(NewGood::of("FONT").with_file("font.otf", b"old"));
        let program = t.program();
        let begun = program.post(&format!("/v1/products/{}/uploads", product.id), body);
        assert_eq!(begun.status, StatusCode::CREATED, "{}", begun.reply.text());
        let id = begun.json["id"].as_str().expect("an id").to_owned();
        Sending { program, product, id, whole: content("font", WHOLE) }
    }

    fn path(&self, rest: &str) -> String {
        format!("/v1/uploads/{}{rest}", self.id)
    }

    fn put(&self, from: usize, to: usize) -> Answer {
        self.program.upload(&self.path(&format!("/from/{from}")), &self.whole[from..to])
    }

    fn received(&self) -> u64 {
        self.program.get(&self.path("")).ok()["received"].as_u64().expect("a number")
    }

    fn finish(&self) -> Answer {
        let sha256 = stores::Sha256::of(&self.whole).to_string();
        self.program.put(&self.path("/file"), &json!({ "sha256": sha256 }))
    }
}

fn names(t: &TestApp, product: &Product) -> Vec<(String, u64)> {
    let (merchant, id) = (product.merchant, product.id);
    let files = t.read(move |snapshot| Ok(app::products::store::files(snapshot, merchant, id)?));
    files.into_iter().map(|file| (file.name, file.size)).collect()
}

/// The file is whole, and nothing else is left of how it came.
#[track_caller]
fn is_whole(t: &TestApp, sending: &Sending<'_>, file: &Value) {
    let sha256 = stores::Sha256::of(&sending.whole);
    assert_eq!((&file["name"], &file["size"]), (&json!("new.otf"), &json!(WHOLE)));
    assert_eq!(file["sha256"], sha256.to_string());
    assert_eq!(file["md5"], stores::Digests::of(&sending.whole).md5_hex());
    let blob =
        t.app.blobs().open(&sha256, u64::try_from(WHOLE).expect("a small number")).expect("it is stored");
    assert_eq!(blob.all(), sending.whole);
    assert_eq!(t.disk.uploads(), 0);
    t.run_jobs();
}

fn a_file_that_is_sent_in_pieces_is_a_file(t: TestApp) {
    let sending = Sending::begun(&t, &json!({ "name": "new.otf", "size": WHOLE }));

    let first = sending.put(0, 30_000).ok();
    let head = sending.program.bare(Method::HEAD, &sending.path(""));
    sending.put(30_000, WHOLE).ok();
    let done = sending.finish().ok();
    let again = sending.finish().ok();

    assert_eq!((&first["received"], &first["file"]), (&json!(30_000), &Value::Null));
    assert_eq!(head.reply.header("upload-offset"), "30000");
    assert_eq!(done["file"], again["file"], "finishing twice is finishing once");
    assert_eq!(names(&t, &sending.product), [("font.otf".to_owned(), 3), ("new.otf".to_owned(), 90_000)]);
    is_whole(&t, &sending, &done["file"]);
    let late = sending.put(0, 10);
    assert_eq!((late.status, late.code()), (StatusCode::CONFLICT, "conflict"));
}

fn a_piece_from_another_place_is_refused_with_the_right_one(t: TestApp) {
    let sending = Sending::begun(&t, &json!({ "name": "new.otf" }));
    sending.put(0, 1_000).ok();

    let [early, late] = [500, 2_000].map(|from| sending.put(from, 3_000));

    for refused in [early, late] {
        assert_eq!((refused.status, refused.code()), (StatusCode::CONFLICT, "conflict"));
        assert!(refused.json["detail"].to_string().contains("has 1000 bytes"), "{}", refused.json);
        assert_eq!(refused.json["pointer"], "/offset");
    }
    sending.put(1_000, WHOLE).ok();
    is_whole(&t, &sending, &sending.finish().ok()["file"]);
}

fn what_arrived_before_the_line_broke_is_kept(t: TestApp) {
    let sending = Sending::begun(&t, &json!({ "name": "new.otf", "size": WHOLE }));
    let body = Breaking(vec![
        Err(std::io::Error::other("the line went dead")),
        Ok(Bytes::copy_from_slice(&sending.whole[20_000..50_000])),
        Ok(Bytes::copy_from_slice(&sending.whole[..20_000])),
    ]);
    let request = sending.program.request(Method::PUT, &sending.path("/from/0"));

    let broken = sending.program.send(request.body(Body::new(body)).expect("a request"));
    let received = sending.received();
    sending.put(50_000, WHOLE).ok();

    assert_eq!((broken.status, broken.code()), (StatusCode::BAD_REQUEST, "malformed"));
    assert_eq!(received, 50_000);
    is_whole(&t, &sending, &sending.finish().ok()["file"]);
}

fn a_restart_in_between_costs_nothing(t: TestApp) {
    let sending = Sending::begun(&t, &json!({ "name": "new.otf" }));
    sending.put(0, 40_000).ok();
    let request = |from: usize, piece: &[u8]| {
        let request = sending.program.request(Method::PUT, &sending.path(&format!("/from/{from}")));
        request.body(Body::from(piece.to_vec())).expect("a request")
    };

    let other = t.request_after_restart(request(40_000, &sending.whole[40_000..60_000]));
    sending.put(60_000, WHOLE).ok();
    let request = sending.program.json_request(Method::PUT, &sending.path("/file"), &json!({}));
    let finished = Answer::of(t.request_after_restart(request)).ok();

    assert_eq!(other.status, StatusCode::OK, "{}", other.text());
    is_whole(&t, &sending, &finished["file"]);
}

fn what_was_changed_on_its_way_is_refused_and_sent_again(t: TestApp) {
    let sending = Sending::begun(&t, &json!({ "name": "new.otf", "size": WHOLE }));
    let mut changed = sending.whole.clone();
    changed[77_777] ^= 1;
    sending.program.upload(&sending.path("/from/0"), &changed).ok();

    let refused = sending.finish();
    let received = sending.received();
    sending.put(0, WHOLE).ok();

    assert_eq!((refused.status, refused.code()), (StatusCode::UNPROCESSABLE_ENTITY, "invalid"));
    assert!(refused.json["detail"].to_string().contains("send it again"), "{}", refused.json);
    assert_eq!(received, 0);
    is_whole(&t, &sending, &sending.finish().ok()["file"]);
}

fn more_or_less_than_was_announced_is_refused(t: TestApp) {
    let sending = Sending::begun(&t, &json!({ "name": "new.otf", "size": WHOLE }));
    sending.put(0, 80_000).ok();

    let less = sending.finish();
    let more = sending.program.upload(&sending.path("/from/80000"), &[0; 10_001]);
    sending.put(80_000, WHOLE).ok();

    assert_eq!((less.status, less.code()), (StatusCode::CONFLICT, "conflict"));
    assert!(less.json["detail"].to_string().contains("80000 of 90000 bytes"), "{}", less.json);
    assert_eq!((more.status, more.code()), (StatusCode::UNPROCESSABLE_ENTITY, "invalid"));
    is_whole(&t, &sending, &sending.finish().ok()["file"]);
}

fn two_that_send_the_same_piece_do_not_mix(t: TestApp) {
    let sending = Sending::begun(&t, &json!({ "name": "new.otf" }));
    let request = || {
        let request = sending.program.request(Method::PUT, &sending.path("/from/0"));
        request.body(Body::from(sending.whole.clone())).expect("a request")
    };

    let answers = t.requests_in_parallel(vec![request(), request(), request(), request()]);

    let done = answers.iter().filter(|answer| answer.status == StatusCode::OK).count();
    let refused = answers.iter().filter(|answer| answer.status == StatusCode::CONFLICT).count();
    assert_eq!((done, refused), (1, 3));
    is_whole(&t, &sending, &sending.finish().ok()["file"]);
}

fn a_finish_that_was_killed_is_finished_later(t: TestApp) {
    let sending = Sending::begun(&t, &json!({ "name": "new.otf", "size": WHOLE }));
    sending.put(0, WHOLE).ok();
    // As it is when the program dies after the content has its name and before its row is there.
    let stored = t.store("new.otf", &sending.whole);
    let id: UploadId = sending.id.parse().expect("an id");
    t.write(move |cx| {
        let noted = db::sql("UPDATE uploads SET sha256 = $1 WHERE id = $2").bind(&stored.sha256).bind(id);
        Ok(noted.change_one(cx.tx)?)
    })
    .expect("the digest was noted");
    t.app.blobs().discard(id).expect("its file has become the content");

    let finished = sending.finish().ok();

    is_whole(&t, &sending, &finished["file"]);
}

fn an_upload_of_which_bytes_are_lost_asks_for_them_again(t: TestApp) {
    let sending = Sending::begun(&t, &json!({ "name": "new.otf", "size": WHOLE }));
    sending.put(0, 50_000).ok();
    t.app.blobs().discard(sending.id.parse().expect("an id")).expect("another store has nothing of it");

    let refused = sending.put(50_000, WHOLE);
    let received = sending.received();
    sending.put(0, WHOLE).ok();

    assert_eq!((refused.status, received), (StatusCode::CONFLICT, 0));
    is_whole(&t, &sending, &sending.finish().ok()["file"]);
}

fn a_full_disk_stops_a_piece_and_the_rest_can_come_later(t: TestApp) {
    let sending = Sending::begun(&t, &json!({ "name": "new.otf" }));
    sending.put(0, 30_000).ok();
    t.disk.leave_room(10_000);

    let full = sending.put(30_000, WHOLE);
    let received = sending.received();
    t.disk.leave_room(u64::MAX);
    sending.put(30_000, WHOLE).ok();

    assert_eq!((full.status, full.code()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
    assert!(full.json["detail"].to_string().contains("free space or enlarge it"), "{}", full.json);
    assert_eq!(received, 30_000, "what was there is there still");
    is_whole(&t, &sending, &sending.finish().ok()["file"]);
}

fn an_upload_that_cannot_fit_is_refused_before_it_is_sent(t: TestApp) {
    let sending = Sending::begun(&t, &json!({ "name": "new.otf", "size": 1u64 << 49 }));
    let refused = sending.put(0, 10);
    assert_eq!((refused.status, refused.code()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
    assert_eq!(sending.received(), 0);
}

fn an_upload_comes_in_the_place_of_a_file_under_another_name(t: TestApp) {
    let product = t.product(NewGood::of("FONT").with_file("font.otf", b"old"));
    let program = t.program();
    let file = program.get(&format!("/v1/products/{}/files", product.id)).ids().remove(0);
    let body = json!({ "name": "font-2.otf", "size": 5, "file": file });
    let begun = program.post(&format!("/v1/products/{}/uploads", product.id), &body).ok();
    let path = format!("/v1/uploads/{}", begun["id"].as_str().expect("an id"));

    program.upload(&format!("{path}/from/0"), b"newer").ok();
    let done = program.put(&format!("{path}/file"), &json!({})).ok();

    assert_eq!(done["file"]["id"], json!(file));
    assert_eq!(names(&t, &product), [("font-2.otf".to_owned(), 5)]);
    let foreign = json!({ "name": "a", "file": "fil_00000000000000000000000001" });
    let refused = program.post(&format!("/v1/products/{}/uploads", product.id), &foreign);
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
}

fn an_upload_that_nobody_goes_on_with_runs_out_and_leaves_nothing(t: TestApp) {
    let sending = Sending::begun(&t, &json!({ "name": "new.otf", "size": WHOLE }));
    t.advance(Span::days(2));
    sending.put(0, 1_000).ok();
    t.advance(Span::days(2));
    let still = sending.received();
    t.advance(Span::days(1));

    let gone = [sending.put(1_000, WHOLE), sending.finish(), sending.program.get(&sending.path(""))];
    let before = t.disk.uploads();
    t.block_on(app::products::jobs::Cleaner::default().turn(&t.app)).expect("the store is cleaned");

    assert_eq!(still, 1_000, "each piece gives it three days more");
    assert!(gone.iter().all(|answer| answer.status == StatusCode::NOT_FOUND));
    assert_eq!((before, t.disk.uploads()), (1, 0));
    assert_eq!(t.count("SELECT count(*) AS n FROM uploads"), 0);
    assert_eq!(names(&t, &sending.product).len(), 1);
}

fn an_upload_that_is_given_up_is_gone(t: TestApp) {
    let sending = Sending::begun(&t, &json!({ "name": "new.otf" }));
    sending.put(0, 1_000).ok();

    sending.program.bare(Method::DELETE, &sending.path("")).ok();
    let gone = sending.program.get(&sending.path(""));
    t.block_on(app::products::jobs::Cleaner::default().turn(&t.app)).expect("the store is cleaned");

    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    assert_eq!((t.disk.uploads(), t.count("SELECT count(*) AS n FROM uploads")), (0, 0));
    let nothing =
        sending.program.request(Method::PUT, &sending.path("/from/0")).header(header::ACCEPT, "*/*");
    let refused = sending.program.send(nothing.body(Body::from("late")).expect("a request"));
    assert_eq!((refused.status, t.disk.uploads()), (StatusCode::NOT_FOUND, 0));
}
