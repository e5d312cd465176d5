//! A mail server and a mail reader that others have written.

use std::path::Path;

use kernel::Secret;
use mail::{Credentials, Mailer as _, Outgoing, SendError, SmtpMailer, SmtpSettings, TlsMode, compose};
use rcgen::{CertifiedKey, generate_simple_self_signed};

use crate::python::{self, Server};
use crate::shop::{contact, receipt, settings};

/// aiosmtpd, keeping mail in `mail/` and asking for a password in the modes that have TLS.
const SERVER: &str = r#"
import asyncio, ssl, sys
from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

mode = sys.argv[1]
context = None
if mode != "clear":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("cert.pem", "key.pem")

def authenticator(server, session, envelope, mechanism, data):
    right = LoginPassword(b"shop", b"hunter2 \xc3\xa4")
    return AuthResult(success=data == right, handled=False)

def factory():
    handler = Mailbox("mail")
    if mode == "clear":
        return SMTP(handler)
    if mode == "starttls":
        return SMTP(handler, tls_context=context, require_starttls=True,
                    authenticator=authenticator, auth_required=True)
    exclude = ["PLAIN"] if mode == "implicit-login" else []
    return SMTP(handler, authenticator=authenticator, auth_required=True,
                auth_require_tls=False, auth_exclude_mechanism=exclude)

async def main():
    implicit = context if mode.startswith("implicit") else None
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0, ssl=implicit)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"#;

/// Reads a message and prints what it says as JSON.
const READER: &str = r#"
import email, email.policy, email.utils, json, sys
from email.header import decode_header, make_header
raw = sys.stdin.buffer.read()
message = email.message_from_bytes(raw, policy=email.policy.default)
undecoded = email.message_from_bytes(raw)
def defects(part):
    return [repr(d) for d in part.defects] + [repr(d) for n in part.keys() for d in part[n].defects]
def contact(header):
    # The newer interface puts a space between the encoded words of a name (gh-92081).
    [_] = message[header].addresses
    name, address = email.utils.parseaddr(undecoded[header])
    return [str(make_header(decode_header(name))), address]
parts = list(message.walk())
print(json.dumps({
    "headers": message.keys(),
    "defects": [d for part in parts for d in defects(part)],
    "types": [part.get_content_type() for part in parts],
    "from": contact("From"), "to": contact("To"),
    "subject": message["Subject"],
    "date": message["Date"].datetime.isoformat(),
    "text": message.get_body(("plain",)).get_content().replace("\r\n", "\n"),
    "html": message.get_body(("html",)).get_content().replace("\r\n", "\n"),
}))
"#;

struct Office {
    folder: tempfile::TempDir,
    server: Server,
    certificate: String,
}

impl Office {
    fn open(mode: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let CertifiedKey { cert, key_pair } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(folder.path().join("cert.pem"), cert.pem()).unwrap();
        std::fs::write(folder.path().join("key.pem"), key_pair.serialize_pem()).unwrap();
        let server = Server::start(SERVER, &[mode], folder.path());
        Self { folder, server, certificate: cert.pem() }
    }

    /// What an operator would set, who trusts the server's certificate.
    fn settings(&self, tls: TlsMode) -> SmtpSettings {
        let login = Credentials { user: "shop".to_owned(), password: Secret::new("hunter2 ä".to_owned()) };
        SmtpSettings {
            host: "localhost".to_owned(),
            port: self.server.port,
            tls,
            login: Some(login),
            extra_roots_pem: Some(self.certificate.clone().into_bytes()),
            ..settings("127.0.0.1:25".parse().unwrap())
        }
    }

    fn received(&self) -> Vec<Vec<u8>> {
        let new: &Path = &self.folder.path().join("mail").join("new");
        let entries = std::fs::read_dir(new).map(|entries| entries.collect::<Vec<_>>()).unwrap_or_default();
        entries.into_iter().map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
    }
}

async fn send(settings: SmtpSettings) -> Result<mail::Accepted, SendError> {
    SmtpMailer::new(settings).unwrap().send(&receipt()).await
}

#[tokio::test]
async fn a_server_in_clear_takes_our_mail() {
    if !python::has("aiosmtpd") {
        return;
    }
    let office = Office::open("clear");
    let mailer = SmtpMailer::new(SmtpSettings { login: None, ..office.settings(TlsMode::Clear) }).unwrap();

    mailer.check().await.unwrap();
    mailer.send(&receipt()).await.unwrap();
    mailer.send(&receipt()).await.unwrap();

    let received = office.received();
    assert_eq!(received.len(), 2);
    let ours = String::from_utf8(compose(&receipt()).unwrap()).unwrap().replace("\r\n", "\n");
    let theirs = String::from_utf8(received.concat()).unwrap();
    let (_, body) = ours.split_once("\n\n").unwrap();
    assert_eq!(theirs.matches(body.trim_end()).count(), 2, "{theirs}");
}

#[tokio::test]
async fn a_server_behind_starttls_takes_our_mail() {
    if !python::has("aiosmtpd") {
        return;
    }
    let office = Office::open("starttls");

    SmtpMailer::new(office.settings(TlsMode::StartTls)).unwrap().check().await.unwrap();
    send(office.settings(TlsMode::StartTls)).await.unwrap();

    assert_eq!(office.received().len(), 1);
}

#[tokio::test]
async fn a_server_behind_tls_takes_our_mail_with_either_way_to_sign_in() {
    if !python::has("aiosmtpd") {
        return;
    }
    let plain = Office::open("implicit");
    let login = Office::open("implicit-login");

    send(plain.settings(TlsMode::Implicit)).await.unwrap();
    send(login.settings(TlsMode::Implicit)).await.unwrap();

    assert_eq!(plain.received().len(), 1);
    assert_eq!(login.received().len(), 1);
}

#[tokio::test]
async fn a_wrong_password_keeps_the_mail_for_later() {
    if !python::has("aiosmtpd") {
        return;
    }
    let office = Office::open("starttls");
    let login = Credentials { user: "shop".to_owned(), password: Secret::new("guess".to_owned()) };

    let outcome =
        send(SmtpSettings { login: Some(login), ..office.settings(TlsMode::StartTls) }).await.unwrap_err();

    assert!(matches!(&outcome, SendError::Retry { why } if why.contains("signing in: 535")), "{outcome}");
    assert!(!outcome.to_string().contains("guess"));
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_keeps_the_mail_for_later() {
    if !python::has("aiosmtpd") {
        return;
    }
    let office = Office::open("starttls");
    let untrusted = SmtpSettings { extra_roots_pem: None, ..office.settings(TlsMode::StartTls) };
    let misnamed = SmtpSettings { host: "127.0.0.1".to_owned(), ..office.settings(TlsMode::StartTls) };

    for settings in [untrusted, misnamed] {
        let outcome = send(settings).await.unwrap_err();
        assert!(matches!(&outcome, SendError::Retry { why } if why.contains("certificate")), "{outcome}");
    }
    assert_eq!(office.received().len(), 0);
}

#[test]
fn pythons_parser_reads_what_was_meant() {
    if !python::has("email") {
        return;
    }
    let name = "דוד Ünï\\\"cödé, <x@y.example> \u{202e}evil\u{202c} ".to_owned() + &"ن".repeat(100);
    let mail = Outgoing {
        to: contact(&name, "ada@example.com"),
        from: contact("Comma, Shop \"best\" =?utf-8?q?x?=", "shop@shop.example"),
        subject: format!("Ваши файлы: {} — конец", "long name ".repeat(30).trim_end()),
        text: format!(
            "{}\n.\nFrom here\ntrailing space \n=3D tab\t\n{}\n",
            "x".repeat(1200),
            "ä€😀".repeat(50)
        ),
        html: Some(format!("<p dir=\"rtl\">{}</p>\n", "שלום ".repeat(400))),
        ..receipt()
    };

    let read: serde_json::Value =
        serde_json::from_str(&python::run(READER, &compose(&mail).unwrap())).unwrap();

    assert_eq!(read["defects"], serde_json::json!([]));
    assert_eq!(read["types"], serde_json::json!(["multipart/alternative", "text/plain", "text/html"]));
    assert_eq!(read["to"], serde_json::json!([mail.to.name, "ada@example.com"]));
    assert_eq!(read["from"], serde_json::json!([mail.from.name, "shop@shop.example"]));
    assert_eq!(read["subject"], mail.subject);
    assert_eq!(read["date"], "2026-01-09T12:00:00+00:00");
    assert_eq!(read["text"], mail.text);
    assert_eq!(read["html"], mail.html.unwrap());
    assert_eq!(read["headers"].as_array().unwrap().len(), 9);
}
