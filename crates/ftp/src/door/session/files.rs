//! What is seen, and what is fetched.

use std::sync::Arc;

use super::super::data::Source;
use super::super::listing::{self, Form};
use super::super::path::{Place, resolve};
use super::super::reply::{Reply, reply};
use super::super::transfer::Transfer;
use super::super::{Entry, Refusal};
use super::{Next, Session};

impl Session {
    pub(super) async fn go(&mut self, path: &str) -> Reply {
        match self.find(path).await {
            Ok((place @ (Place::Root | Place::Directory(_)), _)) => {
                self.place = place;
                reply(250, "there you are")
            }
            Ok((Place::File(..), _)) => reply(550, "that is a file"),
            Err(refusal) => refused(&refusal),
        }
    }

    /// What a path names, with the files that are to be seen there.
    async fn find(&self, path: &str) -> Result<(Place, Vec<Entry>), Refusal> {
        let place = resolve(&self.place, path).ok_or(Refusal::NotFound)?;
        let (directory, file) = match &place {
            Place::Root => return Ok((place, Vec::new())),
            Place::Directory(directory) => (directory, None),
            Place::File(directory, file) => (directory, Some(file)),
        };
        let mut entries = self.visit.shared.shelf.list(self.visit.visitor, directory).await?;
        if let Some(file) = file {
            entries.retain(|entry| entry.name == *file);
            if entries.is_empty() {
                return Err(Refusal::NotFound);
            }
        }
        Ok((place, entries))
    }

    pub(super) async fn told(&self, path: &str, what: impl Fn(&Entry) -> String) -> Reply {
        match self.find(path).await {
            Ok((Place::File(..), entries)) => match entries.first() {
                Some(entry) => reply(213, what(entry)),
                None => refused(&Refusal::NotFound),
            },
            Ok(_) => reply(550, "that is a directory"),
            Err(refusal) => refused(&refusal),
        }
    }

    pub(super) async fn facts(&self, path: &str) -> Reply {
        let line = match self.find(path).await {
            Ok((place @ (Place::Root | Place::Directory(_)), _)) => {
                listing::directory_facts(&place.to_string())
            }
            Ok((Place::File(..), entries)) => entries.first().map(listing::facts).unwrap_or_default(),
            Err(refusal) => return refused(&refusal),
        };
        reply(250, "Facts:").with([line])
    }

    pub(super) async fn list(&mut self, form: Form, path: &str) -> Next {
        match self.find(path).await {
            Ok((Place::File(..), _)) if form == Form::Facts => {
                Next::Say(reply(501, "that is a file; use MLST"))
            }
            Ok((_, entries)) => self.begin(Source::Text(listing::lines(form, &entries))),
            Err(refusal) => Next::Say(refused(&refusal)),
        }
    }

    pub(super) async fn retrieve(&mut self, path: &str) -> Next {
        let from = std::mem::take(&mut self.restart);
        // Asked first: whoever has no data connection must not be charged for the file.
        if let Err(reply) = self.ready() {
            return Next::Say(reply);
        }
        let (directory, file) = match resolve(&self.place, path) {
            Some(Place::File(directory, file)) => (directory, file),
            Some(Place::Root | Place::Directory(_)) => return Next::Say(reply(550, "that is a directory")),
            None => return Next::Say(refused(&Refusal::NotFound)),
        };
        let shelf = Arc::clone(&self.visit.shared.shelf);
        match shelf.fetch(self.visit.visitor, &directory, &file, from).await {
            Ok(chunks) => self.begin(Source::Chunks(chunks)),
            Err(refusal) => Next::Say(refused(&refusal)),
        }
    }

    /// Whether a transfer could begin.
    fn ready(&self) -> Result<(), Reply> {
        if self.visit.security.required && !self.data_is_secure {
            return Err(reply(521, "data connections are in TLS here: say PROT P"));
        }
        if self.passive.is_none() {
            return Err(reply(425, "say EPSV or PASV first"));
        }
        Ok(())
    }

    fn begin(&mut self, source: Source) -> Next {
        if let Err(reply) = self.ready() {
            return Next::Say(reply);
        }
        let Some(passive) = self.passive.take() else {
            return Next::Say(reply(425, "say EPSV or PASV first"));
        };
        let acceptor = self.visit.security.acceptor.clone().filter(|_| self.data_is_secure);
        Next::Transfer(Box::new(Transfer { passive, acceptor, source }))
    }
}

fn refused(refusal: &Refusal) -> Reply {
    match refusal {
        Refusal::NotFound | Refusal::Denied(_) => reply(550, refusal.to_string()),
        Refusal::BeyondEnd => reply(554, refusal.to_string()),
        Refusal::Later(_) => reply(450, refusal.to_string()),
    }
}
