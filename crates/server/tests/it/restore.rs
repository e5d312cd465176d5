//! Backups, their keys, and the way from one engine to the other and back.

use db::Engine;
use rustix::process::Signal;
use serde_json::{Value, json};
use testkit::ForEngine as _;

use crate::shell::sold;
use crate::support::Place;
use crate::support::browser::Browser;

testkit::both_engines! {
    a_backup_is_restored_where_the_program_was_only_started,
    whatever_somebody_did_in_a_shop_is_not_restored_over,
}

const PASSPHRASE: &str = "five words are enough here\n";

/// Takes the shop at one place to another, with its keys.
fn move_shop(from: &Place, to: &Place) -> Value {
    let passphrase = from.file("passphrase", 0o600, PASSPHRASE);
    let (backup, keys) = (from.path("shop.backup"), from.path("shop.keys"));
    let (backup, keys) = (backup.to_str().expect("UTF-8"), keys.to_str().expect("UTF-8"));
    from.json(&["backup", backup, "--with-blobs"]);
    from.json(&["secrets", "export", keys, "--passphrase-file", &passphrase]);
    assert_eq!((from.mode("shop.backup"), from.mode("shop.keys")), (0o600, 0o600));
    to.json(&["secrets", "import", keys, "--passphrase-file", &passphrase]);
    to.json(&["restore", backup])
}

/// What must be the same wherever the shop is.
fn shop_at(place: &Place, order: &str) -> Value {
    json!([
        place.json(&["orders", "show", order, "--links"]),
        place.json(&["products", "list"]),
        place.json(&["customers", "list"]),
        place.json(&["notices", "list"]),
        place.json(&["connections", "list"]),
    ])
}

#[test]
fn a_shop_moves_to_postgres_and_back_and_sends_nothing_until_it_is_told_to() {
    let (home, order) = sold();
    let before = shop_at(&home, &order);
    let away = Place::for_engine(Engine::Postgres);
    let restored = move_shop(&home, &away);
    assert_eq!((&restored["keys"], &restored["missing_blobs"]), (&json!("here"), &json!([])));
    assert_eq!(shop_at(&away, &order), before);
    assert_quarantined_until_lifted(&away);
    away.json(&["orders", "resend", &order]);
    away.json(&["orders", "reissue", &order]);
    let changed = shop_at(&away, &order);

    let back = Place::new();
    move_shop(&away, &back);
    assert_eq!(shop_at(&back, &order), changed);
    assert_quarantined_until_lifted(&back);
    assert_eq!(back.run(&["audit", "--deep"]).code, 0);
}

fn assert_quarantined_until_lifted(place: &Place) {
    assert!(!place.json(&["quarantine", "status"])["quarantine"].is_null());
    let mut served = place.serve();
    assert_eq!(Browser::new(served.address).get("/").status, 200);
    assert!(served.log().contains("QUARANTINE since"), "{}", served.log());
    assert!(served.log().contains("handsel quarantine status"), "{}", served.log());
    served.line();
    assert_eq!(served.stop(Signal::TERM).0, Some(0));
    place.json(&["quarantine", "lift", "--yes"]);
    assert!(place.json(&["quarantine", "status"])["quarantine"].is_null());
    let served = place.serve();
    assert!(!served.log().contains("QUARANTINE"), "{}", served.log());
}

#[test]
fn a_backup_is_not_restored_over_a_shop_and_not_from_a_damaged_file() {
    let (home, _) = sold();
    let file = home.path("shop.backup");
    let path = file.to_str().expect("UTF-8");
    home.json(&["backup", path]);
    assert!(home.refused(&["restore", path], 1).contains("empty one"));

    let mut bytes = std::fs::read(&file).expect("the backup");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).expect("the backup");
    let fresh = Place::new();
    fresh.refused(&["restore", path], 1);
    assert!(!fresh.path("data/handsel.db").exists(), "something of a damaged backup was restored");
}

#[test]
fn an_export_of_keys_wants_a_good_passphrase_from_a_closed_file() {
    let place = Place::new();
    place.begin();
    let short = place.file("short", 0o600, "hunter2");
    let open = place.file("open", 0o644, PASSPHRASE);
    assert!(
        place.refused(&["secrets", "export", "keys", "--passphrase-file", &short], 2).contains("five words")
    );
    assert!(
        place.refused(&["secrets", "export", "keys", "--passphrase-file", &open], 2).contains("chmod 600")
    );
    assert!(!place.path("keys").exists());

    let good = place.file("good", 0o600, PASSPHRASE);
    place.json(&["secrets", "export", "keys", "--passphrase-file", &good]);
    let other = place.file("other", 0o600, "another five words here");
    assert!(
        place
            .refused(&["secrets", "import", "keys", "--passphrase-file", &other], 2)
            .contains("passphrase is wrong")
    );
    let rotated = place.json(&["secrets", "rotate"]);
    assert!(rotated.to_string().contains('2'), "{rotated}");
}

/// A place where the program was started and stopped, and nothing else was done.
fn started_once(place: Place) -> Place {
    assert_eq!(place.serve().stop(Signal::TERM).0, Some(0));
    place
}

fn a_backup_is_restored_where_the_program_was_only_started(place: Place) {
    let (home, order) = sold();
    let passphrase = home.file("passphrase", 0o600, PASSPHRASE);
    let (backup, keys) = (home.path("shop.backup"), home.path("shop.keys"));
    let (backup, keys) = (backup.to_str().expect("UTF-8"), keys.to_str().expect("UTF-8"));
    home.json(&["backup", backup, "--with-blobs"]);
    home.json(&["secrets", "export", keys, "--passphrase-file", &passphrase]);

    let place = started_once(place);
    assert_eq!(place.json(&["restore", backup])["keys"], "missing");
    assert!(place.path("data/keys/ring.replaced").exists(), "keys were thrown away");
    place.json(&["secrets", "import", keys, "--passphrase-file", &passphrase]);
    assert_eq!(shop_at(&place, &order), shop_at(&home, &order));
    assert_eq!(place.json(&["merchants", "list"]), home.json(&["merchants", "list"]));
    assert_eq!(place.run(&["audit", "--deep"]).code, 0);

    let forced = started_once(Place::new());
    assert_eq!(forced.json(&["restore", backup, "--force"])["keys"], "other");
}

/// What a first start does not do, by verbs, and how the refusal calls it.
const DONE_AT_THE_SHELL: [(&[&str], &str); 3] = [
    (&["products", "add", "--sku", "A", "--name", "B", "--price", "1"], "rows, such as in "),
    (&["api-keys", "create", "--name", "till", "--scope", "products:read"], "rows, such as in api_keys"),
    (&["merchants", "add", "--slug", "second", "--name", "Second", "--email", "a@b.test"], "several shops"),
];

/// What is done in the back office, as its rows show it.
const DONE_IN_THE_OFFICE: [(&str, &str); 3] = [
    ("UPDATE merchants SET version = 2", "settings were changed"),
    ("UPDATE staff SET password_hash = 'x'", "somebody who can sign in"),
    ("UPDATE events SET kind = 'staff.renamed' WHERE kind = 'staff.link_made'", "audit log"),
];

fn whatever_somebody_did_in_a_shop_is_not_restored_over(place: Place) {
    let engine = place.engine();
    let (home, _) = sold();
    let backup = home.path("shop.backup");
    let backup = backup.to_str().expect("UTF-8");
    home.json(&["backup", backup]);
    for (done, called) in DONE_AT_THE_SHELL {
        let place = Place::for_engine(engine);
        place.json(done);
        assert_not_restored_over(&place, backup, called);
    }
    for (done, called) in DONE_IN_THE_OFFICE {
        let place = Place::for_engine(engine);
        place.begin();
        let db = place.db();
        db.write_blocking(move |tx| db::sql(done).execute(tx)).expect("it is done");
        db.close();
        assert_not_restored_over(&place, backup, called);
    }
}

/// Neither with force nor without.
fn assert_not_restored_over(place: &Place, backup: &str, called: &str) {
    let before = everything(place);
    place.refused(&["restore", backup], 1);
    let said = place.refused(&["restore", backup, "--force"], 1);
    assert!(said.contains(called) && said.contains("is never restored over"), "{called}: {said}");
    assert_eq!(everything(place), before);
    assert!(place.path("data/keys/ring").exists() && !place.path("data/keys/ring.replaced").exists());
}

/// Every row there is.
fn everything(place: &Place) -> Vec<(String, Vec<Vec<db::Value>>)> {
    let db = place.db();
    let read = db.read_blocking(|snapshot| {
        let tables = db::dump::tables(snapshot)?;
        let page = |table: &db::dump::Table| {
            Ok((table.name.clone(), db::dump::page(snapshot, table, None, db::dump::PAGE_ROWS_MAX)?))
        };
        tables.iter().map(page).collect::<Result<_, db::DbError>>()
    });
    read.expect("rows")
}

#[test]
fn a_shop_whose_keys_are_lost_for_good_opens_again_with_new_links_and_connections() {
    let (home, order) = sold();
    let backup = home.path("shop.backup");
    let backup = backup.to_str().expect("UTF-8");
    home.json(&["backup", backup, "--with-blobs"]);
    let place = Place::new();
    place.begin();
    assert_eq!(place.json(&["restore", backup, "--force"])["keys"], "other");
    place.json(&["quarantine", "lift", "--yes"]);

    let connection = place.json(&["connections", "list"])[0]["id"].as_str().expect("an id").to_owned();
    let off = format!("handsel connections disable {connection}");
    let said = place.refused(&["serve"], 2);
    assert!(said.contains("secrets import") && said.contains(&off), "{said}");
    place.json(&["connections", "disable", &connection]);
    place.json(&["orders", "reissue", &order]);
    let link = place.json(&["orders", "show", &order, "--links"])["grants"][0]["link"].clone();
    let link = link.as_str().and_then(|link| link.split_once("/d/")).expect("a link").1.to_owned();
    let served = place.serve();
    assert_eq!(Browser::new(served.address).get(&format!("/d/{link}")).status, 200);
    drop(served);
    assert_eq!(place.run(&["audit", "--deep"]).code, 0);
}
