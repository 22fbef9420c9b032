//! The contract of the endpoints as an OpenAPI document.
//!
//! [`json`] is the document of all calls; [`Endpoints::with_document`](super::Endpoints::with_document) serves it.
//! An application that has calls of its own takes [`document`], adds each [`Call`], or merges what the macros of
//! `utoipa` made ([`OpenApi::merge`]), and serves that. `openapi.json` at the root of the repository is the document of
//! the `axum` example, which mounts everything.
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

mod call;
mod calls;
mod headers;
mod schemas;
mod security;

use std::collections::{BTreeMap, BTreeSet};

use utoipa::openapi::path::Paths;
use utoipa::openapi::{Components, Info, OpenApi, Ref, RefOr, Schema};

pub use call::Call;
pub use schemas::{Member, object};

use self::calls::{Body, Described, Told, described};
use self::schemas::{array, schemas};
use super::routes::{Group, Route, routes};

/// The document of all calls, as indented JSON with a newline at its end.
#[must_use]
pub fn json() -> String {
    to_json(&document(Group::ALL))
}

/// A document, as indented JSON with a newline at its end.
#[must_use]
pub fn to_json(document: &OpenApi) -> String {
    let document = serde_json::to_value(document).unwrap_or_default();
    // Through a value, whose members are sorted: what is committed stays comparable.
    format!("{document:#}\n")
}

/// The document of the calls of some groups: those that are mounted.
#[must_use]
pub fn document(groups: impl IntoIterator<Item = Group>) -> OpenApi {
    let groups: Vec<_> = groups.into_iter().collect();
    let mut info = Info::new("tower-jwt-session", env!("CARGO_PKG_VERSION"));
    info.description = Some(ABOUT.to_owned());
    let mut document = OpenApi::new(info, Paths::new());
    let mut components = Components::new();
    components.schemas = schemas();
    for (name, scheme) in security::schemes() {
        components.add_security_scheme(name, scheme);
    }
    document.components = Some(components);
    for route in routes() {
        if groups.contains(&route.group) {
            call(&route).add_to(&mut document);
        }
    }
    document
}

/// A schema of the document by its name, as `"Tokens"` or `"Problem"`.
#[must_use]
pub fn named(schema: &str) -> RefOr<Schema> {
    Ref::from_schema_name(schema).into()
}

/// Every error code that the document of all calls knows, with its statuses.
#[must_use]
pub fn error_codes() -> BTreeMap<&'static str, BTreeSet<u16>> {
    let mut codes: BTreeMap<_, BTreeSet<u16>> = BTreeMap::new();
    for route in routes() {
        for (status, of_status) in call(&route).refusals() {
            for code in of_status {
                codes.entry(*code).or_default().insert(*status);
            }
        }
    }
    codes
}

/// What a call may be refused with: what its access, its body and its store bring along, and what is
/// its own.
fn call(route: &Route) -> Call {
    let described = described(route);
    let call = Call::new(
        route.method.clone(),
        route.path,
        described.id,
        described.summary,
    );
    let call = call.tagged(tag(route.group)).answers(described.status);
    let call = with_body(told(call, &described), &described.body)
        .with_cookies(described.cookies)
        .with_access(route.access)
        .with_plain_refusals(route.group == Group::OAuth);
    let query = described.query.iter();
    let call = query.fold(call, |call, (name, about)| call.asks(*name, *about));
    let errors = described.errors.iter();
    let call = errors.fold(call, |call, (status, code)| call.refuses(*status, code));
    let call = if described.limited {
        call.limited()
    } else {
        call
    };
    match route.group {
        Group::Document | Group::WellKnown => call,
        _ => call.refuses(503, "store_unavailable"),
    }
}

fn told(call: Call, described: &Described) -> Call {
    match described.told {
        Told::Events => call.shows("text/event-stream", EVENTS),
        Told::Nothing => call,
        Told::Json(media_type, schema) => {
            let schema = match schema.strip_prefix("[]") {
                Some(item) => array(item),
                None => named(schema),
            };
            call.tells_as(media_type, schema)
        }
    }
}

fn with_body(call: Call, body: &Body) -> Call {
    let (call, members) = match body {
        Body::None => return call,
        Body::Form(members) => (call.takes_form(object(members)), members),
        Body::Json(members) => (call.takes(object(members)), members),
    };
    call.with_optional_body(members.iter().all(|(name, _)| name.ends_with('?')))
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

const ABOUT: &str = "Refusals are problem documents (RFC 9457) with a `code`; a 401 carries a \
    challenge (RFC 6750), a 503 and a 429 say when to try again. Another method is answered with 405 \
    and `Allow`, and `OPTIONS` with 204 and the same; a request that names two hosts with 400. Tokens travel in bodies and bearer headers, or in cookies where a sign-in asked for \
    that: then bodies lack what is in a cookie, and a call that changes something is refused \
    (`csrf_rejected`) unless a page of this site sent it.";

const EVENTS: &str = "Server-sent events. The last one says what happened: `ended`, the session is over; `renew`, \
    the token alone is, so refresh and open the stream again; `unconfirmed`, open it again later. Its \
    data is `{\"reason\",\"session_id\"}`.";

#[cfg(test)]
mod tests;
