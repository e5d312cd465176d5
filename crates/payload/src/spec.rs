//! The tree that a spec is parsed to.

use kernel::Secret;

/// Where something stands in the text: bytes from the beginning, half open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    /// The part of the text that it names; nothing when the text is another one.
    pub fn of<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.start..self.end).unwrap_or_default()
    }
}

/// A whole spec. Without items the product has no payload.
#[derive(Debug, Clone, Default)]
pub struct Spec {
    /// In the order of the text.
    pub items: Vec<Item>,
}

/// One entry between commas.
#[derive(Debug, Clone)]
pub struct Item {
    /// Where it stands, without the white space around it.
    pub span: Span,
    /// How it goes with what stands before.
    pub join: Join,
    /// What it stands for.
    pub goods: Goods,
}

/// How an item goes with what stands before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Join {
    /// As well: no prefix, or `+`.
    And,
    /// Only if what stands before came to nothing: `^`.
    IfNot,
}

/// What an item stands for.
#[derive(Debug, Clone)]
pub enum Goods {
    /// Files of ours.
    Files {
        /// Which.
        path: crate::PathSpec,
        /// All matches or the first: `~`.
        pick: Pick,
        /// From the base directory or from a root: `%`.
        reach: Reach,
    },
    /// The store's plug-in hands it over: `@`. The text is the plug-in's parameter.
    External(String),
    /// Staff send it: `#`. The text names it on the drop-ship list.
    DropShip(String),
    /// The line's artwork, rendered: `FFPSOURCED`.
    Artwork(Artwork),
}

/// Which of the matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pick {
    /// All of them.
    All,
    /// The first in alphabetical order.
    First,
}

/// Where a path begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Where the store's files begin: the base directory if it has one.
    Store,
    /// At a root, whatever the store has.
    Absolute,
}

/// What the artwork of a line becomes.
#[derive(Debug, Clone)]
pub struct Artwork {
    /// The kind of file.
    pub format: Format,
    /// Who gets it.
    pub delivery: Delivery,
}

/// A kind of file that artwork is rendered to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A PDF page.
    Pdf,
    /// A PNG image.
    Png,
    /// A JPEG image.
    Jpg,
}

impl Format {
    /// All of them, as a message lists them.
    pub const NAMES: &'static str = "PDF, PNG or JPG";

    /// The format with this name, in any case.
    pub fn named(text: &str) -> Option<Self> {
        let named = [("pdf", Self::Pdf), ("png", Self::Png), ("jpg", Self::Jpg), ("jpeg", Self::Jpg)];
        named.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, format)| format)
    }

    /// As it is written in a spec.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pdf => "PDF",
            Self::Png => "PNG",
            Self::Jpg => "JPG",
        }
    }

    /// The ending of the rendered file's name.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Png => "png",
            Self::Jpg => "jpg",
        }
    }
}

/// Who gets a rendered file.
#[derive(Debug, Clone)]
pub enum Delivery {
    /// The buyer downloads it.
    Download,
    /// It is uploaded, typically to a printing house.
    Upload {
        /// The FTP server's name or address, with a port or without.
        host: String,
        /// Below the folder where the login begins; empty for that folder itself.
        directory: String,
        /// How to get in.
        login: Login,
    },
}

/// How to get into an FTP server.
#[derive(Debug, Clone)]
pub enum Login {
    /// As somebody typed it. A spec is never stored like this: see [`Spec::seal`].
    Plain(Credential),
    /// The id of a login that is kept, encrypted, elsewhere.
    Stored(String),
}

/// A user's name and password.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The name of the account.
    pub user: String,
    /// Never shown again.
    pub password: Secret<String>,
}

impl Spec {
    /// Whether nothing is delivered.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Replaces every typed login by the id under which `keep` stored it, so that the text
    /// of the spec holds no password.
    ///
    /// # Errors
    /// What `keep` answers; the spec is then unchanged from that item on.
    pub fn seal<E>(&mut self, mut keep: impl FnMut(&str, &Credential) -> Result<String, E>) -> Result<(), E> {
        for item in &mut self.items {
            let Goods::Artwork(Artwork { delivery: Delivery::Upload { host, login, .. }, .. }) =
                &mut item.goods
            else {
                continue;
            };
            if let Login::Plain(credential) = login {
                *login = Login::Stored(keep(host, credential)?);
            }
        }
        Ok(())
    }
}

/// The spec as text that parses to the same tree. A password that was not sealed is shown as
/// `***`: the text of a sealed spec is the one to store.
impl std::fmt::Display for Spec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, item) in self.items.iter().enumerate() {
            if at > 0 {
                f.write_str(if item.join == Join::And { ",+" } else { "," })?;
            }
            item.fmt(f)?;
        }
        Ok(())
    }
}

/// The item as the first of a spec; so `^` stands before it, and `+` does not.
impl std::fmt::Display for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.join == Join::IfNot {
            f.write_str("^")?;
        }
        self.goods.fmt(f)
    }
}

impl std::fmt::Display for Goods {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Files { path, pick, reach } => {
                if *reach == Reach::Absolute {
                    f.write_str("%")?;
                }
                if *pick == Pick::First {
                    f.write_str("~")?;
                }
                path.fmt(f)
            }
            Self::External(parameter) => write!(f, "@{}", quoted(parameter)),
            Self::DropShip(parameter) => write!(f, "#{}", quoted(parameter)),
            Self::Artwork(Artwork { format, delivery }) => {
                write!(f, "FFPSOURCED!{}!", format.as_str())?;
                match delivery {
                    Delivery::Download => f.write_str("NONE"),
                    Delivery::Upload { host, directory, login } => {
                        let directory = if directory.is_empty() { "/" } else { directory };
                        write!(f, "{}!{}!", quoted(host), quoted(directory))?;
                        match login {
                            Login::Plain(credential) => write!(f, "{}!***", quoted(&credential.user)),
                            Login::Stored(id) => write!(f, "{{{id}}}"),
                        }
                    }
                }
            }
        }
    }
}

/// The text in quotation marks when it would be read as something else without them.
pub(crate) fn quoted(text: &str) -> String {
    let plain = !text.is_empty()
        && text.trim() == text
        && !text.contains(['"', ',', '!', '*', '?', '/', '\\', '{', '}'])
        && !text.starts_with(['+', '^', '%', '~', '@', '#'])
        && !text.get(..10).is_some_and(|head| head.eq_ignore_ascii_case("ffpsourced"))
        && !text.eq_ignore_ascii_case("none")
        && !crate::path::is_short_name(text);
    if plain || text == "/" { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}
