//! Every verb of the shell, with `--json` and its exit codes, on both engines where it touches data.

use serde_json::{Value, json};

use crate::support::Place;

testkit::both_engines! {
    products_are_added_with_files_and_found_again,
    files_of_a_folder_are_picked_up,
    a_second_seller_lives_beside_the_first,
    a_connection_is_added_and_tells_its_hook_address,
    migrations_are_shown_and_run,
    what_is_empty_is_listed_as_empty,
    the_doctor_names_every_check_and_its_remedy,
    keys_for_programs_are_shown_once,
    an_owner_who_is_locked_out_is_let_in_again,
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

fn products_are_added_with_files_and_found_again(place: Place) {
    let file = place.file("manual.pdf", 0o644, "%PDF-1.7 a manual\n");
    let add = [
        "products",
        "add",
        "--sku",
        "MANUAL",
        "--name",
        "The manual",
        "--price",
        "19.50",
        "--currency",
        "EUR",
    ];
    let made = place.json(&[&add[..], &["--file", &file]].concat());
    assert_eq!(made["prices"], json!(["19.50 EUR"]));
    assert_eq!((text(&made["files"][0], "name"), &made["files"][0]["size"]), ("manual.pdf", &json!(18)));

    assert_eq!(place.json(&["products", "list"]), json!([made]));
    assert_eq!(place.json(&["products", "show", "MANUAL"]), made);
    assert_eq!(place.json(&["products", "show", text(&made, "id")]), made);
    let table = place.run(&["products", "list"]);
    assert!(table.out.starts_with("ID") && table.out.contains("MANUAL"), "{}", table.out);

    let twice = place.refused(&add, 1);
    assert!(twice.contains("MANUAL"), "{twice}");
    let nowhere = place.refused(&[&add[..], &["--file", "nowhere"]].concat(), 2);
    assert!(nowhere.contains("nowhere") && nowhere.contains("No such file"), "{nowhere}");
}

fn files_of_a_folder_are_picked_up(place: Place) {
    let goods = place.path("goods");
    std::fs::create_dir(&goods).expect("a folder");
    std::fs::write(goods.join("film-1.mkv"), [7u8; 100_000]).expect("a file");
    std::fs::write(goods.join("film-2.mkv"), b"short").expect("a file");
    let place = place.with("HANDSEL_FILE_ROOTS", &format!("[{{ name = '/goods', folder = {goods:?} }}]"));
    place.json(&[
        "products",
        "add",
        "--sku",
        "FILM",
        "--name",
        "A film",
        "--price",
        "9",
        "--currency",
        "EUR",
    ]);

    let would = place.json(&["products", "pick-up", "FILM", "/goods/film-*.mkv", "--dry-run"]);
    let before = place.json(&["products", "show", "FILM"]);
    let taken = place.json(&["products", "pick-up", "FILM", "/goods/film-*.mkv"]);
    let again = place.json(&["products", "pick-up", "FILM", "/goods/film-*.mkv"]);

    assert_eq!(would, json!(["/goods/film-1.mkv", "/goods/film-2.mkv"]));
    assert_eq!(before["files"], json!([]));
    assert_eq!(
        (text(&taken["files"][0], "name"), &taken["files"][0]["size"]),
        ("film-1.mkv", &json!(100_000))
    );
    assert_eq!(again["files"], taken["files"], "the same again changes nothing");
    let missing = place.refused(&["products", "pick-up", "FILM", "/goods/film-3.mkv"], 1);
    assert!(missing.contains("film-3.mkv: no such file is there"), "{missing}");
    let outside = place.refused(&["products", "pick-up", "FILM", "/etc/passwd"], 1);
    assert!(outside.contains("/etc/passwd"), "{outside}");
}

fn a_second_seller_lives_beside_the_first(place: Place) {
    let add = [
        "merchants",
        "add",
        "--slug",
        "second",
        "--name",
        "Second",
        "--email",
        "b@b.test",
        "--currency",
        "EUR",
    ];
    let made = place.json(&add);
    assert_eq!((text(&made, "slug"), text(&made, "currency")), ("second", "EUR"));
    place.json(&["--merchant", "second", "products", "add", "--sku", "A", "--name", "B", "--price", "2"]);

    assert_eq!(place.json(&["products", "list"]), json!([]));
    assert_eq!(place.json(&["--merchant", "second", "products", "list"])[0]["prices"], json!(["2.00 EUR"]));
    assert_eq!(place.json(&["merchants", "list"]).as_array().map(Vec::len), Some(2));
    let unknown = place.refused(&["--merchant", "third", "products", "list"], 2);
    assert!(unknown.contains("handsel merchants list"), "{unknown}");
    assert!(place.refused(&add, 1).contains("second"));
}

fn a_connection_is_added_and_tells_its_hook_address(place: Place) {
    let add = ["connections", "add", "paypal-standard", "--receiver", "shop@example.com", "--mode"];
    let made = place.json(&[&add[..], &["test", "--endpoint", "https://sim.test"]].concat());
    let id = text(&made, "id").to_owned();
    assert_eq!(text(&made, "hook_url"), format!("http://127.0.0.1:8080/hooks/{id}"));
    assert_eq!(place.json(&["connections", "list"]), json!([made]));

    let place = place.with("HANDSEL_BASE_URL", "https://shop.test");
    let elsewhere = place.refused(&[&add[..], &["live", "--endpoint", "https://sim.test"]].concat(), 1);
    assert!(elsewhere.contains("endpoint") && elsewhere.contains("test"), "{elsewhere}");
    assert_eq!(text(&place.json(&[&add[..], &["live"]].concat()), "mode"), "live");
    place.json(&["connections", "disable", &id]);
    let list = place.json(&["connections", "list"]);
    let off = list.as_array().into_iter().flatten().filter(|one| !one["disabled_at"].is_null());
    assert_eq!(off.map(|one| text(one, "id")).collect::<Vec<_>>(), [id.as_str()]);
}

fn migrations_are_shown_and_run(place: Place) {
    let before = place.json(&["migrate", "--check"]);
    assert_eq!(before["applied"], json!([]));
    assert_eq!(place.json(&["migrate"])["ran"], before["pending"]);
    let after = place.json(&["migrate"]);
    assert_eq!(
        (&after["applied"], &after["ran"], &after["pending"]),
        (&before["pending"], &json!([]), &json!([]))
    );
}

fn what_is_empty_is_listed_as_empty(place: Place) {
    place.begin();
    for noun in ["products", "orders", "customers", "notices", "connections", "api-keys"] {
        assert_eq!(place.json(&[noun, "list"]), json!([]), "{noun}");
    }
    let checks = place.json(&["audit"]);
    let broken = checks.as_array().into_iter().flatten().filter(|check| check["verdict"] == "broken");
    assert_eq!(broken.count(), 0, "{checks}");
}

fn the_doctor_names_every_check_and_its_remedy(place: Place) {
    place.begin();
    let report = place.json(&["doctor"]);
    assert_eq!(report["status"], "warning", "{report}");
    let checks = report["checks"].as_array().expect("checks");
    let named = |name: &str| checks.iter().any(|check| check["check"] == name);
    for name in [
        "data folder",
        "database",
        "schema",
        "clock",
        "keys",
        "disk: data",
        "SMTP",
        "base URL",
        "TLS",
        "proxies",
        "connections",
        "jobs",
    ] {
        assert!(named(name), "no check of {name} in {report}");
    }
    let silent = checks
        .iter()
        .filter(|check| check["status"] != "ok" && check["remedy"].as_str().unwrap_or_default().is_empty());
    assert_eq!(silent.count(), 0, "{report}");

    let place = place.with("HANDSEL_SMTP__HOST", "127.0.0.1").with("HANDSEL_SMTP__PORT", "1");
    let ran = place.run(&["doctor", "--json"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let report: Value = serde_json::from_str(&ran.out).expect("JSON");
    let failed: Vec<_> = report["checks"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|check| check["status"] == "failed")
        .collect();
    assert_eq!(failed.len(), 1, "{report}");
    assert!(text(failed[0], "remedy").contains("[smtp]"), "{report}");
}

fn keys_for_programs_are_shown_once(place: Place) {
    let made = place.run(&["api-keys", "create", "--name", "till", "--scope", "products:read", "--json"]);
    assert_eq!(made.code, 0, "{}", made.err);
    let made: Value = serde_json::from_str(&made.out).expect("JSON");
    let shown = made.as_object().into_iter().flatten().filter_map(|(_, value)| value.as_str());
    let longest = shown.max_by_key(|value| value.len()).expect("a key").to_owned();
    let list = place.run(&["api-keys", "list", "--json"]).out;
    assert!(list.contains("till") && !list.contains(&longest), "{list}");
}

fn an_owner_who_is_locked_out_is_let_in_again(place: Place) {
    place.begin();
    let db = place.db();
    let set = "UPDATE staff SET password_hash = 'x', totp_sealed = $1, totp_enabled_at = 1";
    db.write_blocking(move |tx| db::sql(set).bind(vec![1u8]).change_one(tx)).expect("a password and a phone");
    let email = "shop@localhost";
    let whose = place.refused(&["staff", "owner-link"], 2);
    assert!(whose.contains("--email: shop@localhost"), "{whose}");
    let link = place.json(&["staff", "owner-link", "--email", email]);
    assert!(text(&link, "url").contains("/admin/welcome/"), "{link}");

    assert!(place.refused(&["staff", "totp-off", "--email", "b@b.test"], 1).contains("no such person"));
    place.json(&["staff", "totp-off", "--email", email]);
    assert!(place.refused(&["staff", "totp-off", "--email", email], 1).contains("no second step"));
    let told = "SELECT count(*) AS n FROM events e, staff s WHERE s.totp_enabled_at IS NULL AND s.totp_sealed IS NULL
                   AND e.kind = 'staff.totp_disabled' AND e.actor = 'shell'";
    let told = db.read_blocking(|snapshot| db::sql(told).one(snapshot, |row| row.get::<i64>("n")));
    assert_eq!(told.expect("a number"), 1);
}

#[test]
fn a_doctor_is_not_stopped_by_what_it_is_asked_about() {
    let place = Place::new().with("HANDSEL_BASE_URL", "shop");
    let ran = place.run(&["doctor", "--json"]);
    assert_eq!(ran.code, 1);
    let report: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(text(&report["checks"][0], "check"), "configuration");
}

/// A place with one paid and delivered order, and that order's id.
pub fn sold() -> (Place, String) {
    let place = Place::new();
    let report = place.json(&["demo", "--once", "--data", "data"]);
    let order = text(&report, "order").to_owned();
    (place, order)
}

#[test]
fn an_order_is_listed_shown_and_acted_on() {
    let (place, order) = sold();
    assert_eq!(text(&place.json(&["orders", "list"])[0], "id"), order);
    let before = place.json(&["orders", "show", &order, "--links"]);
    assert_eq!(text(&before["order"], "status"), "paid");
    for part in ["lines", "payments", "grants", "notices", "messages", "invoices", "events"] {
        assert_eq!(before[part].as_array().map(Vec::is_empty), Some(false), "no {part} in {before}");
    }
    assert!(place.json(&["orders", "show", &order])["grants"][0]["link"].is_null(), "a link without --links");

    for verb in ["resend", "reissue", "regenerate"] {
        assert_eq!(text(&place.json(&["orders", verb, &order]), "id"), order);
    }
    place.json(&["orders", "extend", &order, "--days", "5"]);
    let after = place.json(&["orders", "show", &order, "--links"]);
    let (old, new) = (&before["grants"][0], &after["grants"][0]);
    assert_ne!(old["link"], new["link"]);
    assert!(text(new, "expires_at") > text(old, "expires_at"), "{old} {new}");
    let acts = after["events"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|event| event["actor"].to_string().contains("shell"));
    assert!(acts.count() >= 4, "{after}");

    let customer = place.json(&["customers", "list"])[0].clone();
    assert_eq!(text(&customer, "email"), "ada@example.com");
    assert_eq!(text(&place.json(&["customers", "show", "ada@example.com"])["orders"][0], "id"), order);
    assert_eq!(place.json(&["customers", "show", text(&customer, "id")])["email"], customer["email"]);

    let notice = text(&place.json(&["notices", "list", "--state", "applied"])[0], "id").to_owned();
    let shown = place.json(&["notices", "show", &notice]);
    assert!(text(&shown["request"], "body").contains("payment_status=Completed"), "{shown}");
    place.json(&["notices", "replay", &notice]);
}

#[test]
fn what_is_not_there_or_cannot_be_is_refused_with_what_to_do() {
    let place = Place::new();
    place.begin();
    let unknown = "ord_00000000000000000000000001";
    assert!(place.refused(&["orders", "show", unknown], 1).contains("no such order"));
    assert!(place.refused(&["orders", "resend", unknown], 1).contains("no such order"));
    assert!(place.refused(&["orders", "extend", unknown, "--days", "0"], 1).contains("1 to 3650 days"));
    assert!(place.refused(&["orders", "show", "cus_1"], 2).contains("starts with \"ord_\""));
    assert!(place.refused(&["products", "show", "x"], 1).contains("no such product"));
    assert!(place.refused(&["customers", "show", "x"], 1).contains("no such customer"));
    assert!(
        place.refused(&["notices", "show", "ntc_00000000000000000000000001"], 1).contains("no such notice")
    );
    assert!(place.refused(&["notices", "list", "--state", "odd"], 2).contains("quarantined"));
    let price = ["products", "add", "--sku", "a", "--name", "b", "--price", "1,5"];
    assert!(place.refused(&price, 2).contains("write digits"));
    let currency = ["products", "add", "--sku", "a", "--name", "b", "--price", "1", "--currency", "gold"];
    assert!(place.refused(&currency, 2).to_lowercase().contains("currency"));
    let gateway = ["connections", "add", "stripe", "--mode", "test", "--receiver", "a@b.test"];
    assert!(place.refused(&gateway, 1).contains("known are: paypal-standard"));
    let receiver = ["connections", "add", "paypal-standard", "--mode", "test", "--receiver", "nobody"];
    assert!(place.refused(&receiver, 1).contains("receiver"));
    let slug = ["merchants", "add", "--slug", "A b", "--name", "x", "--email", "a@b.test"];
    assert!(place.refused(&slug, 1).contains("slug"));
    assert!(place.refused(&["audit", "--only", "I99"], 2).contains("I1, "));
    assert!(place.refused(&["restore", "nowhere"], 2).contains("nowhere: No such file"));
    assert!(place.refused(&["quarantine", "lift"], 2).contains("--yes"));
}

#[test]
fn what_was_mistyped_is_answered_with_how_it_is_written() {
    let place = Place::new();
    assert!(place.refused(&["order", "list"], 2).contains("'orders'"));
    assert!(place.refused(&["orders", "list", "--limt", "3"], 2).contains("'--limit'"));
    assert!(place.refused(&["orders", "extend", "x"], 2).contains("--days <DAYS>"));
    assert!(place.refused(&["backup"], 2).contains("<FILE>"));
    let mode = ["connections", "add", "paypal-standard", "--receiver", "a@b.c", "--mode", "real"];
    assert!(place.refused(&mode, 2).contains("[possible values: test, live]"));
}
