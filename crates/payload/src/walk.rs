//! Goes through the roots for one item after another.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::path::{Anchor, NamePattern, PathSpec};
use crate::pattern::NameKey;
use crate::resolve::{Came, Considered, Fate, Layout, Outcome, Placement, Problem, Root, without_files};
use crate::spec::{Goods, Item, Pick, Reach};
use crate::tree::{Entry, EntryKind, TreeError, TreePath};

/// One resolution's view of the roots.
pub(crate) struct Walk<'a, 'r> {
    roots: &'a [Root<'r>],
    layout: &'a Layout,
    entries_max: usize,
    /// How many of them are left.
    entries_left: usize,
    /// Each folder is listed once, so that one answer is about one moment.
    listed: BTreeMap<Placement, Listed>,
}

/// What stands in a folder, in the order of its keys; `None` when there is no such folder.
type Listed = Result<Option<Rc<[Known]>>, Problem>;

/// An entry and how its name is compared, which is worked out once.
struct Known {
    key: NameKey,
    entry: Entry,
}

/// Where the folders of a path lead.
enum Way {
    To(Placement),
    /// There is no such folder.
    Nowhere(Placement),
    /// There is a link instead of a folder.
    Link(Placement),
}

impl<'a, 'r> Walk<'a, 'r> {
    pub fn new(roots: &'a [Root<'r>], layout: &'a Layout, entries_max: usize) -> Self {
        Self { roots, layout, entries_max, entries_left: entries_max, listed: BTreeMap::new() }
    }

    /// What an item comes to by itself.
    pub fn item(&mut self, item: &Item) -> Outcome {
        let Goods::Files { path, pick, reach } = &item.goods else {
            return without_files(item, Came::Elsewhere);
        };
        let found = match self.way(path, *reach) {
            Ok(Way::To(folder)) => self.matches(item, &folder, &path.name, *pick),
            Ok(Way::Nowhere(at)) => Ok(Outcome { missing: Some(at), ..without_files(item, Came::Nothing) }),
            Ok(Way::Link(at)) => {
                let considered = vec![Considered { at, bytes: 0, fate: Fate::Link }];
                Ok(Outcome { considered, ..without_files(item, Came::Nothing) })
            }
            Err(problem) => Err(problem),
        };
        found.unwrap_or_else(|problem| without_files(item, Came::Broken(problem)))
    }

    /// Goes to the folder of a path.
    fn way(&mut self, path: &PathSpec, reach: Reach) -> Result<Way, Problem> {
        let layout = self.layout;
        let own = path.folders.iter().map(String::as_str);
        let (anchor, steps): (&Anchor, Vec<&str>) = match layout {
            Layout::ByAttribute(base) if reach == Reach::Store => {
                if path.anchor != Anchor::Relative {
                    return Err(Problem::Absolute);
                }
                let below = base.folders.iter().map(String::as_str);
                let choice = base.choice.iter().map(|choice| choice.as_str());
                (&base.anchor, below.chain(choice).chain(own).collect())
            }
            _ if path.anchor == Anchor::Relative => return Err(Problem::Relative),
            _ => (&path.anchor, own.collect()),
        };
        let Some((root, depth)) = self.root_of(anchor, &steps)? else {
            let folders: String = steps.iter().map(|name| format!("{name}/")).collect();
            return Err(Problem::OutsideRoots(format!("{anchor}{folders}{}", path.name)));
        };
        let mut at = Placement { root, path: TreePath::top() };
        for name in steps.get(depth..).unwrap_or_default() {
            let entries = self.list(&at)?.unwrap_or_default();
            match step(&entries, name, &at.path)? {
                Some(entry) => at.path = at.path.join(&entry.name),
                None => return Ok(not_there(&entries, name, at)),
            }
        }
        Ok(Way::To(at))
    }

    /// The root with the longest path of those that the steps begin with, and its length.
    fn root_of(&self, anchor: &Anchor, steps: &[&str]) -> Result<Option<(usize, usize)>, Problem> {
        let alike = |folder: &String, step: &&str| NameKey::of(folder) == NameKey::of(step);
        let begins = |root: &Root<'_>| {
            root.anchor == *anchor
                && root.folders.len() <= steps.len()
                && root.folders.iter().zip(steps).all(|(folder, step)| alike(folder, step))
        };
        let fitting = self.roots.iter().enumerate().filter(|(_, root)| begins(root));
        let mut fitting: Vec<(usize, usize)> =
            fitting.map(|(number, root)| (number, root.folders.len())).collect();
        fitting.sort_by_key(|(number, depth)| (Reverse(*depth), *number));
        match fitting.as_slice() {
            [(one, depth), (other, same), ..] if depth == same => {
                Err(Problem::TwoRoots(self.named(*one), self.named(*other)))
            }
            [longest, ..] => Ok(Some(*longest)),
            [] => Ok(None),
        }
    }

    fn named(&self, root: usize) -> String {
        let Some(root) = self.roots.get(root) else { return String::new() };
        format!("{}{}", root.anchor, root.folders.join("/"))
    }

    fn list(&mut self, at: &Placement) -> Listed {
        if let Some(listed) = self.listed.get(at) {
            return listed.clone();
        }
        let listed = self.read(at);
        self.listed.insert(at.clone(), listed.clone());
        listed
    }

    fn read(&mut self, at: &Placement) -> Listed {
        let Some(root) = self.roots.get(at.root) else { return Ok(None) };
        let entries = match root.tree.list(&at.path, self.entries_left) {
            Ok(entries) => entries,
            Err(TreeError::Missing(_) | TreeError::NotAFolder(_) | TreeError::NotAFile(_)) => {
                return Ok(None);
            }
            Err(TreeError::TooMany { .. }) => return Err(Problem::Entries(self.entries_max)),
            Err(error @ TreeError::Unreadable { .. }) => return Err(Problem::Tree(error.to_string())),
        };
        self.entries_left = self.entries_left.saturating_sub(entries.len());
        let known = entries.into_iter().map(|entry| Known { key: NameKey::of(&entry.name), entry });
        let mut known: Vec<Known> = known.collect();
        known.sort_by(|a, b| (&a.key, &a.entry.name).cmp(&(&b.key, &b.entry.name)));
        Ok(Some(known.into()))
    }

    fn matches(
        &mut self,
        item: &Item,
        folder: &Placement,
        name: &NamePattern,
        pick: Pick,
    ) -> Result<Outcome, Problem> {
        let entries = self.list(folder)?.unwrap_or_default();
        let matching: Vec<&Entry> = match name {
            NamePattern::Wild(pattern) => {
                let matching = entries.iter().filter(|known| pattern.matches(&known.key));
                matching.map(|known| &known.entry).collect()
            }
            NamePattern::Exact(name) => file(&entries, name, &folder.path)?.into_iter().collect(),
        };
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
        Ok(Outcome { considered, passed_over, ..without_files(item, came) })
    }
}

/// The entries whose names differ from this one by case at most.
fn alike<'e>(entries: &'e [Known], name: &str) -> &'e [Known] {
    let key = NameKey::of(name);
    let from = entries.partition_point(|known| known.key < key);
    let rest = entries.get(from..).unwrap_or_default();
    rest.get(..rest.partition_point(|known| known.key == key)).unwrap_or_default()
}

/// The folder with this name. Its case means nothing, so two that differ by it are an error even when
/// one is spelled exactly so: where old specs were written, they were one folder.
fn step<'e>(entries: &'e [Known], name: &str, folder: &TreePath) -> Result<Option<&'e Entry>, Problem> {
    let folders: Vec<&Entry> = alike(entries, name)
        .iter()
        .map(|known| &known.entry)
        .filter(|entry| entry.kind == EntryKind::Folder)
        .collect();
    only(&folders, folder)
}

/// The entry with this name: spelled exactly so, or else the only one that differs by case.
fn file<'e>(entries: &'e [Known], name: &str, folder: &TreePath) -> Result<Option<&'e Entry>, Problem> {
    let alike: Vec<&Entry> = alike(entries, name).iter().map(|known| &known.entry).collect();
    match alike.iter().copied().find(|entry| entry.name == name) {
        Some(exact) => Ok(Some(exact)),
        None => only(&alike, folder),
    }
}

fn only<'e>(alike: &[&'e Entry], folder: &TreePath) -> Result<Option<&'e Entry>, Problem> {
    match alike {
        [] => Ok(None),
        [only] => Ok(Some(only)),
        [one, other, ..] => Err(Problem::Ambiguous {
            folder: folder.clone(),
            one: one.name.clone(),
            other: other.name.clone(),
        }),
    }
}

/// Why there is no folder with this name.
fn not_there(entries: &[Known], name: &str, at: Placement) -> Way {
    let link = alike(entries, name).iter().find(|known| known.entry.kind == EntryKind::Link);
    match link {
        Some(link) => Way::Link(Placement { path: at.path.join(&link.entry.name), ..at }),
        None => Way::Nowhere(Placement { path: at.path.join(name), ..at }),
    }
}
