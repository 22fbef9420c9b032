//! `GET /metrics`: figures for Prometheus.
//!
//! They name nobody, and still tell how many are signed in and how the store fares. So a scraper has an address of its
//! own, which only it can reach; without one, an administrator may look. That a request comes from this machine
//! says nothing: behind a proxy, all of them do.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::time::{Instant, interval};
use tower_jwt_session::JwtSession;
use tower_jwt_session::telemetry::METRICS;

/// What answers a scrape.
#[derive(Clone)]
pub struct Figures {
    recorder: PrometheusHandle,
    written: Arc<Mutex<Option<(Instant, Bytes)>>>,
}

impl Figures {
    /// Records from now on what anything in this process counts.
    pub fn record() -> Result<Self, BuildError> {
        let mut builder = PrometheusBuilder::new();
        for metric in METRICS.iter().filter(|metric| !metric.buckets.is_empty()) {
            let name = Matcher::Full(metric.name.to_owned());
            builder = builder.set_buckets_for_metric(name, metric.buckets)?;
        }
        let recorder = builder.install_recorder()?;
        let kept = recorder.clone();
        tokio::spawn(async move {
            let mut ticks = interval(UPKEEP);
            loop {
                ticks.tick().await;
                // What was measured is kept one by one until then, and nobody may be looking.
                kept.run_upkeep();
            }
        });
        Ok(Self {
            recorder,
            written: Arc::default(),
        })
    }

    /// The one route.
    pub fn routes<S: Clone + Send + Sync + 'static>(&self, auth: &JwtSession) -> Router<S> {
        let (figures, auth) = (self.clone(), auth.clone());
        Router::new().route("/metrics", get(async move || figures.answer(&auth)))
    }

    /// However many ask, the figures are written once in a second.
    fn answer(&self, auth: &JwtSession) -> Response {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let text = match &*written {
            Some((at, text)) if at.elapsed() < FRESH => text.clone(),
            _ => {
                auth.publish_metrics();
                let text = Bytes::from(self.recorder.render());
                *written = Some((Instant::now(), text.clone()));
                text
            }
        };
        let headers = [
            (
                header::CONTENT_TYPE,
                "text/plain; version=0.0.4; charset=utf-8",
            ),
            (header::CACHE_CONTROL, "no-store"),
        ];
        (headers, text).into_response()
    }
}

const FRESH: Duration = Duration::from_secs(1);
const UPKEEP: Duration = Duration::from_secs(5);
