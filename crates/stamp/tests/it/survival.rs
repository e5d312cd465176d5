//! The mark is found again after what people do to a file.

use crate::pages::{lines, mark, turned};
use crate::tools::Bench;
use lopdf::{Document, Object};
use stamp::{Mark, Place, Position, find_marks, stamp_pdf};

fn out() -> Vec<u8> {
    stamp_pdf(&turned(), &lines(Position::Bottom), mark()).unwrap()
}

fn found(file: &[u8]) -> (Vec<Mark>, Vec<Place>) {
    let found = find_marks(file);
    (
        found.iter().map(|found| found.mark).collect(),
        found.into_iter().flat_map(|found| found.places).collect(),
    )
}

#[test]
fn a_copy_carries_its_mark_in_five_places() {
    let (marks, places) = found(&out());

    assert_eq!(marks, [mark()]);
    assert_eq!(places, [Place::Identifier, Place::Metadata, Place::PageData, Place::Text, Place::Drawing]);
}

#[test]
fn a_file_that_was_not_stamped_has_no_mark() {
    assert_eq!(find_marks(&turned()), []);
    assert_eq!(find_marks(b"just text, 0123456789abcdef0123456789abcdef"), []);
}

#[test]
fn each_place_alone_is_enough() {
    let mut alone = Vec::new();
    for keep in ["ID", "Info", "PieceInfo", "content"] {
        let mut document = Document::load_mem(&out()).unwrap();
        if keep != "ID" {
            document.trailer.remove(b"ID");
        }
        if keep != "Info" {
            document.trailer.remove(b"Info");
        }
        document.catalog_mut().unwrap().remove(b"Metadata");
        let pages: Vec<_> = document.page_iter().collect();
        for page in pages {
            let page = document.get_dictionary_mut(page).unwrap();
            if keep != "PieceInfo" {
                page.remove(b"PieceInfo");
            }
            if keep != "content" {
                page.remove(b"Contents");
                page.remove(b"Resources");
            }
        }
        document.prune_objects();
        let mut bytes = Vec::new();
        document.save_to(&mut bytes).unwrap();
        alone.push(found(&bytes));
    }

    let marks: Vec<_> = alone.iter().map(|(marks, _)| marks.as_slice()).collect();
    assert_eq!(marks, [[mark()]; 4]);
    let places: Vec<_> = alone.into_iter().map(|(_, places)| places).collect();
    assert_eq!(
        places,
        [
            vec![Place::Identifier],
            vec![Place::Metadata],
            vec![Place::PageData],
            vec![Place::Text, Place::Drawing],
        ]
    );
}

#[test]
fn the_mark_survives_qpdf_in_every_form_that_it_writes() {
    let bench = Bench::with("out.pdf", &out());
    for options in [
        &["--object-streams=generate", "--recompress-flate", "--compression-level=9"][..],
        &["--qdf"],
        &["--linearize", "--deterministic-id"],
        &["--remove-metadata", "--remove-info"],
        &["--normalize-content=y", "--coalesce-contents", "--remove-unreferenced-resources=yes"],
    ] {
        let supported = bench.says("qpdf", &["--help=all"]);
        let options: Vec<&str> =
            options.iter().copied().filter(|o| supported.contains(o.split('=').next().unwrap())).collect();
        let again = bench.makes("qpdf", &[&options[..], &["out.pdf", "again.pdf"]].concat(), "again.pdf");
        assert_eq!(found(&again).0, [mark()], "{options:?}");
    }
}

#[test]
fn the_mark_survives_mutool_and_its_cleaning_of_contents() {
    let bench = Bench::with("out.pdf", &out());
    for options in [&["-gggg", "-z"][..], &["-s", "-d"], &["-s", "-gggg", "-c"]] {
        let again =
            bench.makes("mutool", &[&["clean"], options, &["out.pdf", "again.pdf"]].concat(), "again.pdf");
        assert_eq!(found(&again).0, [mark()], "{options:?}");
    }
}

#[test]
fn the_mark_survives_being_printed_to_a_file_by_ghostscript() {
    let bench = Bench::with("out.pdf", &out());

    let again = bench.makes(
        "gs",
        &["-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfwrite", "-sOutputFile=again.pdf", "out.pdf"],
        "again.pdf",
    );

    assert_eq!(found(&again).0, [mark()]);
}

#[test]
fn the_mark_travels_with_extracted_text() {
    let bench = Bench::with("out.pdf", &out());

    let poppler = bench.says("pdftotext", &["out.pdf", "-"]);
    let mupdf = bench.says("mutool", &["draw", "-q", "-F", "txt", "out.pdf"]);

    assert_eq!(found(poppler.as_bytes()).0, [mark()]);
    assert_eq!(found(mupdf.as_bytes()).0, [mark()]);
}

#[test]
fn the_mark_survives_a_page_being_taken_out() {
    let bench = Bench::with("out.pdf", &out());

    let page = bench.makes("qpdf", &["--empty", "--pages", "out.pdf", "4", "--", "page.pdf"], "page.pdf");

    assert_eq!(found(&page).0, [mark()]);
}

#[test]
fn a_copy_stamped_twice_names_both_buyers() {
    let other = Mark::new(*b"otherbuyer");

    let twice = stamp_pdf(&out(), &lines(Position::Top), other).unwrap();

    let mut marks = found(&twice).0;
    marks.sort();
    let mut both = [mark(), other];
    both.sort();
    assert_eq!(marks, both);
}

#[test]
fn the_mark_says_nothing_about_the_buyer() {
    let hidden = mark().to_string();
    let stamped =
        stamp_pdf(&turned(), &stamp::Stamp { lines: vec![], ..lines(Position::Top) }, mark()).unwrap();
    let document = Document::load_mem(&stamped).unwrap();

    let texts: Vec<_> = document.objects.values().filter_map(|object| object.as_str().ok()).collect();
    assert!(texts.iter().all(|text| !text.windows(3).any(|window| window == b"zoe")));
    assert_eq!(hidden.len(), 19);
    assert_eq!(found(&stamped).0, [mark()]);
    assert!(document.trailer.get(b"Info").and_then(Object::as_reference).is_ok());
}
