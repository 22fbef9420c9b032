//! Bodies: whatever is wrong with one becomes a problem document.

use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;
use tower_jwt_session::endpoints::{Problem, read_json};

/// A JSON body of at most 64 KiB. Like axum's own `Json`, but its refusals are those of the API.
pub struct Input<T>(pub T);

impl<S, T> FromRequest<S> for Input<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        read_json(request).await.map(Self)
    }
}
