//! What becomes of a message when the mail server does its duty, and when it does not.

use kernel::{Secret, Span};
use mail::sink::{Fault, Stage};
use mail::{
    Credentials, Mailer as _, SendError, SmtpMailer, SmtpSettings, SmtpSettingsError, TlsMode, compose,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::shop::{Post, receipt, settings};

fn reply(code: u16) -> Fault {
    Fault::Reply(code, "because".to_owned())
}

fn is_retry(outcome: Result<impl std::fmt::Debug, SendError>) -> bool {
    matches!(outcome.unwrap_err(), SendError::Retry { .. })
}

fn is_permanent(outcome: Result<impl std::fmt::Debug, SendError>) -> bool {
    matches!(outcome.unwrap_err(), SendError::Permanent { .. })
}

fn is_unknown(outcome: Result<impl std::fmt::Debug, SendError>) -> bool {
    matches!(outcome.unwrap_err(), SendError::Unknown { .. })
}

#[tokio::test]
async fn a_message_arrives_as_it_was_composed() {
    let post = Post::open().await;

    let accepted = post.mailer().send(&receipt()).await.unwrap();

    assert_eq!(accepted.reply, "250 kept as 1");
    let received = post.mailbox.get(1).unwrap();
    assert_eq!(received.raw, compose(&receipt()).unwrap());
    assert_eq!(received.from, Some(receipt().from.address));
    assert_eq!(received.to, [receipt().to.address]);
}

#[tokio::test]
async fn a_dot_at_the_beginning_of_a_line_stays() {
    let post = Post::open().await;
    let mail = mail::Outgoing { html: None, text: ".\n..\n.x\n".to_owned(), ..receipt() };

    post.mailer().send(&mail).await.unwrap();

    assert_eq!(post.mailbox.get(1).unwrap().raw, compose(&mail).unwrap());
}

#[tokio::test]
async fn a_second_message_takes_the_connection_of_the_first() {
    let post = Post::open().await;
    let mailer = post.mailer();
    mailer.send(&receipt()).await.unwrap();
    post.sink.fail_always(Stage::Connect, Some(Fault::Drop));

    mailer.send(&receipt()).await.unwrap();

    assert_eq!(post.mailbox.received(), 2);
}

#[tokio::test]
async fn a_connection_the_server_has_tired_of_is_replaced() {
    let post = Post::open().await;
    let mailer = post.mailer();
    mailer.send(&receipt()).await.unwrap();

    post.sink.fail_next(Stage::Mail, reply(421));
    mailer.send(&receipt()).await.unwrap();
    post.sink.fail_next(Stage::Mail, Fault::Drop);
    mailer.send(&receipt()).await.unwrap();

    assert_eq!(post.mailbox.received(), 3);
}

#[tokio::test]
async fn a_temporary_refusal_is_tried_again_wherever_it_comes() {
    let post = Post::open().await;
    let mailer = post.mailer();

    post.sink.fail_next(Stage::Connect, reply(421));
    assert!(is_retry(mailer.send(&receipt()).await));
    post.sink.fail_next(Stage::Hello, reply(450));
    assert!(is_retry(mailer.send(&receipt()).await));
    post.sink.fail_next(Stage::Mail, reply(451));
    assert!(is_retry(mailer.send(&receipt()).await));
    post.sink.fail_next(Stage::Recipient, reply(450));
    assert!(is_retry(mailer.send(&receipt()).await));
    post.sink.fail_next(Stage::Data, reply(421));
    assert!(is_retry(mailer.send(&receipt()).await));
    post.sink.fail_next(Stage::EndOfData, reply(452));
    assert!(is_retry(mailer.send(&receipt()).await));

    assert_eq!(post.mailbox.received(), 0);
}

#[tokio::test]
async fn a_recipient_or_a_message_that_is_refused_for_good_is_not_tried_again() {
    let post = Post::open().await;
    let mailer = post.mailer();

    post.sink.fail_next(Stage::Recipient, reply(550));
    assert!(is_permanent(mailer.send(&receipt()).await));
    post.sink.fail_next(Stage::Data, reply(554));
    assert!(is_permanent(mailer.send(&receipt()).await));
    post.sink.fail_next(Stage::EndOfData, reply(554));
    assert!(is_permanent(mailer.send(&receipt()).await));
}

#[tokio::test]
async fn a_refusal_that_is_about_us_costs_no_mail() {
    let post = Post::open().await;
    let mailer = post.mailer();

    post.sink.fail_next(Stage::Connect, reply(554));
    assert!(is_retry(mailer.send(&receipt()).await));
    post.sink.fail_next(Stage::Hello, reply(550));
    assert!(is_retry(mailer.send(&receipt()).await));
    post.sink.fail_next(Stage::Mail, reply(550));
    assert!(is_retry(mailer.send(&receipt()).await));
    post.sink.fail_next(Stage::Recipient, reply(530));
    assert!(is_retry(mailer.send(&receipt()).await));
}

#[tokio::test]
async fn a_connection_lost_before_the_end_of_the_message_is_tried_again() {
    let post = Post::open().await;
    let mailer = post.mailer();

    post.sink.fail_next(Stage::Connect, Fault::Drop);
    assert!(is_retry(mailer.send(&receipt()).await));
    post.sink.fail_next(Stage::Recipient, Fault::Drop);
    assert!(is_retry(mailer.send(&receipt()).await));
    post.sink.fail_next(Stage::Data, Fault::Drop);
    assert!(is_retry(mailer.send(&receipt()).await));
}

#[tokio::test]
async fn an_answer_lost_after_the_message_is_unknown_and_sending_again_is_the_same_message() {
    let post = Post::open().await;
    let mailer = post.mailer();

    post.sink.fail_next(Stage::EndOfData, Fault::Drop);
    assert!(is_unknown(mailer.send(&receipt()).await));
    assert_eq!(post.mailbox.received(), 0);

    post.sink.fail_next(Stage::EndOfData, Fault::KeepThenDrop);
    assert!(is_unknown(mailer.send(&receipt()).await));
    mailer.send(&receipt()).await.unwrap();
    assert_eq!(post.mailbox.get(1).unwrap().raw, post.mailbox.get(2).unwrap().raw);
}

#[tokio::test]
async fn a_server_that_never_answers_holds_nobody_beyond_the_deadline() {
    let post = Post::open().await;
    let mailer = post.mailer_with_deadline(Span::micros(100_000));

    post.sink.fail_next(Stage::Connect, Fault::Hang);
    assert!(is_retry(mailer.send(&receipt()).await));
    post.sink.fail_next(Stage::Recipient, Fault::Hang);
    assert!(is_retry(mailer.send(&receipt()).await));
    post.sink.fail_next(Stage::Hello, Fault::Hang);
    assert!(is_retry(mailer.check().await));
}

#[tokio::test]
async fn waiting_for_a_connection_that_others_hold_ends_with_the_deadline_too() {
    let post = Post::open().await;
    let mailer = std::sync::Arc::new(post.mailer_with_deadline(Span::micros(500_000)));
    post.sink.fail_always(Stage::Connect, Some(Fault::Hang));

    let mut crowd = tokio::task::JoinSet::new();
    (0..40).for_each(|_| {
        let mailer = mailer.clone();
        crowd.spawn(async move { mailer.send(&receipt()).await });
    });
    let sent = tokio::time::timeout(Span::seconds(2).to_std(), crowd.join_all()).await;

    assert!(sent.expect("nobody waits for deadline after deadline").into_iter().all(is_retry));
}

#[tokio::test]
async fn a_deadline_that_ends_while_waiting_for_the_confirmation_leaves_it_unknown() {
    let post = Post::open().await;
    // Long enough for a busy machine to get that far.
    let mailer = post.mailer_with_deadline(Span::seconds(2));

    post.sink.fail_next(Stage::EndOfData, Fault::Hang);

    assert!(is_unknown(mailer.send(&receipt()).await));
}

#[tokio::test]
async fn a_server_that_is_away_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);

    let outcome = SmtpMailer::new(settings(nobody)).unwrap().send(&receipt()).await;

    let why = outcome.unwrap_err().to_string();
    assert!(why.contains(&format!("mail server {nobody}, connecting")), "{why}");
}

#[tokio::test]
async fn a_check_sends_nothing() {
    let post = Post::open().await;

    post.mailer().check().await.unwrap();

    assert_eq!(post.mailbox.received(), 0);
}

#[tokio::test]
async fn nothing_is_sent_in_clear_where_tls_is_wanted() {
    let post = Post::open().await;
    let starttls = SmtpSettings { tls: TlsMode::StartTls, ..settings(post.address) };
    let implicit = SmtpSettings { tls: TlsMode::Implicit, ..settings(post.address) };

    let outcome = SmtpMailer::new(starttls).unwrap().send(&receipt()).await;
    assert!(outcome.clone().unwrap_err().to_string().contains("STARTTLS"), "{outcome:?}");
    assert!(is_retry(outcome));
    assert!(is_retry(SmtpMailer::new(implicit).unwrap().send(&receipt()).await));
    assert_eq!(post.mailbox.received(), 0);
}

/// Plays a server's part word for word to one client, and answers what the client said.
async fn play(parts: Vec<&'static [u8]>) -> (std::net::SocketAddr, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut heard = Vec::new();
        for part in parts {
            stream.write_all(part).await.unwrap();
            let mut buffer = [0; 4096];
            let count = stream.read(&mut buffer).await.unwrap_or(0);
            heard.extend_from_slice(&buffer[..count]);
        }
        String::from_utf8_lossy(&heard).into_owned()
    });
    (address, heard)
}

#[tokio::test]
async fn an_answer_slipped_in_before_tls_is_not_believed() {
    let (address, heard) =
        play(vec![b"220 hi\r\n", b"250-hi\r\n250 STARTTLS\r\n", b"220 go\r\n250-AUTH PLAIN\r\n250 ok\r\n"])
            .await;
    let mailer = SmtpMailer::new(SmtpSettings { tls: TlsMode::StartTls, ..settings(address) }).unwrap();

    let why = mailer.send(&receipt()).await.unwrap_err().to_string();

    assert!(why.contains("somebody interferes"), "{why}");
    assert_eq!(heard.await.unwrap(), "EHLO shop.example\r\nSTARTTLS\r\n");
}

#[tokio::test]
async fn a_reply_in_another_character_set_is_still_a_reply() {
    let (address, _) =
        play(vec![b"220 hi\r\n", b"250 hi\r\n", b"250 ok\r\n", b"550 gibt es nicht: \xfc\x1b\r\n"]).await;

    let outcome = SmtpMailer::new(settings(address)).unwrap().send(&receipt()).await;

    assert!(
        outcome.clone().unwrap_err().to_string().ends_with("550 gibt es nicht: \u{fffd} "),
        "{outcome:?}"
    );
    assert!(is_permanent(outcome));
}

#[tokio::test]
async fn what_is_no_mail_server_is_not_taken_for_one() {
    let (http, _) = play(vec![b"HTTP/1.1 400 Bad Request\r\n\r\n"]).await;
    assert!(is_retry(SmtpMailer::new(settings(http)).unwrap().check().await));

    let (flood, _) = play(vec![Box::leak(vec![b'2'; 1 << 20].into_boxed_slice())]).await;
    assert!(is_retry(SmtpMailer::new(settings(flood)).unwrap().check().await));
}

#[test]
fn settings_that_would_give_a_password_away_are_refused() {
    let login = Some(Credentials { user: "shop".to_owned(), password: Secret::new("hunter2".to_owned()) });
    let away = SmtpSettings {
        host: "mail.example.com".to_owned(),
        login,
        ..settings("127.0.0.1:25".parse().unwrap())
    };
    let here = SmtpSettings { host: "localhost".to_owned(), ..away.clone() };
    let secured = SmtpSettings { tls: TlsMode::StartTls, ..away.clone() };

    assert_eq!(
        SmtpMailer::new(away).err(),
        Some(SmtpSettingsError::PasswordInClear("mail.example.com".to_owned()))
    );
    assert!(SmtpMailer::new(here).is_ok());
    assert!(SmtpMailer::new(secured).is_ok());
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let good = settings("127.0.0.1:25".parse().unwrap());
    let refusal = |settings| SmtpMailer::new(settings).err();

    let host = SmtpSettings { host: "mail example".to_owned(), ..good.clone() };
    assert_eq!(refusal(host), Some(SmtpSettingsError::Host("mail example".to_owned())));
    let hello = SmtpSettings { hello: "shop\r\nMAIL".to_owned(), ..good.clone() };
    assert_eq!(refusal(hello), Some(SmtpSettingsError::Hello("shop\r\nMAIL".to_owned())));
    let timeout = SmtpSettings { timeout: Span::seconds(0), ..good.clone() };
    assert_eq!(refusal(timeout), Some(SmtpSettingsError::Timeout));
    let broken = b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n".to_vec();
    let roots = SmtpSettings { extra_roots_pem: Some(broken), ..good };
    assert!(matches!(refusal(roots), Some(SmtpSettingsError::Roots(_))));
}

#[test]
fn tls_is_the_rule_and_this_machine_the_exception() {
    assert_eq!(TlsMode::for_server("mail.example.com", 587), TlsMode::StartTls);
    assert_eq!(TlsMode::for_server("mail.example.com", 465), TlsMode::Implicit);
    assert_eq!(TlsMode::for_server("localhost", 25), TlsMode::Clear);
    assert_eq!(TlsMode::for_server("::1", 25), TlsMode::Clear);
    assert_eq!(TlsMode::for_server("127.0.0.1.example.com", 25), TlsMode::StartTls);
}
