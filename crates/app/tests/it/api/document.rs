//! The document: complete, and the same as the committed one.

use std::collections::BTreeSet;
use std::path::Path;

use app::problem::Code;
use app::web::api::{document, endpoints};
use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::Value;

use crate::support::TestApp;

/// Set to write the document anew instead of comparing.
const UPDATE: &str = "UPDATE_OPENAPI";

testkit::both_engines! {
    the_router_and_the_document_know_the_same_routes,
    the_document_is_served_as_it_is_committed,
}

fn docs(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

fn parsed() -> Value {
    serde_json::from_str(&document(&endpoints())).expect("JSON")
}

#[test]
fn the_document_is_the_committed_one() {
    let path = docs("openapi.json");
    let made = format!("{}\n", document(&endpoints()));
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&path, &made).expect("the document is written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == made,
        "the API has changed: run the tests with {UPDATE}=1 and look at docs/openapi.json"
    );
}

#[test]
fn every_reference_leads_somewhere() {
    let document = parsed();
    let text = document.to_string();
    let references = text.split("\"$ref\":\"#/").skip(1).filter_map(|rest| rest.split('"').next());
    let dangling: BTreeSet<&str> =
        references.filter(|reference| document.pointer(&format!("/{reference}")).is_none()).collect();
    assert!(dangling.is_empty(), "{dangling:?}");
    assert_eq!(document["openapi"], "3.1.0");
}

#[test]
fn names_are_unique() {
    let all = endpoints();
    let names: BTreeSet<&str> = all.iter().map(|endpoint| endpoint.at.name).collect();
    let routes: BTreeSet<String> =
        all.iter().map(|endpoint| format!("{} {}", endpoint.method, endpoint.at.path)).collect();
    assert_eq!((names.len(), routes.len()), (all.len(), all.len()));
}

#[test]
fn every_code_and_scope_is_explained_in_the_guide() {
    let guide = std::fs::read_to_string(docs("API.md")).expect("the guide");
    let codes = Code::ALL.iter().map(|code| code.as_str());
    let scopes = app::api_keys::Scope::ALL.iter().map(|scope| scope.as_str());
    let missing: Vec<&str> =
        codes.chain(scopes).filter(|word| !guide.contains(&format!("`{word}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

fn the_router_and_the_document_know_the_same_routes(t: TestApp) {
    let document = parsed();
    let paths = document["paths"].as_object().expect("paths");
    for (path, item) in paths {
        let uri = path.replace("{id}", "x").replace("{currency}", "EUR").replace("{name}", "x");
        let request = Request::options(uri).body(Body::empty()).expect("a request");
        let reply = t.request(request);
        assert_eq!(reply.status, StatusCode::NO_CONTENT, "{path}");
        let routed: BTreeSet<String> = reply
            .header("allow")
            .split(", ")
            .filter(|method| !matches!(*method, "HEAD" | "OPTIONS"))
            .map(str::to_lowercase)
            .collect();
        let documented: BTreeSet<String> = item.as_object().expect("operations").keys().cloned().collect();
        assert_eq!(routed, documented, "{path}");
    }
    let routed: BTreeSet<&str> = endpoints().iter().map(|endpoint| endpoint.at.path).collect();
    assert_eq!(routed, paths.keys().map(String::as_str).collect());
}

fn the_document_is_served_as_it_is_committed(t: TestApp) {
    let served = t.get("/v1/openapi.json");
    assert_eq!(served.header("content-type"), "application/json");
    assert_eq!(serde_json::from_slice::<Value>(&served.body).expect("JSON"), parsed());
}
