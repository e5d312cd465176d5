//! What must not get in. Each is refused with its reason, and soon.

use render::{Template, Why};

use crate::samples::page;

fn why(svg: &str) -> Why {
    match Template::read(svg.as_bytes()) {
        Ok(_) => panic!("it was taken"),
        Err(error) => error.why,
    }
}

fn refused(content: &str) -> Why {
    why(&page(content))
}

#[test]
fn entities_are_refused_in_every_form() {
    let laughs = "<!DOCTYPE svg [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>";
    let file = "<!DOCTYPE svg [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>";
    let remote = "<!DOCTYPE svg [<!ENTITY % p SYSTEM 'http://localhost/p'> %p;]>";
    let all = [laughs, file, remote].map(|dtd| why(&format!("{dtd}{}", page("<text y='9'>&b;</text>"))));
    assert_eq!(all, [Why::Entities, Why::Entities, Why::Entities]);
    assert!(matches!(refused("<text y='9'>&b;</text>"), Why::Malformed(_)));
}

#[test]
fn scripts_are_refused_in_every_form() {
    assert_eq!(refused("<script>alert(1)</script>"), Why::Element("script".to_owned()));
    assert_eq!(refused("<g onload='alert(1)'/>"), Why::Script("onload".to_owned()));
    assert_eq!(refused("<foreignObject/>"), Why::Element("foreignObject".to_owned()));
    assert_eq!(refused("<script xmlns='http://www.w3.org/1999/xhtml'/>"), Why::Element("script".to_owned()));
    assert_eq!(refused("<animate attributeName='x'/>"), Why::Element("animate".to_owned()));
}

#[test]
fn nothing_outside_of_the_file_is_referred_to() {
    let outside = |content: &str| matches!(refused(content), Why::External(_));
    assert!(outside("<image href='file:///etc/passwd' width='9' height='9'/>"));
    assert!(outside("<image xlink:href='https://example.com/a.png' width='9' height='9'/>"));
    assert!(outside("<image href='../../secret.png' width='9' height='9'/>"));
    assert!(outside("<image href='handsel:name' width='9' height='9'/>"));
    assert!(outside("<use href='other.svg#a'/>"));
    assert!(outside("<rect width='9' height='9' fill='url(https://example.com/#a)'/>"));
    assert!(outside("<rect width='9' height='9' style='fill: URL( \"file:///a#b\" )'/>"));
    assert!(outside("<style>rect { fill: url(http://example.com/a#b) }</style>"));
    assert!(outside("<g xml:base='http://example.com/'/>"));
    assert_eq!(refused("<style>@import 'http://example.com/a.css';</style>"), Why::StyleSheet);
    let sheet = "<?xml-stylesheet href='http://example.com/a.css'?>";
    assert_eq!(why(&format!("{sheet}{}", page(""))), Why::StyleSheet);
}

#[test]
fn drawings_within_drawings_are_refused() {
    let inner = "PHN2ZyB4bWxucz0naHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmcnLz4=";
    let image = format!("<image href='data:image/svg+xml;base64,{inner}' width='9' height='9'/>");
    assert!(matches!(refused(&image), Why::External(_)));
    // Said to be a PNG, and is not.
    let disguised = format!("<image href='data:image/png;base64,{inner}' width='9' height='9'/>");
    let read = Template::read(page(&disguised).as_bytes());
    assert!(read.is_err(), "{read:?}");
}

#[test]
fn fonts_other_than_ours_are_refused_by_name() {
    assert_eq!(
        refused("<text y='90' font-family='Comic Sans MS'>a</text>"),
        Why::Font("Comic Sans MS".to_owned())
    );
    assert!(matches!(refused("<text y='90' style='font-family: monospace'>a</text>"), Why::Font(_)));
    assert!(matches!(refused("<style>text{font-family:Foo}</style><text y='90'>a</text>"), Why::Font(_)));
    assert_eq!(refused("<style>@font-face { font-family: x; src: url(#a) }</style>"), Why::FontFace);
    assert_eq!(refused("<font/>"), Why::Element("font".to_owned()));
    assert!(Template::read(page("<text y='90' font-family='Helvetica, serif'>a</text>").as_bytes()).is_ok());
}

#[test]
fn letters_that_no_font_has_are_refused_in_the_drawing_too() {
    assert_eq!(refused("<text y='90'>漢</text>"), Why::Glyph("漢".to_owned()));
}

#[test]
fn elements_in_elements_without_end_are_refused() {
    let deep = |depth: usize| page(&format!("{}{}", "<g>".repeat(depth), "</g>".repeat(depth)));
    assert!(Template::read(deep(40).as_bytes()).is_ok());
    assert_eq!(why(&deep(100)), Why::Depth);
    assert_eq!(why(&deep(9_000)), Why::Depth);
    assert_eq!(why(&deep(300_000)), Why::Nodes);
}

#[test]
fn elements_without_end_are_refused() {
    assert_eq!(refused(&"<path/>".repeat(30_000)), Why::Nodes);
    assert!(matches!(why(&"<".repeat(100_000)), Why::Malformed(_)));
}

#[test]
fn uses_of_uses_are_counted_before_they_are_written_out() {
    let level = |number: usize| {
        let uses = format!("<use href='#l{}'/>", number - 1).repeat(10);
        format!("<g id='l{number}'>{uses}</g>")
    };
    let levels: String = (1..12).map(level).collect();
    assert_eq!(refused(&format!("<rect id='l0' width='9' height='9'/>{levels}")), Why::Expanded);
}

#[test]
fn patterns_of_patterns_are_counted_before_they_are_written_out() {
    let level = |number: usize| {
        let fill = format!("<rect width='1' height='1' fill='url(#p{})'/>", number - 1).repeat(10);
        format!("<pattern id='p{number}' width='1' height='1'>{fill}</pattern>")
    };
    let levels: String = (1..12).map(level).collect();
    let first = "<pattern id='p0' width='1' height='1'><rect width='1' height='1'/></pattern>";
    let shown = "<rect width='9' height='9' fill='url(#p11)'/>";
    assert_eq!(refused(&format!("<defs>{first}{levels}</defs>{shown}")), Why::Expanded);
    let sheet = "<style>rect { fill: url(#p0) }</style>";
    assert!(matches!(refused(&format!("{sheet}<defs>{first}</defs>")), Why::Style(_)));
}

#[test]
fn what_refers_to_itself_is_refused() {
    assert_eq!(refused("<g id='a'><use href='#a'/></g>"), Why::Circle("a".to_owned()));
    let two = "<g id='a'><use href='#b'/></g><g id='b'><use href='#a'/></g>";
    assert!(matches!(refused(two), Why::Circle(_)));
    let pattern =
        "<pattern id='p' width='1' height='1'><rect fill='url(#p)' width='1' height='1'/></pattern>";
    assert_eq!(refused(pattern), Why::Circle("p".to_owned()));
}

#[test]
fn layers_within_layers_are_limited() {
    let layers = |depth: usize| {
        let open = "<g opacity='0.5'><rect width='9' height='9'/>".repeat(depth);
        page(&format!("{open}{}", "</g>".repeat(depth)))
    };
    assert!(Template::read(layers(6).as_bytes()).is_ok());
    assert_eq!(why(&layers(30)), Why::Layers);
}

#[test]
fn painting_over_and_over_is_limited() {
    assert_eq!(refused(&"<rect width='1000' height='500'/>".repeat(1_000)), Why::Coats);
    assert!(Template::read(page(&"<rect width='10' height='5'/>".repeat(1_000)).as_bytes()).is_ok());
}

#[test]
fn filters_and_line_ends_are_refused() {
    let blur = "<filter id='f'><feGaussianBlur stdDeviation='100000'/></filter>";
    assert_eq!(refused(blur), Why::Element("filter".to_owned()));
    assert_eq!(refused("<marker id='m'/>"), Why::Element("marker".to_owned()));
}

#[test]
fn a_page_has_a_size_that_can_be_printed() {
    let sized =
        |size: &str| why(&format!("<svg xmlns='http://www.w3.org/2000/svg' {size} viewBox='0 0 9 9'/>"));
    assert_eq!(sized(""), Why::NoSize);
    assert_eq!(sized("width='100%' height='100%'"), Why::NoSize);
    assert_eq!(sized("width='9000mm' height='10mm'"), Why::Size { width: 9_000, height: 10 });
    assert_eq!(sized("width='1mm' height='10mm'"), Why::Size { width: 1, height: 10 });
    assert!(matches!(sized("width='1e38mm' height='1e38mm'"), Why::Size { .. } | Why::Unrenderable(_)));
    assert!(matches!(sized("width='-5mm' height='NaN'"), Why::Unrenderable(_) | Why::Size { .. }));
}

#[test]
fn huge_pictures_are_refused_before_they_are_read() {
    // The head of a PNG that claims 60,000 × 60,000 pixels.
    let bomb = "iVBORw0KGgoAAAANSUhEUgAA6mAAAOpgCAIAAAA=";
    let image = format!("<image href='data:image/png;base64,{bomb}' width='9' height='9'/>");
    assert!(matches!(refused(&image), Why::Picture(_)));
}

#[test]
fn what_is_no_svg_is_refused() {
    assert_eq!(Template::read(&[0x1f, 0x8b, 8, 0]).unwrap_err().why, Why::Compressed);
    assert_eq!(Template::read(&[0xff, 0xfe, 0, 1]).unwrap_err().why, Why::NotText);
    assert!(matches!(why("not xml"), Why::Malformed(_)));
    assert_eq!(why("<html/>"), Why::NotSvg("html".to_owned()));
    assert_eq!(Template::read(&vec![b' '; 5 * 1024 * 1024]).unwrap_err().why, Why::Bytes(5 * 1024 * 1024));
}

#[test]
fn style_sheets_are_bounded() {
    let rules = "a{x:y}".repeat(20_000);
    assert!(matches!(refused(&format!("<style>{rules}</style>")), Why::Style(_)));
    assert!(matches!(refused("<style>rect{fill:\\75rl(x)}</style>"), Why::Style(_)));
}

#[test]
fn an_id_stands_once() {
    assert_eq!(refused("<g id='a'/><g id='a'/>"), Why::IdTwice("a".to_owned()));
}

#[test]
fn fields_are_not_hidden_in_definitions() {
    let hidden = "<defs><text data-field='a' y='9'>A</text></defs>";
    assert!(matches!(refused(hidden), Why::Field { .. }));
}

#[test]
fn numbers_beyond_reason_end_no_process() {
    let all = [
        "<rect x='1e38' width='1e38' height='1e38'/>",
        "<path d='M0 0 L1e38 1e38 Q-1e38 1e38 5 5' stroke='red' stroke-width='1e30'/>",
        "<path d='M0 0 L1000 500' stroke='red' stroke-dasharray='0.000001'/>",
        "<circle r='NaN'/>",
        "<g transform='scale(1e20)'><rect width='1' height='1'/></g>",
        "<text y='9' font-size='1e30'>a</text>",
        "<path d='M0 0h1v1' transform='matrix(0 0 0 0 0 0)'/>",
    ];
    let rendered = all.map(|content| {
        let read = Template::read(page(content).as_bytes());
        read.ok().and_then(|template| template.sample().ok()).map(|page| page.preview(100, None).is_ok())
    });
    assert!(rendered.iter().all(|rendered| rendered != &Some(false)), "{rendered:?}");
}
