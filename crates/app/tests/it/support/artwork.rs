//! Drawings that buyers fill in, pictures, and forms with files.

use std::collections::BTreeMap;
use std::io::Cursor;

use app::artworks::{Filled, FilledIn, INPUT, Terms};
use app::carts::CartItem;
use app::choices::Answers;
use app::orders::flow::Wanted;
use app::orders::{self, Order};
use app::products::Product;
use axum::body::Body;
use http::{Request, header};
use image::{DynamicImage, ImageFormat, RgbImage};
use kernel::Currency;

use super::goods::email;
use super::http::Visitor;
use super::{NewGood, Reply, TestApp};

/// A card with a text, a color and a picture that may be missing.
pub const CARD: &str = "<svg xmlns='http://www.w3.org/2000/svg' width='60mm' height='30mm' viewBox='0 0 600 300'>\
    <rect width='600' height='300' fill='#fdf6ec'/>\
    <rect width='20' height='300' data-field='ink' data-choices='#b4472f #1f5c7a' fill='#b4472f'/>\
    <text x='60' y='120' font-size='60' font-family='EB Garamond' data-field='name' data-label='Your name' \
      data-max='30' data-width='480'>Ada Lovelace</text>\
    <text x='60' y='180' font-size='24' data-field='title' data-required='no' data-width='300'>Analyst</text>\
    <image x='440' y='160' width='120' height='120' data-field='photo' data-required='no' data-min-dpi='50'/>\
    </svg>";

const BOUNDARY: &str = "----artwork";

/// What is posted in one field: a text, or a file with its name.
pub enum Part<'a> {
    Text(&'a str, &'a str),
    File(&'a str, &'a str, &'a [u8]),
}

impl NewGood {
    /// Beside its files, a drawing that the buyer fills in.
    pub fn with_artwork(mut self, t: &TestApp, drawing: &str, change: impl FnOnce(&mut Terms)) -> Self {
        let stored = stores::put(&**t.app.blobs(), drawing.as_bytes()).expect("the drawing is stored");
        let template = render::Template::read(drawing.as_bytes()).expect("a template");
        let place = (stored.sha256.to_string(), stored.size, "card.svg".to_owned());
        let mut terms = Terms::of(&template, place, None);
        change(&mut terms);
        t.write(move |cx| Ok(app::artworks::flow::keep_template(cx, &stored)?))
            .expect("a template is stored");
        self.deliverables.artwork = Some(terms);
        self
    }
}

impl TestApp {
    /// An order of a product with this filled in, by the checkout's own way.
    pub fn order_filled(&self, product: &Product, fields: &[(&str, &str)]) -> Order {
        let terms = product.deliverables.artwork.as_ref().expect("artwork");
        let text = |(name, value): &(&str, &str)| ((*name).to_owned(), FilledIn::Text((*value).to_owned()));
        let filled = Filled { terms: terms.fingerprint(), fields: fields.iter().map(text).collect() };
        self.order_with(product, &filled, 1).expect("an order is placed")
    }

    /// Tries to order so many of a product with this filled in.
    pub fn order_with(&self, product: &Product, filled: &Filled, quantity: u32) -> app::problem::Flow<Order> {
        let mut answers = Answers::default();
        answers.inputs.insert(INPUT.to_owned(), filled.to_value());
        let kept = product.clone();
        let choice =
            self.write_for(product.merchant, move |cx| app::choices::flow::keep(cx, &kept, &answers));
        let item = CartItem { product: product.id, choice: Some(choice.expect("kept")), quantity };
        let (merchant, connection) = (self.shop.merchant.clone(), self.shop.connection.id);
        let wanted = Wanted {
            items: vec![item],
            currency: Currency::EUR,
            connection,
            email: Some(email("buyer@example.com")),
            name: "Jo Buyer".to_owned(),
            country: None,
            consented: false,
        };
        self.write(move |cx| orders::flow::place(cx, &merchant, &wanted))
    }
}

impl Visitor<'_> {
    /// Posts a form with files and the token of the last page.
    pub fn post_parts(&self, path: &str, parts: &[Part<'_>]) -> Reply {
        let mut body = part("name=\"_csrf\"", self.token().as_bytes());
        for posted in parts {
            body.extend(match posted {
                Part::Text(name, value) => part(&format!("name=\"{name}\""), value.as_bytes()),
                Part::File(name, file, bytes) => {
                    part(&format!("name=\"{name}\"; filename=\"{file}\"\r\nContent-Type: image/png"), bytes)
                }
            });
        }
        body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        let request = Request::post(path)
            .header(header::COOKIE, self.cookie_line())
            .header(header::CONTENT_TYPE, format!("multipart/form-data; boundary={BOUNDARY}"));
        self.send(request.body(Body::from(body)).expect("a request"))
    }
}

fn part(head: &str, content: &[u8]) -> Vec<u8> {
    let mut part = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n").into_bytes();
    part.extend_from_slice(content);
    part.extend_from_slice(b"\r\n");
    part
}

/// A picture of one color.
pub fn png(width: u32, height: u32, color: [u8; 3]) -> Vec<u8> {
    let image = RgbImage::from_pixel(width, height, image::Rgb(color));
    let mut bytes = Vec::new();
    let written = DynamicImage::ImageRgb8(image).write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png);
    written.expect("a picture");
    bytes
}

/// The fields of a design, for [`Filled`].
pub fn fields(fields: &[(&str, &str)]) -> BTreeMap<String, FilledIn> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), FilledIn::Text((*value).to_owned()))).collect()
}
