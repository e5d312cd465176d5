//! Contents in folders and buckets, as the operator configures and checks them; files left to nginx.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::process::{KEY_ID, Process, SECRET};
use crate::shell::sold;
use crate::support::browser::{Browser, connect};
use crate::support::{Place, free_port};

/// Writes the configuration that the place runs with.
fn configure(place: &Place, text: &str) {
    place.file("shop.toml", 0o600, &format!("data = \"data\"\n{text}"));
}

/// A shop with one delivered order, whose configuration can be changed.
fn configured() -> (Place, String) {
    let (place, order) = sold();
    let file = place.file("shop.toml", 0o600, "data = \"data\"\n");
    (place.with("HANDSEL_CONFIG", &file), order)
}

const FOLDER: &str = "[[stores]]\nname = \"here\"\nkind = \"directory\"\npath = \"data/blobs\"\n";

fn bucket(place: &Place, server: &Process) -> String {
    let secret = place.file("secret", 0o600, SECRET);
    format!(
        "[[stores]]\nname = \"cloud\"\nkind = \"s3\"\nendpoint = \"http://{}\"\nbucket = \"shop\"\n\
         key_id = \"{KEY_ID}\"\nsecret_file = \"{secret}\"\n\
         [outbound]\nallow = [\"{}/32:{}\"]\n",
        server.address,
        server.address.ip(),
        server.address.port()
    )
}

/// A verb's exit code and JSON.
fn ran(place: &Place, arguments: &[&str]) -> (i32, Value) {
    let ran = place.run(&[arguments, &["--json"]].concat());
    let value = serde_json::from_str(&ran.out);
    (ran.code, value.unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}{}", ran.out, ran.err)))
}

/// An answer with its head as text and its body as it came.
struct Bytes {
    head: String,
    body: Vec<u8>,
}

impl Bytes {
    fn status(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    fn header(&self, name: &str) -> &str {
        let named = |line: &&str| line.to_ascii_lowercase().starts_with(&format!("{name}: "));
        self.head.lines().find(named).and_then(|line| line.split_once(": ")).map_or("", |(_, value)| value)
    }
}

fn fetch(address: SocketAddr, path: &str, more: &str) -> Bytes {
    ask("GET", address, path, more)
}

fn ask(method: &str, address: SocketAddr, path: &str, more: &str) -> Bytes {
    let mut stream = connect(address);
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{more}\r\n")
        .expect("it is sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    let body = answer.split_off(end);
    Bytes { head: String::from_utf8(answer).expect("a head in text"), body }
}

/// Starts the first file of an order's link, and answers where its bytes are.
fn start(place: &Place, order: &str, address: SocketAddr) -> String {
    let shown = place.json(&["orders", "show", order, "--links"]);
    let link = shown["grants"][0]["link"].as_str().expect("a link").to_owned();
    let path = link.split_once("/d/").map(|(_, token)| format!("/d/{token}")).expect("a path");
    let mut browser = Browser::new(address);
    let page = browser.get(&path).text;
    let action = page.split("action=\"").find(|rest| rest.contains("/files/")).expect("a form");
    let started = browser.post(action.split('"').next().expect("its path"), "");
    assert_eq!(started.status, 303, "{}", started.text);
    let location = started.text.lines().find_map(|line| line.strip_prefix("location: "));
    location.expect("where to").trim().to_owned()
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[test]
fn a_shop_moves_into_a_bucket_and_sells_from_there() {
    let (server, (place, order)) = (Process::start(), configured());
    let cloud = bucket(&place, &server);

    configure(&place, &cloud);
    let refused = place.refused(&["stores", "list"], 2);
    assert!(refused.contains("data/blobs holds contents") && refused.contains("stores sync"), "{refused}");

    configure(&place, &format!("{FOLDER}{cloud}"));
    let (code, report) = ran(&place, &["stores", "check"]);
    let lacking = report["stores"][1]["defects"].as_array().expect("a list").len();
    assert_eq!((code, &report["stores"][0]["defects"], lacking > 0), (1, &json!([]), true), "{report}");
    let (code, plan) = ran(&place, &["stores", "sync", "--dry-run"]);
    assert_eq!((code, plan["stores"][1]["copied"].as_array().map(Vec::len)), (0, Some(lacking)), "{plan}");
    assert_eq!(ran(&place, &["stores", "sync"]).0, 0);
    let (code, again) = ran(&place, &["stores", "sync"]);
    assert_eq!((code, &again["stores"][1]["copied"]), (0, &json!([])), "there is nothing left to copy");

    std::fs::rename(place.path("data/blobs"), place.path("put-aside")).expect("it is moved away");
    configure(&place, &cloud);
    assert_eq!(ran(&place, &["stores", "check", "--content"]).0, 0);
    assert_eq!(place.run(&["audit", "--deep"]).code, 0);
    let doctor = ran(&place, &["doctor"]).1.to_string();
    assert!(doctor.contains("store \\\"cloud\\\": its bucket answers"), "{doctor}");
    let served = place.serve();
    let got = fetch(served.address, &start(&place, &order, served.address), "");
    assert_eq!((got.status(), got.header("etag")), ("200", format!("\"{}\"", sha256(&got.body)).as_str()));
    assert!(!place.path("data/blobs").exists(), "a store that is not configured is not made");
}

#[test]
fn damage_in_a_bucket_is_found_by_reading_and_put_right_by_a_sync() {
    let (server, (place, _)) = (Process::start(), configured());
    configure(&place, &format!("{FOLDER}{}", bucket(&place, &server)));
    assert_eq!(ran(&place, &["stores", "sync"]).0, 0);
    let (_, whole) = ran(&place, &["stores", "check", "--content"]);
    assert_eq!(whole["whole"], json!(true));

    let shelf = server.file("sha256");
    let object = first_file(&shelf);
    let mut bytes = std::fs::read(&object).expect("an object");
    bytes[0] ^= 1;
    std::fs::write(&object, &bytes).expect("a damaged object");

    let name = object.file_name().expect("a name").to_string_lossy().into_owned();
    let (code, found) = ran(&place, &["stores", "check", "--content"]);
    let defects = &found["stores"][1]["defects"];
    assert_eq!((code, &defects[0]["sha256"], &defects[0]["defect"]), (1, &json!(name), &json!("damaged")));
    let (code, mended) = ran(&place, &["stores", "sync", "--content"]);
    assert_eq!((code, mended["stores"][1]["copied"].as_array().map(Vec::len)), (0, Some(1)), "{mended}");
    assert_eq!(sha256(&std::fs::read(&object).expect("an object")), name);
}

fn first_file(folder: &Path) -> std::path::PathBuf {
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let shelf = paths.first().expect("a shelf");
    if shelf.is_dir() { first_file(shelf) } else { shelf.clone() }
}

#[test]
fn a_bucket_that_is_away_is_told_by_the_check_and_the_doctor_and_the_shop_still_opens() {
    let (place, _) = configured();
    let gone = Process::start();
    let settings = bucket(&place, &gone);
    drop(gone);
    configure(&place, &format!("{FOLDER}{settings}"));

    let (code, report) = ran(&place, &["stores", "check"]);
    assert_eq!((code, report["stores"][1]["away"].is_string()), (1, true), "{report}");
    let (code, doctor) = ran(&place, &["doctor"]);
    assert_eq!(code, 1);
    assert!(doctor.to_string().contains("store \\\"cloud\\\": store cloud did not answer"), "{doctor}");
    let served = place.serve();
    assert_eq!(Browser::new(served.address).get("/").status, 200);
}

#[test]
fn a_secret_that_others_can_read_and_a_hand_off_without_a_proxy_are_refused() {
    let (place, _) = configured();
    let server = Process::start();
    configure(&place, &format!("{FOLDER}{}", bucket(&place, &server)));
    place.file("secret", 0o644, SECRET);
    let refused = place.refused(&["serve"], 2);
    assert!(refused.contains("stores.secret_file") && refused.contains("chmod 600"), "{refused}");

    configure(&place, "[hand_off]\nheader = \"X-Accel-Redirect\"\nprefix = \"/protected/\"\n");
    let refused = place.refused(&["serve"], 2);
    assert!(refused.contains("[proxies] trusted"), "{refused}");
}

/// nginx in front of a shop; it ends with the test.
struct Nginx {
    child: Child,
    address: SocketAddr,
}

impl Nginx {
    fn before(place: &Place, port: u16, shop: u16) -> Self {
        let folder = place.path("nginx");
        std::fs::create_dir(&folder).expect("a folder");
        let (dir, blobs) = (folder.display(), place.path("data/blobs"));
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary: String = temporary.map(|kind| format!("{kind}_temp_path {dir}/{kind};")).concat();
        let conf = format!(
            "daemon off; master_process off; pid {dir}/pid; error_log {dir}/error.log;
             events {{ worker_connections 64; }}
             http {{
               access_log off; {temporary}
               server {{
                 listen 127.0.0.1:{port};
                 location / {{
                   proxy_pass http://127.0.0.1:{shop};
                   proxy_set_header Host $http_host;
                   proxy_set_header X-Forwarded-For $remote_addr;
                   proxy_set_header X-Forwarded-Proto $scheme;
                 }}
                 location /protected/ {{ internal; alias {}/; }}
               }}
             }}",
            blobs.display()
        );
        let conf = place.file("nginx.conf", 0o600, &conf);
        let program = if Path::new("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" };
        let mut child = Command::new(program)
            .args(["-c", &conf, "-e", &format!("{dir}/error.log")])
            .stdout(Stdio::null())
            .spawn()
            .expect("nginx starts; ./test installs it");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        while TcpStream::connect(address).is_err() {
            assert!(child.try_wait().expect("its state").is_none(), "nginx ended; see {dir}/error.log");
            std::thread::yield_now();
        }
        Self { child, address }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn nginx_delivers_the_bytes_and_ranges_of_files_that_are_left_to_it() {
    let (place, order) = configured();
    let (port, shop) = (free_port(), free_port());
    configure(
        &place,
        &format!(
            "base_url = \"http://127.0.0.1:{port}\"\n[proxies]\ntrusted = [\"127.0.0.1/32\"]\n\
             [hand_off]\nheader = \"X-Accel-Redirect\"\nprefix = \"/protected/\"\n"
        ),
    );
    let _served = place.serve_on(shop, &[]);
    let nginx = Nginx::before(&place, port, shop);
    let path = start(&place, &order, nginx.address);

    let whole = fetch(nginx.address, &path, "");
    let part = fetch(nginx.address, &path, "Range: bytes=5-14\r\n");

    assert_eq!(whole.status(), "200", "{}", whole.head);
    let digest = sha256(&whole.body);
    let file = place.path(&format!("data/blobs/sha256/{}/{digest}", &digest[..2]));
    assert_eq!(std::fs::read(file).expect("it is a content of ours"), whole.body);
    assert!(whole.header("content-disposition").starts_with("attachment"), "{}", whole.head);
    assert_eq!(whole.header("x-accel-redirect"), "", "the way to the file is nginx's own");
    assert_eq!((part.status(), &part.body[..]), ("206", &whole.body[5..15]));
    assert_eq!(part.header("content-range"), format!("bytes 5-14/{}", whole.body.len()));
    let look = ask("HEAD", nginx.address, &path, "");
    assert_eq!(
        (look.status(), look.header("etag")),
        ("200", whole.header("etag")),
        "a look and the bytes agree"
    );
    assert_eq!(look.header("content-length"), whole.body.len().to_string());
    let stolen = fetch(nginx.address, &format!("/protected/sha256/{}/{digest}", &digest[..2]), "");
    assert_eq!(stolen.status(), "404", "nobody but us can send for it");
    let told =
        "SELECT CAST(sum(h.times) AS BIGINT) AS n FROM hand_overs h JOIN downloads d ON d.id = h.download_id
                 WHERE d.state = 'spent'";
    let told = place.db().read_blocking(|snapshot| db::sql(told).one(snapshot, |row| row.get::<i64>("n")));
    assert_eq!(told.expect("a number"), 2);
    assert_eq!(place.run(&["audit"]).code, 0);
}
