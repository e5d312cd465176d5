//! Artwork in the back office: templates, what their fields take, and what buyers filled in.

use app::artworks::{Preview, Terms};
use app::products::Product;
use app::staff::Role;
use http::StatusCode;
use render::Format;

use crate::buyer::attribute;
use crate::support::artwork::{CARD, Part};
use crate::support::http::Visitor;
use crate::support::{NewGood, Reply, TestApp};

testkit::both_engines! {
    a_template_is_taken_and_its_fields_can_be_changed,
    a_hostile_template_is_refused_with_its_line_and_reason_and_nothing_changes,
    every_wrong_limit_is_told_beside_its_field_and_nothing_changes,
    another_template_keeps_the_limits_of_fields_that_stay,
    a_template_is_shown_and_given_back_as_it_was_and_never_as_a_page,
    two_who_change_the_same_artwork_do_not_overwrite_each_other,
    staff_see_what_a_buyer_filled_in,
    artwork_is_taken_away_for_orders_from_then_on,
    every_part_of_artwork_stands_in_the_audit_log,
}

/// An owner's browser. The invitation's mail is nobody's business here.
fn desk(t: &TestApp) -> Visitor<'_> {
    let (_, visitor) = t.owner();
    t.leaves_jobs();
    visitor
}

fn at(product: &Product, rest: &str) -> String {
    format!("/admin/products/{}/artwork{rest}", product.id)
}

fn terms(t: &TestApp, product: &Product) -> Option<Terms> {
    let (merchant, id) = (product.merchant, product.id);
    let found = t.read(move |snapshot| Ok(app::products::store::by_id(snapshot, merchant, id)?));
    found.expect("the product is there").deliverables.artwork
}

fn upload(desk: &Visitor<'_>, product: &Product, drawing: &str) -> Reply {
    let page = desk.get(&at(product, ""));
    let version = attribute(&page.text(), "name=\"version\"", "value").expect("a version");
    let parts = [Part::Text("version", &version), Part::File("file", "card.svg", drawing.as_bytes())];
    desk.post_parts(&at(product, "/template"), &parts)
}

/// The settings of the card, changed.
fn settings<'a>(version: &'a str, changed: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [
        ("version", version),
        ("format", "png"),
        ("dpi", "150"),
        ("label-ink", "Ink"),
        ("choices-ink", "#b4472f"),
        ("label-name", "Name on the card"),
        ("letters-name", "12"),
        ("lines-name", "1"),
        ("smallest-name", "80"),
        ("required-name", "yes"),
        ("label-title", "Profession"),
        ("letters-title", "20"),
        ("lines-title", "1"),
        ("smallest-title", "60"),
        ("shrink-title", "yes"),
        ("label-photo", "Photograph"),
        ("dpi-photo", "200"),
    ];
    let kept = usual.into_iter().filter(|(name, _)| changed.iter().all(|(other, _)| other != name));
    kept.chain(changed.iter().copied()).collect()
}

fn save(desk: &Visitor<'_>, product: &Product, changed: &[(&str, &str)]) -> Reply {
    let page = desk.get(&at(product, ""));
    let version = attribute(&page.text(), "name=\"version\"", "value").expect("a version");
    desk.post(&at(product, ""), &settings(&version, changed))
}

fn a_template_is_taken_and_its_fields_can_be_changed(t: TestApp) {
    let product = t.product(NewGood::of("CARD"));
    let desk = desk(&t);
    let taken = upload(&desk, &product, CARD);
    assert_eq!(taken.location(), at(&product, ""), "{}", taken.text());
    let page = desk.get(&at(&product, "")).text();
    assert!(page.contains("card.svg") && page.contains("60 × 30 mm"), "{page}");
    assert_eq!(attribute(&page, "name=\"letters-name\"", "value").as_deref(), Some("30"));

    let saved = save(&desk, &product, &[]);
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text());
    let terms = terms(&t, &product).expect("artwork");
    assert_eq!((terms.format, terms.dpi, terms.preview), (Format::Png, 150, Preview::Plain));
    let shop = t.get("/p/CARD").text();
    assert!(shop.contains("Name on the card") && shop.contains("maxlength=\"12\""), "{shop}");
    assert!(!shop.contains("#1f5c7a"), "a color that is no longer offered");
}

fn a_hostile_template_is_refused_with_its_line_and_reason_and_nothing_changes(t: TestApp) {
    let product = t.product(NewGood::of("CARD"));
    let desk = desk(&t);
    let refused = |drawing: &str| {
        let reply = upload(&desk, &product, drawing);
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", reply.text());
        reply.text().replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">")
    };
    let script = CARD.replace("</svg>", "\n<script>alert(1)</script></svg>");
    assert!(refused(&script).contains("Line 2: <script> is not allowed here"), "{}", refused(&script));
    assert!(refused(&CARD.replace("EB Garamond", "Arial")).contains("no font"));
    let outside = CARD.replace("data-field='photo'", "href='file:///etc/passwd'");
    assert!(refused(&outside).contains("is outside of the file"));
    assert!(refused("<!DOCTYPE svg [<!ENTITY a 'b'>]><svg/>").contains("declares entities"));
    assert!(refused(&" ".repeat(5 * 1024 * 1024)).contains("at most 4 MiB"));
    assert!(refused("").contains("XML"));
    assert_eq!(terms(&t, &product), None);
    assert_eq!(t.count("SELECT count(*) AS n FROM artwork_contents"), 0);
}

fn every_wrong_limit_is_told_beside_its_field_and_nothing_changes(t: TestApp) {
    let product = t.product(NewGood::of("CARD").with_artwork(&t, CARD, |_| {}));
    let before = terms(&t, &product);
    let desk = desk(&t);
    let wrong = [("dpi", "5000"), ("letters-name", "many"), ("choices-ink", "red"), ("label-title", "")];
    let reply = save(&desk, &product, &wrong);
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = reply.text();
    for field in ["dpi", "letters-name", "choices-ink", "label-title"] {
        assert!(page.contains(&format!("id=\"{field}-error\"")), "{field} in {page}");
    }
    assert_eq!(attribute(&page, "name=\"letters-name\"", "value").as_deref(), Some("many"));
    assert_eq!(terms(&t, &product), before);
}

fn another_template_keeps_the_limits_of_fields_that_stay(t: TestApp) {
    let product = t.product(NewGood::of("CARD").with_artwork(&t, CARD, |_| {}));
    let desk = desk(&t);
    save(&desk, &product, &[]);
    upload(&desk, &product, &CARD.replace("data-field='title'", "data-field='office'"));
    let terms = terms(&t, &product).expect("artwork");
    assert_eq!((terms.dpi, terms.field("name").expect("a field").rules.letters), (150, 12));
    assert!(terms.field("title").is_none() && terms.field("office").is_some());
}

fn a_template_is_shown_and_given_back_as_it_was_and_never_as_a_page(t: TestApp) {
    let product = t.product(NewGood::of("CARD").with_artwork(&t, CARD, |_| {}));
    let desk = desk(&t);
    let shown = desk.get(&at(&product, "/preview"));
    assert_eq!(image::load_from_memory(&shown.body).expect("a picture").width(), 720);
    let given = desk.get(&at(&product, "/template"));
    assert_eq!(given.body, CARD.as_bytes());
    assert!(given.header("content-disposition").starts_with("attachment"));
    assert!(given.header("content-security-policy").contains("sandbox"));
}

fn two_who_change_the_same_artwork_do_not_overwrite_each_other(t: TestApp) {
    let product = t.product(NewGood::of("CARD").with_artwork(&t, CARD, |_| {}));
    let desk = desk(&t);
    let page = desk.get(&at(&product, ""));
    let version = attribute(&page.text(), "name=\"version\"", "value").expect("a version");
    let first = desk.post(&at(&product, ""), &settings(&version, &[]));
    assert_eq!(first.status, StatusCode::SEE_OTHER);
    desk.get(&at(&product, ""));
    let second = desk.post(&at(&product, ""), &settings(&version, &[("dpi", "72")]));
    assert_eq!(second.status, StatusCode::CONFLICT, "{}", second.text());
    assert_eq!(terms(&t, &product).expect("artwork").dpi, 150);
}

fn staff_see_what_a_buyer_filled_in(t: TestApp) {
    let product = t.product(NewGood::of("CARD").with_artwork(&t, CARD, |_| {}));
    let order = t.order_filled(&product, &[("name", "Ada <i>"), ("ink", "#1f5c7a")]);
    t.pay(&order);
    let (_, desk) = t.signed_in_as(&t.shop, Role::ReadOnly);
    t.leaves_jobs();
    let page = desk.get(&format!("/admin/orders/{}", order.id)).text();
    assert!(page.contains("Your name") && page.contains("Ada &lt;i&gt;"), "{page}");
    let picture = attribute(&page, "line-artwork", "src").expect("a picture");
    let shown = desk.get(&picture);
    let pixel = image::load_from_memory(&shown.body).expect("a picture").to_rgb8().get_pixel(10, 10).0;
    assert_eq!(pixel, [0x1f, 0x5c, 0x7a]);
}

fn artwork_is_taken_away_for_orders_from_then_on(t: TestApp) {
    let product = t.product(NewGood::of("CARD").with_artwork(&t, CARD, |_| {}));
    let order = t.order_filled(&product, &[("name", "Ada")]);
    let desk = desk(&t);
    let page = desk.get(&at(&product, ""));
    let version = attribute(&page.text(), "name=\"version\"", "value").expect("a version");
    let removed = desk.post(&at(&product, "/remove"), &[("version", &version)]);
    assert_eq!(removed.status, StatusCode::SEE_OTHER, "{}", removed.text());
    assert_eq!(terms(&t, &product), None);
    assert!(!t.get("/p/CARD").text().contains("Your name"));
    t.pay(&order);
    assert!(t.files(&t.grant(&order)).iter().any(|file| file.name.ends_with(".1.pdf")));
}

fn every_part_of_artwork_stands_in_the_audit_log(t: TestApp) {
    let product = t.product(NewGood::of("CARD"));
    let desk = desk(&t);
    upload(&desk, &product, CARD);
    save(&desk, &product, &[]);
    assert_eq!(t.count("SELECT count(*) AS n FROM events WHERE kind = 'product.delivery_changed'"), 2);
}
