//! What administrators read of the audit log.

use std::borrow::Cow;

use http::request::Parts;
use http::{Request, StatusCode, Uri};
use serde_json::{Value, json};

use super::{Endpoints, Problem, Response, query, reply, user_id};
use crate::audit::KINDS;
use crate::session::{AuditEntry, AuditRequest};
use crate::token::SessionId;
use crate::verify::CustomClaims;

impl<C: CustomClaims> Endpoints<C> {
    /// `GET /api/admin/audit?user=&session=&event=&cursor=&limit=`: a page of the [audit log](crate::audit), the last entry that was
    /// written first: `{"entries", "next_cursor"}`, the latter `null` on the last page. A page
    /// may hold fewer than `limit`, even none, and not be the last. 404 where no log is kept.
    pub async fn admin_audit<B>(&self, request: Request<B>) -> Response {
        let (request, _) = request.into_parts();
        reply::answer(self.audited(&request).await)
    }

    async fn audited(&self, request: &Parts) -> Result<Response, Problem> {
        self.admin(request)?;
        let asked = asked(&request.uri)?;
        let sessions = self.auth.sessions();
        let page = match kind(&request.uri)? {
            None => sessions.audit(asked).await?,
            Some(kind) => sessions.audit_of(&kind, asked).await?,
        };
        let answer = json!({
            "entries": page.entries.iter().map(shown).collect::<Vec<_>>(),
            "next_cursor": page.next.map(|cursor| cursor.to_string()),
        });
        Ok(reply::json(StatusCode::OK, &answer))
    }
}

fn shown(entry: &AuditEntry) -> Value {
    json!({
        "id": entry.id.to_string(),
        "at": entry.at.to_string(),
        "node": entry.node.to_string(),
        "event": entry.event,
        "user_id": entry.user,
        "session_id": entry.session.map(|session| session.to_string()),
        "by": entry.by,
        "reason": entry.reason,
        "ip_address": entry.address,
        "device": entry.device,
    })
}

fn kind(uri: &Uri) -> Result<Option<Cow<'_, str>>, Problem> {
    let kind = query::parameter(uri, "event").filter(|kind| !kind.is_empty());
    match kind {
        Some(kind) if !KINDS.contains(&&*kind) => {
            Err(Problem::invalid_input("event is the name of one"))
        }
        kind => Ok(kind),
    }
}

fn asked(uri: &Uri) -> Result<AuditRequest, Problem> {
    let given = |name| query::parameter(uri, name).filter(|value| !value.is_empty());
    let user = given("user").map(|user| user_id(&user)).transpose()?;
    let session: Option<SessionId> = given("session")
        .map(|session| session.parse())
        .transpose()
        .map_err(|_| Problem::invalid_input("session is the id of one"))?;
    let cursor = given("cursor")
        .map(|cursor| cursor.parse())
        .transpose()
        .map_err(|_| Problem::invalid_input("cursor is what the last page called next_cursor"))?;
    let limit: Option<usize> = query::parsed(uri, "limit", "limit is a number")?;
    let request = AuditRequest::new(limit.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE));
    Ok(request
        .about_user(user)
        .about_session(session)
        .before(cursor))
}

const DEFAULT_PAGE: usize = 50;
const MAX_PAGE: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<AuditRequest, u16> {
        let uri = format!("/api/admin/audit?{query}").parse().unwrap();
        asked(&uri).map_err(|problem| problem.status().as_u16())
    }

    #[test]
    fn a_page_is_bounded_whatever_is_asked_for() {
        assert_eq!(read("").unwrap(), AuditRequest::new(DEFAULT_PAGE));
        assert_eq!(read("limit=0").unwrap().limit, 1);
        assert_eq!(read("limit=1000000").unwrap().limit, MAX_PAGE);
        assert_eq!(read("limit=-1"), Err(422));
    }

    #[test]
    fn an_empty_parameter_is_none_and_one_that_is_none_is_refused() {
        let empty = read("user=&session=&cursor=").unwrap();
        assert_eq!(empty, AuditRequest::new(DEFAULT_PAGE));
        for bad in [
            "user=%00",
            "session=7",
            "cursor=x",
            "cursor=1-2",
            "limit=many",
        ] {
            assert_eq!(read(bad), Err(422), "{bad}");
        }
        let event = |query: &str| {
            kind(&query.parse().unwrap())
                .map(|kind| kind.is_some())
                .ok()
        };
        assert_eq!(event("/?event=signed_in"), Some(true));
        assert_eq!(event("/?event="), Some(false));
        assert_eq!(event("/?event=signed"), None);
        let asked = read("user=ada%40example.com&cursor=3-0-1").unwrap();
        assert_eq!(asked.user.unwrap().as_str(), "ada@example.com");
        assert_eq!(asked.before.unwrap().to_string(), "3-0-1");
    }
}
