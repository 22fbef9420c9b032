//! What administrators do with everybody's sessions.

use http::request::Parts;
use http::{Request, StatusCode, Uri};
use serde_json::json;

use super::{Endpoints, Problem, Response, query, reply, session_id, user_id};
use crate::revocation::EndReason;
use crate::token::{SessionId, UserId};
use crate::verify::CustomClaims;

/// The page that an administrator asks for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    user: Option<UserId>,
    cursor: Option<SessionId>,
    limit: usize,
}

impl<C: CustomClaims> Endpoints<C> {
    /// `GET /api/admin/sessions?user=&cursor=&limit=`: a page over all live sessions, oldest first:
    /// `{"sessions", "next_cursor"}`, the latter `null` on the last page.
    pub async fn admin_list<B>(&self, request: Request<B>) -> Response {
        let (request, _) = request.into_parts();
        reply::answer(self.page(&request).await)
    }

    /// `DELETE /api/admin/sessions/{id}`: ends one session, whosever it is.
    pub async fn admin_end<B>(&self, id: &str, request: Request<B>) -> Response {
        let (request, _) = request.into_parts();
        reply::answer(self.ended_as_admin(id, &request).await)
    }

    /// `POST /api/admin/users/{user}/revoke-all`: ends all sessions of a user.
    pub async fn admin_end_all<B>(&self, user: &str, request: Request<B>) -> Response {
        let (request, _) = request.into_parts();
        reply::answer(self.ended_all_as_admin(user, &request).await)
    }

    /// `DELETE /api/admin/users/{user}/sessions`: ends all sessions of a user and erases their
    /// history, as data protection may ask.
    pub async fn admin_erase<B>(&self, user: &str, request: Request<B>) -> Response {
        let (request, _) = request.into_parts();
        reply::answer(self.erased(user, &request).await)
    }

    async fn page(&self, request: &Parts) -> Result<Response, Problem> {
        let admin = self.admin(request)?;
        let asked = asked(&request.uri)?;
        let sessions = self.auth.sessions();
        let (page, next) = sessions
            .page(asked.user.as_ref(), asked.cursor, asked.limit)
            .await?;
        let page = page.into_iter().map(|info| info.seen_from(admin.id()));
        let answer = json!({
            "sessions": page.collect::<Vec<_>>(),
            "next_cursor": next.map(|id| id.to_string()),
        });
        Ok(reply::json(StatusCode::OK, &answer))
    }

    async fn ended_as_admin(&self, id: &str, request: &Parts) -> Result<Response, Problem> {
        let admin = self.admin(request)?;
        let id = session_id(id)?;
        let sessions = self.auth.sessions();
        let _done = sessions.end_as_admin(id, admin.subject()).await?;
        Ok(reply::no_content())
    }

    async fn ended_all_as_admin(&self, user: &str, request: &Parts) -> Result<Response, Problem> {
        let admin = self.admin(request)?;
        let ending = self.auth.sessions().end_all(&user_id(user)?);
        let done = ending
            .because(EndReason::AdminRevoked)
            .by(admin.subject())
            .await?;
        Ok(reply::json(
            StatusCode::OK,
            &json!({ "revoked": done.count() }),
        ))
    }

    async fn erased(&self, user: &str, request: &Parts) -> Result<Response, Problem> {
        self.admin(request)?;
        let _done = self.auth.sessions().erase(&user_id(user)?).await?;
        Ok(reply::no_content())
    }
}

fn asked(uri: &Uri) -> Result<Asked, Problem> {
    let user = query::parameter(uri, "user").filter(|user| !user.is_empty());
    let user = user.map(|user| user_id(&user)).transpose()?;
    let cursor = query::parameter(uri, "cursor").filter(|cursor| !cursor.is_empty());
    let cursor = cursor
        .map(|cursor| cursor.parse())
        .transpose()
        .map_err(|_| Problem::invalid_input("cursor is what the last page called next_cursor"))?;
    let limit: Option<usize> = query::parsed(uri, "limit", "limit is a number")?;
    Ok(Asked {
        user,
        cursor,
        limit: limit.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE),
    })
}

const DEFAULT_PAGE: usize = 50;
const MAX_PAGE: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Asked, u16> {
        let uri = format!("/api/admin/sessions?{query}").parse().unwrap();
        asked(&uri).map_err(|problem| problem.status().as_u16())
    }

    #[test]
    fn a_page_is_bounded_whatever_is_asked_for() {
        assert_eq!(read("").unwrap().limit, DEFAULT_PAGE);
        assert_eq!(read("limit=7").unwrap().limit, 7);
        assert_eq!(read("limit=0").unwrap().limit, 1);
        assert_eq!(read("limit=1000000").unwrap().limit, MAX_PAGE);
        assert_eq!(read("limit=-1"), Err(422));
        assert_eq!(read("limit=many"), Err(422));
    }

    #[test]
    fn an_empty_parameter_is_none() {
        let asked = read("user=&cursor=").unwrap();
        assert_eq!((asked.user, asked.cursor), (None, None));
        let asked = read("user=ada%40example.com").unwrap();
        assert_eq!(asked.user.unwrap().as_str(), "ada@example.com");
        assert_eq!(read("cursor=x"), Err(422));
        assert_eq!(read("user=%00"), Err(422));
    }
}
