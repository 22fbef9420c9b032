//! One client for all servers.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::case::Sent;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Http1,
    Http2,
}

pub struct Client {
    http: HyperClient<HttpConnector, Full<Bytes>>,
    address: SocketAddr,
}

/// What came back.
pub struct Raw {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Client {
    pub fn new(address: SocketAddr, version: Version) -> Self {
        let mut builder = HyperClient::builder(TokioExecutor::new());
        builder.http2_only(version == Version::Http2);
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self {
            http: builder.build(connector),
            address,
        }
    }

    /// Fails when the connection is closed without an answer.
    pub async fn send(&self, sent: &Sent) -> Raw {
        let (parts, body) = self.open(sent).await.into_parts();
        let body = body.collect().await.expect("the answer is complete");
        Raw {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body.to_bytes(),
        }
    }

    /// The same with a body that may go on.
    pub async fn open(&self, sent: &Sent) -> Response<Incoming> {
        let uri = format!("http://{}{}", self.address, sent.path);
        let mut request = Request::builder().method(sent.method.as_str()).uri(uri);
        for (name, value) in &sent.headers {
            request = request.header(name, value.as_slice());
        }
        let request = request.body(Full::new(sent.body.clone())).unwrap();
        let answer = self.http.request(request).await;
        answer.unwrap_or_else(|error| panic!("{}: no answer: {error:?}", sent.path))
    }
}
