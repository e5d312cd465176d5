//! Another system on this machine that gets requests of the shop's, and answers as a test says.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// A request that it got.
#[derive(Debug, Clone)]
pub struct Asked {
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// The other system.
#[derive(Debug, Clone)]
pub struct Partner {
    pub port: u16,
    seen: Arc<Mutex<Vec<Asked>>>,
    answers: Arc<Mutex<VecDeque<(u16, String)>>>,
}

impl Partner {
    pub fn start(runtime: &Runtime) -> Self {
        let (seen, answers) = (Arc::default(), Arc::default());
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let partner = Self { port, seen, answers };
        let router = Router::new().fallback(answer).with_state(partner.clone());
        runtime.spawn(async move { axum::serve(listener, router).await });
        partner
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// What it answers next, and after that nothing with 500.
    pub fn answers(&self, status: u16, body: &str) {
        self.answers.lock().expect("nobody panicked").push_back((status, body.to_owned()));
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.seen.lock().expect("nobody panicked").clone()
    }
}

async fn answer(State(partner): State<Partner>, headers: HeaderMap, body: Bytes) -> (StatusCode, String) {
    partner.seen.lock().expect("nobody panicked").push(Asked { headers, body: body.to_vec() });
    let next = partner.answers.lock().expect("nobody panicked").pop_front();
    let (status, body) = next.unwrap_or((500, String::new()));
    (StatusCode::from_u16(status).expect("a status"), body)
}
