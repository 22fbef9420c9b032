//! Plain hyper 1: the layer around a `service_fn`, the endpoints around the layer. No framework.
//! `cargo run --example hyper`

mod demo;

use std::convert::Infallible;
use std::error::Error;

use http::{Request, StatusCode};
use serde_json::json;
use tower::{Layer, ServiceExt, service_fn};
use tower_jwt_session::endpoints::{self, Endpoints, Group, Problem, RequestBody, Response};
use tower_jwt_session::{ClientAddress, Device, Session};

use crate::demo::Demo;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let demo = Demo::from_env()?;
    let members = demo.auth.layer().layer(service_fn(for_members));
    let public = demo.clone();
    let app = service_fn(move |request: Request<RequestBody>| {
        let (demo, members) = (public.clone(), members.clone());
        async move {
            // Whoever has no token must get to the public ones.
            match (request.method().as_str(), request.uri().path()) {
                ("POST", "/sign-in") => Ok(demo.sign_in(device(&request), request).await),
                _ => members.oneshot(request).await,
            }
        }
    });
    let endpoints = Endpoints::new(demo.auth.clone()).with_groups(Group::ALL);
    demo.serve(endpoints.around(app)).await
}

/// Behind the layer: the session is in the extensions of the request.
async fn for_members(request: Request<RequestBody>) -> Result<Response, Infallible> {
    let session = request.extensions().get::<Session>();
    Ok(match (request.method().as_str(), request.uri().path()) {
        ("GET", "/me") => {
            let user = session.map(|session| session.subject().as_str());
            endpoints::json(StatusCode::OK, &json!({ "user_id": user }))
        }
        (_, "/me") => Problem::method_not_allowed("GET").into_response(),
        _ => Problem::not_found().into_response(),
    })
}

fn device(request: &Request<RequestBody>) -> Device {
    let address = request.extensions().get().copied();
    Device::from_headers(request.headers(), address.map(ClientAddress::ip))
}
