//! Lists as files: streamed in pages, and safe to open in a spreadsheet.
//!
//! A cell that begins like a formula is a program to a spreadsheet, and buyers choose their own
//! names; such cells get an apostrophe in front (the attack is called CSV injection).

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderValue, header};
use http_body::Frame;
use net::headers::attachment;
use tokio::sync::mpsc;

use crate::paging::{Mark, Place, Slice};
use crate::problem::Flow;

/// Rows read at once.
pub const ROWS_AT_ONCE: u32 = 500;
/// Most rows of one file: spreadsheets hold no more.
const ROWS_MAX: u32 = 1_000_000;
/// Pages that are read ahead of a slow client.
const PAGES_AHEAD: usize = 2;

/// Spreadsheets take a file without it for Latin-1.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A row of cells.
pub type Cells = Vec<String>;

/// A line with its end, as RFC 4180 has it.
pub fn line(cells: &[String]) -> String {
    let mut text = cells.iter().map(|text| cell(text)).collect::<Vec<_>>().join(",");
    text.push_str("\r\n");
    text
}

fn cell(text: &str) -> String {
    let text: String = text.chars().filter(|letter| *letter != '\0').collect();
    let safe = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text };
    if safe.contains(['"', ',', '\r', '\n', ';', '\t']) || safe.starts_with([' ', '\'']) {
        format!("\"{}\"", safe.replace('"', "\"\""))
    } else {
        safe
    }
}

/// Answers with a file whose rows are read page by page while the client takes them.
///
/// `page` gets the place to go on from. A failure in the middle breaks the download off: half a
/// list must not look like a whole one.
pub fn stream<F, Fut>(name: &str, head: &[&str], mut page: F) -> Response
where
    F: FnMut(Place) -> Fut + Send + 'static,
    Fut: Future<Output = Flow<Slice<Cells>>> + Send,
{
    let head: Cells = head.iter().map(|text| (*text).to_owned()).collect();
    let (sender, receiver) = mpsc::channel::<Result<Bytes, std::io::Error>>(PAGES_AHEAD);
    tokio::spawn(async move {
        let mut text = format!("{BYTE_ORDER_MARK}{}", line(&head));
        let (mut place, mut rows) = (Place::Start, 0u32);
        loop {
            let slice = match page(place).await {
                Ok(slice) => slice,
                Err(failure) => {
                    tracing::error!(%failure, "an export broke off");
                    let _ = sender.send(Err(std::io::Error::other("the list cannot be read on"))).await;
                    return;
                }
            };
            slice.rows.iter().for_each(|row| text.push_str(&line(row)));
            rows = rows.saturating_add(u32::try_from(slice.rows.len()).unwrap_or(ROWS_MAX));
            if sender.send(Ok(Bytes::from(std::mem::take(&mut text)))).await.is_err() {
                return;
            }
            match next(slice.after, rows) {
                Some(after) => place = after,
                None => return,
            }
        }
    });
    let mut response = Body::new(Streamed(receiver)).into_response();
    let kind = HeaderValue::from_static("text/csv; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response.headers_mut().insert(header::CONTENT_DISPOSITION, attachment(name));
    response
}

fn next(after: Option<Mark>, rows: u32) -> Option<Place> {
    after.filter(|_| rows < ROWS_MAX).map(Place::After)
}

struct Streamed(mpsc::Receiver<Result<Bytes, std::io::Error>>);

impl http_body::Body for Streamed {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|bytes| bytes.map(Frame::data)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_formula_is_only_text() {
        let cells = ["=1+1", "+49 30 1", "-5", "@SUM(A1)", "\tx", "\rx", "'x", "plain"].map(str::to_owned);
        assert_eq!(
            line(&cells),
            "\"'=1+1\",\"'+49 30 1\",\"'-5\",\"'@SUM(A1)\",\"'\tx\",\"'\rx\",\"'x\",plain\r\n"
        );
    }

    #[test]
    fn quotes_separators_and_line_ends_stay_inside_their_cell() {
        let cells = ["a,b", "say \"hi\"", "two\r\nlines", "", "x;y"].map(str::to_owned);
        assert_eq!(line(&cells), "\"a,b\",\"say \"\"hi\"\"\",\"two\r\nlines\",,\"x;y\"\r\n");
    }
}
