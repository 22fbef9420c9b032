//! What answers say in their headers.

use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ResponseBuilder, Schema};

use super::call::Cookies;

/// A header, its kind, and what it says.
type Told = (&'static str, Type, &'static str);

pub(super) fn of_success(
    response: ResponseBuilder,
    limited: bool,
    cookies: Cookies,
) -> ResponseBuilder {
    let response = limit(response, limited);
    match cookies {
        Cookies::None => response,
        Cookies::Set | Cookies::SetByRefresh | Cookies::TakenBack => add(response, &SET_COOKIE),
    }
}

pub(super) fn of_refusal(response: ResponseBuilder, limited: bool, status: u16) -> ResponseBuilder {
    let response = limit(response, limited);
    match status {
        401 => add(response, &CHALLENGE),
        429 | 503 => add(response, &RETRY_AFTER),
        _ => response,
    }
}

fn limit(response: ResponseBuilder, limited: bool) -> ResponseBuilder {
    let told = if limited { &LIMIT[..] } else { &[] };
    told.iter().fold(response, add)
}

fn add(response: ResponseBuilder, (name, kind, about): &Told) -> ResponseBuilder {
    let schema: Schema = ObjectBuilder::new().schema_type(kind.clone()).into();
    let header: Header = HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some(*about))
        .build();
    response.header(*name, header)
}

const CHALLENGE: Told = (
    "WWW-Authenticate",
    Type::String,
    "How to do better (RFC 6750, section 3).",
);

const RETRY_AFTER: Told = (
    "Retry-After",
    Type::Integer,
    "In how many seconds to try again.",
);

const SET_COOKIE: Told = (
    "Set-Cookie",
    Type::String,
    "Where cookies are the transport of the session, or are taken back.",
);

const LIMIT: [Told; 3] = [
    (
        "RateLimit-Limit",
        Type::Integer,
        "How many attempts there are in a window, where they are limited.",
    ),
    (
        "RateLimit-Remaining",
        Type::Integer,
        "How many of them are left.",
    ),
    (
        "RateLimit-Reset",
        Type::Integer,
        "In how many seconds all of them are back.",
    ),
];
