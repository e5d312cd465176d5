//! Other programs read what was stamped, and see the lines where they belong.

use crate::pages::{Pages, lines, mark, turned};
use crate::tools::Bench;
use lopdf::{Object, dictionary};
use stamp::{Position, Stamp, stamp_pdf};

fn stamped(file: &[u8], position: Position) -> Bench {
    let out = stamp_pdf(file, &lines(position), mark()).unwrap();
    if let Ok(folder) = std::env::var("STAMP_SHOW") {
        std::fs::write(format!("{folder}/{position:?}.pdf"), &out).unwrap();
    }
    let bench = Bench::with("out.pdf", &out);
    std::fs::write(bench.path("in.pdf"), file).unwrap();
    bench
}

/// How many pixels of each of a page's nine fields are darker than a light gray.
fn darkness(bench: &Bench, file: &str, page: u32) -> [i64; 9] {
    let n = page.to_string();
    let image = bench.makes(
        "pdftoppm",
        &["-r", "72", "-gray", "-f", &n, "-l", &n, "-singlefile", "-cropbox", file, "page"],
        "page.pgm",
    );
    let header = String::from_utf8_lossy(&image[..20]).into_owned();
    let numbers: Vec<usize> = header.split_whitespace().skip(1).take(2).map(|n| n.parse().unwrap()).collect();
    let [width, height] = numbers.try_into().unwrap();
    let mut dark = [0; 9];
    for (at, pixel) in image[image.len() - width * height..].iter().enumerate() {
        let field = (at / width * 3 / height) * 3 + at % width * 3 / width;
        dark[field] += i64::from(*pixel < 200);
    }
    dark
}

/// How much darker the stamp made each of a page's nine fields.
fn drawn(bench: &Bench, page: u32) -> [i64; 9] {
    let (before, after) = (darkness(bench, "in.pdf", page), darkness(bench, "out.pdf", page));
    std::array::from_fn(|field| after[field] - before[field])
}

#[test]
fn every_page_is_sound_and_says_whose_it_is() {
    let bench = stamped(&turned(), Position::Bottom);

    bench.says("qpdf", &["--check", "out.pdf"]);
    let text = bench.says("pdftotext", &["out.pdf", "-"]);

    assert_eq!(text.matches("zoe@example.org").count(), 9, "{text}");
    assert_eq!(text.matches("Zoë Łuczak").count(), 9, "{text}");
    assert!(text.contains("three quarters"), "{text}");
}

#[test]
fn the_lines_stand_at_the_lower_edge_as_the_page_is_seen() {
    let bench = stamped(&turned(), Position::Bottom);

    for page in 1..=8 {
        let [_, upper, _, _, _, _, _, lower, _] = drawn(&bench, page);
        assert!(lower > 50 && upper == 0, "page {page}: {:?}", drawn(&bench, page));
    }
}

#[test]
fn the_lines_stand_at_the_upper_edge_as_the_page_is_seen() {
    let bench = stamped(&turned(), Position::Top);

    for page in 1..=8 {
        let [_, upper, _, _, _, _, _, lower, _] = drawn(&bench, page);
        assert!(upper > 50 && lower == 0, "page {page}: {:?}", drawn(&bench, page));
    }
}

#[test]
fn the_lines_stand_along_the_left_edge_as_the_page_is_seen() {
    let bench = stamped(&turned(), Position::Side);

    for page in 1..=8 {
        let [_, _, _, left, _, right, ..] = drawn(&bench, page);
        assert!(left > 50 && right == 0, "page {page}: {:?}", drawn(&bench, page));
    }
}

#[test]
fn the_lines_reach_across_the_page() {
    let bench = stamped(&turned(), Position::Diagonal);

    let [_, _, upper_right, _, middle, _, lower_left, ..] = drawn(&bench, 1);
    assert!(upper_right > 20 && middle > 100 && lower_left > 20, "{:?}", drawn(&bench, 1));
}

#[test]
fn the_lines_are_read_on_a_dark_page_too() {
    let opaque = Stamp { opacity: 100, ..lines(Position::Bottom) };
    let bench = Bench::with("out.pdf", &stamp_pdf(&turned(), &opaque, mark()).unwrap());
    std::fs::write(bench.path("in.pdf"), turned()).unwrap();

    let [_, upper, .., lower, _] = drawn(&bench, 9);
    assert!(upper == 0 && lower < -50, "{:?}", drawn(&bench, 9));
}

#[test]
fn a_file_of_object_streams_keeps_its_form_and_stays_small() {
    let plain = Bench::with("in.pdf", &turned());
    let packed =
        plain.makes("qpdf", &["--object-streams=generate", "--linearize", "in.pdf", "o.pdf"], "o.pdf");

    let out = stamp_pdf(&packed, &lines(Position::Bottom), mark()).unwrap();
    let bench = Bench::with("out.pdf", &out);

    bench.says("qpdf", &["--check", "out.pdf"]);
    assert!(bench.says("qpdf", &["--show-xref", "out.pdf"]).contains(": compressed"));
    assert_eq!(bench.says("pdftotext", &["out.pdf", "-"]).matches("Order 1042").count(), 9);
    assert!(out.len() < packed.len() + 60_000, "{} became {}", packed.len(), out.len());
}

#[test]
fn a_file_with_a_table_of_references_keeps_that_form() {
    let plain = Bench::with("in.pdf", &turned());
    let table = plain.makes("qpdf", &["--object-streams=disable", "in.pdf", "o.pdf"], "o.pdf");

    let bench = stamped(&table, Position::Top);

    bench.says("qpdf", &["--check", "out.pdf"]);
    assert!(!bench.says("qpdf", &["--show-xref", "out.pdf"]).contains(": compressed"));
    assert_eq!(bench.says("pdftotext", &["out.pdf", "-"]).matches("Order 1042").count(), 9);
}

#[test]
fn resources_named_like_the_drawing_and_inherited_ones_stay() {
    let file = Pages::inheriting().text("first").text("second").changed(|document, catalog| {
        let form = document.add_object(lopdf::Stream::new(
            dictionary! { "Type" => "XObject", "Subtype" => "Form",
            "BBox" => vec![0.into(), 0.into(), 300.into(), 400.into()] },
            b"0 0 1 rg 100 300 100 60 re f".to_vec(),
        ));
        let root = catalog.get(b"Pages").and_then(Object::as_reference).unwrap();
        let tree = document.get_dictionary_mut(root).unwrap();
        let resources = tree.get_mut(b"Resources").and_then(Object::as_dict_mut).unwrap();
        resources.set("XObject", dictionary! { "Copy0" => form });
        let content = lopdf::Stream::new(dictionary! {}, b"/Copy0 Do".to_vec());
        let content = document.add_object(content);
        let page = document.get_dictionary(root).unwrap().get(b"Kids").and_then(Object::as_array).unwrap()[0]
            .as_reference()
            .unwrap();
        document.get_dictionary_mut(page).unwrap().set("Contents", vec![content.into(), content.into()]);
    });

    let bench = stamped(&file, Position::Bottom);

    bench.says("qpdf", &["--check", "out.pdf"]);
    let [_, upper, .., lower, _] = drawn(&bench, 1);
    assert!(upper == 0 && lower > 100, "{:?}", drawn(&bench, 1));
    assert!(darkness(&bench, "out.pdf", 1)[1] > 1_000);
    assert!(bench.says("pdftotext", &["out.pdf", "-"]).contains("second"));
}

#[test]
fn names_of_any_script_are_drawn() {
    let names = ["王小明", "김민준", "محمد بن سلمان", "דוד כהן", "अनिल कुमार", "สมชาย", "Дмитрий", "Zoë 🙂"];
    for name in names {
        let stamp = Stamp { lines: vec![name.to_owned()], size: 24, ..lines(Position::Bottom) };
        let out = stamp_pdf(&Pages::inheriting().page("", dictionary! {}).bytes(), &stamp, mark()).unwrap();
        let bench = Bench::with("out.pdf", &out);

        let dark: i64 = darkness(&bench, "out.pdf", 1).iter().sum();
        assert!(dark > 250, "{name} leaves {dark} dark pixels");
    }
}

#[test]
fn a_chinese_name_can_be_searched_for() {
    let stamp = Stamp { lines: vec!["Licensed to 王小明".to_owned()], ..lines(Position::Bottom) };
    let out = stamp_pdf(&Pages::inheriting().text("a").bytes(), &stamp, mark()).unwrap();

    assert!(Bench::with("out.pdf", &out).says("pdftotext", &["out.pdf", "-"]).contains("王小明"));
}

#[test]
fn a_line_too_long_for_a_page_is_set_smaller() {
    let stamp = Stamp { lines: vec!["M".repeat(200)], ..lines(Position::Bottom) };
    let out = stamp_pdf(&Pages::inheriting().page("", dictionary! {}).bytes(), &stamp, mark()).unwrap();
    let bench = Bench::with("out.pdf", &out);

    let [.., left, middle, right] = darkness(&bench, "out.pdf", 1);
    assert!(left > 50 && right > 50 && middle > 50, "{:?}", darkness(&bench, "out.pdf", 1));
}
