//! A look makes nothing: no verb that shows or changes what is there begins a shop.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Place, Ran};

testkit::both_engines! {
    where_no_shop_is_looking_makes_none_and_says_what_to_do,
    where_no_shop_is_the_doctor_and_the_check_of_migrations_report_and_make_nothing,
    a_database_without_a_shop_is_not_filled_by_looking,
}

const ORDER: &str = "ord_00000000000000000000000001";
const NOTICE: &str = "ntc_00000000000000000000000001";
const KEY: &str = "key_00000000000000000000000001";
const CONNECTION: &str = "con_00000000000000000000000001";

/// Every verb that finds a shop and does not make one.
const FINDS: [&[&str]; 36] = [
    &["access", "import", "x", "entries.txt"],
    &["access", "status", "x"],
    &["merchants", "list"],
    &["connections", "list"],
    &["connections", "disable", CONNECTION],
    &["products", "list"],
    &["products", "show", "x"],
    &["products", "payload", "x", "--remove"],
    &["products", "pick-up", "x", "/srv/goods/film.mkv"],
    &["orders", "list"],
    &["orders", "show", ORDER],
    &["orders", "resend", ORDER],
    &["orders", "extend", ORDER, "--days", "1"],
    &["orders", "reissue", ORDER],
    &["orders", "regenerate", ORDER],
    &["customers", "list"],
    &["customers", "show", "a@b.test"],
    &["notices", "list"],
    &["notices", "show", NOTICE],
    &["notices", "replay", NOTICE],
    &["notices", "accept", NOTICE],
    &["notices", "refuse", NOTICE],
    &["api-keys", "list"],
    &["api-keys", "revoke", KEY],
    &["staff", "totp-off", "--email", "a@b.test"],
    &["audit"],
    &["audit", "--deep"],
    &["backup", "shop.backup"],
    &["stores", "list"],
    &["stores", "check"],
    &["stores", "sync"],
    &["quarantine", "status"],
    &["quarantine", "lift", "--yes"],
    &["secrets", "export", "shop.keys", "--passphrase-file", "nowhere"],
    &["secrets", "rotate"],
    &["--merchant", "second", "products", "list"],
];

/// Every verb that may be the first, that reports what it does not find, or that needs no shop.
const OTHERS: [&str; 15] = [
    "stamp lookup",
    "serve",
    "demo",
    "merchants add",
    "connections add",
    "products add",
    "api-keys create",
    "staff owner-link",
    "migrate",
    "doctor",
    "restore",
    "secrets import",
    "import sendsafe",
    "payload explain",
    "payload pack",
];

/// What is in the place, and how many tables its database has.
fn contents(place: &Place) -> (Vec<String>, usize) {
    let entries = std::fs::read_dir(place.path("")).expect("the place");
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let tables = match place.engine() {
        db::Engine::Sqlite => 0,
        db::Engine::Postgres => {
            place.db().read_blocking(|snapshot| db::dump::tables(snapshot)).expect("tables").len()
        }
    };
    (names.collect(), tables)
}

fn where_no_shop_is_looking_makes_none_and_says_what_to_do(place: Place) {
    for verb in FINDS {
        let said = place.refused(verb, 2);
        assert!(said.contains("data") && said.contains("handsel serve"), "{verb:?}: {said}");
        assert!(said.contains("--config"), "{verb:?}: {said}");
        assert_eq!(contents(&place), (Vec::new(), 0), "{verb:?}");
    }
}

fn report(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err))
}

fn where_no_shop_is_the_doctor_and_the_check_of_migrations_report_and_make_nothing(place: Place) {
    let checks = report(&place.run(&["doctor", "--json"]))["checks"].clone();
    let folder = checks.as_array().into_iter().flatten().find(|check| check["check"] == "data folder");
    assert_eq!(folder.map(|check| &check["status"]), Some(&json!("warning")), "{checks}");
    let migrations = place.json(&["migrate", "--check"]);
    assert_eq!((&migrations["applied"], &migrations["ran"]), (&json!([]), &json!([])));
    assert_ne!(migrations["pending"], json!([]));
    assert_eq!(contents(&place), (Vec::new(), 0));
}

fn a_database_without_a_shop_is_not_filled_by_looking(place: Place) {
    place.json(&["migrate"]);
    for verb in FINDS {
        let said = place.refused(verb, 2);
        assert!(said.contains("handsel serve"), "{verb:?}: {said}");
    }
    let first = place.db().read_blocking(|snapshot| {
        db::sql("SELECT count(*) AS n FROM merchants").one(snapshot, |row| row.get::<i64>("n"))
    });
    assert_eq!(first.expect("a number"), 0);
    assert!(!place.path("data/keys").exists());
}

/// The names under "Commands:" in a help text.
fn commands(place: &Place, of: &[&str]) -> Vec<String> {
    let help = place.run(&[of, &["--help"]].concat()).out;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = listed.take_while(|line| !line.is_empty()).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn every_verb_is_known_to_find_a_shop_or_to_make_one() {
    let place = Place::new();
    let mut every = BTreeSet::new();
    for noun in commands(&place, &[]) {
        let verbs = commands(&place, &[&noun]);
        if verbs.is_empty() {
            every.insert(noun.clone());
        }
        every.extend(verbs.iter().map(|verb| format!("{noun} {verb}")));
    }
    let finds = FINDS.iter().map(|verb| {
        let words = verb.iter().take_while(|word| !word.starts_with("--")).take(2);
        words.copied().collect::<Vec<_>>().join(" ")
    });
    let single = |verb: String| if verb.starts_with("backup") { "backup".to_owned() } else { verb };
    let mut known: BTreeSet<String> = finds.map(single).filter(|verb| !verb.is_empty()).collect();
    known.extend(OTHERS.map(str::to_owned));
    assert_eq!(known, every);
}
