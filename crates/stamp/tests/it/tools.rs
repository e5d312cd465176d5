//! Programs of others, on files in a folder of their own.

use std::path::PathBuf;
use std::process::{Command, Output};
use tempfile::TempDir;

/// A folder with the file that a program works on.
pub struct Bench {
    folder: TempDir,
}

impl Bench {
    /// A folder with a file in it.
    pub fn with(name: &str, bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), bytes).unwrap();
        Self { folder }
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        Command::new(program)
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .unwrap_or_else(|error| panic!("{program} cannot be run ({error}); ./test installs it"))
    }

    /// What a program says; it must succeed.
    pub fn says(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.run(program, arguments);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?}: {said}{complained}");
        said
    }

    /// The file that a program makes.
    pub fn makes(&self, program: &str, arguments: &[&str], result: &str) -> Vec<u8> {
        self.says(program, arguments);
        std::fs::read(self.path(result)).unwrap()
    }

    /// A file's path.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
