//! One connection to a mail server, as RFC 5321 has it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kernel::EmailAddress;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::settings::{Credentials, SmtpSettings, SmtpSettingsError, TlsMode};
use super::step::{Step, Steps, Trouble};

/// Bytes of one reply: RFC 5321 allows 512 a line, and a greeting has some dozens of lines.
const REPLY_BYTES_MAX: u64 = 64 * 1024;
/// How much of a server's text is repeated in an error.
const SHOWN_MAX: usize = 300;

/// Opens connections that are ready to take a message.
pub(super) struct Dialer {
    settings: SmtpSettings,
    name: ServerName<'static>,
    tls: Arc<ClientConfig>,
}

impl Dialer {
    pub(super) fn new(settings: SmtpSettings) -> Result<Self, SmtpSettingsError> {
        let name = settings.validate()?;
        let tls = settings.tls_config()?;
        Ok(Self { settings, name, tls })
    }

    pub(super) const fn settings(&self) -> &SmtpSettings {
        &self.settings
    }

    /// Connects, secures the connection, greets and signs in.
    pub(super) async fn dial(&self, steps: &Steps) -> Result<Connection, Trouble> {
        steps.enter(Step::Connect);
        let stream = TcpStream::connect((self.settings.host.as_str(), self.settings.port)).await?;
        // Commands are small and each waits for its answer.
        stream.set_nodelay(true)?;
        let mut connection = match self.settings.tls {
            TlsMode::Clear => {
                let stream: Box<dyn Wire> = Box::new(stream);
                let mut lines = Lines::new(stream);
                lines.greeting(steps).await?;
                Connection { lines }
            }
            TlsMode::Implicit => {
                let mut lines = Lines::new(self.secure(stream, steps).await?);
                lines.greeting(steps).await?;
                Connection { lines }
            }
            TlsMode::StartTls => {
                let mut lines = Lines::new(stream);
                lines.greeting(steps).await?;
                let stream = self.start_tls(lines, steps).await?;
                Connection { lines: Lines::new(self.secure(stream, steps).await?) }
            }
        };
        // What the server offered before TLS may have been forged: ask again.
        let offers = connection.lines.hello(&self.settings.hello, steps).await?;
        if let Some(login) = &self.settings.login {
            connection.lines.login(login, &offers, steps).await?;
        }
        Ok(connection)
    }

    async fn start_tls(&self, mut lines: Lines<TcpStream>, steps: &Steps) -> Result<TcpStream, Trouble> {
        let offers = lines.hello(&self.settings.hello, steps).await?;
        steps.enter(Step::StartTls);
        if !offers.has("STARTTLS") {
            return Err(Trouble::NoStartTls);
        }
        lines.command("STARTTLS", 220).await?;
        // Text that came along with the answer was not sent under TLS, but would be read as if
        // it had been: somebody could answer in the server's place.
        lines.into_stream().ok_or(Trouble::Interference)
    }

    async fn secure(&self, stream: TcpStream, steps: &Steps) -> Result<Box<dyn Wire>, Trouble> {
        steps.enter(Step::StartTls);
        let connector = TlsConnector::from(self.tls.clone());
        let secured = connector.connect(self.name.clone(), stream).await.map_err(Trouble::Tls)?;
        Ok(Box::new(secured))
    }
}

/// A connection that is ready to take a message.
pub(super) struct Connection {
    lines: Lines<Box<dyn Wire>>,
}

impl Connection {
    pub(super) async fn open_mail(&mut self, from: &EmailAddress, steps: &Steps) -> Result<(), Trouble> {
        steps.enter(Step::Sender);
        self.lines.command(&format!("MAIL FROM:<{from}>"), 250).await.map(drop)
    }

    /// Hands the message over and answers what the server said to it.
    pub(super) async fn deliver(
        &mut self,
        to: &EmailAddress,
        raw: &[u8],
        steps: &Steps,
    ) -> Result<String, Trouble> {
        steps.enter(Step::Recipient);
        self.lines.command(&format!("RCPT TO:<{to}>"), 250).await?;
        steps.enter(Step::Data);
        self.lines.command("DATA", 354).await?;
        steps.enter(Step::Content);
        self.lines.write(&stuffed(raw)).await?;
        steps.enter(Step::Confirmation);
        let reply = self.lines.command(".", 250).await?;
        Ok(reply.to_string())
    }

    /// Says good-bye; whether the server hears it does not matter.
    pub(super) async fn quit(mut self) {
        let _ = self.lines.write(b"QUIT\r\n").await;
    }
}

/// A message as it goes after DATA: a leading dot is doubled (RFC 5321, 4.5.2), so that none
/// stands alone on a line, and the last line is complete.
fn stuffed(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len() + 64);
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// Something to speak over.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// Commands out, replies in.
struct Lines<S> {
    stream: BufReader<S>,
}

impl<S: Wire> Lines<S> {
    fn new(stream: S) -> Self {
        Self { stream: BufReader::new(stream) }
    }

    async fn greeting(&mut self, steps: &Steps) -> Result<(), Trouble> {
        steps.enter(Step::Greeting);
        self.reply().await?.expect(220).map(drop)
    }

    async fn hello(&mut self, name: &str, steps: &Steps) -> Result<Reply, Trouble> {
        steps.enter(Step::Hello);
        self.command(&format!("EHLO {name}"), 250).await
    }

    async fn login(&mut self, login: &Credentials, offers: &Reply, steps: &Steps) -> Result<(), Trouble> {
        steps.enter(Step::Login);
        let (user, password) = (&login.user, login.password.expose());
        if offers.has_login("PLAIN") {
            let secret = BASE64.encode(format!("\0{user}\0{password}"));
            self.command(&format!("AUTH PLAIN {secret}"), 235).await?;
        } else if offers.has_login("LOGIN") {
            self.command("AUTH LOGIN", 334).await?;
            self.command(&BASE64.encode(user), 334).await?;
            self.command(&BASE64.encode(password), 235).await?;
        } else {
            return Err(Trouble::NoLogin);
        }
        Ok(())
    }

    async fn command(&mut self, line: &str, expected: u16) -> Result<Reply, Trouble> {
        self.write(format!("{line}\r\n").as_bytes()).await?;
        self.reply().await?.expect(expected)
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.stream.get_mut().write_all(bytes).await?;
        self.stream.get_mut().flush().await?;
        Ok(())
    }

    async fn reply(&mut self) -> Result<Reply, Trouble> {
        let mut lines = Vec::new();
        let mut limited = (&mut self.stream).take(REPLY_BYTES_MAX);
        loop {
            let mut line = Vec::new();
            limited.read_until(b'\n', &mut line).await?;
            if line.is_empty() && limited.limit() > 0 {
                return Err(Trouble::Closed);
            }
            if !line.ends_with(b"\n") {
                return Err(Trouble::Garbled("a line without an end".to_owned()));
            }
            // Servers write in whatever character set they like.
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let garbled = || Trouble::Garbled(shown(&line));
            let (code, rest) = line.split_at_checked(3).ok_or_else(garbled)?;
            let code =
                code.parse::<u16>().ok().filter(|code| (200..600).contains(code)).ok_or_else(garbled)?;
            lines.push(rest.trim_start_matches(['-', ' ']).to_owned());
            match rest.chars().next() {
                Some('-') => {}
                Some(' ') | None => return Ok(Reply { code, lines }),
                Some(_) => return Err(garbled()),
            }
        }
    }

    /// The stream, unless something was read from it that nobody has asked for.
    fn into_stream(self) -> Option<S> {
        self.stream.buffer().is_empty().then(|| self.stream.into_inner())
    }
}

/// What a server answered.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) code: u16,
    lines: Vec<String>,
}

impl Reply {
    /// Only the first digit counts (RFC 5321, 4.3.2): servers are free in the others.
    fn expect(self, code: u16) -> Result<Self, Trouble> {
        match (self.code / 100, code / 100) {
            (found, wanted) if found == wanted => Ok(self),
            (4 | 5, _) => Err(Trouble::Refused(self)),
            _ => Err(Trouble::Garbled(self.to_string())),
        }
    }

    pub(super) const fn is_permanent(&self) -> bool {
        self.code >= 500
    }

    fn has(&self, keyword: &str) -> bool {
        self.lines.iter().skip(1).any(|line| line.eq_ignore_ascii_case(keyword))
    }

    fn has_login(&self, mechanism: &str) -> bool {
        let offers = |line: &String| {
            let line = line.to_ascii_uppercase();
            let mechanisms = line.strip_prefix("AUTH").and_then(|rest| rest.strip_prefix([' ', '=']));
            mechanisms.is_some_and(|offered| offered.split_whitespace().any(|offered| offered == mechanism))
        };
        self.lines.iter().skip(1).any(offers)
    }
}

impl std::fmt::Display for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.code, shown(&self.lines.join(" / ")))
    }
}

/// A stranger's text, short and without what could disturb a terminal or a log.
fn shown(text: &str) -> String {
    text.chars().take(SHOWN_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
