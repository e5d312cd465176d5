//! An account in the back office, and what staff can do about it: each act asks first, and leaves
//! a line in the audit log.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use kernel::CustomerId;
use ui::admin::{Act, ConfirmPage, CustomerEditPage, CustomerForm, Errors};

use super::desk_flow::{self, Changes};
use super::staff_view::{find, page};
use crate::app::App;
use crate::problem::{Failure, Flow, Problem};
use crate::sessions::{self, Holder};
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::form::Posted;
use crate::web::staff_visit::{Ids, StaffVisit};

const LIST: &str = "/admin/customers";
/// More browsers than anybody has; the page says how many are signed out.
const SESSIONS_COUNTED_MAX: u32 = 1_000;

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get("/admin/customers/{customer}", Right::Read, show)
        .get("/admin/customers/{customer}/edit", Right::Orders, edit)
        .post("/admin/customers/{customer}/edit", Right::Orders, save)
        .get("/admin/customers/{customer}/sign-out", Right::Orders, ask_sign_out)
        .post("/admin/customers/{customer}/sign-out", Right::Orders, sign_out)
        .get("/admin/customers/{customer}/sign-in-link", Right::Orders, ask_sign_in_link)
        .post("/admin/customers/{customer}/sign-in-link", Right::Orders, send_sign_in_link)
}

#[derive(Debug, serde::Deserialize)]
struct Nothing {}

/// What is written about an account.
#[derive(Debug, Clone, serde::Deserialize)]
struct Typed {
    #[serde(default)]
    name: String,
    #[serde(default)]
    company: String,
    #[serde(default)]
    email: String,
}

/// `GET /admin/customers/{customer}`
async fn show(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<CustomerId>) -> Response {
    let (merchant, now) = (staff.visit.merchant.id, app.now());
    let page = app
        .read(move |snapshot| {
            let customer = find(snapshot, merchant, id)?;
            page(snapshot, &customer, now)
        })
        .await;
    staff.answer(&app, page)
}

/// `GET /admin/customers/{customer}/edit`
async fn edit(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<CustomerId>) -> Response {
    let page = form(&app, &staff, id, None, Errors::new()).await;
    staff.answer(&app, page)
}

async fn form(
    app: &App,
    staff: &StaffVisit,
    id: CustomerId,
    typed: Option<Typed>,
    errors: Errors,
) -> Flow<CustomerEditPage> {
    let merchant = staff.visit.merchant.id;
    let customer = app.read(move |snapshot| find(snapshot, merchant, id)).await?;
    let email_now = customer.email.to_string();
    let form = match typed {
        Some(Typed { name, company, email }) => CustomerForm { name, company, email },
        None => CustomerForm { name: customer.name, company: customer.company, email: email_now.clone() },
    };
    Ok(CustomerEditPage { id, email_now, form, errors })
}

/// `POST /admin/customers/{customer}/edit`
async fn save(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<CustomerId>,
    Posted(typed): Posted<Typed>,
) -> Response {
    let Typed { name, company, email } = typed.clone();
    let changes = Changes { name, company, email };
    match staff.write(&app, move |cx| desk_flow::change(cx, id, &changes)).await {
        Ok(()) => staff.done(&format!("{LIST}/{id}"), "saved"),
        Err(Failure::Problem(problem)) if problem.pointer.is_some() => {
            let errors = Errors::from([(problem.pointer.unwrap_or_default(), problem.detail)]);
            match form(&app, &staff, id, Some(typed), errors).await {
                Ok(page) => staff.show_as(&app, StatusCode::UNPROCESSABLE_ENTITY, &page),
                Err(failure) => staff.refuse(&app, failure),
            }
        }
        Err(failure) => staff.refuse(&app, failure),
    }
}

/// `GET /admin/customers/{customer}/sign-out`
async fn ask_sign_out(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<CustomerId>) -> Response {
    let (merchant, now) = (staff.visit.merchant.id, app.now());
    let page = app
        .read(move |snapshot| {
            let customer = find(snapshot, merchant, id)?;
            let holder = Holder::Customer(id);
            let live = sessions::store::of_holder(snapshot, merchant, holder, now, SESSIONS_COUNTED_MAX)?;
            if live.is_empty() {
                return Err(Problem::conflict("this account is signed in nowhere").into());
            }
            let (action, back) = (format!("{LIST}/{id}/sign-out"), format!("{LIST}/{id}"));
            Ok(ConfirmPage {
                count: u32::try_from(live.len()).unwrap_or(SESSIONS_COUNTED_MAX),
                ..ConfirmPage::new(Act::SignOutCustomer, customer.email.to_string(), action, back)
            })
        })
        .await;
    staff.answer(&app, page)
}

/// `POST /admin/customers/{customer}/sign-out`
async fn sign_out(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<CustomerId>,
    Posted(_): Posted<Nothing>,
) -> Response {
    let done = staff.write(&app, move |cx| desk_flow::sign_out(cx, id)).await;
    staff.after(&app, done, &format!("{LIST}/{id}"), "signed_out")
}

/// `GET /admin/customers/{customer}/sign-in-link`
async fn ask_sign_in_link(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<CustomerId>) -> Response {
    let merchant = staff.visit.merchant.id;
    let page = app
        .read(move |snapshot| {
            let customer = find(snapshot, merchant, id)?;
            let (action, back) = (format!("{LIST}/{id}/sign-in-link"), format!("{LIST}/{id}"));
            let email = customer.email.to_string();
            Ok(ConfirmPage { email: email.clone(), ..ConfirmPage::new(Act::SignInLink, email, action, back) })
        })
        .await;
    staff.answer(&app, page)
}

/// `POST /admin/customers/{customer}/sign-in-link`
async fn send_sign_in_link(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<CustomerId>,
    Posted(_): Posted<Nothing>,
) -> Response {
    let done = staff.write(&app, move |cx| desk_flow::send_sign_in_link(cx, id)).await;
    staff.after(&app, done, &format!("{LIST}/{id}"), "sign_in_link_sent")
}
