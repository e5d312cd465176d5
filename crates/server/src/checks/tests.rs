//! Each check that can fail, failing, with its remedy.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use app::connections::{flow::NewConnection, flow::add, store};
use app::cx::Actor;
use app::installation::{self, Quarantine};
use app::jobs::{Kind, Work, store as jobs_store};
use gateways::Mode;
use kernel::{Clock as _, JobId, MerchantId, MessageId, Span, SystemClock};

use super::*;
use crate::config::{ProxyConfig, SmtpConfig, TlsConfig, TlsMode};
use crate::{keys, wiring};

/// A shop of its own in a folder that goes away.
struct Shop {
    config: Config,
    app: App,
    merchant: MerchantId,
    _folder: tempfile::TempDir,
}

fn config_in(folder: &Path) -> Config {
    Config {
        data: folder.join("data"),
        base_url: "https://shop.example.com".to_owned(),
        proxies: ProxyConfig { trusted: vec!["10.0.0.0/8".to_owned()], header: None },
        ..Config::default()
    }
}

fn shop() -> Shop {
    let folder = tempfile::tempdir().unwrap();
    let config = config_in(folder.path());
    let app = wiring::open(&config).unwrap();
    let merchant = wiring::first_merchant(&app).unwrap();
    Shop { config, app, merchant, _folder: folder }
}

impl Shop {
    fn connect(&self, mode: Mode, receiver: &str) -> app::connections::Connection {
        let new = NewConnection {
            gateway: "paypal-standard".to_owned(),
            mode,
            name: String::new(),
            settings: BTreeMap::from([("receiver".to_owned(), receiver.to_owned())]),
            secrets: BTreeMap::new(),
        };
        self.app.write_blocking(self.merchant, Actor::Shell, move |cx| add(cx, &new)).unwrap()
    }

    fn findings(&self) -> Vec<Finding> {
        all(&self.config, now())
    }

    fn refusal(&self) -> String {
        refuse_insecure(&self.app, &self.config).unwrap_err().to_string()
    }
}

fn now() -> Timestamp {
    SystemClock::default().now()
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[track_caller]
fn assert_found(findings: &[Finding], check: &str, status: Status, remedy: &str) {
    let shown = format!("{findings:#?}");
    let found = findings.iter().find(|finding| finding.check == check && finding.status == status);
    let found = found.unwrap_or_else(|| panic!("no {check} that is {status:?} in {shown}"));
    let told = found.remedy.clone().unwrap_or_default();
    assert!(told.contains(remedy), "\"{told}\" does not say \"{remedy}\"");
}

#[test]
fn a_shop_in_order_has_nothing_failed_and_may_start() {
    let shop = shop();
    shop.connect(Mode::Live, "seller@example.com");
    let failed: Vec<_> = shop.findings().into_iter().filter(|f| f.status == Status::Failed).collect();
    assert_eq!(failed, []);
    refuse_insecure(&shop.app, &shop.config).unwrap();
}

#[test]
fn a_new_installation_has_nothing_failed() {
    let folder = tempfile::tempdir().unwrap();
    let findings = all(&config_in(folder.path()), now());
    assert!(findings.iter().all(|finding| finding.status != Status::Failed), "{findings:#?}");
}

#[test]
fn every_finding_that_is_not_well_has_a_remedy() {
    let shop = shop();
    let without = shop.findings().into_iter().find(|f| f.status != Status::Ok && f.remedy.is_none());
    assert_eq!(without, None);
}

#[test]
fn a_live_connection_is_refused_under_a_plain_address() {
    let mut shop = shop();
    shop.connect(Mode::Live, "seller@example.com");
    shop.config.base_url = "http://shop.example.com".to_owned();
    let refusal = shop.refusal();
    assert!(refusal.contains("http://shop.example.com") && refusal.contains("https://"), "{refusal}");
    assert_found(&shop.findings(), "connections", Status::Failed, "base_url");
}

#[test]
fn a_test_connection_may_be_tried_under_a_plain_address() {
    let mut shop = shop();
    shop.connect(Mode::Test, "seller@example.com");
    shop.config.base_url = "http://127.0.0.1:8080".to_owned();
    refuse_insecure(&shop.app, &shop.config).unwrap();
}

#[test]
fn a_connection_that_would_take_anybodys_payment_is_refused() {
    let shop = shop();
    let mut connection = shop.connect(Mode::Test, "seller@example.com");
    connection.id = kernel::ConnectionId::from_bits(7);
    connection.settings = BTreeMap::new();
    let nonce = [1; 24];
    let context = app::connections::seal_context(connection.id);
    connection.secrets_sealed = shop.app.ring().seal(&context, nonce, b"{}");
    let written = connection.clone();
    shop.app
        .write_blocking(shop.merchant, Actor::Shell, move |cx| Ok(store::insert(cx.tx, &written)?))
        .unwrap();
    let refusal = shop.refusal();
    assert!(refusal.contains("receiver") && refusal.contains("connections disable"), "{refusal}");
}

#[test]
fn the_keys_of_another_installation_are_refused() {
    let shop = shop();
    shop.connect(Mode::Test, "seller@example.com");
    std::fs::write(keys::ring_path(&shop.config.data), format!("1 {}\n", "ab".repeat(32))).unwrap();
    let again = wiring::open(&shop.config).unwrap();
    let refusal = refuse_insecure(&again, &shop.config).unwrap_err().to_string();
    assert!(refusal.contains("cannot be opened") && refusal.contains("secrets import"), "{refusal}");
    assert_found(&shop.findings(), "connections", Status::Failed, "secrets import");
}

#[test]
fn keys_that_others_can_read_are_failed_and_refused() {
    let shop = shop();
    chmod(&keys::ring_path(&shop.config.data), 0o644);
    assert_found(&shop.findings(), "keys", Status::Failed, "chmod 600");
    assert!(wiring::open(&shop.config).is_err());
}

#[test]
fn keys_that_are_missing_or_damaged_are_failed() {
    let shop = shop();
    let path = keys::ring_path(&shop.config.data);
    std::fs::write(&path, "1 abc\n").unwrap();
    assert_found(&shop.findings(), "keys", Status::Failed, "secrets import");
    std::fs::remove_file(&path).unwrap();
    assert_found(&shop.findings(), "keys", Status::Failed, "secrets import");
}

#[test]
fn a_data_folder_that_others_can_read_is_refused() {
    let shop = shop();
    chmod(&shop.config.data, 0o755);
    assert_found(&shop.findings(), "data folder", Status::Failed, "chmod 700");
    assert!(shop.refusal().contains("chmod 700"));
    chmod(&shop.config.data, 0o750);
    assert_found(&shop.findings(), "data folder", Status::Warning, "chmod 700");
}

#[test]
fn a_proxy_range_that_is_everybody_is_refused() {
    let mut shop = shop();
    shop.config.proxies.trusted = vec!["0.0.0.0/0".to_owned()];
    assert!(shop.refusal().contains("list the addresses"));
    assert_found(&shop.findings(), "proxies", Status::Failed, "list the addresses");
}

#[test]
fn certificate_files_that_cannot_be_used_are_refused() {
    let mut shop = shop();
    let missing = shop.config.data.join("missing.pem");
    shop.config.tls = TlsConfig {
        mode: TlsMode::Files,
        cert: Some(missing.clone()),
        key: Some(missing),
        ..Default::default()
    };
    assert!(shop.refusal().contains("missing.pem"));
    assert_found(&shop.findings(), "TLS", Status::Failed, "[tls]");
}

#[test]
fn an_address_that_does_not_fit_the_certificates_is_found() {
    let mut shop = shop();
    shop.config.proxies.trusted.clear();
    assert_found(&shop.findings(), "base URL", Status::Warning, "proxies.trusted");
    shop.config.base_url = "http://shop.example.com".to_owned();
    assert_found(&shop.findings(), "base URL", Status::Warning, "tls.mode");
    shop.config.tls.mode = TlsMode::Acme;
    assert_found(&shop.findings(), "base URL", Status::Failed, "https://");
}

#[test]
fn a_mail_server_that_is_not_there_is_failed() {
    let mut shop = shop();
    assert_found(&shop.findings(), "SMTP", Status::Warning, "[smtp]");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let host = "127.0.0.1".to_owned();
    shop.config.smtp = Some(SmtpConfig { host, port, tls: None, user: None, password_file: None });
    assert_found(&shop.findings(), "SMTP", Status::Failed, "[smtp]");
}

#[test]
fn a_database_that_is_none_is_failed() {
    let folder = tempfile::tempdir().unwrap();
    let config = config_in(folder.path());
    wiring::make_data_folder(&config.data).unwrap();
    std::fs::write(wiring::sqlite_path(&config.data), "this is not a database, whatever it is called")
        .unwrap();
    assert_found(&all(&config, now()), "database", Status::Failed, "restore a backup");
}

#[test]
fn a_database_that_is_behind_is_told_to_migrate() {
    let folder = tempfile::tempdir().unwrap();
    let config = config_in(folder.path());
    wiring::make_data_folder(&config.data).unwrap();
    db::Db::open_with(&wiring::database_options(&config), &[], db::Tuning::default()).unwrap().close();
    assert_found(&all(&config, now()), "schema", Status::Warning, "handsel migrate");
}

#[test]
fn a_clock_that_disagrees_is_failed() {
    let (now, later) = (now(), now() + Span::hours(1));
    assert_eq!(database::compared(now, Some(now), Some(now)).status, Status::Ok);
    assert_eq!(database::compared(now, Some(later), None).status, Status::Failed);
    assert_eq!(database::compared(now, None, Some(later)).status, Status::Failed);
    assert!(database::clock_alone(Timestamp::from_seconds(5)).is_some());
}

#[test]
fn a_disk_that_fills_up_is_warned_of_before_it_fails() {
    let rated = |free| files::rated("disk", Path::new("/"), free).status;
    assert_eq!(
        (rated(1 << 40), rated(1 << 30), rated(1 << 20)),
        (Status::Ok, Status::Warning, Status::Failed)
    );
}

#[test]
fn jobs_that_nobody_does_are_found() {
    let shop = shop();
    let work = Work::SendMessage { merchant: shop.merchant, message: MessageId::from_bits(1) };
    let late = now() - Span::hours(1);
    let job = JobId::from_bits(1);
    shop.app
        .write_blocking(shop.merchant, Actor::Shell, move |cx| {
            Ok(jobs_store::insert_ready(cx.tx, job, &work, late, late)?)
        })
        .unwrap();
    assert_found(&shop.findings(), "jobs", Status::Warning, "handsel serve runs");
    shop.app
        .write_blocking(shop.merchant, Actor::Shell, |cx| {
            let claimed = jobs_store::claim(cx.tx, Kind::SendMessage, cx.now, 1)?;
            claimed.iter().try_for_each(|job| jobs_store::bury(cx.tx, job, "no such message"))?;
            Ok(())
        })
        .unwrap();
    assert_found(&shop.findings(), "jobs", Status::Warning, "replay or resend");
}

#[test]
fn a_connection_that_never_heard_its_gateway_is_found() {
    let shop = shop();
    assert_found(&shop.findings(), "connections", Status::Warning, "connections add");
    shop.connect(Mode::Test, "seller@example.com");
    assert_found(&shop.findings(), "connections", Status::Warning, "hook URL");
}

#[test]
fn a_quarantine_is_shown() {
    let shop = shop();
    let quarantine = Quarantine { why: "restored".to_owned(), since: now() };
    shop.app
        .write_blocking(shop.merchant, Actor::Shell, move |cx| {
            Ok(installation::store::save_quarantine(cx.tx, &quarantine, cx.now)?)
        })
        .unwrap();
    assert_found(&shop.findings(), "quarantine", Status::Warning, "quarantine lift");
}
