//! What holds for every page of the back office.

use std::collections::BTreeSet;

use ui::gallery::{Rendered, exhibits};
use ui::{Frame, Locale, Renderer, samples};

/// Every sample of every page of the back office, with its name.
fn pages(frame: &Frame) -> Vec<(String, String)> {
    let renderer = Renderer::new().expect("every template parses");
    let mut pages = Vec::new();
    for exhibit in exhibits().iter().filter(|exhibit| exhibit.name.starts_with("admin/")) {
        match exhibit.render(&renderer, frame) {
            Ok(Rendered::Page(html)) => pages.push((format!("{exhibit:?}"), html)),
            other => panic!("{exhibit:?} is no page: {other:?}"),
        }
    }
    pages
}

/// What stands in every attribute of this name.
fn attributes<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!(" {name}=\"");
    let values = html.split(start.as_str()).skip(1);
    values.filter_map(|rest| rest.split_once('"').map(|(value, _)| value)).collect()
}

#[test]
fn every_address_stays_at_the_merchant() {
    for (name, html) in pages(&samples::crowded_frame(Locale::En)) {
        for attribute in ["href", "action", "data-href"] {
            let strayed = attributes(&html, attribute).into_iter().find(|at| at.starts_with("/admin"));
            assert_eq!(strayed, None, "{name} leaves the merchant's base path");
        }
    }
}

#[test]
fn every_posting_form_carries_the_token() {
    for (name, html) in pages(&samples::frame(Locale::En)) {
        let posting = html.matches("method=\"post\"").count();
        assert_eq!(html.matches("name=\"_csrf\"").count(), posting, "{name}");
    }
}

#[test]
fn every_id_is_there_once_and_whatever_names_one_finds_it() {
    for (name, html) in pages(&samples::frame(Locale::En)) {
        let all = attributes(&html, "id");
        let ids: BTreeSet<&str> = all.iter().copied().collect();
        assert_eq!(ids.len(), all.len(), "{name} has an id twice");
        for attribute in ["for", "aria-labelledby", "aria-describedby", "popovertarget", "list"] {
            let named = attributes(&html, attribute).into_iter().flat_map(str::split_whitespace);
            let missing: Vec<&str> = named.filter(|id| !ids.contains(id)).collect();
            assert!(missing.is_empty(), "{name}: {attribute} names {missing:?}");
        }
    }
}

#[test]
fn every_error_has_its_place_beside_a_field() {
    for (name, html) in pages(&samples::frame(Locale::En)) {
        let ids: BTreeSet<&str> = attributes(&html, "id").into_iter().collect();
        let Some((_, summary)) = html.split_once("<div class=\"summary\"") else { continue };
        let summary = summary.split_once("</div>").map_or(summary, |(inside, _)| inside);
        for field in attributes(summary, "href") {
            assert!(ids.contains(field.trim_start_matches('#')), "{name} has no field {field}");
        }
    }
}

#[test]
fn every_page_has_one_heading_of_the_first_rank() {
    for (name, html) in pages(&samples::frame(Locale::De)) {
        assert_eq!(html.matches("<h1").count(), 1, "{name}");
    }
}

#[test]
fn who_may_only_look_is_shown_nothing_to_press_but_their_own_account() {
    let mut frame = samples::crowded_frame(Locale::En);
    frame.flash = None;
    frame.staff.iter_mut().for_each(|staff| staff.rights.clear());
    let own = ["sign_in", "set_password", "owner_link", "account", "sessions", "totp_setup"];
    // Their handlers refuse before these are rendered: staff, settings, keys, forms, confirmations.
    let refused = [
        "staff",
        "settings",
        "api_key",
        "invited",
        "customer_edit",
        "product_form",
        "file_replace",
        "stamping",
        "stamp_lookup",
        "connection_new",
        "confirm",
        "payload",
        "archive",
        "pick_up",
        "artwork",
        "plugins",
        "drop_ship",
        "ticket_event_form",
        "product_access",
        "product_encryption",
        "product_stream",
        "product_ticket",
        "check_in",
    ];
    for (name, html) in pages(&frame) {
        if own.iter().chain(&refused).any(|page| name.starts_with(&format!("admin/{page}"))) {
            continue;
        }
        let posted = html.matches("method=\"post\"").count();
        assert_eq!(posted, 1, "{name} offers more than to sign out");
    }
}
