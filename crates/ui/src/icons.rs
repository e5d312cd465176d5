//! Line icons on a 20 × 20 grid, drawn for these pages. Color and stroke come from the stylesheet.

/// The inside of the icon's `<svg>`.
pub(crate) fn shape(name: &str) -> Option<&'static str> {
    SHAPES.iter().find(|(known, _)| *known == name).map(|(_, shape)| *shape)
}

const SHAPES: &[(&str, &str)] = &[
    ("alert", r#"<path d="M10 3.2 18 16.8H2zM10 8.2v4M10 14.6v.1"/>"#),
    ("arrow-left", r#"<path d="M16.5 10h-13M8 5l-5 5 5 5"/>"#),
    ("arrow-right", r#"<path d="M3.5 10h13M12 5l5 5-5 5"/>"#),
    ("bag", r#"<path d="M4.5 6.5h11l.9 10.5H3.6zM7 8.5V5.8a3 3 0 0 1 6 0v2.7"/>"#),
    ("ban", r#"<circle cx="10" cy="10" r="7.2"/><path d="M5 5l10 10"/>"#),
    ("bell", r#"<path d="M5 14V9a5 5 0 0 1 10 0v5l1.3 1.5H3.7zM8.3 17.8h3.4"/>"#),
    ("chart", r#"<path d="M3 17h14M5.5 14V9.5M10 14V4.5M14.5 14v-7"/>"#),
    ("check", r#"<path d="m4 10.5 4 4 8-9"/>"#),
    ("check-circle", r#"<circle cx="10" cy="10" r="7.2"/><path d="m6.7 10.2 2.3 2.3 4.3-4.9"/>"#),
    ("chevron-down", r#"<path d="m5 7.5 5 5 5-5"/>"#),
    ("chevron-right", r#"<path d="m7.5 5 5 5-5 5"/>"#),
    ("clock", r#"<circle cx="10" cy="10" r="7.2"/><path d="M10 5.8V10l2.8 1.8"/>"#),
    (
        "copy",
        r#"<rect x="7" y="7" width="9.5" height="9.5" rx="1.5"/><path d="M13 4.5v-.2a.8.8 0 0 0-.8-.8H4.3a.8.8 0 0 0-.8.8v7.9c0 .4.4.8.8.8h.2"/>"#,
    ),
    ("cross", r#"<path d="m5 5 10 10M15 5 5 15"/>"#),
    ("download", r#"<path d="M10 3v9.5M6 8.8l4 4 4-4M3.5 16.5h13"/>"#),
    ("external", r#"<path d="M11.5 3.5h5v5M16.5 3.5 9 11M8 4.5H3.5v12h12V12"/>"#),
    ("file", r#"<path d="M5 2.8h6.5L15.5 7v10.2H5zM11.3 3v4.2h4"/>"#),
    ("filter", r#"<path d="M3 4.5h14l-5.3 6.5v4.8l-3.4 1.4V11z"/>"#),
    (
        "gear",
        r#"<circle cx="10" cy="10" r="2.6"/><path d="M10 2.5v2.3M10 15.2v2.3M17.5 10h-2.3M4.8 10H2.5M15.3 4.7l-1.6 1.6M6.3 13.7l-1.6 1.6M15.3 15.3l-1.6-1.6M6.3 6.3 4.7 4.7"/>"#,
    ),
    ("home", r#"<path d="M3 9.3 10 3.2l7 6.1M5 8v8.8h10V8"/>"#),
    ("inbox", r#"<path d="M3 11.5 5.5 4h9L17 11.5v5H3zM3 11.5h4l1 2h4l1-2h4"/>"#),
    ("info", r#"<circle cx="10" cy="10" r="7.2"/><path d="M10 9.2v4.3M10 6.5v.1"/>"#),
    ("key", r#"<circle cx="6.5" cy="13.5" r="3.5"/><path d="m9 11 7.5-7.5M13.5 6.5 16 9"/>"#),
    (
        "link",
        r#"<path d="M8.5 11.5a3.2 3.2 0 0 0 4.6 0l2.8-2.8a3.2 3.2 0 0 0-4.6-4.6L10 5.4M11.5 8.5a3.2 3.2 0 0 0-4.6 0l-2.8 2.8a3.2 3.2 0 0 0 4.6 4.6l1.3-1.3"/>"#,
    ),
    ("list", r#"<path d="M7 5h10M7 10h10M7 15h10M3.5 5h.1M3.5 10h.1M3.5 15h.1"/>"#),
    ("lock", r#"<rect x="4.5" y="9" width="11" height="8" rx="1.5"/><path d="M7 9V6.5a3 3 0 0 1 6 0V9"/>"#),
    (
        "mail",
        r#"<rect x="2.8" y="4.5" width="14.4" height="11" rx="1.5"/><path d="m3.3 5.5 6.7 5.3 6.7-5.3"/>"#,
    ),
    ("menu", r#"<path d="M3 5.5h14M3 10h14M3 14.5h14"/>"#),
    ("minus", r#"<path d="M4 10h12"/>"#),
    ("package", r#"<path d="m10 2.8 7 3.7v7l-7 3.7-7-3.7v-7zM3.2 6.6 10 10.2l6.8-3.6M10 10.2v7"/>"#),
    ("pencil", r#"<path d="M3.5 16.5 4.3 13 13 4.3l2.7 2.7L7 15.7z"/>"#),
    ("person", r#"<circle cx="10" cy="6.8" r="3.3"/><path d="M3.5 17c.6-3.5 3.2-5 6.5-5s5.9 1.5 6.5 5"/>"#),
    ("plug", r#"<path d="M7 2.8v4M13 2.8v4M5 6.8h10v2.7a5 5 0 0 1-10 0zM10 14.5v3"/>"#),
    ("plus", r#"<path d="M10 4v12M4 10h12"/>"#),
    ("printer", r#"<path d="M5.5 7V3h9v4M5.5 14H3V7h14v7h-2.5M5.5 11.5h9V17h-9z"/>"#),
    (
        "receipt",
        r#"<path d="M4.5 2.8h11v14.7l-2-1.3-1.8 1.3-1.7-1.3-1.7 1.3-1.8-1.3-2 1.3zM7.5 7h5M7.5 10.3h5"/>"#,
    ),
    ("refresh", r#"<path d="M16.5 4v4h-4M16 8a6.5 6.5 0 1 0 .3 3.5"/>"#),
    ("search", r#"<circle cx="8.8" cy="8.8" r="5.3"/><path d="m12.8 12.8 4.2 4.2"/>"#),
    ("shield", r#"<path d="m10 2.6 6.3 2.3v4.6c0 3.8-2.6 6.4-6.3 8-3.7-1.6-6.3-4.2-6.3-8V4.9z"/>"#),
    ("sign-out", r#"<path d="M12 3.5H4v13h8M8.5 10H17M13.5 6.5 17 10l-3.5 3.5"/>"#),
    ("tag", r#"<path d="M3 3h6.5l7.5 7.5-6.5 6.5L3 9.5zM6.5 6.5v.1"/>"#),
    (
        "ticket",
        r#"<path d="M2.8 5.5h14.4v3a1.6 1.6 0 0 0 0 3.1v2.9H2.8v-2.9a1.6 1.6 0 0 0 0-3.1zM12 5.5v2M12 9v2M12 12.5v2"/>"#,
    ),
    ("trash", r#"<path d="M3.5 5.5h13M8 5.5v-2h4v2M5 5.5l.8 11.5h8.4L15 5.5M8.5 8.5v5.5M11.5 8.5v5.5"/>"#),
    ("undo", r#"<path d="M7 4 3.5 7.5 7 11M4 7.5h7.5a4.5 4.5 0 0 1 0 9H7"/>"#),
    ("upload", r#"<path d="M10 13V3.5M6 7.2l4-4 4 4M3.5 16.5h13"/>"#),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn icons_are_listed_in_order_and_once() {
        let names: Vec<&str> = SHAPES.iter().map(|(name, _)| *name).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(names, sorted);
    }
}
