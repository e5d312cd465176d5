//! Filling a design in: the form, its pictures, and its preview.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{HeaderValue, StatusCode, header};
use net::limit::Key;
use render::PictureError;
use render::limits::PICTURE_BYTES_MAX;

use super::form::{self, FIELD, Posted, Taken};
use super::studio::{self, For, PATIENCE, Stage, TakeError};
use super::view::{self, Errors};
use super::{Filled, INPUT, KeptPicture, Terms, flow};
use crate::app::App;
use crate::carts::Put;
use crate::carts::pages::{Asked, keep_answers, put_answers};
use crate::cx::Actor;
use crate::problem::{Code, Failure, Flow, Problem};
use crate::products::pages::{Offer, Shown, find, show_shown};
use crate::products::upload::Pieces as _;
use crate::web::files::{Arriving, BuyersFiles};
use crate::web::limits;
use crate::web::reply::{Refusal, say, see_other};
use crate::web::visit::Visit;

/// Most pictures of one form.
const PICTURES_MAX: usize = 8;
/// A preview's address names everything in it, so the same address is the same picture.
const FOR_A_WHILE: HeaderValue = HeaderValue::from_static("private, max-age=600");

/// The routes of this noun.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/artwork", post(fill_in))
        .route("/artwork/pictures", post(upload))
        .route("/artwork/preview", get(preview))
}

/// A product on sale that has artwork.
pub fn find_drawn(app: &App, visit: &Visit, sku: &str) -> Flow<(Offer, Terms)> {
    let (merchant, sku) = (visit.merchant.id, sku.to_owned());
    let offer = app.read_now(move |snapshot| find(snapshot, merchant, &sku))?;
    let drawn = offer.and_then(|offer| Some((offer.product.deliverables.artwork.clone()?, offer)));
    let (terms, offer) = drawn.ok_or_else(|| Problem::not_found("product for sale"))?;
    Ok((offer, terms))
}

/// `POST /artwork`: what was filled in, to be looked at or to be bought.
async fn fill_in(State(app): State<App>, visit: Visit, BuyersFiles(mut files): BuyersFiles) -> Response {
    let taken = take(&app, &visit, &mut files, PICTURES_MAX).await;
    let posted = files.into_fields();
    let read = async {
        let taken = taken?;
        let sku = posted.get("sku").map_or("", String::as_str);
        let (offer, terms) = find_drawn(&app, &visit, sku)?;
        let filled = read(&app, &visit, &terms, &posted, &taken)?;
        Ok::<_, Failure>((offer, terms, filled, taken))
    };
    match read.await {
        Ok((offer, terms, filled, taken)) => act(&app, &visit, (offer, terms), (posted, filled, taken)).await,
        Err(failure) => Refusal::from_failure(&app, &visit, failure),
    }
}

fn read(app: &App, visit: &Visit, terms: &Terms, posted: &Posted, taken: &Taken) -> Flow<Filled> {
    let (merchant, terms, posted, taken) = (visit.merchant.id, terms.clone(), posted.clone(), taken.clone());
    app.read_now(move |snapshot| form::read(snapshot, merchant, &terms, &posted, &taken))
}

async fn act(
    app: &App,
    visit: &Visit,
    (offer, terms): (Offer, Terms),
    (posted, filled, taken): (Posted, Filled, Taken),
) -> Response {
    let wanted = posted.get("act").map_or("preview", String::as_str);
    let stage = if wanted == "preview" { Stage::Draft } else { Stage::Final };
    let mut errors = match judge(app, visit, &terms, &filled, stage).await {
        Ok(errors) => errors,
        Err(problem) => return Refusal::page(app, visit, &problem),
    };
    for (name, error) in taken.iter().filter_map(|(name, taken)| Some((name, taken.as_ref().err()?))) {
        errors.insert(format!("{FIELD}{name}"), view::told_picture(app, visit, error));
    }
    let asked = Asked::of(&posted);
    let shown = Shown { errors, filled: filled.clone(), asked: asked.clone() };
    if !shown.errors.is_empty() {
        return show_shown(app, visit, &offer, shown, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let mut answers = match offer.product.deliverables.read_choices(&posted) {
        Ok(answers) => answers,
        // Who only looks has not chosen yet.
        Err(_) if stage == Stage::Draft => choices_of_nobody(),
        Err(fields) => {
            let sentence = say(app, visit, "said.choose", &[]);
            let errors = fields.into_iter().map(|field| (field, sentence.clone())).collect();
            let shown = Shown { errors, ..shown };
            return show_shown(app, visit, &offer, shown, StatusCode::UNPROCESSABLE_ENTITY);
        }
    };
    answers.inputs.insert(INPUT.to_owned(), filled.to_value());
    match wanted {
        "buy" => put_answers(app, visit, &offer, (&asked, answers), Put::Set).await,
        "add" => put_answers(app, visit, &offer, (&asked, answers), Put::Add).await,
        _ => match keep_answers(app, visit, &offer, answers).await {
            Ok(Some(choice)) => {
                let page = crate::products::path(&offer.product);
                see_other(&visit.url(&format!("{page}?design={choice}#artwork-preview")))
            }
            Ok(None) => see_other(&visit.url(&crate::products::path(&offer.product))),
            Err(failure) => Refusal::from_failure(app, visit, failure),
        },
    }
}

fn choices_of_nobody() -> crate::choices::Answers {
    crate::choices::Answers::default()
}

/// What is wrong with what was filled in, if it were printed.
async fn judge(
    app: &App,
    visit: &Visit,
    terms: &Terms,
    filled: &Filled,
    stage: Stage,
) -> Result<Errors, Problem> {
    limits::take(app, &limits::PREVIEW, Key::address(visit.address))?;
    let (terms, filled) = (terms.clone(), filled.clone());
    let judged = studio::work(app, For::Looking, move |app, _| studio::fill(app, &terms, &filled, stage));
    match judged.await?? {
        Ok(_) => Ok(Errors::new()),
        Err(wrong) => Ok(view::errors(app, visit, &wrong)),
    }
}

/// Takes in the pictures of a form, each as soon as it has come: only one is in memory.
async fn take(
    app: &App,
    visit: &Visit,
    files: &mut crate::web::files::PostedFiles,
    most: usize,
) -> Flow<Taken> {
    let mut taken = Taken::new();
    while let Some(file) = files.next().await? {
        let Some(name) = file.form_field.strip_prefix(FIELD).map(str::to_owned) else { continue };
        if taken.len() >= most {
            let text = format!("a form brings at most {most} pictures here");
            return Err(Problem::new(Code::TooLarge, text).into());
        }
        limits::take(app, &limits::PICTURE, Key::address(visit.address))?;
        let picture = take_one(app, visit, file).await?;
        taken.insert(name, picture);
    }
    Ok(taken)
}

async fn take_one(app: &App, visit: &Visit, mut file: Arriving) -> Flow<Result<KeptPicture, PictureError>> {
    let place = app.studio().upload().map_err(Problem::from)?;
    let mut bytes = Vec::new();
    loop {
        // Who sends so slowly that others have no place is not waited for.
        let piece = tokio::time::timeout(PATIENCE, file.next()).await;
        let piece = piece.map_err(|_| Problem::new(Code::Malformed, "the picture did not come in time"))?;
        let Some(piece) = piece.map_err(|why| Problem::new(Code::Malformed, why))? else { break };
        if bytes.len().saturating_add(piece.len()) > PICTURE_BYTES_MAX {
            return Ok(Err(PictureError::Bytes));
        }
        bytes.extend_from_slice(&piece);
    }
    let taken = studio::work(app, For::Looking, move |app, _| studio::take_picture(app, &bytes));
    let taken = taken.await.map_err(Problem::from)?;
    drop(place);
    let (kept, stored) = match taken {
        Ok(taken) => taken,
        Err(TakeError::Picture(error)) => return Ok(Err(error)),
        Err(TakeError::Store(error)) => {
            tracing::error!(%error, "a buyer's picture could not be stored");
            let text = "this picture cannot be stored at the moment; try again in a minute";
            return Err(Problem::new(Code::Unavailable, text).into());
        }
    };
    let row = kept.clone();
    let kept_row =
        app.write(visit.merchant.id, Actor::Visitor, move |cx| flow::keep_picture(cx, &row, &stored));
    kept_row.await?;
    Ok(Ok(kept))
}

/// `POST /artwork/pictures`: a picture by our script, which keeps it while the rest is typed.
async fn upload(State(app): State<App>, visit: Visit, BuyersFiles(mut files): BuyersFiles) -> Response {
    let taken = match take(&app, &visit, &mut files, 1).await {
        Ok(taken) => taken,
        Err(failure) => return refused(&failure.into_problem()),
    };
    match taken.into_values().next() {
        Some(Ok(kept)) => {
            let (width, height) = (kept.width.to_string(), kept.height.to_string());
            let note = say(&app, &visit, "artwork.kept", &[("width", &width), ("height", &height)]);
            Json(serde_json::json!({ "kept": kept.picture, "note": note })).into_response()
        }
        Some(Err(error)) => {
            let told = view::told_picture(&app, &visit, &error);
            (StatusCode::UNPROCESSABLE_ENTITY, Json(serde_json::json!({ "error": told }))).into_response()
        }
        None => refused(&Problem::new(Code::Malformed, "there is no picture in this form")),
    }
}

fn refused(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Json(serde_json::json!({ "error": problem.detail }))).into_response();
    crate::web::reply::retry_after(&mut response, problem);
    response
}

/// `GET /artwork/preview?sku=…`: what is filled in, small; what is wrong with it, as JSON.
async fn preview(
    State(app): State<App>,
    visit: Visit,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Response {
    match previewed(&app, &visit, &asked).await {
        Ok(Ok(png)) => picture(png),
        Ok(Err(errors)) => {
            let body = Json(serde_json::json!({ "errors": errors }));
            (StatusCode::UNPROCESSABLE_ENTITY, body).into_response()
        }
        Err(failure) => refused(&failure.into_problem()),
    }
}

/// A preview on its way.
pub fn picture(png: Vec<u8>) -> Response {
    let kind = HeaderValue::from_static("image/png");
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, FOR_A_WHILE)], png).into_response()
}

async fn previewed(app: &App, visit: &Visit, asked: &Posted) -> Flow<Result<Vec<u8>, Errors>> {
    limits::take(app, &limits::PREVIEW, Key::address(visit.address))?;
    let (_, terms) = find_drawn(app, visit, asked.get("sku").map_or("", String::as_str))?;
    let filled = read(app, visit, &terms, asked, &Taken::new())?;
    let mark = view::mark(app, visit, &terms);
    let drawn =
        studio::work(app, For::Looking, move |app, _| studio::preview(app, &terms, &filled, mark.as_deref()));
    match drawn.await.map_err(Problem::from)?.map_err(Problem::from)? {
        Ok(png) => Ok(Ok(png)),
        Err(wrong) => Ok(Err(view::errors(app, visit, &wrong))),
    }
}
