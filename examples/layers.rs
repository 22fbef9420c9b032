//! Where the layer goes, and what it asks there: sends itself requests and prints what came of them.
//! `cargo run --example layers`

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use axum::{Router, body::Body, routing::get};
use http::{Request, Response, StatusCode};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_jwt_session::guard::{RequireFresh, RequireRole, RequireScope};
use tower_jwt_session::middleware::Anonymous;
use tower_jwt_session::revocation::Confirm;
use tower_jwt_session::verify::TokenPolicy;
use tower_jwt_session::{ConfigError, Device, JwtSession, SessionError, UserId};

/// Who signs tokens, and checks its own alone.
fn issuer(name: &str, secret: &str) -> Result<JwtSession, ConfigError> {
    let policy = TokenPolicy::new(name, name);
    JwtSession::builder()
        .hmac_secret(secret)
        .token_policy(policy)
        .build()
}

/// Around a whole router: what is not there is refused like all the rest.
fn layered(staff: &JwtSession) -> Router {
    Router::new()
        .route("/report", get(|| async {}))
        .layer(staff.layer())
}

/// Around its routes alone: what is not there is a 404 for everybody.
fn route_layered(staff: &JwtSession) -> Router {
    Router::new()
        .route("/report", get(|| async {}))
        .route_layer(staff.layer())
}

/// Each route with a policy of its own. The layer of the outside comes first.
fn per_route(staff: &JwtSession) -> Router {
    let always = staff.layer().with_confirm(Confirm::Always);
    let public = staff.layer().with_anonymous(Anonymous::Allow);
    let fresh = RequireFresh::within(Duration::from_secs(300));
    let protected = Router::new()
        .route("/admin", get(|| async {}).layer(RequireRole::new("admin")))
        .route("/scope", get(|| async {}).layer(RequireScope::new("write")))
        .route("/account", get(|| async {}).layer(fresh))
        .route_layer(staff.layer());
    Router::new()
        .route("/payments", get(|| async {}).layer(always))
        .route("/front", get(|| async {}).layer(public))
        .merge(protected)
}

/// Two issuers side by side: a token of one opens nothing of the other.
fn two_issuers(staff: &JwtSession, partners: &JwtSession) -> Router {
    let of_staff = Router::new().route("/staff", get(|| async {}));
    let of_partners = Router::new().route("/partners", get(|| async {}));
    of_staff
        .route_layer(staff.layer())
        .merge(of_partners.route_layer(partners.layer()))
}

async fn sign_in(auth: &JwtSession, user: &str) -> Result<String, SessionError> {
    let ticket = auth.sessions().ticket(&UserId::new(user)?).await?;
    let signed_in = auth.sessions().sign_in(ticket, Device::default()).await?;
    Ok(signed_in.tokens().access_token)
}

async fn ask<S>(service: S, path: &str, token: &str) -> StatusCode
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = path.parse().expect("the paths below are paths");
    if let Ok(value) = format!("Bearer {token}").parse()
        && !token.is_empty()
    {
        request.headers_mut().insert("authorization", value);
    }
    let Ok(answer) = service.oneshot(request).await;
    answer.status()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let staff = issuer("staff.example", "an example; 32 random bytes in earnest")?;
    let partners = issuer("partners.example", "another example of 32 random bytes")?;
    let (ada, bob) = (
        sign_in(&staff, "ada").await?,
        sign_in(&partners, "bob").await?,
    );

    println!(
        "Router::layer       nowhere      nobody  {}",
        ask(layered(&staff), "/nowhere", "").await
    );
    println!(
        "Router::route_layer nowhere      nobody  {}",
        ask(route_layered(&staff), "/nowhere", "").await
    );
    println!(
        "Router::route_layer report       nobody  {}",
        ask(route_layered(&staff), "/report", "").await
    );
    println!(
        "Router::route_layer report       ada     {}",
        ask(route_layered(&staff), "/report", &ada).await
    );
    for path in ["/front", "/payments", "/account", "/admin", "/scope"] {
        let (nobody, known) = (
            ask(per_route(&staff), path, "").await,
            ask(per_route(&staff), path, &ada).await,
        );
        println!("per route           {path:<12} nobody  {nobody}");
        println!("per route           {path:<12} ada     {known}");
    }
    for (name, token) in [("ada", &ada), ("bob", &bob)] {
        for path in ["/staff", "/partners"] {
            let status = ask(two_issuers(&staff, &partners), path, token).await;
            println!("two issuers         {path:<12} {name:<7} {status}");
        }
    }
    let any = service_fn(|_| async { Ok(Response::new(Body::empty())) });
    println!(
        "any tower service   /            ada     {}",
        ask(staff.layer().layer(any), "/", &ada).await
    );
    Ok(())
}
