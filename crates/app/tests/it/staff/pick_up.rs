//! Taking files from the operator's folders.

use app::products::Product;
use http::StatusCode;
use kernel::Span;

use super::products::{at, desk};
use crate::support::goods::content;
use crate::support::http::Visitor;
use crate::support::{NewGood, Reply, TestApp};

testkit::both_engines! {
    files_of_a_folder_become_files_of_the_package,
    what_is_there_is_shown_and_not_taken,
    what_is_not_there_or_leads_away_is_refused,
    a_file_that_vanishes_before_its_turn_is_told_and_nothing_is_taken,
    a_folder_that_is_not_mounted_is_waited_for,
    a_full_disk_is_waited_for_and_what_was_taken_is_not_lost,
    a_pick_up_that_was_killed_is_done_once,
}

/// Puts files into the operator's folder.
fn goods(t: &TestApp, files: &[(&str, Vec<u8>)]) {
    for (name, bytes) in files {
        let path = t.goods.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        std::fs::write(path, bytes).expect("a file");
    }
}

fn films(t: &TestApp) {
    let files = [
        ("film-1.mkv", content("one", 70_000)),
        ("film-2.mkv", content("two", 3_000)),
        ("notes.txt", b"not for sale".to_vec()),
    ];
    goods(t, &files);
}

fn names(t: &TestApp, product: &Product) -> Vec<(String, u64)> {
    let (merchant, id) = (product.merchant, product.id);
    let files = t.read(move |snapshot| Ok(app::products::store::files(snapshot, merchant, id)?));
    files.into_iter().map(|file| (file.name, file.size)).collect()
}

fn bare(t: &TestApp) -> Product {
    t.product(NewGood { files: Vec::new(), ..NewGood::of("FILM") })
}

fn asked(owner: &Visitor<'_>, product: &Product, spec: &str) -> Reply {
    let path = at(product, "/pick-up");
    owner.get(&path);
    owner.post(&path, &[("spec", spec)])
}

fn files_of_a_folder_become_files_of_the_package(t: TestApp) {
    films(&t);
    let (owner, product) = (desk(&t), bare(&t));

    let reply = asked(&owner, &product, "/goods/film-*.mkv");
    t.run_jobs();
    std::fs::write(t.goods.join("film-1.mkv"), b"changed later").expect("it is written");

    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text());
    assert_eq!(names(&t, &product), [("film-1.mkv".to_owned(), 70_000), ("film-2.mkv".to_owned(), 3_000)]);
    let stored = t.app.blobs().open(&stores::Sha256::of(&content("one", 70_000)), 70_000);
    assert_eq!(stored.expect("it is stored").all(), content("one", 70_000));
    assert_eq!(t.count("SELECT count(*) AS n FROM events WHERE kind = 'product.pick_up_asked'"), 1);
}

fn what_is_there_is_shown_and_not_taken(t: TestApp) {
    films(&t);
    let (owner, product) = (desk(&t), bare(&t));
    owner.get(&at(&product, "/pick-up"));

    let page = owner.post(&at(&product, "/pick-up/look"), &[("spec", "/goods/film-*.mkv")]);

    assert_eq!(page.status, StatusCode::OK);
    let text = page.text().replace("&#x2f;", "/");
    assert!(text.contains("/goods/film-1.mkv") && !text.contains("notes.txt"), "{text}");
    assert!(owner.get(&at(&product, "")).text().contains("/pick-up"), "the package leads there");
    t.run_jobs();
    assert_eq!(names(&t, &product), []);
}

fn what_is_not_there_or_leads_away_is_refused(t: TestApp) {
    goods(&t, &[("a/same.txt", b"a".to_vec()), ("b/same.txt", b"b".to_vec())]);
    std::os::unix::fs::symlink("/etc/passwd", t.goods.join("link.txt")).expect("a link");
    let (owner, product) = (desk(&t), bare(&t));

    let refused = |spec: &str| {
        let reply = asked(&owner, &product, spec);
        (reply.status, reply.text().replace("&#x2f;", "/").replace("&#x27;", "'"))
    };
    let wrong = [
        ("/goods/missing.mkv", "no such file is there"),
        ("/goods/../../etc/passwd", ""),
        ("/etc/passwd", ""),
        ("/goods/link.txt", ""),
        ("@W8898", "write the paths of files"),
        ("/goods/a/same.txt,+/goods/b/same.txt", "two of these files are named same.txt"),
        ("", ""),
    ];

    for (spec, why) in wrong {
        let (status, text) = refused(spec);
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{spec}");
        assert!(text.contains(why), "{spec}: {text}");
    }
    t.run_jobs();
    assert_eq!(names(&t, &product), []);
    assert_eq!(t.disk.count(), 0);
}

fn a_file_that_vanishes_before_its_turn_is_told_and_nothing_is_taken(t: TestApp) {
    t.leaves_jobs();
    films(&t);
    let (owner, product) = (desk(&t), bare(&t));
    asked(&owner, &product, "/goods/film-1.mkv,+/goods/film-2.mkv");

    std::fs::remove_file(t.goods.join("film-2.mkv")).expect("it is removed");
    t.run_jobs();

    let undone = t.undone_jobs().join("\n");
    assert!(
        undone.contains("pick_up dead") && undone.contains("film-2.mkv: no such file is there"),
        "{undone}"
    );
    assert_eq!(names(&t, &product), []);
    let page = owner.get(&at(&product, "/pick-up")).text();
    assert!(page.contains("given up") && page.contains("no such file is there"), "{page}");
}

fn a_folder_that_is_not_mounted_is_waited_for(t: TestApp) {
    films(&t);
    let (owner, product) = (desk(&t), bare(&t));
    asked(&owner, &product, "/goods/film-2.mkv");
    let away = t.goods.with_extension("away");
    std::fs::rename(&t.goods, &away).expect("it is unmounted");

    t.run_jobs();
    let waiting = t.undone_jobs().join("\n");
    std::fs::rename(&away, &t.goods).expect("it is mounted");
    t.advance(Span::hours(1));
    t.run_jobs();

    assert!(waiting.contains("pick_up ready") && waiting.contains("cannot be opened"), "{waiting}");
    assert_eq!(names(&t, &product), [("film-2.mkv".to_owned(), 3_000)]);
}

fn a_full_disk_is_waited_for_and_what_was_taken_is_not_lost(t: TestApp) {
    films(&t);
    let (owner, product) = (desk(&t), bare(&t));
    asked(&owner, &product, "/goods/film-2.mkv,+/goods/film-1.mkv");
    t.disk.leave_room(10_000);

    t.run_jobs();
    let waiting = t.undone_jobs().join("\n");
    let before = names(&t, &product);
    t.disk.leave_room(70_000);
    t.advance(Span::hours(1));
    t.run_jobs();
    t.disk.leave_room(u64::MAX);
    t.advance(Span::hours(1));
    t.run_jobs();

    assert!(waiting.contains("pick_up ready") && waiting.contains("free space or enlarge it"), "{waiting}");
    assert_eq!(before, [], "all of them or none");
    assert_eq!(names(&t, &product).len(), 2, "the first was not read again: there was no room for it twice");
}

fn a_pick_up_that_was_killed_is_done_once(t: TestApp) {
    films(&t);
    let (owner, product) = (desk(&t), bare(&t));
    asked(&owner, &product, "/goods/film-2.mkv");
    let claimed = t.claim_jobs();

    t.advance(Span::minutes(5));
    t.run_jobs();
    claimed.into_iter().for_each(|job| t.perform(job));
    t.run_jobs();

    assert_eq!(names(&t, &product), [("film-2.mkv".to_owned(), 3_000)]);
    assert_eq!(t.count("SELECT count(*) AS n FROM file_versions"), 1);
}
