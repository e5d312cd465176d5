//! A shop's mail and the mail server beside it.

use std::net::SocketAddr;
use std::sync::Arc;

use kernel::{EmailAddress, ManualClock, Span, Timestamp};
use mail::sink::{Limits, Sink};
use mail::{Contact, Mailbox, Outgoing, SmtpMailer, SmtpSettings, TlsMode};
use tokio::net::TcpListener;

pub const NOON: Timestamp = Timestamp::from_seconds(1_767_960_000);

pub fn contact(name: &str, address: &str) -> Contact {
    Contact { name: name.to_owned(), address: EmailAddress::parse(address).unwrap() }
}

pub fn receipt() -> Outgoing {
    Outgoing {
        message_id: "msg_01j9zx.1@shop.example".to_owned(),
        from: contact("Fern & Söhne", "shop@shop.example"),
        to: contact("Ada Lovelace", "ada@example.com"),
        reply_to: Some(contact("", "help@shop.example")),
        subject: "Your files are ready".to_owned(),
        text: "Hello Ada,\n\nhere they are:\nhttps://shop.example/d/abc\n".to_owned(),
        html: Some(
            "<p>Hello Ada,</p>\n<p><a href=\"https://shop.example/d/abc\">here</a> they are</p>".to_owned(),
        ),
        date: NOON,
    }
}

pub fn settings(address: SocketAddr) -> SmtpSettings {
    SmtpSettings {
        host: address.ip().to_string(),
        port: address.port(),
        tls: TlsMode::Clear,
        login: None,
        hello: "shop.example".to_owned(),
        timeout: Span::seconds(20),
        extra_roots_pem: None,
    }
}

/// A mail server in this process.
pub struct Post {
    pub address: SocketAddr,
    pub mailbox: Mailbox,
    pub sink: Sink,
}

impl Post {
    pub async fn open() -> Self {
        Self::with(Limits::default()).await
    }

    pub async fn with(limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mailbox = Mailbox::new();
        let sink = Sink::start(listener, mailbox.clone(), Arc::new(ManualClock::at(NOON)), limits);
        Self { address, mailbox, sink }
    }

    pub fn mailer(&self) -> SmtpMailer {
        SmtpMailer::new(settings(self.address)).unwrap()
    }

    pub fn mailer_with_deadline(&self, timeout: Span) -> SmtpMailer {
        SmtpMailer::new(SmtpSettings { timeout, ..settings(self.address) }).unwrap()
    }
}
