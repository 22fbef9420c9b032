//! What bodies look like.

use std::collections::{BTreeMap, BTreeSet};

use utoipa::openapi::schema::{AllOfBuilder, ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr, Schema};

/// The name of a member, with `?` behind it where it may be missing, and its kind: `text`, `number`,
/// `bool`, `object` or `any`, with `?` behind it where it may be `null`, or the name of a schema of
/// the document; `[]` before it makes a list of it.
pub type Member = (&'static str, &'static str);

pub(super) fn text() -> Schema {
    ObjectBuilder::new().schema_type(Type::String).into()
}

pub(super) fn array(item: &str) -> RefOr<Schema> {
    Schema::from(ArrayBuilder::new().items(kind(item))).into()
}

/// A JSON object with these members.
#[must_use]
pub fn object(members: &[Member]) -> Schema {
    let mut object = ObjectBuilder::new();
    for (name, of) in members {
        let plain = name.trim_end_matches('?');
        object = object.property(plain, kind(of));
        if plain == *name {
            object = object.required(plain);
        }
    }
    object.into()
}

/// A problem with one of these codes.
pub(super) fn code_among(codes: &BTreeSet<&str>) -> Schema {
    let code = ObjectBuilder::new().schema_type(Type::String);
    let code = code.enum_values(Some(codes.iter().copied()));
    AllOfBuilder::new()
        .item(Ref::from_schema_name("Problem"))
        .item(ObjectBuilder::new().property("code", code))
        .into()
}

fn kind(of: &str) -> RefOr<Schema> {
    let simple = |of: Type| RefOr::T(ObjectBuilder::new().schema_type(of).into());
    let or_null = |of: Type| {
        let either = SchemaType::from_iter([of, Type::Null]);
        RefOr::T(ObjectBuilder::new().schema_type(either).into())
    };
    match of {
        "any" => RefOr::T(
            ObjectBuilder::new()
                .schema_type(SchemaType::AnyValue)
                .into(),
        ),
        "text" => simple(Type::String),
        "object?" => or_null(Type::Object),
        "text?" => or_null(Type::String),
        "number" => simple(Type::Integer),
        "number?" => or_null(Type::Integer),
        "list?" => or_null(Type::Array),
        "bool" => simple(Type::Boolean),
        "object" => simple(Type::Object),
        of => match of.strip_prefix("[]") {
            Some(item) => array(item),
            None => Ref::from_schema_name(of).into(),
        },
    }
}

/// `{"success","message","data"}` around a schema.
fn envelope(data: &'static str) -> Schema {
    object(&[("success", "bool"), ("message", "text"), ("data", data)])
}

pub(super) fn schemas() -> BTreeMap<String, RefOr<Schema>> {
    let mut schemas = BTreeMap::new();
    for (name, members) in OBJECTS {
        schemas.insert((*name).to_owned(), object(members).into());
    }
    for (name, data) in ENVELOPES {
        schemas.insert((*name).to_owned(), envelope(data).into());
    }
    schemas
}

const ENVELOPES: &[(&str, &str)] = &[
    ("AutoRefreshed", "AutoRefresh"),
    ("Health", "HealthFacts"),
    ("Refreshed", "Pair"),
    ("Statistics", "SessionStatistics"),
    ("Validated", "Validity"),
];

const OBJECTS: &[(&str, &[Member])] = &[
    (
        "AuditEntry",
        &[
            ("id", "text"),
            ("at", "text"),
            ("node", "text"),
            ("event", "text"),
            ("user_id", "text?"),
            ("session_id", "text?"),
            ("by", "text?"),
            ("reason", "text?"),
            ("ip_address", "text?"),
            ("device", "text?"),
        ],
    ),
    (
        "AuditPage",
        &[("entries", "[]AuditEntry"), ("next_cursor", "text?")],
    ),
    (
        "AutoRefresh",
        &[
            ("refreshed", "bool"),
            ("accessToken?", "text"),
            ("refreshToken?", "text"),
            ("expiresIn", "number"),
            ("sessionId", "text?"),
        ],
    ),
    (
        "Breakers",
        &[
            ("confirm", "text"),
            ("follow", "text"),
            ("list", "text"),
            ("write", "text"),
        ],
    ),
    (
        "HealthFacts",
        &[
            ("status", "text"),
            ("store", "StoreHealth"),
            ("view", "ViewHealth"),
            ("keys", "KeyHealth"),
        ],
    ),
    (
        "Introspection",
        &[
            ("active", "bool"),
            ("token_type?", "text"),
            ("scope?", "text"),
            ("client_id?", "text"),
            ("exp?", "number"),
            ("iat?", "number"),
            ("nbf?", "number"),
            ("sub?", "text"),
            ("aud?", "any"),
            ("iss?", "text"),
            ("jti?", "text"),
            ("sid?", "text"),
            ("roles?", "[]text"),
            ("auth_time?", "number"),
            ("acr?", "text"),
            ("amr?", "[]text"),
        ],
    ),
    ("JwkSet", &[("keys", "[]object")]),
    ("KeyHealth", &[("canSign", "bool")]),
    (
        "OpenApi",
        &[
            ("openapi", "text"),
            ("info", "object"),
            ("paths", "object"),
            ("components", "object"),
        ],
    ),
    (
        "Pair",
        &[
            ("accessToken?", "text"),
            ("refreshToken?", "text"),
            ("expiresIn", "number"),
            ("sessionId", "text"),
        ],
    ),
    (
        "Problem",
        &[
            ("type", "text"),
            ("title", "text"),
            ("status", "number"),
            ("detail", "text"),
            ("code", "text"),
            ("reason?", "text"),
            ("success?", "bool"),
            ("message?", "text"),
            ("data?", "object"),
            ("error?", "text"),
            ("error_description?", "text"),
        ],
    ),
    (
        "ResourceMetadata",
        &[
            ("resource", "text"),
            ("authorization_servers?", "[]text"),
            ("jwks_uri?", "text"),
            ("bearer_methods_supported", "[]text"),
        ],
    ),
    ("Revoked", &[("revoked", "number")]),
    ("RiskFlag", &[("at", "text"), ("signals", "[]text")]),
    (
        "Session",
        &[
            ("id", "text"),
            ("user_id", "text"),
            ("device", "text"),
            ("device_kind", "text"),
            ("is_mobile", "bool"),
            ("ip_address", "text?"),
            ("user_agent", "text?"),
            ("country", "text?"),
            ("city", "text?"),
            ("last_active", "text"),
            ("created_at", "text"),
            ("is_current", "bool"),
            ("name", "text?"),
            ("ended_at?", "text"),
            ("ended_reason?", "text"),
            ("flag?", "RiskFlag"),
        ],
    ),
    (
        "SessionPage",
        &[("sessions", "[]Session"), ("next_cursor", "text?")],
    ),
    (
        "SessionStatistics",
        &[
            ("userId", "text"),
            ("activeSessions", "number"),
            ("maxSessions", "number?"),
            ("oldestSession", "text?"),
            ("newestSession", "text?"),
            ("totalRefreshes", "number"),
            ("failedRefreshes", "number"),
            ("devices", "[]text"),
        ],
    ),
    (
        "StoreHealth",
        &[("reachable", "bool"), ("breakers", "Breakers")],
    ),
    (
        "Tokens",
        &[
            ("access_token?", "text"),
            ("token_type?", "text"),
            ("expires_in", "number"),
            ("refresh_token?", "text"),
            ("session_id", "text"),
            ("generation", "number"),
        ],
    ),
    (
        "Validity",
        &[
            ("isValid", "bool"),
            ("isExpired?", "bool"),
            ("needsRefresh?", "bool"),
            ("expiresAt?", "text"),
            ("timeUntilExpiry?", "number"),
            ("userId?", "text"),
        ],
    ),
    (
        "ViewHealth",
        &[
            ("following", "bool"),
            ("fresh", "bool"),
            ("complete", "bool"),
            ("ageMs", "number?"),
            ("entries", "number"),
            ("cursor", "list?"),
            ("unsettled", "number"),
        ],
    ),
];
