//! A filled page, and what it is rendered to.

use std::panic::{AssertUnwindSafe, catch_unwind};

use resvg::usvg::Tree;

use crate::error::RenderError;
use crate::limits::{DPI_MAX, DPI_MIN, OUTPUT_BYTES_MAX, PREVIEW_EDGE_MAX};
use crate::raster::{Backing, Bands};
use crate::template::Millimeters;
use crate::{pdf, raster};

/// A page that is ready to be rendered.
#[derive(Debug, Clone)]
pub struct Artwork {
    pub(crate) tree: Tree,
    pub(crate) size: Millimeters,
}

/// What a page is rendered to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A PDF page: outlines stay outlines, whatever the resolution.
    Pdf,
    /// A PNG image, transparent where nothing is drawn.
    Png,
    /// A JPEG image on white.
    Jpg,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pdf, Self::Png, Self::Jpg];

    /// What a file's name ends with.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Png => "png",
            Self::Jpg => "jpg",
        }
    }
}

/// How a page is printed.
#[derive(Clone, Copy)]
pub struct Print<'a> {
    /// Into what.
    pub format: Format,
    /// Dots per inch of an image; a PDF page has none.
    pub dpi: u32,
    /// The title within a PDF.
    pub title: &'a str,
    /// Asked between bands; `false` stops.
    pub go_on: &'a dyn Fn() -> bool,
}

impl Artwork {
    /// The size of the page.
    pub const fn size(&self) -> Millimeters {
        self.size
    }

    /// Renders for print. The same page gives the same bytes.
    ///
    /// # Errors
    /// When it is too large to be rendered, or whoever asked does not wait.
    pub fn render(&self, print: &Print<'_>) -> Result<Vec<u8>, RenderError> {
        let bytes = guarded(|| match print.format {
            Format::Pdf => pdf::write(self, print),
            Format::Png => raster::png(&self.bands(print, Backing::Clear)?, print.go_on),
            Format::Jpg => raster::jpg(&self.bands(print, Backing::White)?, print.go_on),
        })?;
        if bytes.len() > OUTPUT_BYTES_MAX {
            return Err(RenderError::Bytes { bytes: bytes.len() });
        }
        Ok(bytes)
    }

    /// A small PNG on white, with a word across it.
    ///
    /// # Errors
    /// When the renderer fails.
    pub fn preview(&self, edge: u32, mark: Option<&str>) -> Result<Vec<u8>, RenderError> {
        let edge = edge.clamp(16, PREVIEW_EDGE_MAX);
        guarded(|| {
            let bands = Bands::fitting(&self.tree, edge, Backing::White)?.marked(mark)?;
            raster::png(&bands, &|| true)
        })
    }

    fn bands(&self, print: &Print<'_>, backing: Backing) -> Result<Bands<'_>, RenderError> {
        if !(DPI_MIN..=DPI_MAX).contains(&print.dpi) {
            return Err(RenderError::Dpi(print.dpi));
        }
        Bands::printing(&self.tree, print.dpi, backing)
    }
}

/// A renderer that is handed strangers' drawings may meet one that its authors did not think of.
/// It ends that page, and nothing else.
fn guarded<T>(work: impl FnOnce() -> Result<T, RenderError>) -> Result<T, RenderError> {
    let failed = || RenderError::Renderer("its drawing is one that the renderer cannot handle".to_owned());
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(failed()))
}
