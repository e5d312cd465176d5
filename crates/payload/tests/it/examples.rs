//! Each form of spec that old item tables hold.

use payload::{Artwork, Delivery, Format, Goods, Join, Login, NamePattern, Pick, Reach, Spec};

fn parsed(text: &str) -> Spec {
    Spec::parse(text).unwrap_or_else(|error| panic!("{}", error.pointed(text)))
}

fn paths(text: &str) -> Vec<String> {
    let path = |goods: &Goods| match goods {
        Goods::Files { path, .. } => path.to_string(),
        other => other.to_string(),
    };
    parsed(text).items.iter().map(|item| path(&item.goods)).collect()
}

fn artwork(text: &str) -> Artwork {
    match parsed(text).items.pop().map(|item| item.goods) {
        Some(Goods::Artwork(artwork)) => artwork,
        other => panic!("artwork was expected: {other:?}"),
    }
}

fn upload(text: &str) -> (String, String, String) {
    match artwork(text).delivery {
        Delivery::Upload { host, directory, login: Login::Plain(credential) } => {
            (host, directory, credential.user)
        }
        other => panic!("an upload was expected: {other:?}"),
    }
}

#[test]
fn a_whole_path_of_windows_and_a_name_alone() {
    assert_eq!(paths(r"c:\payloadsource\filename.exe"), ["c:/payloadsource/filename.exe"]);
    assert_eq!(paths("filename.exe"), ["filename.exe"]);
    assert_eq!(paths(r"\\server\share\a b\Größe.zip"), ["//server/share/a b/Größe.zip"]);
    assert_eq!(paths("/srv/goods/file.zip"), ["/srv/goods/file.zip"]);
}

#[test]
fn several_files() {
    let spec = parsed(r"c:\payloadsource\filename_A.exe,+c:\payloadsource\filename_B.exe");
    assert_eq!(spec.items.iter().map(|item| item.join).collect::<Vec<_>>(), [Join::And, Join::And]);
    assert_eq!(paths("a.zip, b.zip ,+ c.zip").len(), 3);
}

#[test]
fn goods_that_somebody_else_hands_over() {
    let parameter = |text: &str| match parsed(text).items.remove(1).goods {
        Goods::External(parameter) => ("external", parameter),
        Goods::DropShip(parameter) => ("drop-ship", parameter),
        other => panic!("{other:?}"),
    };
    assert_eq!(parameter("@W8898,+@W7655"), ("external", "W7655".to_owned()));
    assert_eq!(parameter("#W8898,+#W7655"), ("drop-ship", "W7655".to_owned()));
}

#[test]
fn wildcards_with_an_alternative() {
    let spec = parsed(r"c:\payloadsource\filename*.exe,^c:\payloadsource\filename_alt*.exe");
    assert_eq!(spec.items[1].join, Join::IfNot);
    for item in &spec.items {
        assert!(
            matches!(&item.goods, Goods::Files { path, .. } if matches!(path.name, NamePattern::Wild(_)))
        );
    }
}

#[test]
fn prefixes_in_any_order() {
    for text in [r"a,+~%c:\x*.zip", r"a,%~+c:\x*.zip", r"a,~+%c:\x*.zip"] {
        let item = parsed(text).items.remove(1);
        assert_eq!(item.join, Join::And);
        assert!(
            matches!(item.goods, Goods::Files { pick: Pick::First, reach: Reach::Absolute, .. }),
            "{text}: {:?}",
            item.goods
        );
    }
    let first = parsed(r"~c:\payloadsource\filename*.exe").items.remove(0);
    assert!(matches!(first.goods, Goods::Files { pick: Pick::First, reach: Reach::Store, .. }));
}

#[test]
fn artwork_is_downloaded_or_uploaded_with_a_directory_or_without() {
    let own =
        |host: &str, directory: &str, user: &str| (host.to_owned(), directory.to_owned(), user.to_owned());
    assert_eq!(
        upload("FFPSOURCED!PDF!216.52.183.144!/!myuserid!mypassword"),
        own("216.52.183.144", "", "myuserid")
    );
    assert_eq!(
        upload("FFPSOURCED!PNG!ftp.mycompany.com!MyDirectory!myuserid!mypassword"),
        own("ftp.mycompany.com", "MyDirectory", "myuserid")
    );
    assert_eq!(
        upload("ffpsourced!jpg!ftp.mycompany.com!myuserid!mypassword"),
        own("ftp.mycompany.com", "", "myuserid")
    );
    let own = artwork("FFPSOURCED!JPG!NONE");
    assert_eq!(own.format, Format::Jpg);
    assert!(matches!(own.delivery, Delivery::Download));
}

#[test]
fn an_item_without_a_payload_has_an_empty_spec() {
    assert!(parsed("").is_empty());
    assert!(parsed("  ").is_empty());
}

#[test]
fn a_sealed_spec_holds_no_password() {
    let mut spec = parsed("FFPSOURCED!PDF!ftp.example.com!art!user!pa55word");
    assert!(!format!("{spec} {spec:?}").contains("pa55word"));
    spec.seal(|host, credential| {
        assert_eq!((host, credential.user.as_str()), ("ftp.example.com", "user"));
        assert_eq!(credential.password.expose(), "pa55word");
        Ok::<_, ()>("cred1".to_owned())
    })
    .expect("kept");
    assert_eq!(spec.to_string(), "FFPSOURCED!PDF!ftp.example.com!art!{cred1}");
    assert_eq!(parsed(&spec.to_string()).to_string(), spec.to_string());
}

#[test]
fn an_error_points_at_the_character_and_says_what_was_expected() {
    let at = |text: &str| Spec::parse(text).expect_err(text).at;
    let said = |text: &str| Spec::parse(text).expect_err(text).to_string();
    assert_eq!(at("a.zip,,b.zip"), 7);
    assert!(said("a.zip,,b.zip").contains("extra comma"), "{}", said("a.zip,,b.zip"));
    assert_eq!(at("^a.zip"), 1);
    assert_eq!(at("ä.zip,^+b.zip"), 8);
    assert!(said("FFPSOURCED!GIF!NONE").contains("PDF, PNG or JPG"));
    assert_eq!(at(r#"a.zip,"b.zip"#), 7);
    assert!(said("@").contains("parameter"));
    assert!(said("~@W1").contains("files only"));
}

#[test]
fn no_path_leads_around() {
    for text in [
        "../secret",
        r"..\secret",
        "a/../b",
        "a/./b",
        "...",
        r"\\?\c:\x",
        r"\\.\pipe\x",
        "c:x",
        "a//b",
        "a/",
        "file.txt:stream",
        "http://a/b",
        "NUL",
        "com1.zip",
        "a/CON/b",
        "a\u{202E}gpj.exe",
        "a\nb",
        "x.",
        "x ./y",
        "PROGRA~1/x",
        "*/x",
        "a?b/c",
    ] {
        assert!(Spec::parse(text).is_err(), "{text:?} must be refused");
    }
}
