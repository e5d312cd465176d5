//! Paths of the door: the root, a directory in it, a file in that, and nothing else.

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Where a visit begins, and where nothing is seen.
    Root,
    /// A directory, by its secret name.
    Directory(String),
    /// A file in one.
    File(String, String),
}

/// Reads a path from where the visitor stands. `None` for what can be nowhere.
pub(super) fn resolve(from: &Place, path: &str) -> Option<Place> {
    let mut steps: Vec<&str> = match from {
        _ if path.starts_with('/') => Vec::new(),
        Place::Root => Vec::new(),
        Place::Directory(directory) => vec![directory],
        Place::File(directory, file) => vec![directory, file],
    };
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            name => steps.push(name),
        }
    }
    match steps.as_slice() {
        [] => Some(Place::Root),
        [directory] => Some(Place::Directory((*directory).to_owned())),
        [directory, file] => Some(Place::File((*directory).to_owned(), (*file).to_owned())),
        _ => None,
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Root => f.write_str("/"),
            Self::Directory(directory) => write!(f, "/{directory}"),
            Self::File(directory, file) => write!(f, "/{directory}/{file}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> Place {
        Place::Directory("abc".to_owned())
    }

    #[test]
    fn paths_are_read_from_where_the_visitor_stands() {
        let file = Place::File("abc".to_owned(), "a b.zip".to_owned());
        assert_eq!(resolve(&Place::Root, "abc"), Some(directory()));
        assert_eq!(resolve(&Place::Root, "/abc/"), Some(directory()));
        assert_eq!(resolve(&directory(), "a b.zip"), Some(file.clone()));
        assert_eq!(resolve(&directory(), "./a b.zip"), Some(file.clone()));
        assert_eq!(resolve(&Place::Root, "//abc//a b.zip"), Some(file));
        assert_eq!(resolve(&directory(), ""), Some(directory()));
    }

    #[test]
    fn nothing_leads_above_the_root_or_below_a_file() {
        assert_eq!(resolve(&directory(), "../../.."), Some(Place::Root));
        assert_eq!(resolve(&directory(), "../abc/.."), Some(Place::Root));
        assert_eq!(resolve(&Place::Root, "/abc/file/deeper"), None);
    }
}
