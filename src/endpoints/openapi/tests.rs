use std::collections::HashSet;
use std::path::Path;

use serde_json::Value;

use super::*;

fn parsed() -> Value {
    serde_json::from_str(&json()).unwrap()
}

#[test]
fn the_committed_document_is_the_one_that_is_made() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&path, json()).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(
        committed == json(),
        "openapi.json is outdated; `UPDATE_OPENAPI=1 cargo test --all-features --lib openapi` writes it"
    );
}

#[test]
fn every_route_is_described_and_nothing_else_is() {
    let document = parsed();
    let routes: HashSet<(String, String)> = routes()
        .iter()
        .map(|route| {
            let method = route.method.as_str().to_lowercase();
            (route.path.replace("{*", "{"), method)
        })
        .collect();
    let mut described = HashSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert_ne!(operation["summary"], "", "{method} {path} is not described");
            described.insert((path.clone(), method.clone()));
        }
    }
    assert_eq!(described, routes);
}

#[test]
fn every_operation_has_an_id_of_its_own() {
    let mut seen = HashSet::new();
    for route in routes() {
        assert!(seen.insert(described(&route).id), "{route:?}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = parsed();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let text = document.to_string();
    let mut used = HashSet::new();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name}");
        used.insert(name.to_owned());
    }
    let unused: Vec<_> = schemas
        .keys()
        .filter(|name| !used.contains(*name))
        .collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn every_rejection_of_the_layer_is_told_of() {
    use crate::rejection::Rejection;
    let codes = error_codes();
    for rejection in [
        Rejection::CsrfRejected,
        Rejection::InsufficientRole,
        Rejection::InvalidToken,
        Rejection::MalformedToken,
        Rejection::MissingToken,
        Rejection::StoreUnavailable {
            retry_after: std::time::Duration::ZERO,
        },
        Rejection::TokenExpired,
        Rejection::TokenRevoked { reason: None },
        Rejection::TokenStale,
    ] {
        let statuses = codes.get(rejection.code());
        let told = statuses.is_some_and(|all| all.contains(&rejection.status().as_u16()));
        assert!(told, "{rejection:?}");
    }
}

#[test]
fn every_call_that_a_cookie_may_speak_for_is_refused_to_pages_of_others() {
    let document = parsed();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let security = operation["security"].to_string();
            let told = operation["responses"]["403"]["description"].as_str();
            let refused = told.unwrap_or_default().contains("csrf_rejected");
            let sets = operation["responses"].to_string().contains("Set-Cookie");
            let changes = method != "get" && (security.contains("Cookie") || sets);
            assert_eq!(refused, changes, "{method} {path}");
        }
    }
}

#[test]
fn whoever_shall_try_again_later_is_told_when() {
    let document = parsed();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            for status in ["429", "503"] {
                if let Some(response) = operation["responses"].get(status) {
                    assert!(response["headers"]["Retry-After"].is_object(), "{response}");
                }
            }
        }
    }
}
