//! A door on loopback with one directory behind it, and programs that go through it.

pub mod proftpd;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use async_trait::async_trait;
use bytes::Bytes;
use ftp::door::{Chunks, Door, Entry, Protection, Refusal, Settings, Shelf, Visitor};
use kernel::{SeededEntropy, Timestamp};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The name of the one directory.
pub const NAME: &str = "Zk3v9QwT1bXc7LmP0sRf5HnJ2dGy8UaE4iVoK6Bt";

/// Its larger file, which is no multiple of anything.
pub const CHARTS_BYTES: usize = 3_000_017;

/// What the large file holds.
pub fn charts() -> Vec<u8> {
    (0..CHARTS_BYTES).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect()
}

/// A shelf with one directory of two files, which counts how often a file was begun.
#[derive(Default)]
pub struct Shop {
    /// How often a file was asked for.
    pub fetched: AtomicU64,
    /// The large file breaks off after so many bytes.
    pub cut_after: Option<usize>,
    /// What is handed out is so many times longer than what is listed, to fill any buffer.
    pub repeated: usize,
}

impl Shop {
    fn content(&self, file: &str) -> Option<Vec<u8>> {
        match file {
            "Harbor Charts.zip" => Some(charts()),
            "Lies mich – ä.txt" => Some("Grüße\n".into()),
            _ => None,
        }
    }
}

#[async_trait]
impl Shelf for Shop {
    async fn list(&self, _: Visitor, directory: &str) -> Result<Vec<Entry>, Refusal> {
        if directory != NAME {
            return Err(Refusal::NotFound);
        }
        let entry = |name: &str| Entry {
            name: name.to_owned(),
            size: u64::try_from(self.content(name).unwrap_or_default().len()).unwrap_or(0),
            modified: Timestamp::from_seconds(1_780_000_000),
        };
        Ok(["Harbor Charts.zip", "Lies mich – ä.txt"].map(entry).into())
    }

    async fn fetch(&self, _: Visitor, directory: &str, file: &str, from: u64) -> Result<Chunks, Refusal> {
        let content = (directory == NAME).then(|| self.content(file)).flatten().ok_or(Refusal::NotFound)?;
        let from = usize::try_from(from).map_err(|_| Refusal::BeyondEnd)?;
        let bytes = content.get(from..).ok_or(Refusal::BeyondEnd)?;
        self.fetched.fetch_add(1, Ordering::SeqCst);
        let kept = self.cut_after.unwrap_or(usize::MAX).min(bytes.len());
        let mut parts: Vec<io::Result<Bytes>> =
            bytes[..kept].chunks(1 << 20).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
        let whole: Vec<Bytes> = parts.iter().filter_map(|part| part.as_ref().ok().cloned()).collect();
        parts.extend((0..self.repeated).flat_map(|_| whole.clone()).map(Ok));
        if kept < bytes.len() {
            parts.push(Err(io::Error::other("withdrawn")));
        }
        Ok(Box::pin(Parts(parts.into_iter())))
    }
}

struct Parts(std::vec::IntoIter<io::Result<Bytes>>);

impl futures_core::Stream for Parts {
    type Item = io::Result<Bytes>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.next())
    }
}

/// A certificate for 127.0.0.1, which clients are told to trust.
pub struct Certificate {
    /// In PEM form, in a file.
    pub pem: PathBuf,
    /// Its key, likewise.
    pub key_pem: PathBuf,
    /// For the door.
    pub server: Arc<ServerConfig>,
    /// As a client's root.
    pub der: rustls::pki_types::CertificateDer<'static>,
}

/// Makes a certificate.
pub fn certificate(folder: &TempDir) -> Certificate {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let (pem, key_pem) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&pem, made.cert.pem()).unwrap();
    std::fs::write(&key_pem, made.key_pair.serialize_pem()).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.key_pair.serialize_der()));
    let server = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    Certificate { pem, key_pem, server: Arc::new(server), der: made.cert.der().clone() }
}

/// A door that is open.
pub struct Open {
    /// Where.
    pub address: SocketAddr,
    /// What it shows.
    pub shop: Arc<Shop>,
    /// What its clients trust.
    pub certificate: Certificate,
    /// Where clients put what they fetch.
    pub folder: TempDir,
    scheme: &'static str,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<usize>,
}

/// How the door of a test is protected.
#[derive(Clone, Copy)]
pub enum Kind {
    Implicit,
    Required,
    Plain,
}

/// What tests change of the settings: any free port will do.
pub fn settings() -> Settings {
    Settings { passive_ports: 0..=0, ..Settings::default() }
}

impl Open {
    /// Opens a door to this shop.
    pub async fn new(kind: Kind, shop: Shop, settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificate = certificate(&folder);
        let protection = match kind {
            Kind::Implicit => Protection::Implicit(Arc::clone(&certificate.server)),
            Kind::Required => Protection::Required(Arc::clone(&certificate.server)),
            Kind::Plain => Protection::Plain,
        };
        let scheme = if matches!(kind, Kind::Implicit) { "ftps" } else { "ftp" };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shop = Arc::new(shop);
        let shelf: Arc<dyn Shelf> = Arc::<Shop>::clone(&shop);
        let door = Door::new(settings, shelf, Arc::new(SeededEntropy::new(1)));
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            door.serve(listener, protection, async move { stopped.await.unwrap_or_default() }).await
        });
        Self { address, shop, certificate, folder, scheme, stop: Some(stop), served }
    }

    /// Asks the door to close.
    pub fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// How many visits were cut off when it closed.
    pub async fn closed(self) -> usize {
        self.served.await.unwrap()
    }

    /// How often a file was begun.
    pub fn fetched(&self) -> u64 {
        self.shop.fetched.load(Ordering::SeqCst)
    }

    /// A file that a client has put down.
    pub fn got(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.path().join(name)).unwrap()
    }

    /// Runs a program in the folder.
    pub async fn run(&self, program: &str, arguments: &[&str]) -> Output {
        Command::new(program).args(arguments).current_dir(self.folder.path()).output().await.unwrap()
    }

    /// curl, trusting the certificate.
    pub async fn curl(&self, path: &str, more: &[&str]) -> Output {
        let url = format!("{}://{}{path}", self.scheme, self.address);
        let pem = self.certificate.pem.to_str().unwrap();
        let mut arguments = vec!["-sS", "--max-time", "60", "--cacert", pem];
        arguments.extend(more);
        arguments.push(&url);
        self.run("curl", &arguments).await
    }

    /// Runs Python with a few lines before these that open `ftp`, logged in through TLS.
    pub async fn python(&self, lines: &str) -> String {
        let (host, port) = (self.address.ip(), self.address.port());
        let program = format!(
            "import ftplib, ssl, sys\n\
             context = ssl.create_default_context(cafile='cert.pem')\n\
             ftp = ftplib.FTP_TLS(context=context, timeout=60)\n\
             ftp.connect('{host}', {port})\n\
             ftp.login()\n\
             ftp.prot_p()\n\
             NAME = '{NAME}'\n\
             def refused(act):\n\
             \x20   try:\n\
             \x20       act()\n\
             \x20   except ftplib.all_errors as error:\n\
             \x20       return str(error)[:3]\n\
             \x20   return 'done'\n\
             {lines}"
        );
        let output = self.run("/usr/bin/python3", &["-c", &program]).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}
