//! Signing in: the ticket first, then the password, then the session.

use aws_lc_rs::digest;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use tower_jwt_session::Device;
use tower_jwt_session::endpoints::{Endpoints, Problem, Response};
use tower_jwt_session::session::{Authentication, SignInTicket, Transport};
use tower_jwt_session::throttle::Attempt;

use crate::accounts::RegistrationKey;
use crate::app::App;
use crate::email::Email;
use crate::input::Input;
use crate::passwords;

#[derive(Deserialize)]
pub struct Credentials {
    email: String,
    password: String,
    /// `body`, `hybrid` or `cookie`.
    #[serde(default)]
    transport: Transport,
}

/// `POST /api/auth/register`
pub async fn register(
    State(app): State<App>,
    device: Device,
    request: Parts,
    Input(form): Input<Credentials>,
) -> Response {
    let address = device.address;
    let registered = registered(&app, device, &request, form);
    let endpoints = Endpoints::new(app.auth.clone());
    endpoints
        .limited(Attempt::Register, address, registered)
        .await
}

async fn registered(
    app: &App,
    device: Device,
    request: &Parts,
    form: Credentials,
) -> Result<Response, Problem> {
    app.auth.check_transport(request, form.transport)?;
    let key = idempotency_key(&request.headers)?;
    let email = Email::parse(&form.email)
        .ok_or_else(|| Problem::invalid_input("this is not an e-mail address"))?;
    if !passwords::acceptable(&form.password) {
        return Err(Problem::invalid_input(passwords::RULE));
    }
    let hash = passwords::hash(form.password.clone()).await;
    let registration = key.as_deref().map(registration_key);
    let created = app
        .accounts
        .create(&email, hash, "user", registration.as_ref())
        .await?;
    let ticket = match created {
        Some(user) => app.auth.sessions().ticket(&user).await?,
        None => {
            let again = registered_again(app, &email, form.password, registration).await?;
            again.ok_or_else(account_exists)?
        }
    };
    let session = NewSession {
        status: StatusCode::CREATED,
        transport: form.transport,
        device,
        key,
    };
    session.begin(app, request, ticket).await
}

/// The answer to the first attempt may have been lost. Whoever knows its key and the password
/// finds the session of that attempt again; with another key it would be one more sign-in.
async fn registered_again(
    app: &App,
    email: &Email,
    password: String,
    key: Option<RegistrationKey>,
) -> Result<Option<SignInTicket>, Problem> {
    let Some(key) = key else { return Ok(None) };
    if app.accounts.was_registered_under(email, &key).await? {
        check(app, email, password).await
    } else {
        Ok(None)
    }
}

/// `POST /api/auth/login`
pub async fn login(
    State(app): State<App>,
    device: Device,
    request: Parts,
    Input(form): Input<Credentials>,
) -> Response {
    let address = device.address;
    let account = form.email.clone();
    let attempt = Attempt::SignIn { account: &account };
    let signed_in = signed_in(&app, device, &request, form);
    let endpoints = Endpoints::new(app.auth.clone());
    endpoints.limited(attempt, address, signed_in).await
}

async fn signed_in(
    app: &App,
    device: Device,
    request: &Parts,
    form: Credentials,
) -> Result<Response, Problem> {
    app.auth.check_transport(request, form.transport)?;
    let key = idempotency_key(&request.headers)?;
    let email = Email::parse(&form.email).unwrap_or_default();
    let ticket = check(app, &email, form.password).await?;
    let ticket = ticket.ok_or_else(Problem::invalid_credentials)?;
    let session = NewSession {
        status: StatusCode::OK,
        transport: form.transport,
        device,
        key,
    };
    session.begin(app, request, ticket).await
}

/// A ticket, or `None` where the name or the password is wrong.
///
/// The ticket is taken before the password is looked at: else somebody with the old password
/// could come in while a new one is being set, and stay.
pub async fn check(
    app: &App,
    email: &Email,
    password: String,
) -> Result<Option<SignInTicket>, Problem> {
    let found = app.accounts.find(email).await?;
    let user = found.unwrap_or_else(|| app.nobody());
    let ticket = app.auth.sessions().ticket(&user).await?;
    let hash = app.accounts.password_of(&user).await?;
    let right = passwords::verify(password, hash).await;
    if !right {
        app.auth.sessions().credentials_refused();
    }
    Ok(right.then_some(ticket))
}

/// A session that is about to be made.
pub struct NewSession {
    pub status: StatusCode,
    pub transport: Transport,
    pub device: Device,
    pub key: Option<Vec<u8>>,
}

impl NewSession {
    pub async fn begin(
        self,
        app: &App,
        request: &Parts,
        ticket: SignInTicket,
    ) -> Result<Response, Problem> {
        let mut sign_in = app
            .auth
            .sessions()
            .sign_in(ticket, self.device)
            .transport(self.transport)
            .authenticated_by(by_password());
        if let Some(key) = self.key {
            sign_in = sign_in.idempotency_key(key);
        }
        let signed_in = sign_in.await?;
        app.auth.hand_out(request, self.status, signed_in.tokens())
    }
}

pub fn by_password() -> Authentication {
    Authentication {
        acr: None,
        amr: vec!["pwd".to_owned()],
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<Vec<u8>>, Problem> {
    let mut keys = headers.get_all("idempotency-key").iter();
    let key = keys.next().map(|key| key.as_bytes());
    if keys.next().is_some() {
        return Err(Problem::invalid_input(
            "there is one Idempotency-Key at most",
        ));
    }
    match key {
        Some(key) if key.is_empty() || key.len() > 255 => Err(Problem::invalid_input(
            "an Idempotency-Key has 1 to 255 bytes",
        )),
        key => Ok(key.map(<[u8]>::to_vec)),
    }
}

fn registration_key(key: &[u8]) -> RegistrationKey {
    let mut hash = RegistrationKey::default();
    hash.copy_from_slice(digest::digest(&digest::SHA256, key).as_ref());
    hash
}

fn account_exists() -> Problem {
    let detail = "there is an account of that address";
    Problem::new(StatusCode::CONFLICT, "account_exists", detail)
}
