//! Asking.

use gateways::{Found, Gateway, Reference};
use kernel::{ConnectionId, MerchantId, OrderId, Timestamp};

use super::{PAGES_MAX, flow, store};
use crate::app::App;
use crate::connections::talk::{self, Trouble};
use crate::connections::{self, Connection};
use crate::cx::Actor;
use crate::jobs::runner::JobError;
use crate::jobs::{self, Claimed, Work};
use crate::payments;
use crate::problem::Flow;

/// Orders that are looked at in one turn.
const ORDERS_AT_ONCE: u32 = 50;

/// Has asked what is due: connections for their news, orders about their checkouts.
pub async fn watch(app: &App) -> Flow<()> {
    let now = app.now();
    let (connections, orders) = app
        .read(move |snapshot| {
            let connections = store::connections_due(snapshot, now)?;
            Ok((connections, store::orders_due(snapshot, now, ORDERS_AT_ONCE)?))
        })
        .await?;
    for (merchant, connection) in connections {
        app.write(merchant, Actor::System, move |cx| {
            // The work itself decides when the next time is; if it dies, this is.
            store::ask_connection_at(cx.tx, connection, cx.now + super::EVERY)?;
            Ok(jobs::flow::enqueue(cx, &Work::AskForNews { merchant, connection })?)
        })
        .await?;
    }
    for (merchant, order) in orders {
        app.write(merchant, Actor::System, move |cx| {
            let opened_at = store::checkouts_of(cx.tx, merchant, order)?.first().map(|(_, at)| *at);
            flow::plan(cx, order, opened_at.unwrap_or(cx.now))?;
            Ok(flow::ask_about(cx, order, Vec::new())?)
        })
        .await?;
    }
    Ok(())
}

/// A process begins: what happened while none ran is asked for at once.
pub async fn begin(app: &App) -> Flow<()> {
    let merchant = MerchantId::from_bits(0);
    app.write(merchant, Actor::System, |cx| Ok(store::ask_all_now(cx.tx, cx.now)?)).await
}

/// A connection that is on, ready to be talked through.
struct Line {
    connection: Connection,
    adapter: &'static dyn Gateway,
    opened: gateways::Connection,
}

async fn line(app: &App, merchant: MerchantId, id: ConnectionId) -> Result<Option<Line>, JobError> {
    let found = app.read(move |snapshot| Ok(connections::store::by_id(snapshot, merchant, id)?)).await?;
    let Some(connection) = found.filter(|connection| connection.disabled_at.is_none()) else {
        return Ok(None);
    };
    let Some(adapter) = gateways::gateway(&connection.gateway) else { return Ok(None) };
    let opened = connection.opened(app.ring()).map_err(|error| JobError::GiveUp(error.to_string()))?;
    Ok(Some(Line { connection, adapter, opened }))
}

/// Asks a gateway about the newest checkout of an order.
pub async fn ask_about_order(
    app: &App,
    job: &Claimed,
    (merchant, order): (MerchantId, OrderId),
    query: &[(String, String)],
) -> Result<(), JobError> {
    let found = app
        .read(move |snapshot| {
            let checkout = store::checkouts_of(snapshot, merchant, order)?.into_iter().next();
            let payment = payments::store::of_order(snapshot, merchant, order)?.into_iter().next();
            Ok(checkout.map(|checkout| (checkout, payment.map(|payment| payment.gateway_ref))))
        })
        .await?;
    let Some(((checkout, opened_at), payment_id)) = found else { return done(app, job, merchant).await };
    let Some(line) = line(app, merchant, checkout.connection).await? else {
        return done(app, job, merchant).await;
    };
    let reference = Reference {
        merchant_ref: Some(order.to_string()),
        session_id: Some(checkout.session_ref),
        payment_id,
        subscription_id: None,
    };
    let found = match ask(app, &line, &reference, query).await {
        Ok(found) => found,
        Err(Trouble::Later(why)) => return Err(JobError::Retry(why)),
        // It will say the same tomorrow; its notices still count.
        Err(Trouble::Refused(why)) => {
            tracing::warn!(connection = %line.connection.id, %order, why, "a gateway does not tell of a checkout");
            Vec::new()
        }
        Err(Trouble::Unsupported(_)) => Vec::new(),
    };
    let (job, connection) = (job.clone(), line.connection);
    let taken = app.write(merchant, Actor::Gateway(connection.id), move |cx| {
        Ok(flow::answered(cx, &connection, (order, opened_at), found.clone(), &job)?)
    });
    Ok(taken.await?)
}

/// What a buyer's return asks for, and else what is known of the checkout.
async fn ask(
    app: &App,
    line: &Line,
    reference: &Reference,
    query: &[(String, String)],
) -> Result<Vec<Found>, Trouble> {
    if !query.is_empty() {
        let returned = talk::talk(app, |earlier| line.adapter.returned(query, &line.opened, earlier)).await;
        if !matches!(returned, Err(Trouble::Unsupported(_) | Trouble::Refused(_))) {
            return returned;
        }
    }
    talk::talk(app, |earlier| line.adapter.fetch(reference, &line.opened, earlier)).await
}

/// Asks a gateway for its news, page after page.
pub async fn ask_for_news(
    app: &App,
    job: &Claimed,
    (merchant, id): (MerchantId, ConnectionId),
) -> Result<(), JobError> {
    let Some(line) = line(app, merchant, id).await? else { return done(app, job, merchant).await };
    let known = app.read(move |snapshot| Ok(store::poll(snapshot, id)?)).await?;
    let Some(mut poll) = known else { return done(app, job, merchant).await };
    for _ in 0..PAGES_MAX {
        let since = flow::since(&poll, app.now());
        let page = match talk::talk(app, |earlier| line.adapter.poll(&since, &line.opened, earlier)).await {
            Ok(page) => page,
            Err(trouble) => return no_news(app, job, (merchant, id), trouble.to_string()).await,
        };
        let newest = newest(&line, &page, app.now());
        let connection = line.connection.clone();
        let taken = app.write(merchant, Actor::Gateway(id), move |cx| {
            Ok(flow::take_page(cx, &connection, poll.clone(), (since.until, newest), page.clone())?)
        });
        match taken.await? {
            Some(further) => poll = further,
            None => break,
        }
    }
    done(app, job, merchant).await
}

/// A gateway that does not answer is asked again later, and its connection says so.
async fn no_news(
    app: &App,
    job: &Claimed,
    (merchant, id): (MerchantId, ConnectionId),
    why: String,
) -> Result<(), JobError> {
    let job = job.clone();
    let told = app.write(merchant, Actor::System, move |cx| {
        flow::failed(cx, id, &why)?;
        Ok(jobs::store::finish(cx.tx, &job)?)
    });
    Ok(told.await?)
}

/// When the latest of these events happened at the gateway.
fn newest(line: &Line, page: &gateways::Page, now: Timestamp) -> Option<Timestamp> {
    let stated = |found: &Found| {
        let statements = line.adapter.statements(&found.clone().into_post(now), &line.opened);
        statements.into_iter().flatten().filter_map(|notice| notice.occurred_at).max()
    };
    page.found.iter().filter_map(stated).max()
}

async fn done(app: &App, job: &Claimed, merchant: MerchantId) -> Result<(), JobError> {
    let job = job.clone();
    Ok(app.write(merchant, Actor::System, move |cx| Ok(jobs::store::finish(cx.tx, &job)?)).await?)
}
