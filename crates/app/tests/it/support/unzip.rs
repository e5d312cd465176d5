//! The programs that buyers open archives with.

use std::path::{Path, PathBuf};

use super::served::{program, run};

const PYTHON: &str = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; z.extractall(sys.argv[2])";

/// Opens an archive with every program that `./test` installs: each must find exactly these files.
pub fn check(archive: &[u8], files: &[(&str, Vec<u8>)]) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("all.zip");
    std::fs::write(&path, archive).expect("the archive is written");
    let zip = path.to_str().expect("UTF-8");
    for name in ["unzip", "7z", "bsdtar", "python3"] {
        let out = folder.path().join(name);
        std::fs::create_dir(&out).expect("a folder is made");
        let to = out.to_str().expect("UTF-8");
        let into = format!("-o{to}");
        let arguments = match name {
            "unzip" => vec!["-q", zip, "-d", to],
            "7z" => vec!["x", "-y", &into, zip],
            "bsdtar" => vec!["-xf", zip, "-C", to],
            _ => vec!["-c", PYTHON, zip, to],
        };
        run(program(name, &arguments));
        compare(name, &out, files);
    }
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
