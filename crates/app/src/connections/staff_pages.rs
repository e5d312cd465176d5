//! Connections in the back office: connecting PayPal, how each account is doing, off and on.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use db::Source;
use gateways::Mode;
use gateways::paypal_standard::{ENDPOINT, RECEIVER};
use http::StatusCode;
use kernel::{ConnectionId, MerchantId, Span, Timestamp};
use ui::admin::{
    Act, ConfirmPage, ConnectionFailure, ConnectionPage, ConnectionRow, ConnectionsPage, Errors, Health,
    NewConnectionPage,
};

use super::desk_store::{self, Heard, Stuck};
use super::flow::NewConnection;
use super::{Connection, desk_flow, flow, mode_word, store};
use crate::app::App;
use crate::notices::NoticeState;
use crate::problem::{Failure, Flow, Problem};
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::form::Posted;
use crate::web::listing::word;
use crate::web::staff_visit::{Ids, StaffVisit};

const CONNECTIONS: &str = "/admin/connections";
/// How far back the health of a connection is looked at.
const LATELY: Span = Span::days(30);
const GATEWAY: &str = "paypal-standard";

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get(CONNECTIONS, Right::Read, list)
        .get("/admin/connections/new", Right::Settings, new)
        .post(CONNECTIONS, Right::Settings, add)
        .get("/admin/connections/{connection}", Right::Read, show)
        .post("/admin/connections/{connection}", Right::Settings, change)
        .get("/admin/connections/{connection}/disable", Right::Settings, confirm_disable)
        .post("/admin/connections/{connection}/disable", Right::Settings, disable)
        .get("/admin/connections/{connection}/enable", Right::Settings, confirm_enable)
        .post("/admin/connections/{connection}/enable", Right::Settings, enable)
}

#[derive(Debug, serde::Deserialize)]
struct Nothing {}

#[derive(Debug, Clone, serde::Deserialize)]
struct Typed {
    #[serde(default)]
    name: String,
    #[serde(default)]
    mode: String,
    #[serde(default)]
    receiver: String,
    #[serde(default)]
    endpoint: String,
}

impl Typed {
    fn settings(&self) -> BTreeMap<String, String> {
        let pairs = [(RECEIVER, self.receiver.trim()), (ENDPOINT, self.endpoint.trim())];
        let filled = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        filled.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

/// How a merchant's connections are doing.
struct Doing {
    heard: Vec<Heard>,
    stuck: Vec<Stuck>,
    paid: BTreeMap<ConnectionId, u64>,
}

impl Doing {
    fn read(source: &mut impl Source, merchant: MerchantId, now: Timestamp) -> Flow<Self> {
        let since = now - LATELY;
        Ok(Self {
            heard: desk_store::heard(source, merchant, since)?,
            stuck: desk_store::stuck(source, merchant)?,
            paid: desk_store::paid(source, merchant, since)?.into_iter().collect(),
        })
    }

    fn of(&self, id: ConnectionId) -> impl Iterator<Item = &Heard> {
        self.heard.iter().filter(move |heard| heard.connection == id)
    }

    fn verified_at(&self, id: ConnectionId) -> Option<Timestamp> {
        self.of(id).filter_map(|heard| heard.verified_at).max()
    }

    fn row(&self, connection: &Connection) -> ConnectionRow {
        let id = connection.id;
        let health = if connection.disabled_at.is_some() {
            Health::Off
        } else if self.stuck.iter().any(|stuck| stuck.connection == id) {
            Health::Failing
        } else if self.verified_at(id).is_none() {
            Health::Silent
        } else {
            Health::Well
        };
        ConnectionRow {
            id,
            name: connection.name.clone(),
            gateway: connection.brand().to_owned(),
            mode: word(mode_word(connection.mode)),
            health,
            last_notice_at: self.of(id).map(|heard| heard.last_at).max(),
            payments: self.paid.get(&id).copied().unwrap_or_default(),
        }
    }

    fn counts(&self, id: ConnectionId) -> Vec<(ui::admin::NoticeState, u64)> {
        let count = |state: &NoticeState| {
            let found = self.of(id).find(|heard| heard.state == *state)?;
            Some((word(state.as_str()), found.count))
        };
        NoticeState::ALL.iter().filter_map(count).collect()
    }

    fn failures(&self, id: ConnectionId) -> Vec<ConnectionFailure> {
        let of_it = self.stuck.iter().filter(|stuck| stuck.connection == id);
        let failure = |stuck: &Stuck| ConnectionFailure {
            at: stuck.received_at,
            what: stuck.reason.clone(),
            notice: Some(stuck.notice),
        };
        of_it.map(failure).collect()
    }
}

/// `GET /admin/connections`
async fn list(State(app): State<App>, staff: StaffVisit) -> Response {
    let (merchant, now) = (staff.visit.merchant.id, app.now());
    let page = app
        .read(move |snapshot| {
            let doing = Doing::read(snapshot, merchant, now)?;
            let mut all = store::list(snapshot, merchant)?;
            all.sort_by_key(|connection| (connection.disabled_at.is_some(), connection.id));
            Ok(ConnectionsPage { connections: all.iter().map(|connection| doing.row(connection)).collect() })
        })
        .await;
    staff.answer(&app, page)
}

/// `GET /admin/connections/new`
async fn new(State(app): State<App>, staff: StaffVisit) -> Response {
    let live = live_allowed(&app);
    let mode = if live { "live" } else { "test" }.to_owned();
    let typed = Typed { name: String::new(), mode, receiver: String::new(), endpoint: String::new() };
    staff.show(&app, &new_page(&app, &typed, Errors::new()))
}

fn live_allowed(app: &App) -> bool {
    desk_flow::allowed(Mode::Live, &app.settings().base_url).is_ok()
}

fn new_page(app: &App, typed: &Typed, errors: Errors) -> NewConnectionPage {
    NewConnectionPage {
        name: typed.name.clone(),
        mode: if typed.mode == "live" { ui::admin::Mode::Live } else { ui::admin::Mode::Test },
        receiver: typed.receiver.clone(),
        endpoint: typed.endpoint.clone(),
        live_allowed: live_allowed(app),
        errors,
    }
}

/// `POST /admin/connections`
async fn add(State(app): State<App>, staff: StaffVisit, Posted(typed): Posted<Typed>) -> Response {
    let added = match wanted(&app, &typed) {
        Ok(new) => staff.write(&app, move |cx| flow::add(cx, &new)).await,
        Err(problem) => Err(problem.into()),
    };
    match added {
        Ok(connection) => staff.done(&format!("{CONNECTIONS}/{}", connection.id), "connection_added"),
        Err(Failure::Problem(problem)) if problem.pointer.is_some() => {
            let page = new_page(&app, &typed, beside(problem));
            staff.show_as(&app, StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(failure) => staff.refuse(&app, failure),
    }
}

fn wanted(app: &App, typed: &Typed) -> Result<NewConnection, Problem> {
    let mode = match typed.mode.as_str() {
        "live" => Mode::Live,
        "test" => Mode::Test,
        _ => return Err(Problem::invalid("mode", "choose whether real money moves")),
    };
    desk_flow::allowed(mode, &app.settings().base_url)?;
    if typed.name.chars().count() > desk_flow::NAME_LENGTH_MAX || typed.name.chars().any(char::is_control) {
        let text = format!("a name has at most {} printable characters", desk_flow::NAME_LENGTH_MAX);
        return Err(Problem::invalid("name", text));
    }
    Ok(NewConnection {
        gateway: GATEWAY.to_owned(),
        mode,
        name: typed.name.trim().to_owned(),
        settings: typed.settings(),
        secrets: BTreeMap::new(),
    })
}

fn beside(problem: Problem) -> Errors {
    Errors::from([(problem.pointer.unwrap_or_default(), problem.detail)])
}

/// `GET /admin/connections/{connection}`
async fn show(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<ConnectionId>) -> Response {
    page(&app, &staff, id, StatusCode::OK, None, Errors::new()).await
}

async fn page(
    app: &App,
    staff: &StaffVisit,
    id: ConnectionId,
    status: StatusCode,
    typed: Option<Typed>,
    errors: Errors,
) -> Response {
    let (merchant, now) = (staff.visit.merchant.id, app.now());
    let hook_url = format!("{}/hooks/{id}", staff.visit.merchant.origin(&app.settings().base_url));
    let read = app
        .read(move |snapshot| {
            let connection = known(snapshot, merchant, id)?;
            Ok((Doing::read(snapshot, merchant, now)?, connection))
        })
        .await;
    let (doing, connection) = match read {
        Ok(read) => read,
        Err(failure) => return staff.refuse(app, failure),
    };
    let setting = |name: &str| connection.settings.get(name).cloned().unwrap_or_default();
    let mut page = ConnectionPage {
        connection: doing.row(&connection),
        receiver: setting(RECEIVER),
        endpoint: setting(ENDPOINT),
        hook_url,
        created_at: connection.created_at,
        disabled_at: connection.disabled_at,
        last_verified_at: doing.verified_at(id),
        notices: doing.counts(id),
        failures: doing.failures(id),
        errors,
    };
    if let Some(typed) = typed {
        page.connection.name = typed.name;
        page.receiver = typed.receiver;
        page.endpoint = typed.endpoint;
    }
    staff.show_as(app, status, &page)
}

fn known(source: &mut impl Source, merchant: MerchantId, id: ConnectionId) -> Flow<Connection> {
    Ok(store::by_id(source, merchant, id)?.ok_or_else(|| Problem::not_found("connection"))?)
}

/// `POST /admin/connections/{connection}`
async fn change(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<ConnectionId>,
    Posted(typed): Posted<Typed>,
) -> Response {
    let (name, settings) = (typed.name.clone(), typed.settings());
    match staff.write(&app, move |cx| desk_flow::change(cx, id, &name, &settings)).await {
        Ok(()) => staff.done(&format!("{CONNECTIONS}/{id}"), "saved"),
        Err(Failure::Problem(problem)) if problem.pointer.is_some() => {
            page(&app, &staff, id, StatusCode::UNPROCESSABLE_ENTITY, Some(typed), beside(problem)).await
        }
        Err(failure) => staff.refuse(&app, failure),
    }
}

/// `GET /admin/connections/{connection}/disable`
async fn confirm_disable(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<ConnectionId>) -> Response {
    confirm(&app, &staff, id, Act::DisableConnection, "disable").await
}

/// `GET /admin/connections/{connection}/enable`
async fn confirm_enable(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<ConnectionId>) -> Response {
    confirm(&app, &staff, id, Act::EnableConnection, "enable").await
}

async fn confirm(app: &App, staff: &StaffVisit, id: ConnectionId, act: Act, verb: &'static str) -> Response {
    let merchant = staff.visit.merchant.id;
    let page = app
        .read(move |snapshot| {
            let connection = known(snapshot, merchant, id)?;
            let back = format!("{CONNECTIONS}/{id}");
            Ok(ConfirmPage::new(act, connection.name, format!("{back}/{verb}"), back))
        })
        .await;
    staff.answer(app, page)
}

/// `POST /admin/connections/{connection}/disable`
async fn disable(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<ConnectionId>,
    Posted(_): Posted<Nothing>,
) -> Response {
    let done = staff.write(&app, move |cx| desk_flow::disable(cx, id)).await;
    staff.after(&app, done, &format!("{CONNECTIONS}/{id}"), "disabled")
}

/// `POST /admin/connections/{connection}/enable`
async fn enable(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<ConnectionId>,
    Posted(_): Posted<Nothing>,
) -> Response {
    let base_url = app.settings().base_url.clone();
    let done = staff.write(&app, move |cx| desk_flow::enable(cx, id, &base_url)).await;
    staff.after(&app, done, &format!("{CONNECTIONS}/{id}"), "enabled")
}
