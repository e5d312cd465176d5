//! What the demo's shop sells: small files that are real, made here.

use app::products::flow::StoredFile;
use stores::{BlobStore, StoreError};

/// A product of the demo.
pub struct Sample {
    /// Item number.
    pub sku: &'static str,
    /// Name.
    pub name: &'static str,
    /// For its page.
    pub description: &'static str,
    /// Cents in USD and EUR.
    pub prices: [i64; 2],
    /// The merchant's text in its mail.
    pub standard_text: &'static str,
    /// The second message; empty: none.
    pub other_text: &'static str,
    /// File names and contents.
    pub files: Vec<(&'static str, Vec<u8>)>,
}

/// The products of the demo.
pub fn all() -> Vec<Sample> {
    vec![lathe(), field_notes(), harbor()]
}

fn lathe() -> Sample {
    Sample {
        sku: "LATHE-GOLD-21",
        name: "Lathe 2.1 Gold",
        description: "A small tool that turns rough data into smooth tables.\n\nThe archive holds the script for \
                      Linux, macOS and BSD, its manual, and sample data to try it on.",
        prices: [49_00, 45_00],
        standard_text: "Thank you for buying {product}. Unpack the archive and read README.txt first.",
        other_text: "How to get support for {product}: write to us with your order number {order}, and we answer \
                     within a working day.",
        files: vec![("lathe-2.1.tar", tar(&lathe_files())), ("lathe-2.1-manual.txt", manual())],
    }
}

fn field_notes() -> Sample {
    Sample {
        sku: "FIELD-NOTES",
        name: "Field Notes on Small Machines",
        description: "A short book about programs that fit on one machine and stay there for twenty years.",
        prices: [12_00, 11_00],
        standard_text: "Enjoy reading {product}.",
        other_text: "",
        files: vec![("field-notes.html", book()), ("field-notes.txt", manual())],
    }
}

fn harbor() -> Sample {
    Sample {
        sku: "HARBOR-SOUNDS",
        name: "Harbor: a sound pack",
        description: "Two slow chords in CD quality, free to use in your own recordings.",
        prices: [7_50, 7_00],
        standard_text: "",
        other_text: "",
        files: vec![
            ("harbor-dawn.wav", chord(&[220.0, 277.18, 329.63], 20)),
            ("harbor-dusk.wav", chord(&[196.0, 246.94, 293.66], 12)),
        ],
    }
}

/// Puts a sample's file into the store.
pub fn store(blobs: &dyn BlobStore, name: &str, content: &[u8]) -> Result<StoredFile, StoreError> {
    let digests = stores::put(blobs, content)?;
    Ok(StoredFile {
        name: name.to_owned(),
        sha256: digests.sha256.to_string(),
        size: digests.size,
        crc32: digests.crc32,
        md5: digests.md5_hex(),
    })
}

fn lathe_files() -> Vec<(&'static str, Vec<u8>)> {
    let script = "#!/bin/sh\n# lathe: sorts a CSV file by its first column, keeping the head line.\n\
                  { IFS= read -r head; printf '%s\\n' \"$head\"; sort -t, -k1,1; } < \"${1:?usage: lathe FILE.csv}\"\n";
    let data = "name,price\nplane,30\nchisel,12\nsaw,22\n";
    vec![
        ("lathe-2.1/README.txt", b"Run:  sh lathe.sh sample.csv\n".to_vec()),
        ("lathe-2.1/lathe.sh", script.as_bytes().to_vec()),
        ("lathe-2.1/sample.csv", data.as_bytes().to_vec()),
        ("lathe-2.1/MANUAL.txt", manual()),
    ]
}

fn manual() -> Vec<u8> {
    let chapters = [
        "Keep what you cannot make again.",
        "Write it down before you say that you have it.",
        "What was said twice happened once.",
        "A message that did not come is not a no.",
    ];
    let mut text = String::from("NOTES\n=====\n\n");
    for (number, line) in chapters.iter().cycle().take(400).enumerate() {
        text.push_str(&format!("{:>3}. {line}\n", number + 1));
    }
    text.into_bytes()
}

fn book() -> Vec<u8> {
    let text = String::from_utf8_lossy(&manual()).into_owned();
    format!("<!doctype html><meta charset=utf-8><title>Field Notes</title><pre>{text}</pre>\n").into_bytes()
}

/// A POSIX ustar archive (IEEE Std 1003.1, pax): plain files, fixed times.
fn tar(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, content) in files {
        let mut head = [0u8; 512];
        let mut field = |at: usize, text: &str| {
            if let Some(place) = head.get_mut(at..at + text.len()) {
                place.copy_from_slice(text.as_bytes());
            }
        };
        field(0, name);
        field(100, "0000644\0");
        field(108, "0000000\0");
        field(116, "0000000\0");
        field(124, &format!("{:011o}\0", content.len()));
        field(136, "14000000000\0");
        field(148, "        ");
        field(156, "0");
        field(257, "ustar\u{0}00");
        let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
        if let Some(place) = head.get_mut(148..156) {
            place.copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
        out.extend_from_slice(&head);
        out.extend_from_slice(content);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

/// A 16-bit mono WAV of sines that fade in and out.
fn chord(tones: &[f64], seconds: u32) -> Vec<u8> {
    const RATE: u32 = 44_100;
    let count = RATE * seconds;
    let length = count * 2;
    let mut out = Vec::new();
    out.extend_from_slice(b"RIFF");
    out.extend_from_slice(&(36 + length).to_le_bytes());
    out.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    out.extend_from_slice(&RATE.to_le_bytes());
    out.extend_from_slice(&(RATE * 2).to_le_bytes());
    out.extend_from_slice(b"\x02\0\x10\0data");
    out.extend_from_slice(&length.to_le_bytes());
    for at in 0..count {
        let time = f64::from(at) / f64::from(RATE);
        let fade = (time.min(f64::from(seconds) - time) / 3.0).min(1.0);
        let wave: f64 = tones.iter().map(|tone| (time * tone * std::f64::consts::TAU).sin()).sum();
        #[expect(
            clippy::as_conversions,
            clippy::cast_possible_truncation,
            reason = "below 32,767 by construction"
        )]
        let sample = (wave / 4.0 * fade * 20_000.0) as i16;
        out.extend_from_slice(&sample.to_le_bytes());
    }
    out
}
