//! What stands around the whole application: where requests come from, and what browsers are told.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, CONTENT_TYPE, ORIGIN};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use tower::ServiceExt;
use tower::service_fn;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_jwt_session::endpoints::{EXPOSED_HEADERS, Problem, SecurityHeaders, check_host};
use tower_jwt_session::integrations::axum::peer;
use tower_jwt_session::{AllowedOrigins, JwtSession};

/// The outermost layer is the last: addresses are known before anything asks for them.
pub fn around(app: Router, auth: &JwtSession) -> Router {
    with_cors(app, auth.allowed_origins())
        .layer(from_fn(one_host))
        .layer(SecurityHeaders::new())
        .layer(auth.client_addresses().with_peer(peer))
}

/// A CORS layer takes every `OPTIONS` for a preflight and answers it, so others pass it by.
fn with_cors(app: Router, origins: &AllowedOrigins) -> Router {
    let crossing = app.clone().layer(cors(origins));
    Router::new().fallback_service(service_fn(move |request: Request| {
        if request.method() != Method::OPTIONS || is_preflight(&request) {
            crossing.clone().oneshot(request)
        } else {
            app.clone().oneshot(request)
        }
    }))
}

fn is_preflight(request: &Request) -> bool {
    let headers = request.headers();
    headers.contains_key(ORIGIN) && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

async fn one_host(request: Request, next: Next) -> Result<Response, Problem> {
    check_host(&request)?;
    Ok(next.run(request).await)
}

/// Credentials for origins that are named; never for all.
fn cors(origins: &AllowedOrigins) -> CorsLayer {
    let layer = CorsLayer::new()
        .allow_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            HeaderName::from_static("idempotency-key"),
        ])
        .expose_headers(EXPOSED_HEADERS)
        .max_age(Duration::from_secs(3_600));
    match origins {
        AllowedOrigins::Any => layer.allow_origin(AllowOrigin::any()),
        AllowedOrigins::Listed(origins) => {
            let origins = origins.iter().map(|origin| HeaderValue::from_str(origin));
            layer
                .allow_origin(AllowOrigin::list(origins.flatten()))
                .allow_credentials(true)
        }
        AllowedOrigins::None => CorsLayer::new(),
    }
}
