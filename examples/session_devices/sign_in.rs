//! Registering and signing in: each is a session of its own, whose id is in the token.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::json;
use tower_jwt_session::Device;
use tower_jwt_session::endpoints::{self, Problem, Response};
use tower_jwt_session::session::{Authentication, SignInTicket};

use crate::app::App;
use crate::email::Email;
use crate::input::Input;
use crate::{notices, passwords};

#[derive(Deserialize)]
pub struct Credentials {
    email: String,
    password: String,
}

#[derive(Deserialize)]
pub struct Verification {
    code: String,
}

/// `POST /register`
pub async fn register(
    State(app): State<App>,
    device: Device,
    Input(form): Input<Credentials>,
) -> Result<Response, Problem> {
    let email = Email::parse(&form.email)
        .ok_or_else(|| Problem::invalid_input("this is not an e-mail address"))?;
    if !passwords::acceptable(&form.password) {
        return Err(Problem::invalid_input(passwords::RULE));
    }
    let hash = passwords::hash(form.password).await;
    let code = app.settings.email_must_be_verified.then(random_code);
    let created = app.database.create(&email, Some(hash), code.as_deref());
    let user = created.await?.ok_or_else(account_exists)?;
    if let Some(code) = code {
        notices::mail(
            &email.to_string(),
            &format!("verify your address: POST /verify?code={code}"),
        );
        let waiting = json!({ "message": "verify your e-mail address, then sign in" });
        return Ok(endpoints::json(StatusCode::ACCEPTED, &waiting));
    }
    let ticket = app.auth.sessions().ticket(&user).await?;
    begin(&app, StatusCode::CREATED, ticket, device, "pwd", None).await
}

/// `POST /verify?code=…`
pub async fn verify(
    State(app): State<App>,
    Query(form): Query<Verification>,
) -> Result<Response, Problem> {
    if app.database.verify(&form.code).await? {
        Ok(endpoints::no_content())
    } else {
        Err(Problem::invalid_input("this code is unknown, or was used"))
    }
}

/// `POST /login`
pub async fn login(
    State(app): State<App>,
    device: Device,
    Input(form): Input<Credentials>,
) -> Result<Response, Problem> {
    let email = Email::parse(&form.email).unwrap_or_default();
    let found = app.database.find(&email).await?;
    let user = found.unwrap_or_else(|| app.nobody());
    // The ticket comes before the password is looked at: a session that is made with it cannot
    // outlast a change of the password meanwhile.
    let ticket = app.auth.sessions().ticket(&user).await?;
    let (hash, unverified) = app.database.password_of(&user).await?;
    if !passwords::verify(form.password, hash).await {
        return Err(Problem::invalid_credentials());
    }
    if unverified {
        let detail = "verify your e-mail address first";
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "email_not_verified",
            detail,
        ));
    }
    begin(&app, StatusCode::OK, ticket, device, "pwd", None).await
}

/// Makes the session, tells the user of a new device, and hands the token out.
pub async fn begin(
    app: &App,
    status: StatusCode,
    ticket: SignInTicket,
    device: Device,
    method: &str,
    key: Option<Vec<u8>>,
) -> Result<Response, Problem> {
    let user = ticket.user().clone();
    let before = notices::devices_of(app, &user).await?;
    let authentication = Authentication {
        acr: None,
        amr: vec![method.to_owned()],
    };
    let sign_in = app.auth.sessions().sign_in(ticket, device.clone());
    let mut sign_in = sign_in.authenticated_by(authentication);
    if let Some(key) = key {
        sign_in = sign_in.idempotency_key(key);
    }
    let signed_in = sign_in.await?;
    notices::of_sign_in(app, &user, &before, &device).await?;
    let tokens = signed_in.tokens();
    let answer = json!({ "access_token": tokens.access_token, "token_type": "bearer" });
    Ok(endpoints::json(status, &answer))
}

fn random_code() -> String {
    let mut bytes = [0; 24];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system has a source of randomness");
    URL_SAFE_NO_PAD.encode(bytes)
}

fn account_exists() -> Problem {
    let detail = "there is an account of that address";
    Problem::new(StatusCode::CONFLICT, "account_exists", detail)
}
