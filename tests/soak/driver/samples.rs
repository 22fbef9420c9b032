//! How the nodes do over time.

use std::fs::{read_dir, read_to_string};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Settings;
use super::fleet::{Fleet, Up};
use super::tally::Tally;
use super::weather::Weather;

/// How it stood at an instant.
#[derive(Clone, Debug)]
pub struct Sample {
    pub at: Duration,
    /// Nothing of a node that is away.
    pub nodes: [Option<NodeSample>; 2],
    /// Of good requests with known tokens in quiet times: how many, and in microseconds.
    pub good: usize,
    pub p50: f64,
    pub p99: f64,
    pub answers: u64,
}

#[derive(Clone, Copy, Debug)]
pub struct NodeSample {
    pub process: u32,
    pub resident: f64,
    pub files: usize,
    /// Entries of the view.
    pub entries: f64,
    /// Processor time so far, in seconds.
    pub processor: f64,
}

/// Samples until the end, and says how it stands.
pub async fn take(
    settings: Settings,
    until: Instant,
    fleet: Arc<Fleet>,
    weather: Arc<Weather>,
    tally: Arc<Tally>,
) -> Vec<Sample> {
    let (mut samples, mut told) = (Vec::new(), Instant::now());
    while Instant::now() < until {
        tokio::time::sleep(settings.sample).await;
        let nodes = [look(fleet.up(0)).await, look(fleet.up(1)).await];
        let mut latencies = tally.latencies();
        latencies.sort_unstable();
        let at = |share: f64| {
            let place = (latencies.len() as f64 * share) as usize;
            latencies
                .get(place)
                .map_or(f64::NAN, |micros| f64::from(*micros))
        };
        let sample = Sample {
            at: weather.began.elapsed(),
            nodes,
            good: latencies.len(),
            p50: at(0.5),
            p99: at(0.99),
            answers: tally.all(),
        };
        if told.elapsed() > SAYS {
            told = Instant::now();
            say(&sample, &weather, &tally);
        }
        samples.push(sample);
    }
    samples
}

fn say(sample: &Sample, weather: &Weather, tally: &Tally) {
    let of = |node: &Option<NodeSample>| match node {
        None => "away".to_owned(),
        Some(node) => format!(
            "{:.1} MiB, {} files, {} entries",
            node.resident / 1_048_576.0,
            node.files,
            node.entries
        ),
    };
    eprintln!(
        "  {:4} s: {} answers, {} unexplained, {} faults; {} | {}; p50 {:.0} p99 {:.0} us",
        sample.at.as_secs(),
        sample.answers,
        tally.unexplained().len(),
        weather.faults().len(),
        of(&sample.nodes[0]),
        of(&sample.nodes[1]),
        sample.p50,
        sample.p99
    );
}

async fn look(up: Option<Up>) -> Option<NodeSample> {
    let up = up?;
    let process = up.node.id();
    // One that is stopped would answer late.
    let status = tokio::time::timeout(Duration::from_millis(500), up.node.try_ask("status"));
    let status = status.await.ok()??;
    let entries = status.split(' ').nth(4)?.parse().ok()?;
    let text = read_to_string(format!("/proc/{process}/status")).ok()?;
    let resident = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let resident: f64 = resident.trim().trim_end_matches(" kB").parse().ok()?;
    let files = read_dir(format!("/proc/{process}/fd")).ok()?.count();
    let stat = read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let ticks = |place| -> Option<f64> { rest.split_whitespace().nth(place)?.parse().ok() };
    Some(NodeSample {
        process,
        resident: resident * 1024.0,
        files,
        entries,
        processor: (ticks(11)? + ticks(12)?) / TICKS,
    })
}

const SAYS: Duration = Duration::from_secs(30);
/// Of Linux, in a second.
const TICKS: f64 = 100.0;
