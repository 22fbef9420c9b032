//! tonic: refusals as gRPC knows them, sessions in requests, streams that end with the session.
//!
//! ```no_run
//! use tonic::transport::Server;
//! use tonic_health::server::health_reporter;
//! use tower_jwt_session::JwtSession;
//! use tower_jwt_session::integrations::tonic::EndStreams;
//!
//! # async fn serve(auth: JwtSession) -> Result<(), tonic::transport::Error> {
//! let (_reporter, service) = health_reporter();
//! Server::builder()
//!     .layer(auth.grpc_layer())
//!     .layer(EndStreams::new()) // inside of it: what goes on for long ends with the session
//!     .add_service(service)
//!     .serve(([127, 0, 0, 1], 50051).into())
//!     .await
//! # }
//! ```
//!
//! A handler finds the session by [`session`]; `?` turns a [`Rejection`], as of
//! [`Session::require_role`](crate::Session::require_role), into a `Status`.

mod streams;

use http::Response;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Request, Status};

pub use streams::{EndStreams, EndingStreams};

use crate::jwt_session::JwtSession;
use crate::middleware::JwtSessionLayer;
use crate::rejection::{Rejection, ResponseForRejection};
use crate::session::Session;
use crate::verify::CustomClaims;

/// Refusals in trailers alone: HTTP 200 with `grpc-status` 16 where a REST client gets a 401, 7 for
/// 403, 14 for 503, and what went wrong in `grpc-message`.
///
/// The metadata has the `error-code` of the problem document, by which a client tells a token to
/// refresh (`token_expired`, `token_stale`) from a session that is over, and with 14 the
/// `grpc-retry-pushback-ms` that clients honour.
#[derive(Clone, Copy, Debug, Default)]
pub struct GrpcResponses;

impl<B: Default> ResponseForRejection<B> for GrpcResponses {
    fn response_for(&self, rejection: &Rejection) -> Response<B> {
        Status::from(rejection.clone()).into_http()
    }
}

impl From<Rejection> for Status {
    fn from(rejection: Rejection) -> Self {
        if let Rejection::Misconfigured { what } = &rejection {
            tracing::error!(what, "the server is not put together correctly");
        }
        let code = match rejection.status().as_u16() {
            401 => Code::Unauthenticated,
            403 => Code::PermissionDenied,
            503 => Code::Unavailable,
            _ => Code::Internal,
        };
        let mut metadata = MetadataMap::new();
        metadata.insert("error-code", MetadataValue::from_static(rejection.code()));
        if let Some(after) = rejection.retry_after() {
            let millis = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
            metadata.insert("grpc-retry-pushback-ms", millis.into());
        }
        Status::with_metadata(code, rejection.detail(), metadata)
    }
}

impl<C: CustomClaims> JwtSession<C> {
    /// The layer for a gRPC server: [`layer`](Self::layer) with [`GrpcResponses`].
    pub fn grpc_layer(&self) -> JwtSessionLayer<GrpcResponses> {
        self.layer().with_responses(GrpcResponses)
    }
}

/// The session of a request.
///
/// # Errors
///
/// A `Status` of [`Rejection::MissingToken`] where nobody is signed in, or no layer looked; of
/// [`Rejection::Misconfigured`] when the layer was built for another type of claims.
pub fn session<C: CustomClaims, T>(request: &Request<T>) -> Result<Session<C>, Status> {
    let session = request.extensions().get::<Session>().cloned();
    let session = session.ok_or(Rejection::MissingToken)?;
    Ok(session.with_claims()?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::verify::NoClaims;

    #[test]
    fn a_refusal_is_200_with_its_status_in_the_trailers() {
        let rows = [
            (Rejection::MissingToken, "16"),
            (Rejection::TokenExpired, "16"),
            (Rejection::InsufficientRole, "7"),
            (Rejection::Misconfigured { what: "x" }, "13"),
        ];
        for (rejection, status) in rows {
            let response: Response<String> = GrpcResponses.response_for(&rejection);
            assert_eq!(response.status(), 200);
            let headers = response.headers();
            assert_eq!(headers["grpc-status"], status, "{rejection}");
            assert_eq!(headers["content-type"], "application/grpc");
            assert_eq!(headers["error-code"], rejection.code());
            assert!(headers["grpc-message"].to_str().is_ok());
        }
    }

    #[test]
    fn a_store_that_is_away_says_when_to_come_back() {
        let status = Status::from(Rejection::StoreUnavailable {
            retry_after: Duration::from_millis(1500),
        });
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(
            status.metadata().get("grpc-retry-pushback-ms").unwrap(),
            "1500"
        );
    }

    #[test]
    fn a_message_is_percent_encoded() {
        let status = Status::new(Code::Unauthenticated, "100 % ö\n");
        let response: Response<String> = status.into_http();
        assert_eq!(response.headers()["grpc-message"], "100%20%25%20%C3%B6%0A");
    }

    #[test]
    fn nobody_signed_in_is_unauthenticated() {
        let status = session::<NoClaims, _>(&Request::new(())).unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
    }
}
