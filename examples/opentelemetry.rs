//! Traces: a span around each request, ours below it, all of them sent to a collector by OTLP.
//! `cargo run --example opentelemetry`, with OTEL_EXPORTER_OTLP_ENDPOINT where the collector is not at
//! http://localhost:4317
//!
//! Only spans are sent. Events of the log name users and addresses; where they should travel along, that is a
//! decision to take.

mod demo;

use std::convert::Infallible;
use std::error::Error;

use http::{Request, StatusCode};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::json;
use tower::{Layer, ServiceExt, service_fn};
use tower_jwt_session::endpoints::{self, Endpoints, Group, Problem, RequestBody, Response};
use tower_jwt_session::{ClientAddress, Device, Session};
use tracing::field::Empty;
use tracing::{Instrument, Metadata, Span, info_span};
use tracing_subscriber::Registry;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Layer as _, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::demo::Demo;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let provider = send_spans()?;
    let demo = Demo::from_env()?;
    let members = demo.auth.layer().layer(service_fn(for_members));
    let public = demo.clone();
    let app = service_fn(move |request: Request<RequestBody>| {
        let (demo, members) = (public.clone(), members.clone());
        async move {
            match (request.method().as_str(), request.uri().path()) {
                ("POST", "/sign-in") => Ok(demo.sign_in(device(&request), request).await),
                _ => members.oneshot(request).await,
            }
        }
    });
    let endpoints = Endpoints::new(demo.auth.clone()).with_groups(Group::ALL);
    let app = endpoints.around(app);
    let traced = service_fn(move |request: Request<_>| {
        let (app, span) = (app.clone(), span_of(&request));
        let answered = async move {
            let response = app.oneshot(request).await?;
            let status = response.status().as_u16();
            Span::current().record("http.response.status_code", status);
            Ok::<_, Infallible>(response)
        };
        answered.instrument(span)
    });
    demo.serve(traced).await?;
    // What is still on its way to the collector.
    provider.shutdown()?;
    Ok(())
}

/// Of a request only what cannot hold a token: no header, and of its target the path alone.
fn span_of<B>(request: &Request<B>) -> Span {
    info_span!(
        "request",
        otel.kind = "server",
        http.request.method = request.method().as_str(),
        url.path = request.uri().path(),
        http.response.status_code = Empty,
    )
}

fn send_spans() -> Result<SdkTracerProvider, Box<dyn Error>> {
    let exporter = SpanExporter::builder().with_tonic().build()?;
    let named = Resource::builder().with_service_name("sessions").build();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(named)
        .build();
    let spans = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("sessions"))
        .with_location(false)
        .with_threads(false)
        .with_filter(filter_fn(ours));
    Registry::default().with(spans).init();
    Ok(provider)
}

/// Spans of this program and of the session layer: those of the exporter would make it export for ever.
fn ours(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    metadata.is_span() && (target == module_path!() || target.starts_with("tower_jwt_session"))
}

async fn for_members(request: Request<RequestBody>) -> Result<Response, Infallible> {
    let session = request.extensions().get::<Session>();
    let user = session.map(|session| session.subject().as_str());
    Ok(match request.uri().path() {
        "/me" => endpoints::json(StatusCode::OK, &json!({ "user_id": user })),
        _ => Problem::not_found().into_response(),
    })
}

fn device<B>(request: &Request<B>) -> Device {
    let address = request.extensions().get().copied();
    Device::from_headers(request.headers(), address.map(ClientAddress::ip))
}
