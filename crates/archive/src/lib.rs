//! Zip archives that are computed, never stored.
//!
//! An order's files are hashed, and deflated where that pays, when they are added to a product; the
//! archive of an order is then only an arrangement of them. [`Layout`] knows every offset, the length and a strong
//! `ETag` before the first byte is sent; [`Layout::pieces`] says what makes up any range of it, and a
//! [`Reader`] reads that range from a [`Source`] of contents, in flat memory. Nothing is written anywhere.
//!
//! The bytes are a function of names, contents, time, seed and password: [`Frozen`] and the two secrets
//! give the same archive in another process, on another node, after an update of this program.
//!
//! # Protection
//!
//! With a [`Protection`], contents are encrypted as WinZip does it: AES-256, AE-2. Names and sizes
//! stay readable; the format has nothing for them. The salt of an entry, on which its keystream depends, is a keyed
//! function of its content and its place, so that a keystream is never used for two contents, and the same archive
//! always comes out the same. The tag at an entry's end needs all of its bytes: a range that reaches the tag without
//! having passed over the entry costs one more pass over that entry, once ([`Reader::owed_tag`], [`Tags`]).
//!
//! # Sources of the format
//!
//! * APPNOTE.TXT 6.3.10, the .ZIP File Format Specification of PKWARE: headers, ZIP64 (4.3.14 to 4.3.16, 4.5.3), names in
//!   UTF-8 (4.4.4, bit 11).
//! * AES Encryption Information: Encryption Specification AE-1 and AE-2, version 1.04, of WinZip: extra
//!   field 0x9901, PBKDF2-HMAC-SHA-1 with 1,000 rounds (RFC 8018), little-endian counter, HMAC-SHA-1-80.
//! * RFC 1951, deflate.

mod deflate;
mod entry;
mod error;
mod frozen;
mod hexed;
mod layout;
mod moment;
mod names;
pub mod password;
mod pieces;
mod protected;
mod reader;
mod record;
mod seal;

pub use deflate::{DeflateError, Deflated, Deflater};
pub use entry::{ContentId, ContentIdError, Entry, Form};
pub use error::{LayoutError, ReadError, TagsError, ThawError};
pub use frozen::Frozen;
pub use layout::{ENTRIES_MAX, LENGTH_MAX, Layout};
pub use moment::DosTime;
pub use names::{DEPTH_MAX, NAME_BYTES_MAX, PART_BYTES_MAX, safe_names};
pub use pieces::{Piece, Pieces, Stretch};
pub use protected::Tags;
pub use reader::{Reader, Source};
pub use seal::{Protection, Sealing, Tag, TagError};
