//! What the receiving server takes, and what it does not let itself be talked into.

use kernel::Span;
use mail::sink::Limits;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::shop::{NOON, Post};

/// A client that says anything.
struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    async fn of(post: &Post) -> Self {
        Self { stream: BufReader::new(TcpStream::connect(post.address).await.unwrap()) }
    }

    /// A client with a message to the point where its content may follow.
    async fn sending_to(post: &Post) -> Self {
        let mut client = Self::of(post).await;
        client.hear().await;
        for line in ["EHLO x", "MAIL FROM:<a@example.com>", "RCPT TO:<b@example.com>", "DATA"] {
            client.ask(line).await;
        }
        client
    }

    async fn say(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).await.unwrap();
    }

    /// One whole reply; empty when the server has closed.
    async fn hear(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return reply;
            }
            let more = line.as_bytes().get(3) == Some(&b'-');
            reply.push_str(&line);
            if !more {
                return reply;
            }
        }
    }

    async fn ask(&mut self, line: &str) -> String {
        self.say(format!("{line}\r\n").as_bytes()).await;
        self.hear().await
    }
}

#[tokio::test]
async fn a_session_goes_through_its_steps() {
    let post = Post::open().await;
    let mut client = Client::of(&post).await;

    assert!(client.hear().await.starts_with("220 "));
    assert!(client.ask("EHLO x").await.contains("250-PIPELINING\r\n"));
    assert!(client.ask("MAIL FROM:<a@example.com> SIZE=3").await.starts_with("250 "));
    assert!(client.ask("RCPT TO:<b@example.com>").await.starts_with("250 "));
    assert!(client.ask("RCPT TO:<c@example.com>").await.starts_with("250 "));
    assert!(client.ask("DATA").await.starts_with("354 "));
    assert!(client.ask("Subject: hi\r\n\r\n..dot\r\n.").await.starts_with("250 "));
    assert!(client.ask("NOOP").await.starts_with("250 "));
    assert!(client.ask("VRFY b").await.starts_with("252 "));
    assert!(client.ask("QUIT").await.starts_with("221 "));
    assert_eq!(client.hear().await, "");

    let received = post.mailbox.get(1).unwrap();
    assert_eq!(received.raw, b"Subject: hi\r\n\r\n.dot\r\n");
    assert_eq!(received.to.len(), 2);
    assert_eq!(received.at, NOON);
    assert_eq!(received.parse().subject, "hi");
}

#[tokio::test]
async fn steps_out_of_order_are_refused() {
    let post = Post::open().await;
    let mut client = Client::of(&post).await;
    client.hear().await;

    assert!(client.ask("MAIL FROM:<a@example.com>").await.starts_with("503 "));
    assert!(client.ask("HELO x").await.starts_with("250 "));
    assert!(client.ask("RCPT TO:<b@example.com>").await.starts_with("503 "));
    assert!(client.ask("DATA").await.starts_with("503 "));
    assert!(client.ask("MAIL FROM:<>").await.starts_with("250 "));
    assert!(client.ask("MAIL FROM:<>").await.starts_with("503 "));
    assert!(client.ask("DATA").await.starts_with("503 "));
    assert!(client.ask("RSET").await.starts_with("250 "));
    assert!(client.ask("RCPT TO:<b@example.com>").await.starts_with("503 "));
}

#[tokio::test]
async fn commands_sent_in_one_go_are_answered_one_by_one() {
    let post = Post::open().await;
    let mut client = Client::of(&post).await;

    client.say(b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nhi\r\n.\r\nQUIT\r\n").await;
    post.mailbox.wait_for(1).await;

    let received = post.mailbox.get(1).unwrap();
    assert_eq!((received.from.as_ref(), &received.raw[..]), (None, &b"hi\r\n"[..]));
}

#[tokio::test]
async fn a_message_cannot_hide_a_second_one_behind_odd_line_ends() {
    let post = Post::open().await;
    let hidden = "MAIL FROM:<x@example.com>\r\nRCPT TO:<y@example.com>\r\nDATA\r\nevil\r\n";

    for odd in ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\n.\r"] {
        let mut client = Client::sending_to(&post).await;
        client.say(format!("one{odd}{hidden}.\r\n").as_bytes()).await;
        assert!(client.hear().await.starts_with("554 "), "{odd:?}");
        assert!(client.ask("NOOP").await.starts_with("250 "), "{odd:?}");
    }

    assert_eq!(post.mailbox.received(), 0);
}

#[tokio::test]
async fn a_message_that_is_too_large_is_refused_and_the_session_goes_on() {
    let post = Post::with(Limits { message_bytes_max: 1000, ..Limits::default() }).await;
    let mut client = Client::of(&post).await;
    client.hear().await;
    client.ask("EHLO x").await;

    assert!(client.ask("MAIL FROM:<> SIZE=1001").await.starts_with("552 "));
    client.ask("MAIL FROM:<>").await;
    client.ask("RCPT TO:<b@example.com>").await;
    client.ask("DATA").await;
    client.say("x".repeat(98).as_bytes()).await;
    client.say(b"\r\n").await;
    client.say(format!("{}\r\n", "y".repeat(98)).repeat(10).as_bytes()).await;
    assert!(client.ask(".").await.starts_with("552 "));
    assert!(client.ask("NOOP").await.starts_with("250 "));
    assert_eq!(post.mailbox.received(), 0);
}

#[tokio::test]
async fn a_message_of_exactly_the_limit_is_taken() {
    let post = Post::with(Limits { message_bytes_max: 1000, ..Limits::default() }).await;
    let mut client = Client::sending_to(&post).await;

    client.say(format!("{}\r\n", "y".repeat(98)).repeat(10).as_bytes()).await;

    assert!(client.ask(".").await.starts_with("250 "));
    assert_eq!(post.mailbox.get(1).unwrap().raw.len(), 1000);
}

#[tokio::test]
async fn a_message_without_end_is_not_waited_for() {
    let post = Post::with(Limits { message_bytes_max: 1000, ..Limits::default() }).await;
    let mut client = Client::sending_to(&post).await;

    // All that the server reads before it gives up: what it leaves unread would cost us its answer.
    client.say(&[b'x'; 1000 + 1024]).await;

    assert!(client.hear().await.starts_with("552 "));
    assert_eq!(client.hear().await, "");
}

#[tokio::test]
async fn a_line_that_is_too_long_is_one_mistake() {
    let post = Post::open().await;
    let mut client = Client::of(&post).await;
    client.hear().await;

    assert!(client.ask(&"x".repeat(10_000)).await.starts_with("500 line too long"));
    assert!(client.ask("EHLO x").await.starts_with("250-"));
}

#[tokio::test]
async fn who_talks_nonsense_is_let_go() {
    let post = Post::with(Limits { mistakes_max: 2, ..Limits::default() }).await;
    let mut client = Client::of(&post).await;
    client.hear().await;

    assert!(client.ask("GET / HTTP/1.1").await.starts_with("500 "));
    assert!(client.ask("Host: x").await.starts_with("500 "));
    assert!(client.ask("").await.starts_with("421 "));
    assert_eq!(client.hear().await, "");
}

#[tokio::test]
async fn one_connection_too_many_is_told_to_come_later() {
    let post = Post::with(Limits { connections_max: 1, ..Limits::default() }).await;
    let mut first = Client::of(&post).await;
    assert!(first.hear().await.starts_with("220 "));

    assert!(Client::of(&post).await.hear().await.starts_with("421 "));
    assert!(first.ask("NOOP").await.starts_with("250 "));
}

#[tokio::test]
async fn a_client_that_says_nothing_is_let_go() {
    let post = Post::with(Limits { idle_max: Span::micros(50_000), ..Limits::default() }).await;
    let mut client = Client::of(&post).await;

    assert!(client.hear().await.starts_with("220 "));
    assert_eq!(client.hear().await, "");
}

#[tokio::test]
async fn too_many_recipients_get_another_copy() {
    let post = Post::with(Limits { recipients_max: 1, ..Limits::default() }).await;
    let mut client = Client::of(&post).await;
    client.hear().await;
    client.ask("EHLO x").await;
    client.ask("MAIL FROM:<>").await;

    assert!(client.ask("RCPT TO:<a@example.com>").await.starts_with("250 "));
    assert!(client.ask("RCPT TO:<b@example.com>").await.starts_with("452 "));
    assert!(client.ask("DATA").await.starts_with("354 "));
}

#[tokio::test]
async fn a_dropped_server_closes_its_connections() {
    let post = Post::open().await;
    let mut client = Client::of(&post).await;
    client.hear().await;

    drop(post.sink);

    assert_eq!(client.hear().await, "");
}
