//! Addresses of clients behind a real proxy.

mod support;

use std::convert::Infallible;
use std::net::Ipv4Addr;

use axum::extract::Request;
use axum::routing::get;
use axum::{Router, middleware};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use support::nginx::{Nginx, folder};
use tokio::net::{TcpListener, UnixListener};
use tower_jwt_session::integrations::axum::peer;
use tower_jwt_session::{ClientAddress, Device, JwtSession, Peer, SecureTransport, TrustedProxies};

fn auth(trusted: &str) -> JwtSession {
    let proxies = TrustedProxies::parse(trusted).expect("a good list");
    JwtSession::builder()
        .hmac_secret(support::SECRET)
        .trusted_proxies(proxies)
        .build()
        .expect("a good configuration")
}

/// Says where a request came from, by the extension and by the extractor.
async fn seen(device: Device, request: Request) -> String {
    let client = request.extensions().get::<ClientAddress>().copied();
    let client = client.map(ClientAddress::ip);
    assert_eq!(device.address, client);
    let secure = request.extensions().get::<SecureTransport>().is_some();
    let client = client.map_or("nobody".to_owned(), |client| client.to_string());
    format!("{client}{}", if secure { " over TLS" } else { "" })
}

fn app(trusted: &str) -> Router {
    let layer = auth(trusted).client_addresses().with_peer(peer);
    Router::new().route("/", get(seen)).layer(layer)
}

/// A server on a port of this machine.
async fn on_tcp(trusted: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let app = app(trusted).into_make_service_with_connect_info::<std::net::SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address.to_string()
}

/// Asks from another address of this machine than nginx has: all of 127.0.0.0/8 is here.
async fn ask(port: u16, headers: &[(&str, &str)]) -> String {
    let mut connector = HttpConnector::new();
    connector.set_local_address(Some(CLIENT.into()));
    let client = Client::builder(TokioExecutor::new()).build::<_, Empty<&[u8]>>(connector);
    let mut request = http::Request::builder().uri(format!("http://127.0.0.1:{port}/"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Empty::new()).expect("a good request");
    let answer = client.request(request).await.expect("nginx answers");
    assert_eq!(answer.status(), 200);
    let body = answer.into_body().collect().await.expect("a whole answer");
    String::from_utf8(body.to_bytes().to_vec()).expect("text")
}

const CLIENT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const APPENDS: &str = "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;";
const FORGED: [(&str, &str); 1] = [("x-forwarded-for", "203.0.113.9")];

#[tokio::test]
async fn behind_a_trusted_nginx_the_address_is_what_nginx_saw_and_never_what_was_forged() {
    let upstream = on_tcp("127.0.0.1").await;
    let nginx = Nginx::in_front_of(&upstream, APPENDS);
    assert_eq!(ask(nginx.port, &FORGED).await, "127.0.0.2");
    assert_eq!(ask(nginx.port, &[]).await, "127.0.0.2");
    let twice = [FORGED[0], ("x-forwarded-for", "198.51.100.1, 127.0.0.1")];
    assert_eq!(ask(nginx.port, &twice).await, "127.0.0.2");
}

#[tokio::test]
async fn an_nginx_that_is_not_trusted_is_the_client_itself() {
    let upstream = on_tcp("10.0.0.0/8").await;
    let nginx = Nginx::in_front_of(&upstream, APPENDS);
    assert_eq!(ask(nginx.port, &FORGED).await, "127.0.0.1");
}

#[tokio::test]
async fn two_trusted_proxies_in_a_row_are_both_passed_over() {
    let upstream = on_tcp("127.0.0.1, 127.0.0.8/29").await;
    let inner = Nginx::in_front_of(&upstream, APPENDS);
    let inner_address = format!("127.0.0.1:{}", inner.port);
    let elsewhere = format!("proxy_bind 127.0.0.9; {APPENDS}");
    let outer = Nginx::in_front_of(&inner_address, &elsewhere);
    assert_eq!(ask(outer.port, &FORGED).await, "127.0.0.2");
}

#[tokio::test]
async fn nginx_may_write_the_newer_header_and_what_a_client_wrote_of_the_older_is_removed() {
    let upstream = on_tcp("127.0.0.1").await;
    let nginx = Nginx::in_front_of(
        &upstream,
        "proxy_set_header X-Forwarded-For \"\"; \
         proxy_set_header Forwarded \"$http_forwarded, for=\\\"[2001:db8::5]:77\\\";proto=https\";",
    );
    let forged = [("forwarded", "for=203.0.113.9"), FORGED[0]];
    assert_eq!(ask(nginx.port, &forged).await, "2001:db8::5 over TLS");
}

#[tokio::test]
async fn headers_that_disagree_behind_nginx_name_nobody_but_nginx() {
    let upstream = on_tcp("127.0.0.1").await;
    let nginx = Nginx::in_front_of(&upstream, "proxy_set_header X-Forwarded-For 198.51.100.4;");
    let forged = [("forwarded", "for=203.0.113.9")];
    assert_eq!(ask(nginx.port, &forged).await, "127.0.0.1");
}

#[tokio::test]
async fn over_a_unix_socket_nginx_is_trusted_where_that_was_said() {
    for (trusted, seen) in [("unix", "127.0.0.2"), ("10.0.0.0/8", "nobody")] {
        let folder = folder();
        let socket = folder.join("app");
        let listener = UnixListener::bind(&socket).expect("the folder is ours");
        let by_socket = |mut request: Request, next: middleware::Next| async move {
            request.extensions_mut().insert(Peer::Unix);
            Ok::<_, Infallible>(next.run(request).await)
        };
        let app = app(trusted).layer(middleware::from_fn(by_socket));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let upstream = format!("unix:{}", socket.display());
        let nginx = Nginx::in_front_of(&upstream, APPENDS);
        assert_eq!(ask(nginx.port, &FORGED).await, seen);
        drop(nginx);
        std::fs::remove_dir_all(folder).expect("the folder is ours");
    }
}
