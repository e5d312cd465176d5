//! Forms with files, read part by part while they arrive.
//!
//! Nothing of a file is kept in memory here, however large it is. A form's small fields come
//! before its files, the token first of all: before it has been seen, no byte of a file is taken.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body::{Frame, SizeHint};
use multer::{Field, Multipart};
use subtle::ConstantTimeEq as _;

use super::staff_visit::StaffVisit;
use super::visit::Visit;
use crate::app::App;
use crate::problem::{Code, Problem};
use crate::products::upload::Pieces;

/// Largest small field: tokens and ids.
const FIELD_BYTES_MAX: usize = 4 * 1024;
/// Most parts of one form, files and fields together.
const PARTS_MAX: usize = 1_000;

/// A form of the back office with files, on its way in.
#[derive(Debug)]
pub struct PostedFiles {
    form: Multipart<'static>,
    announced: Option<u64>,
    token: String,
    genuine: bool,
    fields: BTreeMap<String, String>,
    parts: usize,
}

/// A file of a form, on its way in.
#[derive(Debug)]
pub struct Arriving {
    /// As the browser names it, without folders.
    pub name: String,
    /// The form's field that it stands in.
    pub form_field: String,
    field: Field<'static>,
}

impl FromRequest<App> for PostedFiles {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let Some(staff) = request.extensions().get::<StaffVisit>().cloned() else {
            let problem = Problem::new(Code::Internal, "this route has no gate");
            return Err(super::reply::Refusal::plain(&problem));
        };
        let announced = length(request.headers());
        let form = read(request).map_err(|problem| staff.refuse(app, problem))?;
        let token = staff.visit.csrf(app);
        Ok(Self { form, announced, token, genuine: false, fields: BTreeMap::new(), parts: 0 })
    }
}

/// A form of the shop with files, on its way in.
#[derive(Debug)]
pub struct BuyersFiles(pub PostedFiles);

impl FromRequest<App> for BuyersFiles {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let Some(visit) = request.extensions().get::<Visit>().cloned() else {
            let problem = Problem::new(Code::Internal, "this route has no visit");
            return Err(super::reply::Refusal::plain(&problem));
        };
        let announced = length(request.headers());
        let form = read(request).map_err(|problem| super::reply::Refusal::page(app, &visit, &problem))?;
        let token = visit.csrf(app);
        Ok(Self(PostedFiles { form, announced, token, genuine: false, fields: BTreeMap::new(), parts: 0 }))
    }
}

fn read(request: Request) -> Result<Multipart<'static>, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let boundary = multer::parse_boundary(kind.unwrap_or_default()).map_err(|error| {
        Problem::new(Code::UnsupportedMediaType, format!("this is no form with files: {error}"))
    })?;
    let body = Body::new(Gently { body: request.into_body(), resting: false, broken: None });
    Ok(Multipart::new(body.into_data_stream(), boundary))
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

impl PostedFiles {
    /// How many bytes the browser promises, all files and what is around them.
    pub const fn announced(&self) -> Option<u64> {
        self.announced
    }

    /// A small field that has come in.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// All small fields that have come in.
    pub fn into_fields(self) -> BTreeMap<String, String> {
        self.fields
    }

    /// The next file. A file field in which nothing was chosen is none.
    ///
    /// # Errors
    /// [`Code::Forbidden`] when the form does not come from a page of ours; [`Code::Malformed`] when
    /// it breaks off or cannot be read.
    pub async fn next(&mut self) -> Result<Option<Arriving>, Problem> {
        while let Some(field) = self.form.next_field().await.map_err(|error| unreadable(&error))? {
            self.parts += 1;
            if self.parts > PARTS_MAX {
                return Err(Problem::new(Code::TooLarge, format!("a form has at most {PARTS_MAX} parts")));
            }
            let name = field.name().unwrap_or_default().to_owned();
            match field.file_name().map(base_name) {
                None => {
                    let value = small(field).await?;
                    self.keep(name, value);
                }
                Some(_) if !self.genuine => return Err(out_of_date()),
                Some(file) if file.is_empty() => {}
                Some(file) => return Ok(Some(Arriving { name: file, form_field: name, field })),
            }
        }
        if self.genuine { Ok(None) } else { Err(out_of_date()) }
    }

    fn keep(&mut self, name: String, value: String) {
        if name == "_csrf" {
            self.genuine = bool::from(value.as_bytes().ct_eq(self.token.as_bytes()));
        } else {
            self.fields.insert(name, value);
        }
    }
}

/// Some browsers send the folder along, in the manner of their system.
fn base_name(name: &str) -> String {
    name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned()
}

async fn small(mut field: Field<'static>) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(|error| unreadable(&error))? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > FIELD_BYTES_MAX {
            return Err(Problem::new(Code::TooLarge, "a field of the form is too large"));
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn unreadable(error: &multer::Error) -> Problem {
    Problem::new(Code::Malformed, format!("the upload broke off: {error}"))
}

fn out_of_date() -> Problem {
    let text = "this form is out of date; go back, load the page again, and send it once more";
    Problem::new(Code::Forbidden, text)
}

impl Pieces for Arriving {
    async fn next(&mut self) -> Result<Option<Bytes>, String> {
        self.field.chunk().await.map_err(|error| error.to_string())
    }
}

/// A body that gives one piece at a time.
///
/// The reader of forms takes whatever is there before it hands anything on: from a sender that is
/// faster than the disk, that would be the whole file.
struct Gently {
    body: Body,
    resting: bool,
    /// Why the body broke off. Told one turn later, or the reader would drop what it holds already.
    broken: Option<axum::Error>,
}

impl http_body::Body for Gently {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if std::mem::take(&mut self.resting) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(error) = self.broken.take() {
            return Poll::Ready(Some(Err(error)));
        }
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Err(error))) => {
                self.broken = Some(error);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            polled => {
                self.resting = matches!(polled, Poll::Ready(Some(Ok(_))));
                polled
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.broken.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const BOUNDARY: &str = "----------------------------frontier";
    const PIECE: usize = 64 * 1024;

    /// A sender that is always faster than we are. Counts the pieces that were taken from it.
    struct Fast {
        left: usize,
        taken: Arc<AtomicUsize>,
    }

    impl http_body::Body for Fast {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            let head = "Content-Disposition: form-data; name=\"file\"; filename=\"C:\\fakepath\\big.bin\"";
            let piece = match self.taken.fetch_add(1, Ordering::SeqCst) {
                0 => format!("--{BOUNDARY}\r\n{head}\r\n\r\n").into_bytes(),
                _ if self.left == 0 => return Poll::Ready(None),
                _ => vec![1; PIECE],
            };
            self.left = self.left.saturating_sub(1);
            Poll::Ready(Some(Ok(Frame::data(Bytes::from(piece)))))
        }
    }

    #[tokio::test]
    async fn a_fast_sender_is_read_no_further_than_what_was_handed_on() {
        let taken = Arc::new(AtomicUsize::new(0));
        let request = Request::post("/")
            .header(header::CONTENT_TYPE, format!("multipart/form-data; boundary={BOUNDARY}"))
            .body(Body::new(Fast { left: 200, taken: taken.clone() }))
            .unwrap();
        let mut form = read(request).unwrap();
        let mut field = form.next_field().await.unwrap().unwrap();
        assert_eq!(base_name(field.file_name().unwrap()), "big.bin");
        for handed_on in 1..100usize {
            field.chunk().await.unwrap().unwrap();
            assert!(taken.load(Ordering::SeqCst) <= handed_on + 2, "piece {handed_on}");
        }
    }
}
