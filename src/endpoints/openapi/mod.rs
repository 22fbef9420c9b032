//! The contract of the endpoints as an OpenAPI document.
//!
//! [`json`] is the document of all calls, which `openapi.json` at the root of the repository is kept
//! equal to. [`Endpoints::with_document`](super::Endpoints::with_document) serves it.
//!
//! ```
//! use tower_jwt_session::JwtSession;
//! use tower_jwt_session::endpoints::{Endpoints, openapi};
//!
//! # fn build(auth: JwtSession) {
//! let endpoints = Endpoints::new(auth).with_document(openapi::json());
//! # let _ = endpoints;
//! # }
//! ```

mod calls;
mod headers;
mod schemas;
mod security;

use std::collections::{BTreeMap, BTreeSet};

use utoipa::openapi::path::{
    HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathItem, Paths,
};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::{
    Components, ContentBuilder, Info, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder,
    Schema,
};

use self::calls::{Body, Cookies, Described, Told, described};
use self::schemas::{code_among, object, schemas};
use super::routes::{Access, Group, Route, routes};

/// The document of all calls, as indented JSON with a newline at its end.
#[must_use]
pub fn json() -> String {
    let document = serde_json::to_value(document()).unwrap_or_default();
    // Through a value, whose members are sorted: what is committed stays comparable.
    format!("{document:#}\n")
}

/// Every error code that the document knows, with its statuses.
#[must_use]
pub fn error_codes() -> BTreeMap<&'static str, BTreeSet<u16>> {
    let mut codes: BTreeMap<_, BTreeSet<u16>> = BTreeMap::new();
    for route in routes() {
        for (status, code) in errors(&route, &described(&route)) {
            codes.entry(code).or_default().insert(status);
        }
    }
    codes
}

fn document() -> OpenApi {
    let mut info = Info::new("tower-jwt-session", env!("CARGO_PKG_VERSION"));
    info.description = Some(ABOUT.to_owned());
    let mut paths = Paths::new();
    for route in routes() {
        let described = described(&route);
        let path = route.path.replace("{*", "{");
        let item = PathItem::new(method(&route), operation(&route, &described));
        paths.paths.entry(path).or_default().merge_operations(item);
    }
    let mut document = OpenApi::new(info, paths);
    let mut components = Components::new();
    components.schemas = schemas();
    for (name, scheme) in security::schemes() {
        components.add_security_scheme(name, scheme);
    }
    document.components = Some(components);
    document
}

fn operation(route: &Route, described: &Described) -> OperationBuilder {
    let mut operation = OperationBuilder::new()
        .summary(Some(described.summary))
        .operation_id(Some(described.id))
        .tag(tag(route.group))
        .request_body(request_body(&described.body))
        .response(described.status.to_string(), success(described));
    for name in parameters(route.path) {
        let parameter = ParameterBuilder::new().name(name);
        let parameter = parameter
            .parameter_in(ParameterIn::Path)
            .required(Required::True);
        operation = operation.parameter(parameter.schema(Some(schemas::text())));
    }
    for (name, about) in described.query {
        let parameter = ParameterBuilder::new()
            .name(*name)
            .description(Some(*about));
        let parameter = parameter
            .parameter_in(ParameterIn::Query)
            .required(Required::False);
        operation = operation.parameter(parameter.schema(Some(schemas::text())));
    }
    for requirement in security::requirements(route.access, described.cookies) {
        operation = operation.security(requirement);
    }
    let mut by_status: BTreeMap<u16, BTreeSet<&str>> = BTreeMap::new();
    for (status, code) in errors(route, described) {
        by_status.entry(status).or_default().insert(code);
    }
    for (status, codes) in by_status {
        let refusal = refusal(route, described, status, &codes);
        operation = operation.response(status.to_string(), refusal);
    }
    operation
}

/// What a call may be refused with: what its access, its body and its store bring along, and what is
/// its own.
fn errors(route: &Route, described: &Described) -> Vec<(u16, &'static str)> {
    let mut errors = described.errors.to_vec();
    if route.access != Access::Public {
        errors.extend(BEHIND_THE_LAYER);
    }
    if matches!(route.access, Access::Admin | Access::Introspector) {
        errors.push((403, "insufficient_role"));
    }
    let reads_cookies = matches!(route.access, Access::Admin | Access::User | Access::Watcher)
        || described.cookies != Cookies::None;
    if reads_cookies && route.method != http::Method::GET {
        errors.push((403, "csrf_rejected"));
    }
    match described.body {
        Body::None => {}
        Body::Form(_) => errors.extend([400, 413, 415].map(|status| (status, "invalid_input"))),
        Body::Json(_) => {
            errors.extend([400, 413, 415, 422].map(|status| (status, "invalid_input")));
        }
    }
    if !matches!(route.group, Group::Document | Group::WellKnown) {
        errors.push((503, "store_unavailable"));
    }
    errors
}

fn success(described: &Described) -> Response {
    let response = headers::of_success(ResponseBuilder::new(), described);
    match described.told {
        Told::Events => {
            let content = ContentBuilder::new().schema(Some(schemas::text())).build();
            response
                .description(EVENTS)
                .content("text/event-stream", content)
                .build()
        }
        Told::Nothing => response.description("Done.").build(),
        Told::Json(content_type, schema) => {
            let schema: RefOr<Schema> = match schema.strip_prefix("[]") {
                Some(item) => schemas::array(item),
                None => Ref::from_schema_name(schema).into(),
            };
            let content = ContentBuilder::new().schema(Some(schema)).build();
            response
                .description("OK.")
                .content(content_type, content)
                .build()
        }
    }
}

fn refusal(route: &Route, described: &Described, status: u16, codes: &BTreeSet<&str>) -> Response {
    let content = ContentBuilder::new()
        .schema(Some(code_among(codes)))
        .build();
    let listed: Vec<_> = codes.iter().copied().collect();
    // Stock OAuth clients insist on plain JSON where RFC 6749 speaks.
    let spoken = route.group == Group::OAuth && ![403, 503].contains(&status);
    let kind = if spoken {
        "application/json"
    } else {
        "application/problem+json"
    };
    let response = ResponseBuilder::new().description(listed.join(", "));
    let response = headers::of_refusal(response, described, status);
    response.content(kind, content).build()
}

fn request_body(body: &Body) -> Option<RequestBody> {
    let (kind, members) = match body {
        Body::None => return None,
        Body::Form(members) => ("application/x-www-form-urlencoded", members),
        Body::Json(members) => ("application/json", members),
    };
    let content = ContentBuilder::new().schema(Some(object(members))).build();
    let required = members.iter().any(|(name, _)| !name.ends_with('?'));
    let required = if required {
        Required::True
    } else {
        Required::False
    };
    Some(
        RequestBodyBuilder::new()
            .content(kind, content)
            .required(Some(required))
            .build(),
    )
}

fn method(route: &Route) -> HttpMethod {
    match route.method.as_str() {
        "DELETE" => HttpMethod::Delete,
        "PATCH" => HttpMethod::Patch,
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        _ => HttpMethod::Get,
    }
}

fn parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|segment| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        Some(name.trim_start_matches('*'))
    })
}

fn tag(group: Group) -> &'static str {
    match group {
        Group::Admin => "administration",
        Group::Auth => "sign-in",
        Group::OAuth => "oauth",
        Group::Sessions => "sessions",
        Group::Tokens => "tokens",
        Group::Document | Group::WellKnown => "well-known",
    }
}

const BEHIND_THE_LAYER: [(u16, &str); 6] = [
    (401, "invalid_token"),
    (401, "malformed_token"),
    (401, "missing_token"),
    (401, "token_expired"),
    (401, "token_revoked"),
    (401, "token_stale"),
];

const ABOUT: &str = "Refusals are problem documents (RFC 9457) with a `code`; a 401 carries a \
    challenge (RFC 6750), a 503 and a 429 say when to try again. Another method is answered with 405 \
    and `Allow`. Tokens travel in bodies and bearer headers, or in cookies where a sign-in asked for \
    that: then bodies lack what is in a cookie, and a call that changes something is refused \
    (`csrf_rejected`) unless a page of this site sent it.";

const EVENTS: &str = "Server-sent events. The last one says what happened: `ended`, the session is over; `renew`, \
    the token alone is, so refresh and open the stream again; `unconfirmed`, open it again later. Its \
    data is `{\"reason\",\"session_id\"}`.";

#[cfg(test)]
mod tests;
