//! What comes out, as other programs see it.

use std::path::Path;
use std::process::Command;

use image::GenericImageView as _;
use render::{Artwork, Format, Print, RenderError, Template};

use crate::samples::{card, fill, half_clear_png, jpeg, page, picture, texts};

fn filled() -> Artwork {
    let mut entered = texts(&[("name", "Zoë Müller"), ("address", "Šídlišťě 5\n110 00 Praha")]);
    entered.insert("photo".to_owned(), picture(&jpeg(300, 400)));
    fill(&card(), &entered).unwrap()
}

fn print(page: &Artwork, format: Format, dpi: u32) -> Result<Vec<u8>, RenderError> {
    page.render(&Print { format, dpi, title: "1001.1", go_on: &|| true })
}

#[test]
fn an_image_has_the_pixels_of_its_resolution_and_says_so() {
    let png = print(&filled(), Format::Png, 300).unwrap();
    let jpg = print(&filled(), Format::Jpg, 300).unwrap();
    // 85 × 55 mm at 300 dots per inch.
    let sizes = [&png, &jpg].map(|bytes| image::load_from_memory(bytes).unwrap().dimensions());
    assert_eq!(sizes, [(1004, 650), (1004, 650)]);
    let dots = png.windows(4).position(|window| window == b"pHYs").unwrap();
    assert_eq!(png[dots + 4..dots + 8], 11_811u32.to_be_bytes());
    assert_eq!(jpg[13..18], [1, 1, 44, 1, 44]);
}

#[test]
fn the_same_values_give_the_same_bytes() {
    let twice = |format| (print(&filled(), format, 150), print(&filled(), format, 150));
    for (first, second) in Format::ALL.map(twice) {
        assert!(first.is_ok());
        assert_eq!(first, second);
    }
}

#[test]
fn other_values_give_other_bytes() {
    let other = fill(&card(), &texts(&[("name", "Zoë Müllers"), ("address", "Praha")])).unwrap();
    for format in Format::ALL {
        assert_ne!(print(&filled(), format, 72), print(&other, format, 72));
    }
}

#[test]
fn bands_leave_no_seam() {
    // One color over the whole page, in more than one band.
    let template =
        Template::read(page("<rect width='1000' height='500' fill='#204060'/>").as_bytes()).unwrap();
    let png = print(&template.sample().unwrap(), Format::Png, 600).unwrap();
    let image = image::load_from_memory(&png).unwrap().to_rgba8();
    assert!(image.height() > 2 * (1_000_000 / image.width()));
    assert!(image.pixels().all(|pixel| pixel.0 == [0x20, 0x40, 0x60, 255]));
}

#[test]
fn png_is_clear_where_nothing_is_drawn_and_jpg_is_white() {
    let template = Template::read(page("").as_bytes()).unwrap();
    let page = template.sample().unwrap();
    let corner = |format| {
        let bytes = print(&page, format, 72).unwrap();
        image::load_from_memory(&bytes).unwrap().to_rgba8().get_pixel(0, 0).0
    };
    assert_eq!(corner(Format::Png), [0, 0, 0, 0]);
    assert_eq!(corner(Format::Jpg), [255, 255, 255, 255]);
}

#[test]
fn a_picture_is_placed_in_its_frame() {
    let frame = "<image data-field='p' x='0' y='0' width='1000' height='500' preserveAspectRatio='none'/>";
    let template = Template::read(page(frame).as_bytes()).unwrap();
    let entered = [("p".to_owned(), picture(&half_clear_png(40, 20)))].into();
    let png = print(&fill(&template, &entered).unwrap(), Format::Png, 72).unwrap();
    let image = image::load_from_memory(&png).unwrap().to_rgba8();
    let (width, height) = image.dimensions();
    assert_eq!(image.get_pixel(width / 4, height / 2).0[3], 0);
    assert_eq!(image.get_pixel(width * 3 / 4, height / 2).0, [200, 30, 30, 255]);
}

#[test]
fn other_programs_read_the_pdf_with_its_text_and_its_size() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("1001.1.pdf");
    std::fs::write(&file, print(&filled(), Format::Pdf, 300).unwrap()).unwrap();
    assert!(output("qpdf", &["--check"], &file).contains("No syntax or stream encoding errors"));
    output("pdftotext", &["-layout"], &file);
    let text = std::fs::read_to_string(file.with_extension("txt")).unwrap();
    assert!(text.contains("Zoë Müller") && text.contains("110 00 Praha"), "{text}");
    let info = output("pdfinfo", &[], &file);
    // 85 × 55 mm in points.
    assert!(info.contains("240.945 x 155.906 pts"), "{info}");
    assert!(info.contains("1001.1") && !info.contains("CreationDate"), "{info}");
    let fonts = output("pdffonts", &[], &file);
    assert!(fonts.contains("EBGaramond") && fonts.contains("Inter"), "{fonts}");
}

#[test]
fn a_pdf_shows_what_the_image_shows() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.pdf");
    std::fs::write(&file, print(&filled(), Format::Pdf, 300).unwrap()).unwrap();
    let target = folder.path().join("page");
    let drawing = ["-png", "-r", "96", "-singlefile"];
    let drawn = Command::new("pdftoppm").args(drawing).arg(&file).arg(&target).status();
    assert!(drawn.unwrap().success());
    let pdf = image::open(target.with_extension("png")).unwrap().to_rgb8();
    let png = image::load_from_memory(&print(&filled(), Format::Jpg, 96).unwrap()).unwrap().to_rgb8();
    // One rounds a page's size up, the other to the nearest pixel.
    let difference: u64 = png
        .enumerate_pixels()
        .map(|(x, y, pixel)| {
            pdf.get_pixel(x, y).0.iter().zip(pixel.0).map(|(a, b)| u64::from(a.abs_diff(b))).sum::<u64>()
        })
        .sum();
    let mean = difference / u64::from(png.width() * png.height() * 3);
    assert!(mean < 6, "the two differ by {mean} of 255 in the mean");
}

#[test]
fn whoever_does_not_wait_stops_the_work() {
    let page = filled();
    for format in Format::ALL {
        let stopped = page.render(&Print { format, dpi: 300, title: "", go_on: &|| false });
        assert_eq!(stopped, Err(RenderError::Stopped));
    }
}

#[test]
fn more_pixels_than_can_be_are_refused() {
    let svg = "<svg xmlns='http://www.w3.org/2000/svg' width='800mm' height='1100mm'/>";
    let page = Template::read(svg.as_bytes()).unwrap().sample().unwrap();
    assert!(matches!(print(&page, Format::Png, 1_200), Err(RenderError::Pixels { .. })));
    assert_eq!(print(&page, Format::Jpg, 5_000), Err(RenderError::Dpi(5_000)));
    assert!(print(&page, Format::Pdf, 300).is_ok());
}

#[test]
fn a_preview_is_small_and_marked() {
    let page = filled();
    let (plain, marked) = (page.preview(400, None).unwrap(), page.preview(400, Some("Preview")).unwrap());
    assert_eq!(image::load_from_memory(&plain).unwrap().dimensions(), (400, 259));
    assert_ne!(plain, marked);
    let large = page.preview(100_000, None).unwrap();
    assert_eq!(image::load_from_memory(&large).unwrap().width(), 1_200);
}

fn output(program: &str, arguments: &[&str], file: &Path) -> String {
    let output = Command::new(program).args(arguments).arg(file).output();
    let output = output.unwrap_or_else(|error| panic!("{program} is needed (./test installs it): {error}"));
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
