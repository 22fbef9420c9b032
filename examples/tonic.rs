//! gRPC: tonic behind the layer, the endpoints on the same port. Calls without a good token end with
//! status 16, and a stream ends when its session does. `cargo run --example tonic`
//!
//! The service is the ready-made one for health checks, as it has a call of either kind.

mod demo;

use std::convert::Infallible;
use std::error::Error;

use http::Request;
use tonic::Status;
use tonic::service::Routes;
use tonic_health::server::health_reporter;
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_jwt_session::Device;
use tower_jwt_session::endpoints::{Endpoints, Group, RequestBody, ResponseBody};
use tower_jwt_session::integrations::tonic::{EndStreams, session};

use crate::demo::Demo;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let demo = Demo::from_env()?;
    let (reporter, health) = health_reporter();
    reporter
        .set_service_status("demo", tonic_health::ServingStatus::Serving)
        .await;
    let calls = tonic::service::interceptor::InterceptedService::new(health, for_somebody);
    let grpc = ServiceBuilder::new()
        .layer(demo.auth.grpc_layer())
        .layer(EndStreams::new())
        .service(Routes::new(calls));
    let public = demo.clone();
    let app = service_fn(move |request: Request<RequestBody>| {
        let (demo, grpc) = (public.clone(), grpc.clone());
        async move {
            Ok::<_, Infallible>(match (request.method().as_str(), request.uri().path()) {
                ("POST", "/sign-in") => {
                    let device = Device::from_headers(request.headers(), None);
                    demo.sign_in(device, request).await.map(ResponseBody::from)
                }
                _ => grpc.oneshot(request).await?.map(ResponseBody::new),
            })
        }
    });
    let endpoints = Endpoints::new(demo.auth.clone()).with_groups(Group::ALL);
    demo.serve(endpoints.around(app)).await
}

/// What any call of tonic's can do: read who is there.
fn for_somebody(request: tonic::Request<()>) -> Result<tonic::Request<()>, Status> {
    let session = session::<tower_jwt_session::NoClaims, _>(&request)?;
    match request
        .metadata()
        .get("needs-role")
        .map(|role| role.to_str())
    {
        Some(Ok(role)) => session.require_role(role)?,
        Some(Err(_)) => return Err(Status::invalid_argument("needs-role is a text")),
        None => {}
    }
    Ok(request)
}
