//! Specs, choices and disks that want more than they may have.
//!
//! The numbers are those of the attack catalogue.

use std::fs::{self, File};
use std::os::unix::net::UnixListener;

use payload::{
    Attributes, DirectoryTree, Expected, Fate, FileTree as _, Goods, Layout, Limits, PathError, Problem,
    Root, Spec, TreeError, TreePath, resolve,
};

use crate::disk::{Disk, names};

fn refused(spec: &str) -> Expected {
    match Spec::parse(spec) {
        Ok(_) => panic!("{spec:?} must be refused"),
        Err(error) => error.expected,
    }
}

fn path_refused(spec: &str) -> PathError {
    match refused(spec) {
        Expected::Path(error) => error,
        other => panic!("{spec:?}: {other}"),
    }
}

fn path(parts: &[&str]) -> TreePath {
    parts.iter().fold(TreePath::top(), |path, part| path.join(part))
}

#[test]
fn a069_a_spec_does_not_climb() {
    for spec in
        ["../secret.txt", "a/../../secret.txt", "..", "....//secret.txt", "a/./b", r"..\..\secret.txt"]
    {
        assert!(matches!(path_refused(spec), PathError::Dots(_)), "{spec}");
    }
    // No way of writing a character, but the prefix of an absolute path.
    assert_eq!(refused("%2e%2e/secret.txt"), Expected::AbsoluteAfterPercent);
}

#[test]
fn a069_a_tree_does_not_climb_whatever_it_is_asked_for() {
    let disk = Disk::new();
    disk.file("a/b.zip", "abc");
    for parts in
        [&["..", "secret.txt"][..], &["a", "..", "..", "secret.txt"], &["../secret.txt"], &["a/b.zip"], &[""]]
    {
        assert!(disk.tree().read(&path(parts)).is_err(), "{parts:?}");
        assert!(disk.tree().list(&path(parts), 10).is_err(), "{parts:?}");
    }
    assert!(disk.tree().read(&path(&["a", "b.zip"])).is_ok());
}

#[test]
fn a070_an_absolute_path_leads_into_declared_roots_only() {
    let disk = Disk::new();
    for spec in ["/etc/passwd", "%/etc/passwd", r"C:\Windows\win.ini", r"\\srv\c$\x", "//srv/share/x", "/"] {
        let Ok(parsed) = Spec::parse(spec) else { continue };
        let (tree, root) = (disk.tree(), disk.spelled());
        let roots = [Root::new(&root, &tree).expect("a root")];
        let found = resolve(&parsed, &roots, &Layout::FullPaths, Limits::default());
        assert!(matches!(found.problems().next(), Some((_, Problem::OutsideRoots(_)))), "{spec}");
    }
    assert_eq!(path_refused(r"\\?\C:\x"), PathError::Device);
    assert_eq!(path_refused("file:///x"), PathError::Colon);
}

#[test]
fn a070_a_neighbor_with_the_root_s_name_at_its_beginning_is_not_in_it() {
    let disk = Disk::new();
    fs::create_dir(disk.path("root2")).expect("made");
    fs::write(disk.path("root2/a.zip"), "a").expect("written");
    let found = disk.resolve(&format!("{}2/a.zip", disk.spelled()), &Layout::FullPaths);
    assert!(matches!(found.problems().next(), Some((_, Problem::OutsideRoots(_)))));
}

#[test]
fn a071_both_slashes_part_a_path_everywhere() {
    let disk = Disk::new();
    disk.file("a b/Größe/x.zip", "abc");
    for spec in [r"a b\Größe\x.zip", "a b/Größe/x.zip", r"A B\größe/X.ZIP", "\"a b\\Größe/x.zip\""] {
        assert_eq!(names(&disk.below(spec)), ["a b/Größe/x.zip"], "{spec}");
    }
}

#[test]
fn a072_devices_streams_and_short_names_are_refused() {
    for spec in ["CON", "NUL.txt", "nul", "x.txt::$DATA", "x.txt.", "\"x \"", "PROGRA~1", "a/LPT1.zip"] {
        path_refused(spec);
    }
}

#[test]
fn a073_a_choice_is_one_of_the_product_s_values() {
    let values = Attributes::list("Large, Medium, Caf\u{e9}").expect("three folders");
    for sent in
        ["Large/../../secret", "..", "", " ", "Large,%/etc/passwd", "Lar*", "Large/", "Large\0", "Größe"]
    {
        assert_eq!(values.choose(sent), None, "{sent:?}");
    }
    let composed = values.choose("cafe\u{301}").expect("the same word");
    assert_eq!(composed.as_str(), "Caf\u{e9}");
    for value in ["..", "a/b", r"a\b", "a*", "", "CON", "x."] {
        assert!(Attributes::new([value.to_owned()]).is_err(), "{value:?} cannot be a folder");
    }
}

#[test]
fn a074_a_text_of_somebody_else_s_stays_one_word_of_a_spec() {
    for text in ["x,%/etc/passwd", "!ftp.evil!/!u!p", "a\",b", "^x", "FFPSOURCED!PDF!NONE", "{id}", "*"] {
        let spec = Spec { items: vec![item(Goods::External(text.to_owned()))] };
        let again = Spec::parse(&spec.to_string()).unwrap_or_else(|error| panic!("{spec}: {error}"));
        let [only] = again.items.as_slice() else { panic!("{spec}: {} items", again.items.len()) };
        assert!(matches!(&only.goods, Goods::External(parameter) if parameter == text), "{spec}");
    }
}

fn item(goods: Goods) -> payload::Item {
    payload::Item { span: payload::Span { start: 0, end: 0 }, join: payload::Join::And, goods }
}

#[test]
fn a075_wildcards_stay_in_their_folder_and_come_sorted() {
    let disk = Disk::new();
    for name in ["b.zip", "A.zip", "c.zip", "deep/d.zip", "[a-z]x", "{a"] {
        disk.file(name, "abc");
    }
    let all = ["[a-z]x", "A.zip", "b.zip", "c.zip", "{a"];
    assert_eq!(names(&disk.below("*")), all);
    assert_eq!(names(&disk.below("**")), all);
    assert_eq!(names(&disk.below("~*.zip")), ["A.zip"]);
    assert_eq!(names(&disk.below("[a-z]*")), ["[a-z]x"], "brackets are letters");
    assert_eq!(path_refused("*/d.zip"), PathError::WildFolder);
    assert!(matches!(disk.below("%/*").problems().next(), Some((_, Problem::OutsideRoots(_)))));
}

#[test]
fn a075_no_more_is_found_or_looked_at_than_was_allowed() {
    let disk = Disk::new();
    (0..50).for_each(|number| disk.file(&format!("{number}.zip"), "abc"));
    let (tree, root) = (disk.tree(), disk.spelled());
    let spec = Spec::parse("*.zip").expect("a spec");
    let layout = Layout::by_attribute(&root, None).expect("a base");
    let within = |limits| {
        let roots = [Root::new(&root, &tree).expect("a root")];
        resolve(&spec, &roots, &layout, limits).problems().next().expect("a problem").1.clone()
    };
    assert_eq!(within(Limits { files: 49, ..Limits::default() }), Problem::Files(49));
    assert_eq!(within(Limits { bytes: 149, ..Limits::default() }), Problem::Bytes(149));
    assert_eq!(within(Limits { entries: 49, ..Limits::default() }), Problem::Entries(49));
    assert_eq!(
        tree.list(&TreePath::top(), 49),
        Err(TreeError::TooMany { folder: TreePath::top(), most: 49 })
    );
}

#[test]
fn a075_the_folders_of_all_items_share_one_allowance() {
    let disk = Disk::new();
    disk.file("a/1.zip", "abc");
    disk.file("b/1.zip", "abc");
    let (tree, root) = (disk.tree(), disk.spelled());
    let layout = Layout::by_attribute(&root, None).expect("a base");
    let spec = Spec::parse("a/*,b/*").expect("a spec");
    let with = |entries| {
        let roots = [Root::new(&root, &tree).expect("a root")];
        resolve(&spec, &roots, &layout, Limits { entries, ..Limits::default() }).problems().count()
    };
    assert_eq!((with(3), with(4)), (1, 0));
}

#[test]
fn a076_a_wildcard_that_could_match_in_countless_ways_is_answered() {
    let disk = Disk::new();
    disk.file(&"a".repeat(255), "abc");
    // By trying one way after another this would take longer than there is time.
    let spec = format!("{}b", "a*".repeat(120));
    assert!(disk.below(&spec).files.is_empty());
    assert_eq!(disk.below(&"a*".repeat(120)).files.len(), 1);
}

#[test]
fn a077_links_are_not_followed_to_files_or_folders_nor_round_in_circles() {
    let disk = Disk::new();
    disk.link("../secret.txt", "file.zip");
    disk.link("../private", "folder");
    disk.link("loop", "loop");
    disk.link(".", "self");
    disk.file("inside.zip", "abc");
    disk.link("inside.zip", "inner.zip");
    for spec in ["file.zip", "folder/a.zip", "loop/a.zip", "self/inside.zip", "inner.zip"] {
        let found = disk.below(spec);
        assert!(found.files.is_empty(), "{spec}");
        assert_eq!(found.outcomes[0].considered[0].fate, Fate::Link, "{spec}");
    }
    assert_eq!(names(&disk.below("*")), ["inside.zip"]);
    for parts in [&["file.zip"][..], &["folder", "a.zip"], &["inner.zip"], &["self", "inside.zip"]] {
        assert!(disk.tree().read(&path(parts)).is_err(), "{parts:?}");
    }
}

#[test]
fn a078_what_was_replaced_after_it_was_listed_is_not_opened() {
    let disk = Disk::new();
    disk.file("a/goods.zip", "abc");
    let tree = disk.tree();
    let goods = path(&["a", "goods.zip"]);
    assert_eq!(tree.read(&goods).expect("a file").1, 3);

    fs::remove_file(disk.root().join("a/goods.zip")).expect("removed");
    assert_eq!(tree.read(&goods).expect_err("removed"), TreeError::Missing(goods.clone()));
    disk.link("../../secret.txt", "a/goods.zip");
    assert_eq!(tree.read(&goods).expect_err("a link"), TreeError::NotAFile(goods.clone()));
    fs::remove_file(disk.root().join("a/goods.zip")).expect("removed");
    disk.pipe("a/goods.zip");
    assert_eq!(tree.read(&goods).expect_err("a pipe"), TreeError::NotAFile(goods.clone()));

    fs::rename(disk.root().join("a"), disk.root().join("b")).expect("moved");
    disk.link("../private", "a");
    let private = path(&["a", "a.zip"]);
    assert_eq!(tree.read(&private).expect_err("a link"), TreeError::NotAFolder(private));
}

#[test]
fn a078_a_root_stays_the_folder_that_was_opened() {
    let disk = Disk::new();
    disk.file("a.zip", "abc");
    let tree = disk.tree();
    fs::rename(disk.root(), disk.path("moved")).expect("moved");
    std::os::unix::fs::symlink(disk.path("private"), disk.root()).expect("linked");
    assert_eq!(
        tree.read(&path(&["a.zip"])).expect("the file of the root").1,
        3,
        "not the private one of 7 bytes"
    );
}

#[test]
fn a079_pipes_sockets_and_folders_are_not_files() {
    let disk = Disk::new();
    disk.pipe("pipe.zip");
    disk.folder("folder.zip");
    let _socket = UnixListener::bind(disk.root().join("socket.zip")).expect("a socket");
    let found = disk.below("*");
    assert!(found.files.is_empty());
    let fates: Vec<Fate> = found.outcomes[0].considered.iter().map(|one| one.fate).collect();
    assert_eq!(fates, [Fate::Folder, Fate::NotAFile, Fate::NotAFile]);
    for name in ["pipe.zip", "folder.zip", "socket.zip"] {
        assert_eq!(disk.tree().read(&path(&[name])).expect_err(name), TreeError::NotAFile(path(&[name])));
    }
}

#[test]
fn a079_a_device_is_not_a_file() {
    let tree = DirectoryTree::open("/dev".as_ref()).expect("a folder");
    assert_eq!(tree.read(&path(&["null"])).expect_err("a device"), TreeError::NotAFile(path(&["null"])));
}

#[test]
fn a079_a_huge_file_without_content_counts_with_its_whole_length() {
    let disk = Disk::new();
    let file = File::create(disk.root().join("huge.zip")).expect("made");
    file.set_len(Limits::default().bytes + 1).expect("sparse");
    assert_eq!(
        disk.below("huge.zip").problems().next().expect("a problem").1,
        &Problem::Bytes(Limits::default().bytes)
    );
}

#[test]
fn a081_a_file_whose_name_is_not_unicode_is_told_and_not_taken() {
    use std::os::unix::ffi::OsStrExt as _;
    let disk = Disk::new();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.zip");
    fs::write(disk.root().join(name), "abc").expect("written");
    let found = disk.below("*.zip");
    assert!(found.files.is_empty());
    assert_eq!(found.outcomes[0].considered[0].fate, Fate::NotAFile);
}

#[test]
fn a091_the_fields_of_an_upload_are_checked() {
    for spec in [
        "FFPSOURCED!PDF!ftp.example.com\r\nDELE x!d!u!p",
        "FFPSOURCED!PDF!ftp.example.com!d\nDELE x!u!p",
        "FFPSOURCED!PDF!ftp.example.com!d!u\r\nPASS x!p",
        "FFPSOURCED!PDF!ftp.example.com!d!u!p\0",
        "FFPSOURCED!PDF!ftp.example.com!../../etc!u!p",
        "FFPSOURCED!PDF!ftp.example.com!!!",
        "FFPSOURCED!PDF!ftp://ftp.example.com!d!u!p",
        "FFPSOURCED!PDF!u@ftp.example.com!d!u!p",
        "FFPSOURCED!PDF!a b!d!u!p",
        "FFPSOURCED!PDF!ftp.example.com!d!u!p!q",
    ] {
        refused(spec);
    }
    let spec =
        Spec::parse("FFPSOURCED!PDF!ftp.example.com!Grüße aus!\"u!ser\"!\"p!a,\"\"ss \"").expect("a spec");
    let shown = spec.to_string();
    assert_eq!(shown, "FFPSOURCED!PDF!ftp.example.com!Grüße aus!\"u!ser\"!***");
}
