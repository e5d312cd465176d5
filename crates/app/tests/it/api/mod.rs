//! The JSON API, as programs meet it.

mod authorization;
mod document;
mod idempotency;
mod keys;
mod lists;
mod notices;
mod orders;
mod products;
mod reading;
mod uploads;

use app::api_keys::{self, Scope, Scopes};
use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use kernel::{ApiKeyId, MerchantId};
use serde_json::Value;

use crate::support::{Reply, Shop, TestApp};

/// A program with an API key.
pub struct Program<'a> {
    t: &'a TestApp,
    pub id: ApiKeyId,
    pub key: String,
}

/// A JSON answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub json: Value,
    pub reply: Reply,
}

impl Answer {
    fn of(reply: Reply) -> Self {
        let json = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
        Self { status: reply.status, json, reply }
    }

    /// The stable word of a refusal.
    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }

    /// What must have gone well.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, self.reply.text());
        self.json
    }

    /// The ids on a page.
    pub fn ids(&self) -> Vec<String> {
        let items = self.json["items"].as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item["id"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

impl TestApp {
    /// A program of the first merchant's that may do everything.
    pub fn program(&self) -> Program<'_> {
        self.program_with(&Scopes::all())
    }

    /// A program of the first merchant's with these scopes.
    pub fn program_with(&self, scopes: &Scopes) -> Program<'_> {
        self.program_for(self.shop.merchant.id, scopes)
    }

    /// A program of another merchant's that may do everything.
    pub fn program_at(&self, shop: &Shop) -> Program<'_> {
        self.program_for(shop.merchant.id, &Scopes::all())
    }

    fn program_for(&self, merchant: MerchantId, scopes: &Scopes) -> Program<'_> {
        let scopes = scopes.clone();
        let made = self.write_for(merchant, move |cx| api_keys::flow::create(cx, "tests", &scopes));
        let (key, text) = made.expect("a key is made");
        Program { t: self, id: key.id, key: text.expose().clone() }
    }
}

/// All scopes but one.
pub fn all_but(scope: Scope) -> Scopes {
    Scope::ALL.iter().copied().filter(|other| *other != scope).collect()
}

impl Program<'_> {
    /// A request with this program's key.
    pub fn request(&self, method: Method, path: &str) -> http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.key))
    }

    pub fn send(&self, request: Request<Body>) -> Answer {
        Answer::of(self.t.request(request))
    }

    pub fn bare(&self, method: Method, path: &str) -> Answer {
        self.send(self.request(method, path).body(Body::empty()).expect("a request"))
    }

    pub fn get(&self, path: &str) -> Answer {
        self.bare(Method::GET, path)
    }

    /// A request with a JSON body.
    pub fn json_request(&self, method: Method, path: &str, body: &Value) -> Request<Body> {
        let request = self.request(method, path).header(header::CONTENT_TYPE, "application/json");
        request.body(Body::from(body.to_string())).expect("a request")
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.json_request(Method::POST, path, body))
    }

    pub fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(self.json_request(Method::PATCH, path, body))
    }

    pub fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(self.json_request(Method::PUT, path, body))
    }

    /// A POST with an `Idempotency-Key`.
    pub fn post_once(&self, path: &str, key: &str, body: &Value) -> Answer {
        self.send(self.once_request(path, key, body))
    }

    pub fn once_request(&self, path: &str, key: &str, body: &Value) -> Request<Body> {
        let mut request = self.json_request(Method::POST, path, body);
        let key = http::HeaderValue::from_str(key).expect("a header's value");
        request.headers_mut().insert("idempotency-key", key);
        request
    }

    /// A POST of text that claims to be JSON.
    pub fn post_text(&self, path: &str, text: &str) -> Answer {
        let request = self.request(Method::POST, path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(text.to_owned())).expect("a request"))
    }

    /// A file that is put.
    pub fn upload(&self, path: &str, content: &[u8]) -> Answer {
        let request =
            self.request(Method::PUT, path).header(header::CONTENT_TYPE, "application/octet-stream");
        self.send(request.body(Body::from(content.to_vec())).expect("a request"))
    }
}
