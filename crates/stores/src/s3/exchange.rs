//! One question to a bucket and what its answer means, with attempts again where that helps.

use std::sync::Arc;

use kernel::{Clock, Span};

use super::bucket::{Ask, Checksums, S3Config, Signer};
use super::network::{HttpAnswer, Network, NetworkError};
use super::xml::Element;
use crate::StoreError;

/// A bucket that can be asked.
pub(super) struct Bucket {
    pub(super) name: String,
    pub(super) signer: Signer,
    pub(super) checksums: Checksums,
    pub(super) clock: Arc<dyn Clock>,
    network: Arc<dyn Network>,
}

/// Attempts at one call, the first among them.
const ATTEMPTS_MAX: u32 = 4;
/// Before the second attempt; each further one waits twice as long: 0.2, 0.4, 0.8 s.
const PAUSE: Span = Span::micros(200_000);
/// Of what a store says for itself, in our messages.
const SAID_MAX: usize = 200;

/// A good answer, or that there is no such object.
pub(super) enum Found {
    There(HttpAnswer),
    NotThere,
}

/// As [`Found`], or that the store has no such operation.
enum Settled {
    There(HttpAnswer),
    NotThere,
    Unable(String),
}

enum Attempt {
    Done(Settled),
    Again(String),
    Failed(StoreError),
}

impl Bucket {
    pub(super) fn new(
        config: &S3Config,
        network: Arc<dyn Network>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let signer = Signer::new(config)?;
        Ok(Self { name: config.name.clone(), signer, checksums: config.checksums, clock, network })
    }

    /// Asks for something that may not be there.
    pub(super) fn ask(&self, ask: &Ask<'_>) -> Result<Found, StoreError> {
        match self.settle(ask)? {
            Settled::There(answer) => Ok(Found::There(answer)),
            Settled::NotThere => Ok(Found::NotThere),
            Settled::Unable(why) => Err(self.refused(ask, why)),
        }
    }

    /// Asks until there is an answer, a few times at most. Everything we ask may be asked twice.
    fn settle(&self, ask: &Ask<'_>) -> Result<Settled, StoreError> {
        let mut pause = PAUSE;
        for attempt in 1.. {
            // Signed anew each time: a signature holds a time.
            let why = match self.judge(ask, self.network.call(&self.signer.call(ask, self.clock.now()))) {
                Attempt::Done(settled) => return Ok(settled),
                Attempt::Failed(error) => return Err(error),
                Attempt::Again(why) => why,
            };
            if attempt == ATTEMPTS_MAX {
                return Err(self.unanswered(ask, why));
            }
            self.network.pause(pause);
            pause = Span::micros(pause.as_micros().saturating_mul(2));
        }
        Err(self.unanswered(ask, "it was not asked".to_owned()))
    }

    /// As [`Bucket::ask`], where nothing to be found is no answer.
    pub(super) fn demand(&self, ask: &Ask<'_>) -> Result<HttpAnswer, StoreError> {
        match self.ask(ask)? {
            Found::There(answer) => Ok(answer),
            Found::NotThere => Err(self.refused(ask, "there is no such thing (404)")),
        }
    }

    /// As [`Bucket::demand`]; `None` where the store has no such operation.
    pub(super) fn demand_if_able(&self, ask: &Ask<'_>) -> Result<Option<HttpAnswer>, StoreError> {
        match self.settle(ask)? {
            Settled::There(answer) => Ok(Some(answer)),
            Settled::Unable(_) => Ok(None),
            Settled::NotThere => Err(self.refused(ask, "there is no such thing (404)")),
        }
    }

    fn judge(&self, ask: &Ask<'_>, answer: Result<HttpAnswer, NetworkError>) -> Attempt {
        let answer = match answer {
            Ok(answer) => answer,
            Err(NetworkError::Forbidden(why)) => return Attempt::Failed(self.refused(ask, why)),
            Err(NetworkError::Failed(why)) => return Attempt::Again(why),
        };
        let said = Said::read(&answer);
        match answer.status {
            200 | 204 | 206 => Attempt::Done(Settled::There(answer)),
            // It says how large the object is instead: the reader sees that it is another size.
            416 if ask.headers.contains_key("range") => Attempt::Done(Settled::There(answer)),
            // Only a missing object is missing: a missing bucket is a wrong setting.
            404 if said.code != "NoSuchBucket" => Attempt::Done(Settled::NotThere),
            301 | 302 | 307 | 308 => Attempt::Failed(self.redirected(ask, &answer)),
            400 if said.code == "RequestTimeout" => Attempt::Again(said.told(400)),
            408 | 429 | 500 | 502 | 503 | 504 => Attempt::Again(said.told(answer.status)),
            501 => Attempt::Done(Settled::Unable(said.told(501))),
            400..500 => Attempt::Failed(self.refused(ask, said.told(answer.status))),
            status => Attempt::Failed(self.rubbish(ask, said.told(status))),
        }
    }

    fn redirected(&self, ask: &Ask<'_>, answer: &HttpAnswer) -> StoreError {
        let remedy = match answer.header("x-amz-bucket-region") {
            Some(region) => format!("the bucket is in region {}; correct the store's settings", cut(region)),
            None => "check the store's endpoint, region and style".to_owned(),
        };
        self.rubbish(ask, format!("a redirect ({}), which is not followed: {remedy}", answer.status))
    }

    fn unanswered(&self, ask: &Ask<'_>, why: String) -> StoreError {
        StoreError::Unanswered { store: self.name.clone(), object: named(ask), why }
    }

    pub(super) fn refused(&self, ask: &Ask<'_>, why: impl Into<String>) -> StoreError {
        StoreError::Refused { store: self.name.clone(), object: named(ask), why: why.into() }
    }

    pub(super) fn rubbish(&self, ask: &Ask<'_>, found: impl Into<String>) -> StoreError {
        StoreError::Rubbish { store: self.name.clone(), object: named(ask), found: found.into() }
    }

    /// The document of an answer whose root must have this name. An error may hide in a 200.
    pub(super) fn document(
        &self,
        ask: &Ask<'_>,
        answer: &HttpAnswer,
        root: &str,
    ) -> Result<Element, StoreError> {
        match Element::parse(&answer.body) {
            Some(document) if document.name == root => Ok(document),
            Some(error) if error.name == "Error" => {
                Err(self.refused(ask, Said::read(answer).told(answer.status)))
            }
            _ => Err(self.rubbish(ask, format!("{} where a {root} was expected", kind(answer)))),
        }
    }
}

/// What an error answer says for itself.
struct Said {
    code: String,
    message: String,
}

impl Said {
    fn read(answer: &HttpAnswer) -> Self {
        let error = (answer.status >= 300 || answer.body.len() <= 4096)
            .then(|| Element::parse(&answer.body))
            .flatten()
            .filter(|document| document.name == "Error");
        let text = |name| error.as_ref().and_then(|error| error.text_of(name)).map(cut).unwrap_or_default();
        Self { code: text("Code"), message: text("Message") }
    }

    fn told(&self, status: u16) -> String {
        let remedy = match self.code.as_str() {
            "NoSuchBucket" => "; make the bucket, or correct its name",
            "AccessDenied" => "; let the key read, write, list and delete in the bucket",
            "InvalidAccessKeyId" | "SignatureDoesNotMatch" => "; check the key, the secret and the region",
            "RequestTimeTooSkewed" => "; set this machine's clock",
            _ => "",
        };
        match self.code.as_str() {
            "" => format!("status {status}"),
            code => format!("{code} ({status}) {}{remedy}", self.message),
        }
    }
}

/// What an answer claims to be; its content is not repeated.
pub(super) fn kind(answer: &HttpAnswer) -> String {
    let claimed = answer.header("content-type").map_or_else(|| "something without a type".to_owned(), cut);
    format!("{claimed} of {} bytes", answer.body.len())
}

/// Others' words in our messages: short, on one line, and nothing that a terminal obeys.
fn cut(said: &str) -> String {
    said.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SAID_MAX).collect()
}

fn named(ask: &Ask<'_>) -> String {
    ask.object.map_or_else(|| "the bucket itself".to_owned(), str::to_owned)
}
