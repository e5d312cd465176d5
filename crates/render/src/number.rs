//! Between the numbers of geometry and those of memory.

/// Pixels of a length, rounded; nothing below zero and no more than fits.
#[expect(clippy::as_conversions, reason = "there is no conversion of floats but this; it saturates")]
pub const fn pixels(length: f32) -> u32 {
    length.round() as u32
}

/// A number of pixels as a length. Pages have less than 2^24 of them on a side, so it is exact.
#[expect(clippy::as_conversions, reason = "there is no conversion to floats but this")]
pub const fn length(pixels: u32) -> f32 {
    pixels as f32
}

/// A memory size. This program runs where it has at least 32 bits.
pub fn size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
