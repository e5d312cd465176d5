//! Designs: filled in on the product's page, previewed, paid for, printed and handed out.

use app::artworks::{Filled, FilledIn, KeptPicture};
use app::orders::Order;
use app::parts::PartState;
use app::products::Product;
use app::products::jobs::Cleaner;
use http::StatusCode;
use kernel::Span;
use paysim::ipn::{Body, Item, Means};
use render::Format;

use super::{BUYER, attribute, hidden, place};
use crate::support::artwork::{CARD, Part, fields, png};
use crate::support::goods::eur;
use crate::support::http::Visitor;
use crate::support::{NewGood, Reply, TestApp};

testkit::both_engines! {
    a_design_is_filled_in_paid_and_handed_out_as_a_print,
    without_script_a_button_shows_the_preview,
    what_does_not_fit_is_told_beside_its_field_before_anybody_pays,
    a_picture_stays_while_the_rest_is_corrected,
    a_picture_goes_up_alone_and_is_seen_in_the_preview,
    what_is_no_picture_is_refused_with_the_reason,
    a_preview_tells_what_is_wrong_to_the_script,
    previews_are_limited_and_say_when_to_come_again,
    a_design_for_another_drawing_is_not_ordered,
    what_was_sold_is_printed_whatever_the_seller_changes,
    the_same_design_is_the_same_print,
    every_unit_of_a_line_gets_the_same_print,
    nothing_is_printed_before_the_money_is_there,
    pictures_that_nobody_orders_are_forgotten_and_ordered_ones_stay,
    a_drawing_that_is_lost_is_found_by_the_audit,
    one_merchants_picture_is_not_anothers,
    who_bought_by_a_button_and_filled_nothing_in_is_asked_by_a_person,
    the_payload_says_what_a_design_is_rendered_to,
    a_payload_that_asks_for_artwork_without_a_template_is_held,
    a_design_is_not_put_into_the_cart_by_the_plain_form,
    a_form_without_its_token_is_refused_before_its_picture_is_read,
    a_cart_leads_back_to_the_design,
}

const ADA: [Part<'_>; 3] =
    [Part::Text("art-name", "Ada"), Part::Text("art-title", ""), Part::Text("art-ink", "#1f5c7a")];

fn card(t: &TestApp) -> Product {
    t.product(NewGood::of("CARD").with_artwork(t, CARD, |_| {}))
}

fn post(visitor: &Visitor<'_>, act: &str, more: Vec<Part<'_>>) -> Reply {
    let usual = [
        Part::Text("sku", "CARD"),
        Part::Text("currency", "EUR"),
        Part::Text("quantity", "1"),
        Part::Text("act", act),
    ];
    let parts: Vec<Part<'_>> = usual.into_iter().chain(more).collect();
    visitor.post_parts("/artwork", &parts)
}

fn prints(t: &TestApp, order: &Order) -> Vec<(String, String)> {
    let files = t.files(&t.grant(order)).into_iter();
    files.filter(|file| file.name.starts_with("ord_")).map(|file| (file.name, file.sha256)).collect()
}

fn pixels(png: &[u8]) -> image::RgbImage {
    image::load_from_memory(png).expect("a picture").to_rgb8()
}

fn a_design_is_filled_in_paid_and_handed_out_as_a_print(t: TestApp) {
    card(&t);
    let visitor = t.visitor();
    let page = visitor.get("/p/CARD").text();
    assert!(page.contains("Your name") && page.contains("multipart/form-data"), "{page}");

    let bought = post(&visitor, "buy", ADA.into());
    assert_eq!((bought.status, bought.location()), (StatusCode::SEE_OTHER, "/cart"), "{}", bought.text());
    assert!(visitor.get("/cart").text().contains("Ada"));
    place(&visitor, "");
    let order = t.newest_order(&t.shop.merchant);
    t.pay(&order);

    assert_eq!(prints(&t, &order)[0].0, format!("{}.1.pdf", order.id));
    let landing = t.landing_of(&order);
    let file =
        t.files(&t.grant(&order)).into_iter().find(|file| file.name.ends_with(".pdf")).expect("a print");
    let begun = t.post(&format!("{landing}/files/{}", file.version), &[]);
    let pdf = t.get(begun.location());
    assert!(pdf.body.starts_with(b"%PDF"), "{}", pdf.text());
    assert_eq!(t.parts(&order)[0].state, PartState::Done);
    assert!(t.mails_to(BUYER).pop().expect("a mail").text.contains(".1.pdf"));
}

fn without_script_a_button_shows_the_preview(t: TestApp) {
    card(&t);
    let visitor = t.visitor();
    visitor.get("/p/CARD");
    let shown = post(&visitor, "preview", ADA.into());
    assert!(shown.location().starts_with("/p/CARD?design="), "{}", shown.text());
    let page = visitor.get(shown.location().split('#').next().unwrap_or_default()).text();
    assert_eq!(attribute(&page, "name=\"art-name\"", "value").as_deref(), Some("Ada"));
    let preview = attribute(&page, "data-artwork-preview", "src").expect("a preview");
    assert!(preview.contains("art-name=Ada") && preview.contains("art-ink=%231f5c7a"), "{preview}");
    let png = visitor.get(&preview);
    assert_eq!((png.status, png.header("content-type")), (StatusCode::OK, "image/png"));
    assert_eq!(pixels(&png.body).dimensions(), (720, 360));
    assert_eq!(pixels(&png.body).get_pixel(10, 10).0, [0x1f, 0x5c, 0x7a]);
}

fn what_does_not_fit_is_told_beside_its_field_before_anybody_pays(t: TestApp) {
    card(&t);
    let visitor = t.visitor();
    visitor.get("/p/CARD");
    let refused = |name: &str| {
        let reply = post(&visitor, "buy", vec![Part::Text("art-name", name)]);
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", reply.text());
        reply.text()
    };
    assert!(refused("").contains("Please fill this in."));
    assert!(refused(&"a".repeat(31)).contains("at most 30 letters; these are 31"));
    assert!(refused("WWWWWWWWWWWWWWWWWWWWWWWWWWWWWW").contains("does not fit into its place"));
    let page = refused("漢字 & <b>");
    assert!(page.contains("The letter “漢” cannot be printed"), "{page}");
    assert!(page.contains("value=\"漢字 &amp; &lt;b&gt;\""), "{page}");
    assert!(visitor.get("/cart").text().contains("empty"));
}

fn a_picture_stays_while_the_rest_is_corrected(t: TestApp) {
    card(&t);
    let visitor = t.visitor();
    visitor.get("/p/CARD");
    let photo = png(200, 200, [200, 0, 0]);
    let refused = post(&visitor, "buy", vec![Part::File("art-photo", "me.png", &photo)]);
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let kept = hidden(&refused, "kept-photo");
    assert_eq!(kept.len(), 64, "{}", refused.text());

    let bought = post(&visitor, "buy", vec![Part::Text("art-name", "Ada"), Part::Text("kept-photo", &kept)]);
    assert_eq!(bought.location(), "/cart", "{}", bought.text());
    place(&visitor, "");
    let order = t.newest_order(&t.shop.merchant);
    t.pay(&order);
    assert_eq!(prints(&t, &order).len(), 1);
    assert_eq!(
        t.count("SELECT count(*) AS n FROM artwork_contents WHERE kind = 'picture' AND kept_at IS NOT NULL"),
        1
    );
}

fn a_picture_goes_up_alone_and_is_seen_in_the_preview(t: TestApp) {
    card(&t);
    let visitor = t.visitor();
    visitor.get("/p/CARD");
    let photo = png(200, 200, [200, 0, 0]);
    let parts = [Part::Text("sku", "CARD"), Part::File("art-photo", "me.png", &photo)];
    let up = visitor.post_parts("/artwork/pictures", &parts);
    let said: serde_json::Value = serde_json::from_slice(&up.body).expect("JSON");
    assert!(said["note"].as_str().unwrap_or_default().contains("200 × 200"), "{said}");
    let kept = said["kept"].as_str().expect("a token");
    let shown = visitor.get(&format!("/artwork/preview?sku=CARD&kept-photo={kept}"));
    // In the middle of the picture's frame; the word across previews is translucent.
    let [red, green, _] = pixels(&shown.body).get_pixel(600, 264).0;
    assert!(red > 150 && green < 90, "{red} {green}");
}

fn what_is_no_picture_is_refused_with_the_reason(t: TestApp) {
    card(&t);
    let visitor = t.visitor();
    visitor.get("/p/CARD");
    let whole = png(300, 300, [1, 2, 3]);
    let coarse = png(20, 20, [1, 2, 3]);
    let told = |bytes: &[u8]| {
        let parts = vec![Part::Text("art-name", "Ada"), Part::File("art-photo", "a.png", bytes)];
        let reply = post(&visitor, "buy", parts);
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", reply.text());
        reply.text()
    };
    assert!(told(b"<svg onload='alert(1)'/>").contains("neither PNG, JPEG nor WebP"));
    assert!(told(&whole[..whole.len() / 2]).contains("damaged"));
    assert!(told(&coarse).contains("would print at 42 dpi only, and 50 are needed"));
    let alone = visitor.post_parts("/artwork/pictures", &[Part::File("art-photo", "a.png", b"GIF89a")]);
    assert_eq!(alone.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(alone.text().contains("neither PNG, JPEG nor WebP"));
}

fn a_preview_tells_what_is_wrong_to_the_script(t: TestApp) {
    card(&t);
    let shown = t.get("/artwork/preview?sku=CARD&art-name=%E6%BC%A2&art-ink=%23000000");
    assert_eq!(shown.status, StatusCode::UNPROCESSABLE_ENTITY);
    let said: serde_json::Value = serde_json::from_slice(&shown.body).expect("JSON");
    assert!(said["errors"]["art-ink"].as_str().unwrap_or_default().contains("one of these colors"), "{said}");
    let letter = t.get("/artwork/preview?sku=CARD&art-name=%E6%BC%A2").text();
    assert!(letter.contains("cannot be printed"), "{letter}");
    assert_eq!(t.get("/artwork/preview?sku=NONE").status, StatusCode::NOT_FOUND);
    t.product(NewGood::of("FONT"));
    assert_eq!(t.get("/artwork/preview?sku=FONT").status, StatusCode::NOT_FOUND);
}

fn previews_are_limited_and_say_when_to_come_again(t: TestApp) {
    let replies: Vec<Reply> = (0..121).map(|_| t.get("/artwork/preview?sku=NONE")).collect();
    assert!(replies[..100].iter().all(|reply| reply.status == StatusCode::NOT_FOUND));
    let last = replies.last().expect("a reply");
    assert_eq!(last.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(!last.header("retry-after").is_empty());
}

fn a_design_for_another_drawing_is_not_ordered(t: TestApp) {
    let product = card(&t);
    let visitor = t.visitor();
    visitor.get("/p/CARD");
    post(&visitor, "buy", ADA.into());
    change(&t, &product, |terms| terms.fields[1].rules.letters = 2);
    let cart = visitor.get("/cart");
    let connection = hidden(&cart, "connection");
    let placed = visitor.post("/checkout", &[("email", BUYER), ("name", "Jo"), ("connection", &connection)]);
    assert_eq!(placed.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(placed.text().contains("no longer offered as it was"), "{}", placed.text());
}

fn change(t: &TestApp, product: &Product, change: fn(&mut app::artworks::Terms)) {
    let (id, version) = (product.id, product.version);
    let mut terms = product.deliverables.artwork.clone().expect("artwork");
    change(&mut terms);
    t.write(move |cx| app::artworks::flow::change(cx, id, version, Some(&terms))).expect("changed");
}

fn what_was_sold_is_printed_whatever_the_seller_changes(t: TestApp) {
    let product = card(&t);
    let order = t.order_filled(&product, &[("name", "Ada")]);
    change(&t, &product, |terms| {
        terms.format = Format::Png;
        terms.fields[1].rules.letters = 1;
    });
    t.pay(&order);
    assert!(prints(&t, &order)[0].0.ends_with(".pdf"));
}

fn the_same_design_is_the_same_print(t: TestApp) {
    let as_png = |terms: &mut app::artworks::Terms| (terms.format, terms.dpi) = (Format::Png, 120);
    let product = t.product(NewGood::of("CARD").with_artwork(&t, CARD, as_png));
    let printed = |name: &str| {
        let order = t.order_filled(&product, &[("name", name)]);
        t.pay(&order);
        prints(&t, &order).remove(0).1
    };
    let first = printed("Ada");
    assert_eq!(printed("Ada"), first);
    assert_ne!(printed("Eva"), first);
}

fn every_unit_of_a_line_gets_the_same_print(t: TestApp) {
    let product = card(&t);
    let terms = product.deliverables.artwork.as_ref().expect("artwork").fingerprint();
    let filled = Filled { terms, fields: fields(&[("name", "Ada")]) };
    let order = t.order_with(&product, &filled, 3).expect("an order is placed");
    t.pay(&order);
    assert_eq!(t.count("SELECT count(*) AS n FROM unit_files WHERE part = 'artwork'"), 3);
    let different = "SELECT count(DISTINCT v.sha256) AS n FROM unit_files f JOIN file_versions v ON v.id = f.file_version_id";
    assert_eq!(t.count(different), 1);
}

fn nothing_is_printed_before_the_money_is_there(t: TestApp) {
    let product = t.product(NewGood::of("CARD").with_artwork(&t, CARD, |_| {}).provisional());
    let order = t.order_filled(&product, &[("name", "Ada")]);
    let sale = t.sale_of(&order);
    t.deliver_and_run(&Body::pending(&sale, Means::Echeck, "echeck"));
    assert_eq!(t.parts(&order).len(), 0);
    t.deliver_and_run(&Body::completed(&sale, Means::Echeck));
    assert_eq!(prints(&t, &order).len(), 1);
}

fn pictures_that_nobody_orders_are_forgotten_and_ordered_ones_stay(t: TestApp) {
    let product = card(&t);
    let visitor = t.visitor();
    visitor.get("/p/CARD");
    let up = |color: [u8; 3]| {
        let photo = png(200, 200, color);
        let reply = visitor.post_parts("/artwork/pictures", &[Part::File("art-photo", "a.png", &photo)]);
        let said: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
        said["kept"].as_str().expect("a token").to_owned()
    };
    let (ordered, left) = (up([1, 2, 3]), up([9, 9, 9]));
    let picture = |digest: &str| {
        let (merchant, digest) = (t.shop.merchant.id, digest.to_owned());
        t.read(move |snapshot| Ok(app::artworks::store::picture(snapshot, merchant, &digest)?))
    };
    let row = picture(&ordered).expect("it is there");
    let kept = KeptPicture { picture: ordered.clone(), size: row.stored.size, width: 200, height: 200 };
    let mut fields = fields(&[("name", "Ada")]);
    fields.insert("photo".to_owned(), FilledIn::Picture(kept));
    let terms = product.deliverables.artwork.as_ref().expect("artwork").fingerprint();
    let order = t.order_with(&product, &Filled { terms, fields }, 1).expect("an order is placed");

    t.advance(Span::days(32));
    t.run_jobs();
    assert!(picture(&ordered).is_some() && picture(&left).is_none());
    let mut cleaner = Cleaner::default();
    for _ in 0..2 {
        t.block_on(cleaner.turn(&t.app)).expect("the store is cleaned");
    }
    let stored =
        |digest: &str| t.app.blobs().size(&digest.parse().expect("a digest")).expect("the store answers");
    assert!(stored(&ordered).is_some() && stored(&left).is_none());
    // Money that comes late finds everything that it needs.
    t.pay(&order);
    assert_eq!(prints(&t, &order).len(), 1);
}

fn a_drawing_that_is_lost_is_found_by_the_audit(t: TestApp) {
    card(&t);
    let all = "DELETE FROM blobs WHERE sha256 IN (SELECT sha256 FROM artwork_contents)";
    t.write(move |cx| Ok(db::sql(all).execute(cx.tx)?)).expect("the damage is done");
    let found: Vec<&str> = t.audit().broken().map(|check| check.id).collect();
    assert_eq!(found, ["I12"]);
    t.leaves_violation("I12");
}

fn one_merchants_picture_is_not_anothers(t: TestApp) {
    card(&t);
    let visitor = t.visitor();
    visitor.get("/p/CARD");
    let photo = png(200, 200, [200, 0, 0]);
    let up = visitor.post_parts("/artwork/pictures", &[Part::File("art-photo", "a.png", &photo)]);
    let said: serde_json::Value = serde_json::from_slice(&up.body).expect("JSON");
    let kept = said["kept"].as_str().expect("a token").to_owned();
    let other = t.later_shop();
    let id = other.merchant.id;
    let seen = t.read(move |snapshot| Ok(app::artworks::store::picture(snapshot, id, &kept)?));
    assert!(seen.is_none());
}

fn who_bought_by_a_button_and_filled_nothing_in_is_asked_by_a_person(t: TestApp) {
    let product = card(&t);
    let item = Item::one(&product.sku, eur(49_00));
    t.deliver_and_run(&Body::completed(&t.button_sale("ann", vec![item]), Means::Instant));
    let order = t.newest_order(&t.shop.merchant);
    let part = t.parts(&order).remove(0);
    assert_eq!(part.state, PartState::Held);
    assert!(part.detail.contains("the buyer filled nothing in"), "{}", part.detail);
}

fn the_payload_says_what_a_design_is_rendered_to(t: TestApp) {
    let mut good = NewGood::of("CARD").with_artwork(&t, CARD, |terms| terms.dpi = 60);
    let spec = "FFPSOURCED!PNG!NONE,+FFPSOURCED!JPG!NONE";
    good.deliverables.payload = Some(app::payloads::Terms::read(spec, "", "").expect("a payload"));
    let product = t.product(good);
    let order = t.order_filled(&product, &[("name", "Ada")]);
    t.pay(&order);
    let names: Vec<String> = prints(&t, &order).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, [format!("{}.1.png", order.id), format!("{}.1.jpg", order.id)]);
}

fn a_payload_that_asks_for_artwork_without_a_template_is_held(t: TestApp) {
    let mut good = NewGood::of("CARD");
    let spec = "FFPSOURCED!PDF!NONE";
    good.deliverables.payload = Some(app::payloads::Terms::read(spec, "", "").expect("a payload"));
    let product = t.product(good);
    let order = t.order(&[(&product, 1)]);
    t.pay(&order);
    let held = t.parts(&order).into_iter().find(|part| part.state == PartState::Held).expect("a held part");
    assert!(held.detail.contains("the product has no template"), "{}", held.detail);
}

fn a_design_is_not_put_into_the_cart_by_the_plain_form(t: TestApp) {
    card(&t);
    let visitor = t.visitor();
    visitor.get("/p/CARD");
    let fields = [("sku", "CARD"), ("currency", "EUR"), ("quantity", "1"), ("art-name", "Ada")];
    let refused = visitor.post("/buy", &fields);
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text().contains("Please fill this in before you buy."), "{}", refused.text());
}

fn a_form_without_its_token_is_refused_before_its_picture_is_read(t: TestApp) {
    card(&t);
    let visitor = t.visitor();
    let photo = png(200, 200, [200, 0, 0]);
    for path in ["/artwork", "/artwork/pictures"] {
        let refused = visitor.post_parts(path, &[Part::File("art-photo", "a.png", &photo)]);
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text());
    }
    assert_eq!(t.count("SELECT count(*) AS n FROM artwork_contents WHERE kind = 'picture'"), 0);
}

fn a_cart_leads_back_to_the_design(t: TestApp) {
    card(&t);
    let visitor = t.visitor();
    visitor.get("/p/CARD");
    post(&visitor, "add", ADA.into());
    visitor.get("/p/CARD");
    post(&visitor, "add", vec![Part::Text("art-name", "Grace")]);
    let cart = visitor.get("/cart").text();
    assert!(cart.contains("Ada") && cart.contains("Grace"), "{cart}");
    let back = attribute(&cart, "?design=", "href").expect("a way back");
    assert!(visitor.get(&back).text().contains("value=\"Ada\""));
}
