//! Handing tokens out in the transport of their session, and taking cookies back.
//!
//! 1. A session whose transport is `cookie` gets no token in a body, one whose transport is
//!    `hybrid` the access token alone; what is left out of the body is in cookies.
//! 2. Cookies are set for pages of this site alone: else another site could sign its visitors in
//!    as somebody of its choice.
//! 3. An answer that was given again in the hold-off sets no refresh cookie: one that is late
//!    must not put an old token back.
//! 4. A sign-in may leave a device cookie behind, by which the device is recognised at the next one.
//!    It lets nobody in.
//! 5. Where the request shows that the browser holds a later generation, none is set.

use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;

use super::{Problem, Response, reply};
use crate::jwt_session::JwtSession;
use crate::middleware::Head;
use crate::rejection::Rejection;
use crate::session::refresh::ReplayKind;
use crate::session::{DeviceCookie, Tokens, Transport};
use crate::token::{SessionId, TokenSource};
use crate::verify::CustomClaims;

/// Tokens on their way to a client.
pub(super) struct Delivery {
    pub(super) told: Told,
    cookies: Vec<HeaderValue>,
}

/// What the body says of a pair of tokens.
#[derive(Serialize)]
pub(super) struct Told {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) access_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    pub(super) expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refresh_token: Option<String>,
    pub(super) session_id: SessionId,
    generation: u32,
}

impl<C: CustomClaims> JwtSession<C> {
    /// Lets a sign-in go on that asks for this transport. Call it before anything is made, be it
    /// an account or a session.
    ///
    /// # Errors
    ///
    /// A 422 where the server sets no cookies, and a 403 (`csrf_rejected`) where the request is
    /// not one of this site's own pages. `body` is always welcome.
    pub fn check_transport(&self, request: &Parts, transport: Transport) -> Result<(), Problem> {
        if transport == Transport::Body {
            return Ok(());
        }
        if !self.cookies().allow(transport) {
            return Err(Problem::invalid_input(
                "this server sets no cookies: the transport is body",
            ));
        }
        self.same_origin(request)
    }

    /// Hands tokens out in the transport of their session: what a sign-in, a refresh or a
    /// re-authentication answers. `request` is the one that is answered.
    ///
    /// # Errors
    ///
    /// A 403 (`csrf_rejected`) where cookies would have to be set for a request that is not one of
    /// this site's own pages.
    ///
    /// # Examples
    ///
    /// ```
    /// use http::StatusCode;
    /// use http::request::Parts;
    /// use tower_jwt_session::endpoints::{Problem, Response};
    /// use tower_jwt_session::session::Transport;
    /// use tower_jwt_session::{Device, JwtSession, UserId};
    ///
    /// async fn sign_in(
    ///     auth: &JwtSession,
    ///     request: &Parts,
    ///     user: &UserId,
    ///     transport: Transport, // of the body: "body", "hybrid" or "cookie"
    /// ) -> Result<Response, Problem> {
    ///     auth.check_transport(request, transport)?;
    ///     let ticket = auth.sessions().ticket(user).await?;
    ///     // ... the password is checked ...
    ///     let sign_in = auth.sessions().sign_in(ticket, Device::default());
    ///     let signed_in = sign_in.transport(transport).await?;
    ///     auth.hand_out(request, StatusCode::OK, signed_in.tokens())
    /// }
    /// # let _ = sign_in;
    /// ```
    pub fn hand_out(
        &self,
        request: &Parts,
        status: StatusCode,
        tokens: Tokens,
    ) -> Result<Response, Problem> {
        let delivery = self.deliver(request, tokens)?;
        Ok(delivery.on(|told| reply::json(status, told)))
    }

    pub(super) fn deliver(&self, request: &Parts, tokens: Tokens) -> Result<Delivery, Problem> {
        let transport = if self.cookies().allow(tokens.transport) {
            tokens.transport
        } else {
            Transport::Body
        };
        if transport == Transport::Body {
            let admitted = tokens.device_cookie.is_some() && self.same_origin(request).is_ok();
            let device = tokens.device_cookie.as_ref().filter(|_| admitted);
            return Ok(Delivery {
                cookies: device.and_then(device_cookie).into_iter().collect(),
                told: Told::of(tokens, transport),
            });
        }
        self.same_origin(request)?;
        let mut cookies = if self.holds_later(request, &tokens) {
            Vec::new()
        } else {
            self.cookies_of(&tokens, transport)?
        };
        cookies.extend(tokens.device_cookie.as_ref().and_then(device_cookie));
        Ok(Delivery {
            told: Told::of(tokens, transport),
            cookies,
        })
    }

    /// Whether a cookie may speak for a request, or be set by its answer.
    pub(super) fn same_origin(&self, request: &Parts) -> Result<(), Problem> {
        let admitted = self.origins().admit(Head::from(request));
        admitted.map_err(|cross_origin| {
            tracing::debug!(cause = cross_origin.as_str(), "cookies refused");
            Rejection::CsrfRejected.into()
        })
    }

    /// The headers that take both cookies back.
    pub(super) fn cleared(&self) -> [HeaderValue; 2] {
        let cookies = self.cookies();
        let over = |name: &str, attributes: String| {
            HeaderValue::try_from(format!("{name}=; Max-Age=0{attributes}"))
                .expect("names are ours, and the path was checked when it was set")
        };
        [
            over(cookies.access_name(), cookies.access_attributes()),
            over(cookies.refresh_name(), cookies.refresh_attributes()),
        ]
    }

    fn cookies_of(
        &self,
        tokens: &Tokens,
        transport: Transport,
    ) -> Result<Vec<HeaderValue>, Problem> {
        let cookies = self.cookies();
        // The access cookie outlives its token: by an expired one the server still sees whose
        // refresh cookie it is that comes along.
        let life = tokens.refresh_expires_in.as_secs();
        let cookie = |name: &str, token: &str, attributes: String| {
            // Browsers drop a longer one without a word (RFC 6265bis, section 5.6).
            if name.len() + token.len() > MAX_COOKIE {
                return Err(too_long());
            }
            HeaderValue::try_from(format!("{name}={token}; Max-Age={life}{attributes}"))
                .map_err(|_| too_long())
        };
        let mut set = Vec::with_capacity(2);
        if transport == Transport::Cookie {
            let attributes = cookies.access_attributes();
            set.push(cookie(
                cookies.access_name(),
                &tokens.access_token,
                attributes,
            )?);
        }
        if let Some(refresh_token) = &tokens.refresh_token
            && tokens.repeated != Some(ReplayKind::HoldOff)
        {
            let attributes = cookies.refresh_attributes();
            set.push(cookie(cookies.refresh_name(), refresh_token, attributes)?);
        }
        Ok(set)
    }

    /// Whether a cookie of the request is of the same session and a later generation.
    fn holds_later(&self, request: &Parts, tokens: &Tokens) -> bool {
        let names = self.cookies();
        let access = found(&request.headers, names.access_name())
            .and_then(|text| self.peek(crate::token::RawToken::from_parameter(text)))
            .and_then(|facts| Some((facts.session?, facts.binding?.generation)));
        let refresh =
            found(&request.headers, names.refresh_name()).and_then(|text| self.peek_refresh(text));
        [access, refresh]
            .into_iter()
            .flatten()
            .any(|(session, held)| session == tokens.session_id && held > tokens.generation)
    }
}

impl Delivery {
    /// The answer with what `body` makes of it, and the cookies.
    pub(super) fn on(self, body: impl FnOnce(&Told) -> Response) -> Response {
        let mut response = body(&self.told);
        for cookie in self.cookies {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        response
    }
}

impl Told {
    fn of(tokens: Tokens, transport: Transport) -> Self {
        let in_body = transport == Transport::Body;
        let access_token = (transport != Transport::Cookie).then_some(tokens.access_token);
        Self {
            token_type: access_token.is_some().then_some(tokens.token_type),
            access_token,
            expires_in: tokens.expires_in,
            refresh_token: tokens.refresh_token.filter(|_| in_body),
            session_id: tokens.session_id,
            generation: tokens.generation,
        }
    }
}

/// For a year, and longer with each sign-in: the whole site may see it, for that is what the prefix
/// of its name asks for, and no script.
fn device_cookie(cookie: &DeviceCookie) -> Option<HeaderValue> {
    let (name, value) = (DeviceCookie::NAME, cookie.encode());
    let attributes = "Max-Age=31536000; Path=/; HttpOnly; Secure; SameSite=Lax";
    HeaderValue::try_from(format!("{name}={value}; {attributes}")).ok()
}

/// The one cookie of a name, where it holds what could be a token.
pub(super) fn found<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let found = TokenSource::cookie(name).find(headers).ok().flatten();
    found.and_then(|token| token.text().ok())
}

fn too_long() -> Problem {
    tracing::error!("a token with these roles and claims does not fit a cookie");
    Rejection::Misconfigured {
        what: "the access token does not fit a cookie",
    }
    .into()
}

const MAX_COOKIE: usize = 4096;
