//! What a client says of itself: user agent, hints, addresses, cookies. Whatever it is, it can be shown, and is short.
#![no_main]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use tower_jwt_session::{Device, Peer, TrustedProxies};

const HEADERS: [&str; 9] = [
    "user-agent",
    "sec-ch-ua",
    "sec-ch-ua-platform",
    "sec-ch-ua-mobile",
    "sec-ch-ua-model",
    "cookie",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-proto",
];

const NEAREST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

static PROXIES: LazyLock<[TrustedProxies; 2]> = LazyLock::new(|| {
    ["10.0.0.0/8, loopback, unix", "192.0.2.1"]
        .map(|list| TrustedProxies::parse(list).expect("networks"))
});

fuzz_target!(|data: &[u8]| {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        let Some((kind, value)) = line.split_first() else {
            continue;
        };
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(HEADERS[usize::from(*kind) % HEADERS.len()], value);
        }
    }
    let [trusting, distrusting] = &*PROXIES;
    for peer in [Peer::Address(NEAREST), Peer::Unix] {
        let _ = trusting.client(&headers, peer);
        let _ = trusting.is_secure(&headers, peer);
    }
    let client = distrusting.client(&headers, Peer::Address(NEAREST));
    assert_eq!(
        client.map(|client| client.ip()),
        Some(NEAREST),
        "nobody asked the client"
    );
    assert!(!distrusting.is_secure(&headers, Peer::Address(NEAREST)));

    let device = Device::from_headers(&headers, Some(NEAREST));
    assert!(!device.label.is_empty());
    for text in [Some(&device.label), device.user_agent.as_ref()]
        .into_iter()
        .flatten()
    {
        assert!(
            !text.chars().any(char::is_control),
            "{text:?} cannot be shown"
        );
        assert!(text.len() <= 512, "{} is long", text.len());
    }
    let _ = TrustedProxies::parse(&String::from_utf8_lossy(data));
});
