//! How large, how deep and how much. What is beyond is refused, with the number.

/// Bytes of a template, with the pictures in it.
pub const TEMPLATE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Elements and texts of a template.
pub const NODES_MAX: u32 = 20_000;
/// Elements within elements. Parsers and renderers go down one call for each.
pub const DEPTH_MAX: usize = 64;
/// Elements once everything that is used many times is written out: ten uses of ten uses of ten
/// are a thousand.
pub const EXPANDED_MAX: u64 = 200_000;
/// Bytes of style sheets. Every rule is tried on every element.
pub const STYLE_BYTES_MAX: usize = 64 * 1024;
/// Points of all outlines together.
pub const POINTS_MAX: usize = 1_000_000;
/// Layers within layers: opacity, clips and masks each need a picture of their own meanwhile.
pub const LAYERS_MAX: usize = 8;
/// How often the whole page may be painted over.
pub const COATS_MAX: f32 = 200.0;
/// Pixels of all pictures in a template together.
pub const EMBEDDED_PIXELS_MAX: u64 = 40_000_000;
/// The shortest side of a page, in millimeters.
pub const PAGE_MM_MIN: f32 = 5.0;
/// The longest side of a page, in millimeters: A0.
pub const PAGE_MM_MAX: f32 = 1_189.0;

/// Fields of a template.
pub const FIELDS_MAX: usize = 32;
/// Letters of a field's name.
pub const NAME_CHARS_MAX: usize = 32;
/// Letters of a field's label.
pub const LABEL_CHARS_MAX: usize = 80;
/// Letters that a text field may take.
pub const TEXT_CHARS_MAX: u32 = 1_000;
/// Lines that a text field may take.
pub const TEXT_LINES_MAX: u32 = 30;
/// Colors to choose from.
pub const CHOICES_MAX: usize = 32;

/// Bytes of a buyer's picture.
pub const PICTURE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Pixels of a buyer's picture. While it is read, each takes four bytes.
pub const PICTURE_PIXELS_MAX: u64 = 40_000_000;
/// The longer side that a buyer's picture keeps: 35 cm at 300 dpi.
pub const PICTURE_EDGE_KEPT: u32 = 4_096;

/// Pixels of a rendered page: A1 at 300 dpi.
pub const PAGE_PIXELS_MAX: u64 = 70_000_000;
/// Pixels that are in memory at a time: pages are rendered in bands.
pub const BAND_PIXELS: u32 = 1_000_000;
/// Bytes of a rendered page.
pub const OUTPUT_BYTES_MAX: usize = 128 * 1024 * 1024;
/// The coarsest print.
pub const DPI_MIN: u32 = 36;
/// The finest print.
pub const DPI_MAX: u32 = 1_200;
/// The longer side of a preview.
pub const PREVIEW_EDGE_MAX: u32 = 1_200;
