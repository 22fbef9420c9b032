//! What is said of a figure beside its value.

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Unit};

/// A figure of this crate: its name, and what it means.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Metric {
    /// Its name, ready for Prometheus.
    pub name: &'static str,
    /// What kind of figure it is.
    pub kind: MetricKind,
    /// The unit, as `"seconds"`; `"1"` where it counts things.
    pub unit: &'static str,
    /// What it means, in a sentence.
    pub help: &'static str,
    /// Its labels, each with all the values that it can have.
    pub labels: &'static [(&'static str, &'static [&'static str])],
    /// For a histogram, bounds of buckets that suit it.
    pub buckets: &'static [f64],
}

/// What kind of figure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricKind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Values, counted by their size.
    Histogram,
}

impl MetricKind {
    /// The name that documents use, as `"counter"`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

impl Metric {
    pub(super) fn counter(&self, values: &[&'static str]) -> Counter {
        let key = self.key(values);
        metrics::with_recorder(|recorder| recorder.register_counter(&key, &METADATA))
    }

    pub(super) fn gauge(&self, values: &[&'static str]) -> Gauge {
        let key = self.key(values);
        metrics::with_recorder(|recorder| recorder.register_gauge(&key, &METADATA))
    }

    pub(super) fn histogram(&self, values: &[&'static str]) -> Histogram {
        let key = self.key(values);
        metrics::with_recorder(|recorder| recorder.register_histogram(&key, &METADATA))
    }

    /// Tells the exporter what it means, and of a counter that there is one: a series that appears with its first
    /// event would not show it as an increase.
    pub(super) fn announce(&self) {
        let unit = match self.unit {
            "seconds" => Unit::Seconds,
            _ => Unit::Count,
        };
        let (name, help) = (self.name.into(), self.help.into());
        metrics::with_recorder(|recorder| match self.kind {
            MetricKind::Counter => recorder.describe_counter(name, Some(unit), help),
            MetricKind::Gauge => recorder.describe_gauge(name, Some(unit), help),
            MetricKind::Histogram => recorder.describe_histogram(name, Some(unit), help),
        });
        if self.kind == MetricKind::Counter {
            match self.labels {
                [] => self.counter(&[]).increment(0),
                [(_, values)] => {
                    for value in *values {
                        self.counter(&[value]).increment(0);
                    }
                }
                // Most of the combinations never happen.
                _ => {}
            }
        }
    }

    fn key(&self, values: &[&'static str]) -> Key {
        debug_assert_eq!(values.len(), self.labels.len(), "{}", self.name);
        let labels = self.labels.iter().zip(values);
        let labels: Vec<Label> = labels
            .inspect(|((_, known), value)| debug_assert!(known.contains(value), "{value}"))
            .map(|((label, _), value)| Label::from_static_parts(label, value))
            .collect();
        Key::from_parts(self.name, labels)
    }
}

static METADATA: Metadata<'static> =
    Metadata::new("tower_jwt_session", Level::INFO, Some(module_path!()));
