//! Artwork: an SVG template with named fields, filled in by a buyer and rendered for print.
//!
//! [`Template::read`] judges what a seller uploads and finds its fields; [`Template::fill`] judges
//! what a buyer enters and fits it in; [`Artwork`] renders the result to PDF, PNG or JPEG at print
//! resolution, or to a small preview. Both are strangers' input, and neither can make this crate
//! read a file, ask a network, or work without end: what is not understood is refused with the
//! reason, fonts are those that come with the program, and everything that can grow has a limit
//! in [`limits`]. The same template with the same values gives the same bytes.
//!
//! How a template is written stands in `docs/ARTWORK.md`.

#![forbid(unsafe_code)]

mod check;
mod error;
mod expand;
mod field;
mod fill;
mod fit;
mod fonts;
pub mod limits;
mod number;
mod page;
mod pdf;
mod picture;
mod raster;
mod read;
mod rules;
mod splice;
mod template;
mod value;
mod weigh;

pub use error::{RenderError, TemplateError, Unfit, Why};
pub use field::{Field, Kind};
pub use fonts::{FAMILIES, Family};
pub use page::{Artwork, Format, Print};
pub use picture::{Picture, PictureError};
pub use rules::{Fit, Rules, RulesError};
pub use template::{Millimeters, Template};
pub use value::{Color, Entered, Value};
