//! Why a step takes what it takes with more of something: what it does, and what that means to the
//! store. By the code of the stores, whatever was measured.

use super::steps::STEPS;

/// What there is more of along a curve.
#[derive(Clone, Copy, Debug)]
pub enum By {
    Clients,
    /// For as many clients.
    Nodes,
    Sessions,
    SessionsOfOne,
}

impl By {
    pub fn told(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::Nodes => "nodes",
            Self::Sessions => "stored sessions",
            Self::SessionsOfOne => "sessions of one user",
        }
    }
}

/// The reasons for the curves of a store, in the order of [`STEPS`].
pub fn why(store: &str, by: By) -> [String; STEPS.len()] {
    let does = match by {
        By::Clients | By::Nodes => [""; STEPS.len()],
        By::Sessions => AMONG_ALL,
        By::SessionsOfOne => AMONG_ONES_OWN,
    };
    let means = match (by, store) {
        (By::Sessions, "SQLite" | "PostgreSQL") => [TREES; STEPS.len()],
        (By::Sessions, "Redis") => [SORTED, HASHED, HASHED, HASHED, SORTED],
        // A refresh changes when a session is due; Redis and the tables leave that to the sweep.
        (By::Sessions, _) => [SORTED, SORTED, HASHED, HASHED, SORTED],
        (By::SessionsOfOne, "SQLite" | "PostgreSQL" | "Redis") => [""; STEPS.len()],
        (By::SessionsOfOne, _) => [WALKED, LEFT, LEFT, WALKED, WALKED],
        (By::Clients, "SQLite") => [WRITER, WRITER, LOOK, READERS, WRITER],
        (By::Clients, "PostgreSQL") => [TRANSACTION, TRANSACTION, SHARES, SHARES, SHARES],
        (By::Clients, "Redis") => [SCRIPT, SCRIPT, ALONE, ALONE, ALONE],
        (By::Clients, _) => [LOCK; STEPS.len()],
        (By::Nodes, "SQLite") => [WRITERS, WRITERS, LOOKS, MORE_READERS, WRITERS],
        (By::Nodes, "PostgreSQL") => [FEWER, FEWER, MORE_SHARES, MORE_SHARES, MORE_SHARES],
        (By::Nodes, "Redis") => [SCRIPTS, SCRIPTS, ONE_THREAD, ONE_THREAD, ONE_THREAD],
        (By::Nodes, _) => [ONE_STORE; STEPS.len()],
    };
    std::array::from_fn(|step| match (does[step], means[step]) {
        (one, "") | ("", one) => one.to_owned(),
        (does, means) => format!("{does} {means}"),
    })
}

/// As much, however many are stored.
const AMONG_ALL: [&str; STEPS.len()] = [
    "It looks for sessions of one user, and adds one.",
    "It finds one session by its id, and writes it.",
    "It finds one session by its id, looks whether the log says anything of it or its user, and notes that it is used.",
    "It finds the ten sessions of one user.",
    "It finds the ten sessions of one user, writes each, and adds one line to the log.",
];
const TREES: &str = "Each is found by trees of pages, whose depth is the logarithm of what they hold; and the more pages there are, the fewer of \
     those that are needed are in the store's own cache and in the processor's.";
const HASHED: &str = "Each is found by a hash table, in one look whatever it holds; but the more it holds, the less of that is in the processor's \
     caches.";
const SORTED: &str = "Each is found by a hash table, in one look whatever it holds, but the more it holds, the less of that is in the processor's \
     caches; a place in the sorted orders of all sessions takes as many looks as the logarithm of their number.";

const AMONG_ONES_OWN: [&str; STEPS.len()] = [
    "It reads every open session of its user, to see which are over and how many there are: as many times as much.",
    ONE,
    ONE,
    "It reads every open session of the user: as many times as much.",
    "It reads and writes every open session of the user: as many times as much.",
];
const ONE: &str = "It finds one session by its id, however many its user has.";
const WALKED: &str =
    "Beyond what the processor's caches hold, each of them comes from further away.";
const LEFT: &str = "But a sign-in and a list in between, which read them all, leave less and less of the rest in the processor's caches.";

const WRITER: &str =
    "Writes that wait for the one writer share a transaction, and so one wait for the disk.";
const LOOK: &str = "It looks by one of four connections that read beside the writer; that the session is used is noted by the one writer, where \
     those that wait share a transaction.";
const READERS: &str = "Four connections read beside the writer, and wait for nothing but the processors; each list is read by itself.";
const WRITERS: &str = "The file has one writer at a time: nodes take turns at it, and each shares its transactions among fewer clients.";
const LOOKS: &str = "Each node looks by connections of its own, but nodes take turns at being the one writer, who notes that the session is used.";
const MORE_READERS: &str = "Each node reads by four connections of its own, beside whoever writes: more are at it at once, on the same processors.";

const TRANSACTION: &str = "Those that wait share a transaction, its round trips and one wait for the disk, until the processors are busy.";
const SHARES: &str = "Each goes by itself, on one of those connections that a node has for its kind (eight to write, four to check, two to \
     list): as many are under way at once, until the processors are busy.";
const FEWER: &str = "Each node shares its transactions among fewer clients, so that the server has more of them to do, on the same processors.";
const MORE_SHARES: &str =
    "Each node has connections of its own: more are under way at once, on the same processors.";

const SCRIPT: &str = "Those that wait are done by one script, and scripts that come at once share a wait for the disk, until the one thread of the \
     server is busy.";
const ALONE: &str = "Each is a script by itself; those that come at once share reads and writes of the socket and, where they write, a wait for \
     the disk, until the one thread of the server is busy.";
const SCRIPTS: &str = "Each node shares its scripts among fewer clients, so that the one thread of the server has more of them to do.";
const ONE_THREAD: &str = "Each is a script by itself, and the one thread of the server does all of them, wherever they come from.";

const LOCK: &str = "One lock is around the whole store, so that one is in it at a time, however many want to be; nothing else is waited for.";
const ONE_STORE: &str =
    "All nodes of a process stand on one store behind one lock: more of them change nothing.";
