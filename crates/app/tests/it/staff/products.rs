//! Packages in the back office: made, changed, priced, put on sale; their files; who may.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use app::products::{Product, ProductStatus};
use app::staff::Role;
use axum::body::Body;
use bytes::Bytes;
use http::{Request, StatusCode, header};
use kernel::{Currency, Span};

use crate::support::TestApp;
use crate::support::goods::{NewGood, eur, usd};
use crate::support::http::{Reply, Visitor};

testkit::both_engines! {
    a_package_is_made_as_it_was_typed,
    what_is_wrong_is_told_beside_its_field_and_nothing_typed_is_lost,
    an_item_number_of_another_package_is_refused_beside_the_field,
    a_colleagues_change_is_shown_and_not_overwritten,
    a_price_changes_now_or_on_a_day_to_come,
    an_emptied_price_ends_the_sale_in_its_currency,
    a_price_to_come_can_be_taken_back_and_one_in_force_cannot,
    a_link_life_of_hours_stays_when_its_field_is_not_touched,
    going_on_sale_and_off_is_in_the_audit_log,
    the_files_of_a_form_are_added_together,
    a_file_with_a_known_name_is_its_new_version,
    an_upload_that_breaks_off_leaves_nothing,
    an_upload_without_the_forms_token_is_refused,
    a_file_is_replaced_and_who_bought_keeps_the_old_version,
    a_replacement_that_was_not_chosen_is_asked_for_again,
    a_file_is_removed_after_a_confirmation,
    our_script_is_told_why_and_is_not_led_on,
    the_list_is_searched_and_filtered,
    the_list_goes_on_page_by_page_in_its_order,
    the_list_as_a_file_carries_no_formula_and_is_logged,
    the_page_tells_what_was_sold,
    the_button_for_other_sites_names_the_package_and_its_price,
    others_than_owners_see_packages_and_change_nothing,
    a_package_of_another_merchant_is_not_there,
}

const LIST: &str = "/admin/products";

/// An owner's browser.
fn desk(t: &TestApp) -> Visitor<'_> {
    let (_, owner) = t.owner();
    t.run_jobs();
    owner
}

fn at(product: &Product, rest: &str) -> String {
    format!("{LIST}/{}{rest}", product.id)
}

/// A filled form, with some fields otherwise.
fn fields<'a>(otherwise: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [
        ("version", "0"),
        ("sku", "CHARTS"),
        ("name", "Harbor Charts"),
        ("description", "All harbors."),
        ("status", "draft"),
        ("currency_0", "EUR"),
        ("amount_0", "49.00"),
        ("link_life_days", "3"),
        ("download_limit", "5"),
        ("file_policy", "as_bought"),
        ("pending_policy", "nothing"),
    ];
    let kept = usual.into_iter().filter(|(name, _)| otherwise.iter().all(|(other, _)| other != name));
    kept.chain(otherwise.iter().copied()).collect()
}

/// A form that changes a package made by [`NewGood`].
fn change<'a>(
    product: &'a Product,
    version: &'a str,
    otherwise: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let own = [
        ("version", version),
        ("sku", product.sku.as_str()),
        ("name", product.name.as_str()),
        ("status", "active"),
    ];
    let kept = own.into_iter().filter(|(name, _)| otherwise.iter().all(|(other, _)| other != name));
    let all: Vec<(&str, &str)> = kept.chain(otherwise.iter().copied()).collect();
    fields(&all)
}

impl TestApp {
    fn as_it_is(&self, product: &Product) -> Product {
        let (merchant, id) = (product.merchant, product.id);
        let found = self.read(move |snapshot| Ok(app::products::store::by_id(snapshot, merchant, id)?));
        found.expect("the product is there")
    }

    fn made(&self, sku: &'static str) -> Product {
        let merchant = self.shop.merchant.id;
        let found = self.read(move |snapshot| Ok(app::products::store::by_sku(snapshot, merchant, sku)?));
        found.expect("the product is there")
    }

    fn price_on(&self, product: &Product, currency: Currency, day: Span) -> Option<i64> {
        let (merchant, id, at) = (product.merchant, product.id, self.now() + day);
        let prices = self.read(move |snapshot| Ok(app::products::store::prices(snapshot, merchant, id)?));
        app::products::price_at(&prices, currency, at).map(|price| price.minor)
    }

    fn files_of(&self, product: &Product) -> Vec<(String, u64)> {
        let (merchant, id) = (product.merchant, product.id);
        let files = self.read(move |snapshot| Ok(app::products::store::files(snapshot, merchant, id)?));
        files.into_iter().map(|file| (file.name, file.size)).collect()
    }

    /// What the audit log has about a product, the newest last.
    fn log_of(&self, product: &Product) -> Vec<String> {
        let subject = product.id.to_string();
        self.read(move |snapshot| {
            let kinds = db::sql("SELECT kind FROM events WHERE subject = $1 ORDER BY id").bind(&subject);
            Ok(kinds.all(snapshot, |row| row.get("kind"))?)
        })
    }

    fn newest_act(&self, product: &Product) -> String {
        self.log_of(product).pop().unwrap_or_default()
    }

    /// The path of a product's first file.
    fn first_file(&self, product: &Product, verb: &str) -> String {
        let (merchant, id) = (product.merchant, product.id);
        let files = self.read(move |snapshot| Ok(app::products::store::files(snapshot, merchant, id)?));
        at(product, &format!("/files/{}/{verb}", files.first().expect("a file").file))
    }
}

const BOUNDARY: &str = "----a-boundary";

fn part(head: &str, content: &[u8]) -> Vec<u8> {
    let mut part = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n").into_bytes();
    part.extend_from_slice(content);
    part.extend_from_slice(b"\r\n");
    part
}

fn file(name: &str, content: &[u8]) -> Vec<u8> {
    part(&format!("name=\"file\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream"), content)
}

/// The hidden token of the page at a path.
fn token(visitor: &Visitor<'_>, page: &str) -> Vec<u8> {
    let text = visitor.get(page).text();
    let rest = text.split("name=\"_csrf\"").nth(1).and_then(|rest| rest.split("value=\"").nth(1));
    let token = rest.and_then(|rest| rest.split('"').next()).expect("a token");
    part("name=\"_csrf\"", token.as_bytes())
}

/// A body in pieces; after the last it breaks off, unless it was the form's end.
struct Pieces(VecDeque<Vec<u8>>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        let piece = self.0.pop_front().ok_or_else(|| std::io::Error::other("the line went dead"));
        Poll::Ready(Some(piece.map(|bytes| http_body::Frame::data(Bytes::from(bytes)))))
    }
}

fn posted(visitor: &Visitor<'_>, path: &str, accept: &str) -> http::request::Builder {
    Request::post(path)
        .header(header::COOKIE, visitor.cookie_line())
        .header(header::CONTENT_TYPE, format!("multipart/form-data; boundary={BOUNDARY}"))
        .header(header::ACCEPT, accept)
}

const PAGE: &str = "text/html";
const SCRIPT: &str = "application/problem+json, text/html;q=0.5";

/// Posts a whole form with files.
fn upload(t: &TestApp, visitor: &Visitor<'_>, path: &str, accept: &str, parts: &[Vec<u8>]) -> Reply {
    let body = [parts.concat(), format!("--{BOUNDARY}--\r\n").into_bytes()].concat();
    t.request(posted(visitor, path, accept).body(Body::from(body)).expect("a request"))
}

fn a_package_is_made_as_it_was_typed(t: TestApp) {
    let owner = desk(&t);
    owner.get("/admin/products/new");

    let form = fields(&[
        ("currency_1", "usd"),
        ("amount_1", "55,50"),
        ("link_life_days", "14"),
        ("file_policy", "latest"),
        ("standard_text", "Dear {name},\r\nhere it is."),
        ("other_text", "Write to {support}."),
    ]);
    let reply = owner.post(LIST, &form);

    let made = t.made("CHARTS");
    assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, at(&made, "").as_str()));
    assert_eq!((made.name.as_str(), made.status), ("Harbor Charts", ProductStatus::Draft));
    assert_eq!((made.link_life, made.standard_text.as_str()), (Span::days(14), "Dear {name},\nhere it is."));
    assert_eq!(t.price_on(&made, Currency::EUR, Span::days(0)), Some(49_00));
    assert_eq!(t.price_on(&made, Currency::USD, Span::days(0)), Some(55_50));
    assert!(t.log_of(&made).contains(&"product.created".to_owned()));
    assert!(owner.get(&at(&made, "")).text().contains("Saved."));
}

fn what_is_wrong_is_told_beside_its_field_and_nothing_typed_is_lost(t: TestApp) {
    let owner = desk(&t);
    owner.get("/admin/products/new");

    let form = fields(&[
        ("name", "Charts & <b>more</b>"),
        ("amount_0", "nineteen"),
        ("link_life_days", "forever"),
        ("support_text", "Ask {somebody}."),
    ]);
    let reply = owner.post(LIST, &form);

    let text = reply.text();
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text.contains("id=\"amount_0-error\"") && text.contains("Write an amount such as 19.00."));
    assert!(text.contains("id=\"link_life_days-error\"") && text.contains("id=\"support_text-error\""));
    assert!(text.contains("value=\"nineteen\"") && text.contains("value=\"forever\""));
    assert!(text.contains("Charts &amp; &lt;b&gt;more&lt;") && text.contains("Ask {somebody}."));
    assert_eq!(t.count("SELECT count(*) AS n FROM products"), 0);
}

fn an_item_number_of_another_package_is_refused_beside_the_field(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let owner = desk(&t);
    owner.get("/admin/products/new");

    let reply = owner.post(LIST, &fields(&[("sku", "FONT")]));

    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reply.text().contains("id=\"sku-error\""));
    assert_eq!(t.count("SELECT count(*) AS n FROM products"), 1);
}

fn a_colleagues_change_is_shown_and_not_overwritten(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let owner = desk(&t);
    let seen = t.as_it_is(&font).version.to_string();
    owner.get(&at(&font, "/edit"));
    owner.post(&at(&font, ""), &change(&font, &seen, &[("name", "The colleague's")]));

    owner.get(&at(&font, "/edit"));
    let late = owner.post(&at(&font, ""), &change(&font, &seen, &[("name", "Mine")]));

    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.text().contains("value=\"Mine\"") && late.text().contains("A colleague has saved"));
    assert!(late.text().contains("Your colleague’s: The colleague"), "what they saved is shown");
    assert_eq!(t.as_it_is(&font).name, "The colleague's");
}

fn a_price_changes_now_or_on_a_day_to_come(t: TestApp) {
    let font = t.product(NewGood::of("FONT").priced(&[eur(49_00), usd(55_00)]));
    let owner = desk(&t);
    owner.get(&at(&font, "/edit"));
    let version = t.as_it_is(&font).version.to_string();

    let rows =
        [("amount_0", "39.00"), ("currency_1", "USD"), ("amount_1", "60.00"), ("from_1", "2099-01-01")];
    let reply = owner.post(&at(&font, ""), &change(&font, &version, &rows));

    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    assert_eq!(t.price_on(&font, Currency::EUR, Span::days(0)), Some(39_00));
    assert_eq!(t.price_on(&font, Currency::USD, Span::days(0)), Some(55_00));
    assert_eq!(t.price_on(&font, Currency::USD, Span::days(40_000)), Some(60_00));
    assert_eq!(t.newest_act(&font), "product.priced");
}

fn an_emptied_price_ends_the_sale_in_its_currency(t: TestApp) {
    let font = t.product(NewGood::of("FONT").priced(&[eur(49_00), usd(55_00)]));
    let owner = desk(&t);
    owner.get(&at(&font, "/edit"));
    let version = t.as_it_is(&font).version.to_string();

    let rows = [("currency_1", "USD"), ("amount_1", "")];
    owner.post(&at(&font, ""), &change(&font, &version, &rows));

    assert_eq!(t.price_on(&font, Currency::USD, Span::days(0)), None);
    assert_eq!(t.price_on(&font, Currency::EUR, Span::days(0)), Some(49_00));
    assert_eq!(t.newest_act(&font), "product.price_ended");
}

fn a_price_to_come_can_be_taken_back_and_one_in_force_cannot(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    t.set_price(&font, eur(99_00), t.now() + Span::days(9));
    let owner = desk(&t);
    let page = owner.get(&at(&font, "")).text();
    let (merchant, id) = (font.merchant, font.id);
    let prices = t.read(move |s| Ok(app::products::desk_store::prices(s, merchant, id)?));
    let withdraw = |place: usize| at(&font, &format!("/prices/{}/withdraw", prices[place].0));

    let in_force = owner.post(&withdraw(0), &[]);
    owner.get(&at(&font, ""));
    let to_come = owner.post(&withdraw(1), &[]);

    assert!(page.contains(&withdraw(1)) && !page.contains(&withdraw(0)));
    assert_eq!((in_force.status, to_come.status), (StatusCode::NOT_FOUND, StatusCode::SEE_OTHER));
    assert_eq!(t.price_on(&font, Currency::EUR, Span::days(10)), Some(49_00));
    assert_eq!(t.newest_act(&font), "product.price_withdrawn");
}

fn a_link_life_of_hours_stays_when_its_field_is_not_touched(t: TestApp) {
    let font = t.product(NewGood { link_life: Span::hours(12), ..NewGood::of("FONT") });
    let owner = desk(&t);
    assert!(
        owner.get(&at(&font, "/edit")).text().contains("name=\"link_life_days\" type=\"text\" value=\"1\"")
    );
    let version = t.as_it_is(&font).version.to_string();

    owner.post(&at(&font, ""), &change(&font, &version, &[("link_life_days", "1"), ("name", "Renamed")]));

    let font = t.as_it_is(&font);
    assert_eq!((font.name.as_str(), font.link_life), ("Renamed", Span::hours(12)));
}

fn going_on_sale_and_off_is_in_the_audit_log(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let owner = desk(&t);
    let confirmation = owner.get(&at(&font, "/archive"));
    assert!(confirmation.text().contains("The FONT") && t.as_it_is(&font).status == ProductStatus::Active);

    owner.post(&at(&font, "/archive"), &[]);
    assert_eq!(
        (t.as_it_is(&font).status, t.newest_act(&font)),
        (ProductStatus::Archived, "product.archived".to_owned())
    );
    owner.get(&at(&font, ""));
    owner.post(&at(&font, "/activate"), &[]);

    assert_eq!(
        (t.as_it_is(&font).status, t.newest_act(&font)),
        (ProductStatus::Active, "product.activated".to_owned())
    );
}

fn the_files_of_a_form_are_added_together(t: TestApp) {
    let font = t.product(NewGood { files: Vec::new(), ..NewGood::of("FONT") });
    let owner = desk(&t);
    let token = token(&owner, &at(&font, ""));

    let parts = [token, file("C:\\fakepath\\font.otf", &[1; 70_000]), file("read me.txt", b"hello")];
    let reply = upload(&t, &owner, &at(&font, "/files"), PAGE, &parts);

    assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, at(&font, "").as_str()));
    assert_eq!(t.files_of(&font), [("font.otf".to_owned(), 70_000), ("read me.txt".to_owned(), 5)]);
    assert_eq!(t.newest_act(&font), "product.file_added");
    assert!(owner.get(&at(&font, "")).text().contains("read me.txt"));
    t.run_jobs();
}

fn a_file_with_a_known_name_is_its_new_version(t: TestApp) {
    let font = t.product(NewGood::of("FONT").with_file("font.otf", b"old"));
    let owner = desk(&t);
    let token = token(&owner, &at(&font, ""));

    upload(&t, &owner, &at(&font, "/files"), PAGE, &[token, file("font.otf", b"newer")]);

    assert_eq!(t.files_of(&font), [("font.otf".to_owned(), 5)]);
    assert_eq!(t.newest_act(&font), "product.file_replaced");
}

fn an_upload_that_breaks_off_leaves_nothing(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let owner = desk(&t);
    let token = token(&owner, &at(&font, ""));
    let half = file("big.bin", &[2; 100_000])[..50_000].to_vec();

    let body = Body::new(Pieces([token, file("whole.bin", b"whole"), half].into()));
    let reply = t.request(posted(&owner, &at(&font, "/files"), PAGE).body(body).expect("a request"));

    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert_eq!(t.files_of(&font).len(), 1);
    assert_eq!(t.count("SELECT count(*) AS n FROM blobs"), 1);
}

fn an_upload_without_the_forms_token_is_refused(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let owner = desk(&t);
    let forged = part("name=\"_csrf\"", b"a guess");
    let token = token(&owner, &at(&font, ""));

    let path = at(&font, "/files");
    let none = upload(&t, &owner, &path, PAGE, &[file("a.bin", b"a")]);
    let guessed = upload(&t, &owner, &path, PAGE, &[forged, file("a.bin", b"a")]);
    let late = upload(&t, &owner, &path, PAGE, &[file("a.bin", b"a"), token]);

    let refused = [none, guessed, late].map(|reply| reply.status);
    assert_eq!(refused, [StatusCode::FORBIDDEN; 3]);
    assert_eq!(t.files_of(&font).len(), 1);
}

fn a_file_is_replaced_and_who_bought_keeps_the_old_version(t: TestApp) {
    let font = t.product(NewGood::of("FONT").with_file("font-1.otf", b"old"));
    let order = t.order(&[(&font, 1)]);
    t.pay(&order);
    let owner = desk(&t);
    let path = t.first_file(&font, "replace");
    let token = token(&owner, &path);

    let reply = upload(&t, &owner, &path, PAGE, &[token, file("font-2.otf", b"newer")]);

    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    assert_eq!(t.files_of(&font), [("font-2.otf".to_owned(), 5)]);
    let kept = "SELECT count(*) AS n FROM line_files l JOIN file_versions v ON v.id = l.file_version_id
                 WHERE v.name = 'font-1.otf'";
    assert_eq!(t.count(kept), 1);
    assert_eq!(t.newest_act(&font), "product.file_replaced");
}

fn a_replacement_that_was_not_chosen_is_asked_for_again(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let owner = desk(&t);
    let path = t.first_file(&font, "replace");
    let token = token(&owner, &path);

    let reply = upload(&t, &owner, &path, PAGE, &[token, file("", b"")]);

    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reply.text().contains("Choose a file first."));
}

fn a_file_is_removed_after_a_confirmation(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let owner = desk(&t);
    let path = t.first_file(&font, "remove");
    assert!(owner.get(&path).text().contains("font.zip"));
    assert_eq!(t.files_of(&font).len(), 1);

    let reply = owner.post(&path, &[]);

    assert_eq!(reply.location(), at(&font, ""));
    assert_eq!(t.files_of(&font), []);
    assert_eq!(t.newest_act(&font), "product.file_removed");
}

fn our_script_is_told_why_and_is_not_led_on(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let owner = desk(&t);
    let token = token(&owner, &at(&font, ""));
    let path = at(&font, "/files");

    let done = upload(&t, &owner, &path, SCRIPT, &[token.clone(), file("a.bin", b"a")]);
    let wrong = upload(&t, &owner, &path, SCRIPT, &[token, file(&"n".repeat(300), b"a")]);

    assert_eq!(
        (done.status, done.header("set-cookie").contains("files_added")),
        (StatusCode::NO_CONTENT, true)
    );
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(wrong.header("content-type"), "application/problem+json");
    assert!(wrong.text().contains("a file name has 1 to 200 bytes"));
}

fn the_list_is_searched_and_filtered(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    t.product(NewGood::of("CHARTS_100%"));
    let owner = desk(&t);
    let found = |query: &str| {
        let text = owner.get(&format!("{LIST}?{query}")).text();
        ["The FONT", "The CHARTS_100%"].map(|name| text.contains(name))
    };

    assert_eq!(found(""), [true, true]);
    assert_eq!(found("q=font"), [true, false]);
    assert_eq!(found("q=100%25"), [false, true]);
    assert_eq!(found(&format!("q={}", font.id)), [true, false]);
    assert_eq!(found("status=draft"), [false, false]);
    assert_eq!(found("status=active&q=the"), [true, true]);
}

fn the_list_goes_on_page_by_page_in_its_order(t: TestApp) {
    for number in 0..52 {
        t.product(NewGood { files: Vec::new(), ..NewGood::of(&format!("P-{number:02}")) });
    }
    let owner = desk(&t);
    let first = owner.get(&format!("{LIST}?sort=-sku")).text();
    let after =
        first.split("after=").nth(1).and_then(|rest| rest.split(['"', '&']).next()).expect("a page more");
    let second = owner.get(&format!("{LIST}?sort=-sku&after={after}")).text();

    assert!(first.find("The P-51").expect("the last") < first.find("The P-50").expect("the one before"));
    assert!(first.contains("The P-02") && !first.contains("The P-01"));
    assert!(second.contains("The P-01") && second.contains("The P-00") && !second.contains("The P-02"));
}

fn the_list_as_a_file_carries_no_formula_and_is_logged(t: TestApp) {
    t.product(NewGood::of("=1+1").priced(&[eur(49_00), usd(55_00)]));
    let owner = desk(&t);

    let reply = owner.get("/admin/products.csv");

    assert!(
        reply.text().contains(",\"'=1+1\",The =1+1,active,\"49.00 EUR; 55.00 USD\",1,1000,0,"),
        "{}",
        reply.text()
    );
    assert_eq!(t.count("SELECT count(*) AS n FROM events WHERE kind = 'list.exported'"), 1);
}

fn the_page_tells_what_was_sold(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    t.pay(&t.order(&[(&font, 2)]));
    t.order(&[(&font, 7)]);
    let owner = desk(&t);
    let (merchant, id) = (font.merchant, font.id);
    let sold = t.read(move |s| Ok(app::products::desk_store::brought(s, merchant, id)?));

    let text = owner.get(&at(&font, "")).text();

    assert_eq!(sold.iter().map(|sold| (sold.units, sold.minor)).collect::<Vec<_>>(), [(2, 98_00)]);
    assert!(text.contains("98.00") && text.contains("chart-EUR") && text.contains("buyer@example.com"));
}

fn the_button_for_other_sites_names_the_package_and_its_price(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let owner = desk(&t);

    let text = owner.get(&at(&font, "")).text();

    let shown =
        text.replace("&quot;", "\"").replace("&#34;", "\"").replace("&lt;", "<").replace("&#x2f;", "/");
    assert!(shown.contains("name=\"item_number\" value=\"FONT\""), "{text}");
    assert!(shown.contains("name=\"amount\" value=\"49.00\""));
    assert!(shown.contains(&format!("/hooks/{}", t.shop.connection.id)));
}

fn others_than_owners_see_packages_and_change_nothing(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let paths = ["", "/archive", "/activate", "/files"].map(|rest| at(&font, rest));
    let paths = [
        paths.to_vec(),
        vec![LIST.to_owned(), t.first_file(&font, "remove"), t.first_file(&font, "replace")],
    ]
    .concat();
    for role in [Role::Support, Role::ReadOnly] {
        let (_, visitor) = t.signed_in_as(&t.shop, role);
        t.run_jobs();
        assert!(visitor.get(LIST).text().contains("The FONT"));
        let page = visitor.get(&at(&font, ""));
        assert_eq!((page.status, page.text().contains("data-upload")), (StatusCode::OK, false));
        for path in &paths {
            assert_eq!(visitor.post(path, &fields(&[])).status, StatusCode::FORBIDDEN, "{role} {path}");
        }
        for path in ["/admin/products/new", &at(&font, "/edit"), "/admin/products.csv"] {
            assert_eq!(visitor.get(path).status, StatusCode::FORBIDDEN, "{role} {path}");
        }
    }
    assert_eq!(t.as_it_is(&font).version, font.version);
}

fn a_package_of_another_merchant_is_not_there(t: TestApp) {
    let theirs = t.product_at(&t.later_shop(), NewGood::of("THEIRS"));
    let owner = desk(&t);
    let token = token(&owner, "/admin/products/new");

    let looked = ["", "/edit", "/archive"].map(|rest| owner.get(&at(&theirs, rest)).status);
    owner.get("/admin/products/new");
    let saved = owner.post(&at(&theirs, ""), &fields(&[("sku", "MINE")]));
    let sent = upload(&t, &owner, &at(&theirs, "/files"), PAGE, &[token, file("a.bin", b"a")]);

    assert_eq!(looked, [StatusCode::NOT_FOUND; 3]);
    assert_eq!([saved.status, sent.status], [StatusCode::NOT_FOUND; 2]);
    assert!(!owner.get(LIST).text().contains("THEIRS"));
    assert_eq!(t.files_of(&theirs).len(), 1);
}
