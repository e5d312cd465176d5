//! The programs that buyers fetch archives with, on a real socket, cut off and taken up again.

use std::path::PathBuf;

use app::orders::Order;
use axum::body::Body;
use db::Tuning;
use http::Request;
use sha2::{Digest as _, Sha256};
use testkit::Place;

use crate::support::served::{Served, Signal, cut_off, program, run};
use crate::support::{NewGood, TestApp, unzip};

testkit::both_engines! {
    wget_goes_on_with_an_archive_after_every_kill,
    curl_puts_an_archive_together_from_ranges_and_kills,
    aria2_fetches_an_archive_on_eight_connections_also_after_a_break,
    every_reader_opens_what_was_fetched,
}

#[test]
fn two_nodes_hand_out_one_archive_side_by_side() {
    testkit::run_on(testkit::POSTGRES, two_nodes);
}

/// Together more than the buffers of a connection hold.
const SIZES: [(&str, usize); 4] = [
    ("Score.pdf", 300_001),
    ("Take 1.flac", 12_000_000),
    ("Über uns – 日本語.txt", 70_001),
    ("Take 2.flac", 9_000_000),
];
/// Slow enough to be cut off in between, in bytes a second.
const SLOWLY: &str = "12M";
/// That much must have come before a program is cut off.
const ENOUGH: u64 = 2_000_000;

/// An order's archive on a socket, and a folder to fetch it into.
struct Fetching<'t> {
    t: &'t TestApp,
    order: Order,
    served: Served,
    url: String,
    folder: tempfile::TempDir,
}

fn files() -> Vec<(&'static str, Vec<u8>)> {
    SIZES.iter().zip(1..).map(|((name, size), seed)| (*name, noise(seed, *size))).collect()
}

/// Bytes that do not repeat (SplitMix64).
fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mixed = |at: u64| {
        let mut word = at.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)).to_le_bytes()
    };
    let mut bytes: Vec<u8> = (seed << 32..).take(size / 8 + 1).flat_map(mixed).collect();
    bytes.truncate(size);
    bytes
}

impl<'t> Fetching<'t> {
    fn new(t: &'t TestApp) -> Self {
        let files = files().into_iter().map(|(name, bytes)| (name.to_owned(), bytes));
        let product = t.product(NewGood { files: files.collect(), ..NewGood::of("ALBUM") });
        let order = t.order(&[(&product, 1)]);
        t.pay(&order);
        let served = Served::new(&t.app);
        let url = served.url(&start(t, &order));
        Self { t, order, served, url, folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("UTF-8").to_owned()
    }

    /// How much of a file has come.
    fn length(&self, name: &str) -> u64 {
        std::fs::metadata(self.path(name)).map_or(0, |file| file.len())
    }

    fn has_come(&self, name: &str) -> bool {
        self.length(name) >= ENOUGH
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).expect("it was fetched")
    }

    /// The archive as it is without a network, from another session.
    fn whole(&self) -> Vec<u8> {
        self.t.get(&start(self.t, &self.order)).body
    }

    /// The file is the archive, and nothing was miscounted on the way.
    fn check(&self, name: &str) {
        assert_eq!(Sha256::digest(self.bytes(name)), Sha256::digest(self.whole()), "{name} is another file");
        self.t.watch_transfers();
    }
}

fn start(t: &TestApp, order: &Order) -> String {
    let post = Request::post(format!("{}/archive", t.landing_of(order))).body(Body::empty());
    t.request(post.expect("a request")).location().to_owned()
}

fn wget_goes_on_with_an_archive_after_every_kill(t: TestApp) {
    let fetching = Fetching::new(&t);
    let out = fetching.text("all.zip");
    let wget = |rate: &str| program("wget", &["-q", "-c", "--tries=1", rate, "-O", &out, &fetching.url]);
    let slowly = format!("--limit-rate={SLOWLY}");

    cut_off(wget(&slowly), Signal::Kill, || fetching.has_come("all.zip"));
    let first = fetching.length("all.zip");
    cut_off(wget(&slowly), Signal::Kill, || fetching.length("all.zip") >= first + ENOUGH);
    run(wget("--limit-rate=0"));
    // Asks for what is behind the end and hears 416.
    run(wget("--limit-rate=0"));

    fetching.check("all.zip");
}

fn curl_puts_an_archive_together_from_ranges_and_kills(t: TestApp) {
    let fetching = Fetching::new(&t);
    let [head, middle, tail] = ["head", "middle", "tail"].map(|name| fetching.text(name));
    let curl = |more: &[&str]| program("curl", &[&["-q", "-s", "-f", &fetching.url], more].concat());

    run(curl(&["-r", "0-3999999", "-o", &head]));
    let slow = curl(&["-r", "4000000-15999999", "--limit-rate", SLOWLY, "-o", &middle]);
    cut_off(slow, Signal::Kill, || fetching.has_come("middle"));
    let mut joined = [fetching.bytes("head"), fetching.bytes("middle")].concat();
    let rest = format!("{}-", joined.len());
    run(curl(&["-r", &rest, "-o", &tail]));
    joined.extend(fetching.bytes("tail"));
    std::fs::write(fetching.path("all.zip"), &joined).expect("it is written");
    std::fs::write(fetching.path("again.zip"), &joined[..20_000_000]).expect("it is written");
    run(curl(&["-C", "-", "-o", &fetching.text("again.zip")]));

    fetching.check("all.zip");
    fetching.check("again.zip");
}

fn aria2_fetches_an_archive_on_eight_connections_also_after_a_break(t: TestApp) {
    let fetching = Fetching::new(&t);
    let folder = format!("--dir={}", fetching.folder.path().display());
    let aria2 = |rate: &str| {
        let connections = ["-x8", "-s8", "-k1M", "-c", "--no-conf", "--file-allocation=none"];
        let place = [folder.as_str(), "--out=all.zip", rate, fetching.url.as_str()];
        program("aria2c", &[connections.as_slice(), &place].concat())
    };
    let handed_out = || {
        let running = t.app.transfers().sweep();
        running.iter().map(|one| (0..SIZES.len()).map(|file| one.unsaved(file)).sum::<u64>()).sum::<u64>()
    };

    let slowly = format!("--max-overall-download-limit={SLOWLY}");
    cut_off(aria2(&slowly), Signal::Term, || handed_out() > 5 * ENOUGH && fetching.has_come("all.zip"));
    assert!(fetching.path("all.zip.aria2").exists(), "it has written down what is lacking");
    run(aria2("--max-overall-download-limit=0"));

    assert!(!fetching.path("all.zip.aria2").exists(), "nothing is lacking");
    fetching.check("all.zip");
}

/// Each serves its own session's archive under the same tag, and both together serve one session's.
fn two_nodes(Place(options): Place) {
    let tuning = Tuning { postgres_writers: 4, postgres_readers: 2, ..Tuning::default() };
    let t = TestApp::at(&options, tuning.clone(), 1);
    let other = t.second_node(&options, tuning);
    let fetching = Fetching::new(&t);
    let there = Served::new(&other);
    let path = start(&t, &fetching.order);
    let (url_here, url_there) = (fetching.served.url(&path), there.url(&path));
    let own_there = {
        let landing = there.url(&format!("{}/archive", t.landing_of(&fetching.order)));
        let posted = program("curl", &["-q", "-s", "-X", "POST", "-w", "%{redirect_url}", &landing]);
        text_of(posted)
    };
    let etag = |url: &str| {
        let head = text_of(program("curl", &["-q", "-s", "-f", "-I", url]));
        let line = head.lines().find(|line| line.starts_with("etag: \""));
        line.unwrap_or_else(|| panic!("no strong tag in {head}")).to_owned()
    };

    let etags = [&fetching.url, &url_here, &url_there, &own_there].map(|url| etag(url));
    let folder = format!("--dir={}", fetching.folder.path().display());
    let both = ["-x4", "-s8", "-k1M", "--no-conf", "--file-allocation=none", "--out=both.zip"];
    run(program("aria2c", &[both.as_slice(), &[&folder, &url_here, &url_there]].concat()));
    run(program("curl", &["-q", "-s", "-f", "-o", &fetching.text("there.zip"), &own_there]));
    let counted_there = other.transfers().sweep().len();
    t.block_on(app::downloads::jobs::turn(&other)).expect("transfers are watched");

    assert_eq!(etags, [0; 4].map(|_| etags[0].clone()));
    assert_eq!(counted_there, 2, "its own session, and its share of the other");
    fetching.check("both.zip");
    fetching.check("there.zip");
    other.db().close();
}

fn text_of(mut command: std::process::Command) -> String {
    String::from_utf8(command.output().expect("it starts").stdout).expect("UTF-8")
}

fn every_reader_opens_what_was_fetched(t: TestApp) {
    let fetching = Fetching::new(&t);

    run(program("wget", &["-q", "-O", &fetching.text("all.zip"), &fetching.url]));

    unzip::check(&fetching.bytes("all.zip"), &files());
    fetching.check("all.zip");
}
