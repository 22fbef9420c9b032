//! The application of the suite: accounts in memory, the same on every framework.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http::request::Parts;
use http::{Method, Request, StatusCode};
use http_body::Body;
use serde::Deserialize;
use serde_json::{Value, json};
use tower_jwt_session::endpoints::{self, Problem, Response};
use tower_jwt_session::revocation::EndReason;
use tower_jwt_session::session::{Authentication, Transport};
use tower_jwt_session::{
    BoxError, ClaimsSource, ClientAddress, Device, Grants, JwtSession, Rejection, Session, UserId,
};

/// Who may call it: everybody, or somebody whom the layer let in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum For {
    All,
    Members,
}

/// Path, method, for whom.
pub const PATHS: [(&str, Method, For); 8] = [
    ("/api/auth/register", Method::POST, For::All),
    ("/api/auth/login", Method::POST, For::All),
    ("/api/auth/reauthenticate", Method::POST, For::Members),
    ("/api/auth/password", Method::POST, For::Members),
    ("/api/me", Method::GET, For::Members),
    ("/api/protected", Method::GET, For::Members),
    ("/api/admin/dashboard", Method::GET, For::Members),
    ("/api/admin/users/{user}/role", Method::PUT, For::Members),
];

/// Passwords and roles.
#[derive(Clone, Default)]
pub struct Directory(Arc<Mutex<HashMap<String, (String, String)>>>);

#[derive(Clone)]
pub struct Accounts {
    pub auth: JwtSession,
    pub directory: Directory,
}

#[derive(Deserialize)]
struct Credentials {
    email: String,
    password: String,
    #[serde(default)]
    transport: Transport,
}

#[derive(Deserialize)]
struct Proof {
    password: String,
}

#[derive(Deserialize)]
struct Change {
    current: String,
    new: String,
}

#[derive(Deserialize)]
struct Role {
    role: String,
}

impl Directory {
    pub fn set(&self, name: &str, password: &str, role: &str) -> bool {
        let entry = (password.to_owned(), role.to_owned());
        self.0
            .lock()
            .unwrap()
            .insert(name.to_owned(), entry)
            .is_none()
    }

    fn find(&self, name: &str) -> Option<(String, String)> {
        self.0.lock().unwrap().get(name).cloned()
    }
}

impl ClaimsSource for Directory {
    type Error = Infallible;

    async fn claims(&self, user: &UserId) -> Result<Option<Grants>, Infallible> {
        let found = self.find(user.as_str());
        Ok(found.map(|(_, role)| Grants::default().role(role)))
    }
}

/// For whom a path is; what is nowhere is for members.
pub fn whose(path: &str) -> For {
    let found = PATHS.iter().find(|(known, _, _)| *known == path);
    found.map_or(For::Members, |(_, _, whose)| *whose)
}

impl Accounts {
    /// Answers any request, with the session of a layer where it is for members.
    pub async fn answer<B>(&self, request: Request<B>) -> Response
    where
        B: Body<Error: Into<BoxError>>,
    {
        let path = request.uri().path().to_owned();
        let user = path
            .strip_prefix("/api/admin/users/")
            .and_then(|rest| rest.strip_suffix("/role"));
        let route = if user.is_some() {
            "/api/admin/users/{user}/role"
        } else {
            &path
        };
        let answer = match (request.method().as_str(), route) {
            ("POST", "/api/auth/register") => self.register(request).await,
            ("POST", "/api/auth/login") => self.login(request).await,
            ("POST", "/api/auth/reauthenticate") => self.reauthenticate(request).await,
            ("POST", "/api/auth/password") => self.change_password(request).await,
            ("GET", "/api/me") => me(&request),
            ("GET", "/api/protected") => greeted(&request),
            ("GET", "/api/admin/dashboard") => dashboard(&request),
            ("PUT", "/api/admin/users/{user}/role") => {
                self.set_role(user.unwrap_or_default(), request).await
            }
            (_, route) => Err(nothing(route)),
        };
        answer.unwrap_or_else(Problem::into_response)
    }

    async fn register<B>(&self, request: Request<B>) -> Result<Response, Problem>
    where
        B: Body<Error: Into<BoxError>>,
    {
        let device = device(&request);
        let form: Credentials = endpoints::read_json(request).await?;
        if !form.email.contains('@') || form.password.chars().count() < 8 {
            return Err(Problem::invalid_input("an address, and 8 characters"));
        }
        let user = UserId::new(form.email.as_str())?;
        if self.directory.find(&form.email).is_some() {
            let taken = "there is an account of that address";
            return Err(Problem::new(StatusCode::CONFLICT, "account_exists", taken));
        }
        self.directory.set(&form.email, &form.password, "user");
        let ticket = self.auth.sessions().ticket(&user).await?;
        let signed_in = self.auth.sessions().sign_in(ticket, device).await?;
        Ok(endpoints::json(StatusCode::CREATED, &signed_in.tokens()))
    }

    async fn login<B>(&self, request: Request<B>) -> Result<Response, Problem>
    where
        B: Body<Error: Into<BoxError>>,
    {
        let device = device(&request);
        let (parts, form) = read::<Credentials, _>(request).await?;
        self.auth.check_transport(&parts, form.transport)?;
        let key = parts.headers.get("idempotency-key");
        let user = UserId::new(form.email.as_str()).map_err(|_| Problem::invalid_credentials())?;
        let ticket = self.auth.sessions().ticket(&user).await?;
        self.prove(&form.email, &form.password)?;
        let sign_in = self.auth.sessions().sign_in(ticket, device);
        let mut sign_in = sign_in.transport(form.transport);
        if let Some(key) = key {
            sign_in = sign_in.idempotency_key(key.as_bytes());
        }
        let tokens = sign_in.await?.tokens();
        self.auth.hand_out(&parts, StatusCode::OK, tokens)
    }

    async fn reauthenticate<B>(&self, request: Request<B>) -> Result<Response, Problem>
    where
        B: Body<Error: Into<BoxError>>,
    {
        let session = session(&request)?;
        let form: Proof = endpoints::read_json(request).await?;
        self.prove(session.subject().as_str(), &form.password)?;
        let how = Authentication {
            acr: None,
            amr: vec!["pwd".to_owned()],
        };
        let tokens = self.auth.sessions().reauthenticated(&session, how).await?;
        Ok(endpoints::json(StatusCode::OK, &tokens))
    }

    async fn change_password<B>(&self, request: Request<B>) -> Result<Response, Problem>
    where
        B: Body<Error: Into<BoxError>>,
    {
        let session = session(&request)?;
        let form: Change = endpoints::read_json(request).await?;
        let name = session.subject().as_str();
        self.prove(name, &form.current)?;
        self.directory.set(name, &form.new, "user");
        let ending = self.auth.sessions().end_all(session.subject());
        let _done = ending
            .except(session.id())
            .because(EndReason::PasswordChanged)
            .await?;
        Ok(endpoints::no_content())
    }

    async fn set_role<B>(&self, user: &str, request: Request<B>) -> Result<Response, Problem>
    where
        B: Body<Error: Into<BoxError>>,
    {
        session(&request)?.require_role("admin")?;
        let form: Role = endpoints::read_json(request).await?;
        let (password, _) = self.directory.find(user).ok_or_else(Problem::not_found)?;
        self.directory.set(user, &password, &form.role);
        let user = UserId::new(user)?;
        let _done = self.auth.sessions().roles_changed(&user).await?;
        Ok(endpoints::no_content())
    }

    fn prove(&self, name: &str, password: &str) -> Result<(), Problem> {
        let right = self
            .directory
            .find(name)
            .is_some_and(|(known, _)| known == password);
        right.then_some(()).ok_or_else(Problem::invalid_credentials)
    }
}

/// The body of a request, and all the rest of it.
async fn read<T, B>(request: Request<B>) -> Result<(Parts, T), Problem>
where
    T: serde::de::DeserializeOwned,
    B: Body<Error: Into<BoxError>>,
{
    let (parts, body) = request.into_parts();
    let form = endpoints::read_json(Request::from_parts(parts.clone(), body)).await?;
    Ok((parts, form))
}

fn device<B>(request: &Request<B>) -> Device {
    let client = request.extensions().get::<ClientAddress>();
    Device::from_headers(request.headers(), client.map(|client| client.ip()))
}

fn nothing(path: &str) -> Problem {
    match PATHS.iter().find(|(known, _, _)| *known == path) {
        Some((_, Method::GET, _)) => Problem::method_not_allowed("GET,HEAD"),
        Some((_, method, _)) => Problem::method_not_allowed(method.as_str()),
        None => Problem::not_found(),
    }
}

fn me<B>(request: &Request<B>) -> Result<Response, Problem> {
    Ok(endpoints::json(StatusCode::OK, &about(request)?))
}

fn greeted<B>(request: &Request<B>) -> Result<Response, Problem> {
    let mut about = about(request)?;
    about["message"] = "not everybody sees this".into();
    Ok(endpoints::json(StatusCode::OK, &about))
}

fn about<B>(request: &Request<B>) -> Result<Value, Problem> {
    let session = session(request)?;
    Ok(json!({
        "user_id": session.subject().as_str(),
        "session_id": session.id().map(|id| id.to_string()),
        "roles": session.token().roles().collect::<Vec<_>>(),
        "expires_at": session.expires_at().to_string(),
    }))
}

fn dashboard<B>(request: &Request<B>) -> Result<Response, Problem> {
    session(request)?.require_role("admin")?;
    greeted(request)
}

fn session<B>(request: &Request<B>) -> Result<Session, Problem> {
    let session = request.extensions().get::<Session>().cloned();
    Ok(session.ok_or(Rejection::MissingToken)?)
}
