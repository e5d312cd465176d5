//! Sending through the operator's mail server.
//!
//! The client is our own, small as SMTP is, for three reasons. What became of a message
//! depends on the step at which the exchange broke: before the final dot it is surely not
//! sent, after it nobody knows; libraries do not tell. A reply that is not UTF-8 is still a
//! reply. And what a server says between STARTTLS and TLS must not be believed: a library we
//! looked at keeps it in its buffer and reads it afterwards as if it had come under TLS, so
//! that a forged "accepted" could lose mail.

mod connection;
mod settings;
mod step;

use std::sync::{Mutex, PoisonError};

use tokio::sync::Semaphore;

use crate::{Accepted, BoxFuture, Mailer, Outgoing, SendError, compose};
use connection::{Connection, Dialer};
use step::{Steps, Trouble};

pub use settings::{Credentials, SmtpSettings, SmtpSettingsError, TlsMode};

/// Sends through one mail server, over a few connections that are kept open.
pub struct SmtpMailer {
    dialer: Dialer,
    idle: Mutex<Vec<Connection>>,
    places: Semaphore,
}

/// Connections at a time. Mail servers dislike more, and each carries many messages a second.
const CONNECTIONS_MAX: usize = 4;

impl SmtpMailer {
    /// A mailer for this server. Does not connect yet.
    ///
    /// # Errors
    /// [`SmtpSettingsError`] when the settings contradict themselves or are unsafe.
    pub fn new(settings: SmtpSettings) -> Result<Self, SmtpSettingsError> {
        let dialer = Dialer::new(settings)?;
        Ok(Self { dialer, idle: Mutex::default(), places: Semaphore::new(CONNECTIONS_MAX) })
    }

    /// Connects, greets, and signs in, without sending anything.
    ///
    /// # Errors
    /// The same that a message would run into.
    pub async fn check(&self) -> Result<(), SendError> {
        let steps = Steps::new();
        self.within_deadline(&steps, async {
            self.dialer.dial(&steps).await?.quit().await;
            Ok(())
        })
        .await
    }

    async fn send_raw(&self, mail: &Outgoing, raw: &[u8]) -> Result<Accepted, SendError> {
        let steps = Steps::new();
        self.within_deadline(&steps, async {
            // Waiting for a connection counts: whoever sends holds the mail for the deadline only.
            let _place = self.places.acquire().await;
            self.exchange(mail, raw, &steps).await
        })
        .await
    }

    async fn exchange(&self, mail: &Outgoing, raw: &[u8], steps: &Steps) -> Result<Accepted, Trouble> {
        let (from, to) = (&mail.from.address, &mail.to.address);
        if let Some(mut connection) = self.take_idle() {
            match connection.open_mail(from, steps).await {
                Ok(()) => return self.finish(connection, to, raw, steps).await,
                // The server has closed it or wants no more on it: begin anew.
                Err(_) => drop(connection),
            }
        }
        let mut connection = self.dialer.dial(steps).await?;
        connection.open_mail(from, steps).await?;
        self.finish(connection, to, raw, steps).await
    }

    async fn finish(
        &self,
        mut connection: Connection,
        to: &kernel::EmailAddress,
        raw: &[u8],
        steps: &Steps,
    ) -> Result<Accepted, Trouble> {
        let reply = connection.deliver(to, raw, steps).await?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        Ok(Accepted { reply })
    }

    fn take_idle(&self) -> Option<Connection> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// A server that answers one byte a minute must not hold a worker: the exchange as a
    /// whole has a deadline, and the step it had reached says what became of the message.
    async fn within_deadline<T>(
        &self,
        steps: &Steps,
        exchange: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, SendError> {
        let timeout = self.dialer.settings().timeout.to_std();
        let done = tokio::time::timeout(timeout, exchange).await.unwrap_or(Err(Trouble::Late));
        done.map_err(|trouble| trouble.at(steps.current(), &self.dialer.settings().server()))
    }
}

impl Mailer for SmtpMailer {
    fn send<'a>(&'a self, mail: &'a Outgoing) -> BoxFuture<'a, Result<Accepted, SendError>> {
        Box::pin(async {
            let raw = compose(mail).map_err(|error| SendError::Permanent { why: error.to_string() })?;
            self.send_raw(mail, &raw).await
        })
    }
}
