//! `handsel serve`: with nothing configured, with a file, with certificates, until it is told to end.

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use rustix::process::Signal;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::support::browser::{Answer, Browser, connect, exchange};
use crate::support::{Place, free_port};

#[test]
fn without_configuration_it_makes_its_own_keys_and_prints_an_owner_link() {
    let place = Place::new();
    let mut served = place.serve();
    assert_eq!(served.first_line, format!("shop: http://{}/\n", served.address));
    let line = served.line();
    assert!(line.contains("works once"), "{line}");
    let path = line.split_once("/admin/").and_then(|(_, rest)| rest.split(' ').next()).expect("a link");

    assert_eq!(
        (place.mode("data"), place.mode("data/keys"), place.mode("data/keys/ring")),
        (0o700, 0o700, 0o600)
    );
    let ring = fs::read_to_string(place.path("data/keys/ring")).expect("the keys");
    let key = ring.trim().rsplit(' ').next().expect("a key");
    let raw = hex::decode(key).expect("in hex");
    let files =
        ["data/handsel.db", "data/handsel.db-wal"].map(|name| fs::read(place.path(name)).unwrap_or_default());
    assert!(
        files.iter().all(|file| file.windows(raw.len()).all(|window| window != raw)),
        "the key is in the database"
    );
    assert!(files.iter().all(|file| file.windows(key.len()).all(|window| window != key.as_bytes())));

    let mut browser = Browser::new(served.address);
    assert_eq!(browser.get("/").status, 200);
    let welcome = browser.get(&format!("/admin/{path}"));
    assert_eq!(welcome.status, 200, "{}", welcome.text);
    let (code, rest) = served.stop(Signal::TERM);
    assert_eq!((code, rest.as_str()), (Some(0), ""));
}

#[test]
fn the_owner_link_opens_the_back_office_once() {
    let place = Place::new();
    let mut served = place.serve();
    let line = served.line();
    let path = line.split_once("/admin/").and_then(|(_, rest)| rest.split(' ').next()).expect("a link");
    let path = format!("/admin/{path}");

    let mut owner = Browser::new(served.address);
    owner.get(&path);
    let entered = owner.post(&path, "");
    assert_eq!(entered.status, 303, "{}", entered.text);
    let mut second = Browser::new(served.address);
    let again = second.get(&path);
    assert!(matches!(again.status, 404 | 410), "{}", again.text);
}

#[test]
fn what_was_written_is_in_the_one_file_when_it_has_stopped() {
    let place = Place::new();
    let served = place.serve();
    // Beside the server, whose log it is written to, and read by the server.
    let made = place.json(&["products", "add", "--sku", "A", "--name", "The manual", "--price", "2"]);
    let shown = Browser::new(served.address).get("/");
    assert!(shown.text.contains("The manual"), "{}", shown.text);
    assert!(fs::metadata(place.path("data/handsel.db-wal")).is_ok_and(|log| log.len() > 0));
    assert_eq!(served.stop(Signal::TERM).0, Some(0));
    for log in ["data/handsel.db-wal", "data/handsel.db-shm"] {
        assert!(!place.path(log).exists(), "{log} was left behind");
    }

    let copy = Place::new();
    fs::create_dir_all(copy.path("data/keys")).expect("a folder");
    fs::set_permissions(copy.path("data"), Permissions::from_mode(0o700)).expect("its mode");
    for name in ["data/handsel.db", "data/keys/ring"] {
        fs::copy(place.path(name), copy.path(name)).expect("a copy");
    }
    assert_eq!(copy.json(&["products", "list"]), serde_json::json!([made]));
}

#[test]
fn ctrl_c_ends_it_cleanly() {
    let place = Place::new();
    assert_eq!(place.serve().stop(Signal::INT).0, Some(0));
}

#[test]
fn the_file_configures_and_the_environment_overrides() {
    let (port, place) = (free_port(), Place::new());
    let file = place.file(
        "shop.toml",
        0o644,
        &format!(
            "data = \"elsewhere\"\nlisten = \"127.0.0.1:{port}\"\nbase_url = \"http://in-the-file.test\"\n"
        ),
    );
    let ran = place.json(&[
        "--config",
        &file,
        "connections",
        "add",
        "paypal-standard",
        "--mode",
        "test",
        "--receiver",
        "a@b.test",
    ]);
    assert!(
        ran["hook_url"].as_str().is_some_and(|url| url.starts_with("http://in-the-file.test/hooks/con_")),
        "{ran}"
    );
    assert!(place.path("elsewhere/handsel.db").exists());

    let served =
        place.serve_on(port, &[("HANDSEL_CONFIG", &file), ("HANDSEL_BASE_URL", "http://overridden.test")]);
    assert_eq!(served.first_line, "shop: http://overridden.test/\n");
    assert_eq!(Browser::new(served.address).get("/").status, 200);
}

#[test]
fn the_databases_address_can_be_a_secret_in_a_file() {
    let database = testkit::pg::cluster().database(&[]);
    let place = Place::new();
    let file = place.file("database-url", 0o600, &format!("{}\n", database.url()));
    let place = place.with("HANDSEL_DATABASE_FILE", &file);
    let served = place.serve();
    assert_eq!(Browser::new(served.address).get("/readyz").status, 200);
    assert!(!place.path("data/handsel.db").exists());
}

/// A certificate for this machine, in files.
fn certificate(place: &Place) -> (String, String, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let cert = place.file("cert.pem", 0o644, &made.cert.pem());
    let key = place.file("key.pem", 0o600, &made.key_pair.serialize_pem());
    (cert, key, made.cert.der().clone())
}

fn over_tls(address: SocketAddr, root: &CertificateDer<'static>, request: &str) -> Answer {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let client = ClientConnection::new(Arc::new(config), name).expect("a client");
    exchange(StreamOwned::new(client, connect(address)), request)
}

#[test]
fn certificates_from_files_are_served_and_plain_http_is_led_to_them() {
    let place = Place::new();
    let (cert, key, root) = certificate(&place);
    let (port, plain) = (free_port(), free_port());
    let base_url = format!("https://localhost:{port}");
    let redirect_from = format!("127.0.0.1:{plain}");
    let served = place.serve_on(
        port,
        &[
            ("HANDSEL_BASE_URL", &base_url),
            ("HANDSEL_TLS__MODE", "files"),
            ("HANDSEL_TLS__CERT", &cert),
            ("HANDSEL_TLS__KEY", &key),
            ("HANDSEL_TLS__REDIRECT_FROM", &redirect_from),
        ],
    );
    let request = "GET /cart?x=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = over_tls(served.address, &root, request);
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"));
    let cookie = answer.header("set-cookie").expect("a cookie");
    assert!(
        cookie.starts_with("__Host-visitor=") && cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"),
        "{cookie}"
    );

    let led = exchange(connect(SocketAddr::from(([127, 0, 0, 1], plain))), request);
    assert_eq!((led.status, led.header("location")), (308, Some(format!("{base_url}/cart?x=1").as_str())));
}
