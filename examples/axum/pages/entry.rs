//! The twins of `POST /api/auth/login` and `POST /api/auth/register` for forms: the tokens are in
//! cookies, and the answer is the page that was asked for.

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{FromRequest, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use serde::Deserialize;
use tower_jwt_session::Device;
use tower_jwt_session::endpoints::{Endpoints, Problem, Response, read_body};
use tower_jwt_session::session::{SignInTicket, Transport};
use tower_jwt_session::throttle::Attempt;

use super::words::{Sheet, Words};
use crate::app::App;
use crate::email::Email;
use crate::passwords;
use crate::sign_in::{NewSession, check};

#[derive(Deserialize)]
pub struct Credentials {
    email: String,
    password: String,
}

type Sent = Result<Form<Credentials>, FormRejection>;

/// The form as it was filled in, if its body comes in time.
pub struct Filled(Sent);

impl FromRequest<App> for Filled {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let body = read_body(app.auth.body_timeout(), &parts.headers, body).await?;
        let request = Request::from_parts(parts, body.into());
        Ok(Self(Form::from_request(request, app).await))
    }
}

/// A page with a form.
#[derive(Clone, Copy)]
enum Asks {
    ToRegister,
    ToSignIn,
}

/// A word of why it is there again.
type Told = fn(&Words) -> &'static str;

/// `GET /sign-in`
pub async fn sign_in_page(State(app): State<App>, request: Parts) -> Response {
    Asks::ToSignIn.page(&app, &request, StatusCode::OK, None)
}

/// `GET /register`
pub async fn register_page(State(app): State<App>, request: Parts) -> Response {
    Asks::ToRegister.page(&app, &request, StatusCode::OK, None)
}

/// `POST /sign-in`
pub async fn sign_in(
    State(app): State<App>,
    device: Device,
    request: Parts,
    Filled(form): Filled,
) -> Response {
    let address = device.address;
    let account = form.as_ref().map_or("", |Form(form)| &form.email);
    let account = account.to_owned();
    let attempt = Attempt::SignIn { account: &account };
    let signed_in = signed_in(&app, device, &request, form);
    let endpoints = Endpoints::new(app.auth.clone());
    let response = endpoints.limited(attempt, address, signed_in).await;
    Asks::ToSignIn.or_too_many(&app, &request, response)
}

/// `POST /register`
pub async fn register(
    State(app): State<App>,
    device: Device,
    request: Parts,
    Filled(form): Filled,
) -> Response {
    let address = device.address;
    let registered = registered(&app, device, &request, form);
    let endpoints = Endpoints::new(app.auth.clone());
    let response = endpoints
        .limited(Attempt::Register, address, registered)
        .await;
    Asks::ToRegister.or_too_many(&app, &request, response)
}

async fn signed_in(
    app: &App,
    device: Device,
    request: &Parts,
    form: Sent,
) -> Result<Response, Problem> {
    app.auth.check_transport(request, Transport::Cookie)?;
    let form = credentials(form)?;
    let email = Email::parse(&form.email).unwrap_or_default();
    if let Some(ticket) = check(app, &email, form.password).await? {
        return entered(app, device, request, ticket).await;
    }
    let told: Told = |words| words.wrong;
    let mut page = Asks::ToSignIn.page(app, request, StatusCode::UNAUTHORIZED, Some(told));
    let challenge = HeaderValue::from_static("Bearer");
    page.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    Ok(page)
}

async fn registered(
    app: &App,
    device: Device,
    request: &Parts,
    form: Sent,
) -> Result<Response, Problem> {
    app.auth.check_transport(request, Transport::Cookie)?;
    let form = credentials(form)?;
    let refused = |status, told: Told| Ok(Asks::ToRegister.page(app, request, status, Some(told)));
    let Some(email) = Email::parse(&form.email) else {
        return refused(StatusCode::UNPROCESSABLE_ENTITY, |words| words.no_address);
    };
    if !passwords::acceptable(&form.password) {
        return refused(StatusCode::UNPROCESSABLE_ENTITY, |words| {
            words.password_rule
        });
    }
    let hash = passwords::hash(form.password).await;
    let Some(user) = app.accounts.create(&email, hash, "user", None).await? else {
        return refused(StatusCode::CONFLICT, |words| words.account_exists);
    };
    let ticket = app.auth.sessions().ticket(&user).await?;
    entered(app, device, request, ticket).await
}

fn credentials(form: Sent) -> Result<Credentials, Problem> {
    let Form(form) = form.map_err(|rejection| {
        let detail = "the form has an e-mail address and a password";
        Problem::new(rejection.status(), "invalid_input", detail)
    })?;
    Ok(form)
}

async fn entered(
    app: &App,
    device: Device,
    request: &Parts,
    ticket: SignInTicket,
) -> Result<Response, Problem> {
    let session = NewSession {
        status: StatusCode::SEE_OTHER,
        transport: Transport::Cookie,
        device,
        key: None,
    };
    let mut response = session.begin(app, request, ticket).await?;
    response.headers_mut().insert(LOCATION, next(request));
    Ok(response)
}

impl Asks {
    fn page(self, app: &App, request: &Parts, status: StatusCode, told: Option<Told>) -> Response {
        let words = Words::of(app.pages.language(request));
        let Sheet { title, main } = match self {
            Self::ToRegister => &words.register,
            Self::ToSignIn => &words.sign_in,
        };
        let told = told.map(|told| told(words));
        app.pages.page(request, status, title, main, told)
    }

    /// The answer, as a page where there were too many attempts.
    fn or_too_many(self, app: &App, request: &Parts, mut response: Response) -> Response {
        if response.status() != StatusCode::TOO_MANY_REQUESTS {
            return response;
        }
        let told: Told = |words| words.too_many;
        let mut page = self.page(app, request, response.status(), Some(told));
        response.headers_mut().remove(CONTENT_TYPE);
        response.headers_mut().remove(CONTENT_LENGTH);
        let limits = std::mem::take(response.headers_mut());
        page.headers_mut().extend(limits);
        page
    }
}

/// Where to go then: a path of this site, and `/devices` unless one was asked for.
fn next(request: &Parts) -> HeaderValue {
    let query = request.uri.query().unwrap_or_default();
    let mut parameters = form_urlencoded::parse(query.as_bytes());
    let asked = parameters.find(|(name, _)| name == "next");
    asked
        .map(|(_, path)| path)
        .filter(|path| is_of_this_site(path))
        .and_then(|path| HeaderValue::try_from(path.as_ref()).ok())
        .unwrap_or(HeaderValue::from_static("/devices"))
}

/// Not `//elsewhere`, nor what browsers take for that.
fn is_of_this_site(path: &str) -> bool {
    let mut bytes = path.bytes();
    bytes.next() == Some(b'/')
        && !matches!(bytes.next(), Some(b'/' | b'\\'))
        && !path.contains(|c: char| c.is_control() || c == '\\')
}
