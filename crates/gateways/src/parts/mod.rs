//! What several adapters need: settings with one meaning, signatures, amounts as they were written.

pub(crate) mod amounts;
pub(crate) mod posts;
pub(crate) mod settings;
pub(crate) mod signatures;
