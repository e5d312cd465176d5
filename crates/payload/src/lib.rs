//! Payload specs: what a sold line delivers, written in one short line of text.
//!
//! A spec names files with wildcards and fallbacks, artwork to be rendered, and goods that
//! somebody else hands over. [`Spec::parse`] turns the text into a tree with positions;
//! [`resolve`] walks a [`FileTree`] and answers which files that means *now*, and for every
//! file considered, why it is in or out. The tree is an argument, and only it can open anything:
//! [`DirectoryTree`] is a folder of this machine, [`MemoryTree`] stands nowhere.
//!
//! The language, its grammar and what it means are written down in `docs/PAYLOADS.md`; a test reads that page
//! and holds the examples in it against this crate.

#![forbid(unsafe_code)]

mod attribute;
mod directory;
mod error;
mod parse;
mod path;
mod pattern;
mod resolve;
mod scan;
pub mod sendsafe;
mod spec;
mod tree;
mod walk;

pub use attribute::{AttributeError, Attributes, Choice};
pub use directory::DirectoryTree;
pub use error::{Expected, ParseError};
pub use path::{Anchor, NamePattern, PathError, PathSpec, turns_direction};
pub use pattern::{NameKey, Pattern};
pub use resolve::{
    Came, Considered, Fate, Layout, Limits, Outcome, Placement, Problem, Resolution, Root, resolve,
};
pub use spec::{Artwork, Credential, Delivery, Format, Goods, Item, Join, Login, Pick, Reach, Span, Spec};
pub use tree::{Entry, EntryKind, FileTree, MemoryTree, TreeError, TreePath};
