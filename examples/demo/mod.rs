//! What the examples without a framework of their own share: everybody has the same password, and
//! connections are served by hyper.

use std::convert::Infallible;
use std::error::Error;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;
use tower::{Service, ServiceBuilder};
use tower_jwt_session::endpoints::{self, Problem, RequestBody, Response};
use tower_jwt_session::{BoxError, ClientAddress, Device, Environment, JwtSession, UserId};

#[derive(serde::Deserialize)]
struct Credentials {
    user: UserId,
    password: String,
}

/// The session layer, and the password that lets everybody in.
#[derive(Clone)]
pub struct Demo {
    pub auth: JwtSession,
    password: Arc<str>,
}

impl Demo {
    pub fn from_env() -> Result<Self, Box<dyn Error>> {
        let env = Environment::of_process();
        let random = || uuid::Uuid::new_v4().to_string();
        let password = env.get("DEMO_PASSWORD").map_or_else(random, str::to_owned);
        Ok(Self {
            auth: JwtSession::builder().with_env(&env).build()?,
            password: password.into(),
        })
    }

    /// `POST /sign-in`: tokens for `{"user", "password"}`.
    pub async fn sign_in(&self, device: Device, request: Request<RequestBody>) -> Response {
        let signed_in = self.signed_in(device, request).await;
        signed_in.unwrap_or_else(Problem::into_response)
    }

    async fn signed_in(
        &self,
        device: Device,
        request: Request<RequestBody>,
    ) -> Result<Response, Problem> {
        let form: Credentials = endpoints::read_json(request).await?;
        let sessions = self.auth.sessions();
        let ticket = sessions.ticket(&form.user).await?; // before the password is looked at
        if !bool::from(form.password.as_bytes().ct_eq(self.password.as_bytes())) {
            return Err(Problem::invalid_credentials());
        }
        let signed_in = sessions.sign_in(ticket, device).await?;
        Ok(endpoints::json(StatusCode::OK, &signed_in.tokens()))
    }

    /// Serves HTTP/1.1 and HTTP/2 until Ctrl-C.
    pub async fn serve<S, R>(self, app: S) -> Result<(), Box<dyn Error>>
    where
        S: Service<Request<Incoming>, Response = http::Response<R>, Error = Infallible>,
        S: Clone + Send + 'static,
        S::Future: Send,
        R: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let running = self.auth.start().await?;
        let env = Environment::of_process();
        let address = env.get("LISTEN_ADDR").unwrap_or("127.0.0.1:3000");
        let listener = TcpListener::bind(address).await?;
        println!("listening on http://{}", listener.local_addr()?);
        println!("everybody's password: {}", self.password);
        let mut stop = pin!(tokio::signal::ctrl_c());
        loop {
            let (stream, peer) = tokio::select! {
                accepted = listener.accept() => accepted?,
                _ = &mut stop => break,
            };
            stream.set_nodelay(true)?; // small frames of HTTP/2 would wait for each other
            // Only the socket knows where a request came from.
            let address = ClientAddress::from(peer.ip());
            let addressed = ServiceBuilder::new().map_request(move |mut request: Request<_>| {
                request.extensions_mut().insert(address);
                request
            });
            let service = TowerToHyperService::new(addressed.service(app.clone()));
            tokio::spawn(async move {
                let mut connection = auto::Builder::new(TokioExecutor::new());
                connection.http1().timer(TokioTimer::new());
                // A client that goes away in the middle is nothing to do anything about.
                let _ = connection
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
        running.shutdown().await;
        Ok(())
    }
}
