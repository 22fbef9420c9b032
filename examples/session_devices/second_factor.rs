//! A second factor (RFC 6238): who has one needs a code of the last five minutes to sign devices
//! out.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response as AxumResponse;
use serde::Deserialize;
use serde_json::json;
use totp_rs::{Builder, Secret, Totp};
use tower_jwt_session::endpoints::{self, Problem, Response};
use tower_jwt_session::session::Authentication;
use tower_jwt_session::{Rejection, Session, UserId};

use crate::app::App;
use crate::database::SecondFactor;
use crate::input::Input;

#[derive(Deserialize)]
pub struct Code {
    code: String,
}

/// `POST /2fa/enroll`: a secret for an authenticator, which does not count before a code of it came.
pub async fn enroll(State(app): State<App>, session: Session) -> Result<Response, Problem> {
    let mut secret = vec![0; 20];
    aws_lc_rs::rand::fill(&mut secret).expect("the system has a source of randomness");
    let user = session.subject();
    if !app.database.offer_second_factor(user, &secret).await? {
        let detail = "there is a second factor already";
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "second_factor_exists",
            detail,
        ));
    }
    let email = app.database.email_of(user).await?.unwrap_or_default();
    let shown = Secret::from(secret.clone()).to_base32();
    let url = totp(secret, &email)?.to_url().map_err(|_| unusable())?;
    let offer = json!({ "secret": shown, "otpauth_url": url });
    Ok(endpoints::json(StatusCode::OK, &offer))
}

/// `POST /2fa/confirm`: from now on codes are asked for.
pub async fn confirm(
    State(app): State<App>,
    session: Session,
    Input(form): Input<Code>,
) -> Result<Response, Problem> {
    let SecondFactor::Offered(secret) = app.database.second_factor_of(session.subject()).await?
    else {
        return Err(Problem::invalid_input("enroll a second factor first"));
    };
    check(&app, session.subject(), secret, &form.code).await?;
    Ok(endpoints::no_content())
}

/// `POST /2fa`: an access token that says that the second factor was here just now.
pub async fn prove(
    State(app): State<App>,
    session: Session,
    Input(form): Input<Code>,
) -> Result<Response, Problem> {
    let SecondFactor::Confirmed(secret) = app.database.second_factor_of(session.subject()).await?
    else {
        return Err(Problem::invalid_input("there is no second factor"));
    };
    check(&app, session.subject(), secret, &form.code).await?;
    let both = Authentication {
        acr: Some(TWO_FACTORS.to_owned()),
        amr: vec!["pwd".to_owned(), "otp".to_owned()],
    };
    let tokens = app.auth.sessions().reauthenticated(&session, both).await?;
    let answer = json!({ "access_token": tokens.access_token, "token_type": "bearer" });
    Ok(endpoints::json(StatusCode::OK, &answer))
}

/// Signing devices out takes the second factor where there is one; looking at them does not.
pub async fn demanded(
    State(app): State<App>,
    session: Session,
    request: Request,
    next: Next,
) -> Result<AxumResponse, Problem> {
    let sensitive = matches!(*request.method(), Method::DELETE | Method::POST);
    if sensitive {
        let factor = app.database.second_factor_of(session.subject()).await?;
        if matches!(factor, SecondFactor::Confirmed(_)) {
            if session.token().acr() != Some(TWO_FACTORS) {
                return Err(Rejection::InsufficientAuthentication { max_age: RECENT }.into());
            }
            session.require_fresh(RECENT)?;
        }
    }
    Ok(next.run(request).await)
}

/// A code is good for its own half minute and its neighbours, and once.
async fn check(app: &App, user: &UserId, secret: Vec<u8>, code: &str) -> Result<(), Problem> {
    let now = app.auth.clock().now().as_secs();
    let step = totp(secret, "user")?.check(code, now);
    match step.and_then(|step| i64::try_from(step).ok()) {
        Some(step) if app.database.take_code(user, step).await? => Ok(()),
        _ => Err(Problem::invalid_credentials()),
    }
}

fn totp(secret: Vec<u8>, account: &str) -> Result<Totp, Problem> {
    let builder = Builder::new()
        .with_secret(secret)
        .with_account_name(account);
    let builder = builder.with_issuer(Some("Session devices"));
    builder.build().map_err(|_| unusable())
}

fn unusable() -> Problem {
    Problem::invalid_input("an authenticator cannot name this account")
}

/// The authentication context (RFC 9470) of a token behind which both factors stand.
const TWO_FACTORS: &str = "urn:example:two-factors";

const RECENT: Duration = Duration::from_secs(300);
