//! A ticket's own page: to be printed, or shown at the door on a phone.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use db::Source;
use http::StatusCode;
use ui::delivery::UnknownLinkPage;
use ui::ticket::{TicketPage, TicketShown};

use super::check_in::{Standing, standing};
use super::form::local;
use super::staff_view::TO_READ;
use super::{TicketEvent, code, store};
use crate::app::App;
use crate::downloads::flow::no_such_link;
use crate::links::Presented;
use crate::merchants::{self, Address, Merchant};
use crate::orders::{self, view};
use crate::problem::{Code, Flow};
use crate::ring::Ring;
use crate::web::qr;
use crate::web::reply::{Refusal, frame, show, show_with};
use crate::web::visit::Visit;
use crate::{customers, fulfillment};

/// The routes of this noun.
pub fn routes() -> Router<App> {
    Router::new().route("/k/{token}", get(show_ticket))
}

/// `GET /k/{token}`: the ticket, as long as its event is remembered. Links to files run out, and
/// somebody at a door needs the ticket then.
async fn show_ticket(State(app): State<App>, visit: Visit, Path(token): Path<String>) -> Response {
    let (ring, base_url) = (app.ring_arc(), app.settings().base_url.clone());
    match app.read_now(move |snapshot| see(snapshot, &ring, &base_url, &token)) {
        Ok(seen) => {
            let visit = visit.at(seen.merchant, &seen.address);
            show(&app, &visit, &seen.page)
        }
        Err(failure) => {
            let problem = failure.into_problem();
            if problem.code == Code::NotFound {
                return show_with(&app, &frame(&app, &visit), StatusCode::NOT_FOUND, &UnknownLinkPage {});
            }
            Refusal::page(&app, &visit, &problem)
        }
    }
}

struct Seen {
    merchant: Merchant,
    address: Address,
    page: TicketPage,
}

fn see(source: &mut impl Source, ring: &Ring, base_url: &str, token: &str) -> Flow<Seen> {
    let presented = Presented::read(token).ok_or_else(no_such_link)?;
    let grant = fulfillment::store::by_link(source, presented.grant())?.ok_or_else(no_such_link)?;
    let hold = store::hold(source, grant.merchant, grant.line)?.ok_or_else(no_such_link)?;
    if !presented.proves(code::page_code(ring, &hold, grant.unit_no)) {
        return Err(no_such_link().into());
    }
    let event = store::by_id(source, grant.merchant, hold.event)?.ok_or_else(no_such_link)?;
    let order = orders::store::by_id(source, grant.merchant, grant.order)?.ok_or_else(no_such_link)?;
    let lines = orders::store::lines(source, grant.merchant, grant.order)?;
    let line = lines.into_iter().find(|line| line.id == grant.line).ok_or_else(no_such_link)?;
    let customer = customers::store::by_id(source, grant.merchant, grant.customer)?;
    let entered = store::check_in(source, grant.merchant, grant.id)?;
    let merchant = merchants::store::by_id(source, grant.merchant)?;
    let address = merchants::store::address(source, base_url, &merchant)?;
    let standing = standing(hold.state, grant.status);
    let code = code::of(ring, &hold, grant.unit_no).filter(|_| standing == Standing::Good);
    let page = TicketPage {
        starts: local(event.starts_at, &event.time_zone, TO_READ),
        ends: ends(&event),
        product: line.name,
        number: hold.number(grant.unit_no),
        holder: customer.map(|customer| customer.name).unwrap_or_default(),
        order_number: view::number(&order),
        qr_svg: code.as_deref().and_then(|code| picture(&address, &event, code)),
        code,
        standing: shown(standing),
        entered_at: entered.map(|entered| entered.at),
        title: event.title,
        place: event.place,
        time_zone: event.time_zone,
    };
    Ok(Seen { merchant, address, page })
}

/// On the same day the time alone is enough.
fn ends(event: &TicketEvent) -> String {
    let day = |at| local(at, &event.time_zone, "%Y-%m-%d");
    let form = if day(event.starts_at) == day(event.ends_at) { "%H:%M" } else { TO_READ };
    local(event.ends_at, &event.time_zone, form)
}

/// The picture leads a phone at the door to the page that lets its holder in.
fn picture(address: &Address, event: &TicketEvent, code: &str) -> Option<String> {
    qr::svg(&address.url(&format!("/admin/tickets/{}/check-in?code={code}", event.id)), "QR")
}

const fn shown(standing: Standing) -> TicketShown {
    match standing {
        Standing::Good => TicketShown::Good,
        Standing::Suspended => TicketShown::Suspended,
        Standing::Revoked => TicketShown::Revoked,
        Standing::NoPlace => TicketShown::NoPlace,
    }
}
