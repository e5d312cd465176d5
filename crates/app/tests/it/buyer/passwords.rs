//! Archives with a password: its ways to the buyer, and the bytes on every way through them.

use std::process::Command;

use app::archives::{PasswordRule, Terms};
use app::deliverables::Deliverables;
use app::orders::Order;
use http::{Request, StatusCode};
use sha2::{Digest as _, Sha256};

use super::attribute;
use crate::support::goods::{content, text};
use crate::support::{NewGood, Reply, TestApp};

testkit::both_engines! {
    a_protected_archive_opens_with_the_password_of_its_page,
    nothing_is_handed_out_singly_where_one_archive_is_sold,
    the_password_comes_in_a_mail_without_a_link,
    the_buyer_chooses_the_password_once_and_before_the_first_download,
    parts_of_a_protected_archive_make_up_the_whole_also_after_a_restart,
    the_tail_of_a_protected_archive_comes_without_its_beginning,
    each_unit_has_a_password_and_bytes_of_its_own,
}

fn protected(rule: Option<PasswordRule>) -> NewGood {
    let deliverables = Deliverables { archive: Some(Terms { password: rule }), ..Deliverables::default() };
    let files = vec![
        ("book.txt".to_owned(), text("a line of the book", 300_000)),
        ("cover.jpg".to_owned(), content("cover", 70_000)),
    ];
    NewGood { files, deliverables, ..NewGood::of("BOOK") }
}

fn bought(t: &TestApp, rule: Option<PasswordRule>) -> Order {
    let product = t.product(protected(rule));
    t.run_jobs();
    let order = t.order(&[(&product, 1)]);
    t.pay(&order);
    order
}

/// Starts the archive and answers the path of its bytes.
fn start(t: &TestApp, order: &Order) -> String {
    let begun = t.post(&format!("{}/archive", t.landing_of(order)), &[]);
    assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.text());
    begun.location().to_owned()
}

fn range(t: &TestApp, path: &str, range: &str) -> Reply {
    let request = Request::get(path).header("range", format!("bytes={range}"));
    t.request(request.body(axum::body::Body::empty()).expect("a request"))
}

/// What 7-Zip finds in an archive, by name. It reads WinZip's AES.
fn unpacked(archive: &[u8], password: &str, name: &str) -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.zip");
    std::fs::write(&path, archive).expect("written");
    let (out, given) = (format!("-o{}", folder.path().display()), format!("-p{password}"));
    let ran = Command::new("7z").arg("x").arg("-y").arg(out).arg(given).arg(&path).output();
    let ran = ran.expect("7z is installed");
    ran.status.success().then(|| std::fs::read(folder.path().join(name)).expect("unpacked"))
}

/// The password that the page of the link shows.
fn shown_password(t: &TestApp, order: &Order) -> Option<String> {
    let page = t.get(&t.landing_of(order)).text();
    attribute(&page, "data-copy=\"", "data-copy").filter(|text| text.matches('-').count() == 4)
}

fn a_protected_archive_opens_with_the_password_of_its_page(t: TestApp) {
    let order = bought(&t, Some(PasswordRule::Page));
    let password = shown_password(&t, &order).expect("the page shows the password");
    let archive = t.get(&start(&t, &order));
    assert_eq!(unpacked(&archive.body, &password, "book.txt"), Some(text("a line of the book", 300_000)));
    assert_eq!(unpacked(&archive.body, &password, "cover.jpg"), Some(content("cover", 70_000)));
    assert_eq!(unpacked(&archive.body, "another", "book.txt"), None);
    let told = t.mails_to("buyer@example.com");
    assert!(told.iter().all(|mail| !mail.text.contains(&password)), "no mail tells it");
    assert!(archive.body.len() < 150_000, "the text is deflated inside: {}", archive.body.len());
}

fn nothing_is_handed_out_singly_where_one_archive_is_sold(t: TestApp) {
    let order = bought(&t, None);
    let landing = t.landing_of(&order);
    let file = t.files(&t.grant(&order)).remove(0).version;
    assert!(!t.get(&landing).text().contains("/files/"));
    assert_eq!(t.post(&format!("{landing}/files/{file}"), &[]).status, StatusCode::NOT_FOUND);
    let archive = t.get(&start(&t, &order));
    assert_eq!(unpacked(&archive.body, "", "cover.jpg"), Some(content("cover", 70_000)));
}

fn the_password_comes_in_a_mail_without_a_link(t: TestApp) {
    let order = bought(&t, Some(PasswordRule::Mail));
    assert_eq!(shown_password(&t, &order), None);
    let archive = t.get(&start(&t, &order));
    let mails = t.mails_to("buyer@example.com");
    let link = t.link(&t.grant(&order));
    let told = mails.iter().find(|mail| mail.subject.contains("password")).expect("a mail of its own");
    assert!(!told.text.contains(&link) && !told.text.contains("/d/"), "{}", told.text);
    let line = told.text.lines().find(|line| line.matches('-').count() == 4).expect("a password");
    assert_eq!(unpacked(&archive.body, line.trim(), "cover.jpg"), Some(content("cover", 70_000)));
    let with_link = mails.iter().filter(|mail| mail.text.contains(&link));
    assert!(with_link.into_iter().all(|mail| !mail.text.contains(line.trim())));
}

fn the_buyer_chooses_the_password_once_and_before_the_first_download(t: TestApp) {
    let order = bought(&t, Some(PasswordRule::Chosen));
    let landing = t.landing_of(&order);
    assert_eq!(t.post(&format!("{landing}/archive"), &[]).status, StatusCode::CONFLICT);
    let visitor = t.visitor();
    visitor.get(&landing);
    let choose = |text: &str| visitor.post(&format!("{landing}/password"), &[("password", text)]);
    for wrong in ["", "short", "contraseña larga"] {
        let refused = choose(wrong);
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    assert_eq!(choose("correct horse battery").status, StatusCode::SEE_OTHER);
    choose("somebody else's choice");
    let archive = t.get(&start(&t, &order));
    let opened = unpacked(&archive.body, "correct horse battery", "cover.jpg");
    assert_eq!(opened, Some(content("cover", 70_000)));
}

fn parts_of_a_protected_archive_make_up_the_whole_also_after_a_restart(t: TestApp) {
    let order = bought(&t, Some(PasswordRule::Page));
    let path = start(&t, &order);
    let whole = t.get(&path);
    let length = whole.body.len();
    let mut joined = Vec::new();
    for (at, begin) in (0..length).step_by(9_973).enumerate() {
        let end = (begin + 9_973).min(length) - 1;
        let part = if at % 2 == 0 {
            range(&t, &path, &format!("{begin}-{end}"))
        } else {
            // Another process computes it anew, with nothing in its memory.
            t.request_after_restart(
                Request::get(&path)
                    .header("range", format!("bytes={begin}-{end}"))
                    .body(axum::body::Body::empty())
                    .expect("a request"),
            )
        };
        assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
        assert_eq!(part.header("etag"), whole.header("etag"));
        joined.extend_from_slice(&part.body);
    }
    assert_eq!(Sha256::digest(&joined), Sha256::digest(&whole.body));
}

fn the_tail_of_a_protected_archive_comes_without_its_beginning(t: TestApp) {
    let order = bought(&t, Some(PasswordRule::Page));
    let path = start(&t, &order);
    // Before anything else was read: the tags of entries that were never passed over.
    let tail = range(&t, &path, "-30000");
    let whole = t.get(&path);
    assert_eq!(tail.status, StatusCode::PARTIAL_CONTENT);
    assert!(whole.body.ends_with(&tail.body));
}

fn each_unit_has_a_password_and_bytes_of_its_own(t: TestApp) {
    let product = t.product(protected(Some(PasswordRule::Page)));
    let order = t.order(&[(&product, 2)]);
    t.pay(&order);
    let archives: Vec<Vec<u8>> = t
        .grants(&order)
        .iter()
        .map(|grant| {
            let begun = t.post(&format!("/d/{}/archive", t.link(grant)), &[]);
            t.get(begun.location()).body
        })
        .collect();
    assert_eq!(archives[0].len(), archives[1].len());
    let alike = archives[0].windows(16).skip(100).step_by(1_000);
    let alike = alike.filter(|window| archives[1].windows(16).any(|other| other == *window)).count();
    assert!(alike < 5, "{alike} stretches are the same");
}
