//! A case: what is sent, and what must come back.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

use crate::client::Raw;
use crate::document;

/// A request and its answer, as data. `{name}` in a path, a header or a body is a value of the world.
#[derive(Clone)]
pub struct Case {
    pub name: String,
    pub bad: bool,
    method: String,
    path: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    pub status: u16,
    pub code: Option<&'static str>,
    pub like: Option<Value>,
    pub with: Vec<(&'static str, String)>,
    pub keep: Vec<(&'static str, &'static str)>,
    /// The cookies that are set, no others.
    pub sets: Vec<&'static str>,
    pub keep_cookies: Vec<(&'static str, &'static str)>,
    /// Cases of one name have one answer.
    pub same: Option<&'static str>,
}

/// A request with the values put in.
pub struct Sent {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Bytes,
}

/// An answer with everything taken out that is another one in each run.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, Vec<String>>,
    pub body: Value,
}

pub type Values = BTreeMap<String, String>;

pub const JSON: &str = "application/json";
pub const FORM: &str = "application/x-www-form-urlencoded";

pub fn case(name: impl Into<String>, method: &str, path: &str) -> Case {
    Case {
        name: name.into(),
        bad: false,
        method: method.to_owned(),
        path: path.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        status: 200,
        code: None,
        like: None,
        with: Vec::new(),
        keep: Vec::new(),
        sets: Vec::new(),
        keep_cookies: Vec::new(),
        same: None,
    }
}

impl Case {
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {{{token}}}"))
    }

    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    pub fn json(self, body: impl AsRef<[u8]>) -> Self {
        self.body(JSON, body)
    }

    pub fn form(self, body: &str) -> Self {
        self.body(FORM, body)
    }

    pub fn body(mut self, content_type: &str, body: impl AsRef<[u8]>) -> Self {
        if !content_type.is_empty() {
            self = self.header("content-type", content_type);
        }
        self.body = body.as_ref().to_vec();
        self
    }

    /// It goes well.
    pub fn gives(mut self, status: u16, like: Value) -> Self {
        self.status = status;
        self.like = Some(like);
        self
    }

    /// It is refused.
    pub fn refused(mut self, status: u16, code: &'static str) -> Self {
        (self.status, self.code, self.bad) = (status, Some(code), true);
        self
    }

    /// It is bad input although nothing is refused.
    pub fn harmless(mut self) -> Self {
        self.bad = true;
        self
    }

    pub fn with(mut self, header: &'static str, value: &str) -> Self {
        self.with.push((header, value.to_owned()));
        self
    }

    pub fn keep(mut self, name: &'static str, pointer: &'static str) -> Self {
        self.keep.push((name, pointer));
        self
    }

    /// With cookies of a browser, each `name={value}`.
    pub fn cookies(self, cookies: &[(&str, &str)]) -> Self {
        let pairs = cookies
            .iter()
            .map(|(name, value)| format!("{name}={{{value}}}"));
        let all: Vec<_> = pairs.collect();
        self.header("cookie", all.join("; "))
    }

    /// Sent by a page of the same site.
    pub fn ours(self) -> Self {
        self.header("sec-fetch-site", "same-origin")
    }

    pub fn sets(mut self, cookies: &[&'static str]) -> Self {
        self.sets = cookies.to_vec();
        self
    }

    pub fn keep_cookie(mut self, name: &'static str, cookie: &'static str) -> Self {
        self.keep_cookies.push((name, cookie));
        self
    }

    pub fn same(mut self, group: &'static str) -> Self {
        self.same = Some(group);
        self
    }

    /// Whether it goes to a route, by the beginning of its path.
    pub fn is_of(&self, method: &str, begins: &str) -> bool {
        self.method == method && self.path.starts_with(begins)
    }

    pub fn sent(&self, values: &Values) -> Sent {
        Sent {
            method: self.method.clone(),
            path: filled(&self.path, values),
            headers: self
                .headers
                .iter()
                .map(|(name, value)| (name.clone(), filled_bytes(value, values)))
                .collect(),
            body: filled_bytes(&self.body, values).into(),
        }
    }

    /// What is not as it must be, whoever answered.
    pub fn complaint(&self, raw: &Raw, values: &Values) -> Option<String> {
        let body: Value = serde_json::from_slice(&raw.body).unwrap_or_default();
        let header = |name: &str| raw.headers.get(name).and_then(|value| value.to_str().ok());
        let mut wrong: Vec<String> = Vec::new();
        let mut must = |holds: bool, what: &str| {
            if !holds {
                wrong.push(what.to_owned());
            }
        };
        must(
            raw.status == self.status,
            &format!("the status is not {}", self.status),
        );
        if let Some(code) = self.code {
            must(body["code"] == code, &format!("the code is not {code}"));
            must(body["status"] == raw.status, "the status in the body");
            must(
                body["title"].is_string() && body["detail"].is_string(),
                "title and detail",
            );
            must(header("cache-control") == Some("no-store"), "cache-control");
        }
        if raw.status == 401 {
            let challenge = header("www-authenticate").unwrap_or_default();
            must(challenge.starts_with("Bearer"), "the challenge");
            // That of an application's own refusals is its own.
            let own = body["code"] == "invalid_credentials";
            let told = challenge.contains("resource_metadata=\"");
            must(own || told, "the metadata in the challenge");
        }
        for (name, value) in EVERYWHERE {
            must(header(name) == Some(value), &format!("the header {name}"));
        }
        must(
            cookies(raw).iter().map(|(name, _)| name).eq(&self.sets),
            "the cookies",
        );
        must(
            ![429, 503].contains(&raw.status) || header("retry-after").is_some(),
            "when to try again",
        );
        must(
            raw.status != 405 || header("allow").is_some(),
            "the methods that are allowed",
        );
        for (name, value) in &self.with {
            must(header(name) == Some(value), &format!("the header {name}"));
        }
        if let Some(like) = &self.like {
            let like = filled(&like.to_string(), values);
            let expected: Value = serde_json::from_str(&like).expect("values need no escapes");
            must(is_like(&body, &expected), &format!("a body like {like}"));
        }
        let data =
            header("content-security-policy") == Some("default-src 'none'; frame-ancestors 'none'");
        let is_json = !raw.body.is_empty()
            && !header("content-type").is_some_and(|kind| kind.starts_with("text/"));
        let code = body["code"].as_str();
        must(
            data || !document::is_of_the_library(&self.method, &self.path),
            "that it may load nothing",
        );
        let hosts = self.headers.iter().filter(|(name, _)| name == "host");
        // Which refuses any call alike, and is told of once.
        let of_two_hosts = hosts.count() > 1;
        if let Some(operation) = document::operation(&self.method, &self.path)
            && !of_two_hosts
        {
            wrong.extend(operation.unknown(raw.status, code, is_json.then_some(&body)));
        }
        (!wrong.is_empty()).then(|| {
            let headers = &raw.headers;
            format!(
                "{}: {wrong:?}: {} {headers:?} {body}",
                self.name, raw.status
            )
        })
    }

    pub fn kept(&self, raw: &Raw, values: &mut Values) {
        let body: Value = serde_json::from_slice(&raw.body).unwrap_or_default();
        for (name, pointer) in &self.keep {
            let value = body.pointer(pointer).and_then(Value::as_str);
            // Where it is missing there is a complaint already.
            values.insert((*name).to_owned(), value.unwrap_or("missing").to_owned());
        }
        for (name, cookie) in &self.keep_cookies {
            let cookies = cookies(raw);
            let value = cookies.iter().find(|(known, _)| known == cookie);
            let value = value.map_or("missing", |(_, value)| value);
            values.insert((*name).to_owned(), value.to_owned());
        }
    }
}

impl Answer {
    pub fn of(raw: &Raw) -> Self {
        let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in &raw.headers {
            if !BY_FRAMEWORKS.contains(&name.as_str()) {
                let mut value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                if name == "set-cookie" {
                    value = without_value(&value);
                }
                headers.entry(name.to_string()).or_default().push(value);
            }
        }
        let text = || Value::from(String::from_utf8_lossy(&raw.body).into_owned());
        let mut body = serde_json::from_slice(&raw.body).unwrap_or_else(|_| text());
        normalise(&mut body, "");
        Self {
            status: raw.status,
            headers,
            body,
        }
    }
}

/// What a framework, or the version of HTTP, says by itself.
const BY_FRAMEWORKS: [&str; 4] = ["connection", "content-length", "date", "transfer-encoding"];

/// What stands on every answer, whoever gives it.
const EVERYWHERE: [(&str, &str); 4] = [
    ("cross-origin-opener-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
];

/// The names and values of the cookies that an answer sets.
fn cookies(raw: &Raw) -> Vec<(&str, &str)> {
    let all = raw.headers.get_all("set-cookie").iter();
    all.filter_map(|cookie| cookie.to_str().ok()?.split(';').next()?.split_once('='))
        .collect()
}

fn without_value(cookie: &str) -> String {
    let (name, rest) = cookie.split_once('=').unwrap_or_default();
    match rest.split_once(';') {
        Some(("", rest)) => format!("{name}=;{rest}"),
        Some((_, rest)) => format!("{name}=_;{rest}"),
        None => cookie.to_owned(),
    }
}

fn filled(text: &str, values: &Values) -> String {
    let mut text = text.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    text
}

fn filled_bytes(bytes: &[u8], values: &Values) -> Vec<u8> {
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.len() < 100_000 => filled(text, values).into_bytes(),
        _ => bytes.to_vec(),
    }
}

/// Every member of `like` is in `value`, or is `null` and missing; what else is there is not looked at.
fn is_like(value: &Value, like: &Value) -> bool {
    match (value, like) {
        (Value::Object(value), Value::Object(like)) => like
            .iter()
            .all(|(name, like)| is_like(value.get(name).unwrap_or(&Value::Null), like)),
        (Value::Array(value), Value::Array(like)) => {
            value.len() == like.len() && value.iter().zip(like).all(|(a, b)| is_like(a, b))
        }
        _ => value == like,
    }
}

/// Ids, tokens, ages and cursors are another one each time.
fn normalise(value: &mut Value, name: &str) {
    match value {
        // How a store counts is its own.
        Value::Array(_) if name == "cursor" => *value = "_".into(),
        Value::Array(items) => items.iter_mut().for_each(|item| normalise(item, name)),
        Value::Object(members) => {
            for (name, value) in members {
                normalise(value, name);
            }
        }
        Value::String(text) => {
            let is_token = text.starts_with("eyJ") || name.to_lowercase().contains("refresh");
            let is_id = text.len() == 36 && text.bytes().filter(|byte| *byte == b'-').count() == 4;
            if is_token || is_id || name == "jti" {
                *value = "_".into();
            }
        }
        Value::Number(_) if name == "ageMs" => *value = "_".into(),
        _ => {}
    }
}
