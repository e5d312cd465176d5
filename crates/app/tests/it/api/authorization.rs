//! Every endpoint, over the one list of endpoints: no key, wrong scope, another merchant.

use app::api_keys::Scope;
use app::web::api::caller::Access;
use app::web::api::endpoint::Endpoint;
use app::web::api::endpoints;
use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use paysim::ipn::Body as Ipn;
use serde_json::{Value, json};

use super::{Answer, Program, all_but};
use crate::support::goods::eur;
use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    without_a_key_nothing_is_answered,
    a_key_without_the_scope_is_refused,
    the_scope_alone_is_enough,
    every_scope_opens_something,
    another_merchants_things_are_not_there,
    only_the_document_is_public,
    a_revoked_key_is_no_key,
    a_key_must_be_a_bearer_token,
    guessing_keys_is_slowed_down_and_good_keys_still_work,
    a_key_that_asks_too_often_has_to_wait,
}

/// One of everything, at the first merchant's.
struct World {
    ids: Vec<(&'static str, String)>,
    file: String,
}

impl World {
    fn of(t: &TestApp) -> Self {
        let product = t.product(NewGood::of("FONT"));
        let order = t.order(&[(&product, 1)]);
        let sale = t.pay(&order);
        t.deliver_and_run(&Ipn::refunded(&sale, &t.movement("part", eur(1_00))));
        let customer = t.look(&order).customer.expect("who paid has an account");
        let (id, merchant) = (product.id, product.merchant);
        let file = t.read(move |snapshot| Ok(app::products::store::files(snapshot, merchant, id)?)).remove(0);
        let upload = t.begin_upload(&product, "extra.bin", None);
        let ids = [
            ("uploads", upload.to_string()),
            ("products", product.id.to_string()),
            ("orders", order.id.to_string()),
            ("customers", customer.to_string()),
            ("invoices", t.invoices(&order)[0].id.to_string()),
            ("messages", t.messages(&order)[0].id.to_string()),
            ("notices", t.last_notice().id.to_string()),
            ("reviews", t.reviews(&order)[0].id.to_string()),
            ("connections", t.shop.connection.id.to_string()),
        ];
        Self { ids: ids.to_vec(), file: file.file.to_string() }
    }

    /// The endpoint's path with ids that exist.
    fn path(&self, endpoint: &Endpoint) -> String {
        let noun = endpoint.at.path.split('/').nth(2).unwrap_or_default();
        let id = self.ids.iter().find(|(name, _)| *name == noun).map(|(_, id)| id.as_str());
        let path = endpoint
            .at
            .path
            .replace("{currency}", "EUR")
            .replace("{name}", "extra.bin")
            .replace("{offset}", "0")
            .replace("{file}", &self.file);
        let path = id.map_or_else(|| path.clone(), |id| path.replace("{id}", id));
        // Whatever is not there is answered like what is another's, and would prove nothing.
        assert!(!path.contains('{'), "the world has nothing for {path}");
        path
    }

    fn mentions(&self, text: &str) -> bool {
        self.ids.iter().any(|(_, id)| text.contains(id.as_str()))
    }
}

/// A body that each endpoint which takes one can read.
fn body_of(endpoint: &Endpoint) -> Option<Value> {
    Some(match endpoint.at.name {
        "createProduct" => json!({ "sku": "NEW", "name": "New" }),
        "changeProduct" => json!({ "name": "Renamed" }),
        "beginUpload" => json!({ "name": "other.bin" }),
        "finishUpload" => json!({}),
        "setPrice" => json!({ "amount": "5.00" }),
        "extendLinks" => json!({ "days": 3 }),
        "refuseNotice" => json!({ "reason": "no" }),
        "resolveReview" => json!({ "resolution": "fine" }),
        _ => return None,
    })
}

fn ask(program: &Program<'_>, world: &World, endpoint: &Endpoint) -> Answer {
    let (method, path) = (endpoint.method.clone(), world.path(endpoint));
    match body_of(endpoint) {
        Some(body) => program.send(program.json_request(method, &path, &body)),
        None => program.bare(method, &path),
    }
}

fn guarded() -> Vec<Endpoint> {
    endpoints().into_iter().filter(|endpoint| endpoint.at.access != Access::Public).collect()
}

fn without_a_key_nothing_is_answered(t: TestApp) {
    let world = World::of(&t);
    for endpoint in guarded() {
        let request = Request::builder().method(endpoint.method.clone()).uri(world.path(&endpoint));
        // A clock that moves keeps the limit on wrong keys out of this.
        t.advance(kernel::Span::minutes(1));
        let reply = t.request(request.body(Body::empty()).expect("a request"));
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{}", endpoint.at.name);
        assert_eq!(reply.header("www-authenticate"), "Bearer realm=\"handsel\"");
    }
}

fn a_key_without_the_scope_is_refused(t: TestApp) {
    let world = World::of(&t);
    let before = t.business_state();
    for endpoint in guarded() {
        let Access::Scope(scope) = endpoint.at.access else { continue };
        let answer = ask(&t.program_with(&all_but(scope)), &world, &endpoint);
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}: {}", endpoint.at.name, answer.reply.text());
        assert_eq!(answer.code(), "forbidden");
        assert!(answer.json["detail"].as_str().is_some_and(|text| text.contains(scope.as_str())));
    }
    assert_eq!(t.business_state(), before);
}

fn the_scope_alone_is_enough(t: TestApp) {
    let world = World::of(&t);
    for endpoint in guarded() {
        let Access::Scope(scope) = endpoint.at.access else { continue };
        let answer = ask(&t.program_with(&[scope].into_iter().collect()), &world, &endpoint);
        let done = answer.status.is_success() || answer.status == StatusCode::CONFLICT;
        assert!(done, "{}: {} {}", endpoint.at.name, answer.status, answer.reply.text());
    }
    t.run_jobs();
}

fn every_scope_opens_something(_: TestApp) {
    let asked: Vec<Access> = endpoints().iter().map(|endpoint| endpoint.at.access).collect();
    let idle: Vec<_> = Scope::ALL.iter().filter(|scope| !asked.contains(&Access::Scope(**scope))).collect();
    assert!(idle.is_empty(), "{idle:?} open nothing");
}

fn another_merchants_things_are_not_there(t: TestApp) {
    let world = World::of(&t);
    let other = t.second_shop();
    let (stranger, owner) = (t.program_at(&other), t.program());
    for endpoint in guarded() {
        let seen = ask(&stranger, &world, &endpoint);
        assert!(
            !world.mentions(&seen.json["items"].to_string()),
            "{}: {}",
            endpoint.at.name,
            seen.reply.text()
        );
        if endpoint.at.path.contains('{') {
            assert_eq!(seen.status, StatusCode::NOT_FOUND, "{}: {}", endpoint.at.name, seen.reply.text());
            assert_eq!(seen.code(), "not_found");
        }
        // The same request is answered to the owner, so it was the key that made the difference.
        let own = ask(&owner, &world, &endpoint);
        let known = own.status.is_success() || own.status == StatusCode::CONFLICT;
        assert!(known, "{}: {} {}", endpoint.at.name, own.status, own.reply.text());
    }
    t.run_jobs();
}

fn only_the_document_is_public(t: TestApp) {
    let public: Vec<&str> =
        endpoints().iter().filter(|e| e.at.access == Access::Public).map(|e| e.at.path).collect();
    assert_eq!(public, ["/v1/openapi.json"]);
    assert_eq!(t.get("/v1/openapi.json").status, StatusCode::OK);
}

fn a_revoked_key_is_no_key(t: TestApp) {
    let program = t.program();
    program.get("/v1/me").ok();
    let id = program.id;
    t.write(move |cx| app::api_keys::flow::revoke(cx, id)).expect("a key is revoked");
    let answer = program.get("/v1/me");
    assert_eq!((answer.status, answer.code()), (StatusCode::UNAUTHORIZED, "unauthorized"));
}

fn a_key_must_be_a_bearer_token(t: TestApp) {
    let program = t.program();
    let tries = [
        format!("Basic {}", program.key),
        program.key.clone(),
        format!("Bearer {}x", program.key),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
    ];
    let statuses = tries.map(|value| {
        let request = Request::get("/v1/me").header(header::AUTHORIZATION, value);
        t.request(request.body(Body::empty()).expect("a request")).status
    });
    assert_eq!(statuses, [StatusCode::UNAUTHORIZED; 5]);
    let request = Request::get("/v1/me").header(header::AUTHORIZATION, format!("bearer {}", program.key));
    assert_eq!(t.request(request.body(Body::empty()).expect("a request")).status, StatusCode::OK);
}

fn guessing_keys_is_slowed_down_and_good_keys_still_work(t: TestApp) {
    let tries: Vec<StatusCode> = (0..40).map(|_| t.get("/v1/me").status).collect();
    assert_eq!(tries[0], StatusCode::UNAUTHORIZED);
    assert_eq!(tries[39], StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(t.program().get("/v1/me").status, StatusCode::OK);
}

fn a_key_that_asks_too_often_has_to_wait(t: TestApp) {
    let (greedy, modest) = (t.program(), t.program());
    let last = (0..700).map(|_| greedy.get("/v1/me")).find(|answer| !answer.status.is_success());
    let last = last.expect("there is a limit");
    assert_eq!((last.status, last.code()), (StatusCode::TOO_MANY_REQUESTS, "rate_limited"));
    assert_eq!(last.reply.header("retry-after"), "1");
    assert_eq!(modest.get("/v1/me").status, StatusCode::OK);
    t.advance(kernel::Span::seconds(1));
    assert_eq!(greedy.bare(Method::GET, "/v1/me").status, StatusCode::OK);
}
