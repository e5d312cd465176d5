//! A certificate is ordered, proven and kept, against an authority of our own.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use net::outbound::Roots;
use net::serve::{Limits, Server, StopHandle, TrustedProxies, stop};
use net::tls::{Tls, TlsSettings};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateSigningRequestParams, IsCa, KeyPair,
};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use serde_json::{Value, json};
use support::{Signals, app};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

/// The DER form of id-pe-acmeIdentifier (RFC 8737), which the proof's certificate must carry.
const ACME_IDENTIFIER: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 0x1f];

/// The authority: one account, one order, one name.
struct Authority {
    url: String,
    issuer: Certificate,
    issuer_key: KeyPair,
    /// Where the shop answers; a real authority would look its name up.
    shop: SocketAddr,
    proven: Mutex<bool>,
    issued: Mutex<Option<String>>,
}

type Shared = State<Arc<Authority>>;

fn answer(status: StatusCode, location: String, body: Value) -> Response {
    (status, [("replay-nonce", "n".to_owned()), ("location", location)], Json(body)).into_response()
}

impl Authority {
    fn order(&self) -> Value {
        let mut order = json!({
            "status": if *self.proven.lock().unwrap() { "ready" } else { "pending" },
            "authorizations": [format!("{}/authorization", self.url)],
            "finalize": format!("{}/finalize", self.url),
        });
        if self.issued.lock().unwrap().is_some() {
            order["status"] = json!("valid");
            order["certificate"] = json!(format!("{}/certificate", self.url));
        }
        order
    }

    fn authorization(&self) -> Value {
        json!({
            "status": if *self.proven.lock().unwrap() { "valid" } else { "pending" },
            "identifier": { "type": "dns", "value": "shop.test" },
            "challenges": [{ "type": "tls-alpn-01", "url": format!("{}/challenge", self.url), "token": "t" }],
        })
    }

    /// Visits the shop as RFC 8737 says.
    async fn validate(&self) {
        let mut config = trusting_anyone();
        config.alpn_protocols = vec![b"acme-tls/1".to_vec()];
        let stream = TcpStream::connect(self.shop).await.unwrap();
        let name = ServerName::try_from("shop.test").unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
        let shown = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
        let has_identifier = shown.windows(ACME_IDENTIFIER.len()).any(|bytes| bytes == ACME_IDENTIFIER);
        *self.proven.lock().unwrap() = has_identifier;
    }

    fn issue(&self, csr: Vec<u8>) {
        let request =
            CertificateSigningRequestParams::from_der(&CertificateSigningRequestDer::from(csr)).unwrap();
        let issued = request.signed_by(&self.issuer, &self.issuer_key).unwrap();
        *self.issued.lock().unwrap() = Some(issued.pem());
    }
}

fn routes() -> Router<Arc<Authority>> {
    Router::new()
        .route("/directory", get(directory))
        .route("/nonce", get(|| async { [("replay-nonce", "n")] }))
        .route("/account", post(|State(a): Shared| async move { created(&a, "account", json!({})) }))
        .route("/orders", post(|State(a): Shared| async move { created(&a, "order", a.order()) }))
        .route("/order", post(|State(a): Shared| async move { ok(a.order()) }))
        .route("/authorization", post(|State(a): Shared| async move { ok(a.authorization()) }))
        .route("/challenge", post(challenge))
        .route("/finalize", post(finalize))
        .route("/certificate", post(certificate))
}

async fn directory(State(a): Shared) -> Json<Value> {
    let at = |path: &str| format!("{}/{path}", a.url);
    Json(json!({ "newNonce": at("nonce"), "newAccount": at("account"), "newOrder": at("orders") }))
}

fn created(authority: &Authority, path: &str, body: Value) -> Response {
    answer(StatusCode::CREATED, format!("{}/{path}", authority.url), body)
}

fn ok(body: Value) -> Response {
    answer(StatusCode::OK, String::new(), body)
}

async fn challenge(State(a): Shared) -> Response {
    a.validate().await;
    ok(json!({}))
}

async fn finalize(State(a): Shared, body: String) -> Response {
    let signed: Value = serde_json::from_str(&body).unwrap();
    let payload: Value = serde_json::from_slice(&base64url(signed["payload"].as_str().unwrap())).unwrap();
    a.issue(base64url(payload["csr"].as_str().unwrap()));
    ok(a.order())
}

async fn certificate(State(a): Shared) -> Response {
    let pem = a.issued.lock().unwrap().clone().unwrap();
    ([("replay-nonce", "n")], pem).into_response()
}

fn base64url(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut bits, mut count, mut bytes) = (0u32, 0, Vec::new());
    for c in text.bytes() {
        let digit = DIGITS.iter().position(|digit| *digit == c).unwrap();
        bits = bits << 6 | u32::try_from(digit).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 255).unwrap());
        }
    }
    bytes
}

/// The visit's certificate is signed by nobody: its extension is what counts.
#[derive(Debug)]
struct Anyone;

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

fn trusting_anyone() -> ClientConfig {
    let mut config = Roots::default().client_config().unwrap();
    config.dangerous().set_certificate_verifier(Arc::new(Anyone));
    config
}

/// Runs an authority that visits this shop. Returns its URL, its root, and what stops it.
async fn run_authority(shop: SocketAddr, folder: &Path) -> (String, CertificateDer<'static>, StopHandle) {
    let issuer_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = params.self_signed(&issuer_key).unwrap();
    let root = issuer.der().clone();

    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let own = own.signed_by(&key, &issuer, &issuer_key).unwrap();
    let (cert_path, key_path) = (folder.join("authority.pem"), folder.join("authority.key"));
    fs::write(&cert_path, own.pem()).unwrap();
    fs::write(&key_path, key.serialize_pem()).unwrap();
    fs::set_permissions(&key_path, Permissions::from_mode(0o600)).unwrap();
    let settings = TlsSettings::Files { cert: cert_path, key: key_path };
    let tls = Tls::open(&settings, &Roots::default()).unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let authority = Authority {
        url: url.clone(),
        issuer,
        issuer_key,
        shop,
        proven: Mutex::new(false),
        issued: Mutex::new(None),
    };
    let service = routes().with_state(Arc::new(authority));
    let (handle, stopping) = stop();
    let server = Server::new(Limits::default(), TrustedProxies::default());
    tokio::spawn(async move { server.serve(listener, tls, service, stopping).await });
    (url, root, handle)
}

fn settings(cache_dir: &Path, authority: &str) -> TlsSettings {
    TlsSettings::Acme {
        domains: vec!["shop.test".to_owned()],
        contact: vec!["owner@shop.test".to_owned()],
        cache_dir: cache_dir.to_owned(),
        directory_url: format!("{authority}/directory"),
    }
}

fn kept(cache: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.extension().is_none()).collect()
}

/// Serves the shop and keeps trying until a customer, who trusts the authority, gets through, and
/// the account and the certificate are kept.
async fn serve_until_trusted(listener: TcpListener, tls: Tls, root: &CertificateDer<'static>, cache: &Path) {
    let address = listener.local_addr().unwrap();
    let (_handle, stopping) = stop();
    let server = Server::new(Limits::default(), TrustedProxies::default());
    let freshener = tls.clone();
    let keeping = tokio::spawn(async move { freshener.keep_fresh().await });
    let service = app(Signals::default());
    let serving = tokio::spawn(async move { server.serve(listener, Some(tls), service, stopping).await });

    let config = Arc::new(Roots { extra: vec![root.clone()] }.client_config().unwrap());
    let name = ServerName::try_from("shop.test").unwrap();
    loop {
        let stream = TcpStream::connect(address).await.unwrap();
        let trusted = TlsConnector::from(Arc::clone(&config)).connect(name.clone(), stream).await.is_ok();
        if trusted && kept(cache).len() == 2 {
            break;
        }
        tokio::task::yield_now().await;
    }
    keeping.abort();
    serving.abort();
}

#[tokio::test]
async fn a_certificate_is_ordered_proven_served_and_kept_for_the_next_start() {
    let folder = TempDir::new().unwrap();
    let cache = folder.path().join("acme");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (url, root, authority) = run_authority(listener.local_addr().unwrap(), folder.path()).await;
    let roots = Roots { extra: vec![root.clone()] };

    let tls = Tls::open(&settings(&cache, &url), &roots).unwrap().unwrap();
    serve_until_trusted(listener, tls, &root, &cache).await;

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&cache), 0o700);
    assert!(kept(&cache).iter().all(|path| mode(path) == 0o600), "{:?}", kept(&cache));

    authority.at_once();
    let again = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tls = Tls::open(&settings(&cache, &url), &roots).unwrap().unwrap();
    serve_until_trusted(again, tls, &root, &cache).await;
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused() {
    let folder = TempDir::new().unwrap();
    let url = "https://acme.test/directory";
    let open = |domains: &[&str], url: &str, cache_dir: &Path| {
        let settings = TlsSettings::Acme {
            domains: domains.iter().map(|domain| (*domain).to_owned()).collect(),
            contact: vec![],
            cache_dir: cache_dir.to_owned(),
            directory_url: url.to_owned(),
        };
        Tls::open(&settings, &Roots::default()).err().map(|error| error.to_string())
    };
    let cache = folder.path().join("acme");
    assert!(open(&[], url, &cache).unwrap().contains("no domain"));
    assert!(open(&["*.shop.test"], url, &cache).unwrap().contains("not the name of one host"));
    assert!(open(&["shop.test"], "http://acme.test", &cache).unwrap().contains("not an https URL"));
    assert_eq!(open(&["shop.test"], url, &cache), None);
    fs::set_permissions(&cache, Permissions::from_mode(0o755)).unwrap();
    assert!(open(&["shop.test"], url, &cache).unwrap().contains("can be read by others (mode 755)"));
}
