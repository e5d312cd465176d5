//! What is insecure or cannot work is refused at start: with the reason, the remedy, and exit code 2.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::Place;

/// What `serve` says when it refuses to start with these settings.
fn refusal(place: &Place, settings: &[(&str, &str)]) -> String {
    let mut command = place.command(&["serve"]);
    // A port that is free or not: none of these may come so far as to listen.
    let output = command.env("HANDSEL_LISTEN", "127.0.0.1:0").envs(settings.iter().copied()).output();
    let output = output.expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{settings:?}: {said}");
    assert!(output.stdout.is_empty(), "{settings:?}: it went on to print");
    said
}

fn assert_refused(settings: &[(&str, &str)], reason: &str, remedy: &str) {
    let said = refusal(&Place::new(), settings);
    assert!(said.contains(reason), "{settings:?}: no reason in {said}");
    assert!(said.contains(remedy), "{settings:?}: no remedy in {said}");
}

#[test]
fn a_base_url_that_is_none() {
    assert_refused(&[("HANDSEL_BASE_URL", "shop")], "base_url: not a URL", "https://shop.example.com");
    assert_refused(
        &[("HANDSEL_BASE_URL", "https://a.test/shop")],
        "base_url",
        "write https://shop.example.com",
    );
    assert_refused(&[("HANDSEL_BASE_URL", "ftp://a.test")], "base_url", "write https://shop.example.com");
}

#[test]
fn a_database_that_is_neither() {
    assert_refused(
        &[("HANDSEL_DATABASE", "mysql://a")],
        "neither sqlite nor a postgres:// URL",
        "write one of them",
    );
}

#[test]
fn a_setting_that_does_not_exist() {
    assert_refused(&[("HANDSEL_LISTN", "x")], "unknown field `listn`", "`listen`");
    let place = Place::new();
    let file = place.file("shop.toml", 0o644, "[tls]\nmod = \"files\"\n");
    let said = refusal(&place, &[("HANDSEL_CONFIG", &file)]);
    assert!(
        said.contains("shop.toml") && said.contains("in `tls`") && said.contains("expected one of `mode`"),
        "{said}"
    );
}

#[test]
fn a_configuration_that_is_not_there() {
    assert_refused(&[("HANDSEL_CONFIG", "nowhere.toml")], "nowhere.toml cannot be read", "No such file");
}

#[test]
fn proxies_that_are_the_whole_world() {
    assert_refused(
        &[("HANDSEL_PROXIES__TRUSTED", "[\"0.0.0.0/0\"]")],
        "trusts the whole world",
        "list the addresses of the proxies only",
    );
    assert_refused(
        &[("HANDSEL_PROXIES__TRUSTED", "[\"proxy\"]")],
        "\"proxy\" is not a network",
        "10.0.0.0/8",
    );
    assert_refused(
        &[("HANDSEL_PROXIES__HEADER", "x-real-ip")],
        "no header that is understood",
        "x-forwarded or forwarded",
    );
}

#[test]
fn outbound_ranges_that_cannot_be_read() {
    assert_refused(&[("HANDSEL_OUTBOUND__ALLOW", "[\"10.0.0.0/8\"]")], "outbound.allow", "correct the entry");
}

#[test]
fn certificates_that_cannot_be_used() {
    assert_refused(&[("HANDSEL_TLS__MODE", "files")], "tls.cert: missing", "name the PEM file");
    assert_refused(&[("HANDSEL_TLS__MODE", "acme")], "tls.domains", "list the names of the certificate");
    let place = Place::new();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let cert = place.file("cert.pem", 0o644, &made.cert.pem());
    let key = place.file("key.pem", 0o644, &made.key_pair.serialize_pem());
    let settings = [("HANDSEL_TLS__MODE", "files"), ("HANDSEL_TLS__CERT", &cert), ("HANDSEL_TLS__KEY", &key)];
    let said = refusal(&place, &settings);
    assert!(
        said.contains("key.pem can be read by others (mode 644)") && said.contains("chmod go="),
        "{said}"
    );
}

#[test]
fn secrets_that_others_can_read() {
    let place = Place::new();
    let file = place.file("secret", 0o640, "postgres://a:b@c/d\n");
    let said = refusal(&place, &[("HANDSEL_DATABASE_FILE", &file)]);
    assert!(
        said.contains("database_file") && said.contains("mode 640") && said.contains("chmod 600"),
        "{said}"
    );
    let smtp = [
        ("HANDSEL_SMTP__HOST", "mx.test"),
        ("HANDSEL_SMTP__PORT", "587"),
        ("HANDSEL_SMTP__USER", "shop"),
        ("HANDSEL_SMTP__PASSWORD_FILE", &file),
    ];
    let said = refusal(&place, &smtp);
    assert!(said.contains("smtp.password_file") && said.contains("chmod 600"), "{said}");
}

#[test]
fn a_secret_that_is_empty() {
    let place = Place::new();
    let file = place.file("secret", 0o600, "\n");
    let said = refusal(&place, &[("HANDSEL_DATABASE_FILE", &file)]);
    assert!(said.contains("is empty") && said.contains("put the secret into it"), "{said}");
}

#[test]
fn a_password_in_a_configuration_that_others_can_read() {
    let place = Place::new();
    let file = place.file("shop.toml", 0o644, "database = \"postgres://shop:hunter2@127.0.0.1:1/shop\"\n");
    let said = refusal(&place, &[("HANDSEL_CONFIG", &file)]);
    assert!(said.contains("holds a password") && said.contains("database_file"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn mail_in_clear_over_the_network() {
    let smtp =
        [("HANDSEL_SMTP__HOST", "mx.test"), ("HANDSEL_SMTP__PORT", "25"), ("HANDSEL_SMTP__TLS", "none")];
    assert_refused(&smtp, "mx.test in clear", "starttls");
    let smtp =
        [("HANDSEL_SMTP__HOST", "mx.test"), ("HANDSEL_SMTP__PORT", "25"), ("HANDSEL_SMTP__USER", "shop")];
    assert_refused(&smtp, "a user without a password file", "set both user and password_file");
    let smtp = [&smtp[..], &[("HANDSEL_SMTP__PASSWORD_FILE", "nowhere")]].concat();
    assert_refused(&smtp, "smtp.password_file: nowhere cannot be read", "mode 0600");
}

/// A place in which the shop has been served.
fn used() -> Place {
    let place = Place::new();
    place.begin();
    place
}

fn chmod(place: &Place, name: &str, mode: u32) {
    fs::set_permissions(place.path(name), Permissions::from_mode(mode)).expect("a mode");
}

#[test]
fn keys_that_others_can_read() {
    let place = used();
    chmod(&place, "data/keys/ring", 0o644);
    let said = refusal(&place, &[]);
    assert!(said.contains("can be read by others (mode 644)") && said.contains("chmod 600"), "{said}");
}

#[test]
fn keys_that_are_gone() {
    let place = used();
    fs::remove_file(place.path("data/keys/ring")).expect("the keys");
    let said = refusal(&place, &[]);
    assert!(said.contains("is missing") && said.contains("handsel secrets import"), "{said}");
    assert!(!place.path("data/keys/ring").exists(), "new keys were made over a database of old ones");
}

#[test]
fn a_data_folder_that_is_open_to_everybody() {
    let place = used();
    chmod(&place, "data", 0o755);
    let said = refusal(&place, &[]);
    assert!(said.contains("open to everybody (mode 755)") && said.contains("chmod 700"), "{said}");
}

#[test]
fn a_live_connection_under_a_plain_address() {
    let place = Place::new();
    let add = ["connections", "add", "paypal-standard", "--mode", "live", "--receiver", "shop@example.com"];
    let said = place.refused(&add, 2);
    assert!(said.contains("needs https") && said.contains("set base_url"), "{said}");
    assert!(said.contains("--config"), "{said}");

    let secure = place.with("HANDSEL_BASE_URL", "https://shop.test");
    let id = secure.json(&add)["id"].as_str().expect("an id").to_owned();
    let said = refusal(&secure, &[("HANDSEL_BASE_URL", "http://shop.test")]);
    assert!(said.contains(&id) && said.contains("set base_url"), "{said}");
    assert!(said.contains(&format!("handsel connections disable {id}")), "{said}");
}

#[test]
fn a_port_that_is_taken() {
    let place = Place::new();
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = other.local_addr().expect("its address").to_string();
    let said = refusal(&place, &[("HANDSEL_LISTEN", &address)]);
    assert!(said.contains(&format!("cannot listen on {address}")), "{said}");
    assert!(said.contains("another program listens there") && said.contains("\"listen\""), "{said}");
}

#[test]
fn an_address_that_is_not_ours() {
    assert_refused(
        &[("HANDSEL_LISTEN", "192.0.2.1:80")],
        "cannot listen on 192.0.2.1:80",
        "an address of this machine",
    );
}

/// The program under a limit of open files.
fn under(place: &Place, open_files: u32) -> std::process::Command {
    let program = place.command(&["serve"]).get_program().to_owned();
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &format!("ulimit -n {open_files}; exec \"$0\" serve")]).arg(program);
    command
        .env_clear()
        .current_dir(place.path(""))
        .env("HANDSEL_LISTEN", format!("127.0.0.1:{}", crate::support::free_port()));
    command
}

#[test]
fn too_few_open_files() {
    let place = Place::new();
    let output = under(&place, 300).output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("300 open files") && said.contains("ulimit -n") && said.contains("at least 576"),
        "{said}"
    );
}

#[test]
fn few_open_files_mean_fewer_connections_and_a_word_about_it() {
    let place = Place::new();
    let mut command = under(&place, 1000);
    let log = place.path("log");
    command.stderr(fs::File::create(&log).expect("a log"));
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let served = crate::support::Served::start(command, address, log);
    let port =
        served.first_line.trim_end_matches("/\n").rsplit(':').next().and_then(|port| port.parse().ok());
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], port.expect("a port")));
    assert_eq!(crate::support::browser::Browser::new(address).get("/healthz").status, 200);
    let log = served.log();
    assert!(log.contains("connections=488") && log.contains("ulimit -n"), "{log}");
    assert!(!log.contains('\u{1b}'), "colors where there is no terminal: {log}");
}
