//! The network of these tests: every name leads to one address on this machine, and waiting
//! takes no time but is written down.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use kernel::Span;
use stores::{HttpAnswer, HttpCall, Network, NetworkError};

pub struct TestNetwork {
    address: SocketAddr,
    runtime: tokio::runtime::Runtime,
    seen: Mutex<Vec<String>>,
    pauses: Mutex<Vec<Span>>,
}

impl TestNetwork {
    pub fn to(address: SocketAddr) -> Arc<Self> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Arc::new(Self { address, runtime, seen: Mutex::default(), pauses: Mutex::default() })
    }

    /// `METHOD path` of the calls so far.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    pub fn pauses(&self) -> Vec<Span> {
        self.pauses.lock().unwrap().clone()
    }

    /// What a browser makes of a URL.
    pub fn get(&self, url: &str) -> HttpAnswer {
        let call = HttpCall {
            method: "GET",
            url: kernel::Secret::new(url.to_owned()),
            headers: Vec::new(),
            body: bytes::Bytes::new(),
            deadline: Span::seconds(10),
            body_max: 128 << 20,
        };
        self.call(&call).unwrap()
    }

    async fn exchange(&self, call: &HttpCall) -> Result<HttpAnswer, String> {
        let url: hyper::Uri = call.url.expose().parse().map_err(|error| format!("{error}"))?;
        let stream = tokio::net::TcpStream::connect(self.address).await.map_err(|error| error.to_string())?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| error.to_string())?;
        self.runtime.spawn(connection);
        let mut request = hyper::Request::builder()
            .method(call.method)
            .uri(url.path_and_query().unwrap().as_str())
            .header("host", url.authority().unwrap().as_str());
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(call.body.clone())).unwrap();
        let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let (head, body) = response.into_parts();
        let body = http_body_util::Limited::new(body, call.body_max);
        let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        let header = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
            (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned())
        };
        Ok(HttpAnswer {
            status: head.status.as_u16(),
            headers: head.headers.iter().map(header).collect(),
            body,
        })
    }
}

impl Network for TestNetwork {
    fn call(&self, call: &HttpCall) -> Result<HttpAnswer, NetworkError> {
        let url = call.url.expose();
        let path =
            url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
        let path = path.split('?').next().unwrap_or_default();
        self.seen.lock().unwrap().push(format!("{} /{path}", call.method));
        let within = async { tokio::time::timeout(call.deadline.to_std(), self.exchange(call)).await };
        let answer = self.runtime.block_on(within);
        answer.unwrap_or_else(|_| Err("no answer in time".to_owned())).map_err(NetworkError::Failed)
    }

    fn pause(&self, span: Span) {
        self.pauses.lock().unwrap().push(span);
    }
}
