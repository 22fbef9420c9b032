//! What users are told of their sign-ins: a device that was not seen before, a place that is far
//! from the last one. Nobody is locked out by it.

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;
use tower_jwt_session::endpoints::{self, Problem, Response};
use tower_jwt_session::{Device, Session, SessionInfo, UserId};

use crate::app::App;

/// `GET /notices`
pub async fn list(State(app): State<App>, session: Session) -> Result<Response, Problem> {
    let notices = app.database.notices_of(session.subject()).await?;
    let notices: Vec<_> = notices
        .iter()
        .map(|line| json!({ "at": line.at, "text": line.text }))
        .collect();
    Ok(endpoints::json(StatusCode::OK, &notices))
}

/// The sessions that a user has and had, before there is one more.
pub async fn devices_of(app: &App, user: &UserId) -> Result<Vec<SessionInfo>, Problem> {
    let sessions = app.auth.sessions();
    let mut known = sessions.list(user).await?;
    known.extend(sessions.list_ended(user).await?);
    Ok(known)
}

/// Not on the first session, and not for a device that was here before.
pub async fn of_sign_in(
    app: &App,
    user: &UserId,
    before: &[SessionInfo],
    device: &Device,
) -> Result<(), Problem> {
    let is_known = |info: &SessionInfo| info.user_agent == device.user_agent;
    if before.is_empty() {
        return Ok(());
    }
    let from = device.address.map(|address| address.to_string());
    let from = from.as_deref().unwrap_or("an unknown address");
    if !before.iter().any(is_known) {
        let text = format!("new sign-in: {} from {from}", device.label);
        notify(app, user, &text).await?;
    }
    if let Some(country) = suspicious_country(before, device) {
        let text = format!("suspicious sign-in: {} from {country}", device.label);
        notify(app, user, &text).await?;
    }
    Ok(())
}

/// The country of a sign-in where no session of the user was ever seen. Needs `GEOIP_DATABASE_FILE`.
fn suspicious_country<'a>(before: &[SessionInfo], device: &'a Device) -> Option<&'a str> {
    let here = device.country.as_deref()?;
    let mut places = before.iter().filter_map(|info| info.country.as_deref());
    let mut elsewhere = false;
    let been_here = places.any(|place| {
        elsewhere = true;
        place == here
    });
    (elsewhere && !been_here).then_some(here)
}

async fn notify(app: &App, user: &UserId, text: &str) -> Result<(), Problem> {
    let now = app.auth.clock().now().to_string();
    app.database.add_notice(user, &now, text).await?;
    if let Some(email) = app.database.email_of(user).await? {
        mail(&email, text);
    }
    Ok(())
}

/// Stands for a mail server.
pub fn mail(to: &str, text: &str) {
    println!("to {to}: {text}");
}
