//! warp: filters behind the layer, the endpoints around it. `cargo run --example warp`

mod demo;

use std::convert::Infallible;
use std::error::Error;

use http::Request;
use serde_json::json;
use tower::{Layer, ServiceExt, service_fn};
use tower_jwt_session::endpoints::{
    Endpoints, Group, Problem, RequestBody, Response, ResponseBody,
};
use tower_jwt_session::integrations::warp::{optional_session, recover, session};
use tower_jwt_session::middleware::Anonymous;
use tower_jwt_session::{ClientAddress, Device, NoClaims, Session};
use warp::{Filter, Rejection, Reply};

use crate::demo::Demo;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let demo = Demo::from_env()?;
    // Filters say for themselves who may come in; a token that is there and bad never gets so far.
    let layer = demo.auth.layer().with_anonymous(Anonymous::Allow);
    let filters = layer.layer(warp::service(filters()));
    let public = demo.clone();
    let app = service_fn(move |request: Request<RequestBody>| {
        let (demo, filters) = (public.clone(), filters.clone());
        async move {
            // Outside of the layer: whoever has an expired token must get here, too.
            Ok::<_, Infallible>(match (request.method().as_str(), request.uri().path()) {
                ("POST", "/sign-in") => sign_in(&demo, request).await.map(ResponseBody::from),
                _ => filters.oneshot(request).await?.map(ResponseBody::new),
            })
        }
    });
    let endpoints = Endpoints::new(demo.auth.clone()).with_groups(Group::ALL);
    demo.serve(endpoints.around(app)).await
}

fn filters() -> impl Filter<Extract = (impl Reply,), Error = Rejection> + Clone {
    let me = warp::path!("me")
        .and(warp::get())
        .and(session::<NoClaims>());
    let me = me.map(|session: Session| {
        warp::reply::json(&json!({ "user_id": session.subject().as_str() }))
    });
    let admin = warp::path!("admin")
        .and(warp::get())
        .and(session::<NoClaims>());
    let admin = admin.and_then(for_admins);
    let hello = warp::path!("hello")
        .and(warp::get())
        .and(optional_session::<NoClaims>());
    let hello = hello.map(|session: Option<Session>| match session {
        Some(session) => format!("hello {}", session.subject()),
        None => "hello stranger".to_owned(),
    });
    me.or(admin).or(hello).recover(recover)
}

async fn for_admins(session: Session) -> Result<&'static str, Rejection> {
    let allowed = session.require_role("admin");
    allowed.map_err(|refused| warp::reject::custom(Problem::from(refused)))?;
    Ok("welcome")
}

async fn sign_in(demo: &Demo, request: Request<RequestBody>) -> Response {
    let address = request.extensions().get().copied();
    let device = Device::from_headers(request.headers(), address.map(ClientAddress::ip));
    demo.sign_in(device, request).await
}
