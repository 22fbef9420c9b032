//! What the tests of the layer and of the guards share.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower_service::Service;

use crate::clock::UnixTime;
use crate::revocation::ActiveToken;
use crate::session::Session;
use crate::token::UserId;
use crate::verify::{TokenClaims, TokenFacts, VerifiedToken};

pub(crate) type Body = Full<Bytes>;

/// A session of "ada" that no layer admitted, with these claims.
pub(crate) fn session(roles: &[&str], scopes: &[&str]) -> Session {
    let facts = TokenFacts {
        user: UserId::new("ada").unwrap(),
        session: None,
        token: None,
        binding: None,
        issued_at: None,
        expires_at: UnixTime::MAX,
    };
    let mut claims = TokenClaims::granting(facts, roles, scopes);
    claims.authenticated_at = Some(UnixTime::from_secs(1));
    Session::from_active(ActiveToken::unchecked(VerifiedToken::unchecked(claims)))
}

/// A service that is ready only when it was given a token for it, and fails the test when an
/// instance that was not polled ready is called. A clone is never ready.
#[derive(Debug)]
pub(crate) struct Staged {
    instance: usize,
    ready: bool,
    stage: Arc<Stage>,
}

/// What all clones of a [`Staged`] service share.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    instances: AtomicUsize,
    readiness: AtomicUsize,
    called: std::sync::Mutex<Vec<usize>>,
    pub(crate) broken: std::sync::atomic::AtomicBool,
}

/// An error that converts into nothing else.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Broken;

impl Staged {
    pub(crate) fn new() -> (Self, Arc<Stage>) {
        let stage = Arc::new(Stage::default());
        stage.instances.store(1, SeqCst);
        let service = Self {
            instance: 0,
            ready: false,
            stage: stage.clone(),
        };
        (service, stage)
    }

    /// A service that was polled ready.
    pub(crate) fn ready() -> (Self, Arc<Stage>) {
        let (mut service, stage) = Self::new();
        stage.allow(1);
        assert!(poll_ready(&mut service).is_ready());
        (service, stage)
    }
}

impl Stage {
    /// Hands out tokens of readiness.
    pub(crate) fn allow(&self, tokens: usize) {
        self.readiness.fetch_add(tokens, SeqCst);
    }

    /// Which instances were called, in order.
    pub(crate) fn called(&self) -> Vec<usize> {
        self.called.lock().unwrap().clone()
    }

    /// How many instances there are.
    pub(crate) fn instances(&self) -> usize {
        self.instances.load(SeqCst)
    }
}

impl Clone for Staged {
    fn clone(&self) -> Self {
        Self {
            instance: self.stage.instances.fetch_add(1, SeqCst),
            ready: false,
            stage: self.stage.clone(),
        }
    }
}

impl Service<Request<Body>> for Staged {
    type Response = Response<Body>;
    type Error = Broken;
    type Future = Ready<Result<Response<Body>, Broken>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        let take = |tokens: usize| tokens.checked_sub(1);
        if !self.ready
            && self
                .stage
                .readiness
                .fetch_update(SeqCst, SeqCst, take)
                .is_err()
        {
            return Poll::Pending;
        }
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    /// Answers with the subject of the session.
    fn call(&mut self, request: Request<Body>) -> Self::Future {
        assert!(
            std::mem::take(&mut self.ready),
            "instance {} was called without having been polled ready",
            self.instance
        );
        self.stage.called.lock().unwrap().push(self.instance);
        if self.stage.broken.load(SeqCst) {
            return ready(Err(Broken));
        }
        let session = request.extensions().get::<Session>();
        let name = session.map_or("nobody", |session| session.subject().as_str());
        ready(Ok(Response::new(Full::from(name.to_owned()))))
    }
}

pub(crate) fn request() -> Request<Body> {
    Request::new(Body::default())
}

pub(crate) fn poll_ready<S: Service<Request<Body>>>(service: &mut S) -> Poll<Result<(), S::Error>> {
    service.poll_ready(&mut Context::from_waker(Waker::noop()))
}

/// Polls once.
pub(crate) fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::pin::Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// The body of a response whose body is all there.
pub(crate) fn text(response: Response<Body>) -> String {
    use http_body_util::BodyExt as _;

    let Poll::Ready(Ok(collected)) = poll(&mut Box::pin(response.into_body().collect())) else {
        panic!("a full body is there at once");
    };
    String::from_utf8(collected.to_bytes().to_vec()).unwrap()
}
