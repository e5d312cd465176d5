//! Pages as PDF: outlines, embedded fonts and pictures, in the size of the page.

use krilla::Document;
use krilla::geom::Size;
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla_svg::{SurfaceExt as _, SvgSettings};

use crate::error::RenderError;
use crate::page::{Artwork, Print};

/// Writes a page.
pub fn write(artwork: &Artwork, print: &Print<'_>) -> Result<Vec<u8>, RenderError> {
    if !(print.go_on)() {
        return Err(RenderError::Stopped);
    }
    let impossible = || RenderError::Renderer("its page has no size".to_owned());
    // CSS pixels are 96 to the inch, PDF's points 72.
    let points = |units: f32| units * 0.75;
    let (width, height) = (points(artwork.tree.size().width()), points(artwork.tree.size().height()));
    let mut document = Document::new();
    // No date and no random id: the same page is the same file, whenever it is made.
    document.set_metadata(Metadata::new().title(print.title.to_owned()).producer("Handsel".to_owned()));
    let mut page = document.start_page_with(PageSettings::from_wh(width, height).ok_or_else(impossible)?);
    let mut surface = page.surface();
    let size = Size::from_wh(width, height).ok_or_else(impossible)?;
    let drawn = surface.draw_svg(&artwork.tree, size, SvgSettings::default());
    surface.finish();
    page.finish();
    drawn.ok_or_else(impossible)?;
    document.finish().map_err(|error| RenderError::Renderer(format!("{error:?}")))
}
