//! A product's stream, in the back office.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use kernel::{ProductId, Secret};
use ui::admin::{Errors, StreamForm, StreamSettingsPage};

use super::{Shown, Signing, Terms, desk_flow, store};
use crate::app::App;
use crate::problem::{Failure, Flow, Problem};
use crate::products::form::sentence;
use crate::products::staff_view::find;
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::form::Posted;
use crate::web::staff_visit::{Ids, StaffVisit};

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get("/admin/products/{product}/stream", Right::Products, show)
        .post("/admin/products/{product}/stream", Right::Products, save)
        .post("/admin/products/{product}/stream/secret", Right::Products, renew)
}

fn path(id: ProductId) -> String {
    format!("/admin/products/{id}/stream")
}

async fn page(
    app: &App,
    staff: &StaffVisit,
    id: ProductId,
    typed: Option<StreamForm>,
    (secret, errors): (Option<Secret<String>>, Errors),
) -> Flow<StreamSettingsPage> {
    let merchant = staff.visit.merchant.id;
    app.read(move |snapshot| {
        let product = find(snapshot, merchant, id)?;
        Ok(StreamSettingsPage {
            product: id,
            product_name: product.name,
            version: product.version,
            form: typed.clone().unwrap_or_else(|| kept(product.deliverables.stream.as_ref())),
            secret: secret.as_ref().map(|secret| secret.expose().clone()),
            has_secret: store::secret(snapshot, merchant, id)?.is_some(),
            errors: errors.clone(),
        })
    })
    .await
}

fn kept(terms: Option<&Terms>) -> StreamForm {
    let Some(terms) = terms else {
        return StreamForm { shown: "none".to_owned(), ..StreamForm::default() };
    };
    StreamForm {
        shown: terms.shown.to_string(),
        title: terms.title.clone(),
        url: terms.url.clone(),
        text: terms.text.clone(),
        signed: terms.signing == Signing::Signed,
    }
}

/// `GET /admin/products/{product}/stream`
async fn show(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<ProductId>) -> Response {
    let page = page(&app, &staff, id, None, (None, Errors::new())).await;
    staff.answer(&app, page)
}

#[derive(Debug, Clone, serde::Deserialize)]
struct Typed {
    #[serde(default)]
    version: i64,
    #[serde(default)]
    shown: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    signed: String,
}

impl Typed {
    fn read(&self) -> Result<Option<Terms>, Problem> {
        if self.shown == "none" {
            return Ok(None);
        }
        let shown: Shown = self.shown.parse().map_err(|_| Problem::invalid("shown", "choose one"))?;
        let signing = if self.signed.is_empty() { Signing::Plain } else { Signing::Signed };
        let (title, url, text) = (self.title.clone(), self.url.clone(), self.text.clone());
        Terms { title, shown, url, text, signing }.checked().map(Some)
    }

    fn form(&self) -> StreamForm {
        StreamForm {
            shown: self.shown.clone(),
            title: self.title.clone(),
            url: self.url.clone(),
            text: self.text.clone(),
            signed: !self.signed.is_empty(),
        }
    }
}

/// `POST /admin/products/{product}/stream`
async fn save(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<ProductId>,
    Posted(typed): Posted<Typed>,
) -> Response {
    let (read, version) = (typed.read(), typed.version);
    let off = matches!(read, Ok(None));
    let saved = match read {
        Err(problem) => Err(problem.into()),
        Ok(terms) => staff.write(&app, move |cx| desk_flow::change(cx, id, version, terms.as_ref())).await,
    };
    match saved {
        Ok(None) => staff.done(&path(id), if off { "delivery_off" } else { "delivery_saved" }),
        Ok(secret) => told(&app, &staff, id, secret).await,
        Err(Failure::Problem(Problem { pointer: Some(field), detail, .. })) => {
            let errors = Errors::from([(field, sentence(&detail))]);
            match page(&app, &staff, id, Some(typed.form()), (None, errors)).await {
                Ok(page) => staff.show_as(&app, StatusCode::UNPROCESSABLE_ENTITY, &page),
                Err(failure) => staff.refuse(&app, failure),
            }
        }
        Err(failure) => staff.refuse(&app, failure),
    }
}

/// The page with a secret that has just been made.
async fn told(app: &App, staff: &StaffVisit, id: ProductId, secret: Option<Secret<String>>) -> Response {
    let page = page(app, staff, id, None, (secret, Errors::new())).await;
    staff.answer(app, page)
}

#[derive(Debug, serde::Deserialize)]
struct Nothing {}

/// `POST /admin/products/{product}/stream/secret`
async fn renew(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<ProductId>,
    Posted(_): Posted<Nothing>,
) -> Response {
    match staff.write(&app, move |cx| desk_flow::new_secret(cx, id)).await {
        Ok(secret) => told(&app, &staff, id, Some(secret)).await,
        Err(failure) => staff.refuse(&app, failure),
    }
}
