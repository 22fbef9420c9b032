//! What a signed-in user may see, and what takes a role.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tower_jwt_session::endpoints::{self, Problem, Response};
use tower_jwt_session::{Session, UserId};

use crate::app::App;
use crate::input::Input;

#[derive(Deserialize)]
pub struct NewRole {
    role: String,
}

/// `GET /api/me`: to take a `Session` is all it takes to be protected.
pub async fn me(session: Session) -> Response {
    endpoints::json(StatusCode::OK, &about(&session))
}

/// `GET /api/protected`
pub async fn protected(session: Session) -> Response {
    let mut about = about(&session);
    about["message"] = "only those who are signed in see this".into();
    endpoints::json(StatusCode::OK, &about)
}

/// `GET /api/admin/dashboard`: 403 without the role.
pub async fn dashboard(session: Session) -> Result<Response, Problem> {
    session.require_role("admin")?;
    let mut about = about(&session);
    about["message"] = "only administrators see this".into();
    Ok(endpoints::json(StatusCode::OK, &about))
}

/// `PUT /api/admin/users/{user}/role`: holds on that user's next request. Its route demands the
/// role of an administrator.
pub async fn set_role(
    State(app): State<App>,
    user: Result<Path<String>, PathRejection>,
    Input(form): Input<NewRole>,
) -> Result<Response, Problem> {
    let user = user.ok().and_then(|Path(user)| UserId::new(user).ok());
    let user = user.ok_or_else(Problem::not_found)?;
    if !is_role(&form.role) {
        return Err(Problem::invalid_input(
            "a role has 1 to 32 characters: a to z, 0 to 9, - and _",
        ));
    }
    // Written first: whoever refreshes after the call below must read the new role.
    if !app.accounts.set_role(&user, form.role).await? {
        return Err(Problem::not_found());
    }
    let _done = app.auth.sessions().roles_changed(&user).await?;
    Ok(endpoints::no_content())
}

fn about(session: &Session) -> Value {
    json!({
        "user_id": session.subject().as_str(),
        "session_id": session.id().map(|id| id.to_string()),
        "roles": session.token().roles().collect::<Vec<_>>(),
        "expires_at": session.expires_at().to_string(),
    })
}

fn is_role(role: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    (1..=32).contains(&role.len()) && role.chars().all(allowed)
}
