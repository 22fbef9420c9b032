//! Routers over the endpoints.

use std::collections::HashMap;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::middleware::from_fn;
use axum::routing::{MethodRouter, delete, get, patch, post};
use axum_core::body::Body;
use axum_core::response::Response;

use super::{drain_unread, peer};
use crate::endpoints::{self, Endpoints, EnvelopeResponses, Problem};
use crate::jwt_session::JwtSession;
use crate::middleware::{Anonymous, CountAs};
use crate::token::TokenSource;
use crate::verify::CustomClaims;

impl<C: CustomClaims> JwtSession<C> {
    /// All of the routers below and the public keys; see [`Endpoints::routes`].
    ///
    /// See the [module docs](crate::integrations::axum) for where to merge it.
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        Endpoints::new(self.clone()).routes()
    }

    /// What users do with their own sessions; see [`Endpoints::session_routes`].
    pub fn session_routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        Endpoints::new(self.clone()).session_routes()
    }

    /// What clients do with their tokens; see [`Endpoints::token_routes`].
    pub fn token_routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        Endpoints::new(self.clone()).token_routes()
    }

    /// Refresh and sign-out beside the application's own sign-in; see [`Endpoints::auth_routes`].
    /// Not among [`routes`](Self::routes), as those paths are often the application's.
    pub fn auth_routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        Endpoints::new(self.clone()).auth_routes()
    }

    /// Revocation and introspection for stock OAuth clients; see [`Endpoints::oauth_routes`].
    pub fn oauth_routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        Endpoints::new(self.clone()).oauth_routes()
    }

    /// What administrators do with everybody's sessions; see [`Endpoints::admin_routes`].
    pub fn admin_routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        Endpoints::new(self.clone()).admin_routes()
    }
}

impl<C: CustomClaims> Endpoints<C> {
    /// All of the routers below, `GET /.well-known/jwks.json` and
    /// `GET /.well-known/oauth-protected-resource`.
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        Router::new()
            .route("/.well-known/jwks.json", get(jwks::<C>))
            .route(
                "/.well-known/oauth-protected-resource",
                get(protected_resource::<C>),
            )
            .route(
                "/.well-known/oauth-protected-resource/{*path}",
                get(protected_resource::<C>),
            )
            .method_not_allowed_fallback(method_not_allowed)
            .layer(from_fn(drain_unread))
            .with_state(self.clone())
            .merge(self.session_routes())
            .merge(self.token_routes())
            .merge(self.oauth_routes())
            .merge(self.admin_routes())
    }

    /// `GET /sessions`, `DELETE /sessions/{id}`, `POST /sessions/revoke-all`,
    /// `PATCH /sessions/{id}/name` and `GET /sessions/events`, which is no activity.
    pub fn session_routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let quiet = self.auth().layer().with_activity(CountAs::Background);
        Router::new()
            .route("/sessions", self.behind_layer(get(list::<C>)))
            .route(
                "/sessions/revoke-all",
                self.behind_layer(post(end_all::<C>)),
            )
            .route("/sessions/events", get(events::<C>).route_layer(quiet))
            .route("/sessions/{id}", self.behind_layer(delete(end::<C>)))
            .route("/sessions/{id}/name", self.behind_layer(patch(rename::<C>)))
            .method_not_allowed_fallback(method_not_allowed)
            .layer(from_fn(drain_unread))
            .with_state(self.clone())
    }

    /// `POST /api/token/refresh`, `/api/token/validate` and `/api/token/auto-refresh`,
    /// `GET /api/token/session-stats/{user}` and `GET /api/token/health`. All but the statistics
    /// are public.
    pub fn token_routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let layer = self.auth().layer().with_responses(EnvelopeResponses);
        let stats = get(stats::<C>).route_layer(layer);
        Router::new()
            .route("/api/token/refresh", post(refresh::<C>))
            .route("/api/token/validate", post(validate::<C>))
            .route("/api/token/auto-refresh", post(auto_refresh::<C>))
            .route("/api/token/session-stats/{user}", stats)
            .route("/api/token/health", get(health::<C>))
            .method_not_allowed_fallback(method_not_allowed_in_envelope)
            .layer(from_fn(drain_unread))
            .layer(self.auth().client_addresses().with_peer(peer))
            .with_state(self.clone())
    }

    /// `POST /api/auth/refresh` and `POST /api/auth/logout`, both public: who has an expired access
    /// token must be able to do either.
    pub fn auth_routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        Router::new()
            .route("/api/auth/refresh", post(auth_refresh::<C>))
            .route("/api/auth/logout", post(sign_out::<C>))
            .method_not_allowed_fallback(method_not_allowed)
            .layer(from_fn(drain_unread))
            .layer(self.auth().client_addresses().with_peer(peer))
            .with_state(self.clone())
    }

    /// `POST /oauth/revoke`, which is public, and `POST /oauth/introspect`, which is for
    /// administrators and the introspection client.
    pub fn oauth_routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        // The client has no session, and says who it is by other means.
        let layer = self.auth().layer().with_anonymous(Anonymous::Allow);
        let layer = layer.with_source(TokenSource::bearer());
        Router::new()
            .route("/oauth/revoke", post(revoke::<C>))
            .route(
                "/oauth/introspect",
                post(introspect::<C>).route_layer(layer),
            )
            .method_not_allowed_fallback(method_not_allowed)
            .with_state(self.clone())
    }

    /// `GET /api/admin/sessions`, `DELETE /api/admin/sessions/{id}`,
    /// `POST /api/admin/users/{user}/revoke-all` and `DELETE /api/admin/users/{user}/sessions`.
    pub fn admin_routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let one = self.behind_layer(delete(admin_end::<C>));
        let all = self.behind_layer(post(admin_end_all::<C>));
        let history = self.behind_layer(delete(admin_erase::<C>));
        Router::new()
            .route(
                "/api/admin/sessions",
                self.behind_layer(get(admin_list::<C>)),
            )
            .route("/api/admin/sessions/{id}", one)
            .route("/api/admin/users/{user}/revoke-all", all)
            .route("/api/admin/users/{user}/sessions", history)
            .method_not_allowed_fallback(method_not_allowed)
            .layer(from_fn(drain_unread))
            .with_state(self.clone())
    }

    fn behind_layer(&self, method: MethodRouter<Self>) -> MethodRouter<Self> {
        method.route_layer(self.auth().layer())
    }
}

type Shared<C> = State<Endpoints<C>>;

/// By name, not by position: the routers may be mounted below a path with parameters of its own.
type Parameters = Result<Path<HashMap<String, String>>, PathRejection>;

async fn list<C: CustomClaims>(State(endpoints): Shared<C>, request: Request) -> Response {
    convert(endpoints.list_sessions(request).await)
}

async fn end_all<C: CustomClaims>(State(endpoints): Shared<C>, request: Request) -> Response {
    convert(endpoints.end_sessions(request).await)
}

async fn end<C: CustomClaims>(
    State(endpoints): Shared<C>,
    path: Parameters,
    request: Request,
) -> Result<Response, Problem> {
    let id = parameter(path, "id")?;
    Ok(convert(endpoints.end_session(&id, request).await))
}

async fn events<C: CustomClaims>(State(endpoints): Shared<C>, request: Request) -> Response {
    endpoints.session_events(request).await.map(Body::new)
}

async fn rename<C: CustomClaims>(
    State(endpoints): Shared<C>,
    path: Parameters,
    request: Request,
) -> Result<Response, Problem> {
    let id = parameter(path, "id")?;
    Ok(convert(endpoints.rename_session(&id, request).await))
}

async fn refresh<C: CustomClaims>(State(endpoints): Shared<C>, request: Request) -> Response {
    convert(endpoints.refresh_token(request).await)
}

async fn validate<C: CustomClaims>(State(endpoints): Shared<C>, request: Request) -> Response {
    convert(endpoints.validate_token(request).await)
}

async fn auto_refresh<C: CustomClaims>(State(endpoints): Shared<C>, request: Request) -> Response {
    convert(endpoints.auto_refresh(request).await)
}

async fn stats<C: CustomClaims>(
    State(endpoints): Shared<C>,
    path: Parameters,
    request: Request,
) -> Result<Response, Problem> {
    let user = parameter(path, "user").map_err(Problem::in_envelope)?;
    Ok(convert(endpoints.session_stats(&user, request).await))
}

async fn health<C: CustomClaims>(State(endpoints): Shared<C>) -> Response {
    convert(endpoints.health().await)
}

async fn admin_list<C: CustomClaims>(State(endpoints): Shared<C>, request: Request) -> Response {
    convert(endpoints.admin_list(request).await)
}

async fn admin_end<C: CustomClaims>(
    State(endpoints): Shared<C>,
    path: Parameters,
    request: Request,
) -> Result<Response, Problem> {
    let id = parameter(path, "id")?;
    Ok(convert(endpoints.admin_end(&id, request).await))
}

async fn admin_end_all<C: CustomClaims>(
    State(endpoints): Shared<C>,
    path: Parameters,
    request: Request,
) -> Result<Response, Problem> {
    let user = parameter(path, "user")?;
    Ok(convert(endpoints.admin_end_all(&user, request).await))
}

async fn admin_erase<C: CustomClaims>(
    State(endpoints): Shared<C>,
    path: Parameters,
    request: Request,
) -> Result<Response, Problem> {
    let user = parameter(path, "user")?;
    Ok(convert(endpoints.admin_erase(&user, request).await))
}

async fn auth_refresh<C: CustomClaims>(State(endpoints): Shared<C>, request: Request) -> Response {
    convert(endpoints.refresh(request).await)
}

async fn sign_out<C: CustomClaims>(State(endpoints): Shared<C>, request: Request) -> Response {
    convert(endpoints.sign_out(request).await)
}

async fn revoke<C: CustomClaims>(State(endpoints): Shared<C>, request: Request) -> Response {
    convert(endpoints.revoke(request).await)
}

async fn introspect<C: CustomClaims>(State(endpoints): Shared<C>, request: Request) -> Response {
    convert(endpoints.introspect(request).await)
}

async fn jwks<C: CustomClaims>(State(endpoints): Shared<C>, request: Request) -> Response {
    convert(endpoints.jwks(request))
}

async fn protected_resource<C: CustomClaims>(
    State(endpoints): Shared<C>,
    request: Request,
) -> Response {
    convert(endpoints.protected_resource(request))
}

/// axum adds the `Allow` header.
async fn method_not_allowed() -> Problem {
    Problem::method_not_allowed("")
}

async fn method_not_allowed_in_envelope() -> Problem {
    method_not_allowed().await.in_envelope()
}

/// A path that is no text names nothing that there is.
fn parameter(path: Parameters, name: &str) -> Result<String, Problem> {
    let found = path.ok().and_then(|Path(mut path)| path.remove(name));
    found.ok_or_else(Problem::not_found)
}

fn convert(response: endpoints::Response) -> Response {
    response.map(Body::new)
}

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode};
    use http_body_util::BodyExt;
    use serde_json::Value;
    use tower::ServiceExt;

    use super::*;

    /// The fallbacks of the routers over routes that need nothing behind them.
    fn router() -> Router {
        Router::new()
            .route("/plain", get(|| async {}).delete(|| async {}))
            .method_not_allowed_fallback(method_not_allowed)
            .merge(
                Router::new()
                    .route("/token", post(|| async {}))
                    .method_not_allowed_fallback(method_not_allowed_in_envelope),
            )
    }

    async fn refused(method: Method, path: &str) -> (http::response::Parts, Value) {
        let request = Request::builder().method(method).uri(path);
        let request = request.body(Body::empty()).unwrap();
        let (parts, body) = router().oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn the_wrong_method_is_a_problem_document_with_the_right_ones() {
        let (parts, document) = refused(Method::PUT, "/plain").await;
        assert_eq!(parts.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(parts.headers["allow"], "GET,HEAD,DELETE");
        assert_eq!(parts.headers["content-type"], "application/problem+json");
        assert_eq!(document["code"], "method_not_allowed");
        assert!(document.get("success").is_none());
    }

    #[tokio::test]
    async fn on_token_routes_the_refusal_is_an_envelope_as_well() {
        let (parts, document) = refused(Method::GET, "/token").await;
        assert_eq!(parts.headers["allow"], "POST");
        assert_eq!(document["success"], false);
    }

    #[test]
    fn a_parameter_is_found_by_name_and_else_there_is_nothing() {
        let path = HashMap::from([
            ("tenant".to_owned(), "t1".to_owned()),
            ("id".to_owned(), "s1".to_owned()),
        ]);
        assert_eq!(parameter(Ok(Path(path.clone())), "id").unwrap(), "s1");
        assert_eq!(parameter(Ok(Path(path)), "user").unwrap_err().status(), 404);
    }
}
