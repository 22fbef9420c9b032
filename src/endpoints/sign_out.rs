//! Refresh and sign-out in the manner of RFC 6749, for applications' own sign-in paths.

use http::{HeaderMap, Request, StatusCode};
use http_body::Body;
use serde::Deserialize;

use super::body::read_json_if_any;
use super::{Endpoints, Problem, Response, read_json, reply};
use crate::error::BoxError;
use crate::jwt_session::Introspection;
use crate::rejection::Rejection;
use crate::session::SessionError;
use crate::token::TokenSource;
use crate::verify::CustomClaims;

#[derive(Deserialize)]
struct Presented {
    #[serde(alias = "refreshToken")]
    refresh_token: String,
}

impl<C: CustomClaims> Endpoints<C> {
    /// `POST /api/auth/refresh`: a new pair for `{"refresh_token"}`, as RFC 6749, section 5.1,
    /// answers it.
    pub async fn refresh<B>(&self, request: Request<B>) -> Response
    where
        B: Body<Error: Into<BoxError>>,
    {
        reply::answer(self.pair(request).await)
    }

    /// `POST /api/auth/logout`: ends the session of the bearer token, which may have expired, or
    /// of `{"refresh_token"}` where there is none. 204, also when the session had ended before.
    pub async fn sign_out<B>(&self, request: Request<B>) -> Response
    where
        B: Body<Error: Into<BoxError>>,
    {
        reply::answer(self.signed_out(request).await)
    }

    async fn pair<B>(&self, request: Request<B>) -> Result<Response, Problem>
    where
        B: Body<Error: Into<BoxError>>,
    {
        let presented: Presented = read_json(request).await?;
        let sessions = self.auth.sessions();
        let tokens = sessions.refresh(&presented.refresh_token).await?;
        Ok(reply::json(StatusCode::OK, &tokens))
    }

    async fn signed_out<B>(&self, request: Request<B>) -> Result<Response, Problem>
    where
        B: Body<Error: Into<BoxError>>,
    {
        let sessions = self.auth.sessions();
        let ended = if let Some(access_token) = bearer(request.headers())? {
            match sessions.end_by_access_token(&access_token).await {
                // Nothing ended, and it may go on elsewhere.
                Err(SessionError::NotFound) if !self.is_ours(&access_token).await => {
                    return Err(Problem::session_not_kept());
                }
                ended => ended,
            }
        } else {
            let presented: Option<Presented> = read_json_if_any(request).await?;
            let presented = presented.ok_or(Rejection::MissingToken)?;
            sessions
                .end_by_refresh_token(&presented.refresh_token)
                .await
        };
        match ended {
            // Already forgotten: what was asked for is so.
            Ok(_) | Err(SessionError::NotFound | SessionError::Over(_)) => Ok(reply::no_content()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a genuine token is one that we issued. One that is worth nothing may count as ours:
    /// there is nothing left to end.
    async fn is_ours(&self, access_token: &str) -> bool {
        match self.auth.introspect(access_token).await {
            Introspection::Active(session) => super::is_ours(session.token().facts()),
            Introspection::Expired(token) => super::is_ours(token.claims().facts()),
            _ => true,
        }
    }
}

fn bearer(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let found = TokenSource::bearer()
        .find(headers)
        .and_then(|found| found.map(|token| token.text()).transpose())
        .map_err(Rejection::from)?;
    Ok(found.map(str::to_owned))
}
