//! Payload specs: what a sold line delivers, written in one short line of text.
//!
//! A spec names files with wildcards and fallbacks, artwork to be rendered, and goods that
//! somebody else hands over. [`Spec::parse`] turns the text into a tree with positions;
//! [`resolve`] walks a [`FileTree`] and answers which files that means *now*, and for every
//! file considered, why it is in or out. The tree is an argument, and only it can open anything:
//! [`DirectoryTree`] is a folder of this machine, [`MemoryTree`] stands nowhere.
//!
//! # Grammar
//!
//! ```text
//! spec      = [ item *( "," item ) ]             ; nothing at all: no payload
//! item      = blank *prefix goods blank
//! prefix    = "+" | "^" | "%" | "~"              ; each at most once; not "+" and "^" together
//! goods     = "@" parameter                      ; handed over by the store's plug-in
//!           | "#" parameter                      ; put on the drop-ship list
//!           | "FFPSOURCED" "!" format "!" place  ; the line's artwork, rendered
//!           | path                               ; files
//! format    = "PDF" | "PNG" | "JPG" | "JPEG"
//! place     = "NONE"                             ; the buyer downloads it
//!           | [ "!" ] host "!" [ directory "!" ] login
//! login     = user "!" password
//!           | "{" id "}"                         ; a login that has been sealed and stored
//! path      = [ drive | share | slash ] part *( slash part )
//! drive     = letter ":" slash
//! share     = slash slash                        ; then server and share are its first parts
//! slash     = "/" | "\"
//! part      = 1*( character | "*" | "?" | quoted )   ; "*" and "?" in the last part only
//! quoted    = DQUOTE *( any | DQUOTE DQUOTE ) DQUOTE ; stands for itself, operators and all
//! ```
//!
//! Keywords are read without regard to case, and so are names in the tree. White space around an
//! item falls away; inside it counts. A quotation mark makes everything up to the next one plain
//! text; two in a row inside are one.
//!
//! # What the prefixes mean
//!
//! * none and `+`: as well as what stands before.
//! * `^`: only if what stands before came to nothing. A run of `^` is a chain of alternatives:
//!   the first that is there is taken.
//! * `%`: the path is absolute although the store keeps its files by attribute.
//! * `~`: of all matches only the first, in alphabetical order.
//!
//! A path is absolute in a store without a base directory, and below the base directory and the
//! folder of the buyer's attribute in a store with one ([`Layout`]). Either way it leads nowhere
//! but into roots that the operator declared.

#![forbid(unsafe_code)]

mod attribute;
mod directory;
mod error;
mod parse;
mod path;
mod pattern;
mod resolve;
mod scan;
mod spec;
mod tree;
mod walk;

pub use attribute::{AttributeError, Attributes, Choice};
pub use directory::DirectoryTree;
pub use error::{Expected, ParseError};
pub use path::{Anchor, NamePattern, PathError, PathSpec};
pub use pattern::{NameKey, Pattern};
pub use resolve::{
    Came, Considered, Fate, Layout, Limits, Outcome, Placement, Problem, Resolution, Root, resolve,
};
pub use spec::{Artwork, Credential, Delivery, Format, Goods, Item, Join, Login, Pick, Reach, Span, Spec};
pub use tree::{Entry, EntryKind, FileTree, MemoryTree, TreeError, TreePath};
