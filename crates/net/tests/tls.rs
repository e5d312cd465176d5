//! Certificates from files: what is refused, what is served, and how it changes.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use net::outbound::Roots;
use net::serve::{Limits, Server, TrustedProxies, stop};
use net::tls::{Tls, TlsError, TlsSettings};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, ServerName};
use support::{Client, Running, Signals, app, get_request, settle};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::advance;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A pair of files in a folder of its own.
struct Pair {
    folder: TempDir,
    cert: PathBuf,
    key: PathBuf,
}

impl Pair {
    fn new() -> (Self, CertificateDer<'static>) {
        let folder = TempDir::new().unwrap();
        let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        let pair = Self { folder, cert, key };
        let root = pair.renew();
        (pair, root)
    }

    /// Writes a new pair in place of the old one.
    fn renew(&self) -> CertificateDer<'static> {
        let made = make();
        self.write(&made.cert.pem(), &made.key_pair.serialize_pem());
        made.cert.der().clone()
    }

    fn write(&self, cert: &str, key: &str) {
        self.replace(&self.cert, cert);
        self.replace(&self.key, key);
    }

    /// As renewal tools do it: a new file under the old name.
    fn replace(&self, path: &PathBuf, text: &str) {
        let new = self.folder.path().join("new");
        fs::write(&new, text).unwrap();
        fs::set_permissions(&new, Permissions::from_mode(0o600)).unwrap();
        fs::rename(new, path).unwrap();
    }

    fn open(&self) -> Result<Tls, TlsError> {
        let settings = TlsSettings::Files { cert: self.cert.clone(), key: self.key.clone() };
        Tls::open(&settings, &Roots::default()).map(Option::unwrap)
    }

    fn error(&self) -> String {
        self.open().err().unwrap().to_string()
    }
}

fn make() -> CertifiedKey {
    generate_simple_self_signed(["shop.test".to_owned()]).unwrap()
}

async fn serve(tls: Tls) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let signals = Signals::default();
    let (handle, stopping) = stop();
    let service = app(signals.clone());
    let server = Server::new(Limits::default(), TrustedProxies::default());
    let ended = tokio::spawn(async move { server.serve(listener, Some(tls), service, stopping).await });
    Running { address, stop: handle, signals, ended }
}

/// A handshake that succeeds only with this very certificate.
async fn connect(
    running: &Running,
    trusting: &CertificateDer<'static>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut config = Roots { extra: vec![trusting.clone()] }.client_config().unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = TcpStream::connect(running.address).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("shop.test").unwrap(), stream).await
}

#[tokio::test]
async fn requests_are_served_over_tls_and_know_it() {
    let (pair, root) = Pair::new();
    let running = serve(pair.open().unwrap()).await;
    let mut stream = connect(&running, &root).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));

    stream.write_all(b"GET /peer HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("127.0.0.1 Https shop.test 2"), "{answer}");
}

#[tokio::test]
async fn a_large_body_passes_through_tls_whole() {
    let (pair, root) = Pair::new();
    let running = serve(pair.open().unwrap()).await;
    let mut stream = connect(&running, &root).await.unwrap();
    stream.write_all(get_request("/endless").as_bytes()).await.unwrap();
    let mut body = vec![0; 8 * 1024 * 1024];
    stream.read_exact(&mut body).await.unwrap();
    assert!(body.ends_with(&[b'x'; 1024]));
}

#[tokio::test]
async fn a_key_that_others_can_read_is_refused_with_its_remedy() {
    let (pair, _) = Pair::new();
    fs::set_permissions(&pair.key, Permissions::from_mode(0o640)).unwrap();
    let error = pair.error();
    assert!(error.contains("key.pem can be read by others (mode 640); run: chmod go= "), "{error}");
}

#[tokio::test]
async fn files_of_no_use_are_refused_by_name() {
    let (pair, _) = Pair::new();
    let made = make();
    let (cert, key) = (made.cert.pem(), made.key_pair.serialize_pem());

    pair.write(&cert, &make().key_pair.serialize_pem());
    assert!(pair.error().contains("key.pem is of no use: it does not go with"), "{}", pair.error());
    pair.write("", &key);
    assert!(pair.error().contains("cert.pem is of no use: it holds no certificate"), "{}", pair.error());
    pair.write(&cert, "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n");
    assert!(pair.error().contains("key.pem is of no use: it holds no private key"), "{}", pair.error());
    assert!(!pair.error().contains("c2VjcmV0"));
    fs::remove_file(&pair.cert).unwrap();
    assert!(pair.error().contains("cert.pem cannot be read"), "{}", pair.error());
}

#[tokio::test]
async fn a_reload_changes_the_certificate_for_new_connections() {
    let (pair, old) = Pair::new();
    let tls = pair.open().unwrap();
    let running = serve(tls.clone()).await;
    let new = pair.renew();
    assert!(connect(&running, &old).await.is_ok());

    tls.reload().unwrap();

    assert!(connect(&running, &new).await.is_ok());
    assert!(connect(&running, &old).await.is_err());
}

#[tokio::test]
async fn a_reload_that_fails_leaves_the_old_certificate_in_use() {
    let (pair, old) = Pair::new();
    let tls = pair.open().unwrap();
    let running = serve(tls.clone()).await;
    pair.write("nonsense", "nonsense");
    assert!(tls.reload().is_err());
    assert!(connect(&running, &old).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn changed_files_are_noticed_within_a_minute_once_both_are_there() {
    let (pair, old) = Pair::new();
    let tls = pair.open().unwrap();
    let running = serve(tls.clone()).await;
    tokio::spawn(async move { tls.keep_fresh().await });
    settle().await;

    let made = make();
    pair.replace(&pair.cert, &made.cert.pem());
    advance(Duration::from_secs(61)).await;
    settle().await;
    assert!(connect(&running, &old).await.is_ok(), "half a pair was taken");

    pair.replace(&pair.key, &made.key_pair.serialize_pem());
    advance(Duration::from_secs(61)).await;
    settle().await;
    assert!(connect(&running, made.cert.der()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_does_not_come_is_given_up() {
    let (pair, _) = Pair::new();
    let running = serve(pair.open().unwrap()).await;
    let mut client = Client::connect(&running).await;
    client.send_and_settle([0x16, 3, 1]).await;
    assert_eq!(client.seconds_until_closed().await, 10);
}

#[tokio::test]
async fn plain_http_on_the_tls_port_is_closed() {
    let (pair, _) = Pair::new();
    let running = serve(pair.open().unwrap()).await;
    let mut client = Client::connect(&running).await;
    client.send(get_request("/hello")).await;
    assert!(!client.read_to_end().await.contains("hello"));
}
