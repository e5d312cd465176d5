//! One request and its answer on one connection.

use std::pin::pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::{HeaderName, HeaderValue};
use http::{Method, Request, Response, header};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::{Host, Url};

use super::{Answer, Call, CallError, Refusal, Transport, dial};

/// Of an answer's head; a larger one breaks the exchange. The number of its lines has hyper's own limit of 100.
const HEAD_BYTES_MAX: usize = 64 * 1024;

const USER_AGENT: &str = concat!("Handsel/", env!("CARGO_PKG_VERSION"));

/// What frames a message or belongs to the connection is ours to say.
const OURS: [HeaderName; 9] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::UPGRADE,
    header::TE,
    header::TRAILER,
    header::EXPECT,
    header::PROXY_AUTHORIZATION,
];

/// Host, port and transport of a URL that may be called at all.
pub(super) fn target(url: &Url) -> Result<(Host, u16, Transport), CallError> {
    let transport = match url.scheme() {
        "https" => Transport::Tls,
        "http" => Transport::Plain,
        _ => return Err(Refusal::Scheme.into()),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refusal::Credentials.into());
    }
    let host = url.host().ok_or(CallError::Invalid("the URL has no host"))?.to_owned();
    let port = url.port_or_known_default().ok_or(CallError::Invalid("the URL has no port"))?;
    Ok((host, port, transport))
}

/// The message to send. Neither errors nor logs get to see what is in it.
pub(super) fn request(call: &Call, url: &Url, host: &Host) -> Result<Request<Full<Bytes>>, CallError> {
    let method = Method::from_bytes(call.method.as_bytes())
        .map_err(|_| CallError::Invalid("the method is not a word"))?;
    let path_and_query = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let authority = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_string(),
    };
    let mut request = Request::builder()
        .method(method)
        .uri(path_and_query)
        .header(header::HOST, authority)
        .header(header::CONNECTION, "close")
        .body(Full::new(call.body.clone()))
        .map_err(|_| CallError::Invalid("the URL cannot be sent"))?;
    let headers = request.headers_mut();
    for (name, value) in &call.headers {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| CallError::Invalid("a header's name is not a word"))?;
        let mut value = HeaderValue::from_str(value)
            .map_err(|_| CallError::Invalid("a header's value cannot be sent"))?;
        if OURS.contains(&name) {
            return Err(CallError::Invalid("a header is set that only the connection may set"));
        }
        value.set_sensitive(true);
        headers.append(name, value);
    }
    headers.entry(header::USER_AGENT).or_insert(HeaderValue::from_static(USER_AGENT));
    Ok(request)
}

/// TLS by the name that was asked for, whatever address it led to.
pub(super) async fn secure(
    config: &Arc<ClientConfig>,
    host: &Host,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, CallError> {
    let name = match host {
        Host::Domain(name) => ServerName::try_from(name.trim_end_matches('.').to_owned())
            .map_err(|_| CallError::Invalid("the host is not a name that TLS knows"))?,
        Host::Ipv4(v4) => ServerName::from(std::net::IpAddr::V4(*v4)),
        Host::Ipv6(v6) => ServerName::from(std::net::IpAddr::V6(*v6)),
    };
    let connector = TlsConnector::from(Arc::clone(config));
    connector.connect(name, stream).await.map_err(|error| dial::unreachable(host, &error))
}

/// Sends the request and takes the answer in, until the deadline.
pub(super) async fn run<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    request: Request<Full<Bytes>>,
    deadline: Instant,
    body_max: usize,
) -> Result<Answer, CallError> {
    let exchange = async {
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(HEAD_BYTES_MAX)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| protocol(&error))?;
        let answer = async {
            let response = sender.send_request(request).await.map_err(|error| protocol(&error))?;
            take_in(response, body_max).await
        };
        let mut answer = pin!(answer);
        // The connection does the work; what breaks it also reaches the answer.
        tokio::select! {
            done = &mut answer => done,
            _ = connection => answer.await,
        }
    };
    timeout_at(deadline, exchange).await.unwrap_or(Err(CallError::TimedOut { sent: true }))
}

async fn take_in(response: Response<Incoming>, body_max: usize) -> Result<Answer, CallError> {
    let (head, mut incoming) = response.into_parts();
    let too_large = CallError::TooLarge { limit: body_max };
    // Only a promise, but one that is too large already need not be kept.
    let promised = incoming.size_hint().lower();
    if usize::try_from(promised).is_ok_and(|promised| promised > body_max) {
        return Err(too_large);
    }
    let mut body = BytesMut::new();
    while let Some(frame) = incoming.frame().await {
        let Ok(data) = frame.map_err(|error| protocol(&error))?.into_data() else {
            continue;
        };
        if data.len() > body_max.saturating_sub(body.len()) {
            return Err(too_large);
        }
        body.extend_from_slice(&data);
    }
    Ok(Answer { status: head.status, headers: head.headers, body: body.freeze() })
}

/// hyper's errors name what went wrong and never what was sent; the cause says more than they do.
fn protocol(error: &hyper::Error) -> CallError {
    use std::error::Error;
    let why = match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    };
    CallError::Protocol { why }
}
