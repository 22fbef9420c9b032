//! Bodies: read with a bound, and turned into what they should be or into a problem.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Request, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::{DeserializeOwned, IgnoredAny};

use super::{Problem, drain, waits_for_leave};
use crate::error::BoxError;

/// The most bytes of a body: 64 KiB, far more than any request of ours needs.
pub const MAX_BODY: usize = 64 * 1024;

/// Reads a JSON object from a body of at most [`MAX_BODY`] bytes.
///
/// Members that `T` does not know are left to `T`; serde ignores them unless told otherwise.
///
/// # Errors
///
/// A [`Problem`]: 415 when the body is not said to be JSON, 413 when it is too large, 400 when it
/// is not JSON or breaks off, 422 when it is JSON of another shape.
pub async fn read_json<T, B>(request: Request<B>) -> Result<T, Problem>
where
    T: DeserializeOwned,
    B: Body<Error: Into<BoxError>>,
{
    let (parts, body) = request.into_parts();
    if !is_json(&parts.headers) {
        if !waits_for_leave(&parts.headers) {
            drain(body).await;
        }
        return Err(another_type());
    }
    let body = read(&parts.headers, body).await?;
    parse(&body)
}

/// The same where a body is not required. An empty one is none, whatever frames it and whatever it
/// is said to be.
pub(super) async fn read_json_if_any<T, B>(request: Request<B>) -> Result<Option<T>, Problem>
where
    T: DeserializeOwned,
    B: Body<Error: Into<BoxError>>,
{
    let (parts, body) = request.into_parts();
    let body = read(&parts.headers, body).await?;
    if body.is_empty() {
        Ok(None)
    } else if is_json(&parts.headers) {
        parse(&body).map(Some)
    } else {
        Err(another_type())
    }
}

/// serde takes an array for a struct; here only an object is one.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(body)
        .map_err(|_| Problem::malformed_body("the body is not UTF-8 throughout"))?;
    let well_formed = serde_json::from_str::<IgnoredAny>(text).is_ok();
    if !well_formed || has_lone_surrogate(text) {
        return Err(Problem::malformed_body("the body is not well-formed JSON"));
    }
    if !text.trim_ascii_start().starts_with('{') {
        return Err(Problem::invalid_input("the body is not a JSON object"));
    }
    serde_json::from_str(text).map_err(|error| Problem::invalid_input(shape(&error)))
}

/// Whether JSON that is well-formed otherwise escapes half a character (RFC 8259, section 8.2).
/// serde does not look at that in members that it ignores.
fn has_lone_surrogate(json: &str) -> bool {
    let mut rest = json;
    let mut high = false;
    while let Some((before, escape)) = rest.split_once('\\') {
        if high && !before.is_empty() {
            return true;
        }
        let unit = escape.strip_prefix('u').and_then(|hex| hex.get(..4));
        let unit = unit.and_then(|hex| u16::from_str_radix(hex, 16).ok());
        let low = unit.is_some_and(|unit| (0xdc00..0xe000).contains(&unit));
        if high != low {
            return true;
        }
        high = unit.is_some_and(|unit| (0xd800..0xdc00).contains(&unit));
        // What is escaped is one byte of ASCII, if only the `u`.
        rest = escape
            .get(if unit.is_some() { 5 } else { 1 }..)
            .unwrap_or_default();
    }
    high
}

pub(crate) async fn read<B>(headers: &HeaderMap, body: B) -> Result<Bytes, Problem>
where
    B: Body<Error: Into<BoxError>>,
{
    let mut body = std::pin::pin!(body);
    if announced(headers).is_some_and(|length| length > MAX_BODY as u64) {
        if !waits_for_leave(headers) {
            drain(body).await;
        }
        return Err(too_large());
    }
    match Limited::new(body.as_mut(), MAX_BODY).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            drain(body).await;
            Err(too_large())
        }
        Err(_) => Err(Problem::malformed_body("the body broke off")),
    }
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// `application/json`, or anything that says it is JSON by its suffix (RFC 6839, section 3.1).
fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(value)) = headers.get(CONTENT_TYPE).map(|value| value.to_str()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    match essence.strip_prefix("application/") {
        Some(subtype) => subtype == "json" || subtype.ends_with("+json"),
        None => false,
    }
}

/// What serde says of the shape, without the values: they may be secrets.
fn shape(error: &serde_json::Error) -> String {
    let text = error.to_string();
    for told in ["missing field", "duplicate field"] {
        if let Some(rest) = text.strip_prefix(told) {
            let name = rest.split('`').nth(1).unwrap_or_default();
            return format!("{told} `{name}`");
        }
    }
    "a member of the body is of the wrong type".to_owned()
}

fn another_type() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "invalid_input",
        "send the body as application/json",
    )
}

fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "invalid_input",
        "the body is larger than 64 KiB",
    )
}

#[cfg(test)]
mod tests {
    use http::header::EXPECT;
    use http_body_util::Full;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Form {
        name: String,
    }

    async fn read_as(content_type: &str, body: &str) -> Result<String, u16> {
        let request = Request::builder()
            .header(CONTENT_TYPE, content_type)
            .body(Full::new(Bytes::from(body.to_owned())))
            .unwrap();
        let form = read_json::<Form, _>(request).await;
        form.map(|form| form.name)
            .map_err(|problem| problem.status().as_u16())
    }

    const JSON: &str = "application/json";

    #[tokio::test]
    async fn json_is_read_and_unknown_members_are_ignored() {
        let body = r#"{"name":"ada","more":[1,{"x":null}]}"#;
        assert_eq!(read_as(JSON, body).await, Ok("ada".to_owned()));
        let spelled = "Application/JSON; charset=utf-8";
        assert_eq!(read_as(spelled, body).await, Ok("ada".to_owned()));
    }

    #[tokio::test]
    async fn a_body_of_another_type_is_415() {
        for other in ["", "text/plain", "application/x-www-form-urlencoded"] {
            assert_eq!(read_as(other, r#"{"name":"ada"}"#).await, Err(415));
        }
    }

    #[tokio::test]
    async fn malformed_json_is_400() {
        for body in ["", "{", "nonsense", r#"{"name":"ada"}}"#, "\u{0}"] {
            assert_eq!(read_as(JSON, body).await, Err(400), "{body}");
        }
        let nested = "[".repeat(30_000);
        assert_eq!(read_as(JSON, &nested).await, Err(400));
    }

    #[tokio::test]
    async fn half_a_character_is_400_wherever_it_stands() {
        let wrong = [
            r#"{"name":"\ud800"}"#,
            r#"{"name":"\udc00"}"#,
            r#"{"name":"\ud800x\udc00"}"#,
            r#"{"name":"\ud800\n"}"#,
            r#"{"name":"\ud83d\ud83d\ude00"}"#,
            r#"{"name":"ada","more":["\uDBFF"]}"#,
            r#"{"name":"ada","\ud800":1}"#,
        ];
        for body in wrong {
            assert_eq!(read_as(JSON, body).await, Err(400), "{body}");
        }
        let right = [
            (r#"{"name":"\ud83d\ude00"}"#, "\u{1f600}"),
            (r#"{"name":"\\ud800"}"#, r"\ud800"),
            (r#"{"name":"\\\u00e4\uD83D\uDE00"}"#, "\\ä\u{1f600}"),
        ];
        for (body, name) in right {
            assert_eq!(read_as(JSON, body).await.as_deref(), Ok(name), "{body}");
        }
    }

    #[tokio::test]
    async fn what_is_not_utf_8_is_400() {
        for body in [
            &b"{\"name\":\"\xff\"}"[..],
            b"{\"name\":\"ada\",\"x\":\"\xc3\"}",
        ] {
            assert_eq!(parse::<Form>(body).unwrap_err().status(), 400);
        }
    }

    #[tokio::test]
    async fn an_empty_body_is_none_even_without_a_type() {
        let read = async |content_type: &str, body: &str| {
            let request = Request::builder()
                .header(CONTENT_TYPE, content_type)
                .body(Full::new(Bytes::from(body.to_owned())))
                .unwrap();
            let form = read_json_if_any::<Form, _>(request).await;
            form.map(|form| form.map(|form| form.name))
                .map_err(|problem| problem.status().as_u16())
        };
        assert_eq!(read("text/plain", "").await, Ok(None));
        assert_eq!(read("text/plain", "{}").await, Err(415));
        assert_eq!(read(JSON, " ").await, Err(400));
        let named = read(JSON, r#"{"name":"ada"}"#).await;
        assert_eq!(named, Ok(Some("ada".to_owned())));
    }

    #[tokio::test]
    async fn json_of_another_shape_is_422() {
        for body in [
            "{}",
            "[]",
            "null",
            "7",
            r#"["ada"]"#,
            r#"{"name":7}"#,
            r#"{"name":null}"#,
        ] {
            assert_eq!(read_as(JSON, body).await, Err(422), "{body}");
        }
    }

    #[tokio::test]
    async fn a_body_above_the_bound_is_413_and_one_at_it_is_not() {
        let of = |length: usize| format!(r#"{{"name":"{}"}}"#, "x".repeat(length - 11));
        assert!(read_as(JSON, &of(MAX_BODY)).await.is_ok());
        assert_eq!(read_as(JSON, &of(MAX_BODY + 1)).await, Err(413));
        assert_eq!(read_as(JSON, &of(10_000_000)).await, Err(413));
    }

    #[tokio::test]
    async fn an_announced_length_above_the_bound_is_413() {
        let request = Request::builder()
            .header(CONTENT_TYPE, JSON)
            .header(CONTENT_LENGTH, "99999999999")
            .header(EXPECT, "100-continue")
            .body(Full::new(Bytes::new()))
            .unwrap();
        let problem = read_json::<Form, _>(request).await.unwrap_err();
        assert_eq!(problem.status(), 413);
    }

    #[test]
    fn the_problem_does_not_repeat_values_of_the_body() {
        let error = serde_json::from_str::<Form>(r#"{"name":7312}"#).unwrap_err();
        assert_eq!(shape(&error), "a member of the body is of the wrong type");
        let error = serde_json::from_str::<Form>("{}").unwrap_err();
        assert_eq!(shape(&error), "missing field `name`");
    }
}
