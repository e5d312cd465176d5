//! The API's document, OpenAPI 3.1, made from the endpoints.

use std::collections::BTreeMap;

use http::Method;
use utoipa::openapi::path::{PathItem, Paths};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, HttpMethod, InfoBuilder, OpenApiBuilder, Server};

use super::describe::{SECURITY, problem_schemas};
use super::endpoint::Endpoint;

const TITLE: &str = "Handsel";
/// Of the API, not of the program: new things come without a new number.
const VERSION: &str = "1";
const DESCRIPTION: &str = "Products, orders and what belongs to them, for programs. Every request carries \
    `Authorization: Bearer hsk_...`; the key says for which merchant it acts and what it may do. Refusals are \
    `application/problem+json` with a stable `code`. Unknown fields and parameters are refused. Lists come in \
    parts: send `next` as `after`. Clients must ignore fields that they do not know in answers.";

/// The document as JSON text.
pub fn document(endpoints: &[Endpoint]) -> String {
    let mut paths = Paths::new();
    let mut components = Components::new();
    let mut schemas: BTreeMap<_, _> = problem_schemas().into_iter().collect();
    for endpoint in endpoints {
        let described = &endpoint.described;
        let operation = described.operation.clone();
        let item = PathItem::new(method(&endpoint.method), operation);
        match paths.paths.get_mut(endpoint.at.path) {
            Some(known) => known.merge_operations(item),
            None => drop(paths.paths.insert(endpoint.at.path.to_owned(), item)),
        }
        schemas.extend(described.schemas.iter().cloned());
    }
    components.schemas = schemas.into_iter().collect();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("hsk_...")
        .description(Some("An API key, made in the back office or by the shell, shown once."));
    components.add_security_scheme(SECURITY, SecurityScheme::Http(bearer.build()));
    let info = InfoBuilder::new().title(TITLE).version(VERSION).description(Some(DESCRIPTION)).build();
    let document = OpenApiBuilder::new()
        .info(info)
        .servers(Some([Server::new("/")]))
        .paths(paths)
        .components(Some(components))
        .build();
    document.to_pretty_json().unwrap_or_default()
}

const fn method(method: &Method) -> HttpMethod {
    match *method {
        Method::POST => HttpMethod::Post,
        Method::PUT => HttpMethod::Put,
        Method::PATCH => HttpMethod::Patch,
        Method::DELETE => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}
