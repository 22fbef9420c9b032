//! Bodies: whatever is wrong with one becomes a problem document.

use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;
use tower_jwt_session::endpoints::{Problem, read_json_within};

use crate::app::App;

/// A JSON body of at most 64 KiB that comes in time. Like axum's own `Json`, but its refusals are those
/// of the API.
pub struct Input<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Input<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        read_json_within(app.auth.body_timeout(), request)
            .await
            .map(Self)
    }
}
