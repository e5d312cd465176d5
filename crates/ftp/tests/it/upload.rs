//! The uploader against ProFTPD, and against a server that lies.

use std::io;

use bytes::Bytes;
use ftp::upload::{Account, Content, Parcel, Security, Sent, UploadError, put, try_out};
use kernel::Secret;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::support::charts;
use crate::support::proftpd::{PASSWORD, ProFtpd, client, plain_account};

/// Bytes in memory, which cannot be read beyond a position.
struct Memory {
    bytes: Vec<u8>,
    readable: usize,
}

impl Content for Memory {
    fn part(&self, from: u64) -> io::Result<Bytes> {
        let from = usize::try_from(from).unwrap();
        if from >= self.readable {
            return Err(io::Error::other("the disk has gone"));
        }
        let to = self.readable.min(from + 256 * 1024);
        Ok(Bytes::copy_from_slice(&self.bytes[from..to]))
    }
}

fn whole() -> Memory {
    Memory { readable: charts().len(), bytes: charts() }
}

fn parcel() -> Parcel {
    let size = u64::try_from(charts().len()).unwrap();
    Parcel { name: "1001-1 Plakat.pdf".to_owned(), size, sha256: "ab12".repeat(16) }
}

#[tokio::test]
async fn a_file_arrives_whole_in_a_directory_that_is_made_for_it() {
    let server = ProFtpd::with_tls().await;
    let account = server.account("/jobs/A4 matt/");
    let sent = put(server.connect().await, &account, &parcel(), &whole()).await;
    assert_eq!(sent, Ok(Sent::From(0)));
    assert_eq!(server.names("jobs/A4 matt"), ["1001-1 Plakat.pdf"]);
    assert!(server.file("jobs/A4 matt/1001-1 Plakat.pdf") == charts());
}

#[tokio::test]
async fn an_attempt_that_broke_off_leaves_no_name_and_is_gone_on_with() {
    let server = ProFtpd::with_tls().await;
    let account = server.account("/");
    let broken = Memory { readable: 1_000_000, ..whole() };

    let first = put(server.connect().await, &account, &parcel(), &broken).await.unwrap_err();
    assert!(!first.is_final());
    assert_eq!(server.names(""), [".1001-1 Plakat.pdf.ab12ab12ab12ab12.part"]);

    let second = put(server.connect().await, &account, &parcel(), &whole()).await.unwrap();
    assert!(matches!(second, Sent::From(from) if from > 0), "{second:?}");
    assert_eq!(server.names(""), ["1001-1 Plakat.pdf"]);
    assert!(server.file("1001-1 Plakat.pdf") == charts());
}

#[tokio::test]
async fn what_is_there_already_is_not_sent_again() {
    let server = ProFtpd::with_tls().await;
    let account = server.account("jobs");
    put(server.connect().await, &account, &parcel(), &whole()).await.unwrap();
    let unreadable = Memory { readable: 0, ..whole() };
    let again = put(server.connect().await, &account, &parcel(), &unreadable).await;
    assert_eq!(again, Ok(Sent::Before));
}

#[tokio::test]
async fn another_file_of_the_name_is_replaced_also_where_renaming_does_not() {
    for more in ["", "AllowOverwrite off\n"] {
        let server = ProFtpd::plain(more).await;
        std::fs::write(server.home.join("1001-1 Plakat.pdf"), "older").unwrap();
        let sent = put(server.connect().await, &plain_account("/"), &parcel(), &whole()).await;
        assert_eq!(sent, Ok(Sent::From(0)));
        assert!(server.file("1001-1 Plakat.pdf") == charts());
        assert_eq!(server.names("").len(), 1);
    }
}

#[tokio::test]
async fn a_remainder_that_is_longer_than_the_file_is_thrown_away() {
    let server = ProFtpd::plain("").await;
    let part = server.home.join(".1001-1 Plakat.pdf.ab12ab12ab12ab12.part");
    std::fs::write(part, vec![0; charts().len() + 1]).unwrap();
    let sent = put(server.connect().await, &plain_account("/"), &parcel(), &whole()).await;
    assert_eq!(sent, Ok(Sent::From(0)));
    assert!(server.file("1001-1 Plakat.pdf") == charts());
}

#[tokio::test]
async fn a_file_of_no_bytes_arrives_too() {
    let server = ProFtpd::plain("").await;
    let empty = Parcel { size: 0, ..parcel() };
    let sent = put(server.connect().await, &plain_account("/"), &empty, &whole()).await;
    assert_eq!(sent, Ok(Sent::From(0)));
    assert_eq!(server.file("1001-1 Plakat.pdf"), b"");
}

#[tokio::test]
async fn a_trial_makes_the_directory_and_leaves_nothing_in_it() {
    let server = ProFtpd::with_tls().await;
    try_out(server.connect().await, &server.account("jobs/new")).await.unwrap();
    assert_eq!(server.names("jobs/new"), [""; 0]);
}

#[tokio::test]
async fn a_wrong_password_is_said_and_not_shown() {
    let server = ProFtpd::with_tls().await;
    let account = Account { password: Secret::new("wr0ng!pw".to_owned()), ..server.account("/") };
    let error = try_out(server.connect().await, &account).await.unwrap_err();
    assert!(matches!(error, UploadError::Login { .. }), "{error:?}");
    assert!(error.is_final());
    assert!(!format!("{error} {error:?}").contains("wr0ng"));
}

#[tokio::test]
async fn a_server_without_tls_or_with_a_strange_certificate_hears_no_password() {
    let (plain, other) = (ProFtpd::plain("").await, ProFtpd::with_tls().await);
    let no_tls = try_out(plain.connect().await, &other.account("/")).await.unwrap_err();
    assert!(matches!(no_tls, UploadError::NoTls { .. }), "{no_tls:?}");
    let account = Account { security: Security::Tls(client(&[])), ..other.account("/") };
    let strange = try_out(other.connect().await, &account).await.unwrap_err();
    assert!(matches!(strange, UploadError::NoTls { .. }), "{strange:?}");
}

#[tokio::test]
async fn a_server_that_wants_tls_is_not_spoken_to_in_clear_text() {
    let server = ProFtpd::with_tls().await;
    let error = try_out(server.connect().await, &plain_account("/")).await.unwrap_err();
    assert!(error.is_final(), "{error:?}");
}

#[tokio::test]
async fn a_line_break_in_any_field_is_refused_before_anything_is_said() {
    let server = ProFtpd::plain("").await;
    let good = || plain_account("/");
    let accounts = [
        Account { directory: "a\r\nDELE b".to_owned(), ..good() },
        Account { user: "printer\r\nDELE b".to_owned(), ..good() },
        Account { password: Secret::new(format!("{PASSWORD}\nDELE b")), ..good() },
        Account { directory: "../other".to_owned(), ..good() },
    ];
    for account in accounts {
        let error = try_out(server.connect().await, &account).await.unwrap_err();
        assert!(matches!(error, UploadError::Invalid(_)), "{error:?}");
    }
    let hidden = Parcel { name: "a\r\nDELE b".to_owned(), ..parcel() };
    let error = put(server.connect().await, &good(), &hidden, &whole()).await.unwrap_err();
    assert!(matches!(error, UploadError::Invalid(_)), "{error:?}");
}

/// A server that answers `PASV` with this, and says what became of the data connection.
async fn lie(passive: String) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 hello\r\n").await.unwrap();
        let mut line = String::new();
        while stream.read_line(&mut line).await.unwrap_or(0) > 0 {
            let reply = match line.split_whitespace().next() {
                Some("USER") => "331 password\r\n".to_owned(),
                Some("PASS") => "230 in\r\n".to_owned(),
                Some("TYPE") => "200 fine\r\n".to_owned(),
                Some("SIZE") => "550 none\r\n".to_owned(),
                Some("STOR") => "150 go on\r\n".to_owned(),
                Some("PASV") => format!("227 Entering Passive Mode ({passive})\r\n"),
                _ => "502 what\r\n".to_owned(),
            };
            stream.write_all(reply.as_bytes()).await.unwrap();
            line.clear();
        }
    });
    TcpStream::connect(address).await.unwrap()
}

#[tokio::test]
async fn the_file_goes_to_the_server_itself_whatever_address_it_names() {
    let data = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let [high, low] = data.local_addr().unwrap().port().to_be_bytes();
    // 192.0.2.1 is nobody's address: a connection to it would hang.
    let control = lie(format!("192,0,2,1,{high},{low}")).await;
    let small = Memory { bytes: b"%PDF".to_vec(), readable: 4 };
    let wanted = Parcel { size: 4, ..parcel() };
    let account = plain_account("/");
    let sending = put(control, &account, &wanted, &small);
    let receiving = async {
        let (mut stream, _) = data.accept().await.unwrap();
        let mut got = Vec::new();
        stream.read_to_end(&mut got).await.unwrap();
        got
    };
    tokio::select! {
        got = receiving => assert_eq!(got, b"%PDF"),
        ended = sending => panic!("{ended:?}"),
    }
}

#[tokio::test]
async fn a_port_of_another_service_is_not_written_to() {
    let control = lie("127,0,0,1,0,25".to_owned()).await;
    let error = put(control, &plain_account("/"), &parcel(), &whole()).await.unwrap_err();
    assert!(error.to_string().contains("port 25"), "{error}");
}
