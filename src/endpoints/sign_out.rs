//! Refresh and sign-out in the manner of RFC 6749, for applications' own sign-in paths.

use http::header::SET_COOKIE;
use http::request::Parts;
use http::{Request, StatusCode};
use http_body::Body;
use serde::Deserialize;

use super::body::read_json_if_any;
use super::presented::text_of;
use super::{Endpoints, Problem, Response, reply};
use crate::error::BoxError;
use crate::jwt_session::Introspection;
use crate::rejection::Rejection;
use crate::session::{Done, SessionError, Transport};
use crate::token::TokenSource;
use crate::verify::CustomClaims;

#[derive(Deserialize)]
struct Form {
    #[serde(alias = "refreshToken")]
    refresh_token: String,
}

impl<C: CustomClaims> Endpoints<C> {
    /// `POST /api/auth/refresh`: a new pair for `{"refresh_token"}`, or for the refresh cookie, as
    /// RFC 6749, section 5.1, answers it; in the transport of its session.
    pub async fn refresh<B>(&self, request: Request<B>) -> Response
    where
        B: Body<Error: Into<BoxError>>,
    {
        self.limited_refresh(request, reply::answer, |request| self.pair(request))
            .await
    }

    /// `POST /api/auth/logout`: ends the session of the bearer token, which may have expired, or
    /// of `{"refresh_token"}` where there is none, or that of the cookies, which are taken back.
    /// 204, also when the session had ended before.
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
        let (parts, presented) = self.presented::<Form, _>(request).await?;
        let tokens = self.refresh_with(presented).await?;
        self.auth.hand_out(&parts, StatusCode::OK, tokens)
    }

    async fn signed_out<B>(&self, request: Request<B>) -> Result<Response, Problem>
    where
        B: Body<Error: Into<BoxError>>,
    {
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(parts.clone(), body);
        let ended = if let Some(token) = text_of(&TokenSource::bearer(), &parts.headers)? {
            self.ended_by_access_token(token).await?
        } else if let Some(form) =
            read_json_if_any::<Form, _>(self.auth.body_timeout(), request).await?
        {
            let sessions = self.auth.sessions();
            sessions.end_by_refresh_token(&form.refresh_token).await
        } else {
            self.ended_by_cookies(&parts).await?
        };
        match ended {
            // Already forgotten: what was asked for is so.
            Ok(_) | Err(SessionError::NotFound | SessionError::Over(_)) => {
                Ok(self.without_cookies(&parts))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn ended_by_access_token(
        &self,
        token: &str,
    ) -> Result<Result<Done, SessionError>, Problem> {
        match self.auth.sessions().end_by_access_token(token).await {
            // Nothing ended, and it may go on elsewhere.
            Err(SessionError::NotFound) if !self.is_ours(token).await => {
                Err(Problem::session_not_kept())
            }
            ended => Ok(ended),
        }
    }

    /// Ends the session of the access cookie, or where that is good for nothing that of the
    /// refresh cookie.
    async fn ended_by_cookies(
        &self,
        request: &Parts,
    ) -> Result<Result<Done, SessionError>, Problem> {
        let cookies = self.auth.cookies();
        if !cookies.allow(Transport::Cookie) {
            return Err(Rejection::MissingToken.into());
        }
        let find = |name| text_of(&TokenSource::cookie(name), &request.headers);
        let [access, refresh] = [find(cookies.access_name()), find(cookies.refresh_name())];
        if let (Ok(None), Ok(None)) = (&access, &refresh) {
            return Err(Rejection::MissingToken.into());
        }
        self.auth.same_origin(request)?;
        if let Some(access) = access? {
            let ended = self.ended_by_access_token(access).await?;
            if !matches!(ended, Err(SessionError::InvalidToken)) {
                return Ok(ended);
            }
        }
        let Some(refresh) = refresh? else {
            return Ok(Err(SessionError::NotFound));
        };
        match self.auth.sessions().end_by_refresh_token(refresh).await {
            // There is nothing to end, and the cookies are good for nothing.
            Err(SessionError::InvalidToken) => Ok(Err(SessionError::NotFound)),
            ended => Ok(ended),
        }
    }

    /// 204, and what cookies there are are taken back if one of our pages asks.
    fn without_cookies(&self, request: &Parts) -> Response {
        let mut response = reply::no_content();
        let cookies = self.auth.cookies();
        let has = |name| !matches!(TokenSource::cookie(name).find(&request.headers), Ok(None));
        let any = has(cookies.access_name()) || has(cookies.refresh_name());
        if cookies.allow(Transport::Cookie) && any && self.auth.same_origin(request).is_ok() {
            for cookie in self.auth.cleared() {
                response.headers_mut().append(SET_COOKIE, cookie);
            }
        }
        response
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

impl From<Form> for String {
    fn from(form: Form) -> Self {
        form.refresh_token
    }
}
