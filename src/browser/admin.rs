//! The page of administrators, and what its forms do.

use http::request::Parts;
use http::{Request, StatusCode};
use http_body::Body;

use super::admin_view::AdminView;
use super::devices::Done;
use super::form::{Form, parameter};
use super::{Instead, Pages, either, frame, see_other};
use crate::endpoints::{Problem, Response};
use crate::error::BoxError;
use crate::revocation::EndReason;
use crate::session::{SessionError, SessionInfo};
use crate::token::{SessionId, UserId};
use crate::verify::CustomClaims;

/// What an administrator asks the page for.
struct Asked {
    user: Option<String>,
    cursor: Option<SessionId>,
    window: Option<String>,
    done: Done,
}

impl<C: CustomClaims> Pages<C> {
    /// `GET /admin?user=&cursor=&window=`: counts over time, what happened lately, and the live
    /// sessions by the hundred, of one user where asked for. 403 without the role.
    pub async fn admin<B>(&self, request: Request<B>) -> Response {
        let asked = Asked {
            user: parameter(&request, "user").filter(|user| !user.is_empty()),
            cursor: parameter(&request, "cursor").and_then(|cursor| cursor.parse().ok()),
            window: parameter(&request, "window"),
            done: Done::of(&request),
        };
        let (request, _) = request.into_parts();
        either(self.admin_page(&request, asked).await)
    }

    /// `POST /admin/sessions/{id}/end` with the field `reason`: ends one session.
    pub async fn admin_end<B>(&self, id: &str, request: Request<B>) -> Response
    where
        B: Body<Error: Into<BoxError>>,
    {
        let (request, body) = request.into_parts();
        either(self.ended_by_admin(id, &request, body).await)
    }

    /// `POST /admin/users/{user}/end-all` with the field `reason`: ends all sessions of a user.
    pub async fn admin_end_all<B>(&self, user: &str, request: Request<B>) -> Response
    where
        B: Body<Error: Into<BoxError>>,
    {
        let (request, body) = request.into_parts();
        either(self.all_ended_by_admin(user, &request, body).await)
    }

    async fn admin_page(&self, request: &Parts, mut asked: Asked) -> Result<Response, Instead> {
        self.admin_session(request)?;
        let texts = self.texts(request);
        let minutes = super::statistics::window(asked.window.as_deref()).unwrap_or(60);
        let counts = self.counted(minutes);
        let events = self.settings.statistics.events_after(0);
        let live = self.population().await;
        let fleet = self.of_fleet().await;
        let (status, content) = match self.session_page(&mut asked).await {
            Ok((sessions, next)) => {
                let view = AdminView {
                    texts,
                    live,
                    level: self.auth.audit_level(),
                    fleet,
                    counts,
                    events,
                    sessions,
                    next,
                    user: asked.user,
                    typed: self.wanted_of_user(texts),
                    now: self.auth.clock().now(),
                };
                (StatusCode::OK, view.page(asked.done.told(texts)))
            }
            Err(error) => {
                tracing::warn!(%error, "sessions not listed");
                let told = frame::told(Some(&texts.cannot_read));
                (StatusCode::SERVICE_UNAVAILABLE, told)
            }
        };
        Ok(self.framed(request, status, &texts.admin, content))
    }

    async fn session_page(
        &self,
        asked: &mut Asked,
    ) -> Result<(Vec<SessionInfo>, Option<SessionId>), SessionError> {
        if let Some(typed) = asked.user.take() {
            let user = self.meant(typed).await;
            asked.user = Some(user.map_err(SessionError::ClaimsSource)?);
        }
        let user = match asked.user.as_deref().map(UserId::new) {
            None => None,
            Some(Ok(user)) => Some(user),
            // What cannot be an id is nobody's.
            Some(Err(_)) => return Ok((Vec::new(), None)),
        };
        let sessions = self.auth.sessions();
        sessions.page(user.as_ref(), asked.cursor, PAGE).await
    }

    async fn ended_by_admin<B>(
        &self,
        id: &str,
        request: &Parts,
        body: B,
    ) -> Result<Response, Instead>
    where
        B: Body<Error: Into<BoxError>>,
    {
        let form = Form::read(&request.headers, body, self.auth().body_timeout()).await?;
        let admin = self.admin_session(request)?;
        let id = id.parse().map_err(|_| Problem::not_found())?;
        let sessions = self.auth.sessions();
        let ended = sessions
            .end_as_admin_because(id, admin.subject(), reason(&form))
            .await;
        let done = match ended {
            Ok(_) | Err(SessionError::NotFound) => "end",
            Err(error) => failed(&error),
        };
        let user = form.value("user").unwrap_or_default();
        Ok(back(&user, done))
    }

    async fn all_ended_by_admin<B>(
        &self,
        user: &str,
        request: &Parts,
        body: B,
    ) -> Result<Response, Instead>
    where
        B: Body<Error: Into<BoxError>>,
    {
        let form = Form::read(&request.headers, body, self.auth().body_timeout()).await?;
        let admin = self.admin_session(request)?;
        let id = UserId::new(user).map_err(|_| Problem::not_found())?;
        let ending = self.auth.sessions().end_all(&id);
        let ended = ending.because(reason(&form)).by(admin.subject()).await;
        let done = match ended {
            Ok(done) => format!("all&count={}", done.count()),
            Err(error) => failed(&error).to_owned(),
        };
        Ok(back(user, &done))
    }
}

/// Reasons that an administrator may give.
pub(super) const REASONS: [EndReason; 3] = [
    EndReason::AdminRevoked,
    EndReason::PasswordChanged,
    EndReason::UserRemoved,
];

fn reason(form: &Form) -> EndReason {
    let given = form.value("reason").unwrap_or_default();
    let known = REASONS.into_iter().find(|reason| reason.as_str() == given);
    known.unwrap_or(EndReason::AdminRevoked)
}

fn back(user: &str, done: &str) -> Response {
    let user: String = form_urlencoded::byte_serialize(user.as_bytes()).collect();
    see_other(&format!("/admin?user={user}&done={done}"))
}

fn failed(error: &SessionError) -> &'static str {
    tracing::warn!(
        error = error as &dyn std::error::Error,
        "form not carried out"
    );
    "failed"
}

const PAGE: usize = 100;
