//! Every benchmark runs, with numbers so small that they say nothing but that it runs.

use std::process::Command;

use serde_json::Value;

/// What a benchmark prints with these arguments.
fn report(arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(["--json", "--turns", "1", "--seconds", "0.001"])
        .args(arguments)
        .output()
        .expect("the benchmark starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("it prints one JSON object")
}

fn comparisons(report: &Value) -> usize {
    let all = report["comparisons"].as_array().expect("a list");
    all.iter().filter(|one| one["ratio"]["median"].as_f64().is_some_and(|ratio| ratio > 0.0)).count()
}

fn figure(report: &Value, what: &str) -> f64 {
    let all = report["figures"].as_array().expect("a list");
    let found = all.iter().find(|one| one["what"].as_str().is_some_and(|text| text.starts_with(what)));
    found.and_then(|one| one["value"].as_f64()).unwrap_or_else(|| panic!("no {what} in {report}"))
}

#[test]
fn orders_are_measured_twice_on_sqlite() {
    assert_eq!(comparisons(&report(&["orders", "--engine", "sqlite"])), 2);
}

#[test]
fn orders_are_measured_twice_on_postgresql() {
    assert_eq!(comparisons(&report(&["orders", "--engine", "postgres"])), 2);
}

#[test]
fn small_downloads_are_measured_against_nginx() {
    assert_eq!(comparisons(&report(&["downloads", "--largest", "10240"])), 1);
}

#[test]
fn many_orders_and_their_lists_are_measured() {
    let report = report(&["scale", "--orders", "1200"]);
    assert_eq!(comparisons(&report), 2);
    assert!(figure(&report, "ratio among many") > 0.0);
    assert!(figure(&report, "transactions, first byte") > 0.0);
    assert!(figure(&report, "portal: purchases, first byte") > 0.0);
}

#[test]
fn frames_of_several_sizes_are_measured() {
    assert_eq!(comparisons(&report(&["frames", "--size", "1048576"])), 6);
}

#[test]
fn the_memory_of_running_downloads_is_measured() {
    let report = report(&["program", "--downloads", "20"]);
    assert!(figure(&report, "anonymous memory, 20 slow readers of a file") > 0.0);
    assert!(figure(&report, "anonymous memory, 20 slow readers of an archive") > 0.0);
    assert!(figure(&report, "anonymous memory, 20 slow readers of a protected archive") > 0.0);
}

#[test]
fn archives_and_their_slow_readers_are_measured() {
    let small = ["--mebibytes", "1", "--entries", "100", "--slow-readers", "20", "--slow-mebibytes", "8"];
    let report = report(&[["archive"].as_slice(), &small].concat());
    assert_eq!(comparisons(&report), 2);
    assert!(figure(&report, "first byte of a paid archive") > 0.0);
    assert!(figure(&report, "layout of 100 entries") > 0.0);
    assert!(figure(&report, "layout and first encrypted byte of 1 TiB") > 0.0);
    assert!(figure(&report, "anonymous memory, 20 slow readers of an archive of 8 MiB") > 0.0);
}
