//! Refusals as rejections and replies of warp.

use warp::Rejection as Rejected;
use warp::reject::{MethodNotAllowed, Reject};
use warp::reply::{Reply, Response};

use crate::endpoints::Problem;
use crate::rejection::Rejection;
use crate::session::SessionError;

impl Reject for Rejection {}

impl Reject for Problem {}

impl Reject for SessionError {}

impl Reply for Problem {
    fn into_response(self) -> Response {
        let (parts, body) = self.into_bytes().into_parts();
        Response::from_parts(parts, body.into())
    }
}

impl Reply for Rejection {
    fn into_response(self) -> Response {
        if let Rejection::Misconfigured { what } = &self {
            tracing::error!(what, "the server is not put together correctly");
        }
        Reply::into_response(Problem::from(self))
    }
}

impl Reply for SessionError {
    fn into_response(self) -> Response {
        Reply::into_response(Problem::from(self))
    }
}

/// Answers what the filters here, and handlers that reject with a [`Rejection`] or a [`Problem`],
/// refused; and what no filter took, as the endpoints answer it: 404, or 405.
///
/// For [`Filter::recover`](warp::Filter::recover).
///
/// # Errors
///
/// Every other rejection, as it came: another `recover` or warp itself answers that.
pub async fn recover(rejected: Rejected) -> Result<Response, Rejected> {
    if let Some(problem) = rejected.find::<Problem>() {
        Ok(problem.clone().into_response_of_warp())
    } else if let Some(rejection) = rejected.find::<Rejection>() {
        Ok(Reply::into_response(rejection.clone()))
    } else if rejected.is_not_found() {
        Ok(Problem::not_found().into_response_of_warp())
    } else if rejected.find::<MethodNotAllowed>().is_some() {
        Ok(Problem::method_not_allowed("").into_response_of_warp())
    } else {
        Err(rejected)
    }
}

impl Problem {
    fn into_response_of_warp(self) -> Response {
        Reply::into_response(self)
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http_body_util::{BodyExt, Empty};
    use serde_json::Value;
    use tower::{Layer, ServiceExt};
    use warp::Filter;

    use super::super::{device, optional_session, session};
    use super::*;
    use crate::session::{Device, Session};
    use crate::verify::NoClaims;

    async fn ask(path: &str, token: Option<&str>) -> (http::response::Parts, Value) {
        let (auth, mint, _clock) = crate::testing::session();
        let good = mint.user("ada").token().await;
        let me = warp::path!("me").and(session::<NoClaims>());
        let me = me.map(|session: Session| session.subject().to_string());
        let maybe = warp::path!("maybe")
            .and(optional_session::<NoClaims>())
            .and(device());
        let maybe = maybe.map(|session: Option<Session>, device: Device| {
            format!("{} on {}", session.is_some(), device.label)
        });
        let admin = warp::path!("admin")
            .and(session::<NoClaims>())
            .and_then(admin);
        let routes = me.or(maybe).or(admin).recover(recover);
        let layer = auth
            .layer()
            .with_anonymous(crate::middleware::Anonymous::Allow);
        let mut request = Request::get(path).header("user-agent", "curl/8.5.0");
        if let Some(token) = token {
            let token = if token == "good" { &good } else { token };
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Empty::<bytes::Bytes>::new()).unwrap();
        let service = layer.layer(warp::service(routes));
        let (parts, body) = service.oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&body).into_owned();
        (parts, serde_json::from_slice(&body).unwrap_or(text.into()))
    }

    async fn admin(session: Session) -> Result<&'static str, Rejected> {
        session
            .require_role("admin")
            .map_err(warp::reject::custom)?;
        Ok("welcome")
    }

    #[tokio::test]
    async fn a_filter_gives_the_session_and_recover_keeps_our_refusals() {
        let (_, body) = ask("/me", Some("good")).await;
        assert_eq!(body, "ada");
        let (parts, body) = ask("/me", None).await;
        assert_eq!(
            (parts.status.as_u16(), &body["code"]),
            (401, &"missing_token".into())
        );
        assert_eq!(parts.headers["www-authenticate"], "Bearer");
        let (parts, body) = ask("/admin", Some("good")).await;
        assert_eq!(
            (parts.status.as_u16(), &body["code"]),
            (403, &"insufficient_role".into())
        );
        let (parts, _) = ask("/nowhere", None).await;
        assert_eq!(parts.status, 404);
    }

    #[tokio::test]
    async fn a_visitor_is_none_but_a_bad_token_is_refused() {
        assert_eq!(ask("/maybe", None).await.1, "false on curl");
        assert_eq!(ask("/maybe", Some("good")).await.1, "true on curl");
        assert_eq!(ask("/maybe", Some("garbage")).await.0.status, 401);
    }
}
