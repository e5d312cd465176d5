//! Stamps as other programs see them: qpdf, poppler, MuPDF, Ghostscript, epubcheck, Python's zipfile.

#![allow(clippy::unwrap_used)]

mod books;
mod hostile;
mod pages;
mod properties;
mod readers;
mod survival;
mod tools;
