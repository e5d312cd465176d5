//! The fonts that come with the program. There are no others: a print looks the same on every
//! machine, and nobody's font file is ever parsed.

use std::sync::{Arc, LazyLock};

use resvg::usvg::{FontFamily, Options, fontdb};

/// A family of fonts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// Its name in `font-family`.
    pub name: &'static str,
    /// The general name that stands for it too.
    pub general: &'static str,
    /// Which cuts there are.
    pub cuts: &'static str,
}

/// All families, each under the SIL Open Font License; see the crate's `fonts` folder.
pub const FAMILIES: [Family; 3] = [
    Family { name: "Inter", general: "sans-serif", cuts: "regular, bold" },
    Family { name: "EB Garamond", general: "serif", cuts: "regular, italic" },
    Family { name: "Dancing Script", general: "cursive", cuts: "regular, bold" },
];

/// Used where a text names no font.
const USUAL: &str = "Inter";

const FILES: [&[u8]; 6] = [
    include_bytes!("../fonts/Inter-Regular.otf"),
    include_bytes!("../fonts/Inter-Bold.otf"),
    include_bytes!("../fonts/EBGaramond12-Regular.otf"),
    include_bytes!("../fonts/EBGaramond12-Italic.otf"),
    include_bytes!("../fonts/DancingScript-Regular.otf"),
    include_bytes!("../fonts/DancingScript-Bold.otf"),
];

static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    for file in FILES {
        fonts.load_font_source(fontdb::Source::Binary(Arc::new(file)));
    }
    fonts.set_sans_serif_family("Inter");
    fonts.set_serif_family("EB Garamond");
    fonts.set_cursive_family("Dancing Script");
    // What is not here is refused by `is_here`, so that these never stand in for it unseen.
    fonts.set_fantasy_family(USUAL);
    fonts.set_monospace_family(USUAL);
    Arc::new(fonts)
});

/// The names, for sentences.
pub fn names() -> String {
    FAMILIES.map(|family| family.name).join(", ")
}

/// Parser options with these fonts and no others.
pub fn options<'a>() -> Options<'a> {
    Options { fontdb: Arc::clone(&FONTS), font_family: USUAL.to_owned(), ..Options::default() }
}

/// Whether the designer's list names a font that is here.
pub fn is_here(families: &[FontFamily]) -> bool {
    families.iter().any(|family| match family {
        FontFamily::Serif | FontFamily::SansSerif | FontFamily::Cursive => true,
        FontFamily::Fantasy | FontFamily::Monospace => false,
        FontFamily::Named(name) => FAMILIES.iter().any(|here| here.name == name),
    })
}

/// The designer's list, for sentences.
pub fn wanted(families: &[FontFamily]) -> String {
    let name = |family: &FontFamily| match family {
        FontFamily::Named(name) => name.clone(),
        general => general.to_string(),
    };
    families.iter().map(name).collect::<Vec<_>>().join(", ")
}
