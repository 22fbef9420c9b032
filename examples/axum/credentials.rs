//! Proving again who one is, and changing the password: what a stolen session must not survive.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use tower_jwt_session::endpoints::{self, Problem, Response};
use tower_jwt_session::revocation::EndReason;
use tower_jwt_session::{Rejection, Session, SessionError};

use crate::app::App;
use crate::input::Input;
use crate::{passwords, sign_in};

#[derive(Deserialize)]
pub struct Proof {
    password: String,
}

#[derive(Deserialize)]
pub struct Change {
    current: String,
    new: String,
}

/// `POST /api/auth/reauthenticate`: an access token that says that the user was here just now.
pub async fn reauthenticate(
    State(app): State<App>,
    session: Session,
    Input(form): Input<Proof>,
) -> Result<Response, Problem> {
    prove(&app, &session, form.password).await?;
    let sessions = app.auth.sessions();
    let tokens = sessions
        .reauthenticated(&session, sign_in::by_password())
        .await?;
    Ok(endpoints::json(StatusCode::OK, &tokens))
}

/// `POST /api/auth/password`: ends every session but this one.
pub async fn change_password(
    State(app): State<App>,
    session: Session,
    Input(form): Input<Change>,
) -> Result<Response, Problem> {
    if !passwords::acceptable(&form.new) {
        return Err(Problem::invalid_input(passwords::RULE));
    }
    prove(&app, &session, form.current).await?;
    let hash = passwords::hash(form.new).await;
    // Written before the sessions are ended: a sign-in in between fails on its ticket.
    app.accounts.set_password(session.subject(), hash).await?;
    end_others(&app, &session).await?;
    Ok(endpoints::no_content())
}

async fn end_others(app: &App, session: &Session) -> Result<(), Problem> {
    let end_all = || {
        let ending = app.auth.sessions().end_all(session.subject());
        ending
            .because(EndReason::PasswordChanged)
            .by(session.subject())
    };
    match end_all().except(session.id()).await {
        Ok(_) => Ok(()),
        // This session ended on the way, and then none has ended by this call.
        Err(SessionError::NotFound) => {
            let _done = end_all().await?;
            Err(Rejection::TokenRevoked { reason: None }.into())
        }
        Err(error) => Err(error.into()),
    }
}

async fn prove(app: &App, session: &Session, password: String) -> Result<(), Problem> {
    let hash = app.accounts.password_of(session.subject()).await?;
    if passwords::verify(password, hash).await {
        Ok(())
    } else {
        Err(Problem::invalid_credentials())
    }
}
