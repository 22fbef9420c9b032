//! Refusals as responses of axum.

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};

use crate::endpoints::Problem;
use crate::rejection::{ProblemResponses, Rejection, ResponseForRejection};
use crate::session::SessionError;

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        if let Rejection::Misconfigured { what } = &self {
            tracing::error!(what, "the server is not put together correctly");
        }
        ProblemResponses.response_for(&self)
    }
}

impl IntoResponse for SessionError {
    fn into_response(self) -> Response {
        IntoResponse::into_response(Problem::from(self))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        Problem::into_response(self).map(Body::new)
    }
}
