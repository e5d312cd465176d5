//! People: invited, given other roles, removed; what they are signed in with; and always an owner.

use app::staff::{self, Role, Staff};
use axum::body::Body;
use http::{Request, StatusCode, header};
use kernel::{MerchantId, StaffId};

use super::PASSWORD;
use crate::buyer::{hidden, path_of};
use crate::support::http::Visitor;
use crate::support::{Reply, TestApp};

testkit::both_engines! {
    somebody_is_invited_by_mail_and_comes_in,
    what_is_wrong_with_an_invitation_is_told_beside_the_field,
    an_invitation_is_sent_again_and_the_first_is_over,
    a_role_is_changed_and_the_rights_with_it,
    somebody_is_removed_after_a_question_and_let_in_again,
    nobody_removes_or_demotes_themselves,
    two_owners_who_remove_each_other_at_once_leave_one,
    the_last_owner_who_can_sign_in_is_not_removed,
    sessions_are_listed_and_ended_one_by_one,
    what_was_done_to_ones_own_account_is_said,
}

fn know(t: &TestApp, id: StaffId) -> Staff {
    let merchant: MerchantId = t.shop.merchant.id;
    t.read(move |snapshot| Ok(staff::store::by_id(snapshot, merchant, id)?)).expect("a person")
}

fn invite(owner: &Visitor<'_>, email: &str, role: &str) -> Reply {
    owner.get("/admin/staff");
    owner.post("/admin/staff", &[("email", email), ("name", "Ada"), ("role", role)])
}

/// The path of the newest link that was mailed to somebody.
fn mailed_link(t: &TestApp, address: &str) -> String {
    let mail = t.mails_to(address).pop().expect("a mail").text;
    let url = mail.split_whitespace().find(|word| word.contains("/admin/welcome/"));
    path_of(url.unwrap_or_else(|| panic!("no link in\n{mail}")))
}

fn somebody_is_invited_by_mail_and_comes_in(t: TestApp) {
    let (person, owner) = t.owner();

    let invited = invite(&owner, "ada@shop.example", "support");
    t.run_jobs();
    let link = mailed_link(&t, "ada@shop.example");
    let mail = t.mails_to("ada@shop.example").remove(0).text;
    t.advance(kernel::Span::hours(23));
    let (_, owner) = (owner, t.signed_in(&person));
    let ada = t.visitor();
    ada.get(&link);
    ada.post(&link, &[]);
    ada.get("/admin/password");
    let chosen = ada.post("/admin/password", &[("password", PASSWORD), ("again", PASSWORD)]);

    assert!(mail.contains("owner@staff.example") && mail.contains("24 hours"), "{mail}");
    assert!(invited.text().contains(&link), "the owner sees the link once: {}", invited.text());
    assert_eq!(chosen.status, StatusCode::SEE_OTHER);
    assert_eq!(ada.get("/admin/orders").status, StatusCode::OK);
    assert_eq!(ada.get("/admin/staff").status, StatusCode::FORBIDDEN);
    assert!(!owner.get("/admin/staff").text().contains(&link));
    assert!(owner.get("/admin/staff").text().contains("ada@shop.example"));
}

fn what_is_wrong_with_an_invitation_is_told_beside_the_field(t: TestApp) {
    let (_, owner) = t.owner();
    t.person("ada@shop.example", Role::Support);

    let odd = invite(&owner, "nobody", "support");
    let taken = invite(&owner, "Ada@shop.example", "owner");

    assert_eq!((odd.status.as_u16(), taken.status.as_u16()), (422, 422));
    assert!(odd.text().contains("value=\"nobody\"") && odd.text().contains("email-error"), "{}", odd.text());
    assert!(taken.text().contains("is in use by somebody here already"), "{}", taken.text());
    assert_eq!(t.count("SELECT count(*) AS n FROM staff"), 2);
    t.run_jobs();
}

fn an_invitation_is_sent_again_and_the_first_is_over(t: TestApp) {
    let (_, owner) = t.owner();
    invite(&owner, "ada@shop.example", "support");
    t.run_jobs();
    let first = mailed_link(&t, "ada@shop.example");
    let again =
        crate::buyer::attribute(&owner.get("/admin/staff").text(), "/invite", "action").expect("a button");

    owner.post(&again, &[]);
    t.run_jobs();
    let second = mailed_link(&t, "ada@shop.example");

    assert_eq!(t.visitor().get(&first).status, StatusCode::GONE);
    assert_eq!(t.visitor().get(&second).status, StatusCode::OK);
}

fn a_role_is_changed_and_the_rights_with_it(t: TestApp) {
    let (_, owner) = t.owner();
    let ada = t.person("ada@shop.example", Role::ReadOnly);

    let changed = owner.post(&format!("/admin/staff/{}/role", ada.id), &[("role", "support")]);
    let odd = owner.post(&format!("/admin/staff/{}/role", ada.id), &[("role", "emperor")]);

    assert_eq!(owner.told(&changed), "Saved.");
    assert!(odd.status.is_client_error(), "{}", odd.status);
    assert_eq!(know(&t, ada.id).role, Role::Support);
    assert!(t.acts_on(&ada).contains(&"staff.role_changed".to_owned()));
    t.run_jobs();
}

fn somebody_is_removed_after_a_question_and_let_in_again(t: TestApp) {
    let (_, owner) = t.owner();
    let ada = t.person("ada@shop.example", Role::Support);
    let browser = t.signed_in(&ada);
    let path = format!("/admin/staff/{}/disable", ada.id);

    let removed = owner.act(&path, &[]);
    let told = owner.told(&removed);
    owner.post(&path, &[]);

    assert_eq!(told, "Switched off.");
    assert_eq!(browser.get("/admin/orders").status, StatusCode::SEE_OTHER);
    let page = owner.get("/admin/staff").text();
    assert!(page.contains(&format!("/admin/staff/{}/enable", ada.id)), "{page}");
    owner.post(&format!("/admin/staff/{}/enable", ada.id), &[]);
    assert!(know(&t, ada.id).disabled_at.is_none());
    assert_eq!(browser.get("/admin/orders").status, StatusCode::SEE_OTHER, "old sessions stay dead");
    t.run_jobs();
}

fn nobody_removes_or_demotes_themselves(t: TestApp) {
    let (person, owner) = t.owner();
    t.person("second@shop.example", Role::Owner);

    let removed = owner.post(&format!("/admin/staff/{}/disable", person.id), &[]);
    let demoted = owner.post(&format!("/admin/staff/{}/role", person.id), &[("role", "support")]);

    assert_eq!((removed.status, demoted.status), (StatusCode::CONFLICT, StatusCode::CONFLICT));
    assert_eq!(know(&t, person.id).role, Role::Owner);
    let page = owner.get("/admin/staff").text();
    assert!(!page.contains(&format!("/admin/staff/{}/disable", person.id)), "{page}");
    t.run_jobs();
}

fn removal(visitor: &Visitor<'_>, of: &Staff) -> Request<Body> {
    let token = hidden(&visitor.get("/admin/account"), "_csrf");
    let cookie = |name: &str| format!("{name}={}", visitor.cookie(name).unwrap_or_default());
    Request::post(format!("/admin/staff/{}/disable", of.id))
        .header(header::COOKIE, format!("{}; {}", cookie("staff"), cookie("visitor")))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(format!("_csrf={token}")))
        .expect("a request")
}

fn two_owners_who_remove_each_other_at_once_leave_one(t: TestApp) {
    let [one, other] =
        ["one@shop.example", "other@shop.example"].map(|address| t.person(address, Role::Owner));
    let (first, second) = (t.signed_in(&one), t.signed_in(&other));

    t.requests_at_once(vec![removal(&first, &other), removal(&second, &one)]);

    let left = [one.id, other.id].map(|id| know(&t, id)).into_iter();
    assert_eq!(left.filter(|person| person.disabled_at.is_none()).count(), 1);
    t.run_jobs();
}

fn the_last_owner_who_can_sign_in_is_not_removed(t: TestApp) {
    let (person, owner) = t.owner();
    // Somebody who was invited as an owner and has not come yet is none who could help.
    invite(&owner, "later@shop.example", "owner");
    let shell = StaffId::from_bits(1);
    let id = person.id;

    let removed = t.write(move |cx| staff::flow::disable(cx, shell, id));
    let demoted = t.write(move |cx| staff::flow::set_role(cx, shell, id, Role::ReadOnly));

    assert!(removed.is_err() && demoted.is_err());
    assert_eq!(owner.get("/admin/staff").status, StatusCode::OK);
    t.run_jobs();
}

fn sessions_are_listed_and_ended_one_by_one(t: TestApp) {
    let (person, here) = t.owner();
    let there = t.signed_in(&person);
    assert_eq!(there.get("/admin/account").status, StatusCode::OK);

    let list = here.get("/admin/sessions");
    let id = hidden(&list, "session");
    let ended = here.post("/admin/sessions/revoke", &[("session", &id)]);

    assert!(list.text().contains("192.0.2.7") && list.text().matches("<tr>").count() >= 2, "{}", list.text());
    assert_eq!(here.told(&ended), "Signed out there.");
    assert_eq!(there.get("/admin/account").status, StatusCode::SEE_OTHER);
    assert_eq!(here.get("/admin/account").status, StatusCode::OK);
    assert!(!here.get("/admin/sessions").text().contains("revoke-others"));
    t.signed_in(&person);
    here.get("/admin/sessions");
    let others = here.post("/admin/sessions/revoke-others", &[]);
    assert_eq!(here.told(&others), "Every other browser is signed out.");
    t.run_jobs();
}

fn what_was_done_to_ones_own_account_is_said(t: TestApp) {
    let (_, owner) = t.owner();
    let new = "a new horse every day";

    let named = owner.post("/admin/account", &[("name", "Grace")]);
    let named = owner.told(&named);
    let fields = [("current", PASSWORD), ("password", new), ("again", new)];
    let changed = owner.post("/admin/account/password", &fields);

    assert_eq!(named, "Saved.");
    assert_eq!(owner.told(&changed), "The password is changed. Every other browser is signed out.");
    t.run_jobs();
}
