//! A router over the pages.

use std::collections::HashMap;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::middleware::from_fn;
use axum::routing::{get, post};
use axum_core::body::Body;
use axum_core::response::Response;
use http::Method;

use super::drain_unread;
use crate::browser::Pages;
use crate::endpoints::{self, Problem};
use crate::middleware::{Anonymous, CountAs};
use crate::verify::CustomClaims;

impl<C: CustomClaims> Pages<C> {
    /// All of the pages and their scripts, behind a layer of their own: merge it beside the other
    /// routers, after the application's layer.
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let layer = self.auth().layer().with_anonymous(Anonymous::Allow);
        // Looked at again and again by a page that nobody may be looking at.
        let quiet = layer.clone().with_activity(CountAs::Background);
        let feed = Router::new()
            .route("/api/admin/stats", get(admin_stats::<C>))
            .route("/api/admin/events", get(admin_events::<C>))
            .route_layer(quiet);
        Router::new()
            .route("/devices", get(devices::<C>))
            .route("/devices/end-others", post(end_others::<C>))
            .route("/devices/{id}/end", post(end_device::<C>))
            .route("/devices/{id}/name", post(name_device::<C>))
            .route("/admin", get(admin::<C>))
            .route("/admin/audit", get(audit::<C>))
            .route("/admin/sessions/{id}/end", post(admin_end::<C>))
            .route("/admin/users/{id}/end-all", post(admin_end_all::<C>))
            .route_layer(layer)
            .merge(feed)
            .route("/sign-out", post(sign_out::<C>))
            .route("/token-manager.js", get(asset::<C>))
            .route("/pages.js", get(asset::<C>))
            .route("/pages.css", get(asset::<C>))
            .method_not_allowed_fallback(async |method: Method| {
                endpoints::another_method(&method, "")
            })
            .layer(from_fn(drain_unread))
            .with_state(self.clone())
    }
}

type Shared<C> = State<Pages<C>>;

type Parameters = Result<Path<HashMap<String, String>>, PathRejection>;

async fn devices<C: CustomClaims>(State(pages): Shared<C>, request: Request) -> Response {
    convert(pages.devices(request).await)
}

async fn end_others<C: CustomClaims>(State(pages): Shared<C>, request: Request) -> Response {
    convert(pages.end_other_devices(request).await)
}

async fn end_device<C: CustomClaims>(
    State(pages): Shared<C>,
    path: Parameters,
    request: Request,
) -> Result<Response, Problem> {
    Ok(convert(pages.end_device(&id(path)?, request).await))
}

async fn name_device<C: CustomClaims>(
    State(pages): Shared<C>,
    path: Parameters,
    request: Request,
) -> Result<Response, Problem> {
    Ok(convert(pages.name_device(&id(path)?, request).await))
}

async fn admin<C: CustomClaims>(State(pages): Shared<C>, request: Request) -> Response {
    convert(pages.admin(request).await)
}

async fn audit<C: CustomClaims>(State(pages): Shared<C>, request: Request) -> Response {
    convert(pages.audit(request).await)
}

async fn admin_end<C: CustomClaims>(
    State(pages): Shared<C>,
    path: Parameters,
    request: Request,
) -> Result<Response, Problem> {
    Ok(convert(pages.admin_end(&id(path)?, request).await))
}

async fn admin_end_all<C: CustomClaims>(
    State(pages): Shared<C>,
    path: Parameters,
    request: Request,
) -> Result<Response, Problem> {
    Ok(convert(pages.admin_end_all(&id(path)?, request).await))
}

async fn admin_stats<C: CustomClaims>(State(pages): Shared<C>, request: Request) -> Response {
    convert(pages.admin_stats(request).await)
}

async fn admin_events<C: CustomClaims>(State(pages): Shared<C>, request: Request) -> Response {
    pages.admin_events(request).await.map(Body::new)
}

async fn sign_out<C: CustomClaims>(State(pages): Shared<C>, request: Request) -> Response {
    convert(pages.sign_out(request).await)
}

async fn asset<C: CustomClaims>(State(pages): Shared<C>, request: Request) -> Response {
    convert(pages.asset(request))
}

fn id(path: Parameters) -> Result<String, Problem> {
    let found = path.ok().and_then(|Path(mut path)| path.remove("id"));
    found.ok_or_else(Problem::not_found)
}

fn convert(response: endpoints::Response) -> Response {
    response.map(Body::new)
}
