//! The folders that specs may lead into, as the command line declares them.

use std::fs::File;
use std::path::Path;

use payload::{
    Attributes, DirectoryTree, Layout, Limits, ParseError, Placement, Resolution, Root, Spec, TreeError,
    resolve,
};

use super::super::VerbError;

/// A spec and where it may lead.
#[derive(Debug, clap::Args)]
pub struct Ground {
    /// The payload spec, such as 'manual.pdf,+fonts\*.ttf'. See docs/PAYLOADS.md.
    spec: String,
    /// A folder that the spec may lead into; may be given several times. With NAME=DIR the spec calls it by
    /// another name, as in 'c:\payloadsource=/srv/goods'.
    #[arg(long = "root", value_name = "DIR", required = true)]
    roots: Vec<String>,
    /// The base directory, if the store has one: relative paths are looked for below it.
    #[arg(long, value_name = "DIR")]
    base: Option<String>,
    /// The buyer's choice: a folder below the base directory.
    #[arg(long, value_name = "NAME", requires = "base")]
    attribute: Option<String>,
}

/// The same, opened and read.
pub struct Opened {
    pub spec: Spec,
    layout: Layout,
    roots: Vec<(String, DirectoryTree)>,
}

impl Ground {
    pub fn open(&self) -> Result<Opened, VerbError> {
        let pointed = |error: ParseError| {
            VerbError::Usage(format!("the spec, character {}:\n{}", error.at, error.pointed(&self.spec)))
        };
        let spec = Spec::parse(&self.spec).map_err(pointed)?;
        let roots = self.roots.iter().map(|text| root(text)).collect::<Result<_, _>>()?;
        Ok(Opened { spec, layout: self.layout()?, roots })
    }

    fn layout(&self) -> Result<Layout, VerbError> {
        let Some(base) = &self.base else { return Ok(Layout::FullPaths) };
        let usage = |error: &dyn std::fmt::Display| VerbError::Usage(error.to_string());
        let choice = match &self.attribute {
            None => None,
            Some(name) => {
                let values = Attributes::new([name.clone()]).map_err(|error| usage(&error))?;
                values.choose(name)
            }
        };
        let named = |name: &str| Layout::by_attribute(name, choice.clone());
        // A name that specs have for it, or a folder here.
        named(base).or_else(|_| {
            named(&absolute(base)?).map_err(|error| VerbError::Usage(format!("--base {base}: {error}")))
        })
    }
}

/// Reads `DIR` or `NAME=DIR` and opens it.
fn root(text: &str) -> Result<(String, DirectoryTree), VerbError> {
    let named = text.split_once('=').filter(|(name, _)| {
        // An equals sign may also be part of a folder's name.
        Layout::by_attribute(name, None).is_ok() && !Path::new(text).exists()
    });
    let (name, folder) = match named {
        Some((name, folder)) => (name.to_owned(), folder),
        None => (absolute(text)?, text),
    };
    let why = |why| VerbError::File { path: folder.to_owned(), why };
    Ok((name, DirectoryTree::open(Path::new(folder)).map_err(why)?))
}

/// The whole path of a folder here. One that is whole already stays as it is written, since specs may
/// have it with the same links.
fn absolute(folder: &str) -> Result<String, VerbError> {
    if Path::new(folder).is_absolute() {
        return Ok(folder.to_owned());
    }
    let why = |why| VerbError::File { path: folder.to_owned(), why };
    let whole = std::fs::canonicalize(folder).map_err(why)?;
    let unicode = || VerbError::Usage(format!("{folder}: the path is not Unicode; name it as NAME=DIR"));
    whole.to_str().map(str::to_owned).ok_or_else(unicode)
}

impl Opened {
    pub fn resolve(&self) -> Result<Resolution, VerbError> {
        let again = |name: &str, error| {
            VerbError::Usage(format!("--root {name}: {error}; give it another name, as NAME={name}"))
        };
        let roots =
            self.roots.iter().map(|(name, tree)| Root::new(name, tree).map_err(|error| again(name, error)));
        let roots: Vec<Root<'_>> = roots.collect::<Result<_, _>>()?;
        Ok(resolve(&self.spec, &roots, &self.layout, Limits::default()))
    }

    /// Where a file is, as specs would write it.
    pub fn path(&self, at: &Placement) -> String {
        let root = self.roots.get(at.root).map_or("", |(name, _)| name);
        let root = root.trim_end_matches(['/', '\\']);
        format!("{root}/{}", at.path)
    }

    /// Opens a file that was found.
    pub fn read(&self, at: &Placement) -> Result<(File, u64), TreeError> {
        match self.roots.get(at.root) {
            Some((_, tree)) => tree.read(&at.path),
            None => Err(TreeError::Missing(at.path.clone())),
        }
    }
}
