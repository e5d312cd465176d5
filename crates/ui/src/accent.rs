//! The merchant's one color, made readable.
//!
//! A merchant picks any color; pages must stay legible (WCAG AA) in light and in dark. So the
//! color itself is used only as a fill, with black or white on it, and for text and lines it is
//! darkened or lightened until it stands out enough.

/// Why a text is not a color.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccentError {
    /// Not six hexadecimal digits.
    #[error("\"{0}\" is not a color: write # and six hexadecimal digits, such as #0f5c55")]
    NotHex(String),
}

type Rgb = [u8; 3];

const BLACK: Rgb = [0x14, 0x14, 0x12];
const WHITE: Rgb = [0xff, 0xff, 0xff];
/// The darkest surface of the light theme and the lightest of the dark one: `--sunken` and
/// `--raised` of `assets/css/base.css`. What can be read on these can be read on the others.
const LIGHT_SURFACE: Rgb = [0xf3, 0xf2, 0xee];
const DARK_SURFACE: Rgb = [0x2a, 0x29, 0x26];
/// WCAG 2.2 AA for text, with a little room for rounding.
const CONTRAST_MIN: f64 = 4.6;
/// Below this a filled button would not show its edge on the page, so it gets a line around it.
const EDGE_CONTRAST_MIN: f64 = 1.6;

/// A merchant's color.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Accent(Rgb);

impl Accent {
    /// Reads `#0f5c55` or `0f5c55`.
    ///
    /// # Errors
    /// [`AccentError::NotHex`] for anything else.
    pub fn parse(text: &str) -> Result<Self, AccentError> {
        let not_hex = || AccentError::NotHex(text.chars().take(20).collect());
        let digits = text.strip_prefix('#').unwrap_or(text);
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(not_hex());
        }
        let value = u32::from_str_radix(digits, 16).map_err(|_| not_hex())?;
        let [_, red, green, blue] = value.to_be_bytes();
        Ok(Self([red, green, blue]))
    }

    /// The stylesheet that sets the color for both themes.
    pub fn css(self) -> String {
        let light = self.shades(Theme::Light).declarations();
        let dark = self.shades(Theme::Dark).declarations();
        format!(":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n")
    }

    /// One shade as `#rrggbb`, for mails: their readers know no custom properties.
    ///
    /// `name` is `fill`, `on_fill`, `text` or `text_dark`; others do not exist.
    pub(crate) fn shade(self, name: &str) -> Option<String> {
        let light = self.shades(Theme::Light);
        match name {
            "fill" => Some(hex(light.fill)),
            "on_fill" => Some(hex(light.on_fill)),
            "text" => Some(hex(light.text)),
            "text_dark" => Some(hex(self.shades(Theme::Dark).text)),
            _ => None,
        }
    }

    fn shades(self, theme: Theme) -> Shades {
        let (surface, toward) = match theme {
            Theme::Light => (LIGHT_SURFACE, BLACK),
            Theme::Dark => (DARK_SURFACE, WHITE),
        };
        let fill = self.0;
        let on_fill = if contrast(WHITE, fill) >= contrast(BLACK, fill) { WHITE } else { BLACK };
        // Moving away from what is written on it, a pressed button is never harder to read.
        let hover = mix(fill, if on_fill == WHITE { BLACK } else { WHITE }, 14);
        let soft = mix(surface, fill, 10);
        let legible =
            |shade: &Rgb| contrast(*shade, surface) >= CONTRAST_MIN && contrast(*shade, soft) >= CONTRAST_MIN;
        let text = (0..=100).map(|percent| mix(fill, toward, percent)).find(legible).unwrap_or(toward);
        let line = if contrast(fill, surface) < EDGE_CONTRAST_MIN { text } else { fill };
        Shades { fill, hover, line, on_fill, text, soft }
    }
}

impl Default for Accent {
    /// The color of `assets/css/base.css`, for merchants who chose none.
    fn default() -> Self {
        Self([0x0f, 0x5c, 0x55])
    }
}

/// What a theme makes of the color.
struct Shades {
    fill: Rgb,
    hover: Rgb,
    line: Rgb,
    on_fill: Rgb,
    text: Rgb,
    soft: Rgb,
}

impl Shades {
    fn declarations(&self) -> String {
        format!(
            "--accent:{};--accent-hover:{};--accent-line:{};--on-accent:{};--accent-text:{};--accent-soft:{}",
            hex(self.fill),
            hex(self.hover),
            hex(self.line),
            hex(self.on_fill),
            hex(self.text),
            hex(self.soft),
        )
    }
}

/// The stylesheet for `/assets/accent.css?c=…`.
///
/// # Errors
/// [`AccentError::NotHex`] when the text is not a color; nothing of it gets into the stylesheet.
pub fn accent_css(color: &str) -> Result<String, AccentError> {
    Accent::parse(color).map(Accent::css)
}

#[derive(Clone, Copy)]
enum Theme {
    Light,
    Dark,
}

fn mix(from: Rgb, to: Rgb, percent: u32) -> Rgb {
    let channel = |a: u8, b: u8| {
        let sum = u32::from(a) * (100 - percent.min(100)) + u32::from(b) * percent.min(100);
        u8::try_from(sum / 100).unwrap_or(u8::MAX)
    };
    let ([r0, g0, b0], [r1, g1, b1]) = (from, to);
    [channel(r0, r1), channel(g0, g1), channel(b0, b1)]
}

/// WCAG 2.2 relative luminance.
fn luminance([red, green, blue]: Rgb) -> f64 {
    let linear = |channel: u8| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

fn contrast(one: Rgb, other: Rgb) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn hex([red, green, blue]: Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

impl std::fmt::Display for Accent {
    /// Six digits without `#`, as addresses carry it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self([red, green, blue]) = self;
        write!(f, "{red:02x}{green:02x}{blue:02x}")
    }
}

impl serde::Serialize for Accent {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_color_gets_text_that_can_be_read() {
        for color in [
            "000000", "ffffff", "ffff00", "808080", "767676", "0f5c55", "ff0000", "00ff00", "0000ff",
            "ffe4e1",
        ] {
            let accent = Accent::parse(color).unwrap();
            for (theme, surface) in [(Theme::Light, LIGHT_SURFACE), (Theme::Dark, DARK_SURFACE)] {
                let shades = accent.shades(theme);
                assert!(contrast(shades.text, surface) >= 4.5, "{color}: text on the surface");
                assert!(contrast(shades.text, shades.soft) >= 4.5, "{color}: text on the tint");
                for fill in [shades.fill, shades.hover] {
                    assert!(contrast(shades.on_fill, fill) >= 4.5, "{color}: on {fill:?}");
                }
            }
        }
    }

    #[test]
    fn only_colors_reach_the_stylesheet() {
        for text in ["", "#fff", "red", "0f5c5", "#0f5c555", "0f5c5g", "}body{", "+f5c55", "0f5c55;"] {
            assert!(accent_css(text).is_err(), "{text:?} was taken");
        }
        assert_eq!(Accent::parse("#0F5C55"), Accent::parse("0f5c55"));
    }
}
