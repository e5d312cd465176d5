//! The baseline: the system's nginx, as its documentation has it for links that expire.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::report::{Failure, Stopwatch};

/// A running nginx with one protected file. Dropping it ends it.
pub struct Nginx {
    child: Child,
    port: u16,
    path: String,
    _folder: tempfile::TempDir,
}

/// Where nginx is, if it is installed.
pub fn find() -> Option<PathBuf> {
    ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx"]
        .into_iter()
        .map(PathBuf::from)
        .find(|p| p.exists())
}

impl Nginx {
    /// Starts nginx with this content behind `secure_link`.
    pub fn start(program: &Path, content: &[u8]) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let root = folder.path();
        // Its workers may run as another user.
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(root, std::fs::Permissions::from_mode(0o755))?;
        std::fs::write(root.join("file.bin"), content)?;
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let here = root.display();
        let config = format!(
            "daemon off; worker_processes 2; pid {here}/pid; error_log {here}/error.log;\n\
             events {{ worker_connections 256; }}\n\
             http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;\n\
             client_body_temp_path {here}/b; proxy_temp_path {here}/p; fastcgi_temp_path {here}/f;\n\
             uwsgi_temp_path {here}/u; scgi_temp_path {here}/s; open_file_cache max=100;\n\
             server {{ listen 127.0.0.1:{port}; root {here};\n\
             location = /file.bin {{ secure_link $arg_md5,$arg_expires;\n\
             secure_link_md5 \"$secure_link_expires$uri secret\";\n\
             if ($secure_link = \"\") {{ return 403; }} if ($secure_link = \"0\") {{ return 410; }} }} }} }}\n"
        );
        std::fs::write(root.join("nginx.conf"), config)?;
        let child = Command::new(program)
            .arg("-p")
            .arg(root)
            .arg("-c")
            .arg(root.join("nginx.conf"))
            .stderr(Stdio::null())
            .spawn()?;
        let nginx = Self { child, port, path: secured_path(), _folder: folder };
        nginx.wait()?;
        Ok(nginx)
    }

    /// Where it listens.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The file with its signature.
    pub fn path(&self) -> String {
        self.path.clone()
    }

    fn wait(&self) -> Result<(), Failure> {
        let stopwatch = Stopwatch::start();
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if stopwatch.elapsed().as_secs() > 10 {
                return Err("nginx does not listen".into());
            }
            std::thread::yield_now();
        }
        Ok(())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // The master ends its workers on SIGTERM, which a plain kill would leave behind.
        let _ = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// `expires` far ahead, and base64url(md5("{expires}{uri} secret")) as nginx computes it.
fn secured_path() -> String {
    const EXPIRES: &str = "4102444800";
    use base64::Engine as _;
    use md5::Digest as _;
    let digest = md5::Md5::digest(format!("{EXPIRES}/file.bin secret"));
    let code = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest);
    format!("/file.bin?md5={code}&expires={EXPIRES}")
}
