//! One application on each framework, over real connections.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::Request as AxumRequest;
use axum::middleware::from_fn;
use axum::routing::{MethodFilter, on};
use bytes::Bytes;
use http::uri::Authority;
use http::{Request, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_jwt_session::endpoints::{
    Endpoints, Group, Problem, RequestBody, Response, ResponseBody, SecurityHeaders,
    SecurityHeadersService, openapi,
};
use tower_jwt_session::integrations::axum::drain_unread;
use tower_jwt_session::integrations::warp::recover;
use tower_jwt_session::{BoxError, ClientAddress, ClientAddressService, Peer, Session};
use warp::Filter;
use warp::path::FullPath;

use crate::accounts::{Accounts, For, PATHS, whose};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framework {
    Axum,
    Hyper,
    Warp,
}

impl Framework {
    pub const ALL: [Self; 3] = [Self::Axum, Self::Hyper, Self::Warp];

    pub async fn serve(self, accounts: Accounts) -> SocketAddr {
        match self {
            Self::Axum => serve(around(&accounts.clone(), axum(accounts))).await,
            Self::Hyper => serve(around(&accounts.clone(), hyper(accounts))).await,
            Self::Warp => serve(around(&accounts.clone(), warp(accounts))).await,
        }
    }
}

fn endpoints(accounts: &Accounts) -> Endpoints {
    Endpoints::new(accounts.auth.clone())
        .with_groups(Group::ALL)
        .with_document(openapi::json())
}

/// What stands around the whole application.
fn around<S: Clone>(
    accounts: &Accounts,
    app: S,
) -> ClientAddressService<SecurityHeadersService<S>> {
    let addresses = accounts.auth.client_addresses();
    addresses.layer(SecurityHeaders::new().layer(app))
}

fn axum(accounts: Accounts) -> Router {
    let endpoints = endpoints(&accounts);
    let layer = accounts.auth.layer().with_responses(endpoints.responses());
    let (mut public, mut members) = (Router::new(), Router::new());
    for (path, method, whose) in PATHS {
        let accounts = accounts.clone();
        let answer = async move |request: AxumRequest| accounts.answer(request).await;
        let route = on(MethodFilter::try_from(method).unwrap(), answer);
        match whose {
            For::All => public = public.route(path, route),
            For::Members => members = members.route(path, route),
        }
    }
    members
        .route_layer(layer.clone())
        .merge(public)
        .merge(endpoints.routes())
        .fallback_service(layer.layer(service_fn(nowhere)))
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed("") })
        .layer(from_fn(drain_unread))
}

async fn nowhere(_: AxumRequest) -> Result<Response, Infallible> {
    Ok(Problem::not_found().into_response())
}

fn hyper(
    accounts: Accounts,
) -> impl Service<
    Request<Incoming>,
    Response = http::Response<ResponseBody>,
    Error = Infallible,
    Future: Send,
> + Clone
+ Send
+ 'static {
    let endpoints = endpoints(&accounts);
    let layer = accounts.auth.layer().with_responses(endpoints.responses());
    let answer = service_fn(move |request: Request<RequestBody>| {
        let accounts = accounts.clone();
        async move { Ok::<_, Infallible>(accounts.answer(request).await) }
    });
    let members = layer.layer(answer.clone());
    let app = service_fn(move |request: Request<RequestBody>| {
        let (answer, members) = (answer.clone(), members.clone());
        async move {
            match whose(request.uri().path()) {
                For::All => answer.oneshot(request).await,
                For::Members => members.oneshot(request).await,
            }
        }
    });
    endpoints.around(app)
}

fn warp(
    accounts: Accounts,
) -> impl Service<
    Request<Incoming>,
    Response = http::Response<ResponseBody>,
    Error = Infallible,
    Future: Send,
> + Clone
+ Send
+ 'static {
    let endpoints = endpoints(&accounts);
    let layer = accounts.auth.layer().with_responses(endpoints.responses());
    let filters = warp::service(filters(accounts));
    let members = layer.layer(filters.clone());
    let app = service_fn(move |request: Request<RequestBody>| {
        let (public, members) = (filters.clone(), members.clone());
        async move {
            match whose(request.uri().path()) {
                For::All => public.oneshot(request).await,
                For::Members => members.oneshot(request).await,
            }
        }
    });
    endpoints.around(app)
}

/// What warp has taken apart, put together again for the shared application.
fn filters(
    accounts: Accounts,
) -> impl Filter<Extract = (impl warp::Reply,), Error = warp::Rejection> + Clone {
    warp::method()
        .and(warp::path::full())
        .and(warp::host::optional())
        .and(warp::header::headers_cloned())
        .and(warp::ext::optional::<Session>())
        .and(warp::ext::optional::<ClientAddress>())
        .and(warp::body::bytes())
        .then(
            move |method, path: FullPath, host, headers, session, client, body| {
                let accounts = accounts.clone();
                async move {
                    let mut request = Request::new(Full::<Bytes>::new(body));
                    *request.method_mut() = method;
                    *request.uri_mut() = uri(host, &path);
                    *request.headers_mut() = headers;
                    if let Some(session) = session {
                        let _: Option<Session> = request.extensions_mut().insert(session);
                    }
                    if let Some(client) = client {
                        let _: Option<ClientAddress> = request.extensions_mut().insert(client);
                    }
                    let answer = accounts.answer(request).await;
                    let (parts, body) = answer.into_parts();
                    let body = http_body_util::BodyExt::collect(body).await.unwrap();
                    http::Response::from_parts(parts, body.to_bytes())
                }
            },
        )
        .map(|answer: http::Response<Bytes>| answer.map(|body| body.to_vec()))
        .recover(recover)
}

/// As HTTP/2 has it: whom the request is sent to is nowhere but there.
fn uri(host: Option<Authority>, path: &FullPath) -> Uri {
    let uri = Uri::builder().path_and_query(path.as_str());
    let uri = match host {
        Some(host) => uri.scheme("http").authority(host),
        None => uri,
    };
    uri.build().unwrap()
}

async fn serve<S, R>(app: S) -> SocketAddr
where
    S: Service<Request<Incoming>, Response = http::Response<R>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
    R: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, peer) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let peer = Peer::Address(peer.ip());
            let app = app.clone();
            let service = app.map_request(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(peer);
                request
            });
            let service = TowerToHyperService::new(service);
            tokio::spawn(async move {
                let connection = auto::Builder::new(TokioExecutor::new());
                let _ = connection
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    address
}
