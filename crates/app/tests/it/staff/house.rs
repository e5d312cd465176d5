//! The rooms behind the shop: connections, settings, work that was given up, the log, API keys.

use app::jobs::Work;
use app::staff::Role;
use axum::body::Body;
use db::sql;
use http::{Request, StatusCode, header};
use kernel::Span;
use paysim::ipn::Body as Ipn;

use crate::buyer::{attribute, hidden};
use crate::support::goods::eur;
use crate::support::http::Visitor;
use crate::support::{NewGood, Reply, TestApp};

testkit::both_engines! {
    a_key_is_shown_once_and_kept_as_a_hash,
    a_key_without_name_or_scope_is_told_beside_the_field,
    a_revoked_key_is_over_at_once,
    paypal_is_connected_in_a_form,
    what_is_wrong_with_a_connection_is_told_beside_the_field,
    a_connection_is_switched_off_and_on,
    settings_are_changed_and_the_shop_looks_so,
    every_wrong_setting_is_told_beside_its_field,
    settings_of_a_colleague_are_not_overwritten_unseen,
    a_logo_is_set_and_removed,
    work_that_was_given_up_is_tried_again,
    work_that_was_given_up_is_dropped,
    the_log_names_who_did_what,
    the_log_is_narrowed,
}

#[track_caller]
fn holds(page: &Reply, all: &[&str]) {
    let text = page.text();
    let missing: Vec<_> = all.iter().filter(|wanted| !text.contains(**wanted)).collect();
    assert!(missing.is_empty(), "{missing:?} is not in\n{} {text}", page.status);
}

/// The key's text on the page that shows it.
fn shown_key(page: &Reply) -> String {
    attribute(&page.text(), "data-copy=\"hsk_", "data-copy").expect("the page shows a key")
}

fn ask(t: &TestApp, key: &str, path: &str) -> StatusCode {
    let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {key}"));
    t.request(request.body(Body::empty()).expect("a request")).status
}

fn make_key(owner: &Visitor<'_>, name: &str) -> Reply {
    holds(&owner.get("/admin/api-keys/new"), &["orders:read", "products:write", "name=\"_csrf\""]);
    owner.post("/admin/api-keys", &[("name", name), ("scope", "orders:read"), ("scope", "events:read")])
}

fn a_key_is_shown_once_and_kept_as_a_hash(t: TestApp) {
    let (person, owner) = t.owner();

    let made = make_key(&owner, "warehouse");
    let key = shown_key(&made);
    let later = owner.get("/admin/api-keys");

    holds(&made, &["orders:read", "/v1/orders", "curl -H"]);
    assert_eq!((made.status, made.header("cache-control")), (StatusCode::OK, "no-store"));
    assert_eq!(ask(&t, &key, "/v1/orders"), StatusCode::OK);
    assert_eq!(ask(&t, &key, "/v1/products"), StatusCode::FORBIDDEN);
    let secret = key.rsplit('_').next().expect("a secret").to_owned();
    holds(&later, &["warehouse", "events:read", person.label()]);
    assert!(!later.text().contains(&secret) && !later.text().contains("hsk_"));
    let kept = t.read(|snapshot| {
        let mut kept = String::new();
        for table in db::dump::tables(snapshot)? {
            for row in db::dump::page(snapshot, &table, None, db::dump::PAGE_ROWS_MAX)? {
                kept.push_str(&format!("{row:?}\n"));
            }
        }
        Ok(kept)
    });
    assert!(kept.contains("warehouse") && !kept.contains(&secret));
    t.run_jobs();
}

fn a_key_without_name_or_scope_is_told_beside_the_field(t: TestApp) {
    let (_, owner) = t.owner();
    owner.get("/admin/api-keys/new");

    let nameless = owner.post("/admin/api-keys", &[("name", " "), ("scope", "orders:read")]);
    let powerless = owner.post("/admin/api-keys", &[("name", "warehouse")]);

    assert_eq!(nameless.status, StatusCode::UNPROCESSABLE_ENTITY);
    holds(&nameless, &["name has 1 to 100", "value=\"orders:read\" checked"]);
    assert_eq!(powerless.status, StatusCode::UNPROCESSABLE_ENTITY);
    holds(&powerless, &["choose at least one scope", "value=\"warehouse\""]);
    assert_eq!(t.count("SELECT count(*) AS n FROM api_keys"), 0);
    t.run_jobs();
}

fn a_revoked_key_is_over_at_once(t: TestApp) {
    let (_, owner) = t.owner();
    let key = shown_key(&make_key(&owner, "warehouse"));
    let list = owner.get("/admin/api-keys").text();
    let path = attribute(&list, "/revoke", "href").expect("a way to revoke it");

    let revoked = owner.act(&path, &[]);
    let told = owner.told(&revoked);
    let again = owner.post(&path, &[]);

    assert!(told.starts_with("Revoked."), "{told}");
    assert_eq!(
        (ask(&t, &key, "/v1/orders"), again.status),
        (StatusCode::UNAUTHORIZED, StatusCode::SEE_OTHER)
    );
    assert_eq!(t.count("SELECT count(*) AS n FROM events WHERE kind = 'api_key.revoked'"), 1);
    t.run_jobs();
}

fn paypal_is_connected_in_a_form(t: TestApp) {
    let (_, owner) = t.owner();
    owner.get("/admin/connections/new");

    let fields = [("name", "Second"), ("mode", "test"), ("receiver", "second@example.com")];
    let added = owner.post("/admin/connections", &fields);
    let page = owner.get(added.location());

    let id = added.location().rsplit('/').next().expect("an id").to_owned();
    holds(
        &page,
        &["Connected. One step is left", &format!("http://shop.test/hooks/{id}"), "second@example.com"],
    );
    holds(&owner.get("/admin/connections"), &["Second", added.location()]);
    let changed = owner.post(added.location(), &[("name", "Renamed"), ("receiver", "third@example.com")]);
    assert_eq!(owner.told(&changed), "Saved.");
    holds(&owner.get(added.location()), &["Renamed", "third@example.com"]);
    assert_eq!(t.count("SELECT count(*) AS n FROM events WHERE kind = 'connection.changed'"), 1);
    t.run_jobs();
}

fn what_is_wrong_with_a_connection_is_told_beside_the_field(t: TestApp) {
    let (_, owner) = t.owner();
    owner.get("/admin/connections/new");
    let add = |mode: &str, receiver: &str, endpoint: &str| {
        let fields = [("name", "New"), ("mode", mode), ("receiver", receiver), ("endpoint", endpoint)];
        owner.post("/admin/connections", &fields)
    };
    let wrong = [
        // Real money over a line that anybody can read.
        add("live", "seller2@example.com", ""),
        add("", "seller2@example.com", ""),
        add("test", "", ""),
        add("test", "seller2@example.com", "not an address"),
    ];

    assert_eq!(wrong.each_ref().map(|reply| reply.status.as_u16()), [422; 4]);
    holds(&wrong[0], &["https://", "value=\"seller2@example.com\""]);
    assert_eq!(t.count("SELECT count(*) AS n FROM connections"), 1);
    let own = format!("/admin/connections/{}", t.shop.connection.id);
    let changed = owner.post(&own, &[("name", ""), ("receiver", "seller@example.com")]);
    assert_eq!(changed.status, StatusCode::UNPROCESSABLE_ENTITY);
    t.run_jobs();
}

fn a_connection_is_switched_off_and_on(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let (_, owner) = t.owner();
    let path = format!("/admin/connections/{}", t.shop.connection.id);
    let offered = || {
        let buyer = t.visitor();
        buyer.get("/p/FONT");
        buyer.post("/buy", &[("sku", "FONT"), ("currency", "EUR"), ("quantity", "1")]);
        buyer.get("/cart").text().contains(&t.shop.connection.id.to_string())
    };
    assert!(offered());

    let off = owner.act(&format!("{path}/disable"), &[]);
    assert_eq!(owner.told(&off), "Switched off.");
    assert!(!offered());
    let on = owner.act(&format!("{path}/enable"), &[]);
    assert_eq!(owner.told(&on), "Switched on.");
    owner.post(&format!("{path}/enable"), &[]);

    assert!(offered());
    assert_eq!(t.count("SELECT count(*) AS n FROM events WHERE kind = 'connection.enabled'"), 1);
    t.run_jobs();
}

/// The settings' form as the page fills it, with changes.
fn settings<'a>(page: &'a str, changes: &[(&'a str, &'a str)]) -> Vec<(String, String)> {
    let names =
        ["version", "name", "legal_name", "time_zone", "currency", "accent", "sender_email", "support_email"];
    let typed = |name: &str| {
        (name.to_owned(), attribute(page, &format!("name=\"{name}\""), "value").unwrap_or_default())
    };
    let mut fields: Vec<(String, String)> = names.iter().map(|name| typed(name)).collect();
    fields.push(("locale".to_owned(), "en".to_owned()));
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        fields.push(((*name).to_owned(), (*value).to_owned()));
    }
    fields
}

fn save(owner: &Visitor<'_>, fields: &[(String, String)]) -> Reply {
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    owner.post("/admin/settings", &fields)
}

fn settings_are_changed_and_the_shop_looks_so(t: TestApp) {
    let (_, owner) = t.owner();
    let page = owner.get("/admin/settings").text();
    let changes = [
        ("name", "Harbor & Sons"),
        ("accent", "#7a1f3d"),
        ("word_transactions", "Sales"),
        ("alarm_email", "on-call@shop.example"),
    ];

    let saved = save(&owner, &settings(&page, &changes));

    assert_eq!(owner.told(&saved), "Saved.");
    holds(&t.get("/"), &["Harbor &amp; Sons"]);
    holds(&owner.get("/admin/orders"), &["Sales", "Harbor &amp; Sons"]);
    let told: String = t.read(|snapshot| {
        let event = sql("SELECT detail FROM events WHERE kind = 'merchant.changed'");
        Ok(event.one(snapshot, |row| row.get("detail"))?)
    });
    assert!(told.contains("accent") && told.contains("words") && told.contains("alarm_email"), "{told}");
    holds(&owner.get("/admin/settings"), &["value=\"on-call@shop.example\""]);
    t.run_jobs();
}

fn every_wrong_setting_is_told_beside_its_field(t: TestApp) {
    let (_, owner) = t.owner();
    let page = owner.get("/admin/settings").text();
    let wrong = [("name", ""), ("time_zone", "Berlin"), ("sender_email", "nobody"), ("accent", "teal")];

    let reply = save(&owner, &settings(&page, &wrong));

    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    holds(
        &reply,
        &["name-error", "time_zone-error", "sender_email-error", "accent-error", "value=\"nobody\""],
    );
    assert_eq!(t.count("SELECT count(*) AS n FROM events WHERE kind = 'merchant.changed'"), 0);
    t.run_jobs();
}

fn settings_of_a_colleague_are_not_overwritten_unseen(t: TestApp) {
    let (_, owner) = t.owner();
    let page = owner.get("/admin/settings").text();
    save(&owner, &settings(&page, &[("name", "First")]));

    let stale = save(&owner, &settings(&page, &[("name", "Second")]));
    assert_eq!(stale.status, StatusCode::CONFLICT);
    holds(&stale, &["A colleague has saved in the meantime", "value=\"Second\"", "Your colleague’s: First"]);
    holds(&t.get("/"), &["First"]);

    let again = save(&owner, &settings(&stale.text(), &[("name", "Second")]));
    assert_eq!(again.status, StatusCode::SEE_OTHER);
    holds(&t.get("/"), &["Second"]);
    t.run_jobs();
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";

fn upload(t: &TestApp, owner: &Visitor<'_>, content: &[u8]) -> Reply {
    let token = hidden(&owner.get("/admin/settings"), "_csrf");
    let mut body = format!("--b\r\ncontent-disposition: form-data; name=\"_csrf\"\r\n\r\n{token}\r\n--b\r\n")
        .into_bytes();
    body.extend_from_slice(b"content-disposition: form-data; name=\"logo\"; filename=\"x.png\"\r\n\r\n");
    body.extend_from_slice(content);
    body.extend_from_slice(b"\r\n--b--\r\n");
    let cookie = |name: &str| format!("{name}={}", owner.cookie(name).unwrap_or_default());
    let request = Request::post("/admin/settings/logo")
        .header(header::COOKIE, format!("{}; {}", cookie("staff"), cookie("visitor")))
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b");
    t.request(request.body(Body::from(body)).expect("a request"))
}

fn a_logo_is_set_and_removed(t: TestApp) {
    let (_, owner) = t.owner();

    let wrong = upload(&t, &owner, b"<svg onload='alert(1)'/>");
    let large = upload(&t, &owner, &[PNG, &[0; 1024 * 1024]].concat());
    let set = upload(&t, &owner, PNG);
    let logo = attribute(&owner.get("/admin/settings").text(), "logo-now", "src").expect("a logo");
    let picture = t.get(&crate::buyer::path_of(&logo));
    let removed = owner.post("/admin/settings/logo/remove", &[]);

    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    holds(&wrong, &["neither PNG, JPEG nor WebP"]);
    assert!(large.status.is_client_error(), "{}", large.status);
    assert_eq!((set.status, picture.body.as_slice()), (StatusCode::SEE_OTHER, PNG));
    assert_eq!(picture.header("content-type"), "image/png");
    assert_eq!(owner.told(&removed), "The logo is gone.");
    t.run_jobs();
}

/// Work about an order's receipt that was given up.
fn given_up(t: &TestApp) -> String {
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    t.pay(&order);
    let (merchant, message) = (order.merchant, t.messages(&order)[0].id);
    t.write(move |cx| {
        app::jobs::flow::enqueue(cx, &Work::SendMessage { merchant, message })?;
        let dead = sql("UPDATE jobs SET state = 'dead', attempt = 12, last_error = 'the disk is full'
                         WHERE state = 'ready'");
        dead.execute(cx.tx)?;
        Ok(sql("SELECT id FROM jobs WHERE state = 'dead'").one(cx.tx, |row| row.get("id"))?)
    })
    .expect("work is given up")
}

fn work_that_was_given_up_is_tried_again(t: TestApp) {
    let (_, owner) = t.owner();
    t.run_jobs();
    let job = given_up(&t);

    holds(
        &owner.get("/admin/jobs"),
        &["Send a mail", "the disk is full", &format!("/admin/jobs/{job}/retry")],
    );
    let retried = owner.post(&format!("/admin/jobs/{job}/retry"), &[]);
    let told = owner.told(&retried);
    let again = owner.post(&format!("/admin/jobs/{job}/retry"), &[]);
    t.run_jobs();

    assert_eq!(told, "It is being tried again.");
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    assert_eq!((t.jobs_in("dead"), t.jobs_in("ready")), (0, 0));
    assert_eq!(t.count("SELECT count(*) AS n FROM events WHERE kind = 'job.retried'"), 1);
}

fn work_that_was_given_up_is_dropped(t: TestApp) {
    let (_, owner) = t.owner();
    let (_, reader) = t.signed_in_as(&t.shop, Role::ReadOnly);
    t.run_jobs();
    let job = given_up(&t);
    let path = format!("/admin/jobs/{job}/drop");

    assert!(!reader.get("/admin/jobs").text().contains(&path), "no button for who may not press it");
    holds(&owner.get("/admin/jobs"), &[&path]);
    let dropped = owner.act(&path, &[]);

    assert_eq!(owner.told(&dropped), "Dropped.");
    assert_eq!(t.jobs_in("dead"), 0);
    assert_eq!(t.count("SELECT count(*) AS n FROM events WHERE kind = 'job.dropped'"), 1);
}

fn the_log_names_who_did_what(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    let sale = t.pay(&order);
    t.deliver_and_run(&Ipn::refunded(&sale, &t.movement("part", eur(1_00))));
    let (person, owner) = t.owner();
    owner.act(&format!("/admin/orders/{}/reissue", order.id), &[]);
    owner.get("/admin/account");
    owner.post("/admin/account", &[("name", "Grace Hopper")]);
    t.run_jobs();

    let log = owner.get("/admin/events");

    holds(&log, &["Links replaced", "Grace Hopper", "Order placed", "Invoice issued", "Name changed"]);
    holds(&log, &[&format!("/admin/orders/{}", order.id), "Package made", "Connection added"]);
    // Whatever is written has a name that is not the program's.
    let kinds: Vec<String> =
        t.read(|snapshot| Ok(sql("SELECT DISTINCT kind FROM events").all(snapshot, |row| row.get("kind"))?));
    let nameless: Vec<_> = kinds.iter().filter(|kind| log.text().contains(&format!(">{kind}<"))).collect();
    assert!(nameless.is_empty(), "{nameless:?} have no name");
    assert!(t.acts_on(&person).contains(&"staff.renamed".to_owned()));
}

fn the_log_is_narrowed(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    t.pay(&order);
    t.advance(Span::days(1));
    let (_, owner) = t.owner();
    owner.act(&format!("/admin/orders/{}/resend", order.id), &[]);
    t.run_jobs();
    let rows = |query: &str| {
        let text = owner.get(&format!("/admin/events?{query}")).text();
        ["Links sent again", "Order placed", "Package made"].map(|kind| text.contains(kind))
    };

    assert_eq!(rows("actor=staff"), [true, false, false]);
    assert_eq!(rows("kind=product"), [false, false, true]);
    assert_eq!(rows(&format!("q={}", order.id)), [true, true, false]);
    assert_eq!(rows("to=2027-01-15"), [false, true, true]);
    assert_eq!(rows("actor=staff&kind=product"), [false; 3]);
}
