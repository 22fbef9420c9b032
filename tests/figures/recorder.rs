//! A recorder for one test, and what it has seen.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use metrics::LocalRecorderGuard;
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use tower_jwt_session::JwtSession;
use tower_jwt_session::telemetry::METRICS;

/// Everything that this thread counts; its tasks run there, too.
pub struct Recorder {
    handle: PrometheusHandle,
    _guard: LocalRecorderGuard<'static>,
}

impl Recorder {
    pub fn install() -> Self {
        let mut builder = PrometheusBuilder::new();
        for metric in METRICS.iter().filter(|metric| !metric.buckets.is_empty()) {
            let name = Matcher::Full(metric.name.to_owned());
            builder = builder
                .set_buckets_for_metric(name, metric.buckets)
                .expect("there are buckets");
        }
        let recorder: &'static PrometheusRecorder = Box::leak(Box::new(builder.build_recorder()));
        Self {
            handle: recorder.handle(),
            _guard: metrics::set_default_local_recorder(recorder),
        }
    }

    /// What was counted so far, after everything was published.
    pub fn seen(&self, auth: &JwtSession) -> Seen {
        auth.publish_metrics();
        Seen::parse(&self.handle.render())
    }

    /// Waits until what was counted is as wanted; a bound that says it came at all.
    pub async fn until(&self, auth: &JwtSession, wanted: impl Fn(&Seen) -> bool) -> Seen {
        let arrived = async {
            loop {
                let seen = self.seen(auth);
                if wanted(&seen) {
                    return seen;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let seen = tokio::time::timeout(Duration::from_secs(60), arrived).await;
        seen.unwrap_or_else(|_| panic!("it never came: {:?}", self.seen(auth)))
    }
}

/// Series and their values.
#[derive(Debug)]
pub struct Seen(BTreeMap<String, f64>);

impl Seen {
    fn parse(text: &str) -> Self {
        let lines = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty());
        let series = lines.map(|line| {
            let (series, value) = line.rsplit_once(' ').expect("a series and its value");
            (series.to_owned(), value.parse().expect("a number"))
        });
        Self(series.collect())
    }

    /// The value of a series, written as Prometheus shows it; 0 where there is none.
    #[track_caller]
    pub fn value(&self, series: &str) -> f64 {
        self.0.get(series).copied().unwrap_or_default()
    }

    /// The sum over all series of a name.
    pub fn sum(&self, name: &str) -> f64 {
        let of_name = |series: &&String| series.split('{').next() == Some(name);
        let series = self.0.keys().filter(of_name);
        series.map(|series| self.0[series]).sum()
    }

    /// Each series as its name and the value of each label.
    pub fn series(&self) -> impl Iterator<Item = (&str, BTreeMap<&str, &str>)> {
        self.0.keys().map(|series| {
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            let labels = labels.trim_end_matches('}').split(',');
            let labels = labels.filter_map(|label| label.split_once('='));
            let labels = labels.map(|(label, value)| (label, value.trim_matches('"')));
            (name, labels.collect())
        })
    }

    pub fn names(&self) -> BTreeSet<&str> {
        self.series().map(|(name, _)| base(name)).collect()
    }
}

/// The name of the figure that a series is of.
pub fn base(series: &str) -> &str {
    let of_histogram = ["_bucket", "_count", "_sum"].iter().find_map(|suffix| {
        let name = series.strip_suffix(suffix)?;
        METRICS
            .iter()
            .find(|metric| metric.name == name && !metric.buckets.is_empty())
    });
    of_histogram.map_or(series, |metric| metric.name)
}
