//! FTP, both ways: a door through which buyers read, and an uploader to other people's servers.
//!
//! [`door`] is a server that can only hand out. Whoever logs in is nobody in particular, the root shows
//! nothing, and the name of a directory is the secret that opens it: what lies behind a name is
//! decided by a [`door::Shelf`], which the product implements. [`upload`] puts a file on a server so
//! that it is there whole or not at all. Nothing here knows the product or its database, and nothing
//! here opens a connection to a host: whoever calls has decided which may be reached.

pub mod door;
pub mod upload;
