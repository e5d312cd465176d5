//! The baseline: `7z` packs the files of an order for its buyer, and the result is copied to where it is fetched.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::report::Failure;

/// The files on a disk, ready to be packed.
pub struct Packer {
    folder: tempfile::TempDir,
}

impl Packer {
    /// Whether there is a `7z`.
    pub fn is_installed() -> bool {
        Command::new("7z").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    }

    /// Puts the files there.
    pub fn new(files: &[(String, Vec<u8>)]) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        for (name, content) in files {
            let path = folder.path().join("files").join(name);
            path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            std::fs::write(path, content)?;
        }
        Ok(Self { folder })
    }

    /// One archive for one buyer.
    pub fn pack(&self, password: &str) -> Result<u64, Failure> {
        let [packed, fetched] = ["packed.zip", "fetched.zip"].map(|name| self.folder.path().join(name));
        let mut command = Command::new("7z");
        command.args(["a", "-tzip", "-mem=AES256", "-bd", &format!("-p{password}")]).arg(&packed).arg(".");
        command.current_dir(self.folder.path().join("files"));
        run(command)?;
        let copied = std::fs::copy(&packed, &fetched)?;
        // `7z a` would add to an archive that is there.
        std::fs::remove_file(&packed)?;
        Ok(copied)
    }
}

/// Whether `7z` opens an archive with this password and finds every byte as it was stored.
pub fn check(archive: &Path, password: &str) -> Result<(), Failure> {
    let mut command = Command::new("7z");
    command.arg("t").arg(format!("-p{password}")).arg(archive);
    run(command)
}

fn run(mut command: Command) -> Result<(), Failure> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("7z ended with {}: {said}", output.status).into())
}
