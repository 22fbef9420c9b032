//! Whether what came back is what the OpenAPI document says may come back.

use std::sync::LazyLock;

use serde_json::Value;
use tower_jwt_session::endpoints::openapi;

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(&openapi::json()).expect("it is JSON"));

/// What the document does not know of an answer. Paths that name nothing, and methods that are for
/// nothing, are no operations.
pub fn unknown(method: &str, path: &str, status: u16, code: Option<&str>) -> Option<String> {
    let path = path.split('?').next().unwrap_or_default();
    let paths = DOCUMENT["paths"].as_object().expect("there are paths");
    let best = paths
        .iter()
        .filter(|(pattern, _)| is_at(pattern, path))
        .min_by_key(|(pattern, _)| pattern.matches('{').count())?;
    let operation = best.1.get(method.to_lowercase())?;
    if [304, 404].contains(&status) {
        return None;
    }
    let Some(response) = operation["responses"].get(status.to_string()) else {
        return Some(format!("{status} is not in the document"));
    };
    let told = response["description"].as_str().unwrap_or_default();
    let known = code.is_none_or(|code| told.split(", ").any(|told| told == code));
    (!known).then(|| format!("{status} {code:?} is not in the document"))
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
    let of = |status, code| unknown("GET", "/sessions?state=x", status, code);
    assert_eq!(of(200, None), None);
    assert_eq!(of(401, Some("token_stale")), None);
    assert!(of(401, Some("nonsense")).is_some());
    assert!(of(500, None).is_some());
}
