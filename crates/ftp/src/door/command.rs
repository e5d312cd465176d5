//! Command lines, read.

/// What a client asks for. What would change anything is one command: it is refused whatever it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// `USER`
    User(String),
    /// `PASS`; what it says is nobody's business.
    Pass,
    /// `AUTH` with the mechanism in capitals.
    Auth(String),
    /// `PBSZ`
    Pbsz,
    /// `PROT` with the level in capitals.
    Prot(String),
    /// `CCC`
    Ccc,
    /// `FEAT`
    Feat,
    /// `OPTS` in capitals.
    Opts(String),
    /// `SYST`
    Syst,
    /// `TYPE` in capitals.
    Type(String),
    /// `MODE` in capitals.
    Mode(String),
    /// `STRU` in capitals.
    Stru(String),
    /// `PWD`
    Pwd,
    /// `CWD`
    Cwd(String),
    /// `CDUP`
    Cdup,
    /// `PASV`
    Pasv,
    /// `EPSV` with its argument in capitals.
    Epsv(String),
    /// `PORT` and `EPRT`
    Active,
    /// `LIST`
    List(String),
    /// `NLST`
    Nlst(String),
    /// `MLSD`
    Mlsd(String),
    /// `MLST`
    Mlst(String),
    /// `STAT`
    Stat(String),
    /// `SIZE`
    Size(String),
    /// `MDTM`
    Mdtm(String),
    /// `REST`
    Rest(String),
    /// `RETR`
    Retr(String),
    /// `ABOR`
    Abor,
    /// `NOOP`, `ALLO`, `ACCT`: accepted, and without effect.
    Noop,
    /// `HELP`, `SITE HELP`
    Help,
    /// `QUIT`
    Quit,
    /// `REIN`, which today's clients do not send, and whatever else is not known.
    Unknown,
    /// Everything that writes.
    Write,
}

/// Reads a line without its end.
pub(super) fn parse(line: &str) -> Command {
    let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
    let text = || argument.to_owned();
    let word = || argument.trim().to_ascii_uppercase();
    match verb.to_ascii_uppercase().as_str() {
        "USER" => Command::User(text()),
        "PASS" => Command::Pass,
        "AUTH" => Command::Auth(word()),
        "PBSZ" => Command::Pbsz,
        "PROT" => Command::Prot(word()),
        "CCC" => Command::Ccc,
        "FEAT" => Command::Feat,
        "OPTS" => Command::Opts(word()),
        "SYST" => Command::Syst,
        "TYPE" => Command::Type(word()),
        "MODE" => Command::Mode(word()),
        "STRU" => Command::Stru(word()),
        "PWD" | "XPWD" => Command::Pwd,
        "CWD" | "XCWD" => Command::Cwd(text()),
        "CDUP" | "XCUP" => Command::Cdup,
        "PASV" => Command::Pasv,
        "EPSV" => Command::Epsv(word()),
        "PORT" | "EPRT" => Command::Active,
        "LIST" => Command::List(without_options(argument)),
        "NLST" => Command::Nlst(without_options(argument)),
        "MLSD" => Command::Mlsd(text()),
        "MLST" => Command::Mlst(text()),
        "STAT" => Command::Stat(without_options(argument)),
        "SIZE" => Command::Size(text()),
        "MDTM" => Command::Mdtm(text()),
        "REST" => Command::Rest(text()),
        "RETR" => Command::Retr(text()),
        "ABOR" => Command::Abor,
        "NOOP" | "ALLO" | "ACCT" => Command::Noop,
        "HELP" => Command::Help,
        "QUIT" => Command::Quit,
        "STOR" | "STOU" | "APPE" | "DELE" | "RMD" | "XRMD" | "MKD" | "XMKD" | "RNFR" | "RNTO" | "MFMT"
        | "SITE" | "SMNT" => Command::Write,
        _ => Command::Unknown,
    }
}

/// Clients ask for listings as they would ask `ls`: `LIST -la name`.
fn without_options(argument: &str) -> String {
    let mut rest = argument.trim_start();
    while rest.starts_with('-') {
        rest = rest.split_once(' ').map_or("", |(_, rest)| rest.trim_start());
    }
    rest.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_are_read_in_any_case_and_names_as_they_are() {
        assert_eq!(parse("retr  A b.Zip "), Command::Retr(" A b.Zip ".to_owned()));
        assert_eq!(parse("prot p"), Command::Prot("P".to_owned()));
        assert_eq!(parse("PWD"), Command::Pwd);
        assert_eq!(parse("FROB x"), Command::Unknown);
        assert_eq!(parse(""), Command::Unknown);
    }

    #[test]
    fn options_of_ls_are_no_names() {
        assert_eq!(parse("LIST -la"), Command::List(String::new()));
        assert_eq!(parse("LIST -l -a name -x"), Command::List("name -x".to_owned()));
        assert_eq!(parse("NLST name"), Command::Nlst("name".to_owned()));
    }

    #[test]
    fn whatever_writes_is_one_command() {
        for line in ["STOR x", "APPE x", "DELE x", "MKD x", "RMD x", "RNFR x", "SITE CHMOD 777 x"] {
            assert_eq!(parse(line), Command::Write, "{line}");
        }
    }
}
