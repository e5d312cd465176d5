//! People: who may sign in, with what role; inviting them and locking them out.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use kernel::{EmailAddress, StaffId};
use ui::admin::{
    Act, ConfirmPage, Errors, InvitationForm, InvitedPage, StaffPage, StaffRow, StaffState, Word,
};

use super::{Right, Role, Staff, flow};
use crate::app::App;
use crate::problem::{Failure, Flow, Problem};
use crate::sessions::NewLink;
use crate::web::desk::Desk;
use crate::web::form::Posted;
use crate::web::staff_visit::{Ids, StaffVisit};

const PEOPLE: &str = "/admin/staff";

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get(PEOPLE, Right::Staff, show)
        .post(PEOPLE, Right::Staff, invite)
        .post("/admin/staff/{staff}/invite", Right::Staff, invite_again)
        .post("/admin/staff/{staff}/role", Right::Staff, set_role)
        .get("/admin/staff/{staff}/disable", Right::Staff, confirm_disable)
        .post("/admin/staff/{staff}/disable", Right::Staff, disable)
        .post("/admin/staff/{staff}/enable", Right::Staff, enable)
}

#[derive(Debug, serde::Deserialize)]
struct Invitation {
    email: String,
    #[serde(default)]
    name: String,
    role: Role,
}

#[derive(Debug, serde::Deserialize)]
struct RoleForm {
    role: Role,
}

#[derive(Debug, serde::Deserialize)]
struct Nothing {}

/// The page's word for a role.
pub fn role_word(role: Role) -> ui::admin::Role {
    ui::admin::Role::parse(role.as_str()).unwrap_or(ui::admin::Role::ReadOnly)
}

/// `GET /admin/staff`
async fn show(State(app): State<App>, staff: StaffVisit) -> Response {
    let empty = InvitationForm { email: String::new(), name: String::new(), role: ui::admin::Role::Support };
    people(&app, &staff, StatusCode::OK, empty, Errors::new()).await
}

async fn people(
    app: &App,
    staff: &StaffVisit,
    status: StatusCode,
    invitation: InvitationForm,
    errors: Errors,
) -> Response {
    let (merchant, me) = (staff.visit.merchant.id, staff.staff.id);
    let read = app.read(move |snapshot| Ok(flow::people(snapshot, merchant)?)).await;
    let people = match read {
        Ok(people) => people,
        Err(failure) => return staff.refuse(app, failure),
    };
    let people = people.into_iter().map(|(person, last_seen_at)| row(&person, last_seen_at, me)).collect();
    let page = StaffPage { people, invitation, roles: ui::admin::Role::choices(), errors };
    staff.show_as(app, status, &page)
}

fn row(person: &Staff, last_seen_at: Option<kernel::Timestamp>, me: StaffId) -> StaffRow {
    let state = match (person.disabled_at, &person.password_hash) {
        (Some(_), _) => StaffState::Disabled,
        (None, None) => StaffState::Invited,
        (None, Some(_)) => StaffState::Active,
    };
    StaffRow {
        id: person.id,
        name: person.name.clone(),
        email: person.email.to_string(),
        role: role_word(person.role),
        state,
        has_totp: person.has_totp(),
        last_seen_at,
        is_me: person.id == me,
    }
}

/// `POST /admin/staff`
async fn invite(State(app): State<App>, staff: StaffVisit, Posted(form): Posted<Invitation>) -> Response {
    let (name, role) = (form.name.clone(), form.role);
    let invited: Flow<(Staff, NewLink)> = async {
        let email = EmailAddress::parse(&form.email).map_err(|error| Problem::invalid("email", error))?;
        staff.write(&app, move |cx| flow::invite(cx, &email, &name, role)).await
    }
    .await;
    match invited {
        Ok((person, link)) => invited_page(&app, &staff, &person, &link),
        Err(Failure::Problem(problem)) if problem.pointer.is_some() => {
            let typed = InvitationForm { email: form.email, name: form.name, role: role_word(form.role) };
            let errors = Errors::from([(problem.pointer.unwrap_or_default(), problem.detail)]);
            people(&app, &staff, StatusCode::UNPROCESSABLE_ENTITY, typed, errors).await
        }
        Err(failure) => staff.refuse(&app, failure),
    }
}

/// The link is shown this once: it is not stored, so a reload cannot show it again.
fn invited_page(app: &App, staff: &StaffVisit, person: &Staff, link: &NewLink) -> Response {
    let path = format!("/admin/welcome/{}", link.token.expose());
    let page = InvitedPage {
        email: person.email.to_string(),
        link_url: staff.visit.absolute(app, &path),
        expires_at: link.link.expires_at,
    };
    staff.show(app, &page)
}

/// `POST /admin/staff/{staff}/invite`
async fn invite_again(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<StaffId>,
    Posted(_): Posted<Nothing>,
) -> Response {
    match staff.write(&app, move |cx| flow::invite_again(cx, id)).await {
        Ok((person, link)) => invited_page(&app, &staff, &person, &link),
        Err(failure) => staff.refuse(&app, failure),
    }
}

/// `POST /admin/staff/{staff}/role`
async fn set_role(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<StaffId>,
    Posted(form): Posted<RoleForm>,
) -> Response {
    let me = staff.staff.id;
    let done = staff.write(&app, move |cx| flow::set_role(cx, me, id, form.role)).await;
    staff.after(&app, done, PEOPLE, "saved")
}

/// `GET /admin/staff/{staff}/disable`
async fn confirm_disable(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<StaffId>) -> Response {
    let merchant = staff.visit.merchant.id;
    let page = app
        .read(move |snapshot| {
            let person = super::store::by_id(snapshot, merchant, id)?;
            let person = person.ok_or_else(|| Problem::not_found("person"))?;
            let action = format!("{PEOPLE}/{id}/disable");
            Ok(ConfirmPage::new(Act::DisableStaff, person.label(), action, PEOPLE))
        })
        .await;
    staff.answer(&app, page)
}

/// `POST /admin/staff/{staff}/disable`
async fn disable(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<StaffId>,
    Posted(_): Posted<Nothing>,
) -> Response {
    let me = staff.staff.id;
    let done = staff.write(&app, move |cx| flow::disable(cx, me, id)).await;
    staff.after(&app, done, PEOPLE, "disabled")
}

/// `POST /admin/staff/{staff}/enable`
async fn enable(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<StaffId>,
    Posted(_): Posted<Nothing>,
) -> Response {
    let me = staff.staff.id;
    let done = staff.write(&app, move |cx| flow::enable(cx, me, id)).await;
    staff.after(&app, done, PEOPLE, "enabled")
}
