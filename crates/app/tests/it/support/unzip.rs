//! The programs that buyers open archives with. What a machine lacks is skipped, and said.

use std::path::{Path, PathBuf};
use std::process::Command;

const PYTHON: &str = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; z.extractall(sys.argv[2])";

/// Opens an archive with every program there is: each must find exactly these files.
pub fn check(archive: &[u8], files: &[(&str, Vec<u8>)]) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("all.zip");
    std::fs::write(&path, archive).expect("the archive is written");
    let zip = path.to_str().expect("UTF-8");
    for program in ["unzip", "7z", "bsdtar", "python3"] {
        let out = folder.path().join(program);
        std::fs::create_dir(&out).expect("a folder is made");
        let to = out.to_str().expect("UTF-8");
        let arguments = match program {
            "unzip" => vec!["-q".to_owned(), zip.to_owned(), "-d".to_owned(), to.to_owned()],
            "7z" => vec!["x".to_owned(), "-y".to_owned(), format!("-o{to}"), zip.to_owned()],
            "bsdtar" => vec!["-xf".to_owned(), zip.to_owned(), "-C".to_owned(), to.to_owned()],
            _ => vec!["-c".to_owned(), PYTHON.to_owned(), zip.to_owned(), to.to_owned()],
        };
        if unpacks(program, &arguments) {
            compare(program, &out, files);
        }
    }
}

fn unpacks(program: &str, arguments: &[String]) -> bool {
    // unzip takes names as UTF-8 only where the locale says so.
    let ran = Command::new(program).args(arguments).env("LC_ALL", "C.UTF-8").output();
    let Ok(output) = ran else {
        eprintln!("skipped: {program} is not installed");
        return false;
    };
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{program}: {}\n{}", output.status, String::from_utf8_lossy(&said));
    true
}

fn compare(program: &str, out: &Path, files: &[(&str, Vec<u8>)]) {
    for (name, content) in files {
        let found =
            std::fs::read(out.join(name)).unwrap_or_else(|error| panic!("{program}, {name}: {error}"));
        assert!(&found == content, "{program} found something else in {name}");
    }
    assert_eq!(files_below(out).len(), files.len(), "{program} found other files");
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("read").path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}
