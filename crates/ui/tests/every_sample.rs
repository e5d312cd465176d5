//! Each template with each of its samples in each language.

use std::collections::BTreeSet;

use ui::gallery::{Rendered, exhibits};
use ui::{Frame, Locale, Renderer, samples};

fn rendered(frame: &Frame) -> Vec<(String, Rendered)> {
    let renderer = Renderer::new().expect("every template parses");
    let render = |exhibit: &ui::gallery::Exhibit| {
        let name = format!("{exhibit:?} in {:?}", frame.locale);
        let shown = exhibit.render(&renderer, frame).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, shown)
    };
    exhibits().iter().map(render).collect()
}

#[test]
fn every_sample_renders_in_every_language() {
    for locale in Locale::ALL {
        let shown = rendered(&samples::frame(locale));
        assert!(!shown.is_empty());
    }
}

#[test]
fn every_sample_renders_with_a_bare_frame() {
    let merchant = ui::MerchantFrame::named(samples::SHORT, "https://a.example");
    rendered(&Frame::new(Locale::En, samples::NOW, merchant, "/"));
}

#[test]
fn every_sample_renders_with_everything_at_once() {
    for (name, shown) in rendered(&samples::crowded_frame(Locale::De)) {
        if let Rendered::Page(html) = shown {
            assert!(!html.contains("href=\"/cart"), "{name} leaves the merchant's base path");
        }
    }
}

#[test]
fn an_unknown_link_looks_like_every_other_one() {
    let renderer = Renderer::new().expect("every template parses");
    let mut frame = samples::frame(Locale::En);
    let page = |frame: &Frame| {
        renderer.render(&ui::delivery::UnknownLinkPage {}, frame).expect("the page has no fields")
    };
    frame.path = "/d/one".to_owned();
    let one = page(&frame);
    frame.path = "/d/another".to_owned();
    frame.csrf = "another".to_owned();
    frame.locales.iter_mut().for_each(|choice| choice.url = "/d/another?lang=en".to_owned());

    assert!(page(&frame) == one, "the page tells which link was asked for");
}

#[test]
fn what_a_buyer_typed_never_becomes_markup() {
    for (name, shown) in rendered(&samples::frame(Locale::En)) {
        let html = match shown {
            Rendered::Page(html) => html,
            Rendered::Mail(mail) => mail.html,
        };
        assert!(!html.contains("<Second Edition>"), "{name} does not escape");
        assert!(!html.contains("&amp;lt;"), "{name} escapes twice");
    }
}

#[test]
fn every_template_that_is_a_page_is_in_the_gallery() {
    let shown: BTreeSet<&str> = exhibits().iter().map(|exhibit| exhibit.name).collect();
    let missing: Vec<&str> =
        ui::gallery::contexts_wanted().into_iter().filter(|name| !shown.contains(name)).collect();
    assert!(missing.is_empty(), "add these to gallery::exhibits: {missing:?}");
}

#[test]
fn mails_have_a_subject_of_one_line() {
    for (name, shown) in rendered(&samples::frame(Locale::De)) {
        if let Rendered::Mail(mail) = shown {
            assert!(!mail.subject.is_empty() && mail.subject.chars().all(|c| !c.is_control()), "{name}");
            assert!(
                !mail.text.contains("&amp;") && !mail.text.contains("<time"),
                "{name}: HTML in the text part"
            );
        }
    }
}
