//! Connections: as `axum::serve` takes them, but none may dawdle over the head of a request.

use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tower::ServiceExt;

/// Serves until it is told to stop. Requests on their way may end then, but nobody keeps the server
/// from stopping.
pub async fn serve(listener: TcpListener, app: Router, told_to_stop: impl Future<Output = ()>) {
    let connections = GracefulShutdown::new();
    let mut told_to_stop = pin!(told_to_stop);
    loop {
        tokio::select! {
            (socket, peer) = accept(&listener) => spawn(socket, peer, &app, &connections),
            () = &mut told_to_stop => break,
        }
    }
    drop(listener);
    tokio::select! {
        () = connections.shutdown() => {}
        () = sleep(PATIENCE) => tracing::warn!("some connections did not end in time"),
    }
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // As when there are no file descriptors left: others have to go first.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn spawn(socket: TcpStream, peer: SocketAddr, app: &Router, connections: &GracefulShutdown) {
    let app = app.clone();
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        app.clone().oneshot(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(socket), service);
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection broke off");
        }
    });
}

/// How long the head of a request may take, and so how long a connection may be idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long requests may go on after the server was told to stop.
const PATIENCE: Duration = Duration::from_secs(5);
