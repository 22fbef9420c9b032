//! The device cookie on the wire.

use http::request::Parts;
use http::{Request, StatusCode};
use tower_jwt_session::session::risk::RiskWatch;
use tower_jwt_session::session::{Device, Transport};
use tower_jwt_session::{JwtSession, JwtSessionBuilder, MemoryStore, SessionCookies, SessionStore};

use crate::support::{builder, user};

fn parts(cookie: Option<&str>) -> Parts {
    let mut request = Request::post("https://app.example/login")
        .header("host", "app.example")
        .header("sec-fetch-site", "same-origin");
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    request.body(()).unwrap().into_parts().0
}

/// What a sign-in sets beside its tokens.
async fn set(auth: &JwtSession, request: &Parts, transport: Transport) -> Option<String> {
    let sessions = auth.sessions();
    let ticket = sessions.ticket(&user("ada")).await.unwrap();
    let device = Device::from_headers(&request.headers, None);
    let signed_in = sessions.sign_in(ticket, device).transport(transport).await;
    let answer = auth.hand_out(request, StatusCode::OK, signed_in.unwrap().tokens());
    let answer = answer.unwrap();
    let set = answer.headers().get_all("set-cookie").iter();
    let set = set.filter_map(|value| value.to_str().ok());
    let mut device = set.filter(|value| value.starts_with("__Host-device="));
    let one = device.next().map(str::to_owned);
    assert_eq!(device.next(), None);
    one
}

fn built(set: impl FnOnce(JwtSessionBuilder) -> JwtSessionBuilder) -> JwtSession {
    set(builder().0).build().unwrap()
}

#[tokio::test]
async fn a_device_cookie_is_kept_from_scripts_and_set_again_as_it_was() {
    let auth = built(|builder| builder.watch_risk(RiskWatch::default()));
    let cookie = set(&auth, &parts(None), Transport::Cookie).await.unwrap();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(
        attributes,
        "Max-Age=31536000; Path=/; HttpOnly; Secure; SameSite=Lax"
    );
    let again = set(&auth, &parts(Some(pair)), Transport::Hybrid).await;
    assert_eq!(again.as_deref(), Some(cookie.as_str()));
    // What two parties put in belongs to neither.
    let tossed = format!("{pair}; __Host-device=AAAAAAAAAAAAAAAAAAAAAA");
    let third = set(&auth, &parts(Some(&tossed)), Transport::Cookie).await;
    assert_ne!(third.unwrap(), cookie);
}

#[tokio::test]
async fn a_device_cookie_is_set_where_something_is_done_with_it_or_where_asked_for() {
    let nothing = built(|builder| builder);
    assert_eq!(set(&nothing, &parts(None), Transport::Cookie).await, None);

    let watching = built(|builder| builder.watch_risk(RiskWatch::default()));
    assert_eq!(set(&watching, &parts(None), Transport::Body).await, None);
    let telling = built(|builder| builder.on_new_device(|_| ()));
    assert!(
        set(&telling, &parts(None), Transport::Hybrid)
            .await
            .is_some()
    );

    let always = SessionCookies::default().with_device_cookie(true);
    let always = built(|builder| builder.cookies(always));
    assert!(set(&always, &parts(None), Transport::Body).await.is_some());
    let never = SessionCookies::default().with_device_cookie(false);
    let never = built(|builder| builder.on_new_device(|_| ()).cookies(never));
    assert_eq!(set(&never, &parts(None), Transport::Cookie).await, None);
    let here = "127.0.0.1:3000".parse().unwrap();
    let plain = SessionCookies::default().dangerous_without_secure(here);
    let plain = built(|builder| builder.on_new_device(|_| ()).cookies(plain));
    assert_eq!(set(&plain, &parts(None), Transport::Cookie).await, None);
}

#[tokio::test]
async fn a_cookie_that_nobody_asked_for_is_kept_nowhere() {
    let (builder, clock) = builder();
    let store = MemoryStore::with_clock(std::sync::Arc::new(clock));
    let auth = builder.store(store.clone()).build().unwrap();
    let request = parts(Some("__Host-device=AAECAwQFBgcICQoLDA0ODw"));
    let device = Device::from_headers(&request.headers, None);
    assert!(device.cookie.is_some());
    let sessions = auth.sessions();
    let ticket = sessions.ticket(&user("ada")).await.unwrap();
    let signed_in = sessions.sign_in(ticket, device).await.unwrap();
    let record = store.find(signed_in.session.id).await.unwrap().unwrap();
    assert_eq!((record.device.cookie, record.device.mark), (None, None));
}

#[tokio::test]
async fn another_site_gets_no_browser_to_take_a_device_cookie() {
    let always = SessionCookies::default().with_device_cookie(true);
    let auth = built(|builder| builder.cookies(always));
    let mut request = parts(None);
    let elsewhere = http::HeaderValue::from_static("cross-site");
    request.headers.insert("sec-fetch-site", elsewhere);
    assert_eq!(set(&auth, &request, Transport::Body).await, None);
}
