//! Every figure of this crate.

use super::metric::{Metric, MetricKind};

/// Makes a static for each figure, and the list of all of them.
macro_rules! figures {
    ($($ident:ident = $kind:ident $name:literal in $unit:literal, $help:literal
        $(, by $label:literal of $values:expr)* $(, up to $buckets:expr)?;)*) => {
        $(pub(super) static $ident: Metric = Metric {
            name: $name,
            kind: MetricKind::$kind,
            unit: $unit,
            help: $help,
            labels: &[$(($label, $values)),*],
            buckets: figures!(@ $($buckets)?),
        };)*

        /// Every figure of this crate: for documents, dashboards and tests, and for an exporter that has to know
        /// where buckets begin.
        pub static METRICS: &[Metric] = &[$(Metric {
            name: $name,
            kind: MetricKind::$kind,
            unit: $unit,
            help: $help,
            labels: &[$(($label, $values)),*],
            buckets: figures!(@ $($buckets)?),
        }),*];
    };
    (@) => { &[] };
    (@ $buckets:expr) => { $buckets };
}

figures! {
    AUTHENTICATIONS = Counter "jwt_session_authentications_total" in "1",
        "Requests whose token was checked, by what that came to.",
        by "outcome" of OUTCOMES;
    AUTHENTICATION_DURATION = Histogram "jwt_session_authentication_duration_seconds" in "seconds",
        "How long a check took: of those that this node answered a sample, of those that waited for the store each.",
        by "answered" of &["node", "store"], up to SHORT;
    TOKEN_CACHE = Counter "jwt_session_token_cache_total" in "1",
        "Tokens that were looked up among those that verified before.",
        by "result" of LOOKUPS;
    SIGN_INS = Counter "jwt_session_sign_ins_total" in "1",
        "Sign-ins by their outcome.",
        by "outcome" of VERB_OUTCOMES;
    REFRESHES = Counter "jwt_session_refreshes_total" in "1",
        "Refreshes by their outcome.",
        by "outcome" of VERB_OUTCOMES;
    OPERATION_DURATION = Histogram "jwt_session_operation_duration_seconds" in "seconds",
        "How long a sign-in, a refresh or an end took, whatever its outcome.",
        by "operation" of super::Verb::NAMES, up to LONG;
    SESSIONS_ENDED = Counter "jwt_session_sessions_ended_total" in "1",
        "Sessions that ended, by the reason; signed_out are the sign-outs.",
        by "reason" of REASONS;
    SESSION_LIFETIME = Histogram "jwt_session_session_lifetime_seconds" in "seconds",
        "How long sessions lasted that ended.",
        by "reason" of REASONS, up to DAYS;
    ACTIVE_SESSIONS = Gauge "jwt_session_active_sessions" in "1",
        "Live sessions in the store, of everybody: each node of a store says the same, once a minute.";
    STORE_DURATION = Histogram "jwt_session_store_operation_duration_seconds" in "seconds",
        "How long calls to the store took, also those that failed.",
        by "operation" of super::Operation::NAMES, up to LONG;
    STORE_ERRORS = Counter "jwt_session_store_errors_total" in "1",
        "Calls to the store that failed, by what was called and how it failed.",
        by "operation" of super::Operation::NAMES, by "class" of ERROR_CLASSES;
    BREAKER_STATE = Gauge "jwt_session_store_breaker_state" in "1",
        "Whether calls go to the store: 0 they do, 1 one is trying, 2 they fail at once.",
        by "class" of &["confirm", "follow", "list", "write"];
    PROPAGATION_LAG = Histogram "jwt_session_propagation_lag_seconds" in "seconds",
        "How long after another node wrote it a revocation was in the view of this one, by the store's clock.",
        up to LONG;
    VIEW_AGE = Gauge "jwt_session_view_age_seconds" in "seconds",
        "How long ago the last complete reading of the revocation log began.";
    VIEW_FRESH = Gauge "jwt_session_view_fresh" in "1",
        "1 while this node may answer by itself, 0 while every request asks the store.";
    VIEW_ENTRIES = Gauge "jwt_session_view_entries" in "1",
        "Entries of the revocation log in memory.";
    VIEW_COMPLETE = Gauge "jwt_session_view_complete" in "1",
        "1 while all entries of the revocation log fit into memory, 0 while the store is asked instead.";
    UNSETTLED_WRITES = Gauge "jwt_session_unsettled_writes" in "1",
        "Ends of sessions that hold here and that the store has not confirmed.";
    EVENTS = Counter "jwt_session_events_total" in "1",
        "Events by their name; refused requests are not among them.",
        by "event" of EVENT_NAMES;
    EVENTS_LOST = Counter "jwt_session_events_lost_total" in "1",
        "Events that did not arrive, because whoever hears of them did not keep up.",
        by "path" of &["audit", "subscriber"];
    THROTTLED = Counter "jwt_session_throttled_total" in "1",
        "Attempts that came too often and were refused.",
        by "attempt" of &["refresh", "register", "session", "sign_in"];
}

/// In the order of [`Outcome`](super::Outcome).
pub(super) const OUTCOMES: &[&str] = &[
    "admitted",
    "anonymous",
    "csrf_rejected",
    "invalid_token",
    "malformed_token",
    "misconfigured",
    "missing_token",
    "overloaded",
    "store_unavailable",
    "token_expired",
    "token_revoked",
    "token_stale",
];

/// In the order of [`Lookup`](super::Lookup).
pub(super) const LOOKUPS: &[&str] = &["hit", "miss"];

const VERB_OUTCOMES: &[&str] = super::spans::OUTCOMES;

const REASONS: &[&str] = &[
    "admin_revoked",
    "evicted",
    "expired",
    "idle",
    "password_changed",
    "refresh_reused",
    "replaced",
    "roles_changed",
    "signed_out",
    "suspicious",
    "unconfirmed",
    "user_revoked",
    "user_removed",
];

/// Without `refused`: requests are counted where they are answered.
pub(super) const EVENT_NAMES: &[&str] = &[
    "audit_lost",
    "ended",
    "erased",
    "log_changed",
    "missed",
    "new_device",
    "reauthenticated",
    "refresh_failed",
    "refreshed",
    "renamed",
    "replay_accepted",
    "restored_ahead",
    "risk_raised",
    "roles_changed",
    "signed_in",
    "sign_in_refused",
    "store_back",
    "store_lost",
    "token_revoked",
    "too_many_refresh_failures",
    "untracked_issued",
    "view_fresh",
    "view_stale",
    "written_back",
];

const ERROR_CLASSES: &[&str] = super::spans::ERROR_CLASSES;

/// From a lookup in memory to a store that hardly answers.
const SHORT: &[f64] = &[
    250e-9, 500e-9, 1e-6, 2.5e-6, 10e-6, 50e-6, 250e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3,
    100e-3, 250e-3, 500e-3,
];

/// From a store in memory to one that does not answer.
const LONG: &[f64] = &[
    50e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 200e-3, 500e-3, 1.0,
    2.5, 5.0, 10.0,
];

/// From a minute to the longest session of the defaults.
const DAYS: &[f64] = &[
    60.0,
    600.0,
    3_600.0,
    4.0 * 3_600.0,
    12.0 * 3_600.0,
    86_400.0,
    3.0 * 86_400.0,
    7.0 * 86_400.0,
    14.0 * 86_400.0,
    30.0 * 86_400.0,
    60.0 * 86_400.0,
    90.0 * 86_400.0,
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::revocation::EndReason;

    /// Every reason once; a new one does not compile until it is among them.
    fn after(reason: &EndReason) -> Option<EndReason> {
        use EndReason::*;
        Some(match reason {
            AdminRevoked => Evicted,
            Evicted => Expired,
            Expired => Idle,
            Idle => PasswordChanged,
            PasswordChanged => RefreshReused,
            RefreshReused => Replaced,
            Replaced => RolesChanged,
            RolesChanged => SignedOut,
            SignedOut => Suspicious,
            Suspicious => Unconfirmed,
            Unconfirmed => UserRevoked,
            UserRevoked => UserRemoved,
            UserRemoved => return None,
        })
    }

    #[test]
    fn the_reasons_are_those_of_the_log() {
        let first = Some(EndReason::AdminRevoked);
        let all: Vec<_> = std::iter::successors(first, after).collect();
        assert_eq!(all, EndReason::ALL);
        let all: Vec<&str> = all.iter().map(EndReason::as_str).collect();
        assert_eq!(all, REASONS);
    }

    #[test]
    fn every_event_is_counted_but_refused_requests() {
        let source = include_str!("../events/event.rs");
        let names = source.split_once("fn name(").expect("events have names").1;
        let names = names.split_once("\n    }\n").expect("the function ends").0;
        let mut names: Vec<&str> = names.split('"').skip(1).step_by(2).collect();
        names.retain(|name| *name != "refused");
        assert_eq!(names, EVENT_NAMES);
    }

    #[test]
    fn names_follow_one_pattern_and_none_is_there_twice() {
        let names: HashSet<&str> = METRICS.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), METRICS.len());
        for metric in METRICS {
            let Metric {
                name, kind, unit, ..
            } = metric;
            assert!(name.starts_with("jwt_session_"), "{name}");
            let total = name.ends_with("_total");
            assert_eq!(total, *kind == MetricKind::Counter, "{name}");
            assert_eq!(name.ends_with("_seconds"), *unit == "seconds", "{name}");
            let bounded = !metric.buckets.is_empty();
            assert_eq!(bounded, *kind == MetricKind::Histogram, "{name}");
            assert!(metric.buckets.is_sorted(), "{name}");
            assert!(metric.help.ends_with('.'), "{name}");
        }
    }
}
