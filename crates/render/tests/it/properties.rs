//! What holds for any input.

use image::GenericImageView as _;
use proptest::prelude::*;
use render::{Color, Picture, Template, Unfit};

use crate::samples::{CARD, fill, half_clear_png, jpeg, text_field, texts};

/// Drawings made of what templates are about.
fn drawing() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<g>".to_owned()),
        Just("</g>".to_owned()),
        Just("<g opacity='.5' clip-path='url(#c)'>".to_owned()),
        Just("<clipPath id='c'><rect width='9' height='9'/></clipPath>".to_owned()),
        Just("<rect width='50' height='50' fill='url(#c)' data-color='ink'/>".to_owned()),
        Just("<use href='#c'/>".to_owned()),
        Just("<style>rect{fill:red}</style>".to_owned()),
        "<text data-field='[a-c]' y='90' (data-(max|lines|width)='[0-9]{1,3}')?>[a-z ]{0,9}</text>",
        "<image data-field='[a-c]' (width|height)='[0-9.e-]{1,4}' height='9'/>",
        "<path d='[MLHVCSQTAZmlhvcsqtaz0-9 .,e-]{0,30}'/>",
        "<[a-z]{1,8} [a-z-]{1,8}='[a-z0-9#(): ]{0,12}'/>",
        "\\PC{0,6}",
    ];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| crate::samples::page(&pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_drawing_is_refused_or_can_be_rendered(svg in drawing()) {
        if let Ok(template) = Template::read(svg.as_bytes()) {
            prop_assert!(template.sample().unwrap().preview(60, None).is_ok());
        }
    }

    #[test]
    fn a_damaged_template_ends_no_process(at in 0..CARD.len(), with in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = CARD.as_bytes().to_vec();
        bytes[at] = with;
        if cut {
            bytes.truncate(at);
        }
        if let Ok(template) = Template::read(&bytes) {
            prop_assert!(template.sample().is_ok());
        }
    }

    #[test]
    fn a_text_is_taken_in_its_place_or_refused_by_name(text in "\\PC{0,60}") {
        let template = text_field("data-width='600' data-max='60' data-lines='3'");
        match fill(&template, &texts(&[("name", &text)])) {
            Ok(page) => prop_assert!(page.preview(60, None).is_ok()),
            Err(wrong) => prop_assert!(wrong.keys().all(|name| name == "name"), "{:?}", wrong),
        }
    }

    #[test]
    fn shorter_is_never_worse(text in "[A-Za-z ]{1,40}") {
        let template = text_field("data-width='500' data-max='60'");
        let room = |text: &str| !matches!(
            fill(&template, &texts(&[("name", text)])).map(drop),
            Err(wrong) if wrong.values().any(|unfit| *unfit == Unfit::Room)
        );
        let shorter: String = text.chars().take(text.chars().count() / 2).collect();
        prop_assert!(!room(&text) || room(&shorter));
    }

    #[test]
    fn a_damaged_picture_ends_no_process(at in any::<prop::sample::Index>(), with in any::<u8>(), png in any::<bool>()) {
        let mut bytes = if png { half_clear_png(20, 20) } else { jpeg(20, 20) };
        let at = at.index(bytes.len());
        bytes[at] = with;
        if let Ok(read) = Picture::read(&bytes) {
            let (width, height) = image::load_from_memory(read.bytes()).unwrap().dimensions();
            prop_assert_eq!(read.size(), (width, height));
        }
    }

    #[test]
    fn a_color_written_is_the_color_read(rgb in any::<[u8; 3]>()) {
        let text = format!("#{:02x}{:02x}{:02x}", rgb[0], rgb[1], rgb[2]);
        prop_assert_eq!(text.parse::<Color>().unwrap().to_string(), text);
    }
}
