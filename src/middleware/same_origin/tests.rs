use super::*;

const HERE: &str = "app.example";

fn admitted(method: &str, headers: &[(&str, &str)]) -> Result<(), CrossOrigin> {
    by(&origins(), method, headers)
}

fn origins() -> Origins {
    let mut origins = Origins::default();
    origins.add("https://front.example").unwrap();
    origins
}

fn by(origins: &Origins, method: &str, headers: &[(&str, &str)]) -> Result<(), CrossOrigin> {
    let mut request = Request::builder().method(method).uri("/sessions");
    if !headers.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", HERE);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    origins.admit(Head::from(&request.body(()).unwrap()))
}

const ELSEWHERE: Result<(), CrossOrigin> = Err(CrossOrigin::Elsewhere);

#[test]
fn what_only_reads_may_come_from_everywhere() {
    for method in ["GET", "HEAD", "OPTIONS"] {
        for headers in [
            &[][..],
            &[
                ("sec-fetch-site", "cross-site"),
                ("origin", "https://evil.example"),
            ],
        ] {
            assert_eq!(admitted(method, headers), Ok(()));
        }
    }
}

#[test]
fn a_websocket_is_opened_by_our_own_pages_alone() {
    let upgrade = ("upgrade", "websocket");
    assert_eq!(admitted("GET", &[upgrade]), Err(CrossOrigin::Untold));
    let evil = ("origin", "https://evil.example");
    assert_eq!(admitted("GET", &[upgrade, evil]), ELSEWHERE);
    let own = ("origin", "https://app.example");
    assert_eq!(admitted("GET", &[upgrade, own]), Ok(()));
    // As HTTP/2 opens one (RFC 8441, section 4).
    assert_eq!(admitted("CONNECT", &[evil]), ELSEWHERE);
}

#[test]
fn the_site_that_the_browser_names_decides_before_the_origin() {
    let own = ("origin", "https://app.example");
    for (site, expected) in [
        ("same-origin", Ok(())),
        ("none", Ok(())),
        ("same-site", ELSEWHERE),
        ("cross-site", ELSEWHERE),
        ("Same-Origin", ELSEWHERE),
        ("", ELSEWHERE),
    ] {
        let site = ("sec-fetch-site", site);
        assert_eq!(admitted("POST", &[site]), expected, "{site:?}");
        assert_eq!(admitted("POST", &[site, own]), expected, "{site:?}");
    }
}

#[test]
fn without_a_named_site_the_origin_must_be_the_host() {
    for (origin, expected) in [
        ("https://app.example", Ok(())),
        ("https://APP.example", Ok(())),
        ("http://app.example", ELSEWHERE),
        ("https://app.example:8443", ELSEWHERE),
        ("https://app.example.evil", ELSEWHERE),
        ("https://evil.example", ELSEWHERE),
        ("https://x@app.example", ELSEWHERE),
        ("null", ELSEWHERE),
        ("", ELSEWHERE),
        ("app.example", ELSEWHERE),
    ] {
        assert_eq!(
            admitted("POST", &[("origin", origin)]),
            expected,
            "{origin}"
        );
    }
}

#[test]
fn where_nobody_says_where_it_comes_from_it_does_not_pass() {
    assert_eq!(admitted("POST", &[]), Err(CrossOrigin::Untold));
    // A referrer is no such word: policies take it away and shorten it.
    let referer = ("referer", "https://app.example/devices");
    assert_eq!(admitted("DELETE", &[referer]), Err(CrossOrigin::Untold));
}

#[test]
fn a_header_that_stands_twice_says_nothing() {
    let own = ("origin", "https://app.example");
    assert_eq!(admitted("POST", &[own, own]), ELSEWHERE);
    let same = ("sec-fetch-site", "same-origin");
    assert_eq!(admitted("POST", &[same, same]), ELSEWHERE);
    let two_hosts = [("host", HERE), ("host", HERE), own];
    assert_eq!(admitted("POST", &two_hosts), ELSEWHERE);
}

#[test]
fn listed_origins_pass_whatever_the_browser_calls_them() {
    let front = ("origin", "https://front.example");
    assert_eq!(admitted("POST", &[front]), Ok(()));
    for site in ["same-site", "cross-site"] {
        assert_eq!(admitted("POST", &[("sec-fetch-site", site), front]), Ok(()));
    }
    assert_eq!(
        admitted("POST", &[("origin", "https://front.example:444")]),
        ELSEWHERE
    );
}

#[test]
fn pages_without_tls_count_on_this_machine_alone_unless_cookies_need_none() {
    for (host, expected) in [
        ("localhost:3000", Ok(())),
        ("127.0.0.1:3000", Ok(())),
        ("[::1]:3000", Ok(())),
        ("192.0.2.7:3000", ELSEWHERE),
        ("localhost.example", ELSEWHERE),
    ] {
        let origin = format!("http://{host}");
        let headers = [("host", host), ("origin", origin.as_str())];
        assert_eq!(admitted("POST", &headers), expected, "{host}");
        let plain = origins().with_plain_http(true);
        assert_eq!(by(&plain, "POST", &headers), Ok(()), "{host}");
    }
}

#[test]
fn the_host_of_http_2_is_that_of_the_target() {
    let request = Request::builder()
        .method("POST")
        .uri("https://app.example/sessions")
        .header("host", "evil.example")
        .header("origin", "https://app.example")
        .body(())
        .unwrap();
    assert_eq!(origins().admit(Head::from(&request)), Ok(()));
}

#[test]
fn what_is_no_origin_is_not_listed() {
    for wrong in [
        "*",
        "null",
        "app.example",
        "https://app.example/",
        "https://app.example/path",
        "https://app.example?x",
        "https://me@app.example",
        "ftp://app.example",
        "https://",
        "",
    ] {
        assert!(Origins::default().add(wrong).is_err(), "{wrong}");
    }
    for right in [
        "https://App.example",
        "http://localhost:5173",
        "https://[::1]:1",
    ] {
        assert!(Origins::default().add(right).is_ok(), "{right}");
    }
}
