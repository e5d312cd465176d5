//! Writes every sample as an HTML file, with the assets beside it: `cargo run -p ui --example gallery -- OUTDIR`.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

use ui::gallery::{Rendered, exhibits};
use ui::{Locale, Renderer, accent_css, assets, samples};

fn main() -> Result<(), Box<dyn Error>> {
    let folder =
        std::env::args().nth(1).ok_or("say where to: cargo run -p ui --example gallery -- OUTDIR")?;
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder.join("assets"))?;
    for asset in assets() {
        std::fs::write(folder.join("assets").join(asset.name), asset.bytes)?;
    }
    std::fs::write(folder.join("assets/accent.css"), accent_css("0f5c55")?)?;
    std::fs::write(folder.join("assets/crowded.css"), accent_css("ffe14d")?)?;

    let renderer = Renderer::new()?;
    let mut index = String::from("<!doctype html><meta charset=utf-8><title>Gallery</title><ul>");
    let crowded = samples::crowded_frame(Locale::En);
    let frames = [("en", samples::frame(Locale::En)), ("de", samples::frame(Locale::De)), ("full", crowded)];
    for (label, frame) in frames {
        for exhibit in exhibits() {
            let stem = format!("{}-{}.{}", exhibit.name.replace(['/', '.'], "_"), exhibit.number, label);
            let mut write = |name: String, content: &str| -> Result<(), Box<dyn Error>> {
                std::fs::write(folder.join(&name), content)?;
                write!(index, "<li><a href=\"{name}\">{name}</a>")?;
                Ok(())
            };
            match exhibit.render(&renderer, &frame)? {
                // From the file system, only relative addresses find the assets.
                Rendered::Page(html) => {
                    let html =
                        html.replace("\"/assets/", "\"assets/").replace("accent.css?c=ffe14d", "crowded.css");
                    write(format!("{stem}.html"), &html)?;
                }
                Rendered::Mail(mail) => {
                    write(format!("{stem}.html"), &mail.html)?;
                    write(format!("{stem}.txt"), &format!("{}\n\n{}", mail.subject, mail.text))?;
                }
            }
        }
    }
    std::fs::write(folder.join("index.html"), index)?;
    println!("{}", folder.join("index.html").display());
    Ok(())
}
