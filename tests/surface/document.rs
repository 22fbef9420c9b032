//! Whether what came back is what the OpenAPI document says may come back.

use std::sync::LazyLock;

use serde_json::{Value, json};

/// What the flagship serves, which has the calls of the suite's own application as well.
static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../openapi.json")).expect("it is JSON"));

/// What the document says of a call.
pub struct Operation(&'static Value);

/// Paths that name nothing, and methods that are for nothing, are no operations.
pub fn operation(method: &str, path: &str) -> Option<Operation> {
    let path = path.split('?').next().unwrap_or_default();
    let paths = DOCUMENT["paths"].as_object().expect("there are paths");
    let best = paths
        .iter()
        .filter(|(pattern, _)| is_at(pattern, path))
        .min_by_key(|(pattern, _)| pattern.matches('{').count())?;
    best.1.get(method.to_lowercase()).map(Operation)
}

/// Whether it is one of the library's own calls.
pub fn is_of_the_library(method: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let mut routes = tower_jwt_session::endpoints::routes().into_iter();
    routes.any(|route| route.method == method && is_at(route.path, path))
}

impl Operation {
    /// What the document does not know of an answer.
    pub fn unknown(&self, status: u16, code: Option<&str>, body: Option<&Value>) -> Option<String> {
        if [304, 404].contains(&status) {
            return None;
        }
        let Some(response) = self.0["responses"].get(status.to_string()) else {
            return Some(format!("{status} is not in the document"));
        };
        let told = response["description"].as_str().unwrap_or_default();
        if code.is_some_and(|code| !told.split(", ").any(|told| told == code)) {
            return Some(format!("{status} {code:?} is not in the document"));
        }
        let media = response["content"].as_object();
        let schema = media.and_then(|media| Some(&media.values().next()?["schema"]));
        match (body, schema) {
            (Some(body), Some(schema)) => {
                unlike(body, schema).map(|what| format!("{what} is not as in the document"))
            }
            (Some(_), None) => Some("a body is not in the document".to_owned()),
            (None, _) => None,
        }
    }
}

/// The first part of a body that is not what a schema says.
fn unlike(body: &Value, schema: &Value) -> Option<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let pointer = reference.trim_start_matches('#');
        return unlike(body, DOCUMENT.pointer(pointer).expect("it leads somewhere"));
    }
    // A problem: its codes were looked at before.
    if let Some(all) = schema["allOf"].as_array() {
        return unlike(body, &all[0]);
    }
    if !is_of(body, &schema["type"]) {
        return Some(format!("{body}"));
    }
    if let Some(items) = body.as_array() {
        let item = &schema["items"];
        let of = |body| (!item.is_null()).then(|| unlike(body, item)).flatten();
        return items.iter().find_map(of);
    }
    let (Some(members), Some(known)) = (body.as_object(), schema["properties"].as_object()) else {
        return None;
    };
    let required = schema["required"].as_array().into_iter().flatten();
    let missing = required
        .filter_map(Value::as_str)
        .find(|name| !members.contains_key(*name));
    missing.map(|name| format!("without {name}")).or_else(|| {
        members
            .iter()
            .find_map(|(name, value)| match known.get(name) {
                Some(schema) => unlike(value, schema).map(|what| format!("{name}: {what}")),
                None => Some(format!("{name}: {value}")),
            })
    })
}

fn is_of(body: &Value, kind: &Value) -> bool {
    let is = |kind: &Value| match kind.as_str() {
        Some("array") => body.is_array(),
        Some("boolean") => body.is_boolean(),
        Some("integer") => body.is_u64(),
        Some("null") => body.is_null(),
        Some("object") => body.is_object(),
        Some("string") => body.is_string(),
        _ => false,
    };
    match kind {
        Value::Array(kinds) => kinds.iter().any(is),
        Value::Null => true,
        kind => is(kind),
    }
}

fn is_at(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<_>, Vec<_>) =
        (pattern.split('/').collect(), path.split('/').collect());
    pattern.len() == path.len()
        && pattern
            .iter()
            .zip(&path)
            .all(|(a, b)| a == b || a.starts_with('{'))
}

#[test]
fn an_answer_that_the_document_does_not_know_is_noticed() {
    let sessions = operation("GET", "/sessions?state=x").unwrap();
    let of = |status, code| sessions.unknown(status, code, None);
    assert_eq!(of(200, None), None);
    assert_eq!(of(401, Some("token_stale")), None);
    assert!(of(401, Some("nonsense")).is_some());
    assert!(of(500, None).is_some());
    let revoked = operation("POST", "/sessions/revoke-all").unwrap();
    let of = |body: Value| revoked.unknown(200, None, Some(&body));
    assert_eq!(of(json!({ "revoked": 1 })), None);
    for wrong in [
        json!({}),
        json!({ "revoked": "1" }),
        json!({ "revoked": 1, "more": 1 }),
        json!([]),
    ] {
        assert!(of(wrong.clone()).is_some(), "{wrong}");
    }
}
