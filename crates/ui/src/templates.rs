//! The template files that are compiled in.

macro_rules! embed {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../templates/", $name)))),*]
    };
}
pub(crate) use embed;

/// A template's name under `/templates` and its source.
pub(crate) type Source = (&'static str, &'static str);

/// Shared by pages and by the back office.
const BASE: &[Source] = embed!["layout.html", "macros.html"];

/// Pages for whoever has lost the way.
const PROBLEM: &[Source] = embed!["problem.html"];

/// Every template.
pub(crate) fn all() -> impl Iterator<Item = Source> {
    [
        BASE,
        PROBLEM,
        crate::shop::TEMPLATES,
        crate::delivery::TEMPLATES,
        crate::portal::TEMPLATES,
        crate::invoice::TEMPLATES,
        crate::stream::TEMPLATES,
        crate::ticket::TEMPLATES,
        crate::mailbox::TEMPLATES,
        crate::mails::TEMPLATES,
        crate::admin::TEMPLATES,
    ]
    .into_iter()
    .flatten()
    .copied()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { files(&path, found) } else { found.push(path) }
        }
    }

    #[test]
    fn every_file_is_compiled_in() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../templates");
        let mut found = Vec::new();
        files(&root, &mut found);
        let known: Vec<&str> = super::all().map(|(name, _)| name).collect();
        for path in found {
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            assert!(known.contains(&name.as_str()), "templates/{name} is not in an embed! list");
        }
    }

    #[test]
    fn no_template_has_inline_style_or_script_or_loads_from_elsewhere() {
        for (name, source) in super::all().filter(|(name, _)| !name.starts_with("mail/")) {
            for banned in
                [" style=", "<style", " onclick=", " onchange=", " onsubmit=", "javascript:", "src=\"http"]
            {
                assert!(!source.contains(banned), "{name} contains {banned:?}, which the CSP forbids");
            }
            assert_eq!(source.matches("<script").count(), source.matches("<script src=").count(), "{name}");
        }
    }
}
