//! `handsel demo`.

use std::fs::{self, File};
use std::net::TcpListener;
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::browser::Browser;
use crate::support::{Place, Served, free_port};

#[test]
fn one_purchase_by_itself_works_twice_in_one_folder() {
    let place = Place::new();
    let first = place.json(&["demo", "--once", "--data", "kept"]);
    let second = place.json(&["demo", "--once", "--data", "kept"]);
    for report in [&first, &second] {
        assert_eq!(report["ok"], true, "{report}");
        assert_eq!(report["sha256_ok"], true);
        assert_eq!(report["audit_violations"], Value::Array(Vec::new()));
        assert!(report["notice_to_fulfilled_ms"].is_number(), "{report}");
        assert_eq!(report["mail_to"], "ada@example.com");
    }
    assert_ne!(first["order"], second["order"]);
}

#[test]
fn without_a_terminal_it_stays_plain() {
    let place = Place::new();
    let ran = place.run(&["demo", "--once", "--data", "kept"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let both = format!("{}{}", ran.out, ran.err);
    assert!(!both.contains('\u{1b}') && !both.contains('\r'), "{both:?}");
    assert!(both.contains("audit clean"), "{both}");
}

#[test]
fn at_a_terminal_it_shows_what_takes_long() {
    let place = Place::new();
    let program = place.command::<&str>(&[]).get_program().to_owned();
    let command = format!("{} demo --once --data kept", program.to_str().expect("a path"));
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .env("TERM", "xterm")
        .current_dir(place.path(""))
        .output()
        .expect("script(1) runs");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("buying, paying and downloading"), "{shown:?}");
}

#[test]
fn it_prints_its_addresses_and_ends_with_ctrl_c() {
    let place = Place::new();
    let port = three_free_ports();
    let log = place.path("log");
    let mut command = place.command(&["demo", "--port", &port.to_string()]);
    command.env("TMPDIR", place.path("")).stderr(File::create(&log).expect("a log"));
    let mut served = Served::start(command, ([127, 0, 0, 1], port).into(), log);
    assert_eq!(served.first_line, format!("Shop         http://127.0.0.1:{port}/\n"));
    let lines = [served.line(), served.line(), served.line()];
    assert!(lines[0].contains(&format!("http://127.0.0.1:{port}/admin/welcome/")), "{lines:?}");
    assert!(lines[1].contains(&format!("http://127.0.0.1:{}/", port + 2)), "{lines:?}");
    assert!(lines[2].contains(&format!("http://127.0.0.1:{}/", port + 1)), "{lines:?}");
    for port in [port, port + 1, port + 2] {
        assert_eq!(Browser::new(([127, 0, 0, 1], port).into()).get("/").status, 200);
    }

    let (code, _) = served.stop(Signal::INT);
    assert_eq!(code, Some(0));
    let left: Vec<_> =
        fs::read_dir(place.path("")).expect("the folder").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["log"], "its data stayed behind");
}

/// A port with two free ones after it.
fn three_free_ports() -> u16 {
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let mut candidates = std::iter::repeat_with(free_port).take(100);
    candidates.find(|port| *port < 65_000 && free(port + 1) && free(port + 2)).expect("three ports")
}

#[test]
fn a_port_that_is_taken_is_told_with_what_to_do() {
    let place = Place::new();
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = other.local_addr().expect("its address").port();
    let said = place.refused(&["demo", "--port", &port.to_string()], 2);
    assert!(said.contains(&format!("127.0.0.1:{port}")) && said.contains("--port"), "{said}");
}
