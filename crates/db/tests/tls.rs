//! The way to PostgreSQL is encrypted only with the server that was meant.

mod common;

use std::path::PathBuf;

use common::{SCHEMA, tuning};
use db::{Db, DbError, Options, sql};
use testkit::pg::{Cluster, Database, Durability, Setup};

/// A server with a certificate for `localhost`, and a file with that certificate.
struct Server {
    _cluster: Cluster,
    database: Database,
    port: u16,
    certificate: PathBuf,
    _folder: tempfile::TempDir,
}

fn server() -> Server {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let folder = tempfile::tempdir().expect("a folder");
    let certificate = folder.path().join("ca.pem");
    std::fs::write(&certificate, made.cert.pem()).expect("a file");
    let port = free_port();
    let mut setup = Setup::of(Durability::Fast);
    setup.listen = Some(port);
    let settings = [("ssl", "on"), ("ssl_cert_file", "server.pem"), ("ssl_key_file", "server.key")];
    setup.settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    setup.files = vec![
        ("server.pem".to_owned(), made.cert.pem()),
        ("server.key".to_owned(), made.key_pair.serialize_pem()),
    ];
    let cluster = Cluster::private_with(&setup);
    let database = cluster.database(SCHEMA);
    Server { _cluster: cluster, database, port, certificate, _folder: folder }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

impl Server {
    fn open(&self, host: &str, parameters: &str) -> Result<Db, DbError> {
        let url = format!("postgres://handsel@{host}:{}/{}{parameters}", self.port, self.database.name());
        Db::open_with(&Options::Postgres(url), SCHEMA, tuning())
    }
}

#[test]
fn only_the_server_that_was_meant_is_spoken_to() {
    let server = server();
    let trusted = format!("?sslmode=verify-full&sslrootcert={}", server.certificate.display());

    let db = server.open("localhost", &trusted).expect("the certificate is for localhost");
    let encrypted = db.read_blocking(|snapshot| {
        sql("SELECT ssl AS encrypted FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
            .one(snapshot, |row| row.get::<i64>("encrypted"))
    });
    assert_eq!(encrypted.expect("it reads"), 1);

    let other_name = server.open("127.0.0.1", &trusted).expect_err("the certificate is for localhost");
    assert!(other_name.to_string().contains("certificate"), "{other_name}");
    let unknown = server.open("localhost", "?sslmode=require").expect_err("nobody vouches for it");
    assert!(unknown.to_string().contains("certificate"), "{unknown}");
}
