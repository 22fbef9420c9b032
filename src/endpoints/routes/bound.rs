//! One call with everything that it stands behind.

use std::convert::Infallible;
use std::future::{poll_fn, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Method, Request};
use tower_layer::Layer;
use tower_service::Service;

use super::super::{
    Endpoints, EnvelopeResponses, Problem, RequestBody, ResponseBody, challenge, host, security,
};
use super::path;
use super::table::{Access, Answer, Call, Group, Handler, Route};
use crate::BoxFuture;
use crate::middleware::{Anonymous, CountAs};
use crate::token::TokenSource;
use crate::verify::CustomClaims;

type Answering = dyn Fn(Request<RequestBody>) -> BoxFuture<'static, Answer> + Send + Sync;

/// A route that answers. A tower service, for routers that find their way by themselves.
#[derive(Clone)]
pub(crate) struct Bound {
    pub(crate) route: Route,
    answering: Arc<Answering>,
    metadata: Option<Arc<str>>,
}

impl Bound {
    pub(super) fn new<C: CustomClaims>(
        endpoints: &Endpoints<C>,
        route: Route,
        handler: Handler<C>,
    ) -> Self {
        let call = Calling {
            endpoints: endpoints.clone(),
            route: route.clone(),
            handler,
        };
        let layer = endpoints.auth().layer();
        let addresses = endpoints.auth().client_addresses();
        let answering = match (route.access, route.group) {
            (Access::Public, _) => erased(addresses.layer(call)),
            (Access::Introspector, _) => {
                // The client has no session, and says who it is by other means.
                let layer = layer.with_anonymous(Anonymous::Allow);
                erased(layer.with_source(TokenSource::bearer()).layer(call))
            }
            (Access::Admin | Access::User, Group::Tokens) => {
                erased(layer.with_responses(EnvelopeResponses).layer(call))
            }
            (Access::Watcher, _) => erased(layer.with_activity(CountAs::Background).layer(call)),
            (Access::Admin | Access::User, _) => erased(layer.layer(call)),
        };
        Self {
            route,
            answering,
            metadata: endpoints.metadata_url(),
        }
    }

    /// Whether it is for a method.
    pub(super) fn is_for(&self, method: &Method) -> bool {
        self.route.method == *method || self.route.method == Method::GET && *method == Method::HEAD
    }

    pub(crate) fn answer(&self, request: Request<RequestBody>) -> BoxFuture<'static, Answer> {
        let answer = match host::check_hosts(&request) {
            Ok(()) => (self.answering)(request),
            Err(problem) => {
                let refused = self.route.refusal(problem).into_response();
                Box::pin(ready(refused.map(ResponseBody::from)))
            }
        };
        let metadata = self.metadata.clone();
        Box::pin(async move {
            let mut answer = answer.await;
            // What the layer refuses has none of its own.
            security::of_data(answer.headers_mut());
            if let Some(url) = metadata {
                challenge::add_metadata(&mut answer, &url);
            }
            answer
        })
    }
}

/// The innermost service of a route.
struct Calling<C> {
    endpoints: Endpoints<C>,
    route: Route,
    handler: Handler<C>,
}

impl<C: CustomClaims> Service<Request<RequestBody>> for Calling<C> {
    type Response = Answer;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Answer, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        // A path that is no text names nothing that there is.
        let Some(parameter) = path::parameter(self.route.path, request.uri().path()) else {
            let problem = self.route.refusal(Problem::not_found());
            return Box::pin(async { Ok(problem.into_response().map(ResponseBody::from)) });
        };
        let answer = (self.handler)(Call {
            endpoints: self.endpoints.clone(),
            parameter,
            request,
        });
        Box::pin(async { Ok(answer.await) })
    }
}

impl<C> Clone for Calling<C> {
    fn clone(&self) -> Self {
        Self {
            endpoints: self.endpoints.clone(),
            route: self.route.clone(),
            handler: self.handler,
        }
    }
}

impl Route {
    /// A problem in the manner of this route.
    pub(crate) fn refusal(&self, problem: Problem) -> Problem {
        match self.group {
            Group::Tokens => problem.in_envelope(),
            _ => problem,
        }
    }
}

fn erased<S>(service: S) -> Arc<Answering>
where
    S: Service<Request<RequestBody>, Response = Answer, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
{
    Arc::new(move |request| {
        let mut service = service.clone();
        Box::pin(async move {
            let ready = poll_fn(|cx| service.poll_ready(cx)).await;
            let answered = match ready {
                Ok(()) => service.call(request).await,
                Err(never) => match never {},
            };
            answered.unwrap_or_else(|never| match never {})
        })
    })
}
