//! Ranges and preconditions, case by case, and against a model that counts single bytes.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::collections::BTreeSet;
use std::ops::Range;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use kernel::Timestamp;
use net::range::{Decision, Piece, Representation, decide, multipart};
use proptest::prelude::*;

const SIZE: u64 = 1000;

fn file(size: u64) -> Representation<'static> {
    // Sun, 06 Nov 1994 08:49:37 GMT
    Representation { size, etag: "v1", last_modified: Some(Timestamp::from_micros(784_111_777_250_000)) }
}

fn ask(size: u64, method: &Method, headers: &[(&'static str, &str)]) -> Decision {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    decide(&file(size), method, &map)
}

fn range(value: &str) -> Decision {
    ask(SIZE, &Method::GET, &[("range", value)])
}

fn get(headers: &[(&'static str, &str)]) -> u16 {
    ask(SIZE, &Method::GET, headers).status.as_u16()
}

#[track_caller]
fn assert_one(decision: &Decision, part: Range<u64>, content_range: &str) {
    assert_eq!(decision.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(decision.parts.as_slice(), std::slice::from_ref(&part));
    assert_eq!(decision.content_range.as_ref().unwrap(), content_range);
}

#[track_caller]
fn assert_whole(decision: &Decision) {
    assert_eq!(decision.status, StatusCode::OK);
    assert_eq!(decision.length(), SIZE);
    assert_eq!(decision.content_range, None);
}

#[track_caller]
fn assert_unsatisfiable(decision: &Decision) {
    assert_eq!(decision.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert!(decision.parts.is_empty());
    assert_eq!(decision.content_range.as_ref().unwrap(), "bytes */1000");
}

#[test]
fn without_a_range_the_whole_is_sent() {
    assert_whole(&ask(SIZE, &Method::GET, &[]));
}

#[test]
fn one_range_is_cut_out_and_cut_short_at_the_end() {
    assert_one(&range("bytes=0-0"), 0..1, "bytes 0-0/1000");
    assert_one(&range("bytes=10-19"), 10..20, "bytes 10-19/1000");
    assert_one(&range("bytes=990-2000"), 990..1000, "bytes 990-999/1000");
    assert_one(&range("bytes=999-999"), 999..1000, "bytes 999-999/1000");
    assert_one(&range("Bytes=10-19"), 10..20, "bytes 10-19/1000");
    assert_one(&range("bytes= 10-19 ,"), 10..20, "bytes 10-19/1000");
}

#[test]
fn an_open_range_runs_to_the_end() {
    assert_one(&range("bytes=0-"), 0..1000, "bytes 0-999/1000");
    assert_one(&range("bytes=999-"), 999..1000, "bytes 999-999/1000");
}

#[test]
fn a_suffix_counts_from_the_end_and_may_be_longer_than_the_file() {
    assert_one(&range("bytes=-1"), 999..1000, "bytes 999-999/1000");
    assert_one(&range("bytes=-1000"), 0..1000, "bytes 0-999/1000");
    assert_one(&range("bytes=-5000"), 0..1000, "bytes 0-999/1000");
}

#[test]
fn what_lies_outside_the_file_cannot_be_satisfied() {
    assert_unsatisfiable(&range("bytes=1000-"));
    assert_unsatisfiable(&range("bytes=1000-1001"));
    assert_unsatisfiable(&range("bytes=-0"));
    assert_unsatisfiable(&range("bytes=2000-,3000-,-0"));
}

#[test]
fn numbers_beyond_64_bits_are_positions_beyond_the_end() {
    assert_unsatisfiable(&range("bytes=18446744073709551615-"));
    assert_unsatisfiable(&range("bytes=18446744073709551616-"));
    assert_unsatisfiable(&range("bytes=99999999999999999999999999-99999999999999999999999999"));
    assert_one(&range("bytes=5-18446744073709551615"), 5..1000, "bytes 5-999/1000");
    assert_one(&range("bytes=5-99999999999999999999999999"), 5..1000, "bytes 5-999/1000");
    assert_one(&range("bytes=-99999999999999999999999999"), 0..1000, "bytes 0-999/1000");
}

#[test]
fn what_cannot_be_read_is_ignored() {
    assert_whole(&range("bytes=5-1"));
    assert_whole(&range("bytes=0-1,5-1"));
    assert_whole(&range("bytes=abc"));
    assert_whole(&range("bytes="));
    assert_whole(&range("bytes=,,"));
    assert_whole(&range("bytes=-"));
    assert_whole(&range("bytes=1"));
    assert_whole(&range("bytes=+1-2"));
    assert_whole(&range("bytes=1-2-3"));
    assert_whole(&range("bytes=--1"));
    assert_whole(&range("bytes=0x1-0x2"));
    assert_whole(&range("bytes = 0-1"));
    assert_whole(&range("items=0-1"));
    assert_whole(&range("0-1"));
    assert_whole(&range("bytes=\u{661}-"));
}

#[test]
fn two_range_headers_are_ignored() {
    assert_whole(&ask(SIZE, &Method::GET, &[("range", "bytes=0-1"), ("range", "bytes=2-3")]));
}

#[test]
fn up_to_five_ranges_are_honored_in_the_order_asked_for() {
    let five = range("bytes=900-909,0-9,-5,500-,100-109");
    assert_eq!(five.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(five.parts, [500..1000, 0..10, 100..110]);
    assert_eq!(five.content_range, None);

    assert_eq!(range("bytes=900-909,0-9,400-409").parts, [900..910, 0..10, 400..410]);
    assert_eq!(range("bytes=0-9,5000-,20-29").parts, [0..10, 20..30]);
}

#[test]
fn six_ranges_are_answered_with_the_whole() {
    assert_whole(&range("bytes=0-0,2-2,4-4,6-6,8-8,10-10"));
    assert_whole(&range(&format!("bytes={}", "0-0,".repeat(2000))));
    assert_whole(&range("bytes=0-0,,,,,1-1"));
}

#[test]
fn ranges_that_overlap_or_touch_are_sent_once() {
    assert_one(&range("bytes=0-9,5-14"), 0..15, "bytes 0-14/1000");
    assert_one(&range("bytes=0-9,10-19"), 0..20, "bytes 0-19/1000");
    assert_one(&range("bytes=10-19,0-5,6-9"), 0..20, "bytes 0-19/1000");
    assert_one(&range("bytes=0-,0-,0-,0-,0-"), 0..1000, "bytes 0-999/1000");
    assert_eq!(range("bytes=0-0,2-2").parts, [0..1, 2..3]);
}

#[test]
fn an_empty_file_has_no_ranges() {
    let empty = |value| ask(0, &Method::GET, &[("range", value)]);
    assert_eq!(empty("bytes=0-").status, StatusCode::OK);
    assert_eq!(empty("bytes=-5").status, StatusCode::OK);
    assert_eq!(empty("bytes=0-0,5-9").parts, []);
}

#[test]
fn a_head_request_ignores_ranges_and_has_the_length_of_the_whole() {
    let head = ask(SIZE, &Method::HEAD, &[("range", "bytes=0-9")]);
    assert_whole(&head);
    let mut headers = HeaderMap::new();
    head.describe(&file(SIZE), &mut headers);
    assert_eq!(headers["content-length"], "1000");
}

#[test]
fn a_range_of_a_post_is_ignored() {
    assert_whole(&ask(SIZE, &Method::POST, &[("range", "bytes=0-9")]));
}

#[test]
fn if_range_lets_a_range_pass_only_with_the_strong_tag_of_now() {
    let with = |value| ask(SIZE, &Method::GET, &[("range", "bytes=0-9"), ("if-range", value)]);
    assert_eq!(with("\"v1\"").status, StatusCode::PARTIAL_CONTENT);
    assert_whole(&with("\"v2\""));
    assert_whole(&with("W/\"v1\""));
    assert_whole(&with("v1"));
    assert_whole(&with("\"v1\", \"v2\""));
    assert_whole(&with("*"));
}

#[test]
fn if_range_with_a_date_gives_the_whole_never_mixed_bytes() {
    let with = |value| ask(SIZE, &Method::GET, &[("range", "bytes=0-9"), ("if-range", value)]);
    assert_whole(&with("Sun, 06 Nov 1994 08:49:37 GMT"));
    assert_whole(&with("Sun, 06 Nov 1994 08:49:38 GMT"));
    assert_whole(&with("yesterday"));
}

#[test]
fn two_if_range_headers_do_not_hold() {
    let both = [("range", "bytes=0-9"), ("if-range", "\"v1\""), ("if-range", "\"v1\"")];
    assert_whole(&ask(SIZE, &Method::GET, &both));
}

#[test]
fn if_range_that_fails_also_spares_the_416() {
    assert_whole(&ask(SIZE, &Method::GET, &[("range", "bytes=5000-"), ("if-range", "\"v0\"")]));
}

#[test]
fn if_none_match_answers_304_to_readers_and_412_to_writers() {
    assert_eq!(get(&[("if-none-match", "\"v1\"")]), 304);
    assert_eq!(get(&[("if-none-match", "W/\"v1\"")]), 304);
    assert_eq!(get(&[("if-none-match", "\"a,b\", W/\"x\" ,\"v1\"")]), 304);
    assert_eq!(get(&[("if-none-match", "\"x\""), ("if-none-match", "\"v1\"")]), 304);
    assert_eq!(get(&[("if-none-match", "*")]), 304);
    assert_eq!(get(&[("if-none-match", "\"v2\"")]), 200);
    assert_eq!(get(&[("if-none-match", "v1")]), 200);
    assert_eq!(ask(SIZE, &Method::HEAD, &[("if-none-match", "\"v1\"")]).status.as_u16(), 304);
    assert_eq!(ask(SIZE, &Method::PUT, &[("if-none-match", "*")]).status.as_u16(), 412);
}

#[test]
fn if_match_needs_a_strong_match() {
    assert_eq!(get(&[("if-match", "\"v1\"")]), 200);
    assert_eq!(get(&[("if-match", "\"v0\", \"v1\"")]), 200);
    assert_eq!(get(&[("if-match", "*")]), 200);
    assert_eq!(get(&[("if-match", "W/\"v1\"")]), 412);
    assert_eq!(get(&[("if-match", "\"v2\"")]), 412);
    assert_eq!(get(&[("if-match", "\"v1\""), ("range", "bytes=0-1")]), 206);
    assert_eq!(get(&[("if-match", "\"v2\""), ("range", "bytes=0-1")]), 412);
}

#[test]
fn dates_are_compared_by_whole_seconds_in_every_http_format() {
    let same = "Sun, 06 Nov 1994 08:49:37 GMT";
    let before = "Sun, 06 Nov 1994 08:49:36 GMT";
    assert_eq!(get(&[("if-modified-since", same)]), 304);
    assert_eq!(get(&[("if-modified-since", "Sunday, 06-Nov-94 08:49:37 GMT")]), 304);
    assert_eq!(get(&[("if-modified-since", "Sun Nov  6 08:49:37 1994")]), 304);
    assert_eq!(get(&[("if-modified-since", before)]), 200);
    assert_eq!(get(&[("if-modified-since", "soon")]), 200);
    assert_eq!(get(&[("if-unmodified-since", same)]), 200);
    assert_eq!(get(&[("if-unmodified-since", before)]), 412);
    assert_eq!(get(&[("if-unmodified-since", "soon")]), 200);
    assert_eq!(ask(SIZE, &Method::POST, &[("if-modified-since", same)]).status.as_u16(), 200);
}

#[test]
fn tags_are_heard_before_dates() {
    let same = "Sun, 06 Nov 1994 08:49:37 GMT";
    let before = "Sun, 06 Nov 1994 08:49:36 GMT";
    assert_eq!(get(&[("if-none-match", "\"v2\""), ("if-modified-since", same)]), 200);
    assert_eq!(get(&[("if-match", "\"v1\""), ("if-unmodified-since", before)]), 200);
    assert_eq!(get(&[("if-match", "\"v1\""), ("if-none-match", "\"v1\"")]), 304);
}

#[test]
fn dates_are_ignored_when_the_change_is_not_known() {
    let unknown = Representation { last_modified: None, ..file(SIZE) };
    let mut headers = HeaderMap::new();
    headers.insert("if-modified-since", HeaderValue::from_static("Sun, 06 Nov 2094 08:49:37 GMT"));
    headers.insert("if-unmodified-since", HeaderValue::from_static("Sun, 06 Nov 1904 08:49:37 GMT"));
    assert_eq!(decide(&unknown, &Method::GET, &headers).status, StatusCode::OK);
}

#[test]
fn every_answer_carries_the_validators() {
    let mut headers = HeaderMap::new();
    range("bytes=10-19").describe(&file(SIZE), &mut headers);
    assert_eq!(headers["etag"], "\"v1\"");
    assert_eq!(headers["last-modified"], "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!(headers["accept-ranges"], "bytes");
    assert_eq!(headers["content-range"], "bytes 10-19/1000");
    assert_eq!(headers["content-length"], "10");
}

#[test]
fn an_empty_file_says_that_its_length_is_zero() {
    let mut headers = HeaderMap::new();
    ask(0, &Method::GET, &[]).describe(&file(0), &mut headers);
    assert_eq!(headers["content-length"], "0");
}

#[test]
fn a_multipart_body_is_what_rfc_9110_shows_and_as_long_as_it_says() {
    let data: Vec<u8> = (0..SIZE).map(|n| b"0123456789"[usize::try_from(n % 10).unwrap()]).collect();
    let parts = range("bytes=0-9,500-504").parts;
    let laid = multipart(&file(SIZE), &HeaderValue::from_static("application/zip"), &parts);
    let body: Vec<u8> = laid
        .pieces
        .iter()
        .flat_map(|piece| match piece {
            Piece::Text(text) => text.as_bytes().to_vec(),
            Piece::Bytes(r) => {
                data[usize::try_from(r.start).unwrap()..usize::try_from(r.end).unwrap()].to_vec()
            }
        })
        .collect();

    let boundary =
        laid.content_type.to_str().unwrap().strip_prefix("multipart/byteranges; boundary=").unwrap();
    let expected = format!(
        "--{boundary}\r\nContent-Type: application/zip\r\nContent-Range: bytes 0-9/1000\r\n\r\n0123456789\
         \r\n--{boundary}\r\nContent-Type: application/zip\r\nContent-Range: bytes 500-504/1000\r\n\r\n01234\
         \r\n--{boundary}--\r\n"
    );
    assert_eq!(String::from_utf8(body).unwrap(), expected);
    assert_eq!(laid.content_length, u64::try_from(expected.len()).unwrap());
}

#[derive(Debug, Clone)]
enum Spec {
    Closed(u64, u64),
    Open(u64),
    Suffix(u64),
}

impl Spec {
    fn text(&self) -> String {
        match self {
            Self::Closed(first, last) => format!("{first}-{last}"),
            Self::Open(first) => format!("{first}-"),
            Self::Suffix(count) => format!("-{count}"),
        }
    }

    fn asks_for(&self, byte: u64, size: u64) -> bool {
        match self {
            Self::Closed(first, last) => (*first..=*last).contains(&byte),
            Self::Open(first) => byte >= *first,
            Self::Suffix(count) => byte + count >= size,
        }
    }
}

fn spec() -> impl Strategy<Value = Spec> {
    prop_oneof![
        (0u64..60, 0u64..20).prop_map(|(first, more)| Spec::Closed(first, first + more)),
        (0u64..60).prop_map(Spec::Open),
        (0u64..60).prop_map(Spec::Suffix),
    ]
}

proptest! {
    #[test]
    fn exactly_the_bytes_asked_for_are_sent_each_once(size in 1u64..50, specs in prop::collection::vec(spec(), 1..=5)) {
        let header = specs.iter().map(Spec::text).collect::<Vec<_>>().join(", ");
        let decision = ask(size, &Method::GET, &[("range", &format!("bytes={header}"))]);

        let wanted: BTreeSet<u64> =
            (0..size).filter(|byte| specs.iter().any(|spec| spec.asks_for(*byte, size))).collect();
        let sent: Vec<u64> = decision.parts.iter().cloned().flatten().collect();
        prop_assert_eq!(sent.len(), wanted.len());
        prop_assert_eq!(sent.into_iter().collect::<BTreeSet<_>>(), wanted.clone());
        prop_assert_eq!(decision.status.as_u16(), if wanted.is_empty() { 416 } else { 206 });
        prop_assert_eq!(decision.content_range.is_some(), decision.parts.len() < 2);
    }

    #[test]
    fn no_range_header_makes_it_panic_or_leave_the_file(size in 0u64..100, text in "(bytes=)?[-0-9, a=]{0,40}") {
        let decision = ask(size, &Method::GET, &[("range", &text)]);
        prop_assert!(decision.parts.iter().all(|part| part.start < part.end && part.end <= size));
        prop_assert!(decision.length() <= size);
    }

    #[test]
    fn no_tag_list_makes_it_panic(text in "[\"vW/1,* \\\\]{0,40}") {
        let status = get(&[("if-none-match", &text), ("if-range", &text), ("range", "bytes=0-1")]);
        prop_assert!([200, 206, 304].contains(&status));
    }
}
