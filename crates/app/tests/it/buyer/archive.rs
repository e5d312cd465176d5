//! All files of a link in one archive: its bytes, its places, and every way in which it ends.

use app::fulfillment::Grant;
use app::products::{FilePolicy, Product};
use axum::body::Body;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use kernel::Span;
use paysim::ipn::{Body as Ipn, Sale};
use sha2::{Digest as _, Sha256};

use crate::support::goods::{content, eur, text};
use crate::support::{NewGood, Reply, TestApp};

testkit::both_engines! {
    a_single_file_is_not_packed,
    several_files_come_in_one_archive_of_a_known_length,
    parts_that_are_fetched_side_by_side_make_up_the_archive,
    an_archive_is_the_same_after_a_restart_and_for_every_buyer,
    ranges_of_an_archive_are_those_of_a_file,
    an_archive_takes_a_place_of_each_file,
    an_archive_takes_all_places_or_none,
    starts_of_archives_and_files_at_once_never_pass_the_limit,
    an_archive_that_broke_off_is_resumed_without_another_place,
    an_archive_that_was_looked_at_gives_its_places_back_and_a_tenth_does_not,
    a_file_by_itself_is_measured_without_what_archives_handed_out,
    a_small_file_in_an_archive_cannot_be_fetched_for_ever,
    a_refund_cuts_a_running_archive,
    a_replaced_link_ends_its_archive,
    a_content_that_is_missing_is_told_before_the_first_byte_of_an_archive,
    an_archive_goes_on_with_what_it_has_opened_when_a_content_vanishes,
    a_new_version_makes_another_archive_and_leaves_the_old_one_whole,
    a_file_is_deflated_once_and_archives_have_the_stream,
    an_archive_that_began_before_its_file_was_deflated_keeps_its_bytes,
    a_deflated_file_takes_a_whole_place,
    what_deflating_does_not_make_smaller_is_left_and_not_tried_again,
    a_file_that_was_never_looked_at_is_deflated_for_the_next_archive,
    a_damaged_file_is_not_deflated_and_a_person_is_told,
    a_full_disk_delays_deflating_and_loses_nothing,
    the_audit_finds_a_stream_that_is_missing,
    an_archive_whose_rows_were_changed_is_refused,
    the_audit_finds_archives_that_were_miscounted,
}

const ALBUM: [(&str, usize); 4] =
    [("Track 1.flac", 3_000), ("Über uns – 日本語.pdf", 70_001), ("track 1.FLAC", 500), ("empty.txt", 0)];

struct Bought {
    grant: Grant,
    product: Product,
    sale: Sale,
    landing: String,
}

fn album() -> NewGood {
    of_files(&ALBUM)
}

fn of_files(files: &[(&str, usize)]) -> NewGood {
    let files = files.iter().map(|(name, size)| ((*name).to_owned(), content(name, *size)));
    NewGood { files: files.collect(), ..NewGood::of("ALBUM") }
}

fn bought(t: &TestApp, good: NewGood) -> Bought {
    let product = t.product(good);
    let order = t.order(&[(&product, 1)]);
    let sale = t.pay(&order);
    let grant = t.grant(&order);
    Bought { landing: format!("/d/{}", t.link(&grant)), grant, product, sale }
}

fn post(path: &str) -> Request<Body> {
    Request::post(path).body(Body::empty()).expect("a request")
}

fn start(t: &TestApp, bought: &Bought) -> Reply {
    t.request(post(&format!("{}/archive", bought.landing)))
}

/// Starts an archive and answers the path of its bytes.
fn archive(t: &TestApp, bought: &Bought) -> String {
    let started = start(t, bought);
    assert_eq!(started.status, StatusCode::SEE_OTHER, "{}", started.text());
    started.location().to_owned()
}

/// Starts one file of the link and answers the path of its bytes.
fn single(t: &TestApp, bought: &Bought, ordinal: usize) -> String {
    let version = t.files(&bought.grant)[ordinal].version;
    let started = t.request(post(&format!("{}/files/{version}", bought.landing)));
    assert_eq!(started.status, StatusCode::SEE_OTHER, "{}", started.text());
    started.location().to_owned()
}

fn asked(path: &str, range: &str) -> Request<Body> {
    Request::get(path).header("range", range).body(Body::empty()).expect("a request")
}

fn range(t: &TestApp, path: &str, range: &str) -> Reply {
    t.request(asked(path, range))
}

fn head(t: &TestApp, path: &str) -> Reply {
    t.request(Request::head(path).body(Body::empty()).expect("a request"))
}

fn taken(t: &TestApp, bought: &Bought) -> Vec<u32> {
    t.files(&bought.grant).iter().map(|file| file.taken).collect()
}

/// Places that are open and spent, by file.
fn places(t: &TestApp, bought: &Bought) -> Vec<(u32, u32)> {
    let (merchant, grant) = (bought.grant.merchant, bought.grant.id);
    let places = t.read(move |snapshot| Ok(app::downloads::store::places(snapshot, merchant, grant)?));
    places.iter().map(|places| (places.open, places.spent)).collect()
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn a_single_file_is_not_packed(t: TestApp) {
    let bought = bought(&t, NewGood::of("FONT"));

    let page = t.get(&bought.landing);

    assert!(!page.text().contains("/archive"), "{}", page.text());
    assert_eq!(start(&t, &bought).status, StatusCode::NOT_FOUND);
    assert_eq!(taken(&t, &bought), [0]);
}

fn several_files_come_in_one_archive_of_a_known_length(t: TestApp) {
    let bought = bought(&t, album());
    let page = t.get(&bought.landing).text();

    let path = archive(&t, &bought);
    let length = head(&t, &path).header("content-length").to_owned();
    let whole = t.get(&path);
    t.watch_transfers();

    assert!(page.contains("All files in one archive") && page.contains("zip with 4 files"), "{page}");
    assert!(page.contains("The ALBUM.zip") && page.contains("Counts as one download of each file"), "{page}");
    assert!(path.ends_with("/The%20ALBUM.zip"), "{path}");
    assert_eq!((whole.status, whole.header("content-type")), (StatusCode::OK, "application/zip"));
    assert_eq!(whole.header("content-length"), length);
    assert_eq!(whole.body.len().to_string(), length);
    assert!(whole.header("etag").starts_with('"'), "a strong tag");
    crate::support::unzip::check(
        &whole.body,
        &[
            ("Track 1.flac", content("Track 1.flac", 3_000)),
            ("Über uns – 日本語.pdf", content("Über uns – 日本語.pdf", 70_001)),
            ("track 1 (2).FLAC", content("track 1.FLAC", 500)),
            ("empty.txt", Vec::new()),
        ],
    );
}

fn parts_that_are_fetched_side_by_side_make_up_the_archive(t: TestApp) {
    let bought = bought(&t, of_files(&[("a.bin", 700_000), ("b.bin", 1), ("c.bin", 2_300_000)]));
    let whole = t.get(&archive(&t, &bought)).body;
    let path = archive(&t, &bought);
    let step = whole.len().div_ceil(16);
    let parts =
        (0..16).map(|part| asked(&path, &format!("bytes={}-{}", part * step, part * step + step - 1)));

    let answers = t.requests_in_parallel(parts.collect());
    t.watch_transfers();

    let joined: Vec<u8> = answers.iter().flat_map(|answer| answer.body.clone()).collect();
    assert_eq!(digest(&joined), digest(&whole));
    assert_eq!(places(&t, &bought), [(0, 2); 3]);
}

fn an_archive_is_the_same_after_a_restart_and_for_every_buyer(t: TestApp) {
    let bought = bought(&t, album());
    let path = archive(&t, &bought);
    let first = t.get(&path);

    let again = Request::get(&path).body(Body::empty()).expect("a request");
    let restarted = t.request_after_restart(again);
    t.advance(Span::hours(5));
    let other = {
        let order = t.order(&[(&bought.product, 1)]);
        let mut sale = t.sale_of(&order);
        sale.txn_id = paysim::ipn::txn_id("other");
        t.deliver_and_run(&Ipn::completed(&sale, paysim::ipn::Means::Instant));
        let landing = t.landing_of(&order);
        t.get(t.request(post(&format!("{landing}/archive"))).location())
    };
    t.watch_transfers();

    assert_eq!(digest(&first.body), digest(&restarted.body));
    assert_eq!(digest(&first.body), digest(&other.body));
    assert_eq!([restarted.header("etag"), other.header("etag")], [first.header("etag"); 2]);
}

fn ranges_of_an_archive_are_those_of_a_file(t: TestApp) {
    let bought = bought(&t, album());
    let path = archive(&t, &bought);
    let whole = t.get(&archive(&t, &bought)).body;
    let tag = head(&t, &path).header("etag").to_owned();
    let last = whole.len() - 1;
    let with = |condition: &str| {
        let request = Request::get(&path).header("range", "bytes=5-9").header("if-range", condition);
        t.request(request.body(Body::empty()).expect("a request")).body
    };

    let tail = range(&t, &path, "bytes=-30");
    let several = range(&t, &path, "bytes=0-9,3000-3100,-22");
    let outside = range(&t, &path, &format!("bytes={}-", last + 1));

    assert_eq!((tail.status, tail.body.as_slice()), (StatusCode::PARTIAL_CONTENT, &whole[last - 29..]));
    assert_eq!(tail.header("content-range"), format!("bytes {}-{last}/{}", last - 29, last + 1));
    assert_eq!(several.header("content-length"), several.body.len().to_string());
    let holds = |part: &[u8]| several.body.windows(part.len()).any(|window| window == part);
    assert!([&whole[..10], &whole[3_000..3_101], &whole[last - 21..]].into_iter().all(holds));
    assert!(holds(b"application/zip"), "each part says what it is of");
    assert_eq!(outside.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(with(&tag), &whole[5..10]);
    assert_eq!(with("\"another\""), whole);
    let unchanged = Request::get(&path).header("if-none-match", &tag).body(Body::empty());
    assert_eq!(t.request(unchanged.expect("a request")).status, StatusCode::NOT_MODIFIED);
    let refused = Request::builder().method(Method::POST).uri(&path).body(Body::empty());
    assert_eq!(t.request(refused.expect("a request")).status, StatusCode::METHOD_NOT_ALLOWED);
    t.watch_transfers();
}

fn an_archive_takes_a_place_of_each_file(t: TestApp) {
    let bought = bought(&t, album().limited_to(2));

    let path = archive(&t, &bought);
    let reserved = places(&t, &bought);
    head(&t, &path);
    t.watch_transfers();
    let looked_at = places(&t, &bought);
    t.get(&path);
    t.watch_transfers();

    assert_eq!((reserved, looked_at), (vec![(1, 0); 4], vec![(1, 0); 4]));
    assert_eq!(places(&t, &bought), [(0, 1); 4]);
    let session = t.downloads(&bought.grant).remove(0);
    assert_eq!((session.bytes, session.size), (73_501, 73_501), "contents, and not headers");
    assert!(t.get(&bought.landing).text().contains("1 download left"));
}

fn an_archive_takes_all_places_or_none(t: TestApp) {
    let bought = bought(&t, album().limited_to(1));
    single(&t, &bought, 2);

    let refused = start(&t, &bought);
    let page = t.get(&bought.landing).text();

    assert_eq!(refused.status, StatusCode::GONE);
    assert_eq!(taken(&t, &bought), [0, 0, 1, 0]);
    assert_eq!(t.downloads(&bought.grant).len(), 1);
    assert!(page.contains("The others you can still have one by one"), "{page}");
    assert!(!page.contains(&format!("action=\"{}/archive\"", bought.landing)), "{page}");
}

fn starts_of_archives_and_files_at_once_never_pass_the_limit(t: TestApp) {
    let bought = bought(&t, album().limited_to(3));
    let version = t.files(&bought.grant)[1].version;
    let paths = [format!("{}/archive", bought.landing), format!("{}/files/{version}", bought.landing)];

    let answers = t.requests_in_parallel((0..40).map(|turn| post(&paths[turn % 2])).collect());

    let begun = |answer: &&Reply| answer.status == StatusCode::SEE_OTHER;
    let refused = answers.iter().filter(|answer| answer.status == StatusCode::GONE).count();
    let archives = answers.iter().filter(begun).filter(|answer| answer.location().ends_with(".zip")).count();
    let archives = u32::try_from(archives).expect("few");
    assert_eq!(answers.iter().filter(begun).count(), 3, "whoever starts takes a place of this file");
    assert_eq!(refused, 37);
    assert_eq!(taken(&t, &bought), [archives, 3, archives, archives]);
}

fn an_archive_that_broke_off_is_resumed_without_another_place(t: TestApp) {
    let bought = bought(&t, album().limited_to(1));
    let path = archive(&t, &bought);
    let first = range(&t, &path, "bytes=0-39999").body;
    t.watch_transfers();

    let page = t.get(&bought.landing);
    let resumed = t.request(post(&format!("{}/archive/resume", bought.landing)));
    let rest = range(&t, resumed.location(), "bytes=40000-").body;
    let joined = [first, rest].concat();
    t.watch_transfers();

    assert_eq!(page.status, StatusCode::OK, "no place is left, but the archive is to be gone on with");
    assert!(page.text().contains("begun, and not counted again"), "{}", page.text());
    assert_eq!(resumed.location(), path);
    assert_eq!(joined.len().to_string(), head(&t, &path).header("content-length"));
    assert_eq!(digest(&joined), digest(&t.get(&path).body));
    assert_eq!((t.downloads(&bought.grant).len(), places(&t, &bought)), (1, vec![(0, 1); 4]));
    assert_eq!(t.get(&bought.landing).status, StatusCode::GONE, "now it is used up");
    t.watch_transfers();
}

fn an_archive_that_was_looked_at_gives_its_places_back_and_a_tenth_does_not(t: TestApp) {
    let bought = bought(&t, of_files(&[("a.bin", 900), ("b.bin", 9_100)]).limited_to(2));
    let (little, much) = (archive(&t, &bought), archive(&t, &bought));
    range(&t, &little, "bytes=0-899");
    let whole = range(&t, &much, "bytes=0-1500");
    assert_eq!(whole.body.len(), 1_501);
    t.watch_transfers();
    assert_eq!(places(&t, &bought), [(2, 0); 2]);

    t.advance(Span::minutes(61));
    t.keep_house();

    assert_eq!(places(&t, &bought), [(0, 1); 2]);
    assert_eq!(t.get(&little).status, StatusCode::GONE, "its places are somebody else's");
    assert_eq!(t.get(&much).status, StatusCode::OK);
    t.watch_transfers();
}

fn a_file_by_itself_is_measured_without_what_archives_handed_out(t: TestApp) {
    let bought = bought(&t, of_files(&[("a.bin", 1_000), ("b.bin", 1_000)]).limited_to(5));
    // An archive that is under way has handed out the first file whole, another has ended.
    range(&t, &archive(&t, &bought), "bytes=0-1200");
    t.get(&archive(&t, &bought));
    t.watch_transfers();

    let path = single(&t, &bought, 0);
    range(&t, &path, "bytes=0-9");
    t.watch_transfers();
    let begun = places(&t, &bought)[0];
    range(&t, &path, "bytes=10-");
    t.watch_transfers();

    assert_eq!(begun, (2, 1), "ten bytes are no download");
    assert_eq!(places(&t, &bought)[0], (1, 2), "and all of them are one");
}

fn a_small_file_in_an_archive_cannot_be_fetched_for_ever(t: TestApp) {
    let bought = bought(&t, of_files(&[("key.bin", 100_000), ("film.bin", 3_000_000)]));
    let path = archive(&t, &bought);
    let small = |t: &TestApp| range(t, &path, "bytes=0-99999").status.as_u16();

    let fetched: Vec<u16> = (0..5).map(|_| small(&t)).collect();
    t.watch_transfers();

    assert_eq!(fetched, [206, 206, 206, 410, 410]);
    assert_eq!(small(&t), 410, "also once it has been saved");
    assert_eq!(range(&t, &path, "bytes=200000-").status, StatusCode::PARTIAL_CONTENT, "the rest can be had");
    t.watch_transfers();
}

fn a_refund_cuts_a_running_archive(t: TestApp) {
    let bought = bought(&t, of_files(&[("a.bin", 3_000_000), ("b.bin", 3_000_000)]));
    let path = archive(&t, &bought);
    let mut body = t.begin_request(Request::get(&path).body(Body::empty()).expect("a request")).into_body();
    let mut frame = || t.block_on(body.frame()).expect("a frame");
    let flowing = [frame().is_ok(), frame().is_ok()];

    t.deliver_and_run(&Ipn::refunded(&bought.sale, &t.movement("all", eur(49_00))));
    t.watch_transfers();
    let cut = frame();

    assert_eq!(flowing, [true; 2]);
    assert!(cut.is_err(), "half an archive must not look like a whole one");
    assert_eq!(t.get(&path).status, StatusCode::GONE);
    assert_eq!(start(&t, &bought).status, StatusCode::GONE);
}

fn a_replaced_link_ends_its_archive(t: TestApp) {
    let bought = bought(&t, album());
    let path = archive(&t, &bought);
    range(&t, &path, "bytes=0-9999");
    let order = bought.grant.order;

    t.write(move |cx| app::orders::flow::reissue(cx, order)).expect("links are replaced");
    t.watch_transfers();
    t.run_jobs();

    assert_eq!(t.get(&path).status, StatusCode::GONE);
    assert_eq!(start(&t, &bought).status, StatusCode::NOT_FOUND);
    assert_eq!(taken(&t, &bought), [0; 4]);
}

/// Takes a content away, as a person or a disk would.
fn lose(t: &TestApp, bought: &Bought, ordinal: usize) {
    let lost: stores::Sha256 = t.files(&bought.grant)[ordinal].sha256.parse().expect("a digest");
    let later = kernel::Timestamp::from_seconds(4_000_000_000);
    stores::BlobStore::remove(&*t.disk, &lost, later).expect("removed");
}

fn a_content_that_is_missing_is_told_before_the_first_byte_of_an_archive(t: TestApp) {
    // What is sold is not there any more, and the audit says so.
    t.leaves_violation("I12");
    let bought = bought(&t, of_files(&[("a.bin", 10), ("b.bin", 2_000_000)]));
    let path = archive(&t, &bought);
    lose(&t, &bought, 1);

    let answer = t.get(&path);
    let beginning = range(&t, &path, "bytes=0-9");
    t.watch_transfers();

    assert_eq!(
        answer.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "what is missing must not be left out silently"
    );
    assert!(answer.text().contains("cannot be read"), "{}", answer.text());
    assert_eq!(beginning.status, StatusCode::PARTIAL_CONTENT, "what is there can be had");
    assert_eq!(places(&t, &bought), [(1, 0), (1, 0)], "nothing is spent");
}

fn an_archive_goes_on_with_what_it_has_opened_when_a_content_vanishes(t: TestApp) {
    t.leaves_violation("I12");
    let bought = bought(&t, of_files(&[("a.bin", 3_000_000), ("b.bin", 50_000)]));
    let path = archive(&t, &bought);
    let mut body = t.begin_request(asked(&path, "bytes=0-")).into_body();
    t.block_on(body.frame()).expect("a frame").expect("bytes");

    lose(&t, &bought, 1);
    let rest = t.block_on(body.collect());

    assert!(rest.is_ok(), "{rest:?}");
    t.watch_transfers();
}

fn a_new_version_makes_another_archive_and_leaves_the_old_one_whole(t: TestApp) {
    let good = NewGood { file_policy: FilePolicy::Latest, ..of_files(&[("a.bin", 1_000), ("b.bin", 1_000)]) };
    let bought = bought(&t, good);
    let old = archive(&t, &bought);
    let before = range(&t, &old, "bytes=0-999").body;
    let stored = t.store("b2.bin", &content("new", 5_000));
    let (product, merchant) = (bought.product.clone(), bought.product.merchant);
    t.advance(Span::hours(1));
    t.write(move |cx| {
        let files = app::products::store::files(cx.tx, merchant, product.id)?;
        app::products::flow::replace_file(cx, &product, &files[1], &stored)
    })
    .expect("a file is replaced");

    let page = t.get(&bought.landing).text();
    let rest = range(&t, &old, "bytes=1000-").body;
    let new = t.get(&archive(&t, &bought));
    t.watch_transfers();

    assert!(page.contains(&format!("action=\"{}/archive\"", bought.landing)), "a new one is begun: {page}");
    let a = ("a.bin", content("a.bin", 1_000));
    crate::support::unzip::check(&[before, rest].concat(), &[a.clone(), ("b.bin", content("b.bin", 1_000))]);
    crate::support::unzip::check(&new.body, &[a, ("b2.bin", content("new", 5_000))]);
    t.run_jobs();
}

fn an_archive_whose_rows_were_changed_is_refused(t: TestApp) {
    let bought = bought(&t, album());
    let path = archive(&t, &bought);
    let version = t.files(&bought.grant)[0].version;
    t.write(move |cx| {
        let renamed = db::sql("UPDATE file_versions SET name = 'other.flac' WHERE id = $1").bind(version);
        Ok(renamed.change_one(cx.tx)?)
    })
    .expect("a row is changed");

    assert_eq!(t.get(&path).status, StatusCode::GONE);
}

fn the_audit_finds_archives_that_were_miscounted(t: TestApp) {
    for check in ["I2", "I8"] {
        t.leaves_violation(check);
    }
    let bought = bought(&t, album());
    let other = t.product(NewGood::of("FONT"));
    t.get(&archive(&t, &bought));
    t.watch_transfers();
    assert_eq!(t.broken_checks(), Vec::<&str>::new());
    let damage = |statement: &'static str| {
        t.write(move |cx| Ok(db::sql(statement).execute(cx.tx)?)).expect("the damage is done");
        t.broken_checks()
    };

    let bytes = damage("UPDATE download_files SET bytes = bytes + 1 WHERE position = 0");
    damage("UPDATE download_files SET bytes = bytes - 1 WHERE position = 0");
    let places = damage("UPDATE grant_files SET spent_places = spent_places - 1");
    damage("UPDATE grant_files SET spent_places = spent_places + 1");
    let foreign = {
        let font = other.id;
        t.write(move |cx| {
            let swapped = db::sql(
                "UPDATE download_files SET file_version_id = (SELECT v.id FROM file_versions v
                    JOIN product_files f ON f.id = v.product_file_id WHERE f.product_id = $1) WHERE position = 0",
            );
            Ok(swapped.bind(font).change_one(cx.tx)?)
        })
        .expect("the damage is done");
        t.broken_checks()
    };

    assert_eq!((bytes, places), (vec!["I8"], vec!["I8"]));
    assert_eq!(foreign, ["I2", "I8"]);
}

const BOOK: usize = 400_000;

fn book() -> NewGood {
    let files =
        vec![("book.txt".to_owned(), text("book", BOOK)), ("cover.png".to_owned(), content("cover", 20_000))];
    NewGood { files, ..NewGood::of("BOOK") }
}

fn unpacked(whole: &[u8]) {
    let cover = ("cover.png", content("cover", 20_000));
    crate::support::unzip::check(whole, &[("book.txt", text("book", BOOK)), cover]);
}

fn known(t: &TestApp, bought: &Bought, ordinal: usize) -> app::packed::Known {
    let sha256 = t.files(&bought.grant)[ordinal].sha256.clone();
    t.read(move |snapshot| Ok(app::packed::store::known(snapshot, &sha256)?))
}

fn a_file_is_deflated_once_and_archives_have_the_stream(t: TestApp) {
    let bought = bought(&t, book());
    let deflated = known(&t, &bought, 0).stream().expect("a stream");

    let whole = t.get(&archive(&t, &bought));
    t.watch_transfers();
    let second = t.product(NewGood { sku: "AGAIN".to_owned(), ..book() });

    assert!(deflated.size * 4 < u64::try_from(BOOK).expect("a small number"), "{}", deflated.size);
    assert!(whole.body.len() < 130_000, "{}", whole.body.len());
    unpacked(&whole.body);
    assert_eq!(t.undone_jobs(), Vec::<String>::new(), "the same content is not deflated again");
    assert_ne!(second.id, bought.product.id);
}

fn an_archive_that_began_before_its_file_was_deflated_keeps_its_bytes(t: TestApp) {
    let bought = bought(&t, book());
    t.write(|cx| Ok(db::sql("DELETE FROM packed").execute(cx.tx)?)).expect("nothing was deflated yet");
    let path = archive(&t, &bought);
    let (tag, first) = (head(&t, &path).header("etag").to_owned(), range(&t, &path, "bytes=0-99999").body);
    t.watch_transfers();

    t.run_jobs();
    let restarted = Request::get(&path).header("range", "bytes=100000-").body(Body::empty());
    let rest = t.request_after_restart(restarted.expect("a request"));
    let resumed = t.request(post(&format!("{}/archive/resume", bought.landing)));
    let other = head(&t, &archive(&t, &bought)).header("etag").to_owned();
    t.watch_transfers();

    assert!(known(&t, &bought, 0).stream().is_some());
    assert_eq!(rest.header("etag"), tag);
    unpacked(&[first, rest.body].concat());
    assert_eq!(resumed.location(), path, "the button goes on with what was begun");
    assert_ne!(other, tag, "what begins now has the stream");
}

fn a_deflated_file_takes_a_whole_place(t: TestApp) {
    let bought = bought(&t, book().limited_to(2));

    t.get(&archive(&t, &bought));
    t.watch_transfers();
    let spent = places(&t, &bought);
    let path = single(&t, &bought, 0);
    range(&t, &path, "bytes=0-9");
    t.watch_transfers();
    let begun = places(&t, &bought)[0];
    range(&t, &path, "bytes=10-");
    t.watch_transfers();

    assert_eq!((spent, begun), (vec![(0, 1); 2], (1, 1)));
    assert_eq!(places(&t, &bought)[0], (0, 2));
}

fn what_deflating_does_not_make_smaller_is_left_and_not_tried_again(t: TestApp) {
    let bought = bought(&t, of_files(&[("a.jpg", 50_000), ("b.txt", 4_000)]));

    let whole = t.get(&archive(&t, &bought));
    t.watch_transfers();

    assert_eq!(known(&t, &bought, 0), app::packed::Known::Stored);
    assert_eq!(known(&t, &bought, 1), app::packed::Known::Nothing, "too small to be looked at");
    let files = [("a.jpg", content("a.jpg", 50_000)), ("b.txt", content("b.txt", 4_000))];
    crate::support::unzip::check(&whole.body, &files);
    assert_eq!(t.undone_jobs(), Vec::<String>::new());
}

fn a_file_that_was_never_looked_at_is_deflated_for_the_next_archive(t: TestApp) {
    let bought = bought(&t, book());
    t.write(|cx| Ok(db::sql("DELETE FROM packed").execute(cx.tx)?)).expect("an older program's rows");

    let first = t.get(&archive(&t, &bought));
    t.run_jobs();
    let second = t.get(&archive(&t, &bought));
    t.watch_transfers();

    assert!(first.body.len() > BOOK && second.body.len() < BOOK);
    unpacked(&first.body);
    unpacked(&second.body);
}

fn a_damaged_file_is_not_deflated_and_a_person_is_told(t: TestApp) {
    // A large content is not compared with its digest when it is opened.
    t.leaves_jobs();
    let good = NewGood { files: vec![("big.txt".to_owned(), text("big", 1_500_000))], ..NewGood::of("BIG") };
    let product = t.product(good);
    let merchant = product.merchant;
    let file =
        t.read(move |snapshot| Ok(app::products::store::files(snapshot, merchant, product.id)?)).remove(0);
    t.disk.damage(&file.sha256, 700_000);

    t.run_jobs();

    let undone = t.undone_jobs().join("\n");
    assert!(undone.contains("deflate_content dead") && undone.contains("is damaged"), "{undone}");
    assert!(undone.contains("restore it from a backup or upload the file again"), "{undone}");
    let (rows, sha256) = (t.disk.count(), file.sha256);
    assert_eq!(
        t.read(move |snapshot| Ok(app::packed::store::known(snapshot, &sha256)?)),
        app::packed::Known::Nothing
    );
    assert_eq!(rows, 1, "the stream of something else was not kept");
}

fn a_full_disk_delays_deflating_and_loses_nothing(t: TestApp) {
    let product = t.product(book());
    t.disk.leave_room(10);

    t.run_jobs();
    let waiting = t.undone_jobs().join("\n");
    t.disk.leave_room(u64::MAX);
    t.advance(Span::hours(1));
    t.run_jobs();

    assert!(
        waiting.contains("deflate_content ready") && waiting.contains("free space or enlarge it"),
        "{waiting}"
    );
    let merchant = product.merchant;
    let file =
        t.read(move |snapshot| Ok(app::products::store::files(snapshot, merchant, product.id)?)).remove(0);
    let known = t.read(move |snapshot| Ok(app::packed::store::known(snapshot, &file.sha256)?));
    assert!(known.stream().is_some());
}

fn the_audit_finds_a_stream_that_is_missing(t: TestApp) {
    t.leaves_violation("I12");
    let bought = bought(&t, book());
    let stream: stores::Sha256 =
        known(&t, &bought, 0).stream().expect("a stream").sha256.parse().expect("a digest");
    let later = kernel::Timestamp::from_seconds(4_000_000_000);

    stores::BlobStore::remove(&*t.disk, &stream, later).expect("removed");

    assert_eq!(t.broken_checks(), ["I12"]);
}
