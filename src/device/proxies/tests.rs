use std::sync::Mutex;

use super::*;

fn proxies() -> TrustedProxies {
    TrustedProxies::parse("10.0.0.0/8, fd00::/8, unix").unwrap()
}

fn peer(address: &str) -> Peer {
    Peer::Address(address.parse().unwrap())
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, value.parse().unwrap());
    }
    headers
}

fn client(peer: Peer, pairs: &[(&'static str, &str)]) -> Option<String> {
    let client = proxies().client(&headers(pairs), peer);
    client.map(|client| client.ip().to_string())
}

const XFF: &str = "x-forwarded-for";
const RFC: &str = "forwarded";

#[test]
fn the_rightmost_that_is_not_trusted_is_the_client_and_a_forged_leftmost_never_counts() {
    let proxy = peer("10.0.0.1");
    let forged = "198.51.100.1, 203.0.113.7";
    assert_eq!(client(proxy, &[(XFF, forged)]).unwrap(), "203.0.113.7");
    let two = "198.51.100.1, 203.0.113.7, 10.0.0.2";
    assert_eq!(client(proxy, &[(XFF, two)]).unwrap(), "203.0.113.7");
    let trusted_in_front = "10.9.9.9, 203.0.113.7";
    assert_eq!(
        client(proxy, &[(XFF, trusted_in_front)]).unwrap(),
        "203.0.113.7"
    );
    let newer = "for=198.51.100.1, for=\"[2001:db8::7]:80\", for=\"[fd00::2]\"";
    assert_eq!(client(proxy, &[(RFC, newer)]).unwrap(), "2001:db8::7");
    let lines = [
        (XFF, "198.51.100.1"),
        (XFF, "203.0.113.7"),
        (XFF, "fd00::3"),
    ];
    assert_eq!(client(proxy, &lines).unwrap(), "203.0.113.7");
}

#[test]
fn headers_from_an_address_that_is_not_trusted_are_ignored() {
    let stranger = peer("192.0.2.9");
    let forged = [(XFF, "203.0.113.7"), (RFC, "for=203.0.113.7;proto=https")];
    assert_eq!(client(stranger, &forged).unwrap(), "192.0.2.9");
    assert!(!proxies().is_secure(&headers(&forged), stranger));
    assert!(proxies().is_secure(&headers(&forged), peer("10.0.0.1")));
    let nobody = TrustedProxies::default();
    let seen = nobody.client(&headers(&forged), Peer::Unix);
    assert_eq!(seen, None);
}

#[test]
fn a_mapped_address_of_a_proxy_is_that_proxy() {
    let mapped = peer("::ffff:10.0.0.1");
    assert_eq!(
        client(mapped, &[(XFF, "203.0.113.7")]).unwrap(),
        "203.0.113.7"
    );
    assert_eq!(client(mapped, &[]).unwrap(), "10.0.0.1");
}

#[test]
fn where_all_hops_are_trusted_the_farthest_one_is_the_client() {
    let hops = [(XFF, "10.1.1.1, fd00::2")];
    assert_eq!(client(peer("10.0.0.1"), &hops).unwrap(), "10.1.1.1");
}

#[test]
fn a_hop_that_is_not_told_leaves_the_nearest_that_is_known() {
    for hidden in ["unknown", "_hidden", "", "nonsense", "203.0.113.7, unknown"] {
        let found = client(peer("10.0.0.1"), &[(XFF, hidden)]);
        assert_eq!(found.unwrap(), "10.0.0.1", "{hidden:?}");
    }
    let beyond = [(RFC, "for=203.0.113.7, for=_secret, for=10.0.0.9")];
    assert_eq!(client(peer("10.0.0.1"), &beyond).unwrap(), "10.0.0.9");
}

#[test]
fn headers_that_disagree_are_both_disbelieved_and_those_that_agree_are_not() {
    let proxy = peer("10.0.0.1");
    let forged = [(XFF, "203.0.113.7"), (RFC, "for=198.51.100.1")];
    assert_eq!(client(proxy, &forged).unwrap(), "10.0.0.1");
    let agreed = [(XFF, "203.0.113.7"), (RFC, "for=1.2.3.4, for=203.0.113.7")];
    assert_eq!(client(proxy, &agreed).unwrap(), "203.0.113.7");
}

#[test]
fn a_unix_socket_is_trusted_where_that_was_said() {
    let hops = [(XFF, "203.0.113.7")];
    assert_eq!(client(Peer::Unix, &hops).unwrap(), "203.0.113.7");
    assert_eq!(client(Peer::Unix, &[]), None);
    let others = TrustedProxies::parse("10.0.0.0/8").unwrap();
    assert_eq!(others.client(&headers(&hops), Peer::Unix), None);
}

#[test]
fn every_part_of_a_list_that_is_none_is_told() {
    let error = TrustedProxies::parse("10.0.0.1/8, proxy, 0.0.0.0/0, ::1").unwrap_err();
    assert_eq!(error.len(), 3, "{error}");
    let fine = TrustedProxies::parse("loopback,,unix, ").unwrap();
    assert_eq!(format!("{fine:?}"), r#"["127.0.0.0/8", "::1/128", "unix"]"#);
    assert!(TrustedProxies::parse("").unwrap().is_empty());
}

/// Counts what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_is_ignored_is_reported_once() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let proxies = proxies();
        let forged = headers(&[(XFF, "203.0.113.7"), (RFC, "for=198.51.100.1")]);
        for _ in 0..3 {
            let _ = proxies.client(&HeaderMap::new(), peer("192.0.2.9"));
            let _ = proxies.client(&forged, peer("192.0.2.9"));
            let _ = proxies.clone().client(&forged, peer("10.0.0.1"));
        }
    });
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(log.matches("is ignored").count(), 1, "{log}");
    assert_eq!(log.matches("disagree").count(), 1, "{log}");
}
