//! The pages of the example itself: the first one, and the one to sign in at.

use axum::Form;
use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{FromRequest, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use tower_jwt_session::Device;
use tower_jwt_session::endpoints::{self, Endpoints, Problem, read_body};
use tower_jwt_session::middleware::Anonymous;
use tower_jwt_session::session::Transport;
use tower_jwt_session::throttle::Attempt;

use crate::app::App;
use crate::email::Email;
use crate::sign_in::{NewSession, check};

#[derive(Deserialize)]
pub struct SignIn {
    email: String,
    password: String,
}

/// The form as it was filled in, if its body comes in time.
struct Filled(Result<Form<SignIn>, FormRejection>);

impl FromRequest<App> for Filled {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let body = read_body(app.auth.body_timeout(), &parts.headers, body).await?;
        let request = Request::from_parts(parts, body.into());
        Ok(Self(Form::from_request(request, app).await))
    }
}

/// `GET /`, `GET /sign-in`, `POST /sign-in` and the script of the first page.
pub fn routes(app: &App) -> Router<App> {
    let layer = app.auth.layer().with_anonymous(Anonymous::Allow);
    Router::new()
        .route("/", get(first))
        .route("/sign-in", get(sign_in_page).post(sign_in))
        .route_layer(layer)
        .route("/demo.js", get(demo))
}

async fn first(State(app): State<App>, request: Parts) -> endpoints::Response {
    let main = include_str!("first.html");
    app.pages
        .page(&request, StatusCode::OK, "Sessions to try out", main, None)
}

async fn sign_in_page(State(app): State<App>, request: Parts) -> endpoints::Response {
    let main = include_str!("sign_in.html");
    app.pages
        .page(&request, StatusCode::OK, "Sign in", main, None)
}

/// The twin of `POST /api/auth/login` for forms: the tokens are in cookies, and the answer is the
/// page that was asked for.
async fn sign_in(
    State(app): State<App>,
    device: Device,
    request: Parts,
    Filled(form): Filled,
) -> Response {
    let address = device.address;
    let account = form
        .as_ref()
        .map_or("", |Form(form)| &form.email)
        .to_owned();
    let attempt = Attempt::SignIn { account: &account };
    let signed_in = signed_in(&app, device, &request, form);
    let mut response = Endpoints::new(app.auth.clone())
        .limited(attempt, address, signed_in)
        .await;
    if response.status() == StatusCode::TOO_MANY_REQUESTS {
        let told = "There were too many attempts. Try again later.";
        let page = refused(&app, &request, response.status(), told);
        response.headers_mut().remove(CONTENT_TYPE);
        response.headers_mut().remove(CONTENT_LENGTH);
        let limits = std::mem::take(response.headers_mut());
        response = page;
        response.headers_mut().extend(limits);
    }
    response.into_response()
}

async fn signed_in(
    app: &App,
    device: Device,
    request: &Parts,
    form: Result<Form<SignIn>, FormRejection>,
) -> Result<endpoints::Response, Problem> {
    app.auth.check_transport(request, Transport::Cookie)?;
    let Form(form) = form.map_err(|rejection| {
        let detail = "the form has an e-mail address and a password";
        Problem::new(rejection.status(), "invalid_input", detail)
    })?;
    let email = Email::parse(&form.email).unwrap_or_default();
    let Some(ticket) = check(app, &email, form.password).await? else {
        let told = "The e-mail address or the password is wrong.";
        let mut page = refused(app, request, StatusCode::UNAUTHORIZED, told);
        let challenge = HeaderValue::from_static("Bearer");
        page.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        return Ok(page);
    };
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

/// The sign-in page with a word of why it is there again.
fn refused(app: &App, request: &Parts, status: StatusCode, told: &str) -> endpoints::Response {
    let main = include_str!("sign_in.html");
    app.pages.page(request, status, "Sign in", main, Some(told))
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

async fn demo() -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, include_str!("demo.js"))
}
