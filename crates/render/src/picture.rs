//! Pictures of buyers: read in full, turned upright, scaled to what print can show, and written
//! anew. What else was in the file - where it was taken, or a program - does not come along.

use std::io::Cursor;
use std::sync::Arc;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder as _, ImageError, ImageFormat, ImageReader, Limits};
use resvg::usvg::ImageKind;

use crate::limits::{PICTURE_BYTES_MAX, PICTURE_EDGE_KEPT, PICTURE_PIXELS_MAX};

/// A picture that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    bytes: Arc<Vec<u8>>,
    format: Kept,
    width: u32,
    height: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Png,
    Jpeg,
}

/// Why a picture is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// Nothing, or another kind of file.
    #[error("it is neither PNG, JPEG nor WebP")]
    Format,
    /// Too many bytes.
    #[error("it has more than {mib} MiB", mib = PICTURE_BYTES_MAX / 1024 / 1024)]
    Bytes,
    /// Too many pixels.
    #[error("it has {width} × {height} pixels, and {max} million are allowed", max = PICTURE_PIXELS_MAX / 1_000_000)]
    Pixels {
        /// From left to right.
        width: u32,
        /// From top to bottom.
        height: u32,
    },
    /// It ends early or is damaged.
    #[error("it is damaged: {0}")]
    Damaged(String),
}

impl Picture {
    /// Reads what a buyer uploads.
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn read(bytes: &[u8]) -> Result<Self, PictureError> {
        let (mut image, orientation) = decode(bytes)?;
        image.apply_orientation(orientation);
        let edge = image.width().max(image.height());
        if edge > PICTURE_EDGE_KEPT {
            image = image.resize(PICTURE_EDGE_KEPT, PICTURE_EDGE_KEPT, image::imageops::FilterType::Triangle);
        }
        let (width, height) = (image.width(), image.height());
        let (bytes, format) = encode(&image)?;
        Ok(Self { bytes: Arc::new(bytes), format, width, height })
    }

    /// Takes back what [`Picture::read`] made. Only its beginning is looked at.
    ///
    /// # Errors
    /// When these are other bytes.
    pub fn kept(bytes: Vec<u8>) -> Result<Self, PictureError> {
        let format = format_of(&bytes)?;
        let reader = ImageReader::with_format(Cursor::new(&bytes), format);
        let (width, height) = reader.into_dimensions().map_err(damaged)?;
        let format = match format {
            ImageFormat::Png => Kept::Png,
            ImageFormat::Jpeg => Kept::Jpeg,
            _ => return Err(PictureError::Format),
        };
        Ok(Self { bytes: Arc::new(bytes), format, width, height })
    }

    /// What is kept of it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its width and height in pixels.
    pub const fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    pub(crate) fn kind(&self) -> ImageKind {
        match self.format {
            Kept::Png => ImageKind::PNG(Arc::clone(&self.bytes)),
            Kept::Jpeg => ImageKind::JPEG(Arc::clone(&self.bytes)),
        }
    }

    /// Makes sure that an embedded picture can be read; its width and height.
    pub(crate) fn embedded(bytes: &[u8]) -> Result<(u32, u32), PictureError> {
        if format_of(bytes)? == ImageFormat::WebP {
            return Err(PictureError::Format);
        }
        decode(bytes).map(|(image, _)| (image.width(), image.height()))
    }
}

fn format_of(bytes: &[u8]) -> Result<ImageFormat, PictureError> {
    match image::guess_format(bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP)) => Ok(format),
        _ => Err(PictureError::Format),
    }
}

fn decode(bytes: &[u8]) -> Result<(DynamicImage, Orientation), PictureError> {
    if bytes.len() > PICTURE_BYTES_MAX {
        return Err(PictureError::Bytes);
    }
    let format = format_of(bytes)?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::no_limits();
    // Sixteen bits for each of four channels are the most that a format here has.
    limits.max_alloc = Some(PICTURE_PIXELS_MAX.saturating_mul(8));
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width).saturating_mul(u64::from(height)) > PICTURE_PIXELS_MAX {
        return Err(PictureError::Pixels { width, height });
    }
    // A camera's note about which way is up is worth reading, and no reason to refuse.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    Ok((DynamicImage::from_decoder(decoder).map_err(damaged)?, orientation))
}

fn damaged(error: ImageError) -> PictureError {
    PictureError::Damaged(error.to_string())
}

/// Photographs stay small as JPEG; what has transparency needs PNG.
fn encode(image: &DynamicImage) -> Result<(Vec<u8>, Kept), PictureError> {
    let mut bytes = Vec::new();
    let failed = |error: jpeg_encoder::EncodingError| PictureError::Damaged(error.to_string());
    if image.color().has_alpha() && !is_opaque(image) {
        DynamicImage::ImageRgba8(image.to_rgba8())
            .write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)
            .map_err(damaged)?;
        return Ok((bytes, Kept::Png));
    }
    let pixels = image.to_rgb8();
    let side = |pixels: u32| u16::try_from(pixels).map_err(|_| PictureError::Format);
    let (width, height) = (side(pixels.width())?, side(pixels.height())?);
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 92);
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_1_1);
    encoder.encode(pixels.as_raw(), width, height, jpeg_encoder::ColorType::Rgb).map_err(failed)?;
    Ok((bytes, Kept::Jpeg))
}

fn is_opaque(image: &DynamicImage) -> bool {
    image.to_rgba8().pixels().all(|pixel| pixel.0.last() == Some(&u8::MAX))
}
