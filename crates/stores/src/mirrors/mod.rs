//! Several stores that hold the same blobs.
//!
//! The first is home: uploads go there, and only there, before their rows are written;
//! [`crate::sync`] makes the others follow. Reading asks one after the other, by order or by
//! weight, until one has the blob whole. A mirror that fails is left out for a while and then
//! tried again; a mirror that merely lacks a blob, or has it damaged, is not.

mod health;
mod troubles;

use std::collections::BTreeMap;
use std::sync::Arc;

use kernel::{Clock, Secret, Span, Timestamp, UploadId};

use crate::{
    Blob, BlobStore, Digests, Listed, Presign, Progress, Removal, Resumable, Sha256, StoreError, Upload,
};
use health::Health;
pub use health::Standing;
use troubles::Troubles;
pub use troubles::{Defect, Trouble};

/// One store among several.
#[derive(Clone)]
pub struct Mirror {
    /// How messages name it.
    pub name: String,
    /// Where it is, for people: a folder, or a bucket's address.
    pub place: String,
    /// The store.
    pub store: Arc<dyn BlobStore>,
    /// Its share of the reading, by weight; none at 0 as long as another one is well.
    pub weight: u32,
}

/// Which mirror is asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preference {
    /// The first that is well.
    InOrder,
    /// Each as often as its weight says.
    ByWeight,
}

/// Several stores as one.
pub struct Mirrors {
    members: Vec<Mirror>,
    health: Health,
    troubles: Troubles,
    clock: Arc<dyn Clock>,
}

impl Mirrors {
    /// A single store.
    pub fn only(name: &str, place: &str, store: Arc<dyn BlobStore>, clock: Arc<dyn Clock>) -> Self {
        let members = vec![Mirror { name: name.to_owned(), place: place.to_owned(), store, weight: 1 }];
        Self::of(members, Preference::InOrder, clock)
    }

    /// These stores, the first of which is home.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] when there is none, or two have one name.
    pub fn new(
        members: Vec<Mirror>,
        preference: Preference,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let mut names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
        names.sort_unstable();
        let unfit = |path: &str, why: &str| StoreError::Unfit { path: path.to_owned(), why: why.to_owned() };
        if names.is_empty() {
            return Err(unfit("stores", "there is none; name at least one"));
        }
        if let Some([twice, _]) = names.array_windows().find(|[one, next]| one == next) {
            return Err(unfit(twice, "two stores have this name; give each its own"));
        }
        Ok(Self::of(members, preference, clock))
    }

    fn of(members: Vec<Mirror>, preference: Preference, clock: Arc<dyn Clock>) -> Self {
        let weights = members.iter().map(|member| member.weight).collect();
        Self { health: Health::new(weights, preference), troubles: Troubles::default(), members, clock }
    }

    /// The stores, home first.
    pub fn members(&self) -> &[Mirror] {
        &self.members
    }

    /// Asks each store whether it can be asked, in their order; reading goes by the answers.
    pub fn probe(&self) -> Vec<Result<(), StoreError>> {
        let probed = |(which, member): (usize, &Mirror)| {
            let answer = member.store.reach();
            match &answer {
                Ok(()) => self.health.is_well(which),
                Err(error) => self.health.failed(which, error, self.clock.now()),
            }
            answer
        };
        self.members.iter().enumerate().map(probed).collect()
    }

    /// Blobs that reading found missing or damaged in a store since this was last asked. Of a
    /// flood the first few hundred are kept: the others are found again.
    pub fn take_troubles(&self) -> Vec<Trouble> {
        self.troubles.take()
    }

    /// Puts back a blob that a store lacks or has damaged, from any other that has it whole.
    ///
    /// # Errors
    /// When no other has it, or this one cannot take it.
    pub fn mend(&self, name: &str, sha256: &Sha256, size: u64) -> Result<(), StoreError> {
        let broken = self.members.iter().find(|member| member.name == name);
        let Some(broken) = broken else { return Err(StoreError::Missing(*sha256)) };
        let mut worst = StoreError::Missing(*sha256);
        for other in self.members.iter().filter(|member| member.name != name) {
            match crate::copy(&*other.store, &*broken.store, sha256, size) {
                Ok(()) => return Ok(()),
                Err(error) if gravity(&error) >= gravity(&worst) => worst = error,
                Err(_) => {}
            }
        }
        Err(worst)
    }

    /// How each mirror stands, in their order.
    pub fn standings(&self) -> Vec<Standing> {
        self.health.standings(self.members.iter().map(|member| member.name.as_str()), self.clock.now())
    }

    /// Reads the blob whole from every mirror and compares it with its name, in their order.
    pub fn check_each(&self, sha256: &Sha256) -> Vec<(&str, Result<Digests, StoreError>)> {
        let checked = |member: &'_ Mirror| member.store.check(sha256);
        self.members.iter().map(|member| (member.name.as_str(), checked(member))).collect()
    }

    /// Where uploads go. There is always one.
    fn home(&self) -> Result<&dyn BlobStore, StoreError> {
        let none = || StoreError::Unfit { path: "stores".to_owned(), why: "there is none".to_owned() };
        self.members.first().map(|home| &*home.store).ok_or_else(none)
    }

    /// Asks one mirror after the other until one has something. If none has, the error that
    /// leaves most open is the answer: a mirror that is silent may have what the others lack.
    fn first<T>(
        &self,
        mut ask: impl FnMut(&dyn BlobStore) -> Result<Option<T>, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut worst: Option<StoreError> = None;
        for which in self.health.order(self.clock.now()) {
            let Some(member) = self.members.get(which) else { continue };
            match ask(&*member.store) {
                Ok(answer) => {
                    self.health.is_well(which);
                    if answer.is_some() {
                        return Ok(answer);
                    }
                }
                Err(error) => {
                    self.failed(which, member, &error);
                    if worst.as_ref().is_none_or(|worst| gravity(&error) > gravity(worst)) {
                        worst = Some(error);
                    }
                }
            }
        }
        worst.map_or(Ok(None), Err)
    }

    fn failed(&self, which: usize, member: &Mirror, error: &StoreError) {
        let now = self.clock.now();
        self.health.failed(which, error, now);
        self.troubles.note(&member.name, error, now);
    }

    /// Has every mirror do something, also after one has failed; the first error is told.
    fn each<T>(
        &self,
        mut work: impl FnMut(&dyn BlobStore) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let done: Vec<_> = self.members.iter().map(|member| work(&*member.store)).collect();
        done.into_iter().collect()
    }
}

/// How much an error leaves open: nothing when all lack the blob, everything when one is silent.
fn gravity(error: &StoreError) -> u8 {
    match error {
        StoreError::Missing(_) => 0,
        StoreError::Corrupted { .. } => 1,
        _ => 2,
    }
}

impl BlobStore for Mirrors {
    fn begin(&self) -> Result<Box<dyn Upload>, StoreError> {
        self.home()?.begin()
    }

    fn resume(
        &self,
        id: UploadId,
        saved: u64,
        earlier: Option<Progress>,
    ) -> Result<Box<dyn Resumable>, StoreError> {
        self.home()?.resume(id, saved, earlier)
    }

    fn discard(&self, id: UploadId) -> Result<(), StoreError> {
        self.home()?.discard(id)
    }

    fn open(&self, sha256: &Sha256, size: u64) -> Result<Blob, StoreError> {
        self.first(|store| store.open(sha256, size).map(Some))?.ok_or(StoreError::Missing(*sha256))
    }

    /// Whoever has it at hand is preferred to whoever would have to fetch it.
    fn at_hand(&self, sha256: &Sha256, size: u64) -> Result<Option<Blob>, StoreError> {
        let (mut worst, mut elsewhere) = (StoreError::Missing(*sha256), false);
        for which in self.health.order_at_hand() {
            let Some(member) = self.members.get(which) else { continue };
            match member.store.at_hand(sha256, size) {
                Ok(Some(blob)) => return Ok(Some(blob)),
                Ok(None) => elsewhere = true,
                Err(error) => {
                    self.failed(which, member, &error);
                    if gravity(&error) > gravity(&worst) {
                        worst = error;
                    }
                }
            }
        }
        if elsewhere { Ok(None) } else { Err(worst) }
    }

    fn size(&self, sha256: &Sha256) -> Result<Option<u64>, StoreError> {
        self.first(|store| store.size(sha256))
    }

    /// One whole copy is enough; [`Mirrors::check_each`] looks at all.
    fn check(&self, sha256: &Sha256) -> Result<Digests, StoreError> {
        self.first(|store| store.check(sha256).map(Some))?.ok_or(StoreError::Missing(*sha256))
    }

    /// Home first, where uploads go: what is young there stays everywhere.
    fn remove(&self, sha256: &Sha256, unused_since: Timestamp) -> Result<Removal, StoreError> {
        let at_home = self.home()?.remove(sha256, unused_since)?;
        if at_home == Removal::Young {
            return Ok(at_home);
        }
        // The copies are younger than the original was, and go with it.
        let copies = self.each(|store| store.remove(sha256, Timestamp::from_micros(i64::MAX)))?;
        let removed = at_home == Removal::Removed || copies.contains(&Removal::Removed);
        Ok(if removed { Removal::Removed } else { Removal::Absent })
    }

    /// What any of them has. If one cannot be asked there is no list, since one with gaps
    /// looks like a list of what is missing.
    fn list(&self, shelf: u8) -> Result<Vec<Listed>, StoreError> {
        let mut union = BTreeMap::<Sha256, Listed>::new();
        for found in self.each(|store| store.list(shelf))?.into_iter().flatten() {
            let known = union.entry(found.sha256).or_insert(found);
            known.stored_at = known.stored_at.max(found.stored_at);
        }
        Ok(union.into_values().collect())
    }

    fn sweep(&self, now: Timestamp, lease: Span) -> Result<u64, StoreError> {
        Ok(self.each(|store| store.sweep(now, lease))?.into_iter().sum())
    }

    fn free_space(&self) -> Result<Option<u64>, StoreError> {
        self.home()?.free_space()
    }

    fn presign(&self, wanted: &Presign<'_>) -> Result<Option<Secret<String>>, StoreError> {
        self.first(|store| store.presign(wanted))
    }

    fn presigns_from(&self) -> Vec<String> {
        self.members.iter().flat_map(|member| member.store.presigns_from()).collect()
    }

    /// One that can be asked is enough; [`Mirrors::probe`] asks all.
    fn reach(&self) -> Result<(), StoreError> {
        self.first(|store| store.reach().map(Some)).map(drop)
    }
}

impl std::fmt::Debug for Mirrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mirrors").field("standings", &self.standings()).finish_non_exhaustive()
    }
}
