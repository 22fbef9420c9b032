//! What others may try with somebody's cookies.

use tower_jwt_session::AllowedOrigins;

use crate::browser::{AT, OURS, RT, Site, bearer};

const EVIL: (&str, &str) = ("origin", "https://evil.example");
const OWN: (&str, &str) = ("origin", "https://app.example");
const REFERER: (&str, &str) = ("referer", "https://app.example/devices");
const CROSS: (&str, &str) = ("sec-fetch-site", "cross-site");
const SIBLING: (&str, &str) = ("sec-fetch-site", "same-site");
const TYPED: (&str, &str) = ("sec-fetch-site", "none");

/// Headers of a request that changes something, and whether a cookie may speak for it.
const SENDERS: [(&[(&str, &str)], bool); 13] = [
    (&[], false),
    (&[REFERER], false),
    (&[EVIL], false),
    (&[EVIL, REFERER], false),
    (&[("origin", "null")], false),
    (&[CROSS], false),
    (&[CROSS, OWN, REFERER], false),
    (&[SIBLING], false),
    (&[SIBLING, OWN], false),
    (&[OWN], true),
    (&[OURS], true),
    (&[OURS, OWN], true),
    (&[TYPED], true),
];

#[tokio::test]
async fn a_route_of_the_application_takes_changes_from_our_own_pages_alone() {
    let site = Site::new().await;
    let mut browser = site.browser();
    browser.sign_in("ada", "cookie").await;
    for (headers, passes) in SENDERS {
        let answer = browser.post("/me", "", headers).await;
        if passes {
            assert_eq!(answer.body["user"], "ada", "{headers:?}: {answer:?}");
        } else {
            answer.refused(403, "csrf_rejected");
        }
        let read = browser.send("GET", "/me", "", headers).await;
        assert_eq!(read.body["user"], "ada", "to read is always allowed");
    }
}

#[tokio::test]
async fn every_endpoint_that_changes_something_is_for_our_own_pages_alone() {
    let site = Site::new().await;
    let mut browser = site.browser();
    let id = browser.sign_in("ada", "cookie").await.text("session_id");
    let one = format!("/sessions/{id}");
    let name = format!("/sessions/{id}/name?name=x");
    let calls = [
        ("DELETE", one.as_str()),
        ("PATCH", &name),
        ("POST", "/sessions/revoke-all?keep_current=false"),
        ("POST", "/api/auth/refresh"),
        ("POST", "/api/auth/logout"),
        ("POST", "/api/token/refresh"),
    ];
    for (headers, passes) in SENDERS {
        for (method, path) in calls {
            if !passes {
                let answer = browser.send(method, path, "", headers).await;
                answer.refused(403, "csrf_rejected");
            }
        }
    }
    assert_eq!(
        browser.get("/me").await.body["user"],
        "ada",
        "none took hold"
    );
    site.pass_hold_off().await;
    let refreshed = browser.refresh().await;
    assert_eq!(refreshed.body["generation"], 2, "it is the first");
}

#[tokio::test]
async fn nobody_is_signed_in_by_cookie_from_elsewhere() {
    let site = Site::new().await;
    for (headers, passes) in SENDERS {
        for transport in ["hybrid", "cookie"] {
            let form = format!(r#"{{"user":"ada","transport":"{transport}"}}"#);
            let answer = site.browser().post("/api/auth/login", &form, headers).await;
            assert_eq!(answer.status == 200, passes, "{headers:?}");
            if !passes {
                answer.refused(403, "csrf_rejected");
            }
        }
        let form = r#"{"user":"ada"}"#;
        let answer = site.browser().post("/api/auth/login", form, headers).await;
        assert_eq!(
            answer.status, 200,
            "what sets no cookie is open: {headers:?}"
        );
    }
}

#[tokio::test]
async fn a_refresh_by_body_sets_no_cookie_from_elsewhere() {
    let site = Site::new().await;
    let mut browser = site.browser();
    browser.sign_in("ada", "cookie").await;
    let form = format!(r#"{{"refresh_token":"{}"}}"#, browser.cookie(RT).unwrap());
    let answer = site
        .browser()
        .post("/api/auth/refresh", &form, &[EVIL])
        .await;
    answer.refused(403, "csrf_rejected");
    let answer = site
        .browser()
        .post("/api/auth/refresh", &form, &[OURS])
        .await;
    assert!(answer.sets(RT), "the client tries again: {answer:?}");
}

#[tokio::test]
async fn a_bearer_token_needs_no_origin_and_never_gives_way_to_the_cookie() {
    let site = Site::new().await;
    let mut browser = site.browser();
    browser.sign_in("ada", "cookie").await;
    let token = site
        .browser()
        .sign_in("bob", "body")
        .await
        .text("access_token");
    let (name, good) = bearer(&token);
    for headers in [&[(name, good.as_str()), EVIL][..], &[(name, &good), CROSS]] {
        let answer = browser.post("/me", "", headers).await;
        assert_eq!(answer.body["user"], "bob", "{answer:?}");
    }
    for bad in ["Bearer ", "Bearer x.y.z", "Bearer", "bearer garbage"] {
        for path in ["/me", "/public"] {
            let answer = browser.send("GET", path, "", &[(name, bad)]).await;
            assert_eq!(answer.status, 401, "{path} {bad:?}: {answer:?}");
        }
        let answer = browser
            .post("/api/auth/refresh", "", &[(name, bad), OURS])
            .await;
        assert_eq!(answer.status, 401, "{bad:?}: {answer:?}");
    }
    let twice = [(name, good.as_str()), (name, good.as_str())];
    let answer = browser.send("GET", "/me", "", &twice).await;
    answer.refused(401, "malformed_token");
}

#[tokio::test]
async fn a_cookie_that_stands_twice_is_refused_in_either_order() {
    let site = Site::new().await;
    let mut browser = site.browser();
    browser.sign_in("ada", "cookie").await;
    let mut thief = site.browser();
    thief.sign_in("mallory", "cookie").await;
    for value in [thief.cookie(AT).unwrap(), "garbage", ""] {
        let mut tossed = browser.clone();
        tossed.toss(AT, value);
        tossed.get("/me").await.refused(401, "malformed_token");
        tossed.jar.reverse();
        tossed.get("/me").await.refused(401, "malformed_token");
        tossed.refresh().await.refused(401, "malformed_token");
    }
    for value in [thief.cookie(RT).unwrap(), "garbage", ""] {
        let mut tossed = browser.clone();
        tossed.toss(RT, value);
        tossed.refresh().await.refused(401, "malformed_token");
        tossed.jar.reverse();
        tossed.refresh().await.refused(401, "malformed_token");
    }
}

#[tokio::test]
async fn a_tossed_refresh_cookie_of_another_session_is_refused() {
    let site = Site::new().await;
    let mut thief = site.browser();
    thief.sign_in("mallory", "cookie").await;
    let tossed = thief.cookie(RT).unwrap().to_owned();

    let mut victim = site.browser();
    victim.sign_in("ada", "cookie").await;
    victim.drop_cookie(RT);
    victim.toss(RT, &tossed);
    victim.refresh().await.refused(401, "invalid_token");
    site.clock
        .advance(std::time::Duration::from_secs(3 * 3_600));
    // The access cookie still says whose browser it is.
    victim.refresh().await.refused(401, "invalid_token");
    // In the hybrid transport the bearer token does.
    let mut hybrid = site.browser();
    let token = hybrid.sign_in("ada", "hybrid").await.text("access_token");
    hybrid.drop_cookie(RT);
    hybrid.toss(RT, &tossed);
    let (name, value) = bearer(&token);
    let answer = hybrid
        .post("/api/auth/refresh", "", &[OURS, (name, &value)])
        .await;
    answer.refused(401, "invalid_token");
    // And nothing of the thief's session was touched by all that.
    assert_eq!(thief.refresh().await.body["generation"], 2);
}

#[tokio::test]
async fn a_sign_out_ends_the_session_of_the_access_cookie_whatever_was_tossed() {
    let site = Site::new().await;
    let mut other = site.browser();
    other.sign_in("bob", "cookie").await;
    let mut browser = site.browser();
    browser.sign_in("ada", "cookie").await;
    let mut kept = browser.clone();
    browser.drop_cookie(RT);
    browser.toss(RT, other.cookie(RT).unwrap());
    let answer = browser.post("/api/auth/logout", "", &[OURS]).await;
    assert_eq!(answer.status, 204);
    kept.get("/me").await.refused(401, "token_revoked");
    assert_eq!(other.get("/me").await.body["user"], "bob");
}

#[tokio::test]
async fn a_cookie_of_a_session_without_cookies_brings_no_tokens() {
    let site = Site::new().await;
    let token = site
        .browser()
        .sign_in("mallory", "body")
        .await
        .text("refresh_token");
    let mut victim = site.browser();
    victim.toss(RT, &token);
    victim.refresh().await.refused(401, "invalid_token");
}

#[tokio::test]
async fn plain_names_are_read_only_where_they_are_set() {
    let secure = Site::new().await;
    let mut browser = secure.browser();
    browser.sign_in("ada", "cookie").await;
    let (at, rt) = (browser.cookie(AT).unwrap(), browser.cookie(RT).unwrap());
    for (access, refresh) in [
        ("at", "rt"),
        ("__Secure-at", "__Host-rt"),
        ("__host-at", "__secure-rt"),
    ] {
        let mut tossed = secure.browser();
        tossed.toss(access, at);
        tossed.toss(refresh, rt);
        tossed.get("/me").await.refused(401, "missing_token");
        tossed.refresh().await.refused(401, "missing_token");
        let out = tossed.post("/api/auth/logout", "", &[OURS]).await;
        out.refused(401, "missing_token");
    }

    let insecure = Site::insecure().await;
    let mut browser = insecure.browser();
    let answer = browser.sign_in("ada", "cookie").await;
    assert!(answer.sets("at") && answer.sets("rt") && !answer.sets(AT));
    assert!(
        answer
            .cookies()
            .iter()
            .all(|cookie| !cookie.contains("Secure"))
    );
    assert_eq!(browser.get("/me").await.body["user"], "ada");
    let mut prefixed = insecure.browser();
    prefixed.toss(AT, browser.cookie("at").unwrap());
    prefixed.get("/me").await.refused(401, "missing_token");
    let http = [("origin", "http://app.example")];
    let answer = browser.post("/me", "", &http).await;
    assert_eq!(answer.body["user"], "ada", "its pages have no TLS, either");
}

#[tokio::test]
async fn an_unusable_access_cookie_keeps_nobody_from_public_pages_sign_in_and_refresh() {
    let site = Site::new().await;
    let mut out = site.browser();
    out.sign_in("ada", "cookie").await;
    let ended = out.cookie(AT).unwrap().to_owned();
    out.post("/api/auth/logout", "", &[OURS]).await;
    for unusable in ["garbage", "", "x.y.z", &ended] {
        let mut browser = site.browser();
        browser.toss(AT, unusable);
        let public = browser.get("/public").await;
        assert_eq!(
            (public.status.as_u16(), &public.body["user"]),
            (200, &().into())
        );
        let public = browser.post("/public", "", &[EVIL]).await;
        assert_eq!(
            (public.status.as_u16(), &public.body["user"]),
            (200, &().into())
        );
        browser.sign_in("ada", "cookie").await;
        assert_eq!(browser.get("/me").await.body["user"], "ada", "{unusable:?}");

        let mut refreshing = site.browser();
        refreshing.sign_in("ada", "hybrid").await;
        if unusable != ended {
            refreshing.toss(AT, unusable);
            assert_eq!(refreshing.refresh().await.status, 200, "{unusable:?}");
        }
    }
    let mut good = site.browser();
    good.sign_in("ada", "cookie").await;
    assert_eq!(good.get("/public").await.body["user"], "ada");
    let foreign = good.post("/public", "", &[EVIL]).await;
    assert_eq!(
        foreign.body["user"],
        serde_json::Value::Null,
        "it is not used"
    );
}

#[tokio::test]
async fn a_page_of_a_listed_origin_may_do_what_ours_may() {
    let site = Site::with(|builder| {
        let listed = vec!["https://front.example".to_owned()];
        builder.allowed_origins(AllowedOrigins::Listed(listed))
    })
    .await;
    let mut browser = site.browser();
    browser.sign_in("ada", "cookie").await;
    let front = [SIBLING, ("origin", "https://front.example")];
    assert_eq!(browser.post("/me", "", &front).await.body["user"], "ada");
    let other = [SIBLING, ("origin", "https://other.example")];
    browser
        .post("/me", "", &other)
        .await
        .refused(403, "csrf_rejected");
}

#[tokio::test]
async fn a_request_from_elsewhere_does_not_even_count_as_a_use() {
    let site = Site::new().await;
    let mut browser = site.browser();
    browser.sign_in("ada", "cookie").await;
    site.pass_hold_off().await;
    // The answer is lost: nobody has used the successor, unless a page elsewhere could.
    let mut lost = browser.clone();
    lost.refresh().await;
    lost.post("/me", "", &[EVIL])
        .await
        .refused(403, "csrf_rejected");
    site.pass_hold_off().await;
    let replaced = browser.refresh().await;
    assert_eq!(replaced.body["generation"], 3, "{replaced:?}");
}
