//! Somebody of the back office who has passed the gate, and the answers they get.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use kernel::{MessageId, Span, Timestamp};
use ui::admin::{DeniedPage, StaffProblemPage, Word as _};
use ui::{Flash, Frame, StaffFrame, Template, Tone};

use super::desk::SIDE;
use super::reply;
use super::signed_in;
use super::visit::{self, Visit};
use crate::app::App;
use crate::cx::{Actor, Cx};
use crate::notices::NoticeState;
use crate::problem::{Code, Failure, Flow, Problem};
use crate::sessions::{self, Session};
use crate::staff::{self, Right, Role, Staff};
use crate::{events, messages, notices, reviews};

/// Who a cookie stands for, and what waits for them.
#[derive(Debug)]
pub(super) struct Known {
    pub session: Session,
    staff: Staff,
    waiting: BTreeMap<String, u32>,
}

/// Beyond so many, what waits is "many": counting on would make every page slower.
const WAITING_MAX: u32 = 100;
/// Mail that failed longer ago no longer calls for somebody.
const UNDELIVERED_SINCE: Span = Span::days(7);

/// Finds out who sent the cookie of the back office, if it still signs somebody in.
pub(super) async fn recognize(app: &App, headers: &HeaderMap, visit: &Visit) -> Flow<Option<Known>> {
    let Some(token) = signed_in::token_of(headers, visit, SIDE) else { return Ok(None) };
    let (merchant, now) = (visit.merchant.id, app.now());
    app.read(move |snapshot| {
        let Some(session) = sessions::flow::find(snapshot, merchant, &token, now)? else { return Ok(None) };
        let Some(id) = session.holder.staff() else { return Ok(None) };
        let staff = staff::store::by_id(snapshot, merchant, id)?;
        let Some(staff) = staff.filter(|staff| staff.disabled_at.is_none()) else { return Ok(None) };
        let quarantined =
            notices::store::count_waiting(snapshot, merchant, NoticeState::Quarantined, WAITING_MAX)?;
        let open = reviews::store::count_open(snapshot, merchant, WAITING_MAX)?;
        let since = first_message_at(now - UNDELIVERED_SINCE);
        let undelivered = messages::store::count_undelivered(snapshot, merchant, since, WAITING_MAX)?;
        let waiting = [("notices", quarantined), ("reviews", open), ("messages", undelivered)];
        let waiting = waiting.map(|(list, count)| (list.to_owned(), count)).into();
        Ok(Some(Known { session, staff, waiting }))
    })
    .await
}

/// Ids begin with their time, so a time is the smallest id that could have been made then.
fn first_message_at(at: Timestamp) -> MessageId {
    MessageId::from_bits(crate::paging::bits_at(at))
}

/// A request of somebody in the back office. Only the gate makes one.
#[derive(Debug, Clone)]
pub struct StaffVisit {
    /// The request.
    pub visit: Visit,
    /// The session.
    pub session: Session,
    /// Who.
    pub staff: Arc<Staff>,
    waiting: Arc<BTreeMap<String, u32>>,
    done: Option<String>,
    enhanced: bool,
}

const DONE_COOKIE: &str = "done";
/// Long enough for a redirect, short enough not to surprise anybody later.
const DONE_SECONDS: i64 = 30;

impl StaffVisit {
    pub(super) fn new(visit: Visit, known: Known, headers: &HeaderMap) -> Self {
        let done = visit::cookie_in(headers, DONE_COOKIE).filter(|word| !word.is_empty());
        let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let enhanced = accepts.starts_with("application/problem+json");
        Self {
            visit,
            session: known.session,
            staff: Arc::new(known.staff),
            waiting: Arc::new(known.waiting),
            done,
            enhanced,
        }
    }

    /// Whether this person has the right.
    pub fn may(&self, right: Right) -> bool {
        self.staff.role.may(right)
    }

    /// Who acts, for flows.
    pub fn actor(&self) -> Actor {
        Actor::Staff(self.staff.id)
    }

    /// Runs a flow in this person's name, at their merchant.
    pub async fn write<T, F>(&self, app: &App, work: F) -> Flow<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Cx<'_, '_>) -> Flow<T> + Send + 'static,
    {
        app.write(self.visit.merchant.id, self.actor(), work).await
    }

    /// Writes into the audit log that somebody took a list along.
    pub async fn note_export(&self, app: &App, list: &'static str) -> Flow<()> {
        self.write(app, move |cx| {
            let detail = serde_json::json!({ "list": list });
            events::flow::record(cx, None, cx.merchant, "list.exported", detail)?;
            Ok(())
        })
        .await
    }

    /// A page of the back office.
    pub fn show<T: Template>(&self, app: &App, page: &T) -> Response {
        self.show_as(app, StatusCode::OK, page)
    }

    /// A page of the back office with a status: 422 for a form with errors.
    pub fn show_as<T: Template>(&self, app: &App, status: StatusCode, page: &T) -> Response {
        let mut response = reply::show_with(app, &self.frame(app), status, page);
        if self.done.is_some() {
            visit::set_cookie(&mut response, self.visit.secure, DONE_COOKIE, "", Some(0));
        }
        response
    }

    fn frame(&self, app: &App) -> Frame {
        let mut frame = reply::frame(app, &self.visit);
        frame.staff = Some(StaffFrame {
            name: self.staff.label().to_owned(),
            role: self.staff.role.as_str().to_owned(),
            rights: self.staff.role.rights().iter().map(ToString::to_string).collect(),
            waiting: (*self.waiting).clone(),
        });
        frame.flash = self.done.as_deref().and_then(|word| {
            let known = word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
            let text = app.renderer().text(frame.locale, &format!("admin.done.{word}"), &[]);
            text.ok().filter(|_| known).map(|text| Flash { tone: Tone::Ok, text })
        });
        frame
    }

    /// Whether our own script asks, which shows the reason of a refusal by itself.
    pub const fn by_script(&self) -> bool {
        self.enhanced
    }

    /// Goes on to a page after something was done, which says so: `admin.done.WORD`. Our own
    /// script goes there by itself: led on, it would take the page's word away unseen.
    pub fn done(&self, path: &str, word: &str) -> Response {
        let mut response = match self.by_script() {
            true => StatusCode::NO_CONTENT.into_response(),
            false => reply::see_other(&self.visit.url(path)),
        };
        visit::set_cookie(&mut response, self.visit.secure, DONE_COOKIE, word, Some(DONE_SECONDS));
        response
    }

    /// What went wrong, as a page of the back office.
    pub fn refuse(&self, app: &App, failure: impl Into<Failure>) -> Response {
        let problem = failure.into().into_problem();
        let status = StatusCode::from_u16(problem.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if self.enhanced {
            // Our own script shows the reason beside the file.
            let body = serde_json::json!({ "status": status.as_u16(), "code": problem.code, "detail": problem.detail });
            let kind = [(header::CONTENT_TYPE, "application/problem+json")];
            return (status, kind, body.to_string()).into_response();
        }
        let page = StaffProblemPage {
            status: problem.code.status(),
            detail: Some(problem.detail.clone()),
            request_id: self.visit.request_id.clone(),
            back: parent(&self.visit.path),
        };
        self.show_as(app, status, &page)
    }

    /// A page, or what went wrong.
    pub fn answer<T: Template>(&self, app: &App, page: Flow<T>) -> Response {
        match page {
            Ok(page) => self.show(app, &page),
            Err(failure) => self.refuse(app, failure),
        }
    }

    /// After an act: on to a page that says so, or what went wrong.
    pub fn after<T>(&self, app: &App, act: Flow<T>, path: &str, word: &str) -> Response {
        match act {
            Ok(_) => self.done(path, word),
            Err(failure) => self.refuse(app, failure),
        }
    }

    /// The page for who lacks a right: which, and who can help.
    pub(super) async fn denied(&self, app: &App, right: Right) -> Response {
        let merchant = self.visit.merchant.id;
        let people = app.read(move |snapshot| Ok(staff::store::list(snapshot, merchant)?)).await;
        let owners = people.unwrap_or_default().into_iter().filter(|person| {
            person.role == Role::Owner && person.disabled_at.is_none() && person.password_hash.is_some()
        });
        let page = DeniedPage {
            right: ui::admin::Right::parse(right.as_str()).unwrap_or(ui::admin::Right::Settings),
            owners: owners.map(|owner| owner.label().to_owned()).collect(),
        };
        self.show_as(app, StatusCode::FORBIDDEN, &page)
    }
}

/// Where one probably came from: the page above.
fn parent(path: &str) -> String {
    let above = path.rsplit_once('/').map_or("", |(above, _)| above);
    if above.starts_with("/admin") { above.to_owned() } else { "/admin".to_owned() }
}

/// Deny by default: a handler behind no gate gets nobody.
impl<S: Send + Sync> FromRequestParts<S> for StaffVisit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Response> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            let problem = Problem::new(Code::Internal, "this route has no gate");
            (StatusCode::INTERNAL_SERVER_ERROR, problem.to_string()).into_response()
        })
    }
}

/// Ids in a path of the back office. What cannot be an id is nothing that exists here.
#[derive(Debug)]
pub struct Ids<T>(pub T);

impl<T: serde::de::DeserializeOwned + Send> FromRequestParts<App> for Ids<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let staff = StaffVisit::from_request_parts(parts, app).await?;
        match Path::<T>::from_request_parts(parts, app).await {
            Ok(Path(ids)) => Ok(Self(ids)),
            Err(_) => Err(staff.refuse(app, Problem::not_found("page"))),
        }
    }
}
