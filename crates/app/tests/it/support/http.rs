//! Requests to the router, without a network.

use std::cell::RefCell;
use std::collections::BTreeMap;

use axum::body::Body;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::TestApp;
use super::jobs::wait_until_none_runs;

/// As many requests are truly at work at once.
const THREADS: usize = 8;

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// Why the body broke off, if it did.
    pub broken: Option<String>,
}

impl Reply {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Where it redirects to.
    pub fn location(&self) -> &str {
        self.header("location")
    }
}

impl TestApp {
    /// One request, answered whole.
    pub fn request(&self, request: Request<Body>) -> Reply {
        self.tick();
        self.block_on(answer(self.program.clone(), request))
    }

    /// One request to a process that was just started on the same database.
    pub fn request_after_restart(&self, request: Request<Body>) -> Reply {
        self.tick();
        self.block_on(answer(app::web::program(self.app.clone()), request))
    }

    /// Requests that are all under way at the same time.
    pub fn requests_at_once(&self, requests: Vec<Request<Body>>) -> Vec<Reply> {
        self.block_on(async {
            let mut running = tokio::task::JoinSet::new();
            for request in requests {
                running.spawn(answer(self.program.clone(), request));
            }
            running.join_all().await
        })
    }

    /// Requests that run on several threads at the same time, and with them what they hand over.
    pub fn requests_in_parallel(&self, requests: Vec<Request<Body>>) -> Vec<Reply> {
        let threads =
            tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build();
        let threads = threads.expect("threads");
        self.tick();
        let running: Vec<_> = requests
            .into_iter()
            .map(|request| threads.spawn(answer(self.program.clone(), request)))
            .collect();
        // The simulated PayPal lives on the test's own thread, which goes on meanwhile.
        let replies = self.block_on(async {
            let mut replies = Vec::new();
            for reply in running {
                replies.push(reply.await.expect("an answer"));
            }
            wait_until_none_runs(&self.app).await;
            replies
        });
        threads.shutdown_background();
        replies
    }

    /// The answer's head with its body still to come, for tests that read it bit by bit.
    pub fn begin_request(&self, request: Request<Body>) -> http::Response<Body> {
        self.tick();
        let answered = self.block_on(self.program.clone().oneshot(request));
        answered.expect("the router answers")
    }

    /// `GET` without cookies.
    pub fn get(&self, path: &str) -> Reply {
        self.request(Request::get(path).body(Body::empty()).expect("a request"))
    }

    /// `POST` of a form without cookies.
    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.request(form(path, fields).body(Body::from(encode(fields))).expect("a request"))
    }

    /// A visitor with a browser.
    pub fn visitor(&self) -> Visitor<'_> {
        Visitor { app: self, cookies: RefCell::default(), csrf: RefCell::default() }
    }
}

/// Keeps cookies, and posts the hidden token of the page it saw last.
pub struct Visitor<'a> {
    app: &'a TestApp,
    cookies: RefCell<BTreeMap<String, String>>,
    csrf: RefCell<String>,
}

impl Visitor<'_> {
    /// `GET`, without following redirects.
    pub fn get(&self, path: &str) -> Reply {
        let request = Request::get(path).header(header::COOKIE, self.cookie_line());
        self.see(self.app.request(request.body(Body::empty()).expect("a request")))
    }

    /// `POST` of a form with the token of the last page.
    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let token = self.csrf.borrow().clone();
        let fields: Vec<(&str, &str)> =
            std::iter::once(("_csrf", token.as_str())).chain(fields.iter().copied()).collect();
        let request = form(path, &fields).header(header::COOKIE, self.cookie_line());
        self.see(self.app.request(request.body(Body::from(encode(&fields))).expect("a request")))
    }

    /// The hidden token of the page that was seen last.
    pub fn token(&self) -> String {
        self.csrf.borrow().clone()
    }

    /// Sends a request of this visitor, and looks at the answer.
    pub fn send(&self, request: Request<Body>) -> Reply {
        self.see(self.app.request(request))
    }

    /// A cookie that the shop has set.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.borrow().get(name).cloned()
    }

    /// Sets a cookie, as a test of fixation would.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.borrow_mut().insert(name.to_owned(), value.to_owned());
    }

    /// The cookies as a request carries them.
    pub fn cookie_line(&self) -> String {
        let cookies = self.cookies.borrow();
        cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn see(&self, reply: Reply) -> Reply {
        for line in reply.headers.get_all(header::SET_COOKIE) {
            let pair = line.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.borrow_mut().insert(name.to_owned(), value.to_owned());
            }
        }
        let text = reply.text();
        let hidden = text.split("name=\"_csrf\"").nth(1).and_then(|rest| rest.split("value=\"").nth(1));
        if let Some(token) = hidden.and_then(|rest| rest.split('"').next()) {
            *self.csrf.borrow_mut() = token.to_owned();
        }
        reply
    }
}

fn form(path: &str, _: &[(&str, &str)]) -> http::request::Builder {
    Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
}

fn encode(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

async fn answer(program: app::web::Program, request: Request<Body>) -> Reply {
    let response = program.oneshot(request).await.expect("the router answers");
    let (parts, mut body) = response.into_parts();
    let (mut bytes, mut broken) = (Vec::new(), None);
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => bytes.extend(frame.into_data().unwrap_or_default()),
            Err(error) => {
                broken = Some(error.to_string());
                break;
            }
        }
    }
    Reply { status: parts.status, headers: parts.headers, body: bytes, broken }
}
