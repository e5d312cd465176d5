//! "Whose file is this?" in the back office: a file that leaked is looked into, and nothing of it is kept.

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use stamp::{Found, Mark};
use ui::admin::{CopyOf, Errors, FoundCopy, StampLookup, StampLookupPage};

use super::flow::{self, Answer};
use crate::app::App;
use crate::problem::{Code, Failure, Flow, Problem};
use crate::products::upload::Pieces as _;
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::files::PostedFiles;
use crate::web::form::Posted;
use crate::web::staff_visit::StaffVisit;

/// The largest file that is taken in here; the verb of the shell takes larger ones.
const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get("/admin/stamps", Right::Orders, show).upload("/admin/stamps", Right::Orders, look).post(
        "/admin/stamps/code",
        Right::Orders,
        look_up,
    )
}

fn page(code: &str, looked: Option<StampLookup>, errors: Errors) -> StampLookupPage {
    let upload_bytes_max = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX);
    StampLookupPage { code: code.to_owned(), upload_bytes_max, looked, errors }
}

/// `GET /admin/stamps`
async fn show(State(app): State<App>, staff: StaffVisit) -> Response {
    staff.show(&app, &page("", None, Errors::new()))
}

/// `POST /admin/stamps`
async fn look(State(app): State<App>, staff: StaffVisit, mut form: PostedFiles) -> Response {
    let merchant = staff.visit.merchant.id;
    let looked = async {
        let (name, file) = receive(&mut form).await?;
        let copies = flow::look(&app, merchant, file).await?;
        Ok(StampLookup { of: name, copies: copies.into_iter().map(found).collect() })
    };
    answer(&app, &staff, "", looked.await)
}

/// Takes in the form's file, into memory.
async fn receive(form: &mut PostedFiles) -> Result<(String, Bytes), Problem> {
    let Some(mut file) = form.next().await? else {
        return Err(Problem::invalid("file", "choose a file first"));
    };
    let broke_off = |why: String| Problem::new(Code::Malformed, format!("the upload broke off: {why}"));
    let mut content = Vec::new();
    while let Some(piece) = file.next().await.map_err(broke_off)? {
        content.extend_from_slice(&piece);
        if content.len() > FILE_BYTES_MAX {
            let text = "the file is larger than 64 MiB; handsel stamp lookup looks into larger ones";
            return Err(Problem::new(Code::TooLarge, text).at("file"));
        }
    }
    Ok((file.name.clone(), Bytes::from(content)))
}

#[derive(Debug, serde::Deserialize)]
struct Typed {
    code: String,
}

/// `POST /admin/stamps/code`
async fn look_up(State(app): State<App>, staff: StaffVisit, Posted(typed): Posted<Typed>) -> Response {
    let merchant = staff.visit.merchant.id;
    let code = typed.code.clone();
    let looked = async {
        let mark: Mark = code.parse().map_err(|error| Problem::invalid("code", format!("{error}")))?;
        let found = [Found { mark, places: Vec::new() }];
        let copies = app.read(move |snapshot| flow::whose(snapshot, merchant, &found)).await?;
        Ok(StampLookup { of: mark.to_string(), copies: copies.into_iter().map(self::found).collect() })
    };
    answer(&app, &staff, &typed.code, looked.await)
}

/// What was found, or the form once more with what is wrong.
fn answer(app: &App, staff: &StaffVisit, code: &str, looked: Flow<StampLookup>) -> Response {
    match looked {
        Ok(looked) => staff.show(app, &page(code, Some(looked), Errors::new())),
        Err(Failure::Problem(problem)) if problem.pointer.is_some() => {
            let field = problem.pointer.clone().unwrap_or_default();
            let errors = Errors::from([(field, crate::products::form::sentence(&problem.detail))]);
            let status =
                StatusCode::from_u16(problem.code.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
            staff.show_as(app, status, &page(code, None, errors))
        }
        Err(failure) => staff.refuse(app, failure),
    }
}

fn found(answer: Answer) -> FoundCopy {
    let place = |place: &stamp::Place| {
        let word = serde_json::to_value(place).ok();
        word.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
    };
    FoundCopy {
        code: answer.mark.to_string(),
        places: answer.places.iter().map(place).collect(),
        copy: answer.known.map(|known| CopyOf {
            order: known.copy.order,
            customer: known.customer,
            name: known.name,
            email: known.email,
            product: known.product,
            file: known.file,
            unit_no: known.copy.unit_no,
            made_at: known.copy.made_at,
        }),
    }
}
