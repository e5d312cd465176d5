//! What a buyer may enter.

use std::collections::BTreeMap;

use render::{Color, Fit, Kind, Rules, Template, Unfit, Value, Why};

use crate::samples::{CARD, card, fill, jpeg, page, picture, text_field, texts};

#[test]
fn a_template_tells_its_fields_in_the_order_of_the_drawing() {
    let fields: Vec<(String, Kind, String)> =
        card().fields().iter().map(|field| (field.name.clone(), field.kind, field.sample.clone())).collect();
    let expected = [
        ("accent", Kind::Color, "#b4472f"),
        ("name", Kind::Text, "Ada Lovelace"),
        ("title", Kind::Text, "Analyst"),
        ("address", Kind::Text, "12 St James Square\nLondon"),
        ("photo", Kind::Image, ""),
    ];
    assert_eq!(fields, expected.map(|(name, kind, sample)| (name.to_owned(), kind, sample.to_owned())));
}

#[test]
fn a_template_tells_the_limits_of_its_fields() {
    let card = card();
    let rules = |name: &str| card.fields().iter().find(|field| field.name == name).unwrap().rules.clone();
    assert_eq!((rules("address").letters, rules("address").lines), (120, 3));
    assert_eq!((rules("title").required, rules("name").required), (false, true));
    assert_eq!(rules("photo").dpi, 100);
    assert_eq!(rules("accent").choices.len(), 3);
    assert_eq!(rules("name").label, "Your name");
}

#[test]
fn a_drawing_program_that_knows_only_ids_makes_fields_too() {
    let by_id =
        Template::read(page("<text id='field-your_name' x='9' y='90'>Ada</text>").as_bytes()).unwrap();
    let field = by_id.fields().first().unwrap().clone();
    assert_eq!((field.name.as_str(), field.rules.label.as_str()), ("your_name", "Your name"));
}

#[test]
fn what_is_needed_has_to_be_entered() {
    let wrong = fill(&card(), &texts(&[("name", " \n ")])).unwrap_err();
    let expected = [("address".to_owned(), Unfit::Missing), ("name".to_owned(), Unfit::Missing)].into();
    assert_eq!(wrong, expected);
}

#[test]
fn a_draft_shows_the_sample_where_nothing_was_entered() {
    let card = card();
    let begun = |entered| card.draft(&BTreeMap::new(), &entered).unwrap().preview(200, None);
    assert_eq!(begun(texts(&[])), card.sample().unwrap().preview(200, None));
    assert_ne!(begun(texts(&[("name", "Grace Hopper")])), card.sample().unwrap().preview(200, None));
    assert!(card.draft(&BTreeMap::new(), &texts(&[("name", "漢")])).is_err());
}

#[test]
fn a_text_has_no_more_letters_and_lines_than_its_field_takes() {
    let template = text_field("data-max='5' data-lines='2'");
    assert_eq!(one(&template, "abcdef"), Err(Unfit::Letters { has: 6, most: 5 }));
    assert_eq!(one(&template, "a\nb\nc"), Err(Unfit::Lines { has: 3, most: 2 }));
    assert_eq!(one(&template, "äöüßé"), Ok(()));
    assert_eq!(one(&template, "a\r\nb\r\n\r\n"), Ok(()));
}

#[test]
fn a_text_too_wide_becomes_smaller_and_then_is_refused() {
    let template = text_field("data-width='400' data-max='100'");
    assert_eq!(one(&template, "Short"), Ok(()));
    assert_eq!(one(&template, "Wolfgang Amad"), Ok(()));
    assert_eq!(one(&template, "Wolfgang Amadeus Mozart of Salzburg"), Err(Unfit::Room));
}

#[test]
fn a_field_that_may_not_shrink_refuses_what_is_too_wide() {
    let template = text_field("data-width='400' data-max='100' data-fit='refuse'");
    assert_eq!(one(&template, "Short"), Ok(()));
    assert_eq!(one(&template, "Wolfgang Amad"), Err(Unfit::Room));
}

#[test]
fn a_text_that_would_leave_the_page_is_refused() {
    let template = text_field("data-max='200'");
    assert_eq!(one(&template, &"M".repeat(30)), Err(Unfit::Room));
}

#[test]
fn a_letter_that_cannot_be_printed_is_named() {
    let template = text_field("");
    assert_eq!(one(&template, "Łódź, Αθήνα, Москва"), Ok(()));
    assert_eq!(one(&template, "漢字"), Err(Unfit::Glyph("漢".to_owned())));
    assert_eq!(one(&template, "Ada 😀"), Err(Unfit::Glyph("😀".to_owned())));
}

#[test]
fn markup_in_a_text_is_text() {
    let template = text_field("data-max='80'");
    let filled = fill(&template, &texts(&[("name", "</text><script/>&amp;\"'")])).unwrap();
    let plain = fill(&template, &texts(&[("name", "plain")])).unwrap();
    assert_ne!(filled.preview(200, None), plain.preview(200, None));
}

#[test]
fn a_color_is_one_of_those_offered() {
    let with = |color: &str| {
        let mut entered = texts(&[("name", "Ada"), ("address", "London")]);
        entered.insert("accent".to_owned(), Value::Color(color.parse().unwrap()));
        fill(&card(), &entered).map(drop)
    };
    assert_eq!(with("#1f5c7a"), Ok(()));
    assert_eq!(with("#123456"), Err([("accent".to_owned(), Unfit::NotAChoice)].into()));
    assert!("red".parse::<Color>().is_err() && "#12345g".parse::<Color>().is_err());
    assert_eq!("#AbC".parse::<Color>().unwrap().to_string(), "#aabbcc");
}

#[test]
fn a_picture_that_would_print_coarsely_is_refused() {
    let with = |edge: u32| {
        let mut entered = texts(&[("name", "Ada"), ("address", "London")]);
        entered.insert("photo".to_owned(), picture(&jpeg(edge, edge)));
        fill(&card(), &entered).map(drop)
    };
    // The frame is 18 mm wide: 71 pixels are 100 dots per inch.
    assert_eq!(with(80), Ok(()));
    let coarse = Unfit::Coarse { has: 71, least: 100 };
    assert_eq!(with(50), Err([("photo".to_owned(), coarse)].into()));
}

#[test]
fn a_value_of_another_kind_and_a_field_that_is_not_there_are_refused() {
    let mut entered = texts(&[("name", "Ada"), ("address", "London"), ("other", "x")]);
    entered.insert("title".to_owned(), Value::Color("#000000".parse().unwrap()));
    let wrong = fill(&card(), &entered).unwrap_err();
    assert_eq!(wrong, [("other".to_owned(), Unfit::Unknown), ("title".to_owned(), Unfit::Kind)].into());
}

#[test]
fn the_sellers_rules_win_over_the_templates() {
    let template = text_field("data-max='5'");
    let own = template.fields().first().unwrap().rules.clone();
    let rules: BTreeMap<String, Rules> =
        [("name".to_owned(), Rules { letters: 9, fit: Fit::Refuse, ..own })].into();
    assert!(template.fill(&rules, &texts(&[("name", "eightlet")])).is_ok());
    assert!(fill(&template, &texts(&[("name", "eightlet")])).is_err());
}

#[test]
fn a_mistake_in_a_field_is_told_with_its_line_and_what_is_expected() {
    let refused = |attributes: &str| {
        let svg = page(&format!("\n<text x='1' y='90' data-field='a' {attributes}>Ada</text>"));
        Template::read(svg.as_bytes()).unwrap_err().to_string()
    };
    assert_eq!(
        refused("data-max='many'"),
        "line 2: the field \"a\": has data-max=\"many\"; expected a whole number"
    );
    assert_eq!(
        refused("data-fit='squeeze'"),
        "line 2: the field \"a\": has data-fit=\"squeeze\"; expected shrink or refuse"
    );
    assert_eq!(
        refused("data-max='0'"),
        "line 2: the field \"a\": has a rule that cannot be: a text may have 1 to 1000 letters"
    );
    assert_eq!(
        refused("data-type='picture'"),
        "line 2: the field \"a\": has the type \"picture\"; expected text, image or color"
    );
}

#[test]
fn a_sample_that_does_not_fit_is_noticed_before_it_is_sold() {
    let svg = page("<text x='1' y='90' font-size='80' data-field='a' data-width='50'>Adalbertine</text>");
    let refused = Template::read(svg.as_bytes()).unwrap_err();
    assert_eq!(refused.why, Why::Sample { name: "a".to_owned(), unfit: Unfit::Room });
}

#[test]
fn the_same_name_in_two_places_is_one_field() {
    let twice = CARD.replace("data-field=\"title\"", "data-field=\"name\"");
    let template = Template::read(twice.as_bytes()).unwrap();
    assert_eq!(template.fields().iter().filter(|field| field.name == "name").count(), 1);
    let mixed = page("<text x='1' y='90' data-field='a'>A</text><rect width='9' height='9' data-color='a'/>");
    assert!(Template::read(mixed.as_bytes()).unwrap_err().to_string().contains("one kind"));
}

fn one(template: &Template, text: &str) -> Result<(), Unfit> {
    fill(template, &texts(&[("name", text)])).map(drop).map_err(|mut wrong| wrong.remove("name").unwrap())
}
