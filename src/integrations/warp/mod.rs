//! warp: filters, replies and a `recover`.
//!
//! The layer goes around `warp::service`, the endpoints around the layer. `warp::serve` takes no
//! tower service, so hyper-util serves it. warp does not tell the address of the client; put a
//! [`ClientAddress`](crate::ClientAddress) into the extensions of the request:
//!
//! ```no_run
//! use hyper_util::rt::{TokioExecutor, TokioIo};
//! use hyper_util::server::conn::auto;
//! use hyper_util::service::TowerToHyperService;
//! use tower::{Layer, ServiceBuilder};
//! use tower_jwt_session::endpoints::Endpoints;
//! use tower_jwt_session::integrations::warp::{recover, session};
//! use tower_jwt_session::{ClientAddress, JwtSession, NoClaims, Session};
//! use warp::Filter;
//!
//! # async fn serve(auth: JwtSession) -> std::io::Result<()> {
//! let me = warp::path!("me").and(session::<NoClaims>());
//! let me = me.map(|session: Session| session.subject().to_string());
//! let protected = auth.layer().layer(warp::service(me.recover(recover)));
//! let app = Endpoints::new(auth.clone()).around(protected);
//!
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//! loop {
//!     let (stream, peer) = listener.accept().await?;
//!     let app = ServiceBuilder::new()
//!         .map_request(move |mut request: http::Request<_>| {
//!             request.extensions_mut().insert(ClientAddress::from(peer.ip()));
//!             request
//!         })
//!         .service(app.clone());
//!     tokio::spawn(async move {
//!         let connection = auto::Builder::new(TokioExecutor::new());
//!         let service = TowerToHyperService::new(app);
//!         // A client that goes away in the middle is nothing to do anything about.
//!         let _ = connection.serve_connection(TokioIo::new(stream), service).await;
//!     });
//! }
//! # }
//! ```
//!
//! A filter that takes its turn and finds nobody signed in rejects, and warp goes on to the next
//! one, as is its way; [`recover`] answers what is left of that in the end.

mod filters;
mod respond;

pub use filters::{device, optional_session, session};
pub use respond::recover;
