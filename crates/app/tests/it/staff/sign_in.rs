//! Signing in: by password, by code, by link; and what ends it.

use app::sessions::{self, Holder, LINK_LIFE, STAFF_IDLE};
use app::staff::{self, Role, totp};
use http::StatusCode;
use kernel::{Secret, Span};

use super::PASSWORD;
use crate::support::http::Visitor;
use crate::support::{Reply, TestApp};

testkit::both_engines! {
    the_right_password_opens_the_back_office,
    a_wrong_password_and_an_unknown_address_look_the_same,
    a_sign_in_makes_a_new_session_whatever_cookie_was_planted,
    the_session_that_a_sign_in_replaces_is_over,
    a_form_that_was_seen_before_the_sign_in_is_worth_nothing_after_it,
    guessing_one_account_is_stopped_and_others_are_not,
    guessing_from_one_network_is_stopped,
    a_session_is_over_after_signing_out,
    a_session_that_rests_too_long_is_over,
    a_new_password_ends_every_session,
    disabling_somebody_ends_their_sessions_at_once,
    a_new_role_ends_the_sessions_of_the_old_one,
    after_the_sign_in_one_lands_only_on_our_own_pages,
    cookies_of_the_back_office_are_not_for_scripts_and_other_sites,
    the_first_owner_comes_by_a_link_and_sets_a_password,
    looking_at_a_link_does_not_spend_it_and_one_use_does,
    fifty_uses_of_one_link_at_once_let_one_in,
    a_link_is_over_after_fifteen_minutes,
    no_owner_link_is_made_where_an_owner_can_sign_in,
    a_password_that_everybody_tries_is_refused,
    the_second_step_is_asked_for_and_a_code_works_once,
    codes_cannot_be_guessed_even_with_the_right_one_at_last,
    half_a_sign_in_opens_nothing_and_cannot_be_carried_elsewhere,
    turning_the_second_step_on_wants_a_sign_in_of_a_moment_ago,
    turning_the_second_step_off_wants_the_password,
    one_signs_out_other_browsers_but_not_other_people,
}

fn try_password(visitor: &Visitor<'_>, address: &str, password: &str) -> Reply {
    visitor.get("/admin/sign-in");
    visitor.post("/admin/sign-in", &[("email", address), ("password", password), ("next", "/admin/account")])
}

fn the_right_password_opens_the_back_office(t: TestApp) {
    t.person("grace@shop.example", Role::Owner);
    let grace = t.visitor();

    let reply = try_password(&grace, "Grace@Shop.example ", PASSWORD);

    assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, "/admin/account"));
    assert_eq!(grace.get("/admin/account").status, StatusCode::OK);
    t.run_jobs();
}

fn a_wrong_password_and_an_unknown_address_look_the_same(t: TestApp) {
    t.person("grace@shop.example", Role::Owner);

    let wrong = try_password(&t.visitor(), "grace@shop.example", "not the password");
    let unknown = try_password(&t.visitor(), "nobody@shop.example", "not the password");

    assert_eq!((wrong.status, unknown.status), (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED));
    let plain = |reply: &Reply| {
        let text = reply.text().replace("grace@", "somebody@").replace("nobody@", "somebody@");
        let (before, rest) = text.split_once("name=\"_csrf\"").expect("a form");
        format!("{before}{}", rest.split_once('>').expect("the end of the field").1)
    };
    assert_eq!(plain(&wrong), plain(&unknown));
    assert_eq!(t.count("SELECT count(*) AS n FROM events WHERE kind = 'staff.sign_in_failed'"), 2);
    t.run_jobs();
}

fn a_sign_in_makes_a_new_session_whatever_cookie_was_planted(t: TestApp) {
    t.person("grace@shop.example", Role::Owner);
    let planted = sessions::Token::of([9; 16]);
    let grace = t.visitor();
    grace.set_cookie("staff", planted.expose());

    try_password(&grace, "grace@shop.example", PASSWORD);

    let attacker = t.visitor();
    attacker.set_cookie("staff", planted.expose());
    assert_eq!(attacker.get("/admin/account").status, StatusCode::SEE_OTHER);
    assert_ne!(grace.cookie("staff").as_deref(), Some(planted.expose()));
    t.run_jobs();
}

fn the_session_that_a_sign_in_replaces_is_over(t: TestApp) {
    let person = t.person("grace@shop.example", Role::Owner);
    let grace = t.signed_in(&person);
    let before = grace.cookie("staff").expect("a cookie");

    try_password(&grace, "grace@shop.example", PASSWORD);

    let thief = t.visitor();
    thief.set_cookie("staff", &before);
    assert_eq!(thief.get("/admin/account").status, StatusCode::SEE_OTHER);
    t.run_jobs();
}

fn a_form_that_was_seen_before_the_sign_in_is_worth_nothing_after_it(t: TestApp) {
    let person = t.person("grace@shop.example", Role::Owner);
    let grace = t.visitor();
    grace.get("/admin/sign-in");
    let session = t.signed_in(&person).cookie("staff").expect("a session");
    grace.set_cookie("staff", &session);

    let reply = grace.post("/admin/account", &[("name", "Mallory")]);

    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    t.run_jobs();
}

fn guessing_one_account_is_stopped_and_others_are_not(t: TestApp) {
    t.person("grace@shop.example", Role::Owner);
    t.person("ada@shop.example", Role::Support);
    let visitor = t.visitor();
    let tries: Vec<StatusCode> =
        (0..6).map(|_| try_password(&visitor, "grace@shop.example", "not the password").status).collect();

    assert_eq!(tries[4..], [StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS]);
    let right = try_password(&visitor, "grace@shop.example", PASSWORD);
    assert_eq!(right.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(!right.header("retry-after").is_empty());
    assert_eq!(try_password(&visitor, "ada@shop.example", PASSWORD).status, StatusCode::SEE_OTHER);
    t.advance(Span::minutes(15));
    assert_eq!(try_password(&visitor, "grace@shop.example", PASSWORD).status, StatusCode::SEE_OTHER);
    t.run_jobs();
}

fn guessing_from_one_network_is_stopped(t: TestApp) {
    let visitor = t.visitor();
    let mut tries = (0..31).map(|n| try_password(&visitor, &format!("p{n}@shop.example"), "x").status);

    assert!(tries.by_ref().take(30).all(|status| status == StatusCode::UNAUTHORIZED));
    assert_eq!(tries.next(), Some(StatusCode::TOO_MANY_REQUESTS));
}

fn a_session_is_over_after_signing_out(t: TestApp) {
    let (person, grace) = t.owner();
    let cookie = grace.cookie("staff").expect("a cookie");

    let reply = grace.post("/admin/sign-out", &[]);

    assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, "/admin/sign-in"));
    let thief = t.visitor();
    thief.set_cookie("staff", &cookie);
    assert_eq!(thief.get("/admin/account").status, StatusCode::SEE_OTHER);
    assert!(t.acts_on(&person).contains(&"staff.signed_out".to_owned()));
    t.run_jobs();
}

fn a_session_that_rests_too_long_is_over(t: TestApp) {
    let (_, grace) = t.owner();
    t.advance(Span::minutes(119));
    assert_eq!(grace.get("/admin/account").status, StatusCode::OK);
    t.advance(Span::minutes(119));
    assert_eq!(grace.get("/admin/account").status, StatusCode::OK);
    t.advance(STAFF_IDLE);
    let reply = grace.get("/admin/account");
    assert_eq!(reply.location(), "/admin/sign-in?next=%2Fadmin%2Faccount");
    t.run_jobs();
}

fn a_new_password_ends_every_session(t: TestApp) {
    let (person, grace) = t.owner();
    let other = t.signed_in(&person);
    let before = grace.cookie("staff").expect("a cookie");
    let new = "a new horse every day";

    let fields = [("current", PASSWORD), ("password", new), ("again", new)];
    let reply = grace.post("/admin/account/password", &fields);

    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    assert_eq!(grace.get("/admin/account").status, StatusCode::OK);
    assert_ne!(grace.cookie("staff"), Some(before.clone()));
    other.set_cookie("staff", &before);
    assert_eq!(other.get("/admin/account").status, StatusCode::SEE_OTHER);
    assert_eq!(try_password(&t.visitor(), person.email.as_str(), PASSWORD).status, StatusCode::UNAUTHORIZED);
    assert_eq!(try_password(&t.visitor(), person.email.as_str(), new).status, StatusCode::SEE_OTHER);
    t.run_jobs();
}

fn disabling_somebody_ends_their_sessions_at_once(t: TestApp) {
    let (_, grace) = t.owner();
    let ada = t.person("ada@shop.example", Role::Support);
    let browser = t.signed_in(&ada);
    assert_eq!(browser.get("/admin/account").status, StatusCode::OK);

    let reply = grace.post(&format!("/admin/staff/{}/disable", ada.id), &[]);

    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.get("/admin/account").status, StatusCode::SEE_OTHER);
    assert_eq!(try_password(&t.visitor(), "ada@shop.example", PASSWORD).status, StatusCode::UNAUTHORIZED);
    t.run_jobs();
}

fn a_new_role_ends_the_sessions_of_the_old_one(t: TestApp) {
    let (_, grace) = t.owner();
    let ada = t.person("ada@shop.example", Role::Owner);
    let browser = t.signed_in(&ada);

    grace.post(&format!("/admin/staff/{}/role", ada.id), &[("role", "read_only")]);

    assert_eq!(browser.get("/admin/staff").status, StatusCode::SEE_OTHER);
    assert_eq!(t.signed_in(&ada).get("/admin/staff").status, StatusCode::FORBIDDEN);
    t.run_jobs();
}

fn after_the_sign_in_one_lands_only_on_our_own_pages(t: TestApp) {
    t.person("grace@shop.example", Role::Owner);
    let land = |next: &str| {
        let visitor = t.visitor();
        visitor.get("/admin/sign-in");
        let fields = [("email", "grace@shop.example"), ("password", PASSWORD), ("next", next)];
        visitor.post("/admin/sign-in", &fields).location().to_owned()
    };

    assert_eq!(land("//evil.example/admin"), "/admin");
    assert_eq!(land("https://evil.example/admin"), "/admin");
    assert_eq!(land("/\\evil.example"), "/admin");
    assert_eq!(land("/portal"), "/admin");
    assert_eq!(land("/admin/orders?status=paid"), "/admin/orders?status=paid");
    t.run_jobs();
}

fn cookies_of_the_back_office_are_not_for_scripts_and_other_sites(t: TestApp) {
    t.person("grace@shop.example", Role::Owner);
    let reply = try_password(&t.visitor(), "grace@shop.example", PASSWORD);
    let set = |name: &str| {
        let lines = reply.headers.get_all("set-cookie").iter().filter_map(|line| line.to_str().ok());
        lines.into_iter().find(|line| line.starts_with(name)).map(str::to_owned).expect("a cookie")
    };

    let cookie = set("staff=");
    assert!(
        cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Lax") && cookie.contains("; Path=/")
    );
    assert_eq!(reply.header("x-frame-options"), "DENY");
    assert!(reply.header("content-security-policy").contains("frame-ancestors 'none'"));
    assert_eq!(reply.header("cache-control"), "no-store");
    t.run_jobs();
}

fn owner_link(t: &TestApp) -> String {
    let made = t.write(staff::flow::owner_link).expect("a link").expect("nobody can sign in yet");
    format!("/admin/welcome/{}", made.token.expose())
}

fn the_first_owner_comes_by_a_link_and_sets_a_password(t: TestApp) {
    let link = owner_link(&t);
    let owner = t.visitor();

    assert!(owner.get(&link).text().contains("seller@example.com"));
    assert_eq!(owner.post(&link, &[]).location(), "/admin/password");
    assert_eq!(owner.get("/admin/password").status, StatusCode::OK);
    let typed = [("password", PASSWORD), ("again", PASSWORD)];
    let reply = owner.post("/admin/password", &typed);

    assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, "/admin"));
    assert_eq!(owner.get("/admin/staff").status, StatusCode::OK);
    // The step is over: going back and posting again changes nothing.
    let again = t.visitor();
    again.set_cookie("visitor", &owner.cookie("visitor").expect("a visitor"));
    assert_eq!(again.post("/admin/password", &typed).status, StatusCode::FORBIDDEN);
    t.run_jobs();
}

fn looking_at_a_link_does_not_spend_it_and_one_use_does(t: TestApp) {
    let link = owner_link(&t);
    let scanner = t.visitor();
    (0..3).for_each(|_| assert_eq!(scanner.get(&link).status, StatusCode::OK));

    let owner = t.visitor();
    owner.get(&link);
    assert_eq!(owner.post(&link, &[]).status, StatusCode::SEE_OTHER);

    assert_eq!(scanner.get(&link).status, StatusCode::GONE);
    assert_eq!(scanner.post(&link, &[]).status, StatusCode::GONE);
    assert_eq!(t.visitor().get("/admin/welcome/nothing").status, StatusCode::GONE);
    t.run_jobs();
}

fn fifty_uses_of_one_link_at_once_let_one_in(t: TestApp) {
    let made = t.write(staff::flow::owner_link).expect("a link").expect("nobody can sign in yet");
    let merchant = t.shop.merchant.id;
    let app = t.app.clone();

    let used = t.block_on(async {
        let mut running = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let (app, token) = (app.clone(), made.token.clone());
            running.spawn(async move {
                app.write(merchant, app::cx::Actor::Visitor, move |cx| staff::flow::use_link(cx, &token))
                    .await
            });
        }
        running.join_all().await
    });

    assert_eq!(used.iter().filter(|used| matches!(used, Ok(Some(_)))).count(), 1);
    t.run_jobs();
}

fn a_link_is_over_after_fifteen_minutes(t: TestApp) {
    let link = owner_link(&t);
    let owner = t.visitor();
    owner.get(&link);

    t.advance(LINK_LIFE);

    assert_eq!(owner.post(&link, &[]).status, StatusCode::GONE);
    t.run_jobs();
}

fn no_owner_link_is_made_where_an_owner_can_sign_in(t: TestApp) {
    let first = owner_link(&t);
    let second = owner_link(&t);
    assert_eq!(t.visitor().get(&first).status, StatusCode::GONE);
    assert_eq!(t.visitor().get(&second).status, StatusCode::OK);

    t.person("grace@shop.example", Role::Owner);

    assert!(t.write(staff::flow::owner_link).expect("an answer").is_none());
    t.run_jobs();
}

fn a_password_that_everybody_tries_is_refused(t: TestApp) {
    let link = owner_link(&t);
    let owner = t.visitor();
    owner.get(&link);
    owner.post(&link, &[]);
    owner.get("/admin/password");
    let choose = |password: &str, again: &str| {
        owner.post("/admin/password", &[("password", password), ("again", again)]).status
    };

    assert_eq!(choose("password1234", "password1234"), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(choose("elevenchars", "elevenchars"), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(choose("seller@example.com", "seller@example.com"), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(choose(PASSWORD, "correct horse batterz"), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(choose(PASSWORD, PASSWORD), StatusCode::SEE_OTHER);
    t.run_jobs();
}

/// Turns the second step on and answers its secret.
fn with_second_step(visitor: &Visitor<'_>, t: &TestApp) -> Secret<Vec<u8>> {
    let page = visitor.get("/admin/account/totp").text();
    let person = t.count("SELECT count(*) AS n FROM staff WHERE totp_enabled_at IS NULL");
    assert!(page.contains("<svg") && person == 1);
    let (staff, session) = t.read(|snapshot| {
        let newest = db::sql("SELECT staff_id, id FROM sessions ORDER BY id DESC LIMIT 1");
        Ok(newest.one(snapshot, |row| Ok((row.get("staff_id")?, row.get("id")?)))?)
    });
    let secret = totp::offered(t.app.ring(), staff, session);
    let code = totp::code_at(&secret, totp::step_at(t.now()));
    let reply = visitor.post("/admin/account/totp", &[("code", code.expose())]);
    assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, "/admin/account"));
    secret
}

fn the_second_step_is_asked_for_and_a_code_works_once(t: TestApp) {
    let (person, grace) = t.owner();
    let secret = with_second_step(&grace, &t);
    t.advance(Span::minutes(1));
    let code = totp::code_at(&secret, totp::step_at(t.now())).expose().clone();
    let enter = |code: &str| {
        let visitor = t.visitor();
        let reply = try_password(&visitor, person.email.as_str(), PASSWORD);
        assert_eq!(reply.location(), "/admin/sign-in/code?next=%2Fadmin%2Faccount");
        assert_eq!(visitor.get("/admin/account").status, StatusCode::SEE_OTHER);
        visitor.get("/admin/sign-in/code");
        visitor.post("/admin/sign-in/code", &[("code", code), ("next", "/admin/account")]).status
    };

    assert_eq!(enter("000000"), StatusCode::UNAUTHORIZED);
    assert_eq!(enter(&code), StatusCode::SEE_OTHER);
    assert_eq!(enter(&code), StatusCode::UNAUTHORIZED);
    t.run_jobs();
}

fn codes_cannot_be_guessed_even_with_the_right_one_at_last(t: TestApp) {
    let (person, grace) = t.owner();
    let secret = with_second_step(&grace, &t);
    t.advance(Span::minutes(1));
    let visitor = t.visitor();
    try_password(&visitor, person.email.as_str(), PASSWORD);
    let enter = |code: &str| {
        visitor.get("/admin/sign-in/code");
        visitor.post("/admin/sign-in/code", &[("code", code), ("next", "/admin")])
    };
    let right = totp::code_at(&secret, totp::step_at(t.now())).expose().clone();
    let wrong = if right == "000000" { "000001" } else { "000000" };
    let tries: Vec<StatusCode> = (0..6).map(|_| enter(wrong).status).collect();

    assert_eq!(tries[4..], [StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS]);
    let stopped = enter(&right);
    assert_eq!(stopped.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(!stopped.header("retry-after").is_empty());
    t.run_jobs();
}

fn half_a_sign_in_opens_nothing_and_cannot_be_carried_elsewhere(t: TestApp) {
    let (person, grace) = t.owner();
    let secret = with_second_step(&grace, &t);
    t.advance(Span::minutes(1));
    let victim = t.visitor();
    try_password(&victim, person.email.as_str(), PASSWORD);
    let thief = t.visitor();
    thief.get("/admin/sign-in");
    thief.set_cookie("step", &victim.cookie("step").expect("half a sign-in"));

    let code = totp::code_at(&secret, totp::step_at(t.now()));
    let reply = thief.post("/admin/sign-in/code", &[("code", code.expose())]);

    assert_eq!(reply.location(), "/admin/sign-in");
    victim.get("/admin/sign-in/code");
    t.advance(staff::steps::STEP_LIFE);
    assert_eq!(victim.get("/admin/sign-in/code").location(), "/admin/sign-in");
    t.run_jobs();
}

fn turning_the_second_step_on_wants_a_sign_in_of_a_moment_ago(t: TestApp) {
    let (_, grace) = t.owner();
    t.advance(sessions::FRESH);

    let reply = grace.get("/admin/account/totp");

    assert_eq!(reply.location(), "/admin/sign-in?next=%2Fadmin%2Faccount%2Ftotp");
    grace.get("/admin/account");
    assert_eq!(grace.post("/admin/account/totp", &[("code", "000000")]).location(), reply.location());
    t.run_jobs();
}

fn turning_the_second_step_off_wants_the_password(t: TestApp) {
    let (person, grace) = t.owner();
    with_second_step(&grace, &t);
    let off = |password: &str| {
        grace.get("/admin/account/totp/off");
        grace.post("/admin/account/totp/off", &[("password", password)]).status
    };

    assert_eq!(off("not the password"), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(off(PASSWORD), StatusCode::SEE_OTHER);
    assert!(t.acts_on(&person).contains(&"staff.totp_disabled".to_owned()));
    t.run_jobs();
}

fn one_signs_out_other_browsers_but_not_other_people(t: TestApp) {
    let (person, grace) = t.owner();
    let other = t.signed_in(&person);
    let ada = t.person("ada@shop.example", Role::Support);
    let stranger = t.signed_in(&ada);
    let merchant = t.shop.merchant.id;
    let session = |holder: Holder, now| {
        t.read(move |snapshot| Ok(sessions::store::of_holder(snapshot, merchant, holder, now, 10)?))
    };
    let of_ada = session(Holder::Staff(ada.id), t.now()).first().expect("a session").id;

    let reply = grace.post("/admin/sessions/revoke", &[("session", &of_ada.to_string())]);
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    assert_eq!(stranger.get("/admin/account").status, StatusCode::OK);

    grace.get("/admin/sessions");
    grace.post("/admin/sessions/revoke-others", &[]);
    assert_eq!(other.get("/admin/account").status, StatusCode::SEE_OTHER);
    assert_eq!(grace.get("/admin/account").status, StatusCode::OK);
    t.run_jobs();
}
