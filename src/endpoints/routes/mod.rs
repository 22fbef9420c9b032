//! The calls as one service, for every framework.

mod around;
mod bound;
mod path;
mod table;

use std::sync::Arc;

use http::{Method, Request};

pub use around::WithEndpoints;
pub(crate) use bound::Bound;
pub use table::{Access, Group, Route, routes};

use super::{Endpoints, RequestBody, ResponseBody, another_method};
use crate::verify::CustomClaims;

use table::Answer;

/// The calls that somebody mounted.
#[derive(Clone)]
pub(super) struct Calls {
    bound: Arc<[Bound]>,
}

/// Who answers a request.
enum Found<'c> {
    Call(&'c Bound),
    /// There is something here for other methods; any of them, and how they are listed.
    OtherMethods(&'c Bound, String),
    Nobody,
}

impl<C: CustomClaims> Endpoints<C> {
    /// Sets which calls [`around`](Self::around) and the routers answer. Defaults to
    /// [`Group::DEFAULT`].
    #[must_use]
    pub fn with_groups(mut self, groups: impl IntoIterator<Item = Group>) -> Self {
        self.groups = groups.into_iter().collect();
        self
    }

    /// Answers the calls, and gives everything else to `inner`: for frameworks that have no router
    /// of their own that could be extended, and for none at all.
    ///
    /// It goes outside of the application's own layer: whoever has to refresh has no good token.
    /// Its refusals say where the metadata is, where that is among the calls; those of the
    /// application's layers do by [`responses`](Self::responses).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::convert::Infallible;
    ///
    /// use http::{Request, StatusCode};
    /// use tower::{Layer, service_fn};
    /// use tower_jwt_session::endpoints::{self, Endpoints, RequestBody, Response};
    /// use tower_jwt_session::{JwtSession, Session};
    ///
    /// async fn hello(request: Request<RequestBody>) -> Result<Response, Infallible> {
    ///     let name = request.extensions().get::<Session>().map(Session::subject).cloned();
    ///     Ok(endpoints::json(StatusCode::OK, &name))
    /// }
    ///
    /// # fn build(auth: JwtSession) {
    /// let protected = auth.layer().layer(service_fn(hello));
    /// let service = Endpoints::new(auth).around(protected);
    /// # let _ = service;
    /// # }
    /// ```
    pub fn around<S>(&self, inner: S) -> WithEndpoints<S> {
        WithEndpoints::new(self.calls(), inner)
    }

    /// The calls of these groups, each with what it stands behind.
    pub(crate) fn bound(&self) -> Vec<Bound> {
        table::table::<C>()
            .into_iter()
            .filter(|(route, _)| self.groups.contains(&route.group))
            .map(|(route, handler)| Bound::new(self, route, handler))
            .collect()
    }

    fn calls(&self) -> Calls {
        Calls {
            bound: self.bound().into(),
        }
    }
}

impl Calls {
    fn find(&self, method: &Method, path: &str) -> Found<'_> {
        let matching = |bound: &Bound| path::matched(bound.route.path, path);
        let Some(best) = self.bound.iter().filter_map(matching).max() else {
            return Found::Nobody;
        };
        let here: Vec<_> = self
            .bound
            .iter()
            .filter(|bound| matching(bound) == Some(best))
            .collect();
        match here.iter().find(|bound| bound.is_for(method)) {
            Some(bound) => Found::Call(bound),
            None => Found::OtherMethods(here[0], allowed(&here)),
        }
    }

    /// The answer, or the request back where nobody here has one.
    async fn answer(&self, request: Request<RequestBody>) -> Result<Answer, Request<RequestBody>> {
        let found = self.find(request.method(), request.uri().path());
        let head = request.method() == Method::HEAD;
        let answer = match found {
            Found::Call(bound) => bound.answer(request).await,
            Found::OtherMethods(bound, allow) => another_method(request.method(), &allow)
                .unwrap_or_else(|problem| bound.route.refusal(problem).into_response())
                .map(ResponseBody::from),
            Found::Nobody => return Err(request),
        };
        Ok(if head { without_body(answer) } else { answer })
    }
}

/// The `Allow` header of what is here.
fn allowed(here: &[&Bound]) -> String {
    let mut allow = String::new();
    for bound in here {
        let separator = if allow.is_empty() { "" } else { "," };
        let head = if bound.route.method == Method::GET {
            ",HEAD"
        } else {
            ""
        };
        allow.push_str(&format!("{separator}{}{head}", bound.route.method));
    }
    allow
}

/// What a `HEAD` request gets: all but the body (RFC 9110, section 9.3.2).
fn without_body(mut answer: Answer) -> Answer {
    use http::header::CONTENT_LENGTH;
    use http_body::Body;
    if let Some(length) = answer.body().size_hint().exact() {
        answer.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    answer.map(|_| ResponseBody::default())
}

#[cfg(test)]
mod tests;
