//! Templates, values and pictures for the tests.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;

use image::{DynamicImage, ImageFormat, RgbImage, RgbaImage};
use render::{Artwork, Entered, Picture, Rules, Template, Unfit, Value};

/// A visiting card with every kind of field.
pub const CARD: &str = include_str!("../templates/card.svg");

/// The card.
pub fn card() -> Template {
    Template::read(CARD.as_bytes()).unwrap()
}

/// A page of 100 by 50 units with this in it.
pub fn page(content: &str) -> String {
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink' \
         width='100mm' height='50mm' viewBox='0 0 1000 500'>{content}</svg>"
    )
}

/// A template with one text field and these attributes.
pub fn text_field(attributes: &str) -> Template {
    let text = format!("<text x='50' y='200' font-size='80' data-field='name' {attributes}>Sample</text>");
    Template::read(page(&text).as_bytes()).unwrap()
}

/// Texts, by field.
pub fn texts(texts: &[(&str, &str)]) -> Entered {
    texts.iter().map(|(name, text)| ((*name).to_owned(), Value::Text((*text).to_owned()))).collect()
}

/// Fills in by the template's own rules.
pub fn fill(template: &Template, entered: &Entered) -> Result<Artwork, BTreeMap<String, Unfit>> {
    template.fill(&BTreeMap::<String, Rules>::new(), entered)
}

/// A photograph: JPEG with a gradient.
pub fn jpeg(width: u32, height: u32) -> Vec<u8> {
    let shade = |x: u32, y: u32| image::Rgb([low(x), low(y), 120]);
    written(DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, shade)), ImageFormat::Jpeg)
}

/// A picture with a transparent left half.
pub fn half_clear_png(width: u32, height: u32) -> Vec<u8> {
    let shade = |x: u32, _| image::Rgba([200, 30, 30, if x < width / 2 { 0 } else { 255 }]);
    written(DynamicImage::ImageRgba8(RgbaImage::from_fn(width, height, shade)), ImageFormat::Png)
}

fn low(number: u32) -> u8 {
    u8::try_from(number % 256).unwrap()
}

fn written(image: DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    image.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
    bytes
}

/// A picture as a value.
pub fn picture(bytes: &[u8]) -> Value {
    Value::Picture(Arc::new(Picture::read(bytes).unwrap()))
}
