use super::*;
use crate::config::AllowedOrigins;
use crate::jwt_session::JwtSession;

const SECRET: (&str, &str) = ("JWT_SECRET", "6f1d0c9ab27e4853f0e19d7c5a3b8264");

fn build(pairs: &[(&str, &str)]) -> Result<JwtSession, String> {
    let pairs = pairs.iter().copied().chain([SECRET]);
    let env = Environment::from_pairs(pairs);
    let built = JwtSession::builder().with_env(&env).build();
    built.map_err(|problems| problems.to_string())
}

const LOOPBACK: (&str, &str) = ("LISTEN_ADDR", "127.0.0.1:3000");

#[test]
fn cookies_are_as_safe_as_browsers_can_make_them_unless_told_otherwise() {
    let auth = build(&[]).unwrap();
    let cookies = auth.cookies();
    assert!(cookies.allow(Transport::Cookie) && cookies.allow(Transport::Hybrid));
    assert_eq!(cookies.access_name(), "__Host-at");
    assert_eq!(cookies.refresh_name(), "__Secure-rt");
    let access = "; Path=/; HttpOnly; Secure; SameSite=Lax";
    assert_eq!(cookies.access_attributes(), access);
    let refresh = "; Path=/api; HttpOnly; Secure; SameSite=Strict";
    assert_eq!(cookies.refresh_attributes(), refresh);
}

#[test]
fn what_is_off_is_not_allowed_and_not_read() {
    let auth = build(&[("SESSION_COOKIES", "off")]).unwrap();
    assert!(!auth.cookies().allow(Transport::Hybrid));
    assert!(auth.cookies().allow(Transport::Body));
    let source = format!("{:?}", auth.cookies().token_source());
    assert!(!source.contains("Cookie"), "{source}");
}

#[test]
fn insecure_cookies_are_for_a_server_on_this_machine_alone() {
    for setting in [
        ("SESSION_COOKIE_SECURE", "false"),
        ("SESSION_COOKIE_HTTP_ONLY", "false"),
        ("SESSION_COOKIE_SAME_SITE", "none"),
    ] {
        assert!(build(&[setting, LOOPBACK]).is_ok(), "{setting:?}");
        assert!(build(&[setting, ("LISTEN_ADDR", "[::1]:0")]).is_ok());
        for elsewhere in ["0.0.0.0:3000", "192.0.2.7:3000", "", "nonsense"] {
            let error = build(&[setting, ("LISTEN_ADDR", elsewhere)]).unwrap_err();
            assert!(error.contains("LISTEN_ADDR"), "{setting:?}: {error}");
        }
    }
    assert!(build(&[("SESSION_COOKIE_SAME_SITE", "Lax")]).is_ok());
}

#[test]
fn plain_names_are_those_of_cookies_without_tls_alone() {
    let auth = build(&[("SESSION_COOKIE_SECURE", "false"), LOOPBACK]).unwrap();
    assert_eq!(auth.cookies().access_name(), "at");
    assert_eq!(auth.cookies().refresh_name(), "rt");
    let refresh = "; Path=/api; HttpOnly; SameSite=Strict";
    assert_eq!(auth.cookies().refresh_attributes(), refresh);
}

#[test]
fn every_mistake_is_told_at_once() {
    let error = build(&[
        ("SESSION_COOKIES", "on"),
        ("SESSION_COOKIE_SECURE", "maybe"),
        ("SESSION_COOKIE_HTTP_ONLY", "x"),
        ("SESSION_COOKIE_SAME_SITE", "sometimes"),
        (
            "CORS_ALLOWED_ORIGINS",
            "https://a.example, b.example,https://c.example/",
        ),
    ])
    .unwrap_err();
    for named in [
        "COOKIES",
        "SECURE",
        "HTTP_ONLY",
        "SAME_SITE",
        "b.example",
        "c.example/",
    ] {
        assert!(error.contains(named), "{named}: {error}");
    }
    assert!(!error.contains("a.example"), "{error}");
}

#[test]
fn every_origin_is_not_one_of_ours() {
    assert!(build(&[("CORS_ALLOWED_ORIGINS", "*")]).is_ok());
    let wrong = JwtSession::builder().hmac_secret(SECRET.1);
    assert!(
        wrong
            .allowed_origins(AllowedOrigins::Listed(vec!["*".to_owned()]))
            .build()
            .is_err()
    );
}

#[test]
fn a_path_of_the_refresh_cookie_ends_no_attribute() {
    for path in ["", "api", "/a;b", "/a b", "/\u{e4}"] {
        let builder = JwtSession::builder().hmac_secret(SECRET.1);
        let cookies = SessionCookies::default().with_refresh_path(path);
        assert!(builder.cookies(cookies).build().is_err(), "{path:?}");
    }
}
