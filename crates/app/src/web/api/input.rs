//! Reading requests: path, query, body. What is unknown is refused, never ignored, so that a
//! misspelled filter or field cannot pass for one that had an effect.

use std::str::FromStr;

use axum::body::{Body, to_bytes};
use bytes::Bytes;
use http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::answer::Fault;
use crate::problem::{Code, Problem};
use crate::web::BODY_BYTES_MAX;

/// What stands in a path's braces.
pub trait PathArgs: Sized + Send + Sync + 'static {
    /// Reads the decoded parts. What cannot be an id of this kind names nothing.
    fn read(parts: &[String]) -> Option<Self>;
    /// The form of each part.
    fn schemas() -> Vec<RefOr<Schema>>;
}

impl PathArgs for () {
    fn read(parts: &[String]) -> Option<Self> {
        parts.is_empty().then_some(())
    }
    fn schemas() -> Vec<RefOr<Schema>> {
        Vec::new()
    }
}

macro_rules! path_args {
    ($($type:ty),* $(,)?) => {$(
        impl PathArgs for $type {
            fn read(parts: &[String]) -> Option<Self> {
                let [part] = parts else { return None };
                part.parse().ok()
            }
            fn schemas() -> Vec<RefOr<Schema>> {
                vec![<$type as PartialSchema>::schema()]
            }
        }
    )*};
}
path_args!(
    kernel::UploadId,
    kernel::ConnectionId,
    kernel::CustomerId,
    kernel::InvoiceId,
    kernel::MessageId,
    kernel::NoticeId,
    kernel::OrderId,
    kernel::ProductId,
    kernel::ReviewId,
);

impl<A, B> PathArgs for (A, B)
where
    A: FromStr + PartialSchema + Send + Sync + 'static,
    B: FromStr + PartialSchema + Send + Sync + 'static,
{
    fn read(parts: &[String]) -> Option<Self> {
        let [first, second] = parts else { return None };
        Some((first.parse().ok()?, second.parse().ok()?))
    }
    fn schemas() -> Vec<RefOr<Schema>> {
        vec![A::schema(), B::schema()]
    }
}

/// A property of a query's or body's type.
pub struct Property {
    /// Its name.
    pub name: String,
    /// Its form.
    pub schema: RefOr<Schema>,
    /// Whether it may not be left out.
    pub required: bool,
}

/// The properties of a type that is an object.
pub fn properties<T: PartialSchema>() -> Vec<Property> {
    let RefOr::T(Schema::Object(object)) = T::schema() else { return Vec::new() };
    let required = |name: &String| object.required.contains(name);
    let property = |(name, schema): (&String, &RefOr<Schema>)| Property {
        name: name.clone(),
        schema: schema.clone(),
        required: required(name),
    };
    object.properties.iter().map(property).collect()
}

/// Most items on a page.
pub const LIMIT_MAX: u32 = 100;
/// Items on a page unless asked otherwise.
pub const LIMIT_DEFAULT: u32 = 25;

/// Which part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paging<C> {
    /// Behind which item; from the beginning without.
    pub after: Option<C>,
    /// How many items.
    pub limit: u32,
}

impl<C> Paging<C> {
    /// One more than is shown: it tells whether there is a next page.
    pub const fn rows(&self) -> u32 {
        self.limit + 1
    }
}

/// The pairs of a query, each name once.
#[derive(Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query.
    pub fn read(text: &str) -> Result<Self, Fault> {
        let pairs: Vec<(String, String)> =
            url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        for (place, (name, value)) in pairs.iter().enumerate() {
            if pairs.iter().take(place).any(|(before, _)| before == name) {
                return Err(Fault::parameter(&shown(name), format!("\"{}\" is given twice", shown(name))));
            }
            if value.contains(['\0', char::REPLACEMENT_CHARACTER]) {
                return Err(Fault::parameter(&shown(name), "this is not text in UTF-8"));
            }
        }
        Ok(Self(pairs))
    }

    /// Takes `limit` and `after` out.
    pub fn take_paging<C: FromStr>(&mut self) -> Result<Paging<C>, Fault> {
        let mut take = |name: &str| {
            let place = self.0.iter().position(|(given, _)| given == name)?;
            Some(self.0.remove(place).1)
        };
        let limit = take("limit").map(|text| {
            let plain = text.bytes().all(|byte| byte.is_ascii_digit());
            let limit = text.parse::<u32>().ok().filter(|limit| plain && (1..=LIMIT_MAX).contains(limit));
            limit.ok_or_else(|| Fault::parameter("limit", format!("a limit is 1 to {LIMIT_MAX}")))
        });
        let after = take("after").map(|text| {
            let text = text.parse::<C>().map_err(drop);
            text.map_err(|()| Fault::parameter("after", "send what an answer gave as \"next\", unchanged"))
        });
        Ok(Paging { limit: limit.transpose()?.unwrap_or(LIMIT_DEFAULT), after: after.transpose()? })
    }

    /// What is left, as a type.
    pub fn into<Q: DeserializeOwned + ToSchema>(self) -> Result<Q, Fault> {
        let known = properties::<Q>();
        if let Some((name, _)) = self.0.iter().find(|(name, _)| known.iter().all(|p| p.name != *name)) {
            let names: Vec<&str> = known.iter().map(|property| property.name.as_str()).collect();
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let text = format!("there is no parameter \"{}\" here; known are: {known}", shown(name));
            return Err(Fault::parameter(&shown(name), text));
        }
        let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish();
        let pairs = url::form_urlencoded::parse(text.as_bytes());
        serde_path_to_error::deserialize(serde_html_form::Deserializer::new(pairs))
            .map_err(|error| Fault::parameter(&error.path().to_string(), error.inner().to_string()))
    }
}

/// Cut to a length that can be shown.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(40).collect()
}

/// Reads a body that must be there.
pub async fn read_json<B: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<(B, Bytes), Fault> {
    let bytes = read_bytes(body).await?;
    require_json(headers)?;
    parse(&bytes).map(|parsed| (parsed, bytes))
}

/// Reads a body that says nothing: none at all, or `{}`.
pub async fn read_nothing<B: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<(B, Bytes), Fault> {
    let bytes = read_bytes(body).await?;
    if bytes.is_empty() {
        return parse(b"{}").map(|parsed| (parsed, bytes));
    }
    require_json(headers)?;
    parse(&bytes).map(|parsed| (parsed, bytes))
}

/// Refuses what only looks like the bytes of a file: a form around it, or a compression that
/// the buyer would download.
pub fn require_file(headers: &HeaderMap) -> Result<(), Fault> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let form = ["multipart/", "application/x-www-form-urlencoded"];
    if form.iter().any(|form| kind.to_ascii_lowercase().starts_with(form)) || is_encoded(headers) {
        let text = "send the bytes of the file as they are, as \"Content-Type: application/octet-stream\"";
        return Err(Problem::new(Code::UnsupportedMediaType, text).into());
    }
    Ok(())
}

fn is_encoded(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_ENCODING).is_some_and(|value| value != "identity")
}

async fn read_bytes(body: Body) -> Result<Bytes, Fault> {
    let too_large = |_| Problem::new(Code::TooLarge, "a request has at most 1 MiB").into();
    to_bytes(body, BODY_BYTES_MAX).await.map_err(too_large)
}

fn require_json(headers: &HeaderMap) -> Result<(), Fault> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (essence, rest) = kind.split_once(';').unwrap_or((kind, ""));
    let plain = rest.trim().is_empty() || rest.trim().eq_ignore_ascii_case("charset=utf-8");
    if !essence.trim().eq_ignore_ascii_case("application/json") || !plain || is_encoded(headers) {
        let text = "send the body as \"Content-Type: application/json\", in UTF-8 and not compressed";
        return Err(Problem::new(Code::UnsupportedMediaType, text).into());
    }
    Ok(())
}

fn parse<B: DeserializeOwned>(bytes: &[u8]) -> Result<B, Fault> {
    if holds_nul(bytes) {
        return Err(Fault::malformed("the character U+0000 cannot stand in a text"));
    }
    let mut from = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut from).map_err(|error| {
        let path = json_pointer(error.path());
        let text = format!("the body cannot be read: {}", error.inner());
        if path.is_empty() { Fault::malformed(text) } else { Fault::at(&path, text) }
    })?;
    from.end()
        .map_err(|error| Fault::malformed(format!("the body has something behind its end: {error}")))?;
    Ok(parsed)
}

/// The databases' texts cannot hold U+0000, which JSON writes as an escape.
fn holds_nul(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let escape = rest.get(at + 1..).unwrap_or_default();
        if escape.starts_with(b"u0000") {
            return true;
        }
        rest = escape.get(1..).unwrap_or_default();
    }
    false
}

fn json_pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        let part = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => key.replace('~', "~0").replace('/', "~1"),
            Segment::Enum { variant } => variant.clone(),
            Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&part);
    }
    pointer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_is_found_only_where_it_is_one() {
        assert!(holds_nul(br#"{"a":"\u0000"}"#));
        assert!(holds_nul(br#"{"a":"\\\u0000"}"#));
        assert!(!holds_nul(br#"{"a":"\\u0000"}"#));
        assert!(!holds_nul(br#"{"a":"\"u0000"}"#));
        assert!(!holds_nul(br#"{"a":"x\"#));
    }

    #[test]
    fn a_pair_that_comes_twice_is_refused() {
        assert!(Query::read("limit=1&after=x").is_ok());
        assert!(Query::read("limit=1&limit=2").is_err());
        assert!(Query::read("email=%00").is_err());
        assert!(Query::read("email=%ff").is_err());
    }
}
