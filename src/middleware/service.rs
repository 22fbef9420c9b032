//! [`JwtSessionService`]: one request after the other.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;
use tracing::Instrument;

use super::admission::{Admission, Refused};
use super::future::ResponseFuture;
use super::knobs::CountAs;
use super::layer::{Gate, Rules, Settings};
use super::passage::{Passage, carry};
use super::same_origin::Head;
use crate::clock::UnixTime;
use crate::rejection::{ProblemResponses, Rejection, ResponseForRejection};
use crate::revocation::{ActiveToken, Pending, Refusal};
use crate::session::Session;
use crate::telemetry::{self, Outcome, Watch};
use crate::token::{Carrier, Found, carrier_of};
use crate::verify::Algorithm;

/// Calls the inner service with the [`Session`](crate::Session) of the request, or refuses.
///
/// Errors of the inner service pass through unchanged; a refusal is a response, not an error.
///
/// See the [module docs](crate::middleware) for an example.
#[must_use = "services do nothing unless called"]
pub struct JwtSessionService<S, J = ProblemResponses> {
    inner: S,
    settings: Arc<Settings<J>>,
}

impl<S, J> JwtSessionService<S, J> {
    pub(super) fn new(inner: S, settings: Arc<Settings<J>>) -> Self {
        Self { inner, settings }
    }

    /// The inner service.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The inner service without the layer around it.
    #[must_use]
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, J, B, R> Service<Request<B>> for JwtSessionService<S, J>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    J: ResponseForRejection<R>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S, J, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // Only what was decided here counts: nobody outside says who sent a request.
        request.extensions_mut().remove::<Session>();
        let Settings {
            gate,
            source,
            rules,
            responses,
        } = &*self.settings;
        let found = source.find(request.headers());
        let is_private = carrier_of(&found) == Some(Carrier::Cookie);
        match gate.passage(found, *rules, Head::from(&request)) {
            // As `enter` does it, which costs one more copy of the request on its way.
            Passage::Open(session) => {
                carry(session, &mut request);
                ResponseFuture::calling(self.inner.call(request), is_private)
            }
            other => other.enter(&mut self.inner, request, responses, is_private),
        }
    }
}

/// What of a request is known while the store is asked about its token.
struct Asked {
    carrier: Carrier,
    token: Box<[u8]>,
    algorithm: Algorithm,
    network: Option<IpAddr>,
}

// Without a type parameter, so that it is compiled once and here, whoever uses it.
impl Gate {
    fn passage(self: &Arc<Self>, found: Found<'_>, rules: Rules, head: Head<'_>) -> Passage {
        let watch = self.telemetry.begin();
        let now = self.clock.instants();
        match Admission::decide(self, found, &rules, head, now) {
            Admission::Admit(session) => {
                self.note(rules, session.active(), now.wall);
                self.telemetry.answered(Outcome::Admitted, watch);
                Passage::Open(Some(session))
            }
            Admission::Anonymous => {
                self.telemetry.answered(Outcome::Anonymous, watch);
                Passage::Open(None)
            }
            Admission::Ask(token, pending) => {
                let asked = Asked {
                    carrier: token.carrier(),
                    token: token.as_bytes().into(),
                    algorithm: pending.token().algorithm(),
                    network: head.network(),
                };
                let question = self.clone().question(rules, asked, pending, now.wall);
                Passage::Ask(Box::pin(question.instrument(telemetry::confirm())))
            }
            Admission::Refuse(refused) => {
                self.telemetry.answered(refused.outcome(), watch);
                match self.refuse(rules, *refused) {
                    Ok(()) => Passage::Open(None),
                    Err(rejection) => Passage::Refuse(rejection),
                }
            }
        }
    }

    async fn question(
        self: Arc<Self>,
        rules: Rules,
        asked: Asked,
        pending: Box<Pending>,
        wall: UnixTime,
    ) -> Result<Option<Session>, Rejection> {
        let watch = Watch::started();
        match self.revocations.clone().ask(pending).await {
            Ok(active) => {
                self.note(rules, &active, wall);
                self.telemetry.confirmed(Outcome::Admitted, watch);
                Ok(Some(Session::from_active(active)))
            }
            Err(refusal) => {
                if refusal == Refusal::UnknownSession {
                    let token = (&*asked.token, asked.algorithm);
                    self.verifier.note_unknown(token, asked.network, wall);
                }
                let refused = Refused::from(refusal);
                if rules.passes_without(Some(asked.carrier), &refused) {
                    self.telemetry.confirmed(Outcome::Anonymous, watch);
                    return Ok(None);
                }
                self.telemetry.confirmed(refused.outcome(), watch);
                self.refuse(rules, refused).map(|()| None)
            }
        }
    }

    fn note(&self, rules: Rules, active: &ActiveToken, wall: UnixTime) {
        if rules.activity == CountAs::Activity {
            self.activity.note(active, wall);
        }
    }

    fn refuse(&self, rules: Rules, refused: Refused) -> Result<(), Rejection> {
        refused.enforce(rules.enforcement, &*self.clock, &*self.observer)
    }
}

impl<S: Clone, J> Clone for JwtSessionService<S, J> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            settings: self.settings.clone(),
        }
    }
}

impl<S: fmt::Debug, J> fmt::Debug for JwtSessionService<S, J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtSessionService")
            .field("inner", &self.inner)
            .field("rules", &self.settings.rules)
            .finish_non_exhaustive()
    }
}
