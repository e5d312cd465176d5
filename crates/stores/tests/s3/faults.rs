//! Against a server that lies. Whatever it says, no byte of it is served.

use kernel::{Span, Timestamp};
use stores::{BlobStore as _, Checksums, S3Config, Sha256, StoreError, put};

use crate::liar::{Asked, Liar, NOW, raw};

const CONTENT: &[u8] = b"paid for";

fn name() -> Sha256 {
    Sha256::of(CONTENT)
}

fn opened(answer: impl Fn(&Asked) -> Vec<u8> + Send + 'static) -> StoreError {
    let liar = Liar::new(answer);
    let error = liar.store.open(&name(), 8).unwrap_err();
    assert!(error.to_string().contains("store attic"), "{error}");
    assert!(error.to_string().contains(&name().to_string()), "{error}");
    // Nor is it kept for the next buyer.
    assert!(liar.store.open(&name(), 8).is_err());
    error
}

fn part(range: &str, body: &[u8]) -> Vec<u8> {
    raw(
        "206 Partial Content",
        &[("content-range", range), ("content-type", "application/octet-stream")],
        body,
    )
}

#[test]
fn the_right_answer_is_served() {
    let liar = Liar::new(|_| part("bytes 0-7/8", CONTENT));

    assert_eq!(&liar.store.open(&name(), 8).unwrap().all()[..], CONTENT);
}

#[test]
fn other_content_of_the_same_length_is_damage() {
    assert!(matches!(opened(|_| part("bytes 0-7/8", b"paid_for")), StoreError::Corrupted { .. }));
}

#[test]
fn another_size_is_damage() {
    assert!(matches!(opened(|_| part("bytes 0-7/9", CONTENT)), StoreError::Corrupted { .. }));
}

#[test]
fn an_object_that_ends_before_what_was_asked_for_is_damage() {
    assert!(matches!(opened(|_| part("bytes 0-3/4", b"paid")), StoreError::Corrupted { .. }));
    let unfit = |_: &Asked| raw("416 Range Not Satisfiable", &[("content-range", "bytes */0")], b"");
    assert!(matches!(opened(unfit), StoreError::Corrupted { .. }));
}

#[test]
fn a_missing_bucket_is_no_missing_blob() {
    let answer = |_: &Asked| raw("404 Not Found", &[], b"<Error><Code>NoSuchBucket</Code></Error>");

    assert!(matches!(opened(answer), StoreError::Refused { .. }));
}

#[test]
fn a_shorter_or_longer_body_than_asked_for_is_rubbish() {
    assert!(matches!(opened(|_| part("bytes 0-7/8", b"paid")), StoreError::Rubbish { .. }));
    assert!(matches!(opened(|_| part("bytes 0-7/8", b"paid for and more")), StoreError::Rubbish { .. }));
}

#[test]
fn another_part_than_asked_for_is_rubbish() {
    assert!(matches!(opened(|_| part("bytes 1-8/8", CONTENT)), StoreError::Rubbish { .. }));
    assert!(matches!(opened(|_| part("pages 1 to 2", CONTENT)), StoreError::Rubbish { .. }));
}

#[test]
fn a_body_that_breaks_off_is_asked_for_again_and_then_no_answer() {
    let error = opened(|_| {
        let headers = [("content-range", "bytes 0-7/8"), ("content-length", "8")];
        raw("206 Partial Content", &headers, b"paid")
    });

    assert!(matches!(error, StoreError::Unanswered { .. }), "{error}");
}

#[test]
fn a_page_of_html_is_rubbish_even_where_its_length_fits() {
    let page = |_: &Asked| {
        let headers = [("content-range", "bytes 0-7/8"), ("content-type", "text/html; charset=utf-8")];
        raw("206 Partial Content", &headers, b"<p>Hi</p")
    };

    assert!(matches!(opened(page), StoreError::Rubbish { .. }));
    assert!(matches!(
        opened(|_| raw("200 OK", &[("content-type", "text/html")], b"<p>Hi</p")),
        StoreError::Rubbish { .. }
    ));
}

#[test]
fn a_redirect_is_not_followed_and_the_region_is_told() {
    let error = opened(|_| {
        let headers = [("location", "http://127.0.0.1:1/else"), ("x-amz-bucket-region", "eu-north-1")];
        raw("301 Moved Permanently", &headers, b"")
    });

    assert!(matches!(error, StoreError::Rubbish { .. }));
    assert!(error.to_string().contains("eu-north-1"), "{error}");
    assert!(!error.to_string().contains("else"), "{error}");
}

#[test]
fn what_is_not_http_is_no_answer() {
    assert!(matches!(opened(|_| b"220 ftp ready\r\n".to_vec()), StoreError::Unanswered { .. }));
    assert!(matches!(opened(|_| Vec::new()), StoreError::Unanswered { .. }));
}

#[test]
fn a_busy_store_is_asked_again() {
    let liar = Liar::new(|asked| match asked.number {
        0 => raw("503 Slow Down", &[], b"<Error><Code>SlowDown</Code></Error>"),
        1 => raw("500 Oops", &[("content-type", "text/html")], b"<html>"),
        _ => part("bytes 0-7/8", CONTENT),
    });

    assert_eq!(&liar.store.open(&name(), 8).unwrap().all()[..], CONTENT);
    assert_eq!(liar.network.pauses(), [200_000, 400_000].map(Span::micros));
}

#[test]
fn a_refusal_is_not_asked_again_and_says_nothing_that_a_terminal_obeys() {
    let liar = Liar::new(|_| {
        raw(
            "403 Forbidden",
            &[],
            "<Error><Code>AccessDenied</Code><Message>no\u{9b}31m</Message></Error>".as_bytes(),
        )
    });

    let error = liar.store.open(&name(), 8).unwrap_err();

    assert_eq!(liar.network.seen().len(), 1);
    assert!(error.to_string().contains("let the key read"), "{error}");
    assert!(!error.to_string().contains('\u{9b}'), "{error}");
}

#[test]
fn an_upload_is_not_stored_until_the_store_shows_it() {
    let nothing_there = Liar::new(|asked| match &*asked.method {
        "PUT" => raw("200 OK", &[], b""),
        _ => raw("404 Not Found", &[], b""),
    });
    let other_size = Liar::new(|asked| match &*asked.method {
        "PUT" => raw("200 OK", &[], b""),
        _ => {
            raw("200 OK", &[("content-length", "7"), ("last-modified", "Wed, 21 Oct 2015 07:28:00 GMT")], b"")
        }
    });
    let other_checksum = Liar::new(|_| raw("200 OK", &[("x-amz-checksum-sha256", "AAAA")], b""));

    assert!(matches!(put(&nothing_there.store, CONTENT), Err(StoreError::Missing(_))));
    assert!(matches!(put(&other_size.store, CONTENT), Err(StoreError::Corrupted { .. })));
    assert!(matches!(put(&other_checksum.store, CONTENT), Err(StoreError::Rubbish { .. })));
}

#[test]
fn an_upload_that_a_store_does_not_prove_is_read_back() {
    let answer = |read: &'static [u8]| {
        move |asked: &Asked| match &*asked.method {
            "PUT" => raw("200 OK", &[("etag", "\"encrypted-and-so-no-md5\"")], b""),
            "HEAD" => raw(
                "200 OK",
                &[("content-length", "8"), ("last-modified", "Wed, 21 Oct 2015 07:28:00 GMT")],
                b"",
            ),
            _ => part("bytes 0-7/8", read),
        }
    };
    let honest = Liar::new(answer(CONTENT));
    let lossy = Liar::new(answer(b"paid_for"));

    put(&honest.store, CONTENT).unwrap();
    assert!(matches!(put(&lossy.store, CONTENT), Err(StoreError::Corrupted { .. })));

    assert!(honest.network.seen().last().is_some_and(|call| call.starts_with("GET ")));
}

#[test]
fn a_list_that_is_cut_off_or_is_none_is_no_list() {
    let list = |body: &'static str| Liar::new(move |_| raw("200 OK", &[], body.as_bytes())).store.list(7);

    assert!(matches!(list("<html>Sign in</html>"), Err(StoreError::Rubbish { .. })));
    assert!(matches!(list("<ListBucketResult><Contents>"), Err(StoreError::Rubbish { .. })));
    assert!(matches!(
        list("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"),
        Err(StoreError::Rubbish { .. })
    ));
    assert!(matches!(list("<Error><Code>InternalError</Code></Error>"), Err(StoreError::Refused { .. })));
}

#[test]
fn a_long_list_is_read_page_by_page() {
    let entry = |digit: char| {
        let name: String = std::iter::once('0').chain(std::iter::repeat_n(digit, 63)).collect();
        format!(
            "<Contents><Key>files/sha256/{}/{name}</Key><Size>5</Size>\
             <LastModified>2026-01-02T03:04:05.000Z</LastModified></Contents>",
            &name[..2]
        )
    };
    let liar = Liar::new(move |asked| {
        let page = match asked.target.contains("continuation-token=next%2Fpage%3D") {
            false => format!(
                "{}<IsTruncated>true</IsTruncated><NextContinuationToken>next/page=</NextContinuationToken>",
                entry('7')
            ),
            true => {
                format!("{}<IsTruncated>false</IsTruncated>", entry('7').replace("7777</Key>", "7700</Key>"))
            }
        };
        raw("200 OK", &[], format!("<ListBucketResult>{page}</ListBucketResult>").as_bytes())
    });

    let listed = liar.store.list(7).unwrap();

    assert_eq!(listed.len(), 2);
    assert!(listed[0].sha256 < listed[1].sha256);
    assert_eq!(listed[0].stored_at, Timestamp::parse_rfc3339("2026-01-02T03:04:05Z").unwrap());
}

/// Plays a bucket in which an upload in parts goes wrong at the end.
fn parts(joined: &'static str) -> impl Fn(&Asked) -> Vec<u8> + Send + 'static {
    move |asked: &Asked| match (&*asked.method, asked.target.contains("uploads=")) {
        ("POST", true) => {
            let begun =
                "<InitiateMultipartUploadResult><UploadId>up-1</UploadId></InitiateMultipartUploadResult>";
            raw("200 OK", &[], begun.as_bytes())
        }
        ("POST", false) => raw("200 OK", &[], joined.as_bytes()),
        ("PUT", _) => raw("200 OK", &[("etag", "\"p\"")], b""),
        _ => raw("204 No Content", &[], b""),
    }
}

#[test]
fn an_error_in_a_good_status_ends_the_upload_and_its_parts_are_given_up() {
    let without = |config: &mut S3Config| config.checksums = Checksums::Left;
    let liar = Liar::with(without, parts("<Error><Code>InternalError</Code></Error>"));

    let error = put(&liar.store, &vec![7; (64 << 20) + 1]).unwrap_err();

    assert!(matches!(error, StoreError::Refused { .. }), "{error}");
    assert!(liar.network.seen().last().is_some_and(|call| call.starts_with("DELETE ")));
}

#[test]
fn parts_whose_joining_was_done_but_not_answered_are_read_back() {
    const SIZE: usize = (64 << 20) + 1;
    let content = vec![7u8; SIZE];
    let served = content.clone();
    let begin_and_send = parts("");
    let liar = Liar::new(move |asked| match (&*asked.method, asked.target.contains("uploads=")) {
        ("POST", false) => raw("404 Not Found", &[], b"<Error><Code>NoSuchUpload</Code></Error>"),
        ("HEAD", _) => {
            let size = SIZE.to_string();
            raw(
                "200 OK",
                &[("content-length", &*size), ("last-modified", "Wed, 21 Oct 2015 07:28:00 GMT")],
                b"",
            )
        }
        ("GET", _) => {
            let (first, last) = asked.header("range").unwrap()[6..].split_once('-').unwrap();
            let range = first.parse::<usize>().unwrap()..=last.parse::<usize>().unwrap();
            part(&format!("bytes {first}-{last}/{SIZE}"), &served[range])
        }
        _ => begin_and_send(asked),
    });

    put(&liar.store, &content).unwrap();

    let read_back = liar.network.seen().iter().filter(|call| call.starts_with("GET ")).count();
    assert_eq!(read_back, 5);
}

#[test]
fn given_up_parts_are_swept_after_their_lease_and_others_are_let_be() {
    let upload = |key: &str, id: &str, begun_at: Timestamp| {
        format!("<Upload><Key>{key}</Key><UploadId>{id}</UploadId><Initiated>{begun_at}</Initiated></Upload>")
    };
    let list = [
        upload("files/sha256/ab/abcd", "old", NOW - Span::hours(25)),
        upload("files/sha256/ab/abcd", "young", NOW - Span::hours(23)),
        upload("backups/else", "not-ours", NOW - Span::days(30)),
    ]
    .concat();
    let (tell, told) = std::sync::mpsc::channel();
    let liar = Liar::new(move |asked| {
        if asked.is("DELETE") {
            tell.send(asked.target.clone()).unwrap();
            return raw("204 No Content", &[], b"");
        }
        let document = format!(
            "<ListMultipartUploadsResult>{list}<IsTruncated>false</IsTruncated></ListMultipartUploadsResult>"
        );
        raw("200 OK", &[], document.as_bytes())
    });

    assert_eq!(liar.store.sweep(NOW, Span::days(1)).unwrap(), 1);

    let removed = told.try_recv().unwrap();
    assert!(removed.contains("uploadId=old"), "{removed}");
    assert!(told.try_recv().is_err());
}

#[test]
fn settings_that_cannot_work_are_refused_at_once() {
    let open = |adjust: fn(&mut S3Config)| {
        let mut config = crate::server::config("https://s3.example.com");
        adjust(&mut config);
        let dir = tempfile::tempdir().unwrap();
        let network = crate::network::TestNetwork::to("127.0.0.1:1".parse().unwrap());
        let clock = std::sync::Arc::new(kernel::ManualClock::at(NOW));
        let entropy = std::sync::Arc::new(kernel::SystemEntropy);
        stores::S3Store::open(&config, &dir.path().join("folder"), 1, network, clock, entropy).map(drop)
    };

    assert!(open(|_| {}).is_ok());
    assert!(matches!(
        open(|config| config.endpoint = "s3.example.com".to_owned()),
        Err(StoreError::Unfit { .. })
    ));
    assert!(matches!(open(|config| config.endpoint = "ftp://s3".to_owned()), Err(StoreError::Unfit { .. })));
    assert!(matches!(open(|config| config.prefix = "../".to_owned()), Err(StoreError::Unfit { .. })));
    assert!(matches!(open(|config| config.prefix = "no-slash".to_owned()), Err(StoreError::Unfit { .. })));
}

#[test]
fn the_secret_is_in_no_message() {
    let config = crate::server::config("https://s3.example.com");

    assert!(!format!("{config:?}").contains(crate::server::SECRET));
}
