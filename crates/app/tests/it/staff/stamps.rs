//! Stamping in the back office: its settings, a copy to look at, and whose a leaked file is.

use app::products::Product;
use app::staff::Role;
use app::stamps::Unfit;
use axum::body::Body;
use http::{Request, StatusCode, header};
use stamp::Position;

use crate::buyer::hidden;
use crate::buyer::stamps::{pdf, stamping};
use crate::support::http::Visitor;
use crate::support::{NewGood, Reply, TestApp};

testkit::both_engines! {
    stamping_is_switched_on_as_it_was_typed_and_off_again,
    what_is_wrong_with_the_stamp_is_told_beside_its_field,
    a_copy_to_look_at_is_made_of_what_was_typed_and_belongs_to_nobody,
    a_package_without_files_gives_a_page_to_look_at,
    a_leaked_file_tells_its_order_and_nothing_of_it_is_kept,
    a_code_from_paper_tells_its_order,
    another_merchants_copy_is_unknown_here,
    the_order_tells_what_could_not_be_stamped_and_offers_both_ways_on,
}

fn book(t: &TestApp) -> Product {
    t.product(NewGood::of("BOOK").with_file("book.pdf", &pdf("% the book")))
}

fn stamped_book(t: &TestApp) -> Product {
    t.product(NewGood {
        deliverables: stamping(Unfit::Ask),
        ..NewGood::of("BOOK").with_file("book.pdf", &pdf("% the book"))
    })
}

fn typed<'a>(version: &'a str, changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [
        ("version", version),
        ("on", "yes"),
        ("text", "For {name}\r\n{copy}"),
        ("position", "diagonal"),
        ("size", "12"),
        ("opacity", "30"),
        ("pdf", "yes"),
        ("unfit", "hold"),
    ];
    let kept = usual.into_iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    kept.chain(changes.iter().copied()).collect()
}

/// An owner's browser, with the mails of signing in sent.
fn desk(t: &TestApp) -> Visitor<'_> {
    let (_, owner) = t.owner();
    t.run_jobs();
    owner
}

fn path(product: &Product) -> String {
    format!("/admin/products/{}/stamping", product.id)
}

fn now(t: &TestApp, product: &Product) -> Product {
    let (merchant, id) = (product.merchant, product.id);
    t.read(move |snapshot| Ok(app::products::store::by_id(snapshot, merchant, id)?.expect("a product")))
}

fn stamping_is_switched_on_as_it_was_typed_and_off_again(t: TestApp) {
    let (product, owner) = (book(&t), desk(&t));
    let version = hidden(&owner.get(&path(&product)), "version");

    let saved = owner.post(&path(&product), &typed(&version, &[]));
    assert!(owner.told(&saved).contains("What is delivered is saved"));
    let stamp = now(&t, &product).deliverables.stamp.expect("it is on");
    assert_eq!((stamp.text.as_str(), stamp.position), ("For {name}\n{copy}", Position::Diagonal));
    assert_eq!((stamp.size, stamp.opacity, stamp.unfit), (12, 30, Unfit::Hold));
    assert!(stamp.covers("a.pdf") && !stamp.covers("a.epub"));

    let stale = owner.post(&path(&product), &typed(&version, &[("size", "20")]));
    assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(stale.text().contains("changed this product meanwhile"));

    let version = hidden(&owner.get(&path(&product)), "version");
    owner.post(&path(&product), &typed(&version, &[("on", "")]));
    assert_eq!(now(&t, &product).deliverables.stamp, None);
}

fn what_is_wrong_with_the_stamp_is_told_beside_its_field(t: TestApp) {
    let (product, owner) = (book(&t), desk(&t));
    let version = hidden(&owner.get(&path(&product)), "version");

    let wrong = [("text", "For {buyer}"), ("size", "900"), ("pdf", "")];
    let reply = owner.post(&path(&product), &typed(&version, &wrong));

    let text = reply.text();
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text.contains("id=\"text-error\"") && text.contains("id=\"size-error\""), "{text}");
    assert!(text.contains("For {buyer}") && text.contains("value=\"900\""));
    assert_eq!(now(&t, &product).deliverables.stamp, None);
}

fn a_copy_to_look_at_is_made_of_what_was_typed_and_belongs_to_nobody(t: TestApp) {
    let (product, owner) = (book(&t), desk(&t));
    let version = hidden(&owner.get(&path(&product)), "version");

    let sample = owner.post(&format!("{}/sample", path(&product)), &typed(&version, &[("on", "")]));

    assert_eq!((sample.status, sample.header("content-type")), (StatusCode::OK, "application/pdf"));
    assert!(sample.body.windows(10).any(|window| window == b"% the book"), "it is the product's file");
    assert_eq!(stamp::find_marks(&sample.body).len(), 1);
    assert_eq!(t.owners(&sample.body), []);
    assert_eq!(now(&t, &product).version, product.version);
}

fn a_package_without_files_gives_a_page_to_look_at(t: TestApp) {
    let product = t.product(NewGood { files: Vec::new(), ..NewGood::of("BOOK") });
    let owner = desk(&t);
    let version = hidden(&owner.get(&path(&product)), "version");

    let sample = owner.post(&format!("{}/sample", path(&product)), &typed(&version, &[]));

    assert_eq!(sample.status, StatusCode::OK, "{}", sample.text());
    assert!(sample.body.starts_with(b"%PDF-"));
}

fn upload(t: &TestApp, visitor: &Visitor<'_>, name: &str, file: &[u8]) -> Reply {
    let token = hidden(&visitor.get("/admin/stamps"), "_csrf");
    let part = |head: &str, content: &[u8]| {
        [format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n").as_bytes(), content, b"\r\n"]
            .concat()
    };
    let body = [
        part("name=\"_csrf\"", token.as_bytes()),
        part(&format!("name=\"file\"; filename=\"{name}\""), file),
        b"--b--\r\n".to_vec(),
    ];
    let request = Request::post("/admin/stamps")
        .header(header::COOKIE, visitor.cookie_line())
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b");
    t.request(request.body(Body::from(body.concat())).expect("a request"))
}

fn a_leaked_file_tells_its_order_and_nothing_of_it_is_kept(t: TestApp) {
    let product = stamped_book(&t);
    let order = t.order(&[(&product, 1)]);
    t.pay(&order);
    let leaked = t.delivered_file(&order);
    let owner = desk(&t);
    let contents = t.count("SELECT count(*) AS n FROM blobs");

    let found = upload(&t, &owner, "leaked.pdf", &leaked);
    let none = upload(&t, &owner, "clean.pdf", &pdf("% clean"));

    let text = found.text();
    assert_eq!(found.status, StatusCode::OK, "{text}");
    assert!(text.contains(&format!("/admin/orders/{}", order.id)), "{text}");
    assert!(text.contains("buyer@example.com") && text.contains("leaked.pdf"), "{text}");
    assert!(none.text().contains("No mark was found"));
    assert_eq!(t.count("SELECT count(*) AS n FROM blobs"), contents);
}

fn a_code_from_paper_tells_its_order(t: TestApp) {
    let product = stamped_book(&t);
    let order = t.order(&[(&product, 1)]);
    t.pay(&order);
    let code = stamp::find_marks(&t.delivered_file(&order)).remove(0).mark.to_string().to_lowercase();
    let owner = desk(&t);
    owner.get("/admin/stamps");

    let found = owner.post("/admin/stamps/code", &[("code", &code)]);
    let wrong = owner.post("/admin/stamps/code", &[("code", "7K3M")]);

    assert!(found.text().contains(&format!("/admin/orders/{}", order.id)));
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text().contains("id=\"code-error\""));
}

fn another_merchants_copy_is_unknown_here(t: TestApp) {
    let product = stamped_book(&t);
    let order = t.order(&[(&product, 1)]);
    t.pay(&order);
    let code = stamp::find_marks(&t.delivered_file(&order)).remove(0).mark.to_string();
    let other = t.second_shop();
    let stranger = t.signed_in(&t.person_at(other.merchant.id, "mallory@staff.example", Role::Owner));
    // Merchants that share a host have cookies of their own.
    stranger.set_cookie("staff-other", &stranger.cookie("staff").expect("a session"));
    t.run_jobs();
    stranger.get("/m/other/admin/stamps");

    let found = stranger.post("/m/other/admin/stamps/code", &[("code", &code)]);

    assert_eq!(found.status, StatusCode::OK, "{}", found.text());
    assert!(found.text().contains("Unknown") && !found.text().contains(&order.id.to_string()));
}

fn the_order_tells_what_could_not_be_stamped_and_offers_both_ways_on(t: TestApp) {
    let broken = NewGood::of("BOOK").with_file("book.pdf", b"no PDF at all");
    let product = t.product(NewGood { deliverables: stamping(Unfit::Ask), ..broken });
    let order = t.order(&[(&product, 1)]);
    t.pay(&order);

    let page = desk(&t).get(&format!("/admin/orders/{}", order.id)).text();

    assert!(page.contains("Stamped copy") && page.contains("cannot be stamped"), "{page}");
    assert!(page.contains("Try again") && page.contains("Deliver it unstamped"), "{page}");
}
