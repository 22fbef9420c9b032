//! Proving again who one is, and changing the password: what a stolen session must not survive.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::Deserialize;
use tower_jwt_session::endpoints::{self, Endpoints, Problem, Response};
use tower_jwt_session::revocation::EndReason;
use tower_jwt_session::session::EndAllSessions;
use tower_jwt_session::throttle::Attempt;
use tower_jwt_session::{Device, NoClaims, Rejection, Session, SessionError};

use crate::app::App;
use crate::input::Input;
use crate::passwords::Hash;
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
    device: Device,
    request: Parts,
    Input(form): Input<Proof>,
) -> Response {
    let proven = reauthenticated(&app, &session, &request, form);
    limited(&app, &session, &device, proven).await
}

/// Whoever has a stolen token guesses no faster than at the sign-in.
async fn limited(
    app: &App,
    session: &Session,
    device: &Device,
    answer: impl Future<Output = Result<Response, Problem>>,
) -> Response {
    let account = session.subject().as_str();
    Endpoints::new(app.auth.clone())
        .limited(Attempt::SignIn { account }, device.address, answer)
        .await
}

async fn reauthenticated(
    app: &App,
    session: &Session,
    request: &Parts,
    form: Proof,
) -> Result<Response, Problem> {
    prove(app, session, form.password).await?;
    let sessions = app.auth.sessions();
    let tokens = sessions
        .reauthenticated(session, sign_in::by_password())
        .await
        .map_err(ended_meanwhile)?;
    app.auth.hand_out(request, StatusCode::OK, tokens)
}

/// `POST /api/auth/password`: ends every session but this one.
pub async fn change_password(
    State(app): State<App>,
    session: Session,
    device: Device,
    Input(form): Input<Change>,
) -> Response {
    let changed = changed(app.clone(), session.clone(), form);
    limited(&app, &session, &device, changed).await
}

async fn changed(app: App, session: Session, form: Change) -> Result<Response, Problem> {
    if !passwords::acceptable(&form.new) {
        return Err(Problem::invalid_input(passwords::RULE));
    }
    let old = prove(&app, &session, form.current).await?;
    let new = passwords::hash(form.new).await;
    // In a task: it must not stop half-way when the client hangs up.
    let replaced = tokio::spawn(async move { replace(&app, &session, old, new).await });
    replaced
        .await
        .expect("replacing a password does not panic")?;
    Ok(endpoints::no_content())
}

/// One change at a time, and the session is confirmed inside: of two changes at once, that of a
/// thief and that of the owner, the second finds its session ended by the first.
async fn replace(app: &App, session: &Session, old: Hash, new: Hash) -> Result<(), Problem> {
    let user = session.subject();
    let _turn = app.turns.take(user).await;
    session.confirm().await?;
    // Written before the sessions are ended: a sign-in in between fails on its ticket.
    let replaced = app.accounts.replace_password(user, &old, new.clone());
    if !replaced.await? {
        return Err(Problem::invalid_credentials());
    }
    let Err(error) = end_all(app, session).except(session.id()).await else {
        return Ok(());
    };
    // Without its consequences a change must not stand; above all not when this very session was
    // ended on the way. Then nobody stays who came in with either password.
    app.accounts.replace_password(user, &new, old).await?;
    if matches!(error, SessionError::NotFound) {
        let _done = end_all(app, session).await?;
    }
    Err(ended_meanwhile(error))
}

fn end_all(app: &App, session: &Session) -> EndAllSessions<NoClaims> {
    let ending = app.auth.sessions().end_all(session.subject());
    ending
        .because(EndReason::PasswordChanged)
        .by(session.subject())
}

/// The hash of the password that was proven.
async fn prove(app: &App, session: &Session, password: String) -> Result<Hash, Problem> {
    let hash = app.accounts.password_of(session.subject()).await?;
    if passwords::verify(password, hash.clone()).await {
        hash.ok_or_else(Problem::invalid_credentials)
    } else {
        Err(Problem::invalid_credentials())
    }
}

/// Not there any more: it ended after the layer had let it in.
fn ended_meanwhile(error: SessionError) -> Problem {
    match error {
        SessionError::NotFound => Rejection::TokenRevoked { reason: None }.into(),
        error => error.into(),
    }
}
