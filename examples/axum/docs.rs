//! The OpenAPI document as a page: no scripts, nothing from elsewhere, one style sheet known by its hash.

use std::fmt::Write;
use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::contract;

/// `GET /docs`
pub async fn page() -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY.as_str()),
    ];
    (headers, PAGE.as_str())
}

static PAGE: LazyLock<String> = LazyLock::new(|| {
    let document: Value = serde_json::from_str(&contract::json()).unwrap_or_default();
    rendered(&document)
});

static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    )
});

fn rendered(document: &Value) -> String {
    let title = text(&document["info"]["title"]);
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>{STYLE}</style><main><h1>{title}</h1><p>{}</p>\
         <p><a href=\"/openapi.json\">openapi.json</a></p>",
        with_code(&text(&document["info"]["description"]))
    );
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            call(&mut page, method, path, operation);
        }
    }
    page.push_str("</main></html>");
    page
}

fn call(page: &mut String, method: &str, path: &str, operation: &Value) {
    let summary = text(&operation["summary"]);
    let (method, path) = (escaped(&method.to_uppercase()), escaped(path));
    page.push_str("<details><summary><b>");
    // Writing to a string does not fail.
    let _ = write!(
        page,
        "{method}</b> <code>{path}</code> {summary}</summary><dl>"
    );
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let (name, about) = (text(&parameter["name"]), text(&parameter["description"]));
        let _ = write!(page, "<dt><code>{name}</code></dt><dd>{about}</dd>");
    }
    for (kind, content) in operation["requestBody"]["content"]
        .as_object()
        .into_iter()
        .flatten()
    {
        let members = content["schema"]["properties"]
            .as_object()
            .into_iter()
            .flatten();
        let names: Vec<_> = members.map(|(name, _)| escaped(name)).collect();
        let _ = write!(
            page,
            "<dt>{}</dt><dd><code>{}</code></dd>",
            escaped(kind),
            names.join(", ")
        );
    }
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        let about = text(&response["description"]);
        let _ = write!(page, "<dt>{}</dt><dd>{about}</dd>", escaped(status));
    }
    page.push_str("</dl></details>");
}

/// What stands between backticks, as code.
fn with_code(text: &str) -> String {
    let mut parts = text.split('`');
    let mut marked = parts.next().unwrap_or_default().to_owned();
    while let Some(code) = parts.next() {
        let after = parts.next().unwrap_or_default();
        // Writing to a string does not fail.
        let _ = write!(marked, "<code>{code}</code>{after}");
    }
    marked
}

fn text(value: &Value) -> String {
    escaped(value.as_str().unwrap_or_default())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

const STYLE: &str = ":root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}\
    body{overflow-wrap:anywhere;background:Canvas;color:CanvasText}a{color:LinkText}main{max-width:50rem;margin:2rem auto;padding:0 1rem}summary{cursor:pointer;padding:.25rem 0}\
    dt{float:left;clear:left;min-width:4rem}dd{margin-left:6rem}";
