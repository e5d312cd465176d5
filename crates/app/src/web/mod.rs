//! What every page and route shares: who asks and of which merchant, forms that were really
//! posted from our pages, rendering, and errors.

pub mod api;
pub mod assets;
pub mod csv;
pub mod desk;
pub mod files;
pub mod form;
pub mod limits;
pub mod listing;
pub mod qr;
pub mod reply;
pub mod signed_in;
pub mod staff_visit;
pub mod stale;
pub mod visit;

use std::convert::Infallible;
use std::future::ready;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::{BoxError, Router};
use net::headers::ContentSecurityPolicy;
use net::serve::Scheme;
use tower::{Service, ServiceExt as _};

use crate::app::App;
use crate::{
    access, api_keys, archives, artworks, carts, connections, customers, downloads, encryption, events, home,
    invoices, jobs, links, merchants, messages, notices, orders, parts, payloads, pickups, plugins, products,
    reviews, staff, stamps, storage, streams, tickets, uploads,
};

/// Largest body of an ordinary form or API call. Uploads have routes and limits of their own.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// The routes of the back office, each with who may pass.
pub fn desk(app: App) -> desk::Desk {
    let desk = desk::Desk::new(app);
    let desk = staff::sign_in_pages::desk(desk);
    let desk = staff::account_pages::desk(desk);
    let desk = staff::staff_pages::desk(desk);
    let desk = home::staff_pages::desk(desk);
    let desk = orders::staff_list::desk(desk);
    let desk = orders::staff_pages::desk(desk);
    let desk = parts::staff_pages::desk(desk);
    let desk = payloads::staff_pages::desk(desk);
    let desk = artworks::staff_pages::desk(desk);
    let desk = plugins::staff_pages::desk(desk);
    let desk = plugins::list_pages::desk(desk);
    let desk = archives::staff_pages::desk(desk);
    let desk = products::staff_pages::desk(desk);
    let desk = uploads::staff_pages::desk(desk);
    let desk = pickups::staff_pages::desk(desk);
    let desk = customers::staff_list::desk(desk);
    let desk = customers::staff_pages::desk(desk);
    let desk = invoices::staff_pages::desk(desk);
    let desk = notices::staff_pages::desk(desk);
    let desk = events::staff_pages::desk(desk);
    let desk = jobs::staff_pages::desk(desk);
    let desk = messages::staff_pages::desk(desk);
    let desk = connections::staff_pages::desk(desk);
    let desk = reviews::staff_pages::desk(desk);
    let desk = stamps::staff_pages::desk(desk);
    let desk = tickets::staff_pages::desk(desk);
    let desk = tickets::product_pages::desk(desk);
    let desk = access::staff_pages::desk(desk);
    let desk = streams::staff_pages::desk(desk);
    let desk = encryption::staff_pages::desk(desk);
    let desk = stamps::product_pages::desk(desk);
    let desk = api_keys::staff_pages::desk(desk);
    let desk = storage::staff_pages::desk(desk);
    merchants::staff_pages::desk(desk)
}

/// The program as a service: everything that can be asked of it over HTTP.
pub fn program(app: App) -> Program {
    Program { routes: router(app.clone()), app }
}

/// Every route, with a short way to the bytes of downloads.
///
/// A file of 10 KiB is sent in less time than routing, layers and their boxes take, and a download
/// manager asks for many such pieces.
#[derive(Clone)]
pub struct Program {
    app: App,
    routes: Router,
}

impl<B> Service<Request<B>> for Program
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match downloads::pages::at_once(&self.app, &request) {
            Some(response) => Box::pin(ready(Ok(response))),
            None => Box::pin(self.routes.call(request.map(Body::new))),
        }
    }
}

/// Every route of the program.
fn router(app: App) -> Router {
    let routes = Router::new()
        .merge(desk(app.clone()).done().0)
        .merge(notices::api::routes())
        .merge(downloads::pages::routes())
        .merge(links::pages::routes())
        .merge(api::routes(&app))
        .merge(assets::routes())
        .merge(products::pages::routes())
        .merge(artworks::pages::routes())
        .merge(carts::pages::routes())
        .merge(orders::pages::routes())
        .merge(orders::portal::routes())
        .merge(customers::pages::routes())
        .merge(tickets::pages::routes())
        .merge(streams::pages::routes())
        .merge(encryption::pages::routes())
        .fallback(reply::unknown)
        .layer(middleware::from_fn_with_state(app.clone(), visit::arrive))
        .layer(middleware::from_fn(guard))
        .with_state(app);
    // The merchant's path prefix is taken off before routing, so that routes are written once.
    Router::new().fallback_service(routes.map_request(visit::take_prefix))
}

/// Security headers on every answer, whatever made it.
async fn guard(request: Request, next: Next) -> Response {
    let scheme = visit::scheme(&request);
    let mut response = next.run(request).await;
    net::headers::secure(response.headers_mut(), scheme, &ContentSecurityPolicy::strict());
    response
}

/// Whether cookies may be marked `Secure`.
pub fn is_https(app: &App, scheme: Scheme) -> bool {
    scheme == Scheme::Https || app.settings().base_url.starts_with("https://")
}
