//! What no decent client sends.

use std::time::Duration;

use ftp::door::Settings;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::support::{Kind, NAME, Open, Shop, settings};

struct Client(BufReader<TcpStream>);

impl Client {
    async fn new(door: &Open) -> Self {
        Self(BufReader::new(TcpStream::connect(door.address).await.unwrap()))
    }

    async fn hear(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).await.unwrap();
        line
    }

    async fn say(&mut self, bytes: impl AsRef<[u8]>) -> String {
        self.0.write_all(bytes.as_ref()).await.unwrap();
        self.hear().await
    }

    async fn inside(door: &Open) -> Self {
        let mut client = Self::new(door).await;
        client.hear().await;
        client.say("USER anonymous\r\n").await;
        assert!(client.say("PASS x\r\n").await.starts_with("230"));
        client
    }

    /// Whether the door has hung up.
    async fn is_over(&mut self) -> bool {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).await.is_ok()
    }
}

async fn open(kind: Kind, settings: Settings) -> Open {
    Open::new(kind, Shop::default(), settings).await
}

#[tokio::test]
async fn clear_text_behind_the_request_for_tls_is_not_taken_for_protected() {
    let door = open(Kind::Required, settings()).await;
    let mut client = Client::new(&door).await;
    client.hear().await;
    assert!(client.say("AUTH TLS\r\nUSER anonymous\r\nPASS x\r\n").await.starts_with("234"));
    assert!(client.is_over().await);
}

#[tokio::test]
async fn a_line_without_an_end_is_not_waited_for() {
    let door = open(Kind::Plain, settings()).await;
    let mut client = Client::new(&door).await;
    client.hear().await;
    assert!(client.say(vec![b'A'; 5000]).await.starts_with("500"));
}

#[tokio::test]
async fn who_does_not_log_in_is_sent_away() {
    let short = Settings { login_timeout: Duration::from_millis(50), ..settings() };
    let door = open(Kind::Plain, short).await;
    let mut client = Client::new(&door).await;
    assert!(client.hear().await.starts_with("220"));
    assert!(client.hear().await.starts_with("421"));
    assert!(client.is_over().await);
}

#[tokio::test]
async fn who_asks_for_nothing_is_sent_away() {
    let short = Settings { idle_timeout: Duration::from_millis(50), ..settings() };
    let door = open(Kind::Plain, short).await;
    let mut client = Client::inside(&door).await;
    assert!(client.hear().await.starts_with("421"));
}

#[tokio::test]
async fn who_has_no_name_gets_no_answers_about_files() {
    let door = open(Kind::Plain, settings()).await;
    let mut client = Client::new(&door).await;
    client.hear().await;
    for command in [format!("CWD {NAME}"), format!("SIZE {NAME}/a"), "PASV".to_owned(), "LIST".to_owned()] {
        assert!(client.say(format!("{command}\r\n")).await.starts_with("530"), "{command}");
    }
    assert!(client.say("USER root\r\n").await.starts_with("530"));
    assert!(client.say("PASS x\r\n").await.starts_with("503"));
}

#[tokio::test]
async fn who_guesses_names_is_sent_away() {
    let door = open(Kind::Plain, settings()).await;
    let mut client = Client::inside(&door).await;
    let mut guesses = 0;
    while client.say(format!("CWD {guesses}\r\n")).await.starts_with("550") {
        guesses += 1;
    }
    assert_eq!(guesses, 51);
}

#[tokio::test]
async fn one_address_has_so_many_connections_and_no_more() {
    let few = Settings { connections_each_max: 2, ..settings() };
    let door = open(Kind::Plain, few).await;
    let mut inside = [Client::new(&door).await, Client::new(&door).await];
    for client in &mut inside {
        assert!(client.hear().await.starts_with("220"));
    }
    let mut third = Client::new(&door).await;
    assert!(third.hear().await.starts_with("421"));
    let [mut first, _second] = inside;
    assert!(first.say("QUIT\r\n").await.starts_with("221"));
    assert!(first.is_over().await);
}

#[tokio::test]
async fn a_file_without_a_data_connection_is_not_begun() {
    let door = open(Kind::Plain, settings()).await;
    let mut client = Client::inside(&door).await;
    assert!(client.say(format!("RETR {NAME}/Harbor Charts.zip\r\n")).await.starts_with("425"));
    assert_eq!(door.fetched(), 0);
}

#[tokio::test]
async fn a_data_connection_that_nobody_opens_is_given_up() {
    let short = Settings { data_timeout: Duration::from_millis(50), ..settings() };
    let door = open(Kind::Plain, short).await;
    let mut client = Client::inside(&door).await;
    assert!(client.say("EPSV\r\n").await.starts_with("229"));
    assert!(client.say(format!("RETR {NAME}/Harbor Charts.zip\r\n")).await.starts_with("150"));
    assert!(client.hear().await.starts_with("425"));
    assert!(client.say("NOOP\r\n").await.starts_with("200"));
}

#[tokio::test]
async fn a_stop_sends_idle_visitors_away_and_lets_transfers_end() {
    let mut door = open(Kind::Plain, settings()).await;
    let mut idle = Client::inside(&door).await;
    let mut busy = Client::inside(&door).await;
    let told = busy.say("EPSV\r\n").await;
    let port: u16 = told.split('|').nth(3).unwrap().parse().unwrap();
    let mut data = TcpStream::connect((door.address.ip(), port)).await.unwrap();
    assert!(busy.say(format!("RETR {NAME}/Harbor Charts.zip\r\n")).await.starts_with("150"));

    door.stop();

    assert!(idle.hear().await.starts_with("421"));
    let mut got = Vec::new();
    data.read_to_end(&mut got).await.unwrap();
    assert!(got == crate::support::charts());
    assert!(busy.hear().await.starts_with("226"));
    assert!(busy.hear().await.starts_with("421"));
    assert_eq!(door.closed().await, 0);
}

#[tokio::test]
async fn who_does_not_read_is_cut_off() {
    let short = Settings { data_timeout: Duration::from_millis(100), ..settings() };
    let door = Open::new(Kind::Plain, Shop { repeated: 20, ..Shop::default() }, short).await;
    let mut client = Client::inside(&door).await;
    let told = client.say("EPSV\r\n").await;
    let port: u16 = told.split('|').nth(3).unwrap().parse().unwrap();
    let data = TcpStream::connect((door.address.ip(), port)).await.unwrap();
    assert!(client.say(format!("RETR {NAME}/Harbor Charts.zip\r\n")).await.starts_with("150"));
    assert!(client.hear().await.starts_with("426"));
    drop(data);
}
