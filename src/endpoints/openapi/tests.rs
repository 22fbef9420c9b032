use std::collections::HashSet;
use std::path::Path;

use serde_json::Value;

use super::*;

fn parsed() -> Value {
    serde_json::from_str(&json()).unwrap()
}

#[test]
fn the_committed_document_has_every_call_as_it_is_made() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let committed = std::fs::read_to_string(path).unwrap();
    let committed: Value = serde_json::from_str(&committed).unwrap();
    let made = parsed();
    let told = "openapi.json is outdated; \
         `UPDATE_OPENAPI=1 cargo test --all-features --test axum_flagship contract` writes it";
    for (path, item) in made["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(
                committed["paths"][path][method] == *operation,
                "{method} {path}: {told}"
            );
        }
    }
    for (name, schema) in made["components"]["schemas"].as_object().unwrap() {
        let known = &committed["components"]["schemas"][name];
        assert!(known == schema, "{name}: {told}");
    }
    for name in ["info", "openapi"] {
        assert!(committed[name] == made[name], "{name}: {told}");
    }
}

#[test]
fn groups_that_are_not_mounted_are_not_described() {
    let document = document([Group::WellKnown]);
    let paths: Vec<_> = document.paths.paths.keys().collect();
    assert!(!paths.is_empty());
    assert!(
        paths.iter().all(|path| path.starts_with("/.well-known/")),
        "{paths:?}"
    );
}

#[test]
fn a_call_of_the_application_stands_beside_ours_with_what_its_place_brings_along() {
    let mut document = document(Group::ALL);
    let before = document.paths.paths.len();
    Call::new(
        http::Method::PUT,
        "/orders/{id}",
        "change",
        "Changes an order",
    )
    .takes(object(&[("article", "text")]))
    .tells(200, named("Problem"))
    .refuses(409, "sold_out")
    .for_role()
    .limited()
    .add_to(&mut document);
    assert_eq!(document.paths.paths.len(), before + 1);
    let document: Value = serde_json::from_str(&to_json(&document)).unwrap();
    let told = &document["paths"]["/orders/{id}"]["put"];
    assert_eq!(told["parameters"][0]["name"], "id");
    assert_eq!(told["requestBody"]["required"], true);
    let codes = |status: &str| told["responses"][status]["description"].as_str().unwrap();
    assert_eq!(codes("403"), "csrf_rejected, insufficient_role");
    assert_eq!(codes("408"), "request_timeout");
    assert_eq!(codes("409"), "sold_out");
    assert_eq!(codes("429"), "rate_limited");
    assert!(codes("401").contains("token_revoked"));
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
        Rejection::Overloaded {
            retry_after: std::time::Duration::ZERO,
        },
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
