//! Signing in: the ticket first, then the password, then the session.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use tower_jwt_session::endpoints::{self, Problem, Response};
use tower_jwt_session::session::{Authentication, SignInTicket};
use tower_jwt_session::{Device, UserId};

use crate::accounts::Email;
use crate::app::App;
use crate::input::Input;
use crate::passwords;

#[derive(Deserialize)]
pub struct Credentials {
    email: String,
    password: String,
}

/// `POST /api/auth/register`
pub async fn register(
    State(app): State<App>,
    device: Device,
    headers: HeaderMap,
    Input(form): Input<Credentials>,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers)?;
    let email = Email::parse(&form.email)
        .ok_or_else(|| Problem::invalid_input("this is not an e-mail address"))?;
    if !passwords::acceptable(&form.password) {
        return Err(Problem::invalid_input(passwords::RULE));
    }
    let hash = passwords::hash(form.password.clone()).await;
    let user = match app.accounts.create(&email, hash, "user").await? {
        Some(user) => user,
        // The answer to the first attempt may have been lost. Whoever knows the password may
        // find the session of that attempt again by its key.
        None if key.is_none() => return Err(account_exists()),
        None => {
            let checked = check(&app, &email, form.password).await;
            checked.map_err(|_| account_exists())?.0
        }
    };
    let ticket = app.auth.sessions().ticket(&user).await?;
    begin(&app, StatusCode::CREATED, ticket, device, key).await
}

/// `POST /api/auth/login`
pub async fn login(
    State(app): State<App>,
    device: Device,
    headers: HeaderMap,
    Input(form): Input<Credentials>,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers)?;
    let email = Email::parse(&form.email).unwrap_or_default();
    let (_, ticket) = check(&app, &email, form.password).await?;
    begin(&app, StatusCode::OK, ticket, device, key).await
}

/// The ticket is taken before the password is looked at: else somebody with the old password
/// could come in while a new one is being set, and stay.
async fn check(
    app: &App,
    email: &Email,
    password: String,
) -> Result<(UserId, SignInTicket), Problem> {
    let found = app.accounts.find(email).await?;
    let user = found.unwrap_or_else(|| app.nobody());
    let ticket = app.auth.sessions().ticket(&user).await?;
    let hash = app.accounts.password_of(&user).await?;
    if passwords::verify(password, hash).await {
        Ok((user, ticket))
    } else {
        Err(Problem::invalid_credentials())
    }
}

async fn begin(
    app: &App,
    status: StatusCode,
    ticket: SignInTicket,
    device: Device,
    key: Option<Vec<u8>>,
) -> Result<Response, Problem> {
    let mut sign_in = app
        .auth
        .sessions()
        .sign_in(ticket, device)
        .authenticated_by(by_password());
    if let Some(key) = key {
        sign_in = sign_in.idempotency_key(key);
    }
    let signed_in = sign_in.await?;
    Ok(endpoints::json(status, &signed_in.tokens()))
}

pub fn by_password() -> Authentication {
    Authentication {
        acr: None,
        amr: vec!["pwd".to_owned()],
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<Vec<u8>>, Problem> {
    let key = headers.get("idempotency-key").map(|key| key.as_bytes());
    match key {
        Some(key) if key.is_empty() || key.len() > 255 => Err(Problem::invalid_input(
            "an Idempotency-Key has 1 to 255 bytes",
        )),
        key => Ok(key.map(<[u8]>::to_vec)),
    }
}

fn account_exists() -> Problem {
    let detail = "there is an account of that address";
    Problem::new(StatusCode::CONFLICT, "account_exists", detail)
}
