//! Revocation (RFC 7009) and introspection (RFC 7662) for stock OAuth clients.
//!
//! Both take forms. A refusal is a problem document and an error of RFC 6749, section 5.2, at
//! once: where that section speaks (400, 401, and 413 and 415 beside them) it also has `error` and
//! `error_description` and travels as `application/json`, which stock clients insist on. A 403, a
//! 405 and a 503 are problem documents like any other.

mod caller;
mod form;
mod told;

use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Request, StatusCode};
use http_body::Body;
use serde_json::json;

use self::form::Form;
use self::told::{AccessToken, RefreshToken};
use super::{Endpoints, Problem, Response, reply};
use crate::error::BoxError;
use crate::jwt_session::Introspection;
use crate::session::SessionError;
use crate::verify::CustomClaims;

impl<C: CustomClaims> Endpoints<C> {
    /// `POST /oauth/revoke` (RFC 7009): ends the session of an access token, which may have
    /// expired, or of a refresh token, which may have been used. 200 and an empty body, also for
    /// texts that are no token of ours; a token of another issuer is that issuer's to revoke.
    ///
    /// Whoever holds a token may end its session, so nobody else is asked who they are. The hint
    /// is not needed to tell the two kinds apart, and a wrong one does no harm.
    pub async fn revoke<B>(&self, request: Request<B>) -> Response
    where
        B: Body<Error: Into<BoxError>>,
    {
        let answer = self.revoked(request).await;
        answer.unwrap_or_else(|problem| self.oauth_refusal(problem))
    }

    /// `POST /oauth/introspect` (RFC 7662): what an access token or a refresh token is worth, for
    /// administrators and for the
    /// [`IntrospectionClient`](crate::IntrospectionClient). `{"active":false}` tells nothing more.
    ///
    /// Reads alone: it is neither a use of the token nor activity of its user. See
    /// [`JwtSession::introspect`](crate::JwtSession::introspect) for what follows from that.
    ///
    /// For the bearer tokens of administrators it stands behind a layer that lets
    /// [anonymous](crate::middleware::Anonymous::Allow) requests pass; the client sends its id and
    /// secret by HTTP Basic or in the form.
    ///
    /// # Security
    ///
    /// `token_type` is `Bearer` for access tokens and `refresh_token` for refresh tokens, which
    /// have no `aud`, `scope` or `roles` here. A service must not accept the latter for the former.
    pub async fn introspect<B>(&self, request: Request<B>) -> Response
    where
        B: Body<Error: Into<BoxError>>,
    {
        let answer = self.introspected(request).await;
        answer.unwrap_or_else(|problem| self.oauth_refusal(problem))
    }

    async fn revoked<B>(&self, request: Request<B>) -> Result<Response, Problem>
    where
        B: Body<Error: Into<BoxError>>,
    {
        let form = Form::read(request, self.auth.body_timeout()).await?;
        let token = form.token()?;
        let sessions = self.auth.sessions();
        let ended = match sessions.end_by_refresh_token(token).await {
            Err(SessionError::InvalidToken) => sessions.end_by_access_token(token).await,
            ended => ended,
        };
        match ended {
            Ok(_)
            | Err(SessionError::InvalidToken | SessionError::NotFound | SessionError::Over(_)) => {
                Ok(reply::empty(StatusCode::OK))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn introspected<B>(&self, request: Request<B>) -> Result<Response, Problem>
    where
        B: Body<Error: Into<BoxError>>,
    {
        let (parts, body) = request.into_parts();
        let form = Form::read(
            Request::from_parts(parts.clone(), body),
            self.auth.body_timeout(),
        )
        .await?;
        self.authenticate(&parts, &form)?;
        let token = form.token()?;
        let policy = self.auth.policy();
        if let Some(info) = self.auth.sessions().inspect_refresh_token(token).await? {
            let told = RefreshToken::of(&info, policy);
            return Ok(reply::json(StatusCode::OK, &told));
        }
        match self.auth.introspect(token).await {
            Introspection::Active(session) => {
                let told = AccessToken::of(session.token());
                Ok(reply::json(StatusCode::OK, &told))
            }
            Introspection::StoreUnavailable { retry_after } => {
                Err(Problem::store_unavailable(retry_after))
            }
            Introspection::Expired(_) | Introspection::Inactive | Introspection::Stale => {
                Ok(reply::json(StatusCode::OK, &json!({ "active": false })))
            }
        }
    }

    /// A refusal as RFC 6749, section 5.2, words it, where it does.
    fn oauth_refusal(&self, problem: Problem) -> Response {
        let status = problem.status();
        let error = match status {
            StatusCode::BAD_REQUEST
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNSUPPORTED_MEDIA_TYPE => "invalid_request",
            StatusCode::UNAUTHORIZED => "invalid_client",
            _ => return problem.into_response(),
        };
        let description = problem.detail().to_owned();
        let problem = problem
            .with_member("error", error)
            .with_member("error_description", description);
        let mut response = problem.into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(BASIC));
        }
        response
    }
}

const BASIC: &str = "Basic realm=\"introspection\", charset=\"UTF-8\"";
