//! Refresh tokens as they are presented: in the body, or in a cookie.
//!
//! A cookie counts only when
//!
//! 1. there is none in the body, and exactly one of that name;
//! 2. a page of this site sent the request;
//! 3. it is genuine, and of the session that the access token beside it names, whether or not
//!    that has expired: a sibling domain may have tossed a cookie of another session. The access
//!    token is that of the bearer header where there is one, else that of the access cookie; an
//!    access cookie that is good for nothing is passed over, a bearer header is not.

use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, Request};
use http_body::Body;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::body::{another_type, read_json_if_any};
use super::{Endpoints, Problem, limited, read_json_within};
use crate::error::BoxError;
use crate::rejection::Rejection;
use crate::session::{Device, SessionError, Tokens, Transport};
use crate::token::{RawToken, SessionId, SourceError, TokenSource};
use crate::verify::CustomClaims;

/// A refresh token, and how it came.
pub(super) struct Presented {
    text: String,
    in_cookie: bool,
    device: Device,
}

/// A body beside a refresh cookie, which may have a token as well.
#[derive(Deserialize)]
struct Beside {
    #[serde(default, alias = "refreshToken")]
    refresh_token: Option<String>,
}

impl Presented {
    fn in_body(text: String, device: Device) -> Self {
        Self {
            text,
            in_cookie: false,
            device,
        }
    }
}

impl<C: CustomClaims> Endpoints<C> {
    /// The refresh token of a request: that of the body, whose form is `T`, or without one that of
    /// the cookie.
    pub(super) async fn presented<T, B>(
        &self,
        request: Request<B>,
    ) -> Result<(Parts, Presented), Problem>
    where
        T: DeserializeOwned + Into<String>,
        B: Body<Error: Into<BoxError>>,
    {
        let device = limited::device(&request);
        let timeout = self.auth.body_timeout();
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(parts.clone(), body);
        if !self.has_refresh_cookie(&parts.headers) {
            let untyped = !parts.headers.contains_key(CONTENT_TYPE);
            if untyped && self.auth.cookies().allow(Transport::Hybrid) {
                return Err(nothing_in(request, timeout).await);
            }
            let form: T = read_json_within(timeout, request).await?;
            return Ok((parts, Presented::in_body(form.into(), device)));
        }
        let form: Option<Beside> = read_json_if_any(timeout, request).await?;
        let presented = match form.and_then(|form| form.refresh_token) {
            Some(text) => Presented::in_body(text, device),
            None => self.of_cookie(&parts, device)?,
        };
        Ok((parts, presented))
    }

    /// Whether the request has something under the name of the refresh cookie.
    fn has_refresh_cookie(&self, headers: &HeaderMap) -> bool {
        let cookies = self.auth.cookies();
        let source = TokenSource::cookie(cookies.refresh_name());
        cookies.allow(Transport::Hybrid) && !matches!(source.find(headers), Ok(None))
    }

    /// The refresh token of the cookie.
    ///
    /// # Errors
    ///
    /// 401 and 403 where it must not count.
    fn of_cookie(&self, request: &Parts, device: Device) -> Result<Presented, Problem> {
        self.auth.same_origin(request)?;
        let source = TokenSource::cookie(self.auth.cookies().refresh_name());
        let text = text_of(&source, &request.headers)?.ok_or(Rejection::MissingToken)?;
        let (session, _) = self
            .auth
            .peek_refresh(text)
            .ok_or(SessionError::InvalidToken)?;
        let owner = self.owner(&request.headers)?;
        if owner.is_some_and(|owner| owner != session) {
            return Err(Problem::invalid_token(
                "invalid_token",
                "the cookies are not of one session; sign in again",
            ));
        }
        Ok(Presented {
            text: text.to_owned(),
            in_cookie: true,
            device,
        })
    }

    /// Refreshes, and refuses cookies of a session that has none.
    pub(super) async fn refresh_with(&self, presented: Presented) -> Result<Tokens, Problem> {
        let refreshed = self.refresh_on(&presented.text, presented.device);
        let tokens = refreshed.await?;
        if presented.in_cookie && tokens.transport == Transport::Body {
            return Err(SessionError::InvalidToken.into());
        }
        Ok(tokens)
    }

    /// The session that the access token of the request names; `None` where it has none.
    fn owner(&self, headers: &HeaderMap) -> Result<Option<SessionId>, Problem> {
        if let Some(text) = text_of(&TokenSource::bearer(), headers)? {
            let facts = self.auth.peek(RawToken::from_parameter(text));
            let session = facts.and_then(|facts| facts.session);
            return session.map(Some).ok_or(Rejection::InvalidToken.into());
        }
        let source = TokenSource::cookie(self.auth.cookies().access_name());
        let token = match source.find(headers) {
            Ok(token) => token,
            // Nobody knows which of them belongs to the refresh cookie.
            Err(misread) if misread.error == SourceError::Duplicate => {
                return Err(Rejection::from(misread.error).into());
            }
            Err(_) => None,
        };
        let facts = token.and_then(|token| self.auth.peek(token));
        Ok(facts.and_then(|facts| facts.session))
    }
}

/// What a request without a cookie is told whose body is of no type: a page whose cookies were
/// cleared sends nothing, however that is framed, and hears that it has no token.
async fn nothing_in<B>(request: Request<B>, timeout: Duration) -> Problem
where
    B: Body<Error: Into<BoxError>>,
{
    match read_json_if_any::<IgnoredAny, _>(timeout, request).await {
        Ok(None) => Rejection::MissingToken.into(),
        Ok(Some(_)) | Err(_) => another_type(),
    }
}

/// What stands in a place, as text.
pub(super) fn text_of<'h>(
    source: &TokenSource,
    headers: &'h HeaderMap,
) -> Result<Option<&'h str>, Problem> {
    let found = source.find(headers).map_err(|misread| misread.error);
    let text = found.and_then(|found| found.map(|token| token.text()).transpose());
    Ok(text.map_err(Rejection::from)?)
}
