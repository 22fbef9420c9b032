//! What stands around the whole application: where requests come from, and what browsers are told.

use axum::Router;
use axum::http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_jwt_session::endpoints::{EXPOSED_HEADERS, SecurityHeaders};
use tower_jwt_session::integrations::axum::peer;
use tower_jwt_session::{AllowedOrigins, JwtSession};

/// The outermost layer is the last: addresses are known before anything asks for them.
pub fn around(app: Router, auth: &JwtSession) -> Router {
    app.layer(cors(auth.allowed_origins()))
        .layer(SecurityHeaders::new())
        .layer(auth.client_addresses().with_peer(peer))
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
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("idempotency-key"),
        ])
        .expose_headers(EXPOSED_HEADERS)
        .max_age(std::time::Duration::from_secs(3_600));
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
