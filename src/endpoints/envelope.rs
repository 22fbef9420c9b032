//! The envelope of the token endpoints: `{"success","message","data"}`.

use bytes::Bytes;
use http::{Response as HttpResponse, StatusCode};
use serde::Serialize;

use super::{Problem, Response, reply};
use crate::rejection::{Rejection, ResponseForRejection};

/// Problem documents that also carry `"success": false` and `"message"`, as the token endpoints
/// answer them; for a layer around one of these.
#[derive(Clone, Copy, Debug, Default)]
pub struct EnvelopeResponses;

impl<B: From<Bytes>> ResponseForRejection<B> for EnvelopeResponses {
    fn response_for(&self, rejection: &Rejection) -> HttpResponse<B> {
        Problem::from(rejection.clone())
            .in_envelope()
            .into_bytes()
            .map(B::from)
    }
}

#[derive(Serialize)]
struct Envelope<'m, T> {
    success: bool,
    message: &'m str,
    data: T,
}

pub(super) fn success<T: Serialize>(message: &str, data: T) -> Response {
    let envelope = Envelope {
        success: true,
        message,
        data,
    };
    reply::json(StatusCode::OK, &envelope)
}

impl Problem {
    /// The same with `"success": false` and `"message"`, as the token endpoints answer it.
    #[must_use]
    pub fn in_envelope(self) -> Self {
        let message = self.detail().to_owned();
        self.with_member("success", false)
            .with_member("message", message)
    }
}

/// The answer of a handler that may have refused.
pub(super) fn answer(result: Result<Response, Problem>) -> Response {
    result.unwrap_or_else(|problem| problem.in_envelope().into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_a_problem_document_and_an_envelope_at_once() {
        let response: HttpResponse<Vec<u8>> =
            EnvelopeResponses.response_for(&Rejection::TokenExpired);
        assert_eq!(response.status(), 401);
        assert!(response.headers().contains_key("www-authenticate"));
        let document: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(document["success"], false);
        assert_eq!(document["message"], document["detail"]);
        assert_eq!(document["code"], "token_expired");
    }
}
