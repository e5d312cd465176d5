//! One client's session: greeting, commands in their order, messages.

use kernel::EmailAddress;
use tokio::net::TcpStream;

use super::Shared;
use super::command::Command;
use super::script::{Fault, Stage};
use super::wire::{Content, Line, Over, Reply, Wire};

/// Length of a command: 512 in RFC 5321, more with its extensions.
const COMMAND_BYTES_MAX: usize = 2048;

pub(super) struct Session<'a> {
    wire: Wire,
    shared: &'a Shared,
    greeted: bool,
    mail: Option<Mail>,
    mistakes: u32,
}

/// A message whose envelope is being filled in.
struct Mail {
    from: Option<EmailAddress>,
    to: Vec<EmailAddress>,
}

impl<'a> Session<'a> {
    pub(super) fn new(stream: TcpStream, shared: &'a Shared) -> Self {
        let wire = Wire::new(stream, shared.limits.idle_max.to_std());
        Self { wire, shared, greeted: false, mail: None, mistakes: 0 }
    }

    pub(super) async fn run(&mut self) -> Result<(), Over> {
        if !self.misbehave(Stage::Connect).await? {
            self.say(220, "handsel ready to receive").await?;
        }
        loop {
            let understood = match self.wire.line(COMMAND_BYTES_MAX).await? {
                Line::Whole(line) => Command::parse(&line),
                Line::TooLong => Err(Reply::new(500, "line too long")),
            };
            match understood {
                Ok(command) => self.obey(command).await?,
                Err(reply) => self.refuse(reply).await?,
            }
        }
    }

    /// For a client that is one too many.
    pub(super) async fn turn_away(&mut self) -> Result<(), Over> {
        self.say(421, "too many connections, come again later").await
    }

    async fn obey(&mut self, command: Command) -> Result<(), Over> {
        match command {
            Command::Ehlo | Command::Helo => self.greet(command == Command::Ehlo).await,
            Command::Mail { from, size } => self.begin_mail(from, size).await,
            Command::Recipient(to) => self.add_recipient(to).await,
            Command::Data => self.take_message().await,
            Command::Reset => {
                self.mail = None;
                self.say(250, "forgotten").await
            }
            Command::Noop => self.say(250, "still here").await,
            Command::Verify => self.say(252, "send it and see").await,
            Command::Quit => {
                self.say(221, "good-bye").await?;
                Err(Over)
            }
        }
    }

    async fn greet(&mut self, extended: bool) -> Result<(), Over> {
        if self.misbehave(Stage::Hello).await? {
            return Ok(());
        }
        // A greeting in mid-session starts it anew (RFC 5321, 4.1.4).
        self.greeted = true;
        self.mail = None;
        if !extended {
            return self.say(250, "handsel").await;
        }
        let size = format!("SIZE {}", self.shared.limits.message_bytes_max);
        self.wire.say_all(250, &["handsel".into(), "PIPELINING".into(), "8BITMIME".into(), size]).await
    }

    async fn begin_mail(&mut self, from: Option<EmailAddress>, size: Option<u64>) -> Result<(), Over> {
        if !self.greeted {
            return self.refuse(Reply::new(503, "say EHLO first")).await;
        }
        if self.mail.is_some() {
            return self.refuse(Reply::new(503, "one message at a time; RSET forgets this one")).await;
        }
        if self.misbehave(Stage::Mail).await? {
            return Ok(());
        }
        let max = u64::try_from(self.shared.limits.message_bytes_max).unwrap_or(u64::MAX);
        if size.is_some_and(|size| size > max) {
            return self.too_large().await;
        }
        self.mail = Some(Mail { from, to: Vec::new() });
        self.say(250, "go on").await
    }

    async fn add_recipient(&mut self, to: EmailAddress) -> Result<(), Over> {
        let known = self.mail.as_ref().map(|mail| mail.to.len());
        let Some(known) = known else {
            return self.refuse(Reply::new(503, "say MAIL first")).await;
        };
        if self.misbehave(Stage::Recipient).await? {
            return Ok(());
        }
        if known >= self.shared.limits.recipients_max {
            return self.say(452, "enough recipients; send the others another copy").await;
        }
        if let Some(mail) = &mut self.mail {
            mail.to.push(to);
        }
        self.say(250, "go on").await
    }

    async fn take_message(&mut self) -> Result<(), Over> {
        let Some(mail) = self.mail.take_if(|mail| !mail.to.is_empty()) else {
            return self.refuse(Reply::new(503, "say MAIL and RCPT first")).await;
        };
        if self.misbehave(Stage::Data).await? {
            return Ok(());
        }
        self.say(354, "end with a line that is a single dot").await?;
        match self.wire.content(self.shared.limits.message_bytes_max).await? {
            Content::Message(raw) => self.keep(mail, raw).await,
            Content::TooLarge => self.too_large().await,
            Content::Endless => {
                self.too_large().await?;
                Err(Over)
            }
            Content::BareLineEnd => self.refuse(Reply::new(554, "lines of a message end with CR LF")).await,
        }
    }

    async fn keep(&mut self, mail: Mail, raw: Vec<u8>) -> Result<(), Over> {
        let at = self.shared.clock.now();
        let fault = self.shared.script.at(Stage::EndOfData);
        if fault.as_ref().is_some_and(|fault| *fault != Fault::KeepThenDrop) {
            return self.act_out(fault).await.map(drop);
        }
        let id = self.shared.mailbox.receive(mail.from, mail.to, raw, at);
        if self.act_out(fault).await? {
            return Ok(());
        }
        self.mistakes = 0;
        self.say(250, &format!("kept as {id}")).await
    }

    async fn too_large(&mut self) -> Result<(), Over> {
        self.say(552, &format!("a message has at most {} bytes", self.shared.limits.message_bytes_max)).await
    }

    /// A client that talks nonsense is let go after a while: it is none, or means no good.
    async fn refuse(&mut self, reply: Reply) -> Result<(), Over> {
        self.mistakes += 1;
        if self.mistakes > self.shared.limits.mistakes_max {
            self.say(421, "too many mistakes").await?;
            return Err(Over);
        }
        self.wire.say(&reply).await
    }

    /// Does what the script wants at this stage; whether it wanted anything.
    async fn misbehave(&mut self, stage: Stage) -> Result<bool, Over> {
        let fault = self.shared.script.at(stage);
        self.act_out(fault).await
    }

    async fn act_out(&mut self, fault: Option<Fault>) -> Result<bool, Over> {
        match fault {
            None => Ok(false),
            Some(Fault::Drop | Fault::KeepThenDrop) => Err(Over),
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Reply(code, text)) => {
                self.say(code, &text).await?;
                if code == 421 { Err(Over) } else { Ok(true) }
            }
        }
    }

    async fn say(&mut self, code: u16, text: &str) -> Result<(), Over> {
        self.wire.say(&Reply::new(code, text)).await
    }
}
