//! Posting notifications: plain HTTP to loopback addresses, as PayPal would over the internet.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};

use crate::outbox::Answer;

/// How PayPal names itself.
const USER_AGENT: &str = "PayPal IPN ( https://www.paypal.com/ipn )";
const ANSWER_BYTES_MAX: usize = 64 * 1024;
const ANSWER_CHARS_SHOWN: usize = 200;

/// Posts the body and waits at most so long for what the shop says.
pub(crate) async fn post(url: &str, body: Vec<u8>, answer_within: Duration) -> Answer {
    match tokio::time::timeout(answer_within, exchange(url, body)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(why)) => Answer::Unreachable(why),
        Err(_) => Answer::TimedOut,
    }
}

async fn exchange(url: &str, body: Vec<u8>) -> Result<Answer, String> {
    let url: Uri = url.parse().map_err(|wrong| format!("{url} is no address: {wrong}"))?;
    let authority = url.authority().ok_or("the address names no host")?;
    let stream = connect(&url).await?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|broken| format!("no HTTP: {broken}"))?;
    // It ends by itself when the sender is dropped.
    tokio::spawn(connection);
    let request = Request::post(url.path_and_query().map_or("/", |path| path.as_str()))
        .header(header::HOST, authority.as_str())
        .header(header::USER_AGENT, USER_AGENT)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::CONNECTION, "close")
        .body(Full::new(Bytes::from(body)))
        .map_err(|wrong| wrong.to_string())?;
    let response = sender.send_request(request).await.map_err(|broken| format!("no answer: {broken}"))?;
    let status = response.status().as_u16();
    // The status is the receipt; what else is said is only shown.
    let said = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    let said = said.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let text = String::from_utf8_lossy(&said).chars().take(ANSWER_CHARS_SHOWN).collect();
    Ok(Answer::Status { status, text })
}

async fn connect(url: &Uri) -> Result<TcpStream, String> {
    if url.scheme_str() != Some("http") {
        return Err("the simulator only speaks plain http".to_owned());
    }
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
    let found = lookup_host((host, url.port_u16().unwrap_or(80)))
        .await
        .map_err(|unknown| format!("{host}: {unknown}"))?;
    let near: Vec<SocketAddr> = found.filter(|address| address.ip().is_loopback()).collect();
    if near.is_empty() {
        return Err(format!("{host} is not on this machine, and the simulator posts nowhere else"));
    }
    TcpStream::connect(near.as_slice()).await.map_err(|refused| refused.to_string())
}
