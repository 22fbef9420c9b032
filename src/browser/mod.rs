//! Pages over the verbs, and a token manager for browsers: "your devices" for everybody, an
//! overview for administrators.
//!
//! [`Pages`] holds the handlers, over the types of `http` like the
//! [endpoints](crate::endpoints). They expect the [`Session`] of a layer that lets anonymous
//! requests pass ([`Anonymous::Allow`](crate::middleware::Anonymous::Allow)), and lead those who
//! have none to the sign-in page. As a browser can send nothing but cookies with a page, sessions
//! are those of the transport `cookie`; the layer refuses cookies that come with a form of another
//! site.
//!
//! | call | method |
//! |---|---|
//! | `GET /devices` | [`devices`](Pages::devices) |
//! | `POST /devices/{id}/end`, `/devices/{id}/name`, `/devices/end-others` | [`end_device`](Pages::end_device), [`name_device`](Pages::name_device), [`end_other_devices`](Pages::end_other_devices) |
//! | `POST /sign-out` | [`sign_out`](Pages::sign_out) |
//! | `GET /admin`, `/admin/audit` | [`admin`](Pages::admin), [`audit`](Pages::audit) |
//! | `POST /admin/sessions/{id}/end`, `/admin/users/{user}/end-all` | [`admin_end`](Pages::admin_end), [`admin_end_all`](Pages::admin_end_all) |
//! | `GET /api/admin/stats`, `/api/admin/events` | [`admin_stats`](Pages::admin_stats), [`admin_events`](Pages::admin_events) |
//! | `GET /token-manager.js`, `/pages.js`, `/pages.css` | [`asset`](Pages::asset) |
//!
//! The pages work without scripts, and under the policy that they send along
//! (`Content-Security-Policy`) nothing that somebody smuggled in would run. Their colours are custom
//! properties (`--page`, `--card`, `--ink`, `--muted`, `--line`, `--accent`, `--danger`), which a
//! [stylesheet](Pages::with_stylesheet) sets, their words [`Texts`].

mod admin;
mod admin_view;
mod assets;
mod audit;
mod audit_view;
mod census;
mod charts;
mod device_list;
mod devices;
mod feed;
mod fleet;
mod form;
mod frame;
mod markup;
mod search;
mod statistics;
mod texts;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::LOCATION;
use http::request::Parts;
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::Full;

pub use feed::EventFeed;
pub use texts::Texts;

use census::Census;
use fleet::FleetCounts;
use search::UserSearch;

use crate::endpoints::{Problem, Response, Streams};
use crate::events::Statistics;
use crate::jwt_session::JwtSession;
use crate::session::{Population, Session};
use crate::verify::{CustomClaims, NoClaims};

/// The handlers of the pages. Cloning is cheap.
pub struct Pages<C = NoClaims> {
    auth: JwtSession<C>,
    settings: Arc<Settings>,
    census: Census<Population>,
    fleet: Census<FleetCounts>,
    feeds: Streams,
}

#[derive(Clone)]
struct Settings {
    admin_role: String,
    search: Option<UserSearch>,
    sign_in: String,
    statistics: Statistics,
    stylesheet: Option<String>,
    texts: Vec<Texts>,
}

impl<C: CustomClaims> Pages<C> {
    /// The pages over the verbs of `auth`.
    #[must_use]
    pub fn new(auth: JwtSession<C>) -> Self {
        let settings = Settings {
            admin_role: "admin".to_owned(),
            search: None,
            sign_in: "/sign-in".to_owned(),
            statistics: Statistics::default(),
            stylesheet: None,
            texts: vec![Texts::english(), Texts::german()],
        };
        Self {
            auth,
            settings: Arc::new(settings),
            census: Census::new(FRESH),
            fleet: Census::new(fleet::FRESH),
            feeds: Streams::default(),
        }
    }

    /// Sets the role that sees the page of administrators. Defaults to `admin`.
    #[must_use]
    pub fn with_admin_role(self, role: impl Into<String>) -> Self {
        self.with(|settings| settings.admin_role = role.into())
    }

    /// Sets the path of the sign-in page, which is the application's. Defaults to `/sign-in`; the
    /// page that was asked for goes along as `?next=`.
    #[must_use]
    pub fn with_sign_in(self, path: impl Into<String>) -> Self {
        self.with(|settings| settings.sign_in = path.into())
    }

    /// Sets what administrators are shown; it has to be among the observers of `auth`. Without it
    /// all counts are zero.
    #[must_use]
    pub fn with_statistics(self, statistics: Statistics) -> Self {
        self.with(|settings| settings.statistics = statistics)
    }

    /// Links a stylesheet of the application after the one of the pages, to set their colours in.
    /// It is a path on the origin of the pages, whose policy lets in no other; one that does not
    /// begin with a single `/` is left out, and the log says so.
    ///
    /// # Examples
    ///
    /// ```css
    /// /* theme.css, which the application serves as text/css */
    /// :root { --accent: #7a1fa2; --page: #fff7f0 }
    /// @media (prefers-color-scheme: dark) { :root { --accent: #e0a3ff; --page: #17120f } }
    /// ```
    ///
    /// ```
    /// use tower_jwt_session::JwtSession;
    /// use tower_jwt_session::browser::Pages;
    ///
    /// fn pages(auth: &JwtSession) -> Pages {
    ///     Pages::new(auth.clone()).with_stylesheet("/theme.css")
    /// }
    /// ```
    #[must_use]
    pub fn with_stylesheet(self, path: impl Into<String>) -> Self {
        let path = path.into();
        let here = path.starts_with('/') && !path.starts_with("//") && !path.contains('\\');
        if !here {
            tracing::warn!(path, "not a path of this origin: the pages go without it");
        }
        self.with(|settings| settings.stylesheet = here.then_some(path))
    }

    /// Sets the languages of the pages; readers get the first that their browser asks for, else
    /// the first of all. Defaults to English and German.
    #[must_use]
    pub fn with_texts(self, texts: Vec<Texts>) -> Self {
        self.with(|settings| {
            if !texts.is_empty() {
                settings.texts = texts;
            }
        })
    }

    /// The language that a request is answered in, as its [`Texts`] name it: for what the
    /// application puts into a [page](Self::page) of its own.
    #[must_use]
    pub fn language(&self, request: &Parts) -> &str {
        &self.texts(request).language
    }

    /// The verbs that the pages work on.
    #[must_use]
    pub fn auth(&self) -> &JwtSession<C> {
        &self.auth
    }

    /// `GET /token-manager.js`, `/pages.js` and `/pages.css`: compressed beforehand, with a strong
    /// entity tag each. 404 for any other path.
    pub fn asset<B>(&self, request: Request<B>) -> Response {
        let asset = match request.uri().path() {
            "/token-manager.js" => &assets::TOKEN_MANAGER,
            "/pages.js" => &assets::SCRIPT,
            "/pages.css" => &assets::STYLE,
            _ => return Problem::not_found().into_response(),
        };
        asset.response(request.uri().query(), request.headers())
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }

    fn texts(&self, request: &Parts) -> &Texts {
        frame::chosen(&self.settings.texts, &request.headers)
    }

    /// The session of the request, or the way to the sign-in page.
    fn session<'r>(&self, request: &'r Parts) -> Result<&'r Session, Instead> {
        let session = request.extensions.get::<Session>();
        // Only sessions that are kept here have devices.
        let kept = session.filter(|session| session.token().facts().is_tracked());
        kept.ok_or_else(|| {
            // A deed cannot be asked for again by a link, so its page is.
            let next = match (&request.method, request.uri.path()) {
                (&Method::GET, path) => path,
                (_, path) if path.starts_with("/admin") => "/admin",
                _ => "/devices",
            };
            let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
            see_other(&format!("{}?next={next}", self.settings.sign_in)).into()
        })
    }

    fn admin_session<'r>(&self, request: &'r Parts) -> Result<&'r Session, Instead> {
        let session = self.session(request)?;
        match session.require_role(&self.settings.admin_role) {
            Ok(()) => Ok(session),
            Err(rejection) => Err(Problem::from(rejection).into()),
        }
    }
}

impl<C> Clone for Pages<C> {
    fn clone(&self) -> Self {
        Self {
            auth: self.auth.clone(),
            settings: self.settings.clone(),
            census: self.census.clone(),
            fleet: self.fleet.clone(),
            feeds: self.feeds.clone(),
        }
    }
}

impl<C> fmt::Debug for Pages<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("admin_role", &self.settings.admin_role)
            .field("sign_in", &self.settings.sign_in)
            .finish_non_exhaustive()
    }
}

/// The answer to a form (RFC 9110, section 15.4.4), so that loading again sends nothing again.
fn see_other(location: &str) -> Response {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let no_store = HeaderValue::from_static("no-store");
    let headers = response.headers_mut();
    headers.insert(http::header::CACHE_CONTROL, no_store);
    let location = HeaderValue::try_from(location);
    headers.insert(LOCATION, location.unwrap_or(HeaderValue::from_static("/")));
    response
}

/// What is answered instead of what was asked for.
struct Instead(Box<Response>);

impl From<Response> for Instead {
    fn from(response: Response) -> Self {
        Self(Box::new(response))
    }
}

impl From<Problem> for Instead {
    fn from(problem: Problem) -> Self {
        problem.into_response().into()
    }
}

/// How long a count of all sessions is good for.
const FRESH: Duration = Duration::from_secs(5);

fn either(result: Result<Response, Instead>) -> Response {
    result.unwrap_or_else(|instead| *instead.0)
}
