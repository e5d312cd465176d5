//! ProFTPD on loopback, with one login.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use ftp::upload::{Account, Security};
use kernel::Secret;
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use super::{Certificate, certificate};

/// The password of the login.
pub const PASSWORD: &str = "s3cret!pw";

/// That password, as `crypt` makes it of the salt "saltsalt".
const CRYPTED: &str = "$5$saltsalt$UsRCpmeGmQHjcV0MtVruRX5jAxsN7u3qpJy4jw96UvC";

/// A server that runs until it is dropped.
pub struct ProFtpd {
    /// The folder of the login.
    pub home: PathBuf,
    port: u16,
    certificate: Certificate,
    _folder: TempDir,
    _process: Child,
}

impl ProFtpd {
    /// Starts one that insists on TLS.
    pub async fn with_tls() -> Self {
        Self::start("TLSEngine on\nTLSRequired on\n", "").await
    }

    /// Starts one that has no TLS, with more lines in its configuration.
    pub async fn plain(more: &str) -> Self {
        Self::start("TLSEngine off\n", more).await
    }

    async fn start(tls: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificate = certificate(&folder);
        let (path, home) = (folder.path().display().to_string(), folder.path().join("home"));
        std::fs::create_dir(&home).unwrap();
        let owner = std::fs::metadata(&home).unwrap();
        let login = format!("printer:{CRYPTED}:{}:{}::{path}/home:/bin/false\n", owner.uid(), owner.gid());
        for (name, text) in [("passwd", login.as_str()), ("group", "")] {
            std::fs::write(folder.path().join(name), text).unwrap();
            private(&folder.path().join(name));
        }
        private(&certificate.key_pem);
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let configuration = format!(
            "ModulePath /usr/lib/proftpd\nLoadModule mod_tls.c\n\
             ServerName test\nServerType standalone\nDefaultAddress 127.0.0.1\nPort {port}\n\
             UseIPv6 off\nUseReverseDNS off\nDelayEngine off\nWtmpLog off\n\
             PidFile {path}/pid\nScoreboardFile none\nSystemLog none\nTransferLog none\n\
             AuthOrder mod_auth_file.c\nAuthUserFile {path}/passwd\nAuthGroupFile {path}/group\n\
             RequireValidShell off\nRootLogin on\nAllowStoreRestart on\nAllowOverwrite on\n\
             TLSECCertificateFile {path}/cert.pem\nTLSECCertificateKeyFile {path}/key.pem\n{tls}{more}\n"
        );
        std::fs::write(folder.path().join("conf"), configuration).unwrap();
        let mut process = Command::new("/usr/sbin/proftpd")
            .args(["-n", "-c", &format!("{path}/conf")])
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut all = String::new();
        while !all.contains("STARTUP") {
            let line = said.next_line().await.unwrap();
            all.push_str(&line.unwrap_or_else(|| panic!("proftpd ended: {all}")));
            all.push('\n');
        }
        // Nobody reads what it says from now on, but a closed pipe would end it.
        tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
        Self { home, port, certificate, _folder: folder, _process: process }
    }

    /// A connection to it.
    pub async fn connect(&self) -> TcpStream {
        let connecting = async {
            // It says that it has started a moment before it listens.
            loop {
                match TcpStream::connect(("127.0.0.1", self.port)).await {
                    Ok(stream) => return stream,
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), connecting).await.unwrap()
    }

    /// The login, with TLS that trusts its certificate.
    pub fn account(&self, directory: &str) -> Account {
        Account { security: Security::Tls(client(&[&self.certificate])), ..plain_account(directory) }
    }

    /// A file of the login.
    pub fn file(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.home.join(path)).unwrap()
    }

    /// What is in a directory of the login.
    pub fn names(&self, directory: &str) -> Vec<String> {
        let read = std::fs::read_dir(self.home.join(directory)).unwrap();
        let mut names: Vec<String> =
            read.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// A client that trusts these certificates and no others.
pub fn client(trusted: &[&Certificate]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in trusted {
        roots.add(certificate.der.clone()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

/// The login in clear text.
pub fn plain_account(directory: &str) -> Account {
    Account {
        host: "127.0.0.1".to_owned(),
        security: Security::Plain,
        user: "printer".to_owned(),
        password: Secret::new(PASSWORD.to_owned()),
        directory: directory.to_owned(),
    }
}

fn private(path: &std::path::Path) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
