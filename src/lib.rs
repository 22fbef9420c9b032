//! A session layer for [tower](tower_service): it answers for each request, without leaving the process, whether a
//! token is genuine, whether it is still welcome, who it is and on which device. A revoked session
//! is refused on its next request.
//!
//! ```
//! use axum::{Router, routing::get};
//! use tower_jwt_session::guard::RequireRole;
//! use tower_jwt_session::{JwtSession, Session};
//!
//! # async fn app() -> Result<(), Box<dyn std::error::Error>> {
//! let auth = JwtSession::from_env()?;
//! let running = auth.start().await?;
//!
//! let app: Router = Router::new()
//!     .route("/me", get(|session: Session| async move { session.subject().to_string() }))
//!     .route("/admin", get(|| async { "welcome" }).layer(RequireRole::new("admin")))
//!     .layer(auth.layer())
//!     .merge(auth.routes()); // after the layer: whoever has to refresh has no good token
//! # drop(app);
//! # running.shutdown().await;
//! # Ok(()) }
//! ```
//!
//! # Where to begin
//!
//! [`JwtSession`] puts everything together and has the verbs ([`Sessions`]); [`JwtSessionLayer`] goes
//! around a service; [`Session`] is what a handler receives; a [`ClaimsSource`] says which roles a
//! user has. The modules, in the order in which a request passes them:
//!
//! | module | |
//! |---|---|
//! | [`middleware`] | the layer, its service and its future |
//! | [`token`] | where a token is looked for, and the names that it carries |
//! | [`verify`] | keys, and whether a token is genuine and meant for this service |
//! | [`revocation`] | whether it is still welcome |
//! | [`session`] | who it is, on which device, and what can be done about it |
//! | [`guard`] | who may enter a route |
//! | [`rejection`] | why a request was refused, and the response |
//! | [`events`] | what happened |
//! | [`audit`] | what of it is kept, and for how long |
//! | [`stores`] | where it is kept |
//! | [`throttle`] | how often somebody may try |
//! | [`telemetry`] | what happens, in figures and spans |
//!
//! # Features
//!
//! `aws-lc` is on by default, and each only adds names.
//!
//! | feature | adds |
//! |---|---|
//! | `aws-lc` | cryptography by `aws-lc-rs`, which can do everything here; it is taken where both are on |
//! | `ring` | cryptography by `ring`, smaller and quicker to build; makes no RSA keys, and has no `encryption` and no `tls` |
//! | `axum` | extractors and routers for axum, with `endpoints` |
//! | `browser` | pages of devices and for administrators, and a token manager for browsers |
//! | `encryption` | session data encrypted before a store sees it, with `aws-lc`; part of `postgres`, `redis` and `sqlite` |
//! | `endpoints` | ready handlers over `http` types, for any framework |
//! | `openapi` | the contract of the endpoints as an OpenAPI document |
//! | `metrics` | figures of what happens, through the facade of the `metrics` crate |
//! | `tonic` | refusals and sessions for gRPC |
//! | `warp` | filters and replies for warp, with `endpoints` |
//! | `user-agent` | names of rare devices: consoles, feature phones, crawlers |
//! | `postgres` | sessions in PostgreSQL, for many nodes |
//! | `redis` | sessions in Redis |
//! | `rate-limit` | a limit on attempts to sign in, register and refresh |
//! | `geoip` | country and city of a session, from a file |
//! | `sqlite` | sessions in an SQLite file |
//! | `test-util` | a clock to hold, tokens for tests, the conformance suite for stores |
//! | `full` | all of them |
#![forbid(unsafe_code)]
#![warn(missing_docs, missing_debug_implementations, unreachable_pub)]

// What a request passes, in this order.
pub mod middleware;

pub mod token;

pub mod verify;

pub mod revocation;

pub mod session;

pub mod guard;

// What comes of it.
pub mod audit;
pub mod events;
pub mod rejection;

// Where it is kept.
pub mod stores;

// What stands ready around it.
#[cfg(feature = "browser")]
pub mod browser;
mod device;
#[cfg(feature = "endpoints")]
pub mod endpoints;
#[cfg(feature = "geoip")]
mod geoip;
#[cfg(any(feature = "axum", feature = "tonic", feature = "warp"))]
pub mod integrations;
pub mod throttle;

// How it is put together.
mod config;
mod jwt_session;

// What everything stands on.
pub mod clock;
mod crypto;
pub mod diagnosis;
mod error;
mod sync;
mod tasks;
pub mod telemetry;

#[cfg(feature = "test-util")]
pub mod testing;

// To read.
#[cfg(doc)]
pub mod guide;

pub use clock::{Clock, Instants, SystemClock, UnixTime};
pub use config::{
    AllowedOrigins, Checklist, Environment, Finding, FindingKind, IntrospectionClient,
    JwtSessionBuilder, SameSite, SessionCookies, Variable, store_at,
};
pub use device::{
    ClientAddress, ClientAddressLayer, ClientAddressService, Peer, SecureTransport, TrustedProxies,
};
pub use error::{BoxError, ConfigError, StoreError, StoreErrorKind};
#[cfg(feature = "geoip")]
pub use geoip::{GeoIpDatabase, GeoIpError};
pub use jwt_session::{Introspection, JwtSession, NodeStatus, ParseError, Running, VerifyOnly};
pub use middleware::JwtSessionLayer;
pub use rejection::Rejection;
pub use session::{
    ClaimsSource, Device, Grants, Lifetimes, Rotation, Session, SessionError, SessionInfo,
    SessionLimit, SessionStore, Sessions, Tokens,
};
pub use stores::MemoryStore;
#[cfg(feature = "postgres")]
pub use stores::PostgresStore;
#[cfg(feature = "redis")]
pub use stores::RedisStore;
#[cfg(feature = "sqlite")]
pub use stores::SqliteStore;
pub use throttle::RateLimit;
pub use token::{InvalidId, SessionId, TokenId, UserId};
pub use verify::{CustomClaims, NoClaims};

/// The README's examples, so that they compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// A boxed future, as the store traits return it.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
