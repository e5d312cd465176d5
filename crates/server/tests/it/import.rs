//! `handsel import sendsafe`: old files become drafts, once, or nothing is written.

use serde_json::{Value, json};

use crate::support::Place;

testkit::both_engines! {
    items_become_drafts_with_their_prices_and_the_life_of_their_links,
    an_import_can_be_repeated_and_changes_nothing_that_is_there,
    nothing_is_written_while_a_line_is_wrong_or_asks,
    a_dry_run_tells_the_same_and_writes_nothing,
}

const SETTINGS: &str = "\
PAYLOAD ENABLED = YES
PAYLOAD DOWNLOAD BASE DIR = \\\\SeverA\\c$\\payloads;\\\\SeverB\\c$\\payloads
PAYLOAD SOURCE BASE DIR = d:\\my goods
PAYLOAD TTL = 6
ENABLE ZIP PASSWORD = YES
";

const ITEMS: &str = "\
ItemID,Name,Price,PayloadLoc,ATTRIBUTE,productType
D1,Decal,2.50,decal*.jpg,\"Large, Medium, Small\",
K1,The key,\"1,250.00\",FFPSOURCED!PDF!ftp.example.com!art!user!pa55word,,$DRM$
X1,,0,,,
";

fn old(items: &str) -> Place {
    let place = Place::new();
    fill(&place, items);
    place
}

fn fill(place: &Place, items: &str) {
    place.file("storefront.config", 0o644, SETTINGS);
    place.file("items.csv", 0o644, items);
}

const IMPORT: [&str; 6] = ["import", "sendsafe", "items.csv", "storefront.config", "--currency", "USD"];
const DAYS: [&str; 2] = ["--ttl-unit", "days"];

fn clean(place: &Place) {
    let checks = place.json(&["audit"]);
    let broken = checks.as_array().into_iter().flatten().filter(|check| check["verdict"] == "broken");
    assert_eq!(broken.count(), 0, "{checks}");
}

fn products(place: &Place) -> Vec<Value> {
    let list = place.json(&["products", "list"]);
    let mut products: Vec<Value> = list.as_array().cloned().expect("a list");
    products.sort_by_key(|product| product["sku"].to_string());
    let told =
        |one: &Value| json!([one["sku"], one["name"], one["status"], one["prices"], one["link_life_days"]]);
    products.iter().map(told).collect()
}

/// Runs an import that is blocked, and gives its report.
fn blocked(place: &Place, more: &[&str]) -> Value {
    let ran = place.run(&[&IMPORT[..], more, &["--json"]].concat());
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let report: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!((&report["blocked"], &report["written"]), (&json!(true), &json!(false)));
    report
}

fn lines<'a>(report: &'a Value, file: &str) -> &'a Vec<Value> {
    let files = report["files"].as_array().expect("files");
    let file = files.iter().find(|one| one["file"] == file).expect("the file");
    file["lines"].as_array().expect("lines")
}

fn items_become_drafts_with_their_prices_and_the_life_of_their_links(place: Place) {
    fill(&place, ITEMS);
    let report = place.json(&[&IMPORT[..], &DAYS].concat());
    assert_eq!(
        json!([report["new"], report["there_already"], report["payloads"], report["written"]]),
        json!([3, 0, 1, true])
    );
    assert_eq!(
        products(&place),
        [
            json!(["D1", "Decal", "draft", ["2.50 USD"], 6]),
            json!(["K1", "The key", "draft", ["1250.00 USD"], 6]),
            json!(["X1", "X1", "draft", ["0.00 USD"], 6]),
        ]
    );
    let item = &lines(&report, "items.csv")[0];
    assert_eq!((&item["line"], &item["verdict"]), (&json!(2), &json!("taken")));
    assert_eq!(item["item"]["choices"], json!(["Large", "Medium", "Small"]));
    assert_eq!(item["item"]["payload"], "decal*.jpg");
    clean(&place);
}

fn an_import_can_be_repeated_and_changes_nothing_that_is_there(place: Place) {
    fill(&place, ITEMS);
    place.json(&["products", "add", "--sku", "D1", "--name", "Mine", "--price", "9", "--currency", "EUR"]);
    place.json(&[&IMPORT[..], &DAYS].concat());
    let after = products(&place);
    assert_eq!(after[0], json!(["D1", "Mine", "active", ["9.00 EUR"], 3]));
    let again = place.json(&[&IMPORT[..], &DAYS].concat());
    assert_eq!(json!([again["new"], again["there_already"]]), json!([0, 3]));
    assert_eq!(products(&place), after);
    clean(&place);
}

fn nothing_is_written_while_a_line_is_wrong_or_asks(place: Place) {
    fill(&place, ITEMS);
    let asked = blocked(&place, &[]);
    let ttl = lines(&asked, "storefront.config").iter().find(|line| line["what"] == "PAYLOAD TTL");
    assert_eq!(ttl.expect("the line")["verdict"], "asked");

    fill(&place, &format!("{ITEMS}B1,Bad,1,..\\secret.txt,,\nB2,{},1,,,\n", "x".repeat(200)));
    let wrong = blocked(&place, &DAYS);
    let told = |at: usize| {
        let line = &lines(&wrong, "items.csv")[at];
        (line["verdict"].clone(), line["told"].to_string())
    };
    assert_eq!(told(3).0, "wrong");
    assert!(told(3).1.contains("payload, character 1"), "{}", told(3).1);
    assert!(told(4).1.contains("a name has 1 to 127"), "{}", told(4).1);
    assert!(products(&place).is_empty());
    clean(&place);
}

fn a_dry_run_tells_the_same_and_writes_nothing(place: Place) {
    fill(&place, ITEMS);
    let report = place.json(&[&IMPORT[..], &DAYS, &["--dry-run"]].concat());
    assert_eq!(json!([report["new"], report["written"]]), json!([3, false]));
    assert!(products(&place).is_empty());
    clean(&place);
}

#[test]
fn a_report_for_people_has_each_line_and_no_password() {
    let place = old(ITEMS);
    let ran = place.run(&[&IMPORT[..], &DAYS, &["--dry-run"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let line = |start: &str| ran.out.lines().find(|line| line.trim_start().starts_with(start)).expect(start);
    assert!(line("2  needless").contains("2 places"), "{}", ran.out);
    assert!(line("4  taken     PAYLOAD").ends_with("PAYLOAD TTL: links live 6 days"), "{}", ran.out);
    assert!(line("3  taken     K1").contains("FFPSOURCED!PDF!ftp.example.com!art!user!***"), "{}", ran.out);
    assert!(ran.out.contains("items with a payload: 1"), "{}", ran.out);
    assert!(!ran.out.contains("pa55word") && !ran.err.contains("pa55word"));
    let json = place.json(&[&IMPORT[..], &DAYS, &["--dry-run"]].concat());
    assert!(!json.to_string().contains("pa55word"));
}

#[test]
fn old_windows_text_and_other_headings_are_read() {
    let place = Place::new();
    let table = b"Nummer;Titel;Kosten;PayloadLoc\r\nG1;Gr\xf6\xdfe;1,50;\"c:\\a, b.zip\"\r\n";
    std::fs::write(place.path("items.txt"), table).expect("written");
    let columns = ["--column", "sku=Nummer", "--column", "name=Titel", "--column", "price=Kosten"];
    let report =
        place.json(&[&["import", "sendsafe", "items.txt", "--currency", "EUR"], &columns[..]].concat());
    assert_eq!(report["files"][0]["encoding"], "windows-1252");
    assert_eq!(products(&place), [json!(["G1", "Größe", "draft", ["1.50 EUR"], 3])]);
}

#[test]
fn what_is_no_such_file_is_refused() {
    let place = old(ITEMS);
    place.file("other.txt", 0o644, "something else\n");
    place.file("second.config", 0o644, SETTINGS);
    place.file("unpriced.csv", 0o644, "ItemID,PayloadLoc\nA,b.zip\n");
    let refused = |files: &[&str]| place.refused(&[&["import", "sendsafe"], files].concat(), 2);
    assert!(refused(&["other.txt"]).contains("neither a configuration of SendSafe"));
    assert!(refused(&["storefront.config", "second.config"]).contains("both configurations"));
    assert!(refused(&["unpriced.csv"]).contains("--column price=HEADING"));
    assert!(refused(&["nowhere.csv"]).contains("No such file"));
    assert!(refused(&["items.csv", "--column", "weight=W"]).contains("no field \"weight\""));
}
