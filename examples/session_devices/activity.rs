//! What was done in each session.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response as AxumResponse;
use serde_json::json;
use tower_jwt_session::endpoints::{self, Problem, Response};
use tower_jwt_session::{Session, SessionId};

use crate::app::App;

/// Notes each request that was answered.
pub async fn note(
    State(app): State<App>,
    session: Session,
    request: Request,
    next: Next,
) -> Result<AxumResponse, Problem> {
    let what = format!("{} {}", request.method(), request.uri().path());
    let response = next.run(request).await;
    if let Some(id) = session.id() {
        let now = app.auth.clock().now().to_string();
        let what = format!("{what} {}", response.status().as_u16());
        app.database.add_activity(id, &now, &what).await?;
    }
    Ok(response)
}

/// `GET /sessions/{id}/activity`: of one's own sessions.
pub async fn list(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id: SessionId = id.parse().map_err(|_| Problem::not_found())?;
    let _own = app.auth.sessions().find(session.subject(), id).await?;
    let lines = app.database.activity_of(id).await?;
    let lines: Vec<_> = lines
        .iter()
        .map(|line| json!({ "at": line.at, "what": line.text }))
        .collect();
    Ok(endpoints::json(StatusCode::OK, &lines))
}
