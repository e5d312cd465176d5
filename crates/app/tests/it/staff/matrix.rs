//! Every route of the back office, over its own table: who passes, and who finds nothing.
//!
//! A route that is added is tested here by being in the table. One that takes something of a
//! new kind in its path fails until [`World`] knows one.

use app::jobs::Work;
use app::sessions::{self, Holder, Origin};
use app::staff::{Right, Role};
use app::web::desk::{Access, Rule};
use axum::body::Body;
use db::sql;
use http::{Method, Request, StatusCode, header};
use paysim::ipn::Body as Ipn;

use crate::buyer::hidden;
use crate::support::artwork::CARD;
use crate::support::goods::eur;
use crate::support::http::Visitor;
use crate::support::{NewGood, Reply, Shop, TestApp};

testkit::both_engines! {
    only_the_steps_of_signing_in_are_open_to_anybody,
    no_act_asks_for_no_more_than_a_right_to_look,
    nobody_passes_who_is_not_signed_in,
    an_owner_passes_everywhere,
    support_passes_where_its_rights_lead,
    who_only_reads_passes_where_their_rights_lead,
    a_session_of_another_merchant_is_none_here,
    another_merchants_owner_finds_nothing,
    what_another_site_sends_is_refused,
}

const STALE: &str = "this form is out of date";
const DENIED: &str = "Not with your role";
const BOUNDARY: &str = "a-boundary";

fn rules(t: &TestApp) -> Vec<Rule> {
    app::web::desk(t.app.clone()).done().1
}

fn guarded(t: &TestApp) -> Vec<Rule> {
    rules(t).into_iter().filter(|rule| rule.access != Access::Open).collect()
}

/// One of everything, at the first merchant's, by the names that paths have for it.
struct World {
    ids: Vec<(&'static str, String)>,
}

impl World {
    fn of(t: &TestApp) -> Self {
        let product = t.product(NewGood::of("FONT").with_artwork(t, CARD, |_| {}));
        let order = t.order_filled(&product, &[("name", "Ada")]);
        let sale = t.pay(&order);
        t.deliver_and_run(&Ipn::refunded(&sale, &t.movement("part", eur(1_00))));
        let customer = t.look(&order).customer.expect("an account");
        t.write(move |cx| {
            let origin =
                Origin { address: "192.0.2.9".to_owned(), user_agent: "test".to_owned(), replaces: None };
            Ok(sessions::flow::open(cx, Holder::Customer(customer), &origin)?)
        })
        .expect("the buyer is signed in somewhere");
        let message = t.messages(&order)[0].id;
        let merchant = t.shop.merchant.id;
        let work = Work::SendMessage { merchant, message };
        let job: String = t
            .write(move |cx| {
                app::jobs::flow::enqueue(cx, &work)?;
                sql("UPDATE jobs SET state = 'dead', last_error = 'no' WHERE state = 'ready'")
                    .execute(cx.tx)?;
                Ok(sql("SELECT id FROM jobs WHERE state = 'dead'").one(cx.tx, |row| row.get("id"))?)
            })
            .expect("work is given up");
        t.leaves_jobs();
        let [file, price, line] = ["product_files", "prices", "order_lines"].map(|table| {
            t.read(move |snapshot| {
                let first = sql(format!("SELECT id FROM {table} ORDER BY id LIMIT 1"));
                Ok(first.one(snapshot, |row| row.get::<String>("id"))?)
            })
        });
        let event = t.ticket_event(10).id;
        let product_id = product.id;
        let entry = t
            .write(move |cx| {
                app::access::flow::import(cx, product_id, app::access::list::Form::Lines, b"entry")?;
                Ok(app::access::desk_store::page(cx.tx, (cx.merchant, product_id), None, 1)?.remove(0).id)
            })
            .expect("an entry is imported");
        let plugin = t.write(|cx| app::plugins::flow::add(cx, "default", "https://example.com/hook"));
        let plugin = plugin.expect("a plug-in").0.id;
        let upload = t.begin_upload(&product, "extra.bin", None);
        let ids = [
            ("event", event.to_string()),
            ("entry", entry.to_string()),
            ("upload", upload.to_string()),
            ("offset", "7340033".to_owned()),
            ("product", product.id.to_string()),
            ("file", file),
            ("price", price),
            ("order", order.id.to_string()),
            ("line", line),
            ("customer", customer.to_string()),
            ("invoice", t.invoices(&order)[0].id.to_string()),
            ("message", message.to_string()),
            ("notice", t.last_notice().id.to_string()),
            ("review", t.reviews(&order)[0].id.to_string()),
            ("connection", t.shop.connection.id.to_string()),
            ("key", t.program().id.to_string()),
            ("staff", t.person("colleague@staff.example", Role::Support).id.to_string()),
            ("job", job),
            ("plugin", plugin.to_string()),
        ];
        Self { ids: ids.to_vec() }
    }

    /// The rule's path with what exists.
    fn path(&self, rule: &Rule) -> String {
        let act = if rule.path.contains("{line}") { "revoke" } else { "resend" };
        let part = |part: &str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            None => part.to_owned(),
            Some("act") => act.to_owned(),
            Some("currency") => "EUR".to_owned(),
            Some(name) => {
                let known = self.ids.iter().find(|(known, _)| *known == name);
                known.unwrap_or_else(|| panic!("{}: the world has no {name}", rule.path)).1.clone()
            }
        };
        rule.path.split('/').map(part).collect::<Vec<_>>().join("/")
    }

    #[track_caller]
    fn is_not_in(&self, reply: &Reply, path: &str) {
        let text = reply.text();
        let told: Vec<_> = self.ids.iter().filter(|(_, id)| text.contains(id.as_str())).collect();
        assert!(told.is_empty(), "{path} tells of {told:?}");
    }
}

fn request(visitor: &Visitor<'_>, method: &Method, path: &str) -> http::request::Builder {
    let cookies = ["staff", "staff-other", "visitor"]
        .map(|name| format!("{name}={}", visitor.cookie(name).unwrap_or_default()))
        .join("; ");
    Request::builder().method(method.clone()).uri(path).header(header::COOKIE, cookies)
}

/// The route's answer to a form, in both forms that forms have: one of them is the route's.
fn posted(t: &TestApp, visitor: &Visitor<'_>, path: &str, fields: &[(&str, &str)]) -> [Reply; 2] {
    let plain = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let part = |(name, value): &(&str, &str)| {
        format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let parts = fields.iter().map(part).collect::<String>() + &format!("--{BOUNDARY}--\r\n");
    let bodies = [
        ("application/x-www-form-urlencoded".to_owned(), plain),
        (format!("multipart/form-data; boundary={BOUNDARY}"), parts),
    ];
    bodies.map(|(kind, body)| {
        let request = request(visitor, &Method::POST, path).header(header::CONTENT_TYPE, kind);
        t.request(request.body(Body::from(body)).expect("a request"))
    })
}

fn got(t: &TestApp, visitor: &Visitor<'_>, path: &str) -> Reply {
    t.request(request(visitor, &Method::GET, path).body(Body::empty()).expect("a request"))
}

fn only_the_steps_of_signing_in_are_open_to_anybody(t: TestApp) {
    let open = rules(&t).into_iter().filter(|rule| rule.access == Access::Open);
    let open: Vec<String> = open.map(|rule| format!("{} {}", rule.method, rule.path)).collect();

    assert_eq!(
        open,
        [
            "GET /admin/sign-in",
            "POST /admin/sign-in",
            "GET /admin/sign-in/code",
            "POST /admin/sign-in/code",
            "GET /admin/welcome/{token}",
            "POST /admin/welcome/{token}",
            "GET /admin/password",
            "POST /admin/password",
        ]
    );
}

fn no_act_asks_for_no_more_than_a_right_to_look(t: TestApp) {
    let looks = [Right::Read, Right::Raw, Right::Export].map(Access::Needs);
    let weak: Vec<Rule> = rules(&t)
        .into_iter()
        .filter(|rule| rule.method != Method::GET && looks.contains(&rule.access))
        .collect();
    assert!(weak.is_empty(), "{weak:#?}");
}

fn nobody_passes_who_is_not_signed_in(t: TestApp) {
    let world = World::of(&t);
    let before = t.business_state();
    let nobody = t.visitor();
    for rule in guarded(&t) {
        closed(&t, &world, &nobody, &rule);
    }
    assert_eq!(t.business_state(), before);
}

/// The route sends this visitor to the sign-in page, and does nothing.
#[track_caller]
fn closed(t: &TestApp, world: &World, visitor: &Visitor<'_>, rule: &Rule) {
    let path = world.path(rule);
    let answers = if rule.method == Method::GET {
        vec![got(t, visitor, &path)]
    } else {
        posted(t, visitor, &path, &[]).to_vec()
    };
    for answer in answers {
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{} {path}: {}", rule.method, answer.text());
        assert!(answer.location().starts_with("/admin/sign-in"), "{path}: {}", answer.location());
        world.is_not_in(&answer, &path);
    }
}

fn an_owner_passes_everywhere(t: TestApp) {
    passes_by_right(&t, Role::Owner);
}

fn support_passes_where_its_rights_lead(t: TestApp) {
    passes_by_right(&t, Role::Support);
}

fn who_only_reads_passes_where_their_rights_lead(t: TestApp) {
    passes_by_right(&t, Role::ReadOnly);
}

/// Pages are shown to those with the right and to nobody else. Forms get as far as their token,
/// which is missing here: so a right is never enough for an act, and nothing is changed.
fn passes_by_right(t: &TestApp, role: Role) {
    let world = World::of(t);
    let (_, person) = t.signed_in_as(&t.shop, role);
    let before = t.business_state();
    for rule in guarded(t) {
        let Access::Needs(right) = rule.access else { continue };
        let path = world.path(&rule);
        match (rule.method == Method::GET, role.may(right)) {
            (true, true) => shown(&got(t, &person, &path), &path),
            (true, false) => denied(&got(t, &person, &path), &path),
            (false, true) => stale(&posted(t, &person, &path, &[("_csrf", "0")]), &path),
            (false, false) => {
                posted(t, &person, &path, &[]).iter().for_each(|answer| denied(answer, &path));
            }
        }
    }
    assert_eq!(t.business_state(), before);
}

#[track_caller]
fn shown(answer: &Reply, path: &str) {
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
}

#[track_caller]
fn denied(answer: &Reply, path: &str) {
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}: {}", answer.text());
    assert!(answer.text().contains(DENIED), "{path}: {}", answer.text());
}

#[track_caller]
fn stale(answers: &[Reply; 2], path: &str) {
    let refused = |answer: &&Reply| answer.status == StatusCode::FORBIDDEN && answer.text().contains(STALE);
    let texts =
        || answers.iter().map(|answer| format!("{} {}", answer.status, answer.text())).collect::<Vec<_>>();
    assert!(answers.iter().any(|answer| refused(&answer)), "{path}: {:#?}", texts());
    assert!(answers.iter().all(|answer| answer.status.is_client_error()), "{path}: {:#?}", texts());
}

/// An owner of another merchant, in their own rooms under `/m/other`.
fn stranger<'t>(t: &'t TestApp, other: &Shop) -> Visitor<'t> {
    let (_, visitor) = t.signed_in_as(other, Role::Owner);
    visitor.set_cookie("staff-other", &visitor.cookie("staff").expect("a session"));
    visitor
}

fn a_session_of_another_merchant_is_none_here(t: TestApp) {
    let world = World::of(&t);
    let other = t.later_shop();
    let stranger = stranger(&t, &other);
    let before = t.business_state();
    for rule in guarded(&t) {
        closed(&t, &world, &stranger, &rule);
    }
    assert_eq!(t.business_state(), before);
}

fn another_merchants_owner_finds_nothing(t: TestApp) {
    let world = World::of(&t);
    let other = t.later_shop();
    let stranger = stranger(&t, &other);
    let account = got(&t, &stranger, "/m/other/admin/account");
    assert_eq!(account.status, StatusCode::OK, "{}", account.text());
    let token = hidden(&account, "_csrf");
    let before = t.business_state();
    for rule in guarded(&t) {
        let path = format!("/m/other{}", world.path(&rule));
        match (rule.method == Method::GET, rule.path.contains('{')) {
            (true, true) => {
                let answer = got(&t, &stranger, &path);
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {}", answer.text());
            }
            (true, false) => {
                let answer = got(&t, &stranger, &path);
                assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
                world.is_not_in(&answer, &path);
            }
            (false, true) => not_found(&posted(&t, &stranger, &path, &filled(&token)), &path),
            // An act on nothing in particular is one on what is the stranger's own.
            (false, false) => {}
        }
    }
    assert_eq!(t.business_state(), before);
}

/// What every form of the back office could ask for.
fn filled(token: &str) -> [(&str, &str); 17] {
    [
        ("_csrf", token),
        ("role", "read_only"),
        ("days", "7"),
        ("reason", "a test"),
        ("resolution", "a test"),
        ("name", "A name"),
        ("receiver", "thief@example.com"),
        ("sku", "TAKEN"),
        ("version", "1"),
        ("line", "lin_00000000000000000000000001"),
        ("unit", "1"),
        ("part", "payload"),
        ("subject", ""),
        ("spec", "/goods/a.zip"),
        ("url", "https://example.com/other"),
        ("order", "ord_00000000000000000000000001"),
        ("archive", "none"),
    ]
}

#[track_caller]
fn not_found(answers: &[Reply; 2], path: &str) {
    let texts =
        || answers.iter().map(|answer| format!("{} {}", answer.status, answer.text())).collect::<Vec<_>>();
    assert!(answers.iter().any(|answer| answer.status == StatusCode::NOT_FOUND), "{path}: {:#?}", texts());
    assert!(answers.iter().all(|answer| answer.status.is_client_error()), "{path}: {:#?}", texts());
}

fn what_another_site_sends_is_refused(t: TestApp) {
    let world = World::of(&t);
    let (_, owner) = t.owner();
    let token = hidden(&owner.get("/admin/account"), "_csrf");
    let before = t.business_state();
    for rule in guarded(&t).into_iter().filter(|rule| rule.method == Method::POST) {
        let path = world.path(&rule);
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(filled(&token)).finish();
        let request = request(&owner, &Method::POST, &path)
            .header("sec-fetch-site", "cross-site")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = t.request(request.body(Body::from(form)).expect("a request"));
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}: {}", answer.text());
    }
    assert_eq!(t.business_state(), before);
}
