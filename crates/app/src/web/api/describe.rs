//! How an endpoint appears in the document, by its types.

use http::{Method, StatusCode};
use utoipa::openapi::path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{
    ArrayBuilder, Content, HeaderBuilder, ObjectBuilder, Ref, RefOr, Required, Response, ResponseBuilder,
    Schema, Type,
};
use utoipa::{PartialSchema, ToSchema};

use super::answer::ProblemView;
use super::caller::Access;
use super::endpoint::{At, Sent, idempotency_key};
use super::input::{LIMIT_DEFAULT, LIMIT_MAX, PathArgs, properties};
use crate::idempotency::KEY_LENGTH_MAX;

/// The name of the security scheme.
pub const SECURITY: &str = "api_key";

/// An endpoint's part of the document.
pub struct Described {
    /// What is said of it.
    pub operation: Operation,
    /// The types that it names.
    pub schemas: Vec<(String, RefOr<Schema>)>,
}

/// A list, in parts.
pub fn list<P: PathArgs, Q: ToSchema, A: ToSchema>(at: At) -> Described {
    let mut schemas = Vec::new();
    let name = format!("{}Page", A::name());
    let page = ObjectBuilder::new()
        .description(Some("Part of a list."))
        .property("items", ArrayBuilder::new().items(reference::<A>(&mut schemas)))
        .required("items")
        .property("next", nullable_text("What to send as `after` for the next part; `null` at the end."))
        .required("next");
    schemas.push((name.clone(), page.into()));
    let mut operation = begin::<P>(at).response("200", answer(Ref::from_schema_name(name).into()));
    Q::schemas(&mut schemas);
    for property in properties::<Q>() {
        operation = operation.parameter(
            ParameterBuilder::new()
                .name(property.name)
                .parameter_in(ParameterIn::Query)
                .required(if property.required { Required::True } else { Required::False })
                .schema(Some(property.schema)),
        );
    }
    for parameter in paging() {
        operation = operation.parameter(parameter);
    }
    Described { operation: operation.build(), schemas }
}

/// One thing.
pub fn get<P: PathArgs, A: ToSchema>(at: At) -> Described {
    let mut schemas = Vec::new();
    let operation = begin::<P>(at).response("200", answer(reference::<A>(&mut schemas)));
    Described { operation: operation.build(), schemas }
}

/// One thing, with a number of it in a header.
pub fn get_telling<P: PathArgs, A: ToSchema>(at: At, header: &str, meaning: &str) -> Described {
    let mut schemas = Vec::new();
    let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
    let number = HeaderBuilder::new().schema(Some(number)).description(Some(meaning)).build();
    let mut told = answer(reference::<A>(&mut schemas));
    told.headers.insert(header.to_owned(), number.into());
    Described { operation: begin::<P>(at).response("200", told).build(), schemas }
}

/// A change.
pub fn write<P: PathArgs, B: ToSchema, A: ToSchema>(
    method: &Method,
    at: At,
    status: StatusCode,
    sent: Sent,
) -> Described {
    let mut schemas = Vec::new();
    let mut operation = begin::<P>(at);
    if sent == Sent::Json {
        let content = Content::new(Some(reference::<B>(&mut schemas)));
        let body = RequestBodyBuilder::new().content("application/json", content);
        operation = operation.request_body(Some(body.required(Some(Required::True)).build()));
    }
    if *method == Method::POST {
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(KEY_LENGTH_MAX));
        let key = ParameterBuilder::new()
            .name(idempotency_key())
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(
                "Makes it safe to send the request again: the same key and the same request have their \
                 effect once, and get the same answer for 48 hours.",
            ))
            .schema(Some(text));
        operation = operation.parameter(key);
    }
    let operation = operation.response(status.as_str(), answer(reference::<A>(&mut schemas)));
    Described { operation: operation.build(), schemas }
}

/// A content that comes in.
pub fn upload<P: PathArgs, A: ToSchema>(at: At) -> Described {
    let mut schemas = Vec::new();
    let bytes = ObjectBuilder::new().schema_type(Type::String).content_media_type("application/octet-stream");
    let body = RequestBodyBuilder::new()
        .description(Some("The bytes of the file, of any size."))
        .content("application/octet-stream", Content::new(Some(RefOr::from(bytes))))
        .required(Some(Required::True));
    let operation =
        begin::<P>(at).request_body(Some(body.build())).response("200", answer(reference::<A>(&mut schemas)));
    Described { operation: operation.build(), schemas }
}

/// The document itself.
pub fn document(at: At) -> Described {
    let object = ObjectBuilder::new().schema_type(Type::Object).description(Some("OpenAPI 3.1"));
    let operation = begin::<()>(at).response("200", answer(object.into()));
    Described { operation: operation.build(), schemas: Vec::new() }
}

fn begin<P: PathArgs>(at: At) -> OperationBuilder {
    let tag = at.path.split('/').nth(2).unwrap_or_default();
    let mut operation = OperationBuilder::new()
        .operation_id(Some(at.name))
        .tag(tag)
        .summary(Some(at.summary))
        .response("default", refusal());
    operation = match at.access {
        Access::Scope(scope) => operation
            .description(Some(format!("Needs the scope `{scope}`.")))
            .security(SecurityRequirement::new(SECURITY, [scope.as_str()])),
        Access::AnyKey => operation.security(SecurityRequirement::new(SECURITY, Vec::<String>::new())),
        Access::Public => {
            operation.description(Some("Needs no key.")).security(SecurityRequirement::default())
        }
    };
    for (name, schema) in path_names(at.path).into_iter().zip(P::schemas()) {
        operation = operation.parameter(
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .schema(Some(schema)),
        );
    }
    operation
}

/// The names in the braces of a path.
pub fn path_names(path: &str) -> Vec<&str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect()
}

fn paging() -> [Parameter; 2] {
    let whole = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(1))
        .maximum(Some(LIMIT_MAX))
        .default(Some(LIMIT_DEFAULT.into()));
    let text = ObjectBuilder::new().schema_type(Type::String);
    let query = |name: &str, description: &str| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .description(Some(description))
    };
    [
        query("limit", "How many items.").schema(Some(whole)).build(),
        query("after", "What the part before gave as `next`.").schema(Some(text)).build(),
    ]
}

fn nullable_text(description: &str) -> ObjectBuilder {
    let kinds = utoipa::openapi::schema::SchemaType::from_iter([Type::String, Type::Null]);
    ObjectBuilder::new().schema_type(kinds).description(Some(description))
}

fn reference<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) -> RefOr<Schema> {
    let name = T::name().into_owned();
    schemas.push((name.clone(), T::schema()));
    T::schemas(schemas);
    Ref::from_schema_name(name).into()
}

fn answer(schema: RefOr<Schema>) -> Response {
    ResponseBuilder::new()
        .description("Done.")
        .content("application/json", Content::new(Some(schema)))
        .build()
}

fn refusal() -> Response {
    let schema = RefOr::<Schema>::from(Ref::from_schema_name(ProblemView::name()));
    ResponseBuilder::new()
        .description("Refused; `code` says why.")
        .content("application/problem+json", Content::new(Some(schema)))
        .build()
}

/// The type of refusals, which every endpoint can give.
pub fn problem_schemas() -> Vec<(String, RefOr<Schema>)> {
    let mut schemas = vec![(ProblemView::name().into_owned(), ProblemView::schema())];
    ProblemView::schemas(&mut schemas);
    schemas
}
