//! Which call goes where: the one place that knows.

use std::future::ready;

use http::{Method, Request};

use super::super::{Endpoints, RequestBody, ResponseBody};
use crate::BoxFuture;
use crate::verify::{CustomClaims, NoClaims};

/// What can be asked for together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Group {
    /// What administrators do with everybody's sessions.
    Admin,
    /// Refresh and sign-out beside the application's own sign-in. Not among the
    /// [default](Group::DEFAULT), as those paths are often the application's.
    Auth,
    /// The contract as a document, where [there is one](super::super::Endpoints::with_document).
    Document,
    /// Revocation and introspection for stock OAuth clients.
    OAuth,
    /// What users do with their own sessions.
    Sessions,
    /// What clients do with their tokens.
    Tokens,
    /// What this service says of itself.
    WellKnown,
}

impl Group {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Admin,
        Self::Auth,
        Self::Document,
        Self::OAuth,
        Self::Sessions,
        Self::Tokens,
        Self::WellKnown,
    ];

    /// All but [`Auth`](Self::Auth) and [`Document`](Self::Document).
    pub const DEFAULT: [Self; 5] = [
        Self::Admin,
        Self::OAuth,
        Self::Sessions,
        Self::Tokens,
        Self::WellKnown,
    ];
}

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Access {
    /// Users with the administrators' role.
    Admin,
    /// Administrators, and the [`IntrospectionClient`](crate::IntrospectionClient).
    Introspector,
    /// Everybody; what the call is about comes in its body, if at all.
    Public,
    /// Users with a session.
    User,
    /// Users with a session, of which the call is no use: it stays open while nobody does anything.
    Watcher,
}

/// One call: what is written down of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// The method; `GET` answers `HEAD` as well.
    pub method: Method,
    /// The path, with `{name}` for a parameter and `{*name}` for a rest.
    pub path: &'static str,
    /// What it belongs to.
    pub group: Group,
    /// Who may call.
    pub access: Access,
}

/// All calls that there are, in the order of the table.
#[must_use]
pub fn routes() -> Vec<Route> {
    let table = table::<NoClaims>().into_iter();
    table.map(|(route, _)| route).collect()
}

/// A request on its way to a handler.
pub(super) struct Call<C> {
    pub(super) endpoints: Endpoints<C>,
    pub(super) parameter: String,
    pub(super) request: Request<RequestBody>,
}

pub(super) type Answer = http::Response<ResponseBody>;

pub(super) type Handler<C> = fn(Call<C>) -> BoxFuture<'static, Answer>;

macro_rules! routes {
    ($($method:ident $path:literal $group:ident $access:ident
        |$endpoints:ident, $parameter:pat_param, $request:ident| $answer:expr;)*) => {
        vec![$((
            Route {
                method: Method::$method,
                path: $path,
                group: Group::$group,
                access: Access::$access,
            },
            |call| Box::pin(async move {
                let Call { endpoints: $endpoints, parameter: $parameter, request: $request } = call;
                $answer.await.map(ResponseBody::from)
            }),
        )),*]
    };
}

pub(super) fn table<C: CustomClaims>() -> Vec<(Route, Handler<C>)> {
    routes! {
        GET "/.well-known/jwks.json" WellKnown Public |e, _, r| ready(e.jwks(r));
        GET "/.well-known/oauth-protected-resource" WellKnown Public |e, _, r| ready(e.protected_resource(r));
        GET "/.well-known/oauth-protected-resource/{*path}" WellKnown Public |e, _, r| ready(e.protected_resource(r));
        GET "/openapi.json" Document Public |e, _, r| ready(e.document(r));
        GET "/sessions" Sessions User |e, _, r| e.list_sessions(r);
        GET "/sessions/events" Sessions Watcher |e, _, r| e.session_events(r);
        POST "/sessions/revoke-all" Sessions User |e, _, r| e.end_sessions(r);
        DELETE "/sessions/{id}" Sessions User |e, id, r| e.end_session(&id, r);
        PATCH "/sessions/{id}/name" Sessions User |e, id, r| e.rename_session(&id, r);
        POST "/api/token/refresh" Tokens Public |e, _, r| e.refresh_token(r);
        POST "/api/token/validate" Tokens Public |e, _, r| e.validate_token(r);
        POST "/api/token/auto-refresh" Tokens Public |e, _, r| e.auto_refresh(r);
        GET "/api/token/session-stats/{user}" Tokens User |e, user, r| e.session_stats(&user, r);
        GET "/api/token/health" Tokens Public |e, _, _r| e.health();
        POST "/api/auth/refresh" Auth Public |e, _, r| e.refresh(r);
        POST "/api/auth/logout" Auth Public |e, _, r| e.sign_out(r);
        POST "/oauth/revoke" OAuth Public |e, _, r| e.revoke(r);
        POST "/oauth/introspect" OAuth Introspector |e, _, r| e.introspect(r);
        GET "/api/admin/sessions" Admin Admin |e, _, r| e.admin_list(r);
        DELETE "/api/admin/sessions/{id}" Admin Admin |e, id, r| e.admin_end(&id, r);
        POST "/api/admin/users/{user}/revoke-all" Admin Admin |e, user, r| e.admin_end_all(&user, r);
        DELETE "/api/admin/users/{user}/sessions" Admin Admin |e, user, r| e.admin_erase(&user, r);
        GET "/api/admin/audit" Admin Admin |e, _, r| e.admin_audit(r);
    }
}
