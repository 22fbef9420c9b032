//! A request for any of the endpoints, with any head and body: an answer below 500, and what is refused is a problem.
#![no_main]

use std::convert::Infallible;
use std::sync::LazyLock;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_jwt_session::endpoints::{Endpoints, Group, RequestBody, Response, json, routes};
use tower_jwt_session::{Device, JwtSession, Tokens, UserId};

struct World {
    runtime: Runtime,
    auth: JwtSession,
    tokens: Tokens,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let builder = JwtSession::builder().hmac_secret(b"a secret of the fuzzer's, which it may know");
    let auth = builder.build().expect("a good configuration");
    let tokens = runtime.block_on(sign_in(&auth));
    World {
        runtime,
        auth,
        tokens,
    }
});

async fn sign_in(auth: &JwtSession) -> Tokens {
    let user = UserId::new("ada").expect("a name");
    let ticket = auth.sessions().ticket(&user).await.expect("a ticket");
    let signed_in = auth.sessions().sign_in(ticket, Device::default()).await;
    signed_in.expect("a session").tokens()
}

/// `N target`, lines of the head, an empty one, the body; `ACCESS`, `REFRESH` and `SESSION` stand for good ones.
fn request(data: &[u8], tokens: &Tokens) -> Option<Request<Full<Bytes>>> {
    let refresh = tokens.refresh_token.as_deref().unwrap_or_default();
    let text = String::from_utf8_lossy(data);
    let text = text
        .replace("ACCESS", &tokens.access_token)
        .replace("REFRESH", refresh);
    let text = text.replace("SESSION", &tokens.session_id.to_string());
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut lines = head.lines();
    let (number, target) = lines.next()?.split_once(' ')?;
    let all = routes();
    let route = &all[number.parse::<usize>().ok()? % all.len()];
    let path = route.path.replace("{*path}", "x");
    let path = path.replace("{id}", target).replace("{user}", target);
    let path = if target.starts_with('?') {
        format!("{}{target}", route.path)
    } else {
        path
    };
    let method = if target.starts_with('!') {
        Method::PUT
    } else {
        route.method.clone()
    };
    let mut request = Request::new(Full::new(Bytes::from(body.to_owned())));
    *request.method_mut() = method;
    *request.uri_mut() = path.parse::<Uri>().ok()?;
    for line in lines {
        let (name, value) = line.split_once(':')?;
        let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
        let value = HeaderValue::from_bytes(value.trim().as_bytes()).ok()?;
        request.headers_mut().append(name, value);
    }
    Some(request)
}

fuzz_target!(|data: &[u8]| {
    let world = &*WORLD;
    let Some(request) = request(data, &world.tokens) else {
        return;
    };
    world.runtime.block_on(async {
        let inner = service_fn(|_: Request<RequestBody>| async {
            Ok::<Response, Infallible>(json(StatusCode::OK, &"behind the layer"))
        });
        let endpoints = Endpoints::new(world.auth.clone()).with_groups(Group::ALL);
        let mut app = endpoints.around(world.auth.layer().layer(inner));
        let Ok(app) = ServiceExt::<Request<Full<Bytes>>>::ready(&mut app).await;
        let answer = app.call(request).await.expect("never an error");
        let (head, body) = answer.into_parts();
        assert!(head.status.as_u16() < 500, "{head:?}");
        let type_of = head.headers.get("content-type").cloned();
        if type_of.is_some_and(|value| value == "text/event-stream") {
            return;
        }
        let body = body.collect().await.expect("it is complete").to_bytes();
        if head.status.is_client_error() {
            serde_json::from_slice::<serde_json::Value>(&body).expect("a problem is JSON");
        }
    });
});
