//! How tokens travel, and that they go on as they were signed in.

use std::time::Duration;

use http::{Request, StatusCode};
use tower_jwt_session::SessionCookies;

use crate::browser::{AT, Answer, Browser, OURS, RT, Site, bearer};

/// What a script on the page gets to see.
fn seen(answer: &Answer) -> [bool; 2] {
    let has = |name| answer.body.get(name).is_some();
    [has("access_token"), has("refresh_token")]
}

fn cookies(answer: &Answer) -> [bool; 2] {
    [answer.sets(AT), answer.sets(RT)]
}

/// What a refresh answers in each transport: members of the body, cookies.
const TRANSPORTS: [(&str, [bool; 2], [bool; 2]); 3] = [
    ("body", [true, true], [false, false]),
    ("hybrid", [true, false], [false, true]),
    ("cookie", [false, false], [true, true]),
];

async fn refreshed(browser: &mut Browser, signed_in: &Answer) -> Answer {
    match signed_in.body["refresh_token"].as_str() {
        Some(token) => {
            let form = format!(r#"{{"refresh_token":"{token}"}}"#);
            browser.post("/api/auth/refresh", &form, &[]).await
        }
        None => browser.refresh().await,
    }
}

#[tokio::test]
async fn a_session_is_answered_in_its_transport_for_life() {
    for (transport, members, set) in TRANSPORTS {
        let site = Site::new().await;
        let mut browser = site.browser();
        let signed_in = browser.sign_in("ada", transport).await;
        assert_eq!(seen(&signed_in), members, "{transport}: {signed_in:?}");
        assert_eq!(cookies(&signed_in), set, "{transport}: {signed_in:?}");
        for generation in 2..4 {
            site.pass_hold_off().await;
            let answer = if generation == 2 {
                refreshed(&mut browser, &signed_in).await
            } else if transport == "body" {
                break;
            } else {
                browser.refresh().await
            };
            assert_eq!(answer.status, 200, "{transport}: {answer:?}");
            assert_eq!(seen(&answer), members, "{transport}: {answer:?}");
            assert_eq!(cookies(&answer), set, "{transport}: {answer:?}");
            assert_eq!(answer.body["generation"], generation);
            assert_eq!(answer.body["session_id"], signed_in.body["session_id"]);
            assert!(answer.body["expires_in"].is_u64());
        }
    }
}

#[tokio::test]
async fn no_body_holds_what_a_cookie_holds() {
    let site = Site::new().await;
    for transport in ["hybrid", "cookie"] {
        let mut browser = site.browser();
        let signed_in = browser.sign_in("ada", transport).await;
        site.pass_hold_off().await;
        let refreshed = browser.refresh().await;
        for answer in [&signed_in, &refreshed] {
            let body = answer.body.to_string();
            for cookie in answer.cookies() {
                let value = cookie.split(['=', ';']).nth(1).unwrap();
                assert!(!body.contains(value), "{transport}: {body}");
            }
        }
    }
}

#[tokio::test]
async fn cookies_carry_what_browsers_need_to_protect_them() {
    let site = Site::new().await;
    let mut browser = site.browser();
    let answer = browser.sign_in("ada", "cookie").await;
    let [access, refresh] = answer.cookies().try_into().unwrap();
    let thirty_days = "; Max-Age=2592000";
    let attributes = |cookie: &str| {
        let rest = cookie.split_once(';').unwrap().1;
        format!(";{rest}")
    };
    assert_eq!(
        attributes(access),
        format!("{thirty_days}; Path=/; HttpOnly; Secure; SameSite=Lax")
    );
    assert_eq!(
        attributes(refresh),
        format!("{thirty_days}; Path=/api; HttpOnly; Secure; SameSite=Strict")
    );
    assert_eq!(answer.headers["cache-control"], "no-store");
}

#[tokio::test]
async fn the_token_endpoints_answer_in_the_transport_of_the_session_too() {
    let site = Site::new().await;
    let mut browser = site.browser();
    browser.sign_in("ada", "cookie").await;
    site.pass_hold_off().await;
    let answer = browser.post("/api/token/refresh", "{}", &[OURS]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(cookies(&answer), [true, true]);
    let data = &answer.body["data"];
    assert!(data.get("accessToken").is_none() && data.get("refreshToken").is_none());
    assert!(data["expiresIn"].is_u64());

    site.pass_hold_off().await;
    let (access, refresh) = (browser.cookie(AT).unwrap(), browser.cookie(RT).unwrap());
    let form = format!(r#"{{"accessToken":"{access}","refreshToken":"{refresh}"}}"#);
    site.clock.advance(Duration::from_secs(7_200));
    let answer = browser
        .post("/api/token/auto-refresh", &form, &[OURS])
        .await;
    assert_eq!(answer.body["data"]["refreshed"], true, "{answer:?}");
    assert!(answer.body["data"].get("accessToken").is_none());
    assert_eq!(cookies(&answer), [true, true]);
}

#[tokio::test]
async fn a_browser_whose_cookies_were_cleared_is_told_that_it_has_no_token() {
    let site = Site::new().await;
    let mut browser = site.browser();
    browser.sign_in("ada", "cookie").await;
    browser.jar.clear();
    browser.refresh().await.refused(401, "missing_token");
}

#[tokio::test]
async fn the_same_pair_again_sets_no_refresh_cookie() {
    let site = Site::new().await;
    let mut browser = site.browser();
    browser.sign_in("ada", "cookie").await;
    site.pass_hold_off().await;
    assert!(browser.refresh().await.sets(RT), "it rotated");
    let again = browser.refresh().await;
    assert_eq!((again.status.as_u16(), again.sets(RT)), (200, false));
    assert_eq!(again.body["generation"], 2);
}

#[tokio::test]
async fn a_lost_answer_is_given_again_with_its_refresh_cookie() {
    let site = Site::new().await;
    let mut browser = site.browser();
    browser.sign_in("ada", "cookie").await;
    site.pass_hold_off().await;
    let mut lost = browser.clone();
    lost.refresh().await;
    let again = browser.refresh().await;
    assert!(again.sets(RT), "{again:?}");
    assert_eq!(browser.cookie(RT), lost.cookie(RT));
}

#[tokio::test]
async fn an_answer_of_a_lower_generation_sets_no_cookie() {
    let site = Site::new().await;
    let mut browser = site.browser();
    browser.sign_in("ada", "cookie").await;
    site.pass_hold_off().await;
    let first = browser.cookie(RT).unwrap().to_owned();
    let late = site.auth.sessions().refresh(&first).await.unwrap();
    // The answer above is held up, and overtaken by the next rotation.
    browser.refresh().await;
    site.pass_hold_off().await;
    assert_eq!(browser.refresh().await.body["generation"], 3);
    let answered = |cookies: String| {
        let request = Request::builder().method("POST").header(OURS.0, OURS.1);
        let request = request.header("cookie", cookies).body(()).unwrap();
        let (head, ()) = request.into_parts();
        let answer = site.auth.hand_out(&head, StatusCode::OK, late.clone());
        answer.unwrap().headers().contains_key("set-cookie")
    };
    for name in [AT, RT] {
        let held = format!("{name}={}", browser.cookie(name).unwrap());
        assert!(!answered(held), "{name}");
    }
    assert!(answered(format!("{RT}={first}")));
    let mut other = site.browser();
    other.sign_in("ada", "cookie").await;
    assert!(answered(format!("{AT}={}", other.cookie(AT).unwrap())));
}

#[tokio::test]
async fn signing_out_ends_the_session_and_takes_both_cookies_back() {
    for transport in ["hybrid", "cookie"] {
        let site = Site::new().await;
        let mut browser = site.browser();
        let signed_in = browser.sign_in("ada", transport).await;
        let mut kept = browser.clone();
        let answer = browser.post("/api/auth/logout", "", &[OURS]).await;
        assert_eq!(answer.status, 204, "{answer:?}");
        assert!(browser.jar.is_empty(), "{:?}", browser.jar);
        assert_eq!(answer.cookies().len(), 2);
        site.pass_hold_off().await;
        kept.refresh().await.refused(401, "invalid_token");
        if let Some(token) = signed_in.body["access_token"].as_str() {
            let (name, value) = bearer(token);
            let refused = kept.send("GET", "/me", "", &[(name, &value)]).await;
            refused.refused(401, "token_revoked");
        }
    }
}

#[tokio::test]
async fn a_refresh_that_is_refused_takes_no_cookie_back() {
    let site = Site::new().await;
    let mut browser = site.browser();
    browser.sign_in("ada", "cookie").await;
    let mut late = browser.clone();
    browser.post("/api/auth/logout", "", &[OURS]).await;
    late.refresh().await.refused(401, "invalid_token");
    assert!(late.cookie(RT).is_some() && late.cookie(AT).is_some());
}

#[tokio::test]
async fn a_sign_out_by_bearer_takes_the_cookie_back_as_well() {
    let site = Site::new().await;
    let mut browser = site.browser();
    let token = browser.sign_in("ada", "hybrid").await.text("access_token");
    let (name, value) = bearer(&token);
    // From elsewhere the token alone counts, and the cookies are left alone.
    let mut elsewhere = browser.clone();
    let answer = elsewhere
        .post("/api/auth/logout", "", &[(name, &value)])
        .await;
    assert_eq!((answer.status.as_u16(), answer.cookies().len()), (204, 0));
    let answer = browser
        .post("/api/auth/logout", "", &[(name, &value), OURS])
        .await;
    assert_eq!((answer.status.as_u16(), answer.cookies().len()), (204, 2));
}

#[tokio::test]
async fn a_sign_out_with_cookies_that_are_good_for_nothing_takes_them_back() {
    let site = Site::new().await;
    let mut browser = site.browser();
    browser.toss(AT, "garbage");
    browser.toss(RT, "garbage");
    let answer = browser.post("/api/auth/logout", "", &[OURS]).await;
    assert_eq!((answer.status.as_u16(), answer.cookies().len()), (204, 2));
    let answer = site.browser().post("/api/auth/logout", "", &[OURS]).await;
    answer.refused(401, "missing_token");
}

#[tokio::test]
async fn an_expired_access_cookie_signs_out_and_refreshes() {
    let site = Site::new().await;
    let mut browser = site.browser();
    browser.sign_in("ada", "cookie").await;
    site.clock.advance(Duration::from_secs(3 * 3_600));
    assert!(browser.cookie(AT).is_some(), "it outlives its token");
    browser.get("/me").await.refused(401, "token_expired");
    assert_eq!(browser.clone().refresh().await.status, 200);
    let answer = browser.post("/api/auth/logout", "", &[OURS]).await;
    assert_eq!((answer.status.as_u16(), answer.cookies().len()), (204, 2));
}

#[tokio::test]
async fn where_cookies_are_off_nothing_is_set_or_read() {
    let on = Site::new().await;
    let mut browser = on.browser();
    browser.sign_in("ada", "cookie").await;

    let site = Site::with(|builder| builder.cookies(SessionCookies::off())).await;
    for transport in ["hybrid", "cookie"] {
        let form = format!(r#"{{"user":"ada","transport":"{transport}"}}"#);
        let refused = site.browser().post("/api/auth/login", &form, &[OURS]).await;
        refused.refused(422, "invalid_input");
    }
    assert_eq!(site.browser().sign_in("ada", "body").await.status, 200);
    let mut stranger = site.browser();
    stranger.jar = browser.jar;
    stranger.get("/me").await.refused(401, "missing_token");
    stranger.refresh().await.refused(415, "invalid_input");
    let out = stranger.post("/api/auth/logout", "", &[OURS]).await;
    out.refused(401, "missing_token");
}
