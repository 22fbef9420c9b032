//! The page of the audit log.

use http::request::Parts;
use http::{Request, StatusCode};

use super::audit_view::AuditView;
use super::form::parameter;
use super::{Instead, Pages, either, frame};
use crate::audit::KINDS;
use crate::endpoints::Response;
use crate::session::{AuditPage, AuditRequest, SessionError};
use crate::token::{SessionId, UserId};
use crate::verify::CustomClaims;

/// What an administrator looks for in the log.
#[derive(Default)]
pub(super) struct Wanted {
    /// As it was typed, which need not be a user.
    pub(super) user: String,
    pub(super) event: Option<&'static str>,
    pub(super) session: Option<SessionId>,
    cursor: Option<String>,
}

impl Wanted {
    fn of<B>(request: &Request<B>) -> Self {
        let event = parameter(request, "event");
        let known = |event: String| KINDS.iter().copied().find(|kind| *kind == event);
        Self {
            user: parameter(request, "user").unwrap_or_default(),
            event: event.and_then(known),
            session: parameter(request, "session").and_then(|session| session.parse().ok()),
            cursor: parameter(request, "cursor"),
        }
    }

    /// Whether later entries were passed over.
    pub(super) fn is_further_back(&self) -> bool {
        self.cursor.is_some()
    }

    /// `None` for a user that nobody can be.
    fn request(&self) -> Option<AuditRequest> {
        let user = match self.user.as_str() {
            "" => None,
            user => Some(UserId::new(user).ok()?),
        };
        let before = self.cursor.as_ref().and_then(|cursor| cursor.parse().ok());
        let request = AuditRequest::new(PAGE).about_user(user);
        Some(request.about_session(self.session).before(before))
    }
}

impl<C: CustomClaims> Pages<C> {
    /// `GET /admin/audit?user=&event=&session=&cursor=`: the [audit log](crate::audit), a hundred entries at a time, the
    /// last that was written first; of one user, one session or one kind of event where asked for. 403 without
    /// the role.
    pub async fn audit<B>(&self, request: Request<B>) -> Response {
        let wanted = Wanted::of(&request);
        let (request, _) = request.into_parts();
        either(self.audit_page(&request, wanted).await)
    }

    async fn audit_page(&self, request: &Parts, mut wanted: Wanted) -> Result<Response, Instead> {
        self.admin_session(request)?;
        let texts = self.texts(request);
        let (status, content) = match self.audited(&mut wanted).await {
            Ok(page) => {
                let view = AuditView {
                    texts,
                    page,
                    wanted,
                    typed: self.wanted_of_user(texts),
                    now: self.auth.clock().now(),
                };
                (StatusCode::OK, view.page())
            }
            Err(SessionError::NotFound) => {
                let told = frame::told(Some(&texts.no_audit_log));
                (StatusCode::NOT_FOUND, told)
            }
            Err(error) => {
                tracing::warn!(%error, "the audit log is not shown");
                let told = frame::told(Some(&texts.cannot_read));
                (StatusCode::SERVICE_UNAVAILABLE, told)
            }
        };
        Ok(self.framed(request, status, &texts.audit_log, content))
    }

    async fn audited(&self, wanted: &mut Wanted) -> Result<AuditPage, SessionError> {
        let user = self.meant(std::mem::take(&mut wanted.user)).await;
        wanted.user = user.map_err(SessionError::ClaimsSource)?;
        let Some(request) = wanted.request() else {
            return Ok(AuditPage::default());
        };
        let sessions = self.auth.sessions();
        match wanted.event {
            None => sessions.audit(request).await,
            Some(event) => sessions.audit_of(event, request).await,
        }
    }
}

const PAGE: usize = 100;
