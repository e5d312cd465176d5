//! A visit: who is logged in, where he stands, and what he is answered.

mod files;
mod login;
mod ports;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use super::command::{Command, parse};
use super::control::{Control, Line, Wire};
use super::listing::{self, Form};
use super::passive::Passive;
use super::path::Place;
use super::reply::{Reply, reply};
use super::transfer::{Ended, Transfer};
use super::{Security, Shared, Visitor};
use login::options;

/// So many commands may fail: who asks for more is guessing.
const FAILURES_MAX: u32 = 50;

/// For the last words.
const GOODBYE: Duration = Duration::from_secs(5);

/// A connection that was let in.
pub(super) struct Visit {
    pub(super) shared: Arc<Shared>,
    pub(super) security: Security,
    pub(super) visitor: Visitor,
    pub(super) stopped: watch::Receiver<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Login {
    Outside,
    Named,
    Inside,
}

struct Session {
    visit: Visit,
    local: IpAddr,
    login: Login,
    login_by: Instant,
    /// Whether the control connection is in TLS.
    is_secure: bool,
    /// Whether data connections are.
    data_is_secure: bool,
    place: Place,
    passive: Option<Passive>,
    restart: u64,
    failures: u32,
}

/// What a command leads to.
enum Next {
    Say(Reply),
    Secure,
    Transfer(Box<Transfer>),
    End(Reply),
}

/// Serves a connection to its end.
pub(super) async fn run(visit: Visit, stream: TcpStream) {
    let login_by = Instant::now() + visit.shared.settings.login_timeout;
    let Ok(local) = stream.local_addr() else { return };
    let session = Session {
        local: local.ip(),
        login: Login::Outside,
        login_by,
        is_secure: false,
        data_is_secure: false,
        place: Place::Root,
        passive: None,
        restart: 0,
        failures: 0,
        visit,
    };
    // A client that is gone cannot be told anything.
    let _ = session.serve(stream).await;
}

impl Session {
    async fn serve(mut self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut control = Control::new(Wire::Plain(stream));
        if self.visit.security.implicit {
            control = self.secure(control).await?;
        }
        control.send(&reply(220, "ready; files are for reading only")).await?;
        let mut waiting = None;
        loop {
            let line = match waiting.take() {
                Some(line) => line,
                None => match self.next_line(&mut control).await {
                    Ok(line) => line,
                    Err(farewell) => return say_goodbye(control, &farewell).await,
                },
            };
            let next = match line {
                Line::Closed => return Ok(()),
                Line::TooLong => Next::End(reply(500, "that line is too long")),
                Line::NotText => Next::Say(reply(501, "that is no UTF-8 text without control characters")),
                Line::Text(text) => self.obey(parse(&text)).await,
            };
            match next {
                Next::Say(reply) => {
                    self.failures += u32::from(reply.is_failure());
                    control.send(&reply).await?;
                }
                Next::Secure => {
                    control.send(&reply(234, "go on with TLS")).await?;
                    control = self.secure(control).await?;
                }
                Next::Transfer(transfer) => match transfer.run(&mut control, self.settings()).await? {
                    Ended::Replied(line) => waiting = line,
                    Ended::Gone => return Ok(()),
                },
                Next::End(reply) => return say_goodbye(control, &reply).await,
            }
        }
    }

    fn settings(&self) -> &super::Settings {
        &self.visit.shared.settings
    }

    async fn secure(&mut self, control: Control) -> io::Result<Control> {
        let acceptor = self.visit.security.acceptor.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        let secured = timeout_at(self.login_by, control.secure(acceptor)).await??;
        self.is_secure = true;
        // Who came by TLS wants it for the goods too, and may still say otherwise where that is allowed.
        self.data_is_secure = true;
        // Whatever was said before may have been said by somebody in between.
        self.login = Login::Outside;
        Ok(secured)
    }

    /// The next line, or why there is to be none.
    async fn next_line(&mut self, control: &mut Control) -> Result<Line, Reply> {
        if self.failures > FAILURES_MAX {
            return Err(reply(421, "too many commands have failed"));
        }
        let until = match self.login {
            Login::Inside => Instant::now() + self.settings().idle_timeout,
            Login::Outside | Login::Named => self.login_by,
        };
        let stopped = self.visit.stopped.wait_for(|stopped| *stopped);
        tokio::select! {
            biased;
            _ = stopped => Err(reply(421, "this server is being stopped; come back in a minute")),
            line = timeout_at(until, control.line()) => {
                line.map_err(|_| reply(421, "nothing was asked for too long"))
            }
        }
    }

    async fn obey(&mut self, command: Command) -> Next {
        match command {
            Command::Quit => Next::End(reply(221, "goodbye")),
            Command::Auth(mechanism) => self.auth(&mechanism),
            Command::User(name) => Next::Say(self.user(&name)),
            Command::Pass => Next::Say(self.pass()),
            Command::Feat => Next::Say(self.features()),
            Command::Syst => Next::Say(reply(215, "UNIX Type: L8")),
            Command::Noop => Next::Say(reply(200, "fine")),
            Command::Help => {
                Next::Say(reply(214, "files are fetched with CWD, LIST and RETR in passive mode"))
            }
            Command::Opts(option) => Next::Say(options(&option)),
            Command::Pbsz => Next::Say(self.buffer_size()),
            Command::Prot(level) => Next::Say(self.protect(&level)),
            Command::Ccc => Next::Say(reply(533, "the control connection stays protected")),
            Command::Unknown => Next::Say(reply(500, "that is no command of this server")),
            _ if self.login != Login::Inside => Next::Say(reply(530, "log in first, as anonymous")),
            inside => self.obey_inside(inside).await,
        }
    }

    async fn obey_inside(&mut self, command: Command) -> Next {
        match command {
            Command::Retr(path) => return self.retrieve(&path).await,
            Command::List(path) => return self.list(Form::Long, &path).await,
            Command::Nlst(path) => return self.list(Form::Names, &path).await,
            Command::Mlsd(path) => return self.list(Form::Facts, &path).await,
            _ => {}
        }
        Next::Say(match command {
            Command::Pwd => reply(257, format!("\"{}\"", self.place)),
            Command::Cwd(path) => self.go(&path).await,
            Command::Cdup => self.go("..").await,
            Command::Pasv => self.passive_v4(),
            Command::Epsv(family) => self.passive_any(&family),
            Command::Active => reply(502, "this server connects to nobody: use passive mode (EPSV or PASV)"),
            Command::Type(kind) => match kind.chars().next() {
                Some('I' | 'A' | 'L') => reply(200, "files are sent as they are"),
                _ => reply(504, "types are I and A"),
            },
            Command::Mode(mode) => only(&mode, "S"),
            Command::Stru(structure) => only(&structure, "F"),
            Command::Rest(position) => self.rest(&position),
            Command::Size(path) => self.told(&path, |entry| entry.size.to_string()).await,
            Command::Mdtm(path) => self.told(&path, |entry| listing::stamp(entry.modified)).await,
            Command::Mlst(path) => self.facts(&path).await,
            Command::Stat(path) if path.is_empty() => reply(211, "logged in; no transfer is running"),
            Command::Stat(_) => reply(502, "use LIST or MLST"),
            Command::Abor => reply(226, "there is no transfer"),
            _ => reply(550, "files are for reading only"),
        })
    }

    fn rest(&mut self, position: &str) -> Reply {
        match position.trim().parse() {
            Ok(position) => {
                self.restart = position;
                reply(350, "go on with RETR")
            }
            Err(_) => reply(501, "a position is a number of bytes"),
        }
    }
}

fn only(asked: &str, known: &str) -> Reply {
    if asked == known { reply(200, "fine") } else { reply(504, format!("the only one here is {known}")) }
}

async fn say_goodbye(mut control: Control, farewell: &Reply) -> io::Result<()> {
    timeout(GOODBYE, async {
        control.send(farewell).await?;
        control.end().await;
        Ok(())
    })
    .await?
}
