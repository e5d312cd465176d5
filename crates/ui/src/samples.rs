//! Texts that stretch a template, for [`crate::Template::samples`].

use kernel::{Currency, Money, Timestamp};

use crate::{
    Accent, CustomerFrame, Flash, Frame, Locale, LocaleChoice, MerchantFrame, NamedLink, StaffFrame, Tone,
};

/// The shortest name.
pub const SHORT: &str = "A";
/// A name long enough to break a layout that has not thought of it.
pub const LONG: &str = "The Complete & Unabridged Handbook of Small Sailing Boats, with 240 Plates, a Glossary \
    and Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen <Second Edition>";
/// A right-to-left name.
pub const RIGHT_TO_LEFT: &str = "كتاب الطبخ العربي \u{2013} الطبعة الثانية";
/// A SHA-256 in hexadecimal.
pub const SHA256: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
/// An MD5 in hexadecimal.
pub const MD5: &str = "098f6bcd4621d373cade4e832627b4f6";

/// When the samples are looked at.
pub const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

/// An owned text, for fields that are.
pub fn text(text: &str) -> String {
    text.to_owned()
}

/// An amount in euros, in cents.
pub const fn eur(cents: i64) -> Money {
    Money::new(cents, Currency::EUR)
}

/// An amount in US dollars, in cents.
pub const fn usd(cents: i64) -> Money {
    Money::new(cents, Currency::USD)
}

/// A frame for a sample: a merchant with everything set, in this language.
pub fn frame(locale: Locale) -> Frame {
    let mut merchant = MerchantFrame::named("Sandpiper Press", "https://shop.example");
    merchant.accent = Accent::parse("#0f5c55").ok();
    merchant.support_text = Some("We answer on working days.\n\nPlease name your order.".to_owned());
    merchant.support_email = Some("help@shop.example".to_owned());
    merchant.time_zone = "Europe/Berlin".to_owned();
    merchant.legal_links = vec![
        NamedLink { label: "Imprint".to_owned(), url: "/imprint".to_owned() },
        NamedLink { label: "Privacy".to_owned(), url: "/privacy".to_owned() },
    ];
    let mut frame = Frame::new(locale, NOW, merchant, "/portal");
    frame.csrf = "sample-csrf-token".to_owned();
    frame.locales = Locale::ALL
        .map(|locale| LocaleChoice {
            locale,
            name: locale.own_name().to_owned(),
            url: format!("/?lang={}", locale.tag()),
        })
        .into();
    frame
}

/// A frame with everything in it at once: a long name under a base path, a color that is hard to
/// read, its own page words, a message, a full cart, and people signed in.
pub fn crowded_frame(locale: Locale) -> Frame {
    let mut frame = frame(locale);
    frame.merchant.name = text(LONG);
    frame.merchant.base_path = text("/m/handbooks");
    frame.merchant.accent = Accent::parse("#ffe14d").ok();
    frame.merchant.support_url = Some(text("https://help.example/contact"));
    frame.merchant.words =
        [("packages", "Books"), ("invoice", RIGHT_TO_LEFT)].map(|(word, own)| (text(word), text(own))).into();
    frame.flash = Some(Flash { tone: Tone::Bad, text: text(LONG) });
    frame.cart_count = 1_000;
    frame.test_mode = true;
    frame.customer = Some(CustomerFrame { email: text("ada@example.com"), name: Some(text(RIGHT_TO_LEFT)) });
    frame.staff = Some(StaffFrame {
        name: text(LONG),
        role: text("owner"),
        rights: ["orders", "decide", "settings"].map(text).into(),
        waiting: [("notices", 3), ("orders", 120)].map(|(list, count)| (text(list), count)).into(),
    });
    frame
}
