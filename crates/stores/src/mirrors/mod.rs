//! Several stores that hold the same blobs.
//!
//! The first is home: uploads go there, and only there, before their rows are written;
//! [`crate::sync`] makes the others follow. Reading asks one after the other, by order or by
//! weight, until one has the blob whole. A mirror that fails is left out for a while and then
//! tried again; a mirror that merely lacks a blob, or has it damaged, is not.

mod health;

use std::collections::BTreeMap;
use std::sync::Arc;

use kernel::{Clock, Secret, Span, Timestamp, UploadId};

use crate::{
    Blob, BlobStore, Digests, Listed, Presign, Progress, Removal, Resumable, Sha256, StoreError, Upload,
};
use health::Health;
pub use health::Standing;

/// One store among several.
#[derive(Clone)]
pub struct Mirror {
    /// How messages name it.
    pub name: String,
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
    clock: Arc<dyn Clock>,
}

impl Mirrors {
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
        let weights = members.iter().map(|member| member.weight).collect();
        Ok(Self { health: Health::new(weights, preference), members, clock })
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
                    self.health.failed(which, &error, self.clock.now());
                    if worst.as_ref().is_none_or(|worst| gravity(&error) > gravity(worst)) {
                        worst = Some(error);
                    }
                }
            }
        }
        worst.map_or(Ok(None), Err)
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

    fn resume(&self, id: UploadId, earlier: Option<Progress>) -> Result<Box<dyn Resumable>, StoreError> {
        self.home()?.resume(id, earlier)
    }

    fn discard(&self, id: UploadId) -> Result<(), StoreError> {
        self.home()?.discard(id)
    }

    fn open(&self, sha256: &Sha256, size: u64) -> Result<Blob, StoreError> {
        self.first(|store| store.open(sha256, size).map(Some))?.ok_or(StoreError::Missing(*sha256))
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
}

impl std::fmt::Debug for Mirrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mirrors").field("standings", &self.standings()).finish_non_exhaustive()
    }
}
