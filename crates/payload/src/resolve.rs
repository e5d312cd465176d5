//! What a spec means now: which files, and for each that was looked at, why it is in or out.

use std::collections::{BTreeMap, BTreeSet};

use crate::attribute::Choice;
use crate::path::{Anchor, NamePattern, PathError, PathSpec};
use crate::pattern::NameKey;
use crate::spec::{Goods, Item, Join, Pick, Reach, Span, Spec};
use crate::tree::{Entry, EntryKind, FileTree, TreeError, TreePath};

/// A folder that the operator declared; specs lead nowhere else.
pub struct Root<'a> {
    anchor: Anchor,
    folders: Vec<String>,
    tree: &'a dyn FileTree,
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
    anchor: Anchor,
    folders: Vec<String>,
    choice: Option<Choice>,
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
    /// Entries of one folder.
    pub entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { files: 10_000, bytes: 1 << 40, entries: 100_000 }
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
    /// Its name matches, and it is a link, which is not followed.
    Link,
    /// Its name matches, and it is a device or its name is not Unicode.
    NotAFile,
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
    /// Two names that differ by case only, and neither is spelled exactly so.
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
    /// Too much.
    #[error("the payload has more than {0} files")]
    Files(usize),
    /// Too large.
    #[error("the payload has more than {0} bytes")]
    Bytes(u64),
}

/// Walks the roots and tells what the spec means now. Two equal trees give equal answers.
pub fn resolve(spec: &Spec, roots: &[Root<'_>], layout: &Layout, limits: Limits) -> Resolution {
    let mut walk = Walk { roots, layout, limits, listed: BTreeMap::new() };
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

fn without_files(item: &Item, came: Came) -> Outcome {
    Outcome { span: item.span, came, considered: Vec::new(), passed_over: 0 }
}

/// Adds what an item found, each file once.
fn take(
    mut outcome: Outcome,
    limits: Limits,
    taken: &mut BTreeSet<Placement>,
    found: &mut Resolution,
) -> Outcome {
    for considered in outcome.considered.iter_mut().filter(|one| one.fate == Fate::Taken) {
        if !taken.insert(considered.at.clone()) {
            considered.fate = Fate::Repeated;
            continue;
        }
        if found.files.len() >= limits.files {
            outcome.came = Came::Broken(Problem::Files(limits.files));
            break;
        }
        match found.bytes.checked_add(considered.bytes).filter(|bytes| *bytes <= limits.bytes) {
            Some(bytes) => found.bytes = bytes,
            None => {
                outcome.came = Came::Broken(Problem::Bytes(limits.bytes));
                break;
            }
        }
        found.files.push(considered.at.clone());
    }
    outcome
}

struct Walk<'a, 'r> {
    roots: &'a [Root<'r>],
    layout: &'a Layout,
    limits: Limits,
    /// Each folder is listed once, so that one answer is about one moment.
    listed: BTreeMap<Placement, Result<Vec<Entry>, TreeError>>,
}

/// One folder on the way.
struct Step<'a> {
    name: &'a str,
    /// The buyer's choice: its case means nothing, so that two that differ by it are an error
    /// even when one is spelled exactly so.
    chosen: bool,
}

impl Walk<'_, '_> {
    fn item(&mut self, item: &Item) -> Outcome {
        let Goods::Files { path, pick, reach } = &item.goods else {
            return without_files(item, Came::Elsewhere);
        };
        match self.folder_of(path, *reach) {
            Ok(Some(folder)) => self.matches(item, &folder, &path.name, *pick),
            Ok(None) => without_files(item, Came::Nothing),
            Err(problem) => without_files(item, Came::Broken(problem)),
        }
    }

    /// The folder that a path leads to; `None` when there is none.
    fn folder_of(&mut self, path: &PathSpec, reach: Reach) -> Result<Option<Placement>, Problem> {
        let layout = self.layout;
        let own = path.folders.iter().map(|name| Step { name, chosen: false });
        let (anchor, steps): (&Anchor, Vec<Step<'_>>) = match layout {
            Layout::ByAttribute(base) if reach == Reach::Store => {
                if path.anchor != Anchor::Relative {
                    return Err(Problem::Absolute);
                }
                let below = base.folders.iter().map(|name| Step { name, chosen: false });
                let choice = base.choice.iter().map(|choice| Step { name: choice.as_str(), chosen: true });
                (&base.anchor, below.chain(choice).chain(own).collect())
            }
            _ if path.anchor == Anchor::Relative => return Err(Problem::Relative),
            _ => (&path.anchor, own.collect()),
        };
        let Some((root, depth)) = self.root_of(anchor, &steps) else {
            return Err(Problem::OutsideRoots(path.to_string()));
        };
        let mut at = Placement { root, path: TreePath::top() };
        for step in steps.get(depth..).unwrap_or_default() {
            match self.enter(&at, step)? {
                Some(path) => at.path = path,
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }

    /// The root with the longest path of those that the steps begin with, and its length.
    fn root_of(&self, anchor: &Anchor, steps: &[Step<'_>]) -> Option<(usize, usize)> {
        let begins = |root: &Root<'_>| {
            root.anchor == *anchor
                && root.folders.len() <= steps.len()
                && root
                    .folders
                    .iter()
                    .zip(steps)
                    .all(|(folder, step)| NameKey::of(folder) == NameKey::of(step.name))
        };
        let fitting = self.roots.iter().enumerate().filter(|(_, root)| begins(root));
        fitting.map(|(number, root)| (number, root.folders.len())).max_by_key(|(_, depth)| *depth)
    }

    fn enter(&mut self, at: &Placement, step: &Step<'_>) -> Result<Option<TreePath>, Problem> {
        let Some(entries) = self.list(at)? else { return Ok(None) };
        let folders = entries.iter().filter(|entry| entry.kind == EntryKind::Folder);
        let named = one_of(folders, step.name, step.chosen, &at.path)?;
        Ok(named.map(|entry| at.path.join(&entry.name)))
    }

    /// What stands in a folder; `None` when it is not there.
    fn list(&mut self, at: &Placement) -> Result<Option<Vec<Entry>>, Problem> {
        let (roots, most) = (self.roots, self.limits.entries);
        let listed = self.listed.entry(at.clone()).or_insert_with(|| match roots.get(at.root) {
            Some(root) => root.tree.list(&at.path, most),
            None => Err(TreeError::Missing(at.path.clone())),
        });
        match listed {
            Ok(entries) => Ok(Some(entries.clone())),
            Err(TreeError::Missing(_) | TreeError::NotAFolder(_)) => Ok(None),
            Err(error @ (TreeError::TooMany { .. } | TreeError::Unreadable { .. })) => {
                Err(Problem::Tree(error.to_string()))
            }
        }
    }

    fn matches(&mut self, item: &Item, folder: &Placement, name: &NamePattern, pick: Pick) -> Outcome {
        let entries = match self.list(folder) {
            Ok(entries) => entries.unwrap_or_default(),
            Err(problem) => return without_files(item, Came::Broken(problem)),
        };
        let mut matching: Vec<&Entry> = match name {
            NamePattern::Wild(pattern) => {
                entries.iter().filter(|entry| pattern.matches(&NameKey::of(&entry.name))).collect()
            }
            NamePattern::Exact(name) => match one_of(entries.iter(), name, false, &folder.path) {
                Ok(found) => found.into_iter().collect(),
                Err(problem) => return without_files(item, Came::Broken(problem)),
            },
        };
        matching.sort_by_cached_key(|entry| (NameKey::of(&entry.name), entry.name.clone()));
        let passed_over = entries.len().saturating_sub(matching.len());
        let mut count = 0usize;
        let considered = matching.into_iter().map(|entry| {
            let at = Placement { root: folder.root, path: folder.path.join(&entry.name) };
            let (bytes, fate) = match entry.kind {
                EntryKind::File { bytes } if pick == Pick::First && count > 0 => (bytes, Fate::NotFirst),
                EntryKind::File { bytes } => {
                    count = count.saturating_add(1);
                    (bytes, Fate::Taken)
                }
                EntryKind::Folder => (0, Fate::Folder),
                EntryKind::Link => (0, Fate::Link),
                EntryKind::Other => (0, Fate::NotAFile),
            };
            Considered { at, bytes, fate }
        });
        let considered: Vec<Considered> = considered.collect();
        let came = if count == 0 { Came::Nothing } else { Came::Files(count) };
        Outcome { span: item.span, came, considered, passed_over }
    }
}

/// The entry with this name: spelled exactly so, or else the only one that differs by case.
/// `folded`: being spelled exactly so is no excuse for another.
fn one_of<'e>(
    entries: impl Iterator<Item = &'e Entry>,
    name: &str,
    folded: bool,
    folder: &TreePath,
) -> Result<Option<&'e Entry>, Problem> {
    let key = NameKey::of(name);
    let mut alike: Vec<&Entry> = entries.filter(|entry| NameKey::of(&entry.name) == key).collect();
    if let Some(exact) = alike.iter().copied().find(|entry| !folded && entry.name == name) {
        return Ok(Some(exact));
    }
    alike.sort_by(|a, b| a.name.cmp(&b.name));
    match alike.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(only)),
        [one, other, ..] => Err(Problem::Ambiguous {
            folder: folder.clone(),
            one: one.name.clone(),
            other: other.name.clone(),
        }),
    }
}
