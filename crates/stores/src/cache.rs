//! The blobs that are open.
