//! What users do with their own sessions.

use http::request::Parts;
use http::{Request, StatusCode, Uri};
use http_body::Body;
use serde::Deserialize;
use serde_json::json;

use super::{Endpoints, Problem, Response, kept_session, query, reply, session_id};
use crate::error::BoxError;
use crate::rejection::Rejection;
use crate::revocation::EndReason;
use crate::session::{Session, SessionError};
use crate::token::SessionId;
use crate::verify::CustomClaims;

/// Which sessions a listing shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Shown {
    Ended,
    #[default]
    Live,
}

#[derive(Deserialize)]
struct Naming {
    // Told apart from a member that is missing: `null` takes the name away.
    #[serde(deserialize_with = "Option::deserialize")]
    name: Option<String>,
}

impl<C: CustomClaims> Endpoints<C> {
    /// `GET /sessions`: the user's live sessions, that of the request first; with `?state=ended`
    /// those that ended lately.
    pub async fn list_sessions<B>(&self, request: Request<B>) -> Response {
        let (request, _) = request.into_parts();
        reply::answer(self.listed(&request).await)
    }

    /// `DELETE /sessions/{id}`: ends one of the user's sessions. 204, also when it had ended
    /// before; 404 when there is none or it is another user's.
    pub async fn end_session<B>(&self, id: &str, request: Request<B>) -> Response {
        let (request, _) = request.into_parts();
        reply::answer(self.ended(id, &request).await)
    }

    /// `POST /sessions/revoke-all`: ends the user's sessions, all but that of the request unless
    /// `?keep_current=false` says otherwise, and answers how many.
    pub async fn end_sessions<B>(&self, request: Request<B>) -> Response {
        let (request, _) = request.into_parts();
        reply::answer(self.ended_all(&request).await)
    }

    /// `PATCH /sessions/{id}/name`: names one of the user's sessions, by `{"name"}` in the body or
    /// `?name=`, and answers the session.
    pub async fn rename_session<B>(&self, id: &str, request: Request<B>) -> Response
    where
        B: Body<Error: Into<BoxError>>,
    {
        reply::answer(self.renamed(id, request).await)
    }

    async fn listed(&self, request: &Parts) -> Result<Response, Problem> {
        let session = kept_session(request)?;
        let sessions = self.auth.sessions();
        let listed = match shown(&request.uri)? {
            Shown::Ended => sessions.list_ended(session.subject()).await?,
            Shown::Live => sessions.list(session.subject()).await?,
        };
        let seen = listed.into_iter().map(|info| info.seen_from(session.id()));
        let mut seen: Vec<_> = seen.collect();
        seen.sort_by_key(|info| !info.is_current);
        Ok(reply::json(StatusCode::OK, &seen))
    }

    async fn ended(&self, id: &str, request: &Parts) -> Result<Response, Problem> {
        let session = kept_session(request)?;
        let id = session_id(id)?;
        let reason = if session.id() == Some(id) {
            EndReason::SignedOut
        } else {
            EndReason::UserRevoked
        };
        let sessions = self.auth.sessions();
        let _done = sessions.end_own(session.subject(), id, reason).await?;
        Ok(reply::no_content())
    }

    async fn ended_all(&self, request: &Parts) -> Result<Response, Problem> {
        let session = kept_session(request)?;
        let keep = query::parsed(
            &request.uri,
            "keep_current",
            "keep_current is true or false",
        )?;
        let kept = keep.unwrap_or(true).then(|| kept(session)).transpose()?;
        let ending = self.auth.sessions().end_all(session.subject());
        let done = ending
            .except(kept)
            .because(EndReason::UserRevoked)
            .by(session.subject())
            .await
            .map_err(own_session_gone)?;
        Ok(reply::json(
            StatusCode::OK,
            &json!({ "revoked": done.count() }),
        ))
    }

    async fn renamed<B>(&self, id: &str, request: Request<B>) -> Result<Response, Problem>
    where
        B: Body<Error: Into<BoxError>>,
    {
        let (parts, body) = request.into_parts();
        let session = kept_session(&parts)?.clone();
        let id = session_id(id)?;
        let name = match query::parameter(&parts.uri, "name") {
            Some(name) => Some(name.into_owned()),
            None => {
                let request = Request::from_parts(parts, body);
                super::read_json_within::<Naming, _>(self.auth.body_timeout(), request)
                    .await?
                    .name
            }
        };
        let sessions = self.auth.sessions();
        let renamed = sessions
            .rename(session.subject(), id, name.as_deref())
            .await?;
        Ok(reply::json(
            StatusCode::OK,
            &renamed.seen_from(session.id()),
        ))
    }
}

fn shown(uri: &Uri) -> Result<Shown, Problem> {
    match query::parameter(uri, "state").as_deref() {
        None => Ok(Shown::default()),
        Some("ended") => Ok(Shown::Ended),
        Some("live") => Ok(Shown::Live),
        Some(_) => Err(Problem::invalid_input("state is live or ended")),
    }
}

fn kept<C>(session: &Session<C>) -> Result<SessionId, Problem> {
    session
        .id()
        .ok_or_else(|| Problem::invalid_input("the token names no session that could be kept"))
}

/// The session that was to be kept is that of the request: it ended while the request was on its
/// way.
fn own_session_gone(error: SessionError) -> Problem {
    match error {
        SessionError::NotFound => Rejection::TokenRevoked { reason: None }.into(),
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_sessions_are_shown_unless_ended_ones_are_asked_for() {
        let read = |uri: &str| shown(&uri.parse().unwrap());
        assert_eq!(read("/sessions"), Ok(Shown::Live));
        assert_eq!(read("/sessions?state=live"), Ok(Shown::Live));
        assert_eq!(read("/sessions?state=ended"), Ok(Shown::Ended));
        assert_eq!(read("/sessions?state=").unwrap_err().status(), 422);
    }

    #[test]
    fn a_name_may_be_taken_away_but_not_be_missing() {
        let read = |body: &str| serde_json::from_str::<Naming>(body).map(|naming| naming.name);
        assert_eq!(read(r#"{"name":"Work"}"#).unwrap().as_deref(), Some("Work"));
        assert_eq!(read(r#"{"name":null}"#).unwrap(), None);
        assert!(read("{}").is_err());
    }

    #[test]
    fn a_user_whose_own_session_has_just_ended_is_told_so() {
        assert_eq!(
            own_session_gone(SessionError::NotFound).code(),
            "token_revoked"
        );
        assert_eq!(own_session_gone(SessionError::LimitReached).status(), 409);
    }
}
