//! Mail: composing, sending, and a small server that receives.
//!
//! [`compose()`] makes the same bytes from the same [`Outgoing`], so a message that is sent
//! again is the same message. [`Mailer`] is the seam through which mail leaves;
//! [`SmtpMailer`] hands it to the operator's mail server. [`sink`] receives mail for the
//! demo's mailbox and for tests; [`Mailbox`] keeps it.

mod compose;
mod mailbox;
mod send;
pub mod sink;
mod smtp;

pub use compose::{ComposeError, Contact, Outgoing, compose};
pub use mailbox::{Mailbox, MailboxMailer, Parsed, Received};
pub use send::{Accepted, BoxFuture, Mailer, SendError};
pub use smtp::{Credentials, SmtpMailer, SmtpSettings, SmtpSettingsError, TlsMode};
