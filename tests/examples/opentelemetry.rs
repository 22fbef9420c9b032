//! Spans as a collector receives them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Attribute;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::json;
use tokio::net::TcpListener;
use tonic::transport::Server as Grpc;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::client::{Client, PASSWORD};
use crate::process::Server;

/// Keeps whatever it is sent.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    async fn listen(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let service = TraceServiceServer::new(self.clone());
        let serving = Grpc::builder().add_service(service);
        tokio::spawn(serving.serve_with_incoming(TcpIncoming::from(listener)));
        format!("http://{address}")
    }

    fn spans(&self) -> Vec<Span> {
        let received = self.0.lock().unwrap();
        let resources = received.iter().flat_map(|request| &request.resource_spans);
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }

    /// The path from a request down to a call to the store, once it has arrived.
    async fn path_to(&self, operation: &str) -> Vec<Span> {
        let arrived = async {
            loop {
                let spans = self.spans();
                let by_id: BTreeMap<_, _> =
                    spans.iter().map(|span| (&span.span_id, span)).collect();
                let called = |span: &&Span| attribute(span, "operation") == operation;
                let mut path: Vec<Span> = spans.iter().find(called).cloned().into_iter().collect();
                while let Some(around) =
                    path.last().and_then(|span| by_id.get(&span.parent_span_id))
                {
                    path.push((*around).clone());
                }
                if path.last().is_some_and(|span| span.name == "request") {
                    path.reverse();
                    return path;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let path = tokio::time::timeout(Duration::from_secs(60), arrived).await;
        path.unwrap_or_else(|_| panic!("{operation} never arrived: {:?}", self.spans()))
    }
}

fn attribute(span: &Span, key: &str) -> String {
    let mut found = span.attributes.iter().filter(|one| one.key == key);
    let value = found.next().and_then(|one| one.value.clone()?.value);
    match value {
        Some(Attribute::StringValue(text)) => text,
        Some(Attribute::IntValue(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn names(path: &[Span]) -> Vec<&str> {
    path.iter().map(|span| span.name.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_receives_a_request_a_sign_in_and_a_refresh_and_no_token() {
    let collector = Collector::default();
    let endpoint = collector.listen().await;
    let variables = [
        ("DEMO_PASSWORD", PASSWORD),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
    ];
    let client = Client::of(Server::start("opentelemetry", &variables));
    let tokens = client.sign_in().await;
    let access = tokens["access_token"].as_str().unwrap();
    let refresh = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(client.get("/me", access).await.0, 200);
    let form = json!({ "refresh_token": refresh });
    let (status, renewed) = client.post("/api/auth/refresh", form).await;
    assert_eq!(status, 200, "{renewed}");

    let path = collector.path_to("sign_in").await;
    assert_eq!(names(&path), ["request", "session", "store"]);
    assert_eq!(attribute(&path[0], "url.path"), "/sign-in");
    assert_eq!(attribute(&path[0], "http.response.status_code"), "200");
    assert_eq!(attribute(&path[1], "verb"), "sign_in");
    assert_eq!(attribute(&path[1], "outcome"), "done");
    let path = collector.path_to("refresh").await;
    assert_eq!(names(&path), ["request", "session", "store"]);
    assert_eq!(attribute(&path[1], "verb"), "refresh");
    // Of the first request with a token: the store confirms it.
    let path = collector.path_to("ask").await;
    assert_eq!(names(&path), ["request", "confirm", "store"]);
    assert_eq!(attribute(&path[0], "url.path"), "/me");

    let all = format!("{:?}", collector.0.lock().unwrap());
    assert!(all.contains("sessions"), "the service has a name");
    let secrets = [access, refresh, renewed["access_token"].as_str().unwrap()];
    for secret in secrets.iter().flat_map(|token| token.split('.')) {
        // The header of a token says nothing.
        let is_secret = secret.len() > 20 && !secret.starts_with("eyJhbGci");
        assert!(!is_secret || !all.contains(secret), "{secret} is in {all}");
    }
    assert!(!all.contains(PASSWORD), "the password is in {all}");
}

#[tokio::test]
async fn without_a_collector_requests_are_answered_all_the_same() {
    let variables = [
        ("DEMO_PASSWORD", PASSWORD),
        // Nobody listens there.
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
    ];
    let client = Client::of(Server::start("opentelemetry", &variables));
    let tokens = client.sign_in().await;
    let access = tokens["access_token"].as_str().unwrap();
    for _ in 0..50 {
        assert_eq!(client.get("/me", access).await.0, 200);
    }
}
