//! Old files, and what each of their lines becomes.

use kernel::{Currency, Span};
use payload::sendsafe::{Columns, Item, Items, Kind, Line, Settings, Source, TableError, TtlUnit, Verdict};

/// The example of the manual, letter by letter.
const MANUAL: &str = "\
PAYLOAD ENABLED               = YES
PAYLOAD DOWNLOAD BASE DIR     = \\\\SeverA\\c$\\Inetpub\\MySite\\public_html\\en\\payloads;\\\\SeverB\\c$\\Inetpub\\MySite\\public_html\\en\\payloads
PAYLOAD SOURCE BASE DIR       = \n\
PAYLOAD BASE URL              = http://www.mywebsite.com
PAYLOAD TTL                   = 6
ENABLE ZIP PASSWORD\t\t= YES
PAYLOAD DIR ENCODING LEN\t= 20
";

fn verdicts(settings: &Settings) -> Vec<(&str, Verdict)> {
    settings.lines.iter().map(|line| (line.what.as_str(), line.verdict)).collect()
}

fn one(line: &str) -> Line {
    Settings::read(line, Some(TtlUnit::Days)).lines.remove(0)
}

#[test]
fn the_manual_s_configuration_is_read_and_what_it_leaves_open_is_asked() {
    let settings = Settings::read(MANUAL, None);
    assert_eq!(
        verdicts(&settings),
        [
            ("PAYLOAD ENABLED", Verdict::Taken),
            ("PAYLOAD DOWNLOAD BASE DIR", Verdict::Needless),
            ("PAYLOAD SOURCE BASE DIR", Verdict::Asked),
            ("PAYLOAD BASE URL", Verdict::Needless),
            ("PAYLOAD TTL", Verdict::Asked),
            ("ENABLE ZIP PASSWORD", Verdict::Later),
            ("PAYLOAD DIR ENCODING LEN", Verdict::Later),
        ]
    );
    assert!(settings.lines[1].told[0].contains("2 places"), "{:?}", settings.lines[1]);
    assert!(settings.lines[4].told[0].contains("--ttl-unit"), "{:?}", settings.lines[4]);
    assert_eq!((settings.enabled, settings.password, settings.link_life), (Some(true), Some(true), None));
    assert_eq!(Kind::of(MANUAL, &Columns::default()), Some(Kind::Settings));
}

#[test]
fn a_time_to_live_needs_its_unit() {
    let life = |unit| Settings::read("payload  ttl=6", Some(unit)).link_life;
    assert_eq!(life(TtlUnit::Hours), Some(Span::hours(6)));
    assert_eq!(life(TtlUnit::Days), Some(Span::days(6)));
    for line in ["PAYLOAD TTL = 0", "PAYLOAD TTL = -1", "PAYLOAD TTL = six", "PAYLOAD TTL = 99999999"] {
        assert_eq!(one(line).verdict, Verdict::Wrong, "{line}");
    }
}

#[test]
fn options_a_and_b_are_told_apart() {
    let source = |value: &str| Settings::read(&format!("PAYLOAD SOURCE BASE DIR = {value}"), None).source;
    assert_eq!(source("<none>"), Some(Source::FullPaths));
    assert_eq!(source("<NONE>"), Some(Source::FullPaths));
    assert_eq!(source(r"d:\my goods"), Some(Source::Below(r"d:\my goods".to_owned())));
    assert_eq!(source("none"), None, "that is a folder, and not a whole path");
}

#[test]
fn other_lines_are_told_and_do_no_harm() {
    let text = "; a comment\n\n[section]\nSMTP SERVER = mail\nnonsense\nASP FILES SERVER LOC = c:\\inetpub\n";
    let settings = Settings::read(text, None);
    assert_eq!(
        verdicts(&settings),
        [
            ("SMTP SERVER", Verdict::Ignored),
            ("nonsense", Verdict::Ignored),
            ("ASP FILES SERVER LOC", Verdict::Needless)
        ]
    );
    assert_eq!(settings.lines[0].line, 4);
}

#[test]
fn what_cannot_be_right_is_said() {
    assert_eq!(one("PAYLOAD ENABLED = maybe").verdict, Verdict::Wrong);
    assert_eq!(one("PAYLOAD DIR ENCODING LEN = long").verdict, Verdict::Wrong);
    assert_eq!(one(r"PAYLOAD SOURCE BASE DIR = goods\..").verdict, Verdict::Wrong);
    let twice = Settings::read("PAYLOAD ENABLED=YES\nPAYLOAD ENABLED=NO", None);
    assert_eq!(twice.lines[1].told, ["line 1 has this keyword already; remove one of the two"]);
    assert_eq!(twice.enabled, Some(true));
}

fn table(text: &str, settings: &str) -> Items {
    let settings = Settings::read(settings, None);
    Items::read(text, &Columns::default(), &settings, Currency::USD).expect("a table")
}

fn items(table: &Items) -> Vec<&Item> {
    table.rows.iter().filter_map(|(_, item)| item.as_ref()).collect()
}

fn wrong(table: &Items) -> String {
    let (line, _) = table.rows.iter().find(|(line, _)| line.verdict == Verdict::Wrong).expect("a wrong line");
    format!("{}: {}", line.line, line.told.join("; "))
}

#[test]
fn a_table_of_items_is_read() {
    let text = "\
ItemID,Name,Price,PayloadLoc,ATTRIBUTE,productType
D1,Decal,\"1,250.00\",decal*.jpg,\"Large, Medium, Small\",
K1,\"The key, 2nd\",$5,\"a.zip,+~b*.zip\",NULL,$DRM$
X1,,0,,,
";
    let table = table(text, r"PAYLOAD SOURCE BASE DIR = d:\goods");
    let [decal, key, bare] = items(&table)[..] else { panic!("{table:?}") };
    assert_eq!((decal.sku.as_str(), decal.price.to_string()), ("D1", "1250.00 USD".to_owned()));
    assert_eq!(decal.choices, ["Large", "Medium", "Small"]);
    assert_eq!((key.name.as_str(), key.license_key), ("The key, 2nd", true));
    assert_eq!(key.spec.to_string(), "a.zip,+~b*.zip");
    assert_eq!((bare.name.as_str(), bare.spec.is_empty(), bare.license_key), ("X1", true, false));
    assert_eq!(table.rows.iter().map(|(line, _)| line.line).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!(Kind::of(text, &Columns::default()), Some(Kind::Items));
}

#[test]
fn tables_come_with_semicolons_and_tabs_too() {
    for delimiter in [";", "\t"] {
        let text = "sku;price;payloadloc\nA;1,50;\"a, b.zip\"\n".replace(';', delimiter);
        let table = table(&text, "");
        assert_eq!(items(&table)[0].spec.items.len(), 2);
        assert_eq!(items(&table)[0].price.minor, 1_50);
    }
}

#[test]
fn every_fault_of_a_row_is_told_with_its_line() {
    let head = "sku,price,currency,payloadloc\n";
    let of = |row: &str| wrong(&table(&format!("{head}{row}\n"), ""));
    assert_eq!(of(",1,,"), "2: there is no item number");
    assert_eq!(of("A,,,"), "2: there is no price");
    assert!(of("A,1,XXX,").contains("XXX"));
    assert!(of("A,x,,../b").contains("payload, character 1"), "both are told: {}", of("A,x,,../b"));
    assert!(of("A,x,,../b").contains('x'));
    assert!(of("A,1,,a.zip,b.zip").contains("more cells than columns"));
    assert_eq!(of("A,1,,\nB,1,,\nA,2,,"), "4: line 2 has this item number already");
}

#[test]
fn a_path_has_to_go_with_where_paths_begin() {
    let head = "sku,price,payloadloc\nA,1,";
    let relative = wrong(&table(&format!("{head}a.zip\n"), "PAYLOAD SOURCE BASE DIR = <none>"));
    assert!(relative.contains("must be whole"), "{relative}");
    let whole = wrong(&table(&format!("{head}c:\\a.zip\n"), r"PAYLOAD SOURCE BASE DIR = c:\goods"));
    assert!(whole.contains("write % before it"), "{whole}");
    let both = table(&format!("{head}%c:\\a.zip\n"), r"PAYLOAD SOURCE BASE DIR = c:\goods");
    assert_eq!(items(&both).len(), 1);
}

#[test]
fn choices_are_folders_only_where_files_are_sorted_by_them() {
    let text = "sku,price,attribute\nA,1,\"8/10, 5/7\"\n";
    assert_eq!(items(&table(text, "PAYLOAD SOURCE BASE DIR = <none>"))[0].choices, ["8/10", "5/7"]);
    assert!(wrong(&table(text, r"PAYLOAD SOURCE BASE DIR = c:\goods")).contains("cannot be a folder"));
}

#[test]
fn payloads_that_were_switched_off_stay_off() {
    let table = table("sku,price,payloadloc\nA,1,a.zip\n", "PAYLOAD ENABLED = NO");
    assert!(items(&table)[0].spec.is_empty());
    assert!(table.rows[0].0.told[0].contains("switched off"));
}

#[test]
fn a_login_is_not_shown() {
    let table = table("sku,price,payloadloc\nA,1,FFPSOURCED!PDF!ftp.example.com!d!u!pa55word\n", "");
    assert!(!format!("{table:?}").contains("pa55word"));
}

#[test]
fn a_table_without_numbers_or_prices_and_one_with_two_are_refused() {
    let read = |text: &str| Items::read(text, &Columns::default(), &Settings::default(), Currency::USD);
    assert_eq!(read("price,payloadloc\n").expect_err("no number"), TableError::Column("sku"));
    assert_eq!(read("sku,payloadloc\n").expect_err("no price"), TableError::Column("price"));
    assert!(matches!(read("sku,price,Unit Price\n"), Err(TableError::Twice(..))));
    assert_eq!(Kind::of("a,b\n1,2\n", &Columns::default()), None);
}
