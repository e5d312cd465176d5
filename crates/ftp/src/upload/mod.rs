//! The uploader: a file on somebody else's FTP server, whole or not at all.
//!
//! A printing system that watches a folder must never find half a file in it. So a file goes up under
//! another name, its size is asked for, and then it is renamed. What is left of an attempt that broke
//! off is gone on with by the next: the other name tells the content. The connection comes from the
//! caller, who has judged its address; data connections go to the same address, whatever the server
//! says. Neither errors nor logs have the password in them.

mod error;
mod words;
mod work;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kernel::Secret;
use rustls::ClientConfig;
use tokio::net::TcpStream;

pub use error::UploadError;
pub use words::{Invalid, check, steps};
use work::Work;

/// For one command and its reply.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// For one part of the file to get through.
const PART_TIMEOUT: Duration = Duration::from_secs(60);

/// How connections to a server are protected.
#[derive(Clone)]
pub enum Security {
    /// TLS after `AUTH TLS`, on the control and on every data connection; without it nothing is said.
    Tls(Arc<ClientConfig>),
    /// Clear text: the password and the file can be read on the way.
    Plain,
}

/// Where to, and as whom.
#[derive(Clone)]
pub struct Account {
    /// The name or address that the certificate must be for.
    pub host: String,
    /// How it is protected.
    pub security: Security,
    /// Login name.
    pub user: String,
    /// Its password.
    pub password: Secret<String>,
    /// Below the folder that the login begins in; made where it is missing.
    pub directory: String,
}

/// A file to put there.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// Its name there: one path component.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Hex; tells attempts at the same content from others.
    pub sha256: String,
}

/// Where a file's bytes come from.
pub trait Content: Send + Sync {
    /// Some bytes from a position on, at least one while there are any.
    ///
    /// # Errors
    /// When they cannot be read.
    fn part(&self, from: u64) -> io::Result<Bytes>;
}

/// How a file got there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// By this attempt, from this position on.
    From(u64),
    /// By an earlier one, whose success was not heard of.
    Before,
}

/// Puts a file on the server at the other end of a connection.
///
/// # Errors
/// See [`UploadError`]; [`UploadError::is_final`] tells whether another attempt can help.
pub async fn put(
    stream: TcpStream,
    account: &Account,
    parcel: &Parcel,
    content: &dyn Content,
) -> Result<Sent, UploadError> {
    let result = async {
        check("name of the file", &parcel.name)?;
        let mut work = Work::begin(stream, account).await?;
        work.enter(&account.directory).await?;
        let sent = work.deliver(parcel, content).await?;
        work.end().await;
        Ok(sent)
    };
    result.await.map_err(|error: UploadError| error.without(&account.password))
}

/// Tries an account: logs in, makes the directory, and puts an empty file there and takes it away again.
///
/// # Errors
/// See [`UploadError`].
pub async fn try_out(stream: TcpStream, account: &Account) -> Result<(), UploadError> {
    let result = async {
        let mut work = Work::begin(stream, account).await?;
        work.enter(&account.directory).await?;
        work.leave_no_trace().await?;
        work.end().await;
        Ok(())
    };
    result.await.map_err(|error: UploadError| error.without(&account.password))
}
