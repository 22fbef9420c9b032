//! Client hints, and headers that are no text.

use http::HeaderValue;

use super::*;

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            let name = http::HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        })
        .collect()
}

#[test]
fn client_hints_are_preferred_to_the_user_agent() {
    let device = Device::from_headers(
        &headers(&[
            (
                "sec-ch-ua",
                r#""Chromium";v="124", "Brave";v="124", "Not-A.Brand";v="99""#,
            ),
            ("sec-ch-ua-platform", r#""Linux""#),
            ("sec-ch-ua-mobile", "?0"),
            (
                "user-agent",
                "Mozilla/5.0 (Windows NT 10.0) Chrome/124.0.0.0 Safari/537.36",
            ),
        ]),
        None,
    );
    assert_eq!(device.label, "Brave on Linux");
    assert_eq!(device.kind, DeviceKind::Desktop);
    assert!(device.user_agent.is_some());
}

#[test]
fn what_the_hints_leave_open_is_read_from_the_user_agent() {
    let device = Device::from_headers(
        &headers(&[
            (
                "sec-ch-ua",
                r#"" Not;A Brand";v="99", "Google Chrome";v="91", "Chromium";v="91""#,
            ),
            (
                "user-agent",
                "Mozilla/5.0 (X11; Linux x86_64) Chrome/91.0 Safari/537.36",
            ),
        ]),
        None,
    );
    assert_eq!(device.label, "Chrome on Linux");
}

#[test]
fn a_tablet_says_so_by_not_being_mobile() {
    let tablet = headers(&[
        ("sec-ch-ua-platform", r#""Android""#),
        ("sec-ch-ua-mobile", "?0"),
        ("sec-ch-ua", r#""Chromium";v="124""#),
    ]);
    let device = Device::from_headers(&tablet, None);
    assert_eq!(device.label, "Chromium on Android");
    assert_eq!(device.kind, DeviceKind::Tablet);
}

#[test]
fn hints_that_are_no_hints_are_passed_over() {
    for nonsense in ["", "\"", "\"\"", "a=b", "\"x", ";;;,,,=\"a\""] {
        let mut headers = HeaderMap::new();
        headers.insert("sec-ch-ua", HeaderValue::from_static(nonsense));
        headers.insert("user-agent", HeaderValue::from_static("curl/8.5.0"));
        assert_eq!(
            Device::from_headers(&headers, None).label,
            "curl",
            "{nonsense}"
        );
    }
}

#[test]
fn a_user_agent_is_cut_and_cleaned_before_it_is_kept() {
    let mut headers = HeaderMap::new();
    let long = format!("curl/8.5.0 {}", "ä".repeat(4000));
    headers.insert(
        "user-agent",
        HeaderValue::from_bytes(long.as_bytes()).unwrap(),
    );
    let device = Device::from_headers(&headers, Some([192, 0, 2, 1].into()));
    let kept = device.user_agent.unwrap();
    assert!(kept.len() <= Device::MAX_USER_AGENT, "{}", kept.len());
    assert_eq!(device.label, "curl");
    assert_eq!(device.address, Some([192, 0, 2, 1].into()));
}

#[test]
fn bytes_that_are_no_text_are_no_problem() {
    let mut headers = HeaderMap::new();
    headers.insert(
        "user-agent",
        HeaderValue::from_bytes(b"curl/8 \xff\xfe").unwrap(),
    );
    assert_eq!(Device::from_headers(&headers, None).label, "curl");
}
