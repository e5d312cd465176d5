//! Links over the whole app: ranges as RFC 9110 says, places that no race passes, revocation.

use std::time::{Duration, Instant};

use app::fulfillment::Grant;
use axum::body::Body;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use paysim::ipn::{Body as Ipn, Sale};

use crate::support::goods::{content, eur};
use crate::support::{NewGood, Reply, TestApp};

testkit::both_engines! {
    one_range_is_cut_out_wherever_it_lies,
    several_ranges_come_in_one_body,
    a_range_outside_the_file_cannot_be_satisfied,
    what_is_no_range_and_too_many_ranges_give_the_whole,
    a_range_holds_only_while_the_file_is_the_one_it_began_with,
    a_head_has_the_length_and_spends_nothing,
    ranges_at_once_in_one_session_take_one_place,
    fifty_starts_on_many_threads_of_a_link_for_three_are_exactly_three,
    starts_and_a_refund_at_once_leave_no_transfer_behind,
    a_refund_cuts_a_running_transfer,
    a_part_that_was_looked_at_gives_its_place_back_and_a_tenth_does_not,
    an_unknown_token_and_a_wrong_one_take_the_same_time,
}

struct Started {
    grant: Grant,
    sale: Sale,
    /// The path that starts a download.
    start: String,
}

fn bought(t: &TestApp, good: NewGood) -> Started {
    let product = t.product(good);
    let order = t.order(&[(&product, 1)]);
    let sale = t.pay(&order);
    let grant = t.grant(&order);
    let file = t.files(&grant)[0].version;
    Started { start: format!("/d/{}/files/{file}", t.link(&grant)), sale, grant }
}

fn post(path: &str) -> Request<Body> {
    Request::post(path).body(Body::empty()).expect("a request")
}

/// Starts a download and answers the path of its bytes.
fn transfer(t: &TestApp, bought: &Started) -> String {
    let started = t.request(post(&bought.start));
    assert_eq!(started.status, StatusCode::SEE_OTHER, "{}", started.text());
    started.location().to_owned()
}

fn fetch(t: &TestApp, method: &Method, path: &str, headers: &[(&str, &str)]) -> Reply {
    let request = Request::builder().method(method).uri(path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    t.request(request.body(Body::empty()).expect("a request"))
}

fn range(t: &TestApp, path: &str, range: &str) -> Reply {
    fetch(t, &Method::GET, path, &[("range", range)])
}

fn taken(t: &TestApp, grant: &Grant) -> u32 {
    t.files(grant).iter().map(|file| file.taken).sum()
}

fn one_range_is_cut_out_wherever_it_lies(t: TestApp) {
    let whole = content("FONT", 1_000);
    let path = transfer(&t, &bought(&t, NewGood::of("FONT")));

    let asked = ["bytes=0-99", "bytes=900-", "bytes=-100", "bytes=500-5000", "bytes=999-999"];
    let answers = asked.map(|asked| range(&t, &path, asked));

    assert_eq!(answers.each_ref().map(|answer| answer.status.as_u16()), [206; 5]);
    let expected = [&whole[..100], &whole[900..], &whole[900..], &whole[500..], &whole[999..]];
    assert_eq!(answers.each_ref().map(|answer| answer.body.as_slice()), expected);
    assert_eq!(
        answers.each_ref().map(|answer| answer.header("content-range")),
        [
            "bytes 0-99/1000",
            "bytes 900-999/1000",
            "bytes 900-999/1000",
            "bytes 500-999/1000",
            "bytes 999-999/1000"
        ]
    );
    t.watch_transfers();
}

fn several_ranges_come_in_one_body(t: TestApp) {
    let whole = content("FONT", 1_000);
    let path = transfer(&t, &bought(&t, NewGood::of("FONT")));

    let answer = range(&t, &path, "bytes=0-9,500-509,-10");

    let kind = answer.header("content-type").to_owned();
    let boundary = kind.strip_prefix("multipart/byteranges; boundary=").expect("its kind").trim_matches('"');
    assert_eq!(answer.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(answer.header("content-length"), answer.body.len().to_string());
    let holds = |part: &[u8]| answer.body.windows(part.len()).any(|window| window == part);
    assert!([&whole[..10], &whole[500..510], &whole[990..]].into_iter().all(holds));
    assert!(holds(b"content-range: bytes 500-509/1000") || holds(b"Content-Range: bytes 500-509/1000"));
    assert!(answer.body.ends_with(format!("--{boundary}--\r\n").as_bytes()));
    t.watch_transfers();
}

fn a_range_outside_the_file_cannot_be_satisfied(t: TestApp) {
    let path = transfer(&t, &bought(&t, NewGood::of("FONT")));

    let answers = ["bytes=1000-", "bytes=5000-6000", "bytes=-0", "bytes=18446744073709551615-"]
        .map(|asked| range(&t, &path, asked));

    assert_eq!(answers.each_ref().map(|answer| answer.status.as_u16()), [416; 4]);
    assert_eq!(answers.each_ref().map(|answer| answer.header("content-range")), ["bytes */1000"; 4]);
}

fn what_is_no_range_and_too_many_ranges_give_the_whole(t: TestApp) {
    let path = transfer(&t, &bought(&t, NewGood::of("FONT")));
    let many = format!("bytes={}", vec!["0-0"; 1_000].join(","));

    let answers =
        ["bytes=5-1", "bytes=abc", "lines=1-2", "bytes=", many.as_str()].map(|asked| range(&t, &path, asked));

    assert_eq!(answers.each_ref().map(|answer| answer.status.as_u16()), [200; 5]);
    assert_eq!(answers.each_ref().map(|answer| answer.body.len()), [1_000; 5]);
    t.watch_transfers();
}

fn a_range_holds_only_while_the_file_is_the_one_it_began_with(t: TestApp) {
    let path = transfer(&t, &bought(&t, NewGood::of("FONT")));
    let tag = fetch(&t, &Method::HEAD, &path, &[]).header("etag").to_owned();
    let weak = format!("W/{tag}");

    let with = |condition: &str| {
        fetch(&t, &Method::GET, &path, &[("range", "bytes=0-99"), ("if-range", condition)]).body.len()
    };

    assert_eq!(with(&tag), 100);
    assert_eq!([with("\"another\""), with(&weak), with("Wed, 21 Oct 2015 07:28:00 GMT")], [1_000; 3]);
    t.watch_transfers();
}

fn a_head_has_the_length_and_spends_nothing(t: TestApp) {
    let bought = bought(&t, NewGood::of("FONT").limited_to(1));
    let path = transfer(&t, &bought);
    let before = t.business_state();

    let heads: Vec<Reply> =
        (0..20).map(|_| fetch(&t, &Method::HEAD, &path, &[("range", "bytes=0-9")])).collect();
    t.watch_transfers();

    assert!(heads.iter().all(|head| head.status == StatusCode::OK && head.body.is_empty()));
    assert_eq!(heads[0].header("content-length"), "1000");
    assert_eq!(heads[0].header("accept-ranges"), "bytes");
    assert_eq!(t.business_state(), before);
    assert_eq!(t.get(&path).body.len(), 1_000);
    t.watch_transfers();
}

fn ranges_at_once_in_one_session_take_one_place(t: TestApp) {
    let bought = bought(&t, NewGood::of("FONT").limited_to(2));
    let path = transfer(&t, &bought);
    let parts = (0..10).map(|part| {
        let asked = format!("bytes={}-{}", part * 100, part * 100 + 99);
        Request::get(&path).header("range", asked).body(Body::empty()).expect("a request")
    });

    let answers = t.requests_in_parallel(parts.collect());
    t.watch_transfers();

    let joined: Vec<u8> = answers.iter().flat_map(|answer| answer.body.clone()).collect();
    assert_eq!(joined, content("FONT", 1_000));
    assert_eq!(taken(&t, &bought.grant), 1);
    assert_eq!(t.downloads(&bought.grant)[0].bytes, 1_000);
}

fn fifty_starts_on_many_threads_of_a_link_for_three_are_exactly_three(t: TestApp) {
    let bought = bought(&t, NewGood::of("FONT").limited_to(3));

    let answers = t.requests_in_parallel((0..50).map(|_| post(&bought.start)).collect());

    let count = |status: StatusCode| answers.iter().filter(|reply| reply.status == status).count();
    assert_eq!((count(StatusCode::SEE_OTHER), count(StatusCode::GONE)), (3, 47));
    assert_eq!((t.downloads(&bought.grant).len(), taken(&t, &bought.grant)), (3, 3));
}

fn starts_and_a_refund_at_once_leave_no_transfer_behind(t: TestApp) {
    let bought = bought(&t, NewGood::of("FONT").limited_to(100));
    let refund = Ipn::refunded(&bought.sale, &t.movement("all", eur(49_00))).encode();
    t.paypal.issue(&refund);
    let mut requests: Vec<Request<Body>> = (0..30).map(|_| post(&bought.start)).collect();
    requests.insert(10, TestApp::hook_request(&t.shop, refund));

    let answers = t.requests_in_parallel(requests);
    t.run_jobs();

    let begun = answers.iter().filter(|answer| answer.status == StatusCode::SEE_OTHER);
    let open: Vec<u16> = begun.map(|answer| t.get(answer.location()).status.as_u16()).collect();
    assert!(open.iter().all(|status| *status == 410), "{open:?}");
    assert_eq!(t.request(post(&bought.start)).status, StatusCode::GONE);
}

fn a_refund_cuts_a_running_transfer(t: TestApp) {
    let large = content("FONT", 3 * 1024 * 1024);
    let bought = bought(&t, NewGood::of("FONT").with_file("large.bin", &large));
    let path = transfer(&t, &bought);
    let mut body = t.begin_request(Request::get(&path).body(Body::empty()).expect("a request")).into_body();
    let first = t.block_on(body.frame()).expect("a frame").expect("bytes flow");

    t.deliver_and_run(&Ipn::refunded(&bought.sale, &t.movement("all", eur(49_00))));
    t.watch_transfers();
    let cut = t.block_on(body.frame()).expect("an end that tells");

    assert!(first.into_data().is_ok_and(|bytes| !bytes.is_empty()));
    assert!(cut.is_err(), "half a file must not look like a whole one");
    assert_eq!(t.get(&path).status, StatusCode::GONE);
}

fn a_part_that_was_looked_at_gives_its_place_back_and_a_tenth_does_not(t: TestApp) {
    let bought = bought(&t, NewGood::of("FONT").limited_to(2));
    let (little, much) = (transfer(&t, &bought), transfer(&t, &bought));
    assert_eq!(
        (range(&t, &little, "bytes=0-98").body.len(), range(&t, &much, "bytes=0-99").body.len()),
        (99, 100)
    );
    t.watch_transfers();
    assert_eq!(taken(&t, &bought.grant), 2);

    t.advance(kernel::Span::minutes(61));
    t.keep_house();

    assert_eq!(taken(&t, &bought.grant), 1);
    assert_eq!(t.get(&little).status, StatusCode::GONE, "its place is somebody else's");
    assert_eq!(t.get(&much).status, StatusCode::OK);
    t.watch_transfers();
}

/// Both are looked up, and a code is computed for both: what differs is less than what one run
/// differs from the next. Taken in turns, so that whatever slows the machine slows both.
fn an_unknown_token_and_a_wrong_one_take_the_same_time(t: TestApp) {
    let bought = bought(&t, NewGood::of("FONT"));
    let presented = app::links::Presented::read(&t.link(&bought.grant)).expect("a token");
    let wrong = format!("/d/{}", app::links::join(presented.id, [3; 16]));
    let unknown = format!("/d/{}", app::links::join(presented.id ^ 1, [3; 16]));
    let timed = |path: &str| {
        #[expect(clippy::disallowed_methods, reason = "the time that passes is what is looked at")]
        let start = Instant::now();
        assert_eq!(t.get(path).status, StatusCode::NOT_FOUND);
        start.elapsed()
    };

    let (mut wrongs, mut unknowns): (Vec<Duration>, Vec<Duration>) =
        (0..300).map(|_| (timed(&wrong), timed(&unknown))).unzip();
    wrongs.sort_unstable();
    unknowns.sort_unstable();

    let (wrong, unknown) = (wrongs[150], unknowns[150]);
    assert_eq!(t.get(&format!("/d/{}", app::links::join(presented.id, [3; 16]))).body, t.get("/d/x").body);
    assert!(wrong < unknown * 3 / 2 && unknown < wrong * 3 / 2, "{wrong:?} and {unknown:?}");
}
