//! What a request costs once its token was seen: the place of its session in the extensions, and
//! not one allocation beside it.

#[expect(dead_code, reason = "other tests use the rest")]
mod world;

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http::header::{AUTHORIZATION, HeaderValue};
use http::{Request, Response};
use tower::{Layer, Service, ServiceExt};
use tower_jwt_session::Session;
use tower_jwt_session::guard::RequireRole;
use tower_jwt_session::rejection::EmptyResponses;
use world::{World, whoami};

/// Does nothing, without an allocation.
#[derive(Clone)]
struct Nothing;

impl Service<Request<()>> for Nothing {
    type Response = Response<Option<Session>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let session = request.extensions().get::<Session>().cloned();
        ready(Ok(Response::new(session)))
    }
}

fn request(token: &str) -> Request<()> {
    let mut request = Request::new(());
    let value = HeaderValue::try_from(format!("Bearer {token}")).expect("a token is ASCII");
    request.headers_mut().insert(AUTHORIZATION, value);
    request
}

fn allocations(work: impl FnOnce()) -> u64 {
    allocation_counter::measure(work).count_total
}

/// What one request allocates that is answered at the first poll.
fn cost<S>(service: &mut S, request: Request<()>) -> u64
where
    S: Service<Request<()>, Response = Response<Option<Session>>, Error = Infallible>,
{
    allocations(|| {
        let mut context = Context::from_waker(Waker::noop());
        assert!(service.poll_ready(&mut context).is_ready());
        let answer = pin!(service.call(request)).poll(&mut context);
        let Poll::Ready(Ok(response)) = answer else {
            panic!("a token that was seen is answered at once");
        };
        assert_eq!(response.status(), 200);
        black_box(response);
    })
}

#[tokio::test]
async fn a_warm_request_allocates_no_more_than_the_insert_of_its_session() {
    let world = World::new().await;
    let token = world.sign_in().await;
    let layer = world.auth.layer().with_responses(EmptyResponses);
    let mut service = layer.layer(Nothing);
    let Ok(first) = service.clone().oneshot(request(&token)).await;
    let session = first.into_body().expect("a good token brings its session");
    assert_eq!(whoami(Some(&session)), "ada as user");
    cost(&mut service, request(&token));

    let mut fresh = request(&token);
    let insert = allocations(|| {
        fresh.extensions_mut().insert(session);
    });
    let warm = cost(&mut service, request(&token));
    assert!(
        warm <= insert,
        "{warm} allocations, {insert} of them the insert"
    );

    let guarded = RequireRole::new("user").with_responses(EmptyResponses);
    let mut service = layer.layer(guarded.layer(Nothing));
    let warm = cost(&mut service, request(&token));
    assert!(
        warm <= insert,
        "{warm} allocations behind a guard, {insert} at most"
    );
}

#[test]
fn the_counter_counts() {
    let counted = allocations(|| {
        black_box(Box::new(7));
    });
    assert_eq!(counted, 1);
}
