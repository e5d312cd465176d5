//! What a composed message is made of, read back by a parser that is not ours.

use std::sync::Arc;

use kernel::{ManualClock, Timestamp};
use mail::{
    ComposeError, Mailbox, MailboxMailer, Mailer as _, Outgoing, Parsed, Received, SendError, compose,
};

use crate::shop::{NOON, contact, receipt};

fn lines(mail: &Outgoing) -> Vec<String> {
    let raw = String::from_utf8(compose(mail).unwrap()).unwrap();
    raw.split("\r\n").map(str::to_owned).collect()
}

fn read(mail: &Outgoing) -> Parsed {
    Received { id: 1, from: None, to: Vec::new(), raw: compose(mail).unwrap(), at: NOON }.parse()
}

fn header_names(mail: &Outgoing) -> Vec<String> {
    read(mail).headers.into_iter().map(|(name, _)| name).collect()
}

const ALL_HEADERS: [&str; 9] = [
    "Date",
    "From",
    "Reply-To",
    "To",
    "Subject",
    "Message-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
];

#[test]
fn the_same_message_is_the_same_bytes() {
    assert_eq!(compose(&receipt()), compose(&receipt()));
}

#[test]
fn another_message_has_another_boundary() {
    let other = Outgoing { message_id: "msg_2@shop.example".to_owned(), ..receipt() };

    let boundary = |mail| lines(mail).into_iter().find(|line| line.starts_with(" boundary=")).unwrap();

    assert_ne!(boundary(&receipt()), boundary(&other));
}

#[test]
fn a_message_says_what_it_is_and_what_it_says() {
    let parsed = read(&receipt());

    assert_eq!(parsed.header("date"), Some("Fri, 9 Jan 2026 12:00:00 +0000"));
    assert_eq!(parsed.header("to"), Some("\"Ada Lovelace\" <ada@example.com>"));
    assert_eq!(parsed.header("reply-to"), Some("help@shop.example"));
    assert_eq!(parsed.header("message-id"), Some("<msg_01j9zx.1@shop.example>"));
    assert_eq!(parsed.header("auto-submitted"), Some("auto-generated"));
    assert_eq!(parsed.subject, "Your files are ready");
    assert_eq!(parsed.text.replace("\r\n", "\n"), receipt().text);
    assert_eq!(parsed.html.map(|html| html.replace("\r\n", "\n")), receipt().html);
}

#[test]
fn a_message_without_html_is_one_part() {
    let mail = Outgoing { html: None, ..receipt() };

    let parsed = read(&mail);

    assert_eq!(parsed.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(parsed.text.replace("\r\n", "\n").trim_end(), mail.text.trim_end());
    assert_eq!(parsed.html, None);
}

#[test]
fn no_line_is_too_long_or_holds_anything_but_ascii() {
    let mail = Outgoing {
        subject: "Ünïcödé ".repeat(200),
        to: contact(&"x".repeat(10_240), "ada@example.com"),
        text: "ä".repeat(20_000) + &"z".repeat(20_000),
        html: Some("\u{5d0}".repeat(20_000)),
        ..receipt()
    };

    assert!(lines(&mail).iter().all(|line| line.len() <= 78 && line.is_ascii()));
    assert_eq!(header_names(&mail), ALL_HEADERS);
}

#[test]
fn a_line_break_in_a_name_or_subject_starts_no_header() {
    let mail = Outgoing {
        subject: "Hi\r\nBcc: victim@example.com\u{2028}Cc: x\u{85}y\u{0}z".to_owned(),
        to: contact("Bob\r\nBcc: victim@example.com\r\n\r\nbody", "bob@example.com"),
        ..receipt()
    };

    assert_eq!(header_names(&mail), ALL_HEADERS);
    assert_eq!(read(&mail).subject, "Hi  Bcc: victim@example.com Cc: x y z");
}

#[test]
fn a_name_cannot_close_its_quotes() {
    let mail = Outgoing { to: contact("x\" <victim@example.com>, \"y\\", "bob@example.com"), ..receipt() };

    let expected = r#""x\" <victim@example.com>, \"y\\" <bob@example.com>"#;
    assert_eq!(read(&mail).header("to"), Some(expected));
}

#[test]
fn a_text_that_looks_encoded_is_shown_as_it_was_written() {
    let mail = Outgoing { subject: "=?utf-8?q?Refund_=0D=0ABcc:_x?=".to_owned(), ..receipt() };

    assert_eq!(read(&mail).subject, mail.subject);
}

#[test]
fn names_and_texts_of_any_script_come_through() {
    let mail = Outgoing {
        subject: "הקבצים שלך מוכנים 🎉 — ваши файлы".to_owned(),
        text: "שלום עולם\nمرحبا بالعالم\n".to_owned(),
        ..receipt()
    };

    let parsed = read(&mail);

    assert_eq!(parsed.subject, mail.subject);
    assert_eq!(parsed.text.replace("\r\n", "\n"), mail.text);
}

#[test]
fn a_body_cannot_end_the_message_or_contain_its_boundary() {
    let boundary = lines(&receipt()).into_iter().find(|line| line.starts_with("--=_")).unwrap();
    let text = format!("one\r.\rtwo\n.\nthree\r\n.\r\nMAIL FROM:<x@example.com>\r\n{boundary}--\r\nlast");
    let mail = Outgoing { text, ..receipt() };

    let parsed = read(&mail);

    assert!(parsed.text.contains("two") && parsed.text.ends_with("last"), "{}", parsed.text);
    assert!(parsed.html.is_some());
    let raw = String::from_utf8(compose(&mail).unwrap()).unwrap();
    assert!(!raw.replace("\r\n", "").contains(['\r', '\n']));
}

#[test]
fn what_is_no_message_id_is_refused() {
    let refused = |id: &str| {
        let mail = Outgoing { message_id: id.to_owned(), ..receipt() };
        compose(&mail) == Err(ComposeError::MessageId(id.to_owned()))
    };

    assert!(refused(""));
    assert!(refused("no-domain"));
    assert!(refused("a@b@c"));
    assert!(refused("<a@b>"));
    assert!(refused("a..b@c"));
    assert!(refused("a@b\r\nBcc: x"));
    assert!(refused("ä@b"));
    assert!(refused(&format!("{}@b", "a".repeat(250))));
}

#[test]
fn a_date_that_mail_cannot_write_is_refused() {
    let mail = Outgoing { date: Timestamp::from_micros(i64::MIN), ..receipt() };

    assert!(matches!(compose(&mail), Err(ComposeError::Date(_))));
}

#[tokio::test]
async fn mail_into_a_mailbox_fails_as_told_and_then_arrives() {
    let mailbox = Mailbox::new();
    let mailer = MailboxMailer::new(mailbox.clone(), Arc::new(ManualClock::at(NOON)));
    let lost = SendError::Unknown { why: "lost answer".to_owned() };
    let away = SendError::Retry { why: "away".to_owned() };
    mailer.fail_next(away.clone());
    mailer.fail_next(lost.clone());

    assert_eq!(mailer.send(&receipt()).await, Err(away));
    assert_eq!(mailbox.received(), 0);
    assert_eq!(mailer.send(&receipt()).await, Err(lost));
    assert_eq!(mailbox.received(), 1);
    mailer.send(&receipt()).await.unwrap();

    let [first, second] = &mailbox.all()[..] else { panic!("two messages") };
    assert_eq!(first.raw, second.raw);
    assert_eq!(first.to, [receipt().to.address]);
}

#[test]
fn a_full_mailbox_forgets_the_oldest() {
    let mailbox = Mailbox::new();
    (0..1001).for_each(|_| assert!(mailbox.receive(None, Vec::new(), Vec::new(), NOON) > 0));

    assert_eq!(mailbox.all().len(), 1000);
    assert!(mailbox.get(1).is_none());
    assert_eq!(mailbox.received(), 1001);
}

#[test]
fn a_mailbox_has_room_for_so_many_bytes_and_always_for_one_message() {
    let mailbox = Mailbox::new();
    mailbox.receive(None, Vec::new(), vec![b'x'; 40 << 20], NOON);
    mailbox.receive(None, Vec::new(), vec![b'x'; 40 << 20], NOON);
    assert_eq!(mailbox.all().len(), 1);

    mailbox.receive(None, Vec::new(), vec![b'x'; 65 << 20], NOON);
    assert_eq!(mailbox.all().len(), 1);
    assert!(mailbox.get(3).is_some());
}

#[test]
fn what_is_no_mail_is_read_as_far_as_it_goes() {
    let parsed = Received { id: 1, from: None, to: Vec::new(), raw: vec![0xff, 0, b'\n'], at: NOON }.parse();

    assert_eq!(parsed.subject, "");
}
