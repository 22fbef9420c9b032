//! Ready HTTP handlers over the verbs: no framework, only the types of `http`.
//!
//! [`Endpoints`] holds the handlers, each a method from a [`Request`](http::Request) to a
//! [`Response`]. Those that act for somebody expect the [`Session`] that a
//! [`JwtSessionLayer`](crate::JwtSessionLayer) leaves in the extensions of the request, and answer
//! 401 where there is none. Sessions are those that are kept here: a token of another issuer is
//! answered with a 403, whatever its `sub`, `sid` and roles. Every refusal is a [`Problem`].
//!
//! Which call goes where is written down once ([`routes`]). [`Endpoints::around`] makes one tower service of
//! them, with what each call stands behind; it answers the wrong method with 405 and `Allow`.
//!
//! | call | method |
//! |---|---|
//! | `GET /sessions` | [`list_sessions`](Endpoints::list_sessions) |
//! | `DELETE /sessions/{id}` | [`end_session`](Endpoints::end_session) |
//! | `POST /sessions/revoke-all` | [`end_sessions`](Endpoints::end_sessions) |
//! | `PATCH /sessions/{id}/name` | [`rename_session`](Endpoints::rename_session) |
//! | `GET /sessions/events` | [`session_events`](Endpoints::session_events) |
//! | `POST /api/token/refresh` | [`refresh_token`](Endpoints::refresh_token) |
//! | `POST /api/token/validate` | [`validate_token`](Endpoints::validate_token) |
//! | `POST /api/token/auto-refresh` | [`auto_refresh`](Endpoints::auto_refresh) |
//! | `GET /api/token/session-stats/{user}` | [`session_stats`](Endpoints::session_stats) |
//! | `GET /api/token/health` | [`health`](Endpoints::health) |
//! | `GET /api/admin/sessions` | [`admin_list`](Endpoints::admin_list) |
//! | `DELETE /api/admin/sessions/{id}` | [`admin_end`](Endpoints::admin_end) |
//! | `POST /api/admin/users/{user}/revoke-all` | [`admin_end_all`](Endpoints::admin_end_all) |
//! | `DELETE /api/admin/users/{user}/sessions` | [`admin_erase`](Endpoints::admin_erase) |
//! | `GET /api/admin/audit` | [`admin_audit`](Endpoints::admin_audit) |
//! | `POST /api/auth/refresh` | [`refresh`](Endpoints::refresh) |
//! | `POST /api/auth/logout` | [`sign_out`](Endpoints::sign_out) |
//! | `POST /oauth/revoke` | [`revoke`](Endpoints::revoke) |
//! | `POST /oauth/introspect` | [`introspect`](Endpoints::introspect) |
//! | `GET /.well-known/jwks.json` | [`jwks`](Endpoints::jwks) |
//! | `GET /.well-known/oauth-protected-resource` | [`protected_resource`](Endpoints::protected_resource) |
//! | `GET /openapi.json` | [`document`](Endpoints::document) |

mod admin;
mod audit;
pub(crate) mod body;
mod challenge;
mod cookies;
mod document;
mod drain;
mod envelope;
mod events;
mod health;
mod host;
pub(crate) mod jwks;
mod limited;
mod oauth;
#[cfg(feature = "openapi")]
pub mod openapi;
mod presented;
mod problem;
mod query;
mod reply;
mod request_body;
mod resource;
mod response_body;
pub(crate) mod routes;
mod security;
mod sessions;
mod sign_out;
mod tokens;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http_body_util::Full;

pub use body::{MAX_BODY, read_body, read_json, read_json_within};
pub use challenge::ResourceResponses;
pub use drain::{drain, waits_for_leave};
pub use envelope::EnvelopeResponses;
pub use events::EventStream;
pub(crate) use events::Streams;
#[cfg(feature = "browser")]
pub(crate) use events::{Place, beat, of_stream};
pub use host::check_host;
pub use limited::EXPOSED_HEADERS;
pub use problem::Problem;
pub use reply::{another_method, json, no_content};
pub use request_body::RequestBody;
pub use response_body::ResponseBody;
pub use routes::{Access, Group, Route, WithEndpoints, routes};
pub use security::{SecurityHeaders, SecurityHeadersFuture, SecurityHeadersService};

use crate::jwt_session::JwtSession;
use crate::rejection::Rejection;
use crate::session::Session;
use crate::token::{SessionId, UserId};
use crate::verify::{CustomClaims, NoClaims, TokenFacts};

/// What every handler here answers.
pub type Response = http::Response<Full<Bytes>>;

/// The handlers. Cloning is cheap.
pub struct Endpoints<C = NoClaims> {
    auth: JwtSession<C>,
    admin_role: Arc<str>,
    streams: Streams,
    groups: Arc<[Group]>,
    document: Option<Arc<str>>,
}

impl<C: CustomClaims> Endpoints<C> {
    /// The handlers over the verbs of `auth`.
    #[must_use]
    pub fn new(auth: JwtSession<C>) -> Self {
        Self {
            auth,
            admin_role: "admin".into(),
            streams: Streams::default(),
            groups: Group::DEFAULT.into(),
            document: None,
        }
    }

    /// Sets how many event streams one session may hold open on this node. Defaults to 8, more
    /// than a browser opens to one host by HTTP/1.1.
    #[must_use]
    pub fn with_streams_per_session(mut self, most: usize) -> Self {
        self.streams = Streams::new(most);
        self
    }

    /// Sets the role that may see and end everybody's sessions. Defaults to `admin`.
    #[must_use]
    pub fn with_admin_role(mut self, role: impl Into<Arc<str>>) -> Self {
        self.admin_role = role.into();
        self
    }

    /// What the handlers work on.
    #[must_use]
    pub fn auth(&self) -> &JwtSession<C> {
        &self.auth
    }

    fn admin<'r>(&self, request: &'r Parts) -> Result<&'r Session, Problem> {
        let session = session(request)?;
        // What another issuer calls an administrator is none here.
        if !is_ours(session.token().facts()) {
            return Err(Rejection::InsufficientRole.into());
        }
        session.require_role(&self.admin_role)?;
        Ok(session)
    }
}

impl<C> Clone for Endpoints<C> {
    fn clone(&self) -> Self {
        Self {
            auth: self.auth.clone(),
            admin_role: self.admin_role.clone(),
            streams: self.streams.clone(),
            groups: self.groups.clone(),
            document: self.document.clone(),
        }
    }
}

impl<C> fmt::Debug for Endpoints<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoints")
            .field("admin_role", &self.admin_role)
            .finish_non_exhaustive()
    }
}

fn session(request: &Parts) -> Result<&Session, Problem> {
    let session = request.extensions.get();
    session.ok_or_else(|| Rejection::MissingToken.into())
}

/// The session, if it is one that is kept here.
///
/// Another issuer's `sub` and `sid` may happen to be those of a user and a session of ours, whose
/// business they are not.
fn kept_session(request: &Parts) -> Result<&Session, Problem> {
    let session = session(request)?;
    if is_ours(session.token().facts()) {
        Ok(session)
    } else {
        Err(Problem::session_not_kept())
    }
}

/// Only we write down where in the history of its session a token stands.
fn is_ours(facts: &TokenFacts) -> bool {
    facts.is_tracked()
}

/// An id that cannot be one names no session, so it is told the same as an unknown one.
fn session_id(text: &str) -> Result<SessionId, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}

fn user_id(text: &str) -> Result<UserId, Problem> {
    UserId::new(text).map_err(|_| Problem::invalid_input("this cannot be a user's id"))
}
