//! What a spec means now: which files, and for each that was looked at, why it is in or out.

use std::collections::BTreeSet;

use crate::attribute::Choice;
use crate::path::{Anchor, PathError, PathSpec};
use crate::spec::{Item, Join, Span, Spec};
use crate::tree::{FileTree, TreePath};
use crate::walk::Walk;

/// A folder that the operator declared; specs lead nowhere else.
pub struct Root<'a> {
    pub(crate) anchor: Anchor,
    pub(crate) folders: Vec<String>,
    pub(crate) tree: &'a dyn FileTree,
}

impl<'a> Root<'a> {
    /// The folder that specs call `path`, whose files are in `tree`.
    ///
    /// # Errors
    /// When the path is not absolute, or cannot be a folder.
    pub fn new(path: &str, tree: &'a dyn FileTree) -> Result<Self, PathError> {
        let (anchor, folders) = PathSpec::folder(path)?;
        Ok(Self { anchor, folders, tree })
    }
}

/// How a store keeps its files.
#[derive(Debug, Clone)]
pub enum Layout {
    /// Specs hold whole paths.
    FullPaths,
    /// Below a base directory, in a folder for each value of the buyer's attribute.
    ByAttribute(Base),
}

/// A base directory and the buyer's choice below it.
#[derive(Debug, Clone)]
pub struct Base {
    pub(crate) anchor: Anchor,
    pub(crate) folders: Vec<String>,
    pub(crate) choice: Option<Choice>,
}

impl Layout {
    /// Below this base directory; without a choice, in the base directory itself.
    ///
    /// # Errors
    /// When the base directory is not absolute, or cannot be a folder.
    pub fn by_attribute(base: &str, choice: Option<Choice>) -> Result<Self, PathError> {
        let (anchor, folders) = PathSpec::folder(base)?;
        Ok(Self::ByAttribute(Base { anchor, folders, choice }))
    }
}

/// How much one resolution may find and look at.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Files.
    pub files: usize,
    /// Their bytes together.
    pub bytes: u64,
    /// Entries of all folders that are looked into, together.
    pub entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { files: 10_000, bytes: 1 << 40, entries: 300_000 }
    }
}

/// Which file: the number of its root and its path below it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Placement {
    /// The root's place among those that were declared.
    pub root: usize,
    /// Below it.
    pub path: TreePath,
}

/// What a spec means now.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Resolution {
    /// What became of each item, in the order of the text.
    pub outcomes: Vec<Outcome>,
    /// The files to deliver, each once, in the order of the text.
    pub files: Vec<Placement>,
    /// Their bytes together.
    pub bytes: u64,
}

impl Resolution {
    /// What is wrong, with its item. Nothing may be delivered while there is anything.
    pub fn problems(&self) -> impl Iterator<Item = (Span, &Problem)> {
        self.outcomes.iter().filter_map(|outcome| match &outcome.came {
            Came::Broken(problem) => Some((outcome.span, problem)),
            _ => None,
        })
    }
}

/// What became of one item.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Outcome {
    /// Where it stands in the text.
    pub span: Span,
    /// What it came to.
    pub came: Came,
    /// The files that were looked at.
    pub considered: Vec<Considered>,
    /// How many more stood there, and did not match.
    pub passed_over: usize,
    /// The folder on the way that is not there, if that is why it came to nothing.
    pub missing: Option<Placement>,
}

/// What an item came to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Came {
    /// So many files.
    Files(usize),
    /// Somebody else hands it over, or it is rendered.
    Elsewhere,
    /// Nothing is there.
    Nothing,
    /// Not needed: what stands before is there.
    Spared,
    /// Not tried: what stands before is broken, and broken is not absent.
    Held,
    /// It cannot be told.
    Broken(Problem),
}

/// A file that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Considered {
    /// Which.
    pub at: Placement,
    /// How large.
    pub bytes: u64,
    /// In or out.
    pub fate: Fate,
}

/// Why a file is in or out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Delivered.
    Taken,
    /// Delivered once already, for an item before.
    Repeated,
    /// Not the first of the matches.
    NotFirst,
    /// Its name matches, and it is a folder.
    Folder,
    /// Its name matches, or it stands on the way, and it is a link, which is not followed.
    Link,
    /// Its name matches, and it is a device or its name is not Unicode.
    NotAFile,
    /// More than a payload may have.
    Beyond,
}

/// Why an item cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// A whole path is needed.
    #[error("expected an absolute path, as in /srv/goods/file.zip: this store has no base directory")]
    Relative,
    /// An absolute path in a store with a base directory.
    #[error(
        "the path is absolute, and this store keeps its files below a base directory; write \"%\" before it"
    )]
    Absolute,
    /// Below no root.
    #[error("\"{0}\" is in none of the declared roots")]
    OutsideRoots(String),
    /// Two roots with one name.
    #[error("the roots \"{0}\" and \"{1}\" have one name; names are compared without regard to case")]
    TwoRoots(String, String),
    /// Two names that differ by case only: two folders, or two files of which neither is spelled exactly so.
    #[error("\"{one}\" and \"{other}\" in \"{folder}\" differ by case only; rename one")]
    Ambiguous {
        /// Where.
        folder: TreePath,
        /// One of them.
        one: String,
        /// Another.
        other: String,
    },
    /// A folder cannot be read.
    #[error("{0}")]
    Tree(String),
    /// Too much to look at.
    #[error(
        "the folders that this payload looks into have more than {0} entries; sort the files into more folders"
    )]
    Entries(usize),
    /// Too much.
    #[error("the payload has more than {0} files")]
    Files(usize),
    /// Too large.
    #[error("the payload has more than {0} bytes")]
    Bytes(u64),
}

/// Walks the roots and tells what the spec means now. Two equal trees give equal answers.
pub fn resolve(spec: &Spec, roots: &[Root<'_>], layout: &Layout, limits: Limits) -> Resolution {
    let mut walk = Walk::new(roots, layout, limits.entries);
    let mut found = Resolution::default();
    let mut taken = BTreeSet::new();
    // Whether the alternatives so far came to something, or cannot be told.
    let mut before = Came::Nothing;
    for item in &spec.items {
        let spared = item.join == Join::IfNot;
        let outcome = match &before {
            Came::Files(_) | Came::Elsewhere | Came::Spared if spared => without_files(item, Came::Spared),
            Came::Broken(_) | Came::Held if spared => without_files(item, Came::Held),
            _ => take(walk.item(item), limits, &mut taken, &mut found),
        };
        before = outcome.came.clone();
        found.outcomes.push(outcome);
    }
    found
}

pub(crate) fn without_files(item: &Item, came: Came) -> Outcome {
    Outcome { span: item.span, came, considered: Vec::new(), passed_over: 0, missing: None }
}

/// Adds what an item found, each file once, until a limit is reached.
fn take(
    mut outcome: Outcome,
    limits: Limits,
    taken: &mut BTreeSet<Placement>,
    found: &mut Resolution,
) -> Outcome {
    for considered in outcome.considered.iter_mut().filter(|one| one.fate == Fate::Taken) {
        if taken.contains(&considered.at) {
            considered.fate = Fate::Repeated;
            continue;
        }
        let bytes = found.bytes.checked_add(considered.bytes).filter(|bytes| *bytes <= limits.bytes);
        match bytes.filter(|_| found.files.len() < limits.files) {
            Some(bytes) => {
                taken.insert(considered.at.clone());
                found.files.push(considered.at.clone());
                found.bytes = bytes;
            }
            None => {
                considered.fate = Fate::Beyond;
                let files = found.files.len() >= limits.files;
                let problem = if files { Problem::Files(limits.files) } else { Problem::Bytes(limits.bytes) };
                outcome.came = Came::Broken(problem);
            }
        }
    }
    outcome
}
