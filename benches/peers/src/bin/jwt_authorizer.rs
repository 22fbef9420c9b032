//! jwt-authorizer.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::task::{Context, Poll};

use http::header::AUTHORIZATION;
use http::{Request, Response};
use jwt_authorizer::{AuthError, IntoLayer, JwtAuthorizer, Validation};
use tower::{Layer, Service};
use tower_jwt_session_peers::{
    ALGORITHMS, AUDIENCE, Answer, Claims, Folder, ISSUER, IsGood, SECRET, Worker, batch,
};

/// It wants responses that can be made of its errors.
struct Answered(Answer);

#[derive(Clone)]
struct Inner;

fn main() {
    let folder = Folder::of_run();
    let mut worker = Worker::new();
    for name in ALGORITHMS {
        let authorizer: JwtAuthorizer<Claims> = match name {
            "HS256" => JwtAuthorizer::from_secret(SECRET),
            _ => JwtAuthorizer::from_jwks_text(&folder.jwks()),
        };
        let validation = Validation::new().iss(&[ISSUER]).aud(&[AUDIENCE]).nbf(true);
        let authorizer = authorizer.validation(validation).build();
        let authorizer = worker
            .runtime
            .block_on(authorizer)
            .expect("a sound configuration");
        let service = authorizer.into_layer().layer(Inner);
        worker.case(
            name,
            batch(name),
            AUTHORIZATION,
            vec![folder.bearer(name)],
            service,
        );
    }
    worker.serve();
}

impl Service<Request<()>> for Inner {
    type Response = Answered;
    type Error = Infallible;
    type Future = Ready<Result<Answered, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        drop(black_box(request));
        ready(Ok(Answered(Response::default())))
    }
}

impl From<AuthError> for Answered {
    fn from(error: AuthError) -> Self {
        panic!("a good token is refused: {error:?}");
    }
}

impl IsGood for Answered {
    fn is_good(&self) -> bool {
        self.0.is_good()
    }
}
