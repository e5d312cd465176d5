//! Why a file is not there.

use kernel::Secret;
use suppaftp::{FtpError, Status};

use super::Invalid;

/// Of what a server says, so much is repeated.
const SAID_CHARACTERS_MAX: usize = 200;

/// Why a file is not there. What a server said is repeated in part, and never the password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UploadError {
    /// It cannot be said to any server.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The server has no TLS, or a certificate that is not good.
    #[error(
        "no protected connection: {why}; nothing was sent. If the server has no FTPS, clear text must be chosen for it"
    )]
    NoTls {
        /// What was wrong.
        why: String,
    },
    /// Name or password are wrong.
    #[error("the login was refused (\"{said}\"): check the user name and the password")]
    Login {
        /// What the server said.
        said: String,
    },
    /// The server refused a command.
    #[error("the server refused {doing} (\"{said}\")")]
    Refused {
        /// What was to be done.
        doing: &'static str,
        /// What the server said.
        said: String,
        /// Whether it would refuse it always.
        always: bool,
    },
    /// The connection broke.
    #[error("the connection broke while {doing}: {why}")]
    Broken {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        why: String,
    },
    /// No answer.
    #[error("no answer in time while {doing}")]
    TimedOut {
        /// What was being done.
        doing: &'static str,
    },
    /// The file cannot be read here.
    #[error("the file cannot be read here: {why}")]
    Unreadable {
        /// What the system said.
        why: String,
    },
    /// What arrived is not what was sent.
    #[error("{found} bytes arrived of {sent}; what arrived was not given its name")]
    WrongSize {
        /// Bytes there.
        found: u64,
        /// Bytes of the file.
        sent: u64,
    },
}

impl UploadError {
    /// Whether another attempt would end the same, until a person changes something.
    pub const fn is_final(&self) -> bool {
        match self {
            Self::Invalid(_) | Self::NoTls { .. } | Self::Login { .. } => true,
            Self::Refused { always, .. } => *always,
            Self::Broken { .. }
            | Self::TimedOut { .. }
            | Self::Unreadable { .. }
            | Self::WrongSize { .. } => false,
        }
    }

    /// From what went wrong while something was done.
    pub(super) fn from_ftp(doing: &'static str, error: FtpError) -> Self {
        match error {
            FtpError::UnexpectedResponse(response) => {
                let (code, said) = (response.status.code(), said(&response.body));
                match response.status {
                    Status::NotLoggedIn | Status::InvalidCredentials | Status::LoginNeedAccount => {
                        Self::Login { said }
                    }
                    _ => Self::Refused { doing, said, always: code >= 500 },
                }
            }
            FtpError::SecureError(why) => Self::NoTls { why: printable(&why) },
            FtpError::ConnectionError(error) => Self::Broken { doing, why: printable(&error.to_string()) },
            error @ (FtpError::BadResponse
            | FtpError::InvalidAddress(_)
            | FtpError::DataConnectionAlreadyOpen) => {
                Self::Broken { doing, why: printable(&error.to_string()) }
            }
        }
    }

    /// The same without a password that a server has repeated.
    pub(super) fn without(self, password: &Secret<String>) -> Self {
        let hide = |text: String| match password.is_empty() {
            true => text,
            false => text.replace(password.expose().as_str(), "[password]"),
        };
        match self {
            Self::NoTls { why } => Self::NoTls { why: hide(why) },
            Self::Login { said } => Self::Login { said: hide(said) },
            Self::Refused { doing, said, always } => Self::Refused { doing, said: hide(said), always },
            Self::Broken { doing, why } => Self::Broken { doing, why: hide(why) },
            other @ (Self::Invalid(_)
            | Self::TimedOut { .. }
            | Self::Unreadable { .. }
            | Self::WrongSize { .. }) => other,
        }
    }
}

fn said(body: &[u8]) -> String {
    printable(&String::from_utf8_lossy(body))
}

fn printable(text: &str) -> String {
    let plain = text.trim().replace(char::is_control, " ");
    plain.chars().take(SAID_CHARACTERS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use suppaftp::types::Response;

    use super::*;

    #[test]
    fn a_password_that_a_server_repeats_is_hidden() {
        let body = b"530 no such user printer/s3cret!pw\r\n".to_vec();
        let error = FtpError::UnexpectedResponse(Response { status: Status::NotLoggedIn, body });
        let error = UploadError::from_ftp("logging in", error).without(&Secret::new("s3cret!pw".to_owned()));
        assert!(error.is_final());
        let text = format!("{error} {error:?}");
        assert!(text.contains("no such user printer/[password]") && !text.contains("s3cret"), "{text}");
    }

    #[test]
    fn a_refusal_for_now_is_tried_again_and_one_for_ever_is_not() {
        let refused = |status: Status| {
            let response = Response { status, body: b"busy".to_vec() };
            UploadError::from_ftp("sending the file", FtpError::UnexpectedResponse(response))
        };
        assert!(!refused(Status::RequestFileActionIgnored).is_final());
        assert!(refused(Status::FileUnavailable).is_final());
    }
}
