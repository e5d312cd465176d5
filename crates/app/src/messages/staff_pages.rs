//! Messages in the back office: what left the house, what did not and why, and sending one again.

use axum::extract::State;
use axum::response::Response;
use db::{DbError, Source};
use kernel::{MerchantId, MessageId};
use ui::admin::{Act, ConfirmPage, MessagePage, MessageRow, MessagesPage};

use super::compose::{self, Material};
use super::desk_store::{self, Narrow};
use super::{Message, MessageKind, MessageState, NO_MAIL_SERVER, flow, store};
use crate::app::App;
use crate::events;
use crate::jobs::{self, Work};
use crate::paging::{BY_ID, Way};
use crate::problem::Problem;
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::form::Posted;
use crate::web::listing::{Asked, Column, word};
use crate::web::staff_visit::{Ids, StaffVisit};

const MESSAGES: &str = "/admin/messages";
const COLUMNS: &[Column] = &[(BY_ID, Way::Down)];
/// Stands where a key would: staff of any role may read what was sent, and nobody needs its keys.
const HIDDEN: &str = "(hidden)";

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get(MESSAGES, Right::Read, list)
        .get("/admin/messages/{message}", Right::Read, show)
        .get("/admin/messages/{message}/resend", Right::Orders, confirm_resend)
        .post("/admin/messages/{message}/resend", Right::Orders, resend)
}

#[derive(Debug, serde::Deserialize)]
struct Confirmed {
    #[serde(default)]
    turn: String,
}

const RESENT: &str = "message.resent";

/// `GET /admin/messages`
async fn list(State(app): State<App>, staff: StaffVisit, asked: Asked) -> Response {
    let merchant = staff.visit.merchant.id;
    let has_server = app.mailer().has_server();
    let narrow =
        Narrow { state: asked.stored("state"), kind: asked.stored("kind"), words: asked.search().to_owned() };
    let page = app
        .read(move |snapshot| {
            let ask = asked.ask(COLUMNS);
            let slice = desk_store::list(snapshot, merchant, &narrow, &ask)?;
            let listing = asked
                .listing(MESSAGES, COLUMNS, &ask, &slice)
                .search(asked.search())
                .tabs("state", asked.word::<ui::admin::MessageState>("state"))
                .word("kind", asked.word::<ui::admin::MessageKind>("kind"));
            Ok(MessagesPage {
                list: listing.done(),
                trouble: trouble(snapshot, merchant, has_server)?,
                messages: slice.rows.iter().map(row).collect(),
            })
        })
        .await;
    staff.answer(&app, page)
}

/// Why no mail leaves, if none does.
fn trouble(
    source: &mut impl Source,
    merchant: MerchantId,
    has_server: bool,
) -> Result<Option<String>, DbError> {
    if !has_server {
        return Ok(Some(NO_MAIL_SERVER.to_owned()));
    }
    desk_store::trouble(source, merchant)
}

/// A message as lists show it.
pub fn row(message: &Message) -> MessageRow {
    MessageRow {
        id: message.id,
        kind: word(message.kind.as_str()),
        state: word(message.state.as_str()),
        to: message.to.to_string(),
        subject: message.subject.clone(),
        order: message.order,
        created_at: message.created_at,
        attempts: message.attempts,
        last_error: message.last_error.clone(),
    }
}

/// `GET /admin/messages/{message}`
async fn show(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<MessageId>) -> Response {
    let merchant = staff.visit.merchant.id;
    let has_server = app.mailer().has_server();
    let (ring, base_url, now) = (app.ring_arc(), app.settings().base_url.clone(), app.now());
    let read = app
        .read(move |snapshot| {
            let message = store::by_id(snapshot, merchant, id)?;
            let message = message.ok_or_else(|| Problem::not_found("message"))?;
            let material = compose::gather(snapshot, &ring, &base_url, &message, now)?;
            let jobs = jobs::desk_store::of_subject(snapshot, &Work::SendMessage { merchant, message: id })?;
            let next = jobs.iter().find(|job| job.state == "ready").map(|job| job.run_at);
            Ok((message, without_keys(material), next))
        })
        .await;
    let page = read.map(|(message, material, next)| {
        let mail = compose::compose(app.renderer(), &message, &material);
        let sender = &material.merchant;
        let mut shown = row(&message);
        let waiting = message.state == MessageState::Waiting;
        if waiting && !has_server {
            NO_MAIL_SERVER.clone_into(&mut shown.last_error);
        }
        if let (Ok(mail), true) = (&mail, shown.subject.is_empty()) {
            shown.subject.clone_from(&mail.subject);
        }
        let domain = sender.sender_email.as_str().rsplit('@').next().unwrap_or("localhost");
        MessagePage {
            message: shown,
            customer: message.customer,
            from: format!("{} <{}>", sender.name, sender.sender_email),
            text: mail.ok().map(|mail| mail.text),
            sent_at: message.sent_at,
            next_try_at: next.filter(|_| waiting && has_server),
            message_id: format!("<{}@{domain}>", message.id),
            can_resend: can_resend(&message),
        }
    });
    staff.answer(&app, page)
}

/// What composing needs, with nothing in it that opens anything.
fn without_keys(mut material: Material) -> Material {
    for delivery in &mut material.deliveries {
        delivery.url = material.address.url(&format!("/d/{HIDDEN}"));
    }
    material.page_url = material.page_url.map(|_| material.address.url(&format!("/o/{HIDDEN}")));
    material.login_url = material.login_url.map(|_| material.address.url(&format!("/{HIDDEN}")));
    material
}

fn can_resend(message: &Message) -> bool {
    message.state != MessageState::Waiting
        && !matches!(message.kind, MessageKind::SignIn | MessageKind::StaffInvitation | MessageKind::Alarm)
}

/// `GET /admin/messages/{message}/resend`
async fn confirm_resend(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<MessageId>) -> Response {
    let (merchant, actor) = (staff.visit.merchant.id, staff.actor().to_string());
    let page = app
        .read(move |snapshot| {
            let message = store::by_id(snapshot, merchant, id)?;
            let message = message.ok_or_else(|| Problem::not_found("message"))?;
            let about = (message.order, id.to_string());
            let turn = events::store::count_acts(snapshot, merchant, (about.0, &about.1), RESENT, &actor)?;
            let back = format!("{MESSAGES}/{id}");
            let subject = if message.subject.is_empty() { id.to_string() } else { message.subject };
            let mut page = ConfirmPage::new(Act::ResendMessage, subject, format!("{back}/resend"), back);
            page.email = message.to.to_string();
            page.turn = Some(turn);
            Ok(page)
        })
        .await;
    staff.answer(&app, page)
}

/// `POST /admin/messages/{message}/resend`
async fn resend(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<MessageId>,
    Posted(form): Posted<Confirmed>,
) -> Response {
    let turn = form.turn.parse().ok();
    let done = staff
        .write(&app, move |cx| {
            let message = store::lock(cx.tx, cx.merchant, id)?;
            let order = message.ok_or_else(|| Problem::not_found("message"))?.order;
            events::flow::once(cx, (order, &id.to_string()), RESENT, turn, |cx| flow::resend(cx, id))
        })
        .await;
    match done {
        Ok(Some(again)) => staff.done(&format!("{MESSAGES}/{}", again.id), "message_resent"),
        Ok(None) => staff.done(&format!("{MESSAGES}/{id}"), "already_done"),
        Err(failure) => staff.refuse(&app, failure),
    }
}
