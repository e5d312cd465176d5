//! A visit at somebody else's server.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

use suppaftp::tokio::{AsyncRustlsConnector, AsyncRustlsFtpStream};
use suppaftp::types::FileType;
use suppaftp::{FtpError, FtpResult, Mode, Status};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::words::{check, steps};
use super::{Account, COMMAND_TIMEOUT, Content, PART_TIMEOUT, Parcel, Security, Sent, UploadError};

/// Below are the doors of other services on the same machine.
const DATA_PORT_MIN: u16 = 1024;

/// What `SIZE` is refused with by servers that do not know it.
const UNKNOWN_COMMAND: [Status; 3] =
    [Status::BadCommand, Status::NotImplemented, Status::NotImplementedParameter];

/// The name of the file that shows whether files can be put.
const TRIAL: &str = ".handsel-trial.part";

/// A visit, logged in.
pub(super) struct Work {
    ftp: AsyncRustlsFtpStream,
}

impl Work {
    /// Greets, goes over to TLS, and logs in.
    pub(super) async fn begin(stream: TcpStream, account: &Account) -> Result<Self, UploadError> {
        check("user name", &account.user)?;
        check("password", account.password.expose())?;
        let peer = stream.peer_addr().map_err(|error| broken("connecting", &error))?;
        let doing = "waiting for its greeting";
        let ftp = within(doing, AsyncRustlsFtpStream::connect_with_stream(stream)).await?;
        // Where the server is, is not for the server to say: it could name any machine that can be
        // reached from here.
        let mut ftp = ftp.passive_stream_builder(move |told| data_connection(peer.ip(), told.port()));
        ftp.set_mode(if peer.ip().to_canonical().is_ipv4() { Mode::Passive } else { Mode::ExtendedPassive });
        if let Security::Tls(config) = &account.security {
            let connector = AsyncRustlsConnector::from(TlsConnector::from(std::sync::Arc::clone(config)));
            ftp = secured(ftp, connector, &account.host).await?;
        }
        let mut work = Self { ftp };
        let (user, password) = (account.user.as_str(), account.password.expose().as_str());
        within("logging in", work.ftp.login(user, password)).await?;
        within("asking for binary files", work.ftp.transfer_type(FileType::Binary)).await?;
        Ok(work)
    }

    /// Goes to a directory, and makes what is missing of it.
    pub(super) async fn enter(&mut self, directory: &str) -> Result<(), UploadError> {
        for step in steps(directory)? {
            if within("opening the directory", self.ftp.cwd(step)).await.is_ok() {
                continue;
            }
            // Another upload may have made it meanwhile: what counts is whether it can be entered.
            let made = within("making the directory", self.ftp.mkdir(step)).await;
            let entered = within("opening the directory", self.ftp.cwd(step)).await;
            if let Err(error) = entered {
                return Err(made.err().unwrap_or(error));
            }
        }
        Ok(())
    }

    /// Puts a file into the directory that was entered.
    pub(super) async fn deliver(
        &mut self,
        parcel: &Parcel,
        content: &dyn Content,
    ) -> Result<Sent, UploadError> {
        let part = part_name(parcel);
        let begun = self.size(&part).await?;
        // A success that was not heard of must not print the same thing twice.
        if begun.is_none() && self.size(&parcel.name).await? == Some(parcel.size) {
            return Ok(Sent::Before);
        }
        let from = match begun {
            Some(begun) if begun <= parcel.size => begun,
            Some(_) => {
                within("removing what is left of another attempt", self.ftp.rm(&part)).await?;
                0
            }
            None => 0,
        };
        if from < parcel.size || begun.is_none() {
            self.send(&part, parcel, content, from).await?;
        }
        match self.size(&part).await? {
            Some(found) if found == parcel.size => {}
            found => {
                let _ = within("removing what arrived", self.ftp.rm(&part)).await;
                return Err(UploadError::WrongSize { found: found.unwrap_or(0), sent: parcel.size });
            }
        }
        self.give_name(&part, &parcel.name).await?;
        Ok(Sent::From(from))
    }

    async fn send(
        &mut self,
        part: &str,
        parcel: &Parcel,
        content: &dyn Content,
        from: u64,
    ) -> Result<(), UploadError> {
        let doing = "sending the file";
        let unreadable = |error: &dyn std::error::Error| UploadError::Unreadable { why: error.to_string() };
        let offset = usize::try_from(from).map_err(|error| unreadable(&error))?;
        within(doing, self.ftp.resume_transfer(offset)).await?;
        let mut data = within(doing, self.ftp.put_with_stream(part)).await?;
        let mut at = from;
        while at < parcel.size {
            let bytes = match content.part(at) {
                Ok(bytes) if !bytes.is_empty() => bytes,
                unread => {
                    // What got there is kept for the next attempt: a connection that is just dropped may
                    // take it along.
                    let _ = within(doing, data.finish()).await;
                    let why = unread.err().unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into());
                    return Err(unreadable(&why));
                }
            };
            let written = timeout(PART_TIMEOUT, data.write_all(&bytes)).await;
            written.map_err(|_| UploadError::TimedOut { doing })?.map_err(|error| broken(doing, &error))?;
            at = at.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        }
        // The server may have much to write yet.
        within_time(PART_TIMEOUT, doing, data.finish()).await
    }

    /// Renames; where the server does not replace a file, the old one is removed first.
    async fn give_name(&mut self, part: &str, name: &str) -> Result<(), UploadError> {
        let doing = "giving the file its name";
        let Err(refused @ UploadError::Refused { .. }) = within(doing, self.ftp.rename(part, name)).await
        else {
            return Ok(());
        };
        if within("replacing the file of that name", self.ftp.rm(name)).await.is_err() {
            return Err(refused);
        }
        within(doing, self.ftp.rename(part, name)).await
    }

    /// Bytes of a file, if it is there.
    async fn size(&mut self, name: &str) -> Result<Option<u64>, UploadError> {
        let doing = "telling a file's size (SIZE)";
        match timeout(COMMAND_TIMEOUT, self.ftp.size(name)).await {
            Err(_) => Err(UploadError::TimedOut { doing }),
            Ok(Ok(size)) => Ok(u64::try_from(size).ok()),
            Ok(Err(FtpError::UnexpectedResponse(response)))
                if !UNKNOWN_COMMAND.contains(&response.status) && response.status.code() >= 500 =>
            {
                Ok(None)
            }
            Ok(Err(error)) => Err(UploadError::from_ftp(doing, error)),
        }
    }

    /// Puts an empty file, and takes it away.
    pub(super) async fn leave_no_trace(&mut self) -> Result<(), UploadError> {
        let doing = "putting a file into the directory";
        let data = within(doing, self.ftp.put_with_stream(TRIAL)).await?;
        within(doing, data.finish()).await?;
        let size = self.size(TRIAL).await;
        within("removing a file again", self.ftp.rm(TRIAL)).await?;
        size.map(drop)
    }

    /// Says goodbye. The file is there whatever is answered.
    pub(super) async fn end(mut self) {
        let _ = within("saying goodbye", self.ftp.quit()).await;
    }
}

/// The name that a file has until it is whole. It tells the content, so that an attempt is only gone on
/// with by another at the same.
fn part_name(parcel: &Parcel) -> String {
    let content: String = parcel.sha256.chars().filter(char::is_ascii_alphanumeric).take(16).collect();
    format!(".{}.{content}.part", parcel.name)
}

async fn secured(
    ftp: AsyncRustlsFtpStream,
    connector: AsyncRustlsConnector,
    host: &str,
) -> Result<AsyncRustlsFtpStream, UploadError> {
    match within("going over to TLS", ftp.into_secure(connector, host)).await {
        Err(UploadError::Refused { said, always: true, .. }) => Err(UploadError::NoTls { why: said }),
        other => other,
    }
}

type Connecting = Pin<Box<dyn Future<Output = FtpResult<TcpStream>> + Send + Sync>>;

fn data_connection(server: IpAddr, port: u16) -> Connecting {
    Box::pin(async move {
        if port < DATA_PORT_MIN {
            let why = format!("the server named port {port} for the file, which belongs to another service");
            return Err(FtpError::ConnectionError(io::Error::other(why)));
        }
        TcpStream::connect(SocketAddr::new(server, port)).await.map_err(FtpError::ConnectionError)
    })
}

async fn within<T>(doing: &'static str, work: impl Future<Output = FtpResult<T>>) -> Result<T, UploadError> {
    within_time(COMMAND_TIMEOUT, doing, work).await
}

async fn within_time<T>(
    time: Duration,
    doing: &'static str,
    work: impl Future<Output = FtpResult<T>>,
) -> Result<T, UploadError> {
    let done = timeout(time, work).await.map_err(|_| UploadError::TimedOut { doing })?;
    done.map_err(|error| UploadError::from_ftp(doing, error))
}

fn broken(doing: &'static str, error: &io::Error) -> UploadError {
    UploadError::Broken { doing, why: error.to_string() }
}
