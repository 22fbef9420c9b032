//! The rules. Each is a function from a file to its offences.

use crate::source::{Named, Source};

/// Something that stands where it must not.
#[derive(Debug)]
pub struct Offence {
    pub line: usize,
    pub why: String,
}

/// All offences of a file, by line.
pub fn check(source: &Source) -> Vec<Offence> {
    if source.is_test {
        return Vec::new();
    }
    let named = source.named();
    let mut offences: Vec<Offence> = named
        .iter()
        .filter_map(|named| {
            let why = PATH_RULES.iter().find_map(|rule| rule(source, named))?;
            Some(Offence {
                line: named.line,
                why,
            })
        })
        .collect();
    for rule in FILE_RULES {
        offences.extend(rule(source));
    }
    offences.sort_by_key(|offence| offence.line);
    offences
}

type PathRule = fn(&Source, &Named) -> Option<String>;
type FileRule = fn(&Source) -> Vec<Offence>;

const PATH_RULES: [PathRule; 9] = [
    earlier_stages_only,
    stages_know_no_assembly,
    http_at_the_edge,
    frameworks_in_integrations,
    drivers_in_stores,
    stores_apart,
    nothing_imports_integrations,
    one_clock,
    one_room_for_cryptography,
];

const FILE_RULES: [FileRule; 4] = [features_on_names, short_files, no_unwrap, no_unsafe_code];

/// The journey of a request, in its order.
const STAGES: [&str; 4] = ["token", "verify", "revocation", "session"];

/// What stands around the stages and is put together from them.
const ASSEMBLY: [&str; 10] = [
    "browser",
    "config",
    "device",
    "endpoints",
    "guard",
    "integrations",
    "jwt_session",
    "middleware",
    "stores",
    "testing",
];

fn earlier_stages_only(source: &Source, named: &Named) -> Option<String> {
    let stage = |room: &str| STAGES.iter().position(|stage| *stage == room);
    let (here, there) = (stage(source.room())?, stage(room_named(named)?)?);
    (there > here).then(|| {
        format!(
            "`{}` uses the later stage `{}`: a check must not rest on one that comes after it",
            STAGES[here], STAGES[there]
        )
    })
}

fn stages_know_no_assembly(source: &Source, named: &Named) -> Option<String> {
    let room = room_named(named)?;
    // The verbs stand on the parts that `JwtSession` puts together, and on nothing else of it.
    let verbs = source
        .rooms
        .starts_with(&["session".into(), "manage".into()])
        && named
            .segments
            .starts_with(&["crate".into(), "jwt_session".into()]);
    (STAGES.contains(&source.room()) && ASSEMBLY.contains(&room) && !verbs).then(|| {
        format!(
            "`{}` uses `{room}`: the stages are put together elsewhere and know nothing of it",
            source.room()
        )
    })
}

fn http_at_the_edge(source: &Source, named: &Named) -> Option<String> {
    const EDGE: [&str; 9] = [
        "browser",
        "device",
        "endpoints",
        "guard",
        "integrations",
        "middleware",
        "rejection",
        "testing",
        "guide",
    ];
    let krate = named.segments.first()?;
    let foreign = krate == "http"
        || krate.starts_with("http_")
        || krate == "tower"
        || krate.starts_with("tower_") && krate != "tower_jwt_session";
    let at_home = EDGE.contains(&source.room()) || source.path.starts_with("src/token/source");
    (foreign && !at_home).then(|| {
        format!("`{krate}` here: only the edge (token/source.rs, middleware, guard, rejection, device, endpoints, integrations) speaks HTTP")
    })
}

fn frameworks_in_integrations(source: &Source, named: &Named) -> Option<String> {
    const FRAMEWORKS: [&str; 8] = [
        "actix_web",
        "axum",
        "axum_core",
        "axum_extra",
        "hyper",
        "hyper_util",
        "tonic",
        "warp",
    ];
    let krate = named.segments.first()?;
    (FRAMEWORKS.contains(&krate.as_str()) && source.room() != "integrations")
        .then(|| format!("`{krate}` here: frameworks appear in integrations/ alone, one leaf each"))
}

fn drivers_in_stores(source: &Source, named: &Named) -> Option<String> {
    let krate = named.segments.first()?;
    let driver = matches!(
        krate.as_str(),
        "redis" | "rusqlite" | "sqlx" | "tokio_postgres"
    );
    (driver && source.room() != "stores")
        .then(|| format!("`{krate}` here: drivers are known to their store alone"))
}

fn stores_apart(source: &Source, named: &Named) -> Option<String> {
    const SHARED: [&str; 2] = ["codec", "sql"];
    let in_stores = named
        .segments
        .starts_with(&["crate".into(), "stores".into()]);
    if source.room() != "stores" || source.rooms.len() < 2 || !in_stores {
        return None;
    }
    let own = |name: &String| {
        let mut stores = source.rooms.iter().filter(|room| is_store(room));
        stores.any(|store| name.to_lowercase().starts_with(store.as_str()))
    };
    let other = named.segments[2..]
        .iter()
        .find(|name| is_store(name) && !SHARED.contains(&name.as_str()) && !own(name))?;
    Some(format!(
        "store `{}` uses store `{other}`: they share the traits, the codec and stores/sql, never each other",
        source.rooms[1..].join("::")
    ))
}

fn is_store(name: &str) -> bool {
    let name = name.to_lowercase();
    ["memory", "postgres", "redis", "sqlite"]
        .iter()
        .any(|store| name.starts_with(store))
}

fn nothing_imports_integrations(source: &Source, named: &Named) -> Option<String> {
    let imports = room_named(named)? == "integrations";
    // The front door shows the names that a feature adds.
    let allowed = source.room() == "integrations" || source.rooms.is_empty();
    (imports && !allowed)
        .then(|| "uses `integrations`: they are leaves, and nothing hangs on a leaf".to_owned())
}

fn one_clock(source: &Source, named: &Named) -> Option<String> {
    let reads = named.segments.windows(2).any(|pair| {
        matches!(pair[0].as_str(), "SystemTime" | "Instant") && pair[1] == "now"
            || pair[1] == "clock_gettime"
    });
    (reads && source.path != "src/clock.rs" && !is_of_a_timer(source, named)).then(|| {
        format!(
            "`{}` here: time is read in clock.rs alone, everything else is handed it",
            named.segments.join("::")
        )
    })
}

/// Whether it is the instant of tokio's timers, which tests hold by pausing the runtime.
fn is_of_a_timer(source: &Source, named: &Named) -> bool {
    let timer = ["tokio", "time", "Instant"];
    let starts = |named: &Named| named.segments.iter().zip(timer).all(|(a, b)| a == b);
    match named.segments.first().map(String::as_str) {
        Some("Instant") => source
            .named()
            .iter()
            .any(|other| other.segments.len() == timer.len() && starts(other)),
        _ => named.segments.len() > timer.len() && starts(named),
    }
}

fn one_room_for_cryptography(source: &Source, named: &Named) -> Option<String> {
    // The cipher of what is at rest, which aws-lc alone has.
    const SEALED: &str = "src/stores/sealed/keys.rs";
    let library = |name: &String| matches!(name.as_str(), "aws_lc_rs" | "ring");
    let krate = named.segments.first().filter(|krate| library(krate))?;
    let at_home = source.room() == "crypto" || source.path == SEALED;
    (!at_home).then(|| {
        format!("`{krate}` here: crypto/ alone knows which library of cryptography there is")
    })
}

fn features_on_names(source: &Source) -> Vec<Offence> {
    if source.path == "src/telemetry.rs" {
        return Vec::new();
    }
    let lines: Vec<&str> = source.code.lines().collect();
    let mut offences = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let gates = line.contains("cfg!(feature")
            || line.contains("#[cfg(") && attribute(&lines[index..]).contains("feature");
        if gates && (line.contains("cfg!(") || !stands_on_a_name(&lines[index..])) {
            offences.push(Offence {
                line: index + 1,
                why: "a feature stands on `mod` and `pub use` lines: it adds names and never \
                      changes what code does"
                    .to_owned(),
            });
        }
    }
    offences
}

/// The text of the attribute that begins in the first line.
fn attribute(lines: &[&str]) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str(line);
        if line.trim_end().ends_with(']') {
            break;
        }
    }
    text
}

fn stands_on_a_name(lines: &[&str]) -> bool {
    let mut in_attribute = false;
    for line in lines.iter().map(|line| line.trim()) {
        if line.starts_with("#[") || in_attribute {
            in_attribute = !line.ends_with(']');
        } else if !line.is_empty() {
            let item = line.split_once("pub(").map_or(line, |(_, rest)| {
                rest.split_once(')').map_or(rest, |(_, item)| item)
            });
            let item = item.trim_start().trim_start_matches("pub ");
            let public = line.starts_with("pub");
            return item.starts_with("mod ") || public && item.starts_with("use ");
        }
    }
    false
}

fn short_files(source: &Source) -> Vec<Offence> {
    if source.lines <= MAX_LINES {
        return Vec::new();
    }
    vec![Offence {
        line: MAX_LINES + 1,
        why: format!(
            "{} lines without its tests, {MAX_LINES} at most: it has become more than one thing",
            source.lines
        ),
    }]
}

const MAX_LINES: usize = 400;

fn no_unwrap(source: &Source) -> Vec<Offence> {
    // The conformance suite and its like are tests that happen to be public.
    if source.room() == "testing" {
        return Vec::new();
    }
    on_lines(source, ".unwrap()", || {
        "`.unwrap()` outside tests: state the invariant with `expect`, or handle it".to_owned()
    })
}

fn no_unsafe_code(source: &Source) -> Vec<Offence> {
    let missing = source.rooms.is_empty() && !source.code.contains("#![forbid(unsafe_code)]");
    let why = "lib.rs must say `#![forbid(unsafe_code)]`".to_owned();
    missing
        .then_some(Offence { line: 1, why })
        .into_iter()
        .collect()
}

fn on_lines(source: &Source, text: &str, why: impl Fn() -> String) -> Vec<Offence> {
    let offending = source.code.lines().enumerate();
    offending
        .filter(|(_, line)| line.contains(text))
        .map(|(index, _)| Offence {
            line: index + 1,
            why: why(),
        })
        .collect()
}

/// The room of this crate that a path leads to.
fn room_named(named: &Named) -> Option<&str> {
    let [first, room, ..] = named.segments.as_slice() else {
        return None;
    };
    (first == "crate").then_some(room)
}
