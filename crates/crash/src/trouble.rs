//! Why the test itself could not go on. What the program did wrong is a finding, not a trouble.

/// In words, for whoever runs the test.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Something of the stage failed.
    #[error("{0}")]
    Stage(String),
    /// A file, a socket or a process.
    #[error("{0}")]
    System(#[from] std::io::Error),
    /// The database cannot be looked at.
    #[error(transparent)]
    Database(#[from] db::DbError),
    /// The program's JSON cannot be read.
    #[error("the program's JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// What an attempt of the test comes to.
pub type Tried<T> = Result<T, Trouble>;

/// A trouble in these words.
pub fn trouble(words: impl Into<String>) -> Trouble {
    Trouble::Stage(words.into())
}
