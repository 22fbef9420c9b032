//! "Your devices": the page, and what its forms do.

use http::request::Parts;
use http::{Request, StatusCode};
use http_body::Body;

use super::device_list::{DeviceList, NEW};
use super::form::{Form, parameter};
use super::texts::counted;
use super::{Instead, Pages, Texts, either, frame, see_other};
use crate::endpoints::{Endpoints, Response};
use crate::error::BoxError;
use crate::revocation::EndReason;
use crate::session::{Session, SessionError};
use crate::verify::CustomClaims;

impl<C: CustomClaims> Pages<C> {
    /// `GET /devices`: where the user is signed in, this device first, and what ended lately.
    pub async fn devices<B>(&self, request: Request<B>) -> Response {
        let done = Done::of(&request);
        let (request, _) = request.into_parts();
        either(self.device_page(&request, done).await)
    }

    /// `POST /devices/{id}/end`: ends one of the user's sessions.
    pub async fn end_device<B>(&self, id: &str, request: Request<B>) -> Response {
        let (request, _) = request.into_parts();
        either(self.device_ended(id, &request).await)
    }

    /// `POST /devices/{id}/name` with the field `name`: names one of the user's sessions; an empty
    /// name takes it away.
    pub async fn name_device<B>(&self, id: &str, request: Request<B>) -> Response
    where
        B: Body<Error: Into<BoxError>>,
    {
        let (request, body) = request.into_parts();
        either(self.device_named(id, &request, body).await)
    }

    /// `POST /devices/end-others`: ends all of the user's sessions but this one.
    pub async fn end_other_devices<B>(&self, request: Request<B>) -> Response {
        let (request, _) = request.into_parts();
        either(self.others_ended(&request).await)
    }

    /// `POST /sign-out`: ends this session, takes the cookies back and leads to the sign-in page.
    pub async fn sign_out<B>(&self, request: Request<B>) -> Response
    where
        B: Body<Error: Into<BoxError>>,
    {
        let endpoints = Endpoints::new(self.auth.clone());
        let ended = endpoints.sign_out(request).await;
        // Without a session there is nothing to sign out of.
        if !ended.status().is_success() && ended.status() != StatusCode::UNAUTHORIZED {
            return ended;
        }
        let mut response = see_other(&self.settings.sign_in);
        for cookie in ended.headers().get_all(http::header::SET_COOKIE) {
            let headers = response.headers_mut();
            headers.append(http::header::SET_COOKIE, cookie.clone());
        }
        response
    }

    async fn device_page(&self, request: &Parts, done: Done) -> Result<Response, Instead> {
        let session = self.session(request)?;
        let texts = self.texts(request);
        let (status, content) = match self.device_list(session).await {
            Ok(list) => (StatusCode::OK, list.view(texts, done.told(texts))),
            Err(error) => {
                tracing::warn!(%error, "devices not listed");
                let told = frame::told(Some(&texts.cannot_read));
                (StatusCode::SERVICE_UNAVAILABLE, told)
            }
        };
        Ok(self.framed(request, status, &texts.your_devices, content))
    }

    async fn device_list(&self, session: &Session) -> Result<DeviceList, SessionError> {
        let sessions = self.auth.sessions();
        let now = self.auth.clock().now();
        let devices = sessions.devices(session.subject(), now - NEW).await?;
        Ok(DeviceList::new(devices, session.id(), now))
    }

    async fn device_ended(&self, id: &str, request: &Parts) -> Result<Response, Instead> {
        let session = self.session(request)?;
        let Ok(id) = id.parse() else {
            return Ok(see_other("/devices"));
        };
        let own = session.id() == Some(id);
        let reason = if own {
            EndReason::SignedOut
        } else {
            EndReason::UserRevoked
        };
        let sessions = self.auth.sessions();
        let ended = sessions.end_own(session.subject(), id, reason).await;
        Ok(match ended {
            Ok(_) if own => see_other(&self.settings.sign_in),
            // What is not there any more needs no ending.
            Ok(_) | Err(SessionError::NotFound) => see_other("/devices?done=end"),
            Err(error) => failed(&error),
        })
    }

    async fn device_named<B>(&self, id: &str, request: &Parts, body: B) -> Result<Response, Instead>
    where
        B: Body<Error: Into<BoxError>>,
    {
        let form = Form::read(&request.headers, body, self.auth().body_timeout()).await?;
        let session = self.session(request)?;
        let Ok(id) = id.parse() else {
            return Ok(see_other("/devices"));
        };
        let name = form.value("name").filter(|name| !name.trim().is_empty());
        let name = name.as_deref().map(str::trim);
        let sessions = self.auth.sessions();
        Ok(match sessions.rename(session.subject(), id, name).await {
            Ok(_) => see_other("/devices?done=name"),
            Err(SessionError::InvalidInput { .. }) => see_other("/devices?done=no-name"),
            Err(error) => failed(&error),
        })
    }

    async fn others_ended(&self, request: &Parts) -> Result<Response, Instead> {
        let session = self.session(request)?;
        let ended = self
            .auth
            .sessions()
            .end_all(session.subject())
            .except(session.id())
            .because(EndReason::UserRevoked)
            .by(session.subject())
            .await;
        Ok(match ended {
            Ok(done) => see_other(&format!("/devices?done=all&count={}", done.count())),
            Err(error) => failed(&error),
        })
    }
}

/// What the page was led to after, from its address: nothing of it but numbers is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    Ended,
    EndedAll(u64),
    Failed,
    Named,
    NotNamed,
    Nothing,
}

impl Done {
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        let count = || parameter(request, "count")?.parse().ok();
        match parameter(request, "done").as_deref() {
            Some("all") => count().map_or(Self::Nothing, Self::EndedAll),
            Some("end") => Self::Ended,
            Some("failed") => Self::Failed,
            Some("name") => Self::Named,
            Some("no-name") => Self::NotNamed,
            _ => Self::Nothing,
        }
    }

    pub(super) fn told(self, texts: &Texts) -> Option<String> {
        let not_done = |why: &str| Some(texts.not_done.replace("{why}", why));
        match self {
            Self::Ended => Some(texts.done_end.to_string()),
            Self::EndedAll(count) => Some(counted(count, &texts.done_all_one, &texts.done_all)),
            Self::Failed => not_done(&texts.cannot_read),
            Self::Named => Some(texts.done_name.to_string()),
            Self::NotNamed => not_done(&texts.name_hint),
            Self::Nothing => None,
        }
    }
}

fn failed(error: &SessionError) -> Response {
    tracing::warn!(
        error = error as &dyn std::error::Error,
        "form not carried out"
    );
    see_other("/devices?done=failed")
}
