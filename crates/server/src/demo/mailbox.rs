//! The demo's mailbox page: what the built-in mail server took in.

use app::app::App;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};
use kernel::Clock as _;
use mail::{Mailbox, Received};
use net::headers::ContentSecurityPolicy;
use net::serve::{Limits, Scheme, Server, TrustedProxies};
use tokio::net::TcpListener;
use ui::mailbox::{MailRow, MailboxMessagePage, MailboxPage};
use ui::{Frame, Locale, MerchantFrame, Template};

#[derive(Clone)]
struct Shown {
    mails: Mailbox,
    app: App,
}

/// Shows the mailbox for as long as the process lives.
pub fn serve(listener: TcpListener, mails: Mailbox, app: App) {
    let routes = Router::new()
        .route("/", get(list))
        .route("/{id}", get(message))
        .route("/{id}/html", get(html))
        .route("/{id}/raw", get(raw))
        .route("/assets/{*path}", get(asset))
        .with_state(Shown { mails, app });
    tokio::spawn(async move {
        let (_running, stopped) = net::serve::stop();
        Server::new(Limits::default(), TrustedProxies::default()).serve(listener, None, routes, stopped).await
    });
}

async fn list(State(shown): State<Shown>) -> Response {
    let row = |mail: &Received| {
        let parsed = mail.parse();
        MailRow {
            path: format!("/{}", mail.id),
            to: mail.to.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            subject: parsed.subject,
            at: mail.at,
        }
    };
    let mut messages: Vec<MailRow> = shown.mails.all().iter().map(|mail| row(mail)).collect();
    messages.reverse();
    show(&shown, &MailboxPage { path: "/".to_owned(), messages })
}

async fn message(State(shown): State<Shown>, Path(id): Path<u64>) -> Response {
    let Some(mail) = shown.mails.get(id) else { return StatusCode::NOT_FOUND.into_response() };
    let parsed = mail.parse();
    let page = MailboxMessagePage {
        list_path: "/".to_owned(),
        from: parsed.header("from").unwrap_or_default().to_owned(),
        to: mail.to.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        subject: parsed.subject.clone(),
        at: mail.at,
        text: parsed.text.clone(),
        html_path: parsed.html.is_some().then(|| format!("/{id}/html")),
        raw_path: Some(format!("/{id}/raw")),
    };
    show(&shown, &page)
}

/// The HTML part by itself: whatever is in it can do nothing.
async fn html(State(shown): State<Shown>, Path(id): Path<u64>) -> Response {
    let body = shown.mails.get(id).and_then(|mail| mail.parse().html);
    let Some(body) = body else { return StatusCode::NOT_FOUND.into_response() };
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-popups";
    ([(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy))], Html(body)).into_response()
}

async fn raw(State(shown): State<Shown>, Path(id): Path<u64>) -> Response {
    let Some(mail) = shown.mails.get(id) else { return StatusCode::NOT_FOUND.into_response() };
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))];
    (kind, mail.raw.clone()).into_response()
}

async fn asset(Path(path): Path<String>) -> Response {
    let Some(asset) = ui::asset(&path) else { return StatusCode::NOT_FOUND.into_response() };
    ([(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type))], asset.bytes).into_response()
}

fn show<T: Template>(shown: &Shown, page: &T) -> Response {
    let merchant = MerchantFrame::named("Mailbox", "");
    let mut frame = Frame::new(Locale::default(), kernel::SystemClock::default().now(), merchant, "/");
    frame.test_mode = true;
    let mut response = match shown.app.renderer().render(page, &frame) {
        Ok(html) => Html(html).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    };
    net::headers::secure(response.headers_mut(), Scheme::Http, &ContentSecurityPolicy::strict());
    response
}
