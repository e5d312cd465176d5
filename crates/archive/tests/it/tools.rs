//! The programs that buyers have.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use archive::{Entry, Layout};

use crate::shelf::{PASSWORD, Shelf, noise, plain, prose, sealed, whole};

/// A Java that is large enough to have `jar` takes 260 MB: `./test` does not install it.
const NOT_INSTALLED: &str = "jar";

/// Whether the program is on this machine. What `./test` does not install is skipped where it is missing, and said.
pub(crate) fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    assert!(found || program == NOT_INSTALLED, "{program} is not installed; run ./test once, which does it");
    if !found {
        eprintln!("skipped: {program} is not installed");
    }
    found
}

pub(crate) fn run(program: &str, arguments: &[&str]) -> Output {
    // unzip takes the names as UTF-8 only where the locale says so.
    let output = Command::new(program).args(arguments).env("LC_ALL", "C.UTF-8").output().expect("it starts");
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

struct Case {
    folder: tempfile::TempDir,
    files: Vec<(String, Vec<u8>)>,
}

impl Case {
    fn new(make: fn(Vec<Entry>) -> Arc<Layout>) -> Self {
        let contents = [
            ("empty.txt", Vec::new()),
            ("one.txt", b"x".to_vec()),
            ("Manual/Über uns – 日本語.pdf", noise(1, 300_000)),
            ("Manual/readme.txt", prose(200_000)),
            ("manual/README.txt", prose(70_000)),
            ("../../evil.exe", noise(2, 70_001)),
        ];
        let names = [
            "empty.txt",
            "one.txt",
            "Manual/Über uns – 日本語.pdf",
            "Manual/readme.txt",
            "manual/README (2).txt",
            "evil.exe",
        ];
        let mut shelf = Shelf::default();
        let put = |(index, (name, content)): (usize, &(&str, Vec<u8>))| match index {
            0..=2 => shelf.stored(name, content.as_slice()),
            _ => shelf.deflated(name, content.as_slice()),
        };
        let layout = make(contents.iter().enumerate().map(put).collect());
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("order.zip"), whole(&layout, &shelf)).expect("written");
        let files = names.iter().zip(contents).map(|(name, (_, content))| ((*name).to_owned(), content));
        Self { files: files.collect(), folder }
    }

    fn archive(&self) -> String {
        self.folder.path().join("order.zip").to_str().expect("UTF-8").to_owned()
    }

    fn out(&self) -> String {
        let out = self.folder.path().join("out");
        std::fs::create_dir(&out).expect("made");
        out.to_str().expect("UTF-8").to_owned()
    }

    fn check(&self) {
        let out = self.folder.path().join("out");
        for (name, content) in &self.files {
            assert_eq!(&std::fs::read(out.join(name)).expect("unpacked"), content, "{name}");
        }
        assert_eq!(files_below(&out).len(), self.files.len());
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("read").path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

#[test]
fn info_zip_unpacks_an_archive() {
    if has("unzip") {
        let case = Case::new(plain);
        run("unzip", &["-q", &case.archive(), "-d", &case.out()]);
        case.check();
    }
}

#[test]
fn info_zip_finds_an_archive_without_fault() {
    if has("unzip") {
        run("unzip", &["-tq", &Case::new(plain).archive()]);
    }
}

#[test]
fn info_zip_shows_plain_files_that_all_may_read() {
    if has("zipinfo") {
        let shown = run("zipinfo", &[&Case::new(plain).archive()]).stdout;
        let shown = String::from_utf8(shown).expect("UTF-8");
        assert_eq!(
            shown.lines().filter(|line| line.starts_with("-rw-r--r--  6.3 unx")).count(),
            6,
            "{shown}"
        );
        assert_eq!(shown.lines().filter(|line| line.contains("80-Jan-01 00:00")).count(), 6, "{shown}");
    }
}

#[test]
fn seven_zip_unpacks_an_archive() {
    if has("7z") {
        let case = Case::new(plain);
        run("7z", &["x", "-y", &case.archive(), &format!("-o{}", case.out())]);
        case.check();
    }
}

#[test]
fn libarchive_unpacks_an_archive() {
    if has("bsdtar") {
        let case = Case::new(plain);
        run("bsdtar", &["-xf", &case.archive(), "-C", &case.out()]);
        case.check();
    }
}

#[test]
fn libarchive_unpacks_an_archive_as_it_arrives() {
    if has("bsdtar") {
        let case = Case::new(plain);
        let file = std::fs::File::open(case.archive()).expect("an archive");
        let unpacked = Command::new("bsdtar")
            .args(["-xf", "-", "-C", &case.out()])
            .env("LC_ALL", "C.UTF-8")
            .stdin(file)
            .status();
        assert!(unpacked.expect("it starts").success());
        case.check();
    }
}

#[test]
fn python_unpacks_an_archive() {
    if has("python3") {
        let case = Case::new(plain);
        let script = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; \
                      z.extractall(sys.argv[2])";
        run("python3", &["-c", script, &case.archive(), &case.out()]);
        case.check();
    }
}

#[test]
fn java_unpacks_an_archive() {
    if has("jar") {
        let case = Case::new(plain);
        let unpacked = Command::new("jar")
            .args(["-xf", &case.archive()])
            .current_dir(case.out())
            .env("LC_ALL", "C.UTF-8")
            .status();
        assert!(unpacked.expect("it starts").success());
        case.check();
    }
}

#[test]
fn seven_zip_unpacks_a_protected_archive() {
    if has("7z") {
        let case = Case::new(sealed);
        run("7z", &["x", "-y", &format!("-p{PASSWORD}"), &case.archive(), &format!("-o{}", case.out())]);
        case.check();
    }
}

#[test]
fn seven_zip_refuses_a_wrong_password() {
    if has("7z") {
        let case = Case::new(sealed);
        let out = Command::new("7z").args(["t", "-pwrong", &case.archive()]).output().expect("it starts");
        assert!(!out.status.success());
    }
}

#[test]
fn seven_zip_notices_a_changed_byte_of_a_protected_archive() {
    if has("7z") {
        let case = Case::new(sealed);
        let mut bytes = std::fs::read(case.archive()).expect("an archive");
        bytes[100_000] ^= 1;
        std::fs::write(case.archive(), bytes).expect("written");
        let password = format!("-p{PASSWORD}");
        let out = Command::new("7z").args(["t", &password, &case.archive()]).output().expect("it starts");
        assert!(!out.status.success());
    }
}

#[test]
fn libarchive_unpacks_a_protected_archive() {
    if has("bsdtar") {
        let case = Case::new(sealed);
        run("bsdtar", &["--passphrase", PASSWORD, "-xf", &case.archive(), "-C", &case.out()]);
        case.check();
    }
}

#[test]
fn python_lists_a_protected_archive() {
    if has("python3") {
        let case = Case::new(sealed);
        let script = "import sys, zipfile; print(len(zipfile.ZipFile(sys.argv[1]).infolist()))";
        assert_eq!(run("python3", &["-c", script, &case.archive()]).stdout, b"6\n");
    }
}

#[test]
fn an_empty_archive_is_one_too() {
    if has("python3") {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("empty.zip");
        std::fs::write(&path, whole(&plain(Vec::new()), &Shelf::default())).expect("written");
        let script = "import sys, zipfile; print(zipfile.ZipFile(sys.argv[1]).namelist())";
        assert_eq!(run("python3", &["-c", script, path.to_str().expect("UTF-8")]).stdout, b"[]\n");
    }
}
