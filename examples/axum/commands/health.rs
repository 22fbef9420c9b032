//! `health`: what a container's health check runs, which has no other client.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tower_jwt_session::Environment;

use super::{Outcome, print};

pub async fn run() -> Outcome {
    let env = Environment::of_process().with_default("LISTEN_ADDR", "127.0.0.1:3000");
    let mut address: SocketAddr = env.get("LISTEN_ADDR").unwrap_or_default().parse()?;
    if address.ip().is_unspecified() {
        match address {
            SocketAddr::V4(_) => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            SocketAddr::V6(_) => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        }
    }
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let answer = client.get(format!("http://{address}/api/token/health").parse()?);
    let response = tokio::time::timeout(PATIENCE, answer).await??;
    let status = response.status();
    let body = tokio::time::timeout(PATIENCE, response.collect()).await??;
    print::line(&String::from_utf8_lossy(&body.to_bytes()))?;
    Ok(if status.is_success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

const PATIENCE: Duration = Duration::from_secs(3);
