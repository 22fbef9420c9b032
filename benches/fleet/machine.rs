//! Where and when it was measured.

use std::fs::{File, read_to_string};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde_json::Value;
use tower_jwt_session::{Clock, SystemClock};

/// What a report says of the machine, before anything is measured.
pub struct Machine {
    /// When, of which commit and on what, as every part of the report has it.
    pub measured: Value,
    has: [String; 3],
}

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
        Self {
            measured: measured(folder),
            has: [
                format!("{cores} cores"),
                format!("{} GiB of memory", memory.div_ceil(1024 * 1024)),
                format!("an fsync of 4 KiB: {:.3} ms", fsync(folder)),
            ],
        }
    }

    /// Lines of a report.
    pub fn told(&self) -> String {
        let [at, commit, processor] = ["at", "commit", "processor"].map(|key| self.noted(key));
        let [kernel, rustc] = ["kernel", "rustc"].map(|key| self.noted(key));
        let has = self.has.join("\n- ");
        format!(
            "Measured on {at} at commit {commit} on {processor}, {kernel}, rustc {rustc}.\n\n- {has}\n"
        )
    }

    fn noted(&self, key: &str) -> &str {
        self.measured[key].as_str().unwrap_or("not noted")
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
    pub fn told(&self, machine: &Machine) -> String {
        let Self { began, load: first } = self;
        format!(
            "measured from {began} to {} at commit {} on {}, load of the machine {first} before and {} at the end",
            SystemClock.now(),
            machine.noted("commit"),
            machine.noted("processor"),
            load()
        )
    }
}

/// What a script says, which all parts ask. What the program was built from is noted at its start: parts
/// take hours, in which the tree may change.
fn measured(folder: &Path) -> Value {
    let said = |word: &Path| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/report/measured.sh");
        let output = Command::new(script).arg(word).output();
        output.map(|output| output.stdout).unwrap_or_default()
    };
    let built = folder.join("built");
    if !built.exists() {
        let noted = std::fs::write(&built, said(Path::new("built")));
        noted.expect("the folder can be written");
    }
    serde_json::from_slice(&said(&built)).unwrap_or_default()
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
