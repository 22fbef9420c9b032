//! Routers over the endpoints.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn;
use axum::routing::{MethodFilter, on_service};
use axum_core::body::Body;
use axum_core::response::Response;
use http::Method;
use tower_service::Service;

use super::{drain_unread, peer};
use crate::BoxFuture;
use crate::endpoints::routes::Bound;
use crate::endpoints::{self, Endpoints, Group, Problem, RequestBody};
use crate::jwt_session::JwtSession;
use crate::verify::CustomClaims;

impl<C: CustomClaims> JwtSession<C> {
    /// All of the routers below and what this service says of itself; see [`Endpoints::routes`].
    ///
    /// See the [module docs](crate::integrations::axum) for where to merge it.
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        Endpoints::new(self.clone()).routes()
    }

    /// What users do with their own sessions: [`Group::Sessions`].
    pub fn session_routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        Endpoints::new(self.clone()).session_routes()
    }

    /// What clients do with their tokens: [`Group::Tokens`].
    pub fn token_routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        Endpoints::new(self.clone()).token_routes()
    }

    /// Refresh and sign-out beside the application's own sign-in: [`Group::Auth`]. Not among
    /// [`routes`](Self::routes), as those paths are often the application's.
    pub fn auth_routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        Endpoints::new(self.clone()).auth_routes()
    }

    /// Revocation and introspection for stock OAuth clients: [`Group::OAuth`].
    pub fn oauth_routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        Endpoints::new(self.clone()).oauth_routes()
    }

    /// What administrators do with everybody's sessions: [`Group::Admin`].
    pub fn admin_routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        Endpoints::new(self.clone()).admin_routes()
    }
}

impl<C: CustomClaims> Endpoints<C> {
    /// The calls of the [groups](Endpoints::with_groups) that are set: unless told otherwise, all but
    /// [`Group::Auth`].
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let mut tokens = Router::new();
        let mut others = Router::new();
        for bound in self.bound() {
            let path = bound.route.path;
            let Ok(method) = MethodFilter::try_from(bound.route.method.clone()) else {
                continue;
            };
            let router = match bound.route.group {
                Group::Tokens => &mut tokens,
                _ => &mut others,
            };
            *router = std::mem::take(router).route(path, on_service(method, Mounted(bound)));
        }
        let tokens = tokens.method_not_allowed_fallback(method_not_allowed_in_envelope);
        let others = others.method_not_allowed_fallback(method_not_allowed);
        others
            .merge(tokens)
            .layer(from_fn(drain_unread))
            .layer(self.auth().client_addresses().with_peer(peer))
    }

    /// `GET /sessions`, `DELETE /sessions/{id}`, `POST /sessions/revoke-all`,
    /// `PATCH /sessions/{id}/name` and `GET /sessions/events`, which is no activity.
    pub fn session_routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        self.routes_of(Group::Sessions)
    }

    /// `POST /api/token/refresh`, `/api/token/validate` and `/api/token/auto-refresh`,
    /// `GET /api/token/session-stats/{user}` and `GET /api/token/health`. All but the statistics
    /// are public.
    pub fn token_routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        self.routes_of(Group::Tokens)
    }

    /// `POST /api/auth/refresh` and `POST /api/auth/logout`, both public: who has an expired access
    /// token must be able to do either.
    pub fn auth_routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        self.routes_of(Group::Auth)
    }

    /// `POST /oauth/revoke`, which is public, and `POST /oauth/introspect`, which is for
    /// administrators and the introspection client.
    pub fn oauth_routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        self.routes_of(Group::OAuth)
    }

    /// `GET /api/admin/sessions`, `DELETE /api/admin/sessions/{id}`,
    /// `POST /api/admin/users/{user}/revoke-all`, `DELETE /api/admin/users/{user}/sessions` and
    /// `GET /api/admin/audit`.
    pub fn admin_routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        self.routes_of(Group::Admin)
    }

    fn routes_of<S: Clone + Send + Sync + 'static>(&self, group: Group) -> Router<S> {
        self.clone().with_groups([group]).routes()
    }
}

/// A call below axum's router.
#[derive(Clone)]
struct Mounted(Bound);

impl Service<Request> for Mounted {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (request, _) = RequestBody::lend(request);
        let answer = self.0.answer(request);
        Box::pin(async { Ok(answer.await.map(Body::new)) })
    }
}

/// axum adds the `Allow` header.
async fn method_not_allowed(method: Method) -> Result<endpoints::Response, Problem> {
    endpoints::another_method(&method, "")
}

async fn method_not_allowed_in_envelope(method: Method) -> Result<endpoints::Response, Problem> {
    endpoints::another_method(&method, "").map_err(Problem::in_envelope)
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use http_body_util::BodyExt;
    use serde_json::Value;
    use tower::ServiceExt;

    use super::*;

    fn auth() -> JwtSession {
        let auth = JwtSession::builder().hmac_secret(b"8e6f1a3c5d7b9f0e2a4c6d8e0f1b3a5c7d9e");
        auth.build().unwrap()
    }

    async fn refused(router: Router, method: Method, path: &str) -> (http::response::Parts, Value) {
        let request = Request::builder().method(method).uri(path);
        let request = request.body(Body::empty()).unwrap();
        let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts, serde_json::from_slice(&body).unwrap_or_default())
    }

    #[tokio::test]
    async fn the_wrong_method_is_a_problem_document_with_the_right_ones() {
        let (parts, document) = refused(auth().routes(), Method::PUT, "/sessions").await;
        assert_eq!(parts.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(parts.headers["allow"], "GET,HEAD");
        assert_eq!(parts.headers["content-type"], "application/problem+json");
        assert_eq!(document["code"], "method_not_allowed");
        assert!(document.get("success").is_none());
    }

    #[tokio::test]
    async fn which_methods_there_are_is_told_to_who_asks_for_it() {
        for path in ["/sessions", "/api/token/health"] {
            let (parts, _) = refused(auth().routes(), Method::OPTIONS, path).await;
            assert_eq!(parts.status, StatusCode::NO_CONTENT);
            assert_eq!(parts.headers["allow"], "GET,HEAD");
        }
    }

    #[tokio::test]
    async fn on_token_routes_the_refusal_is_an_envelope_as_well() {
        let (parts, document) = refused(auth().routes(), Method::GET, "/api/token/refresh").await;
        assert_eq!(parts.headers["allow"], "POST");
        assert_eq!(document["success"], false);
    }

    #[tokio::test]
    async fn the_calls_work_below_a_path_with_parameters_of_its_own() {
        let (auth, mint, _clock) = crate::testing::session();
        let token = mint.user("ada").token().await;
        let app: Router = Router::new().nest("/tenants/{id}", auth.session_routes());
        let request = Request::delete("/tenants/t1/sessions/0197a0d2-5c4e-7000-8000-000000000001")
            .header("authorization", format!("Bearer {token}"))
            .body(Body::empty())
            .unwrap();
        assert_eq!(app.oneshot(request).await.unwrap().status(), 404);
    }

    #[tokio::test]
    async fn routes_of_one_group_are_that_group() {
        let router = auth().session_routes();
        let (parts, _) = refused(router, Method::GET, "/api/token/health").await;
        assert_eq!(parts.status, 404);
    }
}
