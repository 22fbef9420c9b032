//! Where and when it was measured.

use std::fs::{File, read_to_string};
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use tower_jwt_session::{Clock, SystemClock};

/// What a report says of the machine, before anything is measured.
pub struct Machine(Vec<String>);

/// When and under which load something was measured.
pub struct When {
    began: String,
    load: String,
}

impl Machine {
    pub fn look(folder: &Path) -> Self {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let memory = field("/proc/meminfo", "MemTotal");
        let memory = memory.trim_end_matches(" kB").parse().unwrap_or(0_u64);
        let system = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self(vec![
            format!("{}, {cores} cores", field("/proc/cpuinfo", "model name")),
            format!("{} GiB of memory", memory.div_ceil(1024 * 1024)),
            format!("Linux {}", system.trim()),
            format!("an fsync of 4 KiB: {:.3} ms", fsync(folder)),
        ])
    }

    /// Lines of a report.
    pub fn told(&self) -> String {
        format!("- {}\n", self.0.join("\n- "))
    }
}

impl When {
    pub fn begins() -> Self {
        Self {
            began: SystemClock.now().to_string(),
            load: load(),
        }
    }

    /// What a report says when it has been measured.
    pub fn told(&self) -> String {
        let Self { began, load: first } = self;
        format!(
            "measured from {began} to {} on {}, load of the machine {first} before and {} at the end",
            SystemClock.now(),
            field("/proc/cpuinfo", "model name"),
            load()
        )
    }
}

fn load() -> String {
    let load = read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or_default().to_owned()
}

fn field(file: &str, name: &str) -> String {
    let text = read_to_string(file).unwrap_or_default();
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    let found = lines.find(|(key, _)| key.trim() == name);
    found.map_or_else(
        || "unknown".to_owned(),
        |(_, value)| value.trim().to_owned(),
    )
}

/// What it takes in the middle of many, in milliseconds.
fn fsync(folder: &Path) -> f64 {
    let path = folder.join("fsync");
    let mut file = File::create(&path).expect("the folder can be written");
    let mut times: Vec<f64> = (0..200)
        .map(|_| {
            let began = Instant::now();
            file.write_all(&[7; 4096]).expect("there is room");
            file.sync_data().expect("the disk answers");
            began.elapsed().as_secs_f64() * 1_000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
