//! A bucket and how calls to it are written and signed.

use std::collections::BTreeMap;

use bytes::Bytes;
use kernel::{Secret, Span, Timestamp};
use rusty_s3::{Bucket, Credentials, Method};
use url::Url;

use super::network::HttpCall;
use crate::{Sha256, StoreError};

/// Where a bucket is, and who we are there.
#[derive(Debug, Clone)]
pub struct S3Config {
    /// How messages name the store.
    pub name: String,
    /// `https://s3.eu-central-1.amazonaws.com`, without the bucket.
    pub endpoint: String,
    /// As the store's documentation says; `us-east-1` where it has none.
    pub region: String,
    /// The bucket's name.
    pub bucket: String,
    /// How the bucket stands in the URL.
    pub style: UrlStyle,
    /// What stands before our keys, like `shop/`; may be empty.
    pub prefix: String,
    /// The access key's public half.
    pub key_id: String,
    /// The access key's secret half.
    pub secret: Secret<String>,
    /// Whether `x-amz-checksum-sha256` goes along with what is stored.
    pub checksums: Checksums,
}

/// How a bucket stands in the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlStyle {
    /// `https://endpoint/bucket/key`
    Path,
    /// `https://bucket.endpoint/key`
    VirtualHost,
}

/// Whether a store is told the SHA-256 of what it shall keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksums {
    /// Told: the store itself refuses what arrives damaged.
    Sent,
    /// For the few stores that refuse the header.
    Left,
}

/// What is asked of a bucket, before it is signed.
pub(super) struct Ask<'a> {
    pub method: Method,
    /// The key; `None` asks the bucket itself.
    pub object: Option<&'a str>,
    pub query: BTreeMap<&'static str, String>,
    /// Names in lower case. All of them are signed.
    pub headers: BTreeMap<&'static str, String>,
    pub body: Bytes,
    pub body_max: usize,
}

impl<'a> Ask<'a> {
    pub(super) fn new(method: Method, object: Option<&'a str>) -> Self {
        let (query, headers) = (BTreeMap::new(), BTreeMap::new());
        Self { method, object, query, headers, body: Bytes::new(), body_max: XML_MAX }
    }

    pub(super) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.insert(name, value.into());
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.insert(name, value.into());
        self
    }

    pub(super) fn body(mut self, body: Bytes) -> Self {
        self.body = body;
        self
    }

    fn deadline(&self) -> Span {
        let seconds = self.body.len().max(self.body_max) / BYTES_PER_SECOND_MIN;
        Span::seconds(DEADLINE.as_seconds().saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX)))
    }

    pub(super) fn at_most(mut self, body_max: usize) -> Self {
        self.body_max = body_max;
        self
    }
}

/// Of lists and errors: a thousand keys take some 400 KiB.
const XML_MAX: usize = 4 << 20;
/// For how long a call's signature is good; the store looks at it when the call arrives.
const SIGNATURE_VALID: Span = Span::minutes(15);
/// For a call without content.
const DEADLINE: Span = Span::seconds(15);
/// And for its content, a second for each of these: a slower line is taken for a broken one.
const BYTES_PER_SECOND_MIN: usize = 128 << 10;

/// The bucket, ready to sign for.
pub(super) struct Signer {
    bucket: Bucket,
    credentials: Credentials,
    prefix: String,
}

impl Signer {
    pub(super) fn new(config: &S3Config) -> Result<Self, StoreError> {
        let unfit = |why: String| StoreError::Unfit { path: format!("store {}", config.name), why };
        let endpoint = Url::parse(&config.endpoint)
            .map_err(|error| unfit(format!("its endpoint {:?} is not a URL: {error}", config.endpoint)))?;
        if !prefix_is_plain(&config.prefix) {
            let why = "has a prefix that is neither empty nor like shop/files/; use letters, digits, - and _";
            return Err(unfit(why.to_owned()));
        }
        let style = match config.style {
            UrlStyle::Path => rusty_s3::UrlStyle::Path,
            UrlStyle::VirtualHost => rusty_s3::UrlStyle::VirtualHost,
        };
        let bucket = Bucket::new(endpoint, style, config.bucket.clone(), config.region.clone())
            .map_err(|error| unfit(format!("has an endpoint that cannot be used: {error}")))?;
        let credentials = Credentials::new(config.key_id.clone(), config.secret.expose().clone());
        Ok(Self { bucket, credentials, prefix: config.prefix.clone() })
    }

    /// Scheme, host and port of our URLs.
    pub(super) fn origin(&self) -> String {
        self.bucket.base_url().origin().ascii_serialization()
    }

    /// The key of a blob: `sha256/ab/<64 digits>`, as in a folder.
    pub(super) fn key(&self, sha256: &Sha256) -> String {
        format!("{}{sha256}", self.shelf(sha256.shelf()))
    }

    /// What the keys of a shelf begin with.
    pub(super) fn shelf(&self, shelf: u8) -> String {
        format!("{}{}/", self.root(), hex::encode([shelf]))
    }

    /// What all our keys begin with.
    pub(super) fn root(&self) -> String {
        format!("{}sha256/", self.prefix)
    }

    pub(super) fn call(&self, ask: &Ask<'_>, now: Timestamp) -> HttpCall {
        HttpCall {
            method: ask.method.to_str(),
            url: self.sign(ask, now, SIGNATURE_VALID),
            headers: ask.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            body: ask.body.clone(),
            deadline: ask.deadline(),
            body_max: ask.body_max,
        }
    }

    pub(super) fn sign(&self, ask: &Ask<'_>, now: Timestamp, valid: Span) -> Secret<String> {
        let url = match ask.object {
            Some(key) => self.bucket.object_url(key),
            None => self.bucket.base_url().clone(),
        };
        let signed = rusty_s3::signing::sign(
            &now.to_jiff(),
            ask.method,
            url,
            self.credentials.key(),
            self.credentials.secret(),
            self.credentials.token(),
            self.bucket.region(),
            valid.as_seconds().unsigned_abs(),
            ask.query.iter().map(|(name, value)| (*name, value.as_str())),
            ask.headers.iter().map(|(name, value)| (*name, value.as_str())),
        );
        Secret::new(signed.into())
    }
}

/// Dots are left out altogether: a URL would resolve `..` and end in another folder.
fn prefix_is_plain(prefix: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    prefix.is_empty() || prefix.strip_suffix('/').is_some_and(|path| path.split('/').all(plain))
}
