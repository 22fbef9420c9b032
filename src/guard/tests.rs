use std::sync::atomic::Ordering::SeqCst;
use std::task::Poll;

use http::{Request, Response, StatusCode};
use tower_layer::Layer;
use tower_service::Service;

use super::*;
use crate::middleware::fixtures::{Body, Broken, Staged, poll, poll_ready, request, session, text};

fn signed_in(roles: &[&str], scopes: &[&str]) -> Request<Body> {
    let mut request = request();
    request.extensions_mut().insert(session(roles, scopes));
    request
}

/// Sends a request through a guard around a service that is ready.
fn send<L>(guard: &L, request: Request<Body>) -> Response<Body>
where
    L: Layer<Staged>,
    L::Service: Service<Request<Body>, Response = Response<Body>, Error = Broken>,
    <L::Service as Service<Request<Body>>>::Future: Unpin,
{
    let (inner, stage) = Staged::new();
    let mut service = guard.layer(inner);
    stage.allow(1);
    assert!(poll_ready(&mut service).is_ready());
    match poll(&mut service.call(request)) {
        Poll::Ready(outcome) => outcome.unwrap(),
        Poll::Pending => panic!("this guard knows at once"),
    }
}

fn status<L>(guard: &L, request: Request<Body>) -> StatusCode
where
    L: Layer<Staged>,
    L::Service: Service<Request<Body>, Response = Response<Body>, Error = Broken>,
    <L::Service as Service<Request<Body>>>::Future: Unpin,
{
    send(guard, request).status()
}

#[test]
fn nobody_signed_in_is_a_401_at_every_guard() {
    assert_eq!(status(&RequireRole::new("admin"), request()), 401);
    assert_eq!(status(&RequireAnyRole::new(["admin"]), request()), 401);
    assert_eq!(status(&RequireScope::new("read"), request()), 401);
    assert_eq!(status(&RequireFresh::within(Duration::MAX), request()), 401);
    let response = send(&RequireConfirmed::always(), request());
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
}

#[test]
fn the_wrong_role_is_a_403_and_the_right_one_passes() {
    let guard = RequireRole::new("admin");
    assert_eq!(status(&guard, signed_in(&["user"], &[])), 403);
    assert_eq!(status(&guard, signed_in(&["Admin"], &[])), 403);
    assert_eq!(status(&guard, signed_in(&[], &["admin"])), 403);
    assert_eq!(
        text(send(&guard, signed_in(&["user", "admin"], &[]))),
        "ada"
    );
}

#[test]
fn one_of_several_roles_is_enough_and_none_never_is() {
    let guard = RequireAnyRole::new(["admin", "auditor"]);
    assert_eq!(status(&guard, signed_in(&["auditor"], &[])), 200);
    assert_eq!(status(&guard, signed_in(&["user"], &[])), 403);
    let nobody = RequireAnyRole::new(Vec::<String>::new());
    assert_eq!(status(&nobody, signed_in(&["admin"], &[])), 403);
}

#[test]
fn a_missing_scope_is_a_403_that_names_it() {
    let guard = RequireScope::new("reports:read");
    assert_eq!(status(&guard, signed_in(&[], &["reports:read"])), 200);
    let response = send(&guard, signed_in(&["reports:read"], &["reports"]));
    assert_eq!(response.status(), 403);
    let challenge = response.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.ends_with("scope=\"reports:read\""), "{challenge}");
}

#[test]
fn a_sign_in_whose_age_nobody_knows_is_not_fresh() {
    let guard = RequireFresh::within(Duration::from_secs(300));
    let response = send(&guard, signed_in(&["admin"], &[]));
    assert_eq!(response.status(), 401);
    let challenge = response.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("insufficient_user_authentication"));
    assert!(challenge.ends_with("max_age=\"300\""), "{challenge}");
}

#[test]
fn a_session_that_no_store_can_confirm_does_not_pass() {
    let guard = RequireConfirmed::always();
    assert_eq!(status(&guard, signed_in(&["admin"], &[])), 500);
}

#[test]
fn outer_layers_see_why_a_guard_refused() {
    let response = send(&RequireRole::new("admin"), signed_in(&[], &[]));
    assert_eq!(
        response.extensions().get(),
        Some(&Rejection::InsufficientRole)
    );
}

#[test]
fn a_guard_answers_in_the_applications_own_way() {
    let guard = RequireRole::new("admin").with_responses(|rejection: &Rejection| {
        let mut response = Response::new(Body::from(rejection.code()));
        *response.status_mut() = StatusCode::NOT_FOUND;
        response
    });
    let response = send(&guard, signed_in(&[], &[]));
    assert_eq!(response.status(), 404);
    assert_eq!(text(response), "insufficient_role");
}

#[test]
fn guards_stack_and_each_has_its_say() {
    let both = |inner| RequireRole::new("admin").layer(RequireScope::new("write").layer(inner));
    let both = tower::layer::layer_fn(both);
    assert_eq!(status(&both, signed_in(&["admin"], &["write"])), 200);
    assert_eq!(status(&both, signed_in(&["admin"], &[])), 403);
    assert_eq!(status(&both, signed_in(&[], &["write"])), 403);
}

#[test]
fn a_guard_is_ready_exactly_when_the_inner_service_is() {
    let (inner, stage) = Staged::new();
    let mut service = RequireRole::new("admin").layer(inner);
    assert!(poll_ready(&mut service).is_pending());
    stage.allow(1);
    assert!(poll_ready(&mut service).is_ready());
    drop(service.call(signed_in(&["admin"], &[])));
    assert_eq!((stage.called(), stage.instances()), (vec![0], 1));
    assert!(poll_ready(&mut service).is_pending());
}

#[test]
fn an_error_of_the_inner_service_passes_a_guard_unchanged() {
    let (inner, stage) = Staged::ready();
    stage.broken.store(true, SeqCst);
    let mut service = RequireScope::new("read").layer(inner);
    let Poll::Ready(Err(error)) = poll(&mut service.call(signed_in(&[], &["read"]))) else {
        panic!("the inner service fails");
    };
    assert_eq!(error, Broken);
}

#[test]
fn the_debug_form_of_a_guard_says_what_it_asks() {
    let guard = RequireRole::new("admin");
    assert_eq!(format!("{guard:?}"), "RequireRole(Role(\"admin\"))");
}
