//! What a client says.

use kernel::EmailAddress;

use super::wire::Reply;

/// A command, understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Ehlo,
    Helo,
    /// The sender, none for a bounce, and the size the client announces.
    Mail {
        from: Option<EmailAddress>,
        size: Option<u64>,
    },
    Recipient(EmailAddress),
    Data,
    Reset,
    Noop,
    Verify,
    Quit,
}

impl Command {
    /// Reads a line without its end.
    pub(super) fn parse(line: &[u8]) -> Result<Self, Reply> {
        let printable = |byte: &u8| matches!(byte, b' '..=b'~');
        let line = std::str::from_utf8(line).ok().filter(|line| line.bytes().all(|byte| printable(&byte)));
        let Some(line) = line else {
            return Err(Reply::new(500, "commands are printable ASCII"));
        };
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => named(rest).map(|()| Self::Ehlo),
            "HELO" => named(rest).map(|()| Self::Helo),
            "MAIL" => mail(rest),
            "RCPT" => recipient(rest),
            "DATA" => bare(rest).map(|()| Self::Data),
            "RSET" => bare(rest).map(|()| Self::Reset),
            "QUIT" => bare(rest).map(|()| Self::Quit),
            "NOOP" => Ok(Self::Noop),
            "VRFY" => Ok(Self::Verify),
            _ => Err(Reply::new(500, "unknown command")),
        }
    }
}

fn named(rest: &str) -> Result<(), Reply> {
    if rest.is_empty() { Err(Reply::new(501, "say your name, as in EHLO mail.example.com")) } else { Ok(()) }
}

fn bare(rest: &str) -> Result<(), Reply> {
    if rest.is_empty() { Ok(()) } else { Err(Reply::new(501, "this command takes nothing after it")) }
}

fn mail(rest: &str) -> Result<Command, Reply> {
    let (path, parameters) = path("FROM:", rest)?;
    let from = if path.is_empty() { None } else { Some(address(path)?) };
    let mut size = None;
    for parameter in parameters.split_whitespace() {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name.to_ascii_uppercase().as_str() {
            "SIZE" => {
                size = Some(value.parse().map_err(|_| Reply::new(501, "SIZE is a number of bytes"))?);
            }
            // Both bodies are kept byte by byte.
            "BODY" if ["7BIT", "8BITMIME"].contains(&value.to_ascii_uppercase().as_str()) => {}
            _ => return Err(Reply::new(555, "unknown parameter of MAIL")),
        }
    }
    Ok(Command::Mail { from, size })
}

fn recipient(rest: &str) -> Result<Command, Reply> {
    let (path, parameters) = path("TO:", rest)?;
    if parameters.is_empty() {
        address(path).map(Command::Recipient)
    } else {
        Err(Reply::new(555, "unknown parameter of RCPT"))
    }
}

/// What stands between the angle brackets, and what follows them.
fn path<'a>(keyword: &str, rest: &'a str) -> Result<(&'a str, &'a str), Reply> {
    let wrong = || Reply::new(501, "write MAIL FROM:<name@domain> and RCPT TO:<name@domain>");
    let (found, path) = rest.split_at_checked(keyword.len()).ok_or_else(wrong)?;
    if !found.eq_ignore_ascii_case(keyword) {
        return Err(wrong());
    }
    // A space after the colon is wrong, but common.
    let path = path.trim_start().strip_prefix('<').ok_or_else(wrong)?;
    let (path, parameters) = path.split_once('>').ok_or_else(wrong)?;
    if parameters.is_empty() || parameters.starts_with(' ') {
        Ok((path, parameters.trim()))
    } else {
        Err(wrong())
    }
}

fn address(path: &str) -> Result<EmailAddress, Reply> {
    EmailAddress::parse(path).map_err(|error| Reply::new(501, &error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(line: &[u8]) -> u16 {
        Command::parse(line).unwrap_err().code
    }

    fn ada() -> EmailAddress {
        EmailAddress::parse("ada@example.com").unwrap()
    }

    #[test]
    fn commands_are_understood_whatever_their_case() {
        assert_eq!(Command::parse(b"ehlo mail.example.com"), Ok(Command::Ehlo));
        assert_eq!(Command::parse(b"rcpt to:<Ada@Example.com>"), Ok(Command::Recipient(ada())));
        assert_eq!(
            Command::parse(b"MAIL FROM:<ada@example.com> SIZE=100 BODY=8BITMIME"),
            Ok(Command::Mail { from: Some(ada()), size: Some(100) })
        );
    }

    #[test]
    fn a_bounce_has_no_sender() {
        assert_eq!(Command::parse(b"MAIL FROM:<>"), Ok(Command::Mail { from: None, size: None }));
    }

    #[test]
    fn one_mailbox_is_one_address() {
        assert_eq!(code(b"RCPT TO:<ada@example.com,bob@example.com>"), 501);
        assert_eq!(code(b"RCPT TO:<ada@example.com>>"), 501);
        assert_eq!(code(b"RCPT TO:<@relay:ada@example.com>"), 501);
        assert_eq!(code(b"RCPT TO:<>"), 501);
        assert_eq!(code(b"RCPT TO:ada@example.com"), 501);
    }

    #[test]
    fn a_line_break_inside_a_command_is_refused() {
        assert_eq!(code(b"RCPT TO:<ada@example.com>\nDATA"), 500);
        assert_eq!(code(b"RCPT TO:<ada@example.com>\rDATA"), 500);
    }

    #[test]
    fn what_is_not_offered_is_refused() {
        assert_eq!(code(b"STARTTLS"), 500);
        assert_eq!(code(b"MAIL FROM:<ada@example.com> SMTPUTF8"), 555);
        assert_eq!(code(b"RCPT TO:<ada@example.com> NOTIFY=NEVER"), 555);
        assert_eq!(code(b"EHLO"), 501);
        assert_eq!(code(b"DATA now"), 501);
    }
}
