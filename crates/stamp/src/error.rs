/// Why a file was not stamped. A file is stamped whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StampError {
    /// The file is encrypted, with or without a password to open it, or under rights management.
    #[error("it is encrypted")]
    Encrypted,
    /// The file carries a digital signature, which stamping would break.
    #[error("it carries a digital signature, which a stamp would break")]
    Signed,
    /// The file cannot be read, or is of a kind that readers show without its pages.
    #[error("{0}")]
    Broken(String),
    /// The archive holds no file that could be stamped.
    #[error("no file in it is a PDF or an EPUB")]
    Nothing,
    /// The file, or what it unpacks to, is larger than is worked on.
    #[error("{what} is larger than {limit} bytes, the most that is stamped")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// How large it may be.
        limit: usize,
    },
}

impl StampError {
    pub(crate) fn broken(why: impl std::fmt::Display) -> Self {
        Self::Broken(why.to_string())
    }
}
