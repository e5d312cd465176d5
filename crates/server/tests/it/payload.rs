//! `handsel payload`: what a spec delivers, and the archive of it, read back by the programs that buyers have.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::Place;

const PASSWORD: &str = "xk3mq-t7hwd ~!\"$%";

/// A folder of goods, with a password beside it and things that are not to be had.
fn shop() -> Place {
    let place = Place::new();
    fs::create_dir_all(place.path("goods/Große Bilder")).expect("made");
    place.file("goods/readme.txt", 0o644, &"the handsel of the day\n".repeat(4_000));
    place.file("goods/book one.zip", 0o644, "one");
    place.file("goods/book two.zip", 0o644, "two");
    place.file("goods/Große Bilder/Übung.jpg", 0o644, "a picture");
    fs::write(place.path("goods/noise.bin"), noise(300_000)).expect("written");
    place.file("secret.txt", 0o600, "secret");
    symlink("../secret.txt", place.path("goods/book three.zip")).expect("linked");
    place.file("password", 0o600, PASSWORD);
    place
}

/// Bytes that do not deflate.
fn noise(length: u32) -> Vec<u8> {
    (0..length.div_ceil(32)).flat_map(|number| Sha256::digest(number.to_le_bytes())).collect()
}

const ALL: &str = "%/srv/goods/*,~book*.zip,Große Bilder/*";
const ROOT: &str = "/srv/goods=goods";

fn explain(place: &Place, spec: &str) -> Value {
    place.json(&["payload", "explain", spec, "--root", ROOT, "--base", "/srv/goods"])
}

fn pack(place: &Place, to: &str, more: &[&str]) -> Value {
    let pack = ["payload", "pack", ALL, "--root", ROOT, "--base", "/srv/goods", "-o", to];
    place.json(&[&pack[..], more].concat())
}

fn sha256(path: &Path) -> String {
    hex::encode(Sha256::digest(fs::read(path).expect("packed")))
}

/// Whether the program is on this machine.
fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    if !found {
        eprintln!("skipped: {program} is not installed");
    }
    found
}

/// Unpacks with this program and compares.
fn unpacks(place: &Place, program: &str, arguments: &[&str]) {
    if !has(program) {
        return;
    }
    let out = place.path("out");
    fs::create_dir(&out).expect("made");
    let ran = Command::new(program).args(arguments).current_dir(&out).env("LC_ALL", "C.UTF-8").output();
    let ran = ran.expect("it starts");
    assert!(ran.status.success(), "{program}: {}", String::from_utf8_lossy(&ran.stderr));
    let goods = |name: &str| fs::read(place.path("goods").join(name)).expect("there");
    for name in ["readme.txt", "book one.zip", "book two.zip", "noise.bin"] {
        assert!(fs::read(out.join(name)).expect(name) == goods(name), "{name}");
    }
    assert!(fs::read(out.join("Übung.jpg")).expect("Übung.jpg") == goods("Große Bilder/Übung.jpg"));
    assert_eq!(fs::read_dir(&out).expect("a folder").count(), 5);
}

#[test]
fn an_explanation_says_of_each_file_why_it_is_in_or_out() {
    let place = shop();
    let told = explain(&place, "~book*.zip,none*.zip,^readme.txt,gone/x,@W8898");
    let items = told["items"].as_array().expect("items");
    let considered = |one: &Value| json!([one["path"], one["in"], one["why"]]);
    let considered: Vec<Value> =
        items[0]["considered"].as_array().into_iter().flatten().map(considered).collect();
    assert_eq!(
        json!(considered),
        json!([
            ["/srv/goods/book one.zip", true, "taken"],
            ["/srv/goods/book three.zip", false, "link"],
            ["/srv/goods/book two.zip", false, "not_first"],
        ])
    );
    let came: Vec<&Value> = items.iter().map(|item| &item["came"]).collect();
    assert_eq!(json!(came), json!([{ "files": 1 }, "nothing", { "files": 1 }, "nothing", "elsewhere"]));
    assert_eq!((&items[0]["passed_over"], &items[3]["missing"]), (&json!(3), &json!("/srv/goods/gone")));
    assert_eq!((&told["files"], &told["bytes"]), (&json!(2), &json!(92_003)));
}

#[test]
fn an_explanation_for_people_says_the_same() {
    let place = shop();
    let ran = place.run(&["payload", "explain", "/srv/goods/book*,^/srv/goods/readme.txt", "--root", ROOT]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let expected = "\
/srv/goods/book*
  2 files
  /srv/goods/book one.zip    in   3 bytes
  /srv/goods/book three.zip  out  a link, which is not followed
  /srv/goods/book two.zip    in   3 bytes
  3 more in the folder do not match
^/srv/goods/readme.txt
  not needed: the item before is there
2 files, 6 bytes
as an archive at most 228 bytes, with a password 328 bytes
";
    assert_eq!(ran.out, expected);
}

#[test]
fn a_choice_is_a_folder_below_the_base_directory() {
    let place = shop();
    let told = place.json(&[
        "payload",
        "explain",
        "*.jpg",
        "--root",
        "goods",
        "--base",
        "goods",
        "--attribute",
        "große bilder",
    ]);
    assert_eq!(told["files"], 1);
    let refused = place.refused(
        &["payload", "explain", "*", "--root", "goods", "--base", "goods", "--attribute", "../goods"],
        2,
    );
    assert!(refused.contains("\"../goods\" cannot be a folder"), "{refused}");
}

#[test]
fn what_cannot_be_delivered_fails_and_says_why() {
    let place = shop();
    let ran = place.run(&["payload", "explain", "/etc/passwd", "--root", ROOT]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("\"/etc/passwd\" is in none of the declared roots"), "{}", ran.out);
    let packed = place.refused(&["payload", "pack", "/etc/passwd", "--root", ROOT, "-o", "x.zip"], 1);
    assert!(packed.contains("declared roots"), "{packed}");
    let nothing = place.refused(&["payload", "pack", "/srv/goods/none*", "--root", ROOT, "-o", "x.zip"], 1);
    assert!(nothing.contains("nothing is there") && nothing.contains("no file"), "{nothing}");
    assert!(!place.path("x.zip").exists());
}

#[test]
fn a_spec_that_cannot_be_read_is_shown_with_its_place() {
    let place = shop();
    let refused = place.refused(&["payload", "explain", "a.zip,,b.zip", "--root", "goods"], 2);
    let lines: Vec<&str> = refused.lines().collect();
    assert_eq!(lines[1], "a.zip,,b.zip");
    assert!(lines[2].starts_with("      ^ expected a file"), "{refused}");
}

#[test]
fn a_password_in_a_spec_is_not_shown() {
    let place = shop();
    let spec = "/srv/goods/readme.txt,FFPSOURCED!PDF!ftp.example.com!art!user!pa55word";
    for more in [&["explain", spec, "--root", ROOT][..], &["pack", spec, "--root", ROOT, "-o", "x.zip"]] {
        for form in [&[][..], &["--json"]] {
            let _ = fs::remove_file(place.path("x.zip"));
            let ran = place.run(&[&["payload"], more, form].concat());
            assert_eq!(ran.code, 0, "{}", ran.err);
            assert!(!ran.out.contains("pa55word") && !ran.err.contains("pa55word"), "{}{}", ran.out, ran.err);
        }
    }
}

#[test]
fn an_archive_is_unpacked_by_info_zip() {
    let place = shop();
    pack(&place, "order.zip", &[]);
    unpacks(&place, "unzip", &["-q", "../order.zip"]);
}

#[test]
fn an_archive_is_unpacked_by_libarchive() {
    let place = shop();
    pack(&place, "order.zip", &[]);
    unpacks(&place, "bsdtar", &["-xf", "../order.zip"]);
}

#[test]
fn an_archive_with_a_password_is_unpacked_by_seven_zip() {
    let place = shop();
    pack(&place, "order.zip", &["--password-file", "password"]);
    unpacks(&place, "7z", &["x", "-y", &format!("-p{PASSWORD}"), "../order.zip"]);
}

#[test]
fn an_archive_with_a_password_is_unpacked_by_libarchive() {
    let place = shop();
    pack(&place, "order.zip", &["--password-file", "password"]);
    unpacks(&place, "bsdtar", &["--passphrase", PASSWORD, "-xf", "../order.zip"]);
}

#[test]
fn an_archive_is_as_long_as_explained_at_most_and_deflated_where_that_pays() {
    let place = shop();
    let (told, packed) = (explain(&place, ALL), pack(&place, "order.zip", &[]));
    assert!(packed["bytes"].as_u64() < told["archive_bytes_max"].as_u64(), "{packed}");
    let held = |name: &str| {
        let entries = packed["entries"].as_array().expect("entries");
        let entry = entries.iter().find(|entry| entry["name"] == name).expect(name);
        (entry["bytes"].clone(), entry["held"].as_u64().expect("a number"))
    };
    assert_eq!(held("noise.bin"), (json!(300_000), 300_000));
    assert!(held("readme.txt").1 < 2_000);
}

#[test]
fn the_same_files_and_password_give_the_same_bytes() {
    let place = shop();
    for more in [&[][..], &["--password-file", "password"]] {
        let (one, other) = (pack(&place, "one.zip", more), pack(&place, "other.zip", more));
        assert_eq!(one, other);
        assert_eq!(sha256(&place.path("one.zip")), one["sha256"].as_str().expect("a digest"));
        assert_eq!(sha256(&place.path("other.zip")), one["sha256"].as_str().expect("a digest"));
        fs::remove_file(place.path("one.zip")).expect("removed");
        fs::remove_file(place.path("other.zip")).expect("removed");
    }
}

#[test]
fn ranges_put_together_are_the_archive() {
    let place = shop();
    for more in [&[][..], &["--password-file", "password"]] {
        let whole = pack(&place, "whole.zip", more);
        let length = whole["bytes"].as_u64().expect("a number");
        let (mut first, mut together) = (0u64, Vec::new());
        for part in [1, 29, 100_000, 7, 150_001, u64::MAX] {
            let last = first.saturating_add(part - 1);
            let range = if part == u64::MAX { format!("{first}-") } else { format!("{first}-{last}") };
            let packed = pack(&place, "part", &[&["--range", &range], more].concat());
            assert_eq!(packed["etag"], whole["etag"]);
            together.extend(fs::read(place.path("part")).expect("packed"));
            fs::remove_file(place.path("part")).expect("removed");
            first = last.saturating_add(1);
        }
        assert_eq!(u64::try_from(together.len()).expect("small"), length);
        assert_eq!(hex::encode(Sha256::digest(&together)), whole["sha256"].as_str().expect("a digest"));
        fs::remove_file(place.path("whole.zip")).expect("removed");
    }
}

#[test]
fn an_archive_goes_to_standard_output_and_nothing_else_does() {
    let place = shop();
    let whole = pack(&place, "whole.zip", &[]);
    let arguments = ["payload", "pack", ALL, "--root", ROOT, "--base", "/srv/goods", "-o", "-", "--json"];
    let ran = place.command(&arguments).output().expect("it runs");
    assert!(ran.status.success());
    assert_eq!(hex::encode(Sha256::digest(&ran.stdout)), whole["sha256"].as_str().expect("a digest"));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("\"etag\""));
}

#[test]
fn a_range_behind_the_end_is_refused_with_the_length() {
    let place = shop();
    let arguments = ["payload", "pack", "/srv/goods/book*", "--root", ROOT, "-o", "x", "--range", "228-"];
    let refused = place.refused(&arguments, 1);
    assert!(refused.contains("it has 228 bytes"), "{refused}");
    assert!(!place.path("x").exists());
}

/// Where two contents are encrypted with one keystream, their difference is the difference of what is seen.
#[test]
fn a_keystream_is_never_used_for_two_contents() {
    let place = shop();
    let (before, after) = (noise(5_000), noise(5_032)[32..].to_vec());
    let sealed = |content: &[u8], name: &str| {
        fs::write(place.path("goods/a.bin"), content).expect("written");
        let arguments =
            ["payload", "pack", "/srv/goods/a.bin", "--root", ROOT, "--password-file", "password"];
        place.json(&[&arguments[..], &["-o", name]].concat());
        fs::read(place.path(name)).expect("packed")
    };
    let (one, other, again) = (sealed(&before, "1"), sealed(&after, "2"), sealed(&before, "3"));
    assert!(one == again);
    // Header, name, and the field that tells of the encryption; then the salt and two bytes of a check.
    let salt = 30 + 5 + 11..30 + 5 + 11 + 16;
    assert_ne!(one[salt.clone()], other[salt.clone()]);
    let body = salt.end + 2..salt.end + 2 + 5_000;
    let difference = |a: &[u8], b: &[u8]| a.iter().zip(b).map(|(a, b)| a ^ b).collect::<Vec<u8>>();
    assert_ne!(difference(&one[body.clone()], &other[body]), difference(&before, &after[..5_000]));
}

#[test]
fn a_password_that_others_can_read_or_that_opens_nothing_is_refused() {
    let place = shop();
    let pack = |file: &str| {
        let arguments =
            ["payload", "pack", "/srv/goods/*", "--root", ROOT, "-o", "x.zip", "--password-file", file];
        place.refused(&arguments, 2)
    };
    assert!(pack(&place.file("open", 0o644, "secret")).contains("chmod 600"));
    assert!(pack(&place.file("foreign", 0o600, "pässword")).contains("character 2"));
    assert!(!place.path("x.zip").exists());
}

#[test]
fn nothing_is_left_behind_and_nothing_is_replaced() {
    let place = shop();
    pack(&place, "order.zip", &[]);
    assert_eq!(place.mode("order.zip"), 0o600);
    let again = ["payload", "pack", "/srv/goods/*", "--root", ROOT, "-o", "order.zip"];
    assert!(place.refused(&again, 2).contains("there is such a file already"));
    let mut names: Vec<String> = fs::read_dir(place.path(""))
        .expect("a folder")
        .map(|entry| entry.expect("read").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["goods", "order.zip", "password", "secret.txt"]);
}

#[test]
fn a_name_that_would_write_to_the_terminal_is_shown_and_not_obeyed() {
    let place = shop();
    place.file("goods/\u{1b}[2Jgone.zip", 0o644, "x");
    place.file("goods/\u{202e}piz.exe", 0o644, "x");
    let ran = place.run(&["payload", "explain", "/srv/goods/*", "--root", ROOT]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(!ran.out.contains(['\u{1b}', '\u{202e}']), "{}", ran.out);
    assert!(ran.out.contains("/srv/goods/\\u{1b}[2Jgone.zip"), "{}", ran.out);
    let packed = place.json(&["payload", "pack", "/srv/goods/*.exe", "--root", ROOT, "-o", "order.zip"]);
    assert_eq!(packed["entries"][0]["name"], "piz.exe");
}
