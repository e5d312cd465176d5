//! QR codes as pictures.

use qrcodegen::{QrCode, QrCodeEcc};

/// The white border that readers need, in modules.
const MARGIN: i32 = 4;

/// A text as a QR code: one `<svg>` element, dark on light, without styles or scripts. `None` for a
/// text that is too long.
pub fn svg(text: &str, label: &str) -> Option<String> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let whole = code.size() + 2 * MARGIN;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            path.push_str(&format!("M{} {}h1v1h-1z", x + MARGIN, y + MARGIN));
        }
    }
    let label: String = label.chars().filter(|letter| letter.is_alphanumeric() || *letter == ' ').collect();
    Some(format!(
        "<svg viewBox=\"0 0 {whole} {whole}\" width=\"{whole}\" height=\"{whole}\" shape-rendering=\"crispEdges\" \
         role=\"img\" aria-label=\"{label}\"><path fill=\"#fff\" d=\"M0 0h{whole}v{whole}H0z\"/>\
         <path fill=\"#000\" d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_is_one_plain_element() {
        let picture = svg("https://shop.example/?a=1&b=\"2\"", "QR \"<&").unwrap();
        assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>"));
        assert!(!picture.contains("style") && !picture.contains("script") && !picture.contains('&'));
    }

    #[test]
    fn a_text_that_no_code_holds_has_no_picture() {
        assert_eq!(svg(&"x".repeat(4_000), "QR"), None);
    }
}
