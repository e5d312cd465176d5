//! Pages as pixels. They are rendered in bands, so that the largest page takes no more memory
//! than a small one, and so that rendering can be stopped on the way.

use std::cell::RefCell;

use jpeg_encoder::{Encoder, ImageBuffer, JpegColorType, PixelDensity, PixelDensityUnit, SamplingFactor};
use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::Tree;

use crate::error::RenderError;
use crate::limits::{BAND_PIXELS, PAGE_PIXELS_MAX};
use crate::number::{length, pixels, size};
use crate::splice::escape;
use crate::template::parse;

/// What is behind the drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backing {
    /// Nothing.
    Clear,
    /// Paper.
    White,
}

/// A page, band by band.
pub struct Bands<'a> {
    tree: &'a Tree,
    over: Option<Tree>,
    width: u32,
    height: u32,
    dpi: u32,
    backing: Backing,
}

impl<'a> Bands<'a> {
    /// So many dots per inch.
    pub fn printing(tree: &'a Tree, dpi: u32, backing: Backing) -> Result<Self, RenderError> {
        let dots = |units: f32| pixels(units / 96.0 * length(dpi)).max(1);
        Self::sized(tree, (dots(tree.size().width()), dots(tree.size().height())), dpi, backing)
    }

    /// So many pixels on the longer side.
    pub fn fitting(tree: &'a Tree, edge: u32, backing: Backing) -> Result<Self, RenderError> {
        let (width, height) = (tree.size().width(), tree.size().height());
        let scale = length(edge) / width.max(height);
        let size = (pixels(width * scale).max(1), pixels(height * scale).max(1));
        Self::sized(tree, size, pixels(96.0 * scale).max(1), backing)
    }

    fn sized(
        tree: &'a Tree,
        (width, height): (u32, u32),
        dpi: u32,
        backing: Backing,
    ) -> Result<Self, RenderError> {
        let pixels = u64::from(width).saturating_mul(u64::from(height));
        if pixels > PAGE_PIXELS_MAX {
            return Err(RenderError::Pixels { pixels });
        }
        Ok(Self { tree, over: None, width, height, dpi, backing })
    }

    /// Writes a word across the page, which a print is not to be made from.
    pub fn marked(mut self, word: Option<&str>) -> Result<Self, RenderError> {
        let Some(word) = word else { return Ok(self) };
        let word: String = word.chars().filter(|letter| !letter.is_control()).take(20).collect();
        let (width, height) = (length(self.width), length(self.height));
        let letter = (width.min(height) / 5.0).max(8.0);
        let rows: String = [0.2, 0.5, 0.8]
            .map(|part| {
                let (x, y) = (width / 2.0, height * part + letter / 3.0);
                format!("<text x='{x}' y='{y}' transform='rotate(-20 {x} {y})'>{}</text>", escape(&word))
            })
            .concat();
        let svg = format!(
            "<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' \
             font-family='Inter' font-weight='bold' font-size='{letter}' text-anchor='middle' \
             fill='#808080' fill-opacity='0.28'>{rows}</svg>"
        );
        let over = parse(&svg, &Default::default()).map_err(|error| failed(&error))?;
        self.over = Some(over);
        Ok(self)
    }

    fn rows(&self) -> u32 {
        (BAND_PIXELS / self.width.max(1)).clamp(1, self.height)
    }

    /// The band that begins with a row.
    fn band(&self, row: u32) -> Result<Pixmap, RenderError> {
        let rows = self.rows().min(self.height.saturating_sub(row)).max(1);
        let none = || RenderError::Renderer("there is no memory for it".to_owned());
        let mut band = Pixmap::new(self.width, rows).ok_or_else(none)?;
        if self.backing == Backing::White {
            band.fill(Color::WHITE);
        }
        for tree in std::iter::once(self.tree).chain(self.over.as_ref()) {
            let x = length(self.width) / tree.size().width();
            let y = length(self.height) / tree.size().height();
            let place = Transform::from_row(x, 0.0, 0.0, y, 0.0, -length(row));
            resvg::render(tree, place, &mut band.as_mut());
        }
        Ok(band)
    }
}

/// Writes a PNG.
pub fn png(bands: &Bands<'_>, go_on: &dyn Fn() -> bool) -> Result<Vec<u8>, RenderError> {
    let mut bytes = Vec::new();
    let clear = bands.backing == Backing::Clear;
    let mut encoder = png::Encoder::new(&mut bytes, bands.width, bands.height);
    encoder.set_color(if clear { png::ColorType::Rgba } else { png::ColorType::Rgb });
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
    // A meter has 39.37 inches.
    let per_meter = bands.dpi.saturating_mul(10_000).saturating_add(127) / 254;
    let dots = png::PixelDimensions { xppu: per_meter, yppu: per_meter, unit: png::Unit::Meter };
    encoder.set_pixel_dims(Some(dots));
    let mut writer = encoder.write_header().map_err(|error| failed(&error))?;
    let mut stream = writer.stream_writer().map_err(|error| failed(&error))?;
    let mut row = 0;
    while row < bands.height {
        if !go_on() {
            return Err(RenderError::Stopped);
        }
        let band = bands.band(row)?;
        let mut line = Vec::with_capacity(size(bands.width).saturating_mul(4));
        for pixels in band.pixels().chunks(size(bands.width)) {
            line.clear();
            for pixel in pixels.iter().map(|pixel| pixel.demultiply()) {
                line.extend_from_slice(&[pixel.red(), pixel.green(), pixel.blue()]);
                if clear {
                    line.push(pixel.alpha());
                }
            }
            std::io::Write::write_all(&mut stream, &line).map_err(|error| failed(&error))?;
        }
        row = row.saturating_add(band.height());
    }
    stream.finish().map_err(|error| failed(&error))?;
    writer.finish().map_err(|error| failed(&error))?;
    Ok(bytes)
}

/// Writes a JPEG.
pub fn jpg(bands: &Bands<'_>, go_on: &dyn Fn() -> bool) -> Result<Vec<u8>, RenderError> {
    let too_long = || RenderError::Pixels { pixels: u64::from(bands.width.max(bands.height)) };
    let width = u16::try_from(bands.width).map_err(|_| too_long())?;
    let height = u16::try_from(bands.height).map_err(|_| too_long())?;
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 95);
    encoder.set_sampling_factor(SamplingFactor::F_1_1);
    let dpi = u16::try_from(bands.dpi).unwrap_or(u16::MAX);
    encoder.set_density(PixelDensity { density: (dpi, dpi), unit: PixelDensityUnit::Inches });
    let state = RefCell::new(Drawn { band: None, first: 0, error: None });
    let page = Page { bands, width, height, go_on, state: &state };
    encoder.encode_image(page).map_err(|error| failed(&error))?;
    // The encoder takes what it is given; that it was given nothing is known here.
    match state.into_inner().error {
        Some(error) => Err(error),
        None => Ok(bytes),
    }
}

fn failed(error: &dyn std::fmt::Display) -> RenderError {
    RenderError::Renderer(error.to_string())
}

/// The rows that the encoder asks for, from the band that they are in.
struct Page<'a> {
    bands: &'a Bands<'a>,
    width: u16,
    height: u16,
    go_on: &'a dyn Fn() -> bool,
    state: &'a RefCell<Drawn>,
}

struct Drawn {
    band: Option<Pixmap>,
    first: u32,
    error: Option<RenderError>,
}

impl Drawn {
    fn holds(&self, row: u32) -> bool {
        self.band
            .as_ref()
            .is_some_and(|band| row >= self.first && row < self.first.saturating_add(band.height()))
    }
}

impl ImageBuffer for Page<'_> {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Ycbcr
    }

    fn width(&self) -> u16 {
        self.width
    }

    fn height(&self) -> u16 {
        self.height
    }

    fn fill_buffers(&self, y: u16, buffers: &mut [Vec<u8>; 4]) {
        let row = u32::from(y);
        let mut drawn = self.state.borrow_mut();
        if !drawn.holds(row) && drawn.error.is_none() {
            let first = row.saturating_sub(row.checked_rem(self.bands.rows()).unwrap_or(0));
            let band = if (self.go_on)() { self.bands.band(first) } else { Err(RenderError::Stopped) };
            match band {
                Ok(band) => (drawn.band, drawn.first) = (Some(band), first),
                Err(error) => drawn.error = Some(error),
            }
        }
        let width = usize::from(self.width);
        let skipped = size(row.saturating_sub(drawn.first)).saturating_mul(width);
        let pixels = drawn.band.as_ref().and_then(|band| band.pixels().get(skipped..));
        let mut pixels = pixels.unwrap_or_default().iter();
        let [luma, blue, red, _] = buffers;
        for _ in 0..width {
            let color = pixels.next().map_or((255, 255, 255), |p| (p.red(), p.green(), p.blue()));
            let (y, cb, cr) = jpeg_encoder::rgb_to_ycbcr(color.0, color.1, color.2);
            luma.push(y);
            blue.push(cb);
            red.push(cr);
        }
    }
}
