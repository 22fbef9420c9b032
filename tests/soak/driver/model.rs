//! What may be answered, by what a client knows.

use std::time::{Duration, Instant};

use super::STALENESS;
use super::http::Reply;
use super::weather::{Cause, Weather};

/// How it stands with something that was asked to end, by what was acknowledged.
#[derive(Clone, Copy, Debug)]
pub enum Ending {
    /// Nobody asked.
    No,
    /// Somebody asked, and nobody was told that it is done.
    Asked,
    /// A node said so at an instant; everywhere, or on itself.
    Done {
        at: Instant,
        by: usize,
        everywhere: bool,
    },
}

/// A request to a node.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    pub node: usize,
    pub sent: Instant,
    pub answered: Instant,
}

/// What is known of the token that a request came with.
#[derive(Clone, Copy, Debug)]
pub enum Token {
    /// Of a session, and of roles that may have changed since.
    Ours { session: Ending, roles: Ending },
    /// It ran out, leeway included.
    Expired,
    /// Its signature is another's.
    Forged,
    /// It is none.
    Garbage,
}

/// What a model says to an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// What should be answered.
    Right,
    /// Let in although a node elsewhere had said that it is over; so long ago, within the bound.
    Behind(Duration),
    /// Not answered, or 503, and a fault is why.
    Explained(Cause),
    /// The process was away.
    Away,
    Unexplained,
}

/// Judges an answer to a request.
pub fn request(token: Token, asked: Asked, reply: &Reply, weather: &Weather) -> Verdict {
    match reply {
        Reply::Answered(200, _) => admitted(token, asked),
        Reply::Answered(401, code) => match (token, code.as_str()) {
            (Token::Ours { session, .. }, "token_revoked") if may_be_over(session) => {
                Verdict::Right
            }
            (Token::Ours { roles, .. }, "token_stale") if may_be_over(roles) => Verdict::Right,
            (Token::Expired, "token_expired")
            | (Token::Forged, "invalid_token")
            | (Token::Garbage, "malformed_token" | "invalid_token") => Verdict::Right,
            _ => Verdict::Unexplained,
        },
        // What is no good by itself is never asked about.
        Reply::Answered(503, code) if code == "store_unavailable" => match token {
            Token::Ours { .. } => without_store(asked, weather),
            _ => Verdict::Unexplained,
        },
        Reply::Gone if weather.was_away(asked.node, asked.sent, asked.answered) => Verdict::Away,
        _ => Verdict::Unexplained,
    }
}

/// Judges that a verb said that the store failed, or that the node did not say anything.
pub fn without_answer(gone: bool, asked: Asked, weather: &Weather) -> Verdict {
    match gone {
        true if weather.was_away(asked.node, asked.sent, asked.answered) => Verdict::Away,
        true => Verdict::Unexplained,
        false => without_store(asked, weather),
    }
}

fn without_store(asked: Asked, weather: &Weather) -> Verdict {
    let Asked {
        node,
        sent,
        answered,
    } = asked;
    let cause = weather.explains(node, sent, answered);
    cause.map_or(Verdict::Unexplained, Verdict::Explained)
}

fn admitted(token: Token, asked: Asked) -> Verdict {
    let Token::Ours { session, roles } = token else {
        return Verdict::Unexplained;
    };
    let mut behind = Duration::ZERO;
    for ending in [session, roles] {
        let Ending::Done { at, by, everywhere } = ending else {
            continue;
        };
        let since = asked.sent.saturating_duration_since(at);
        if everywhere || by == asked.node || since > STALENESS {
            return Verdict::Unexplained;
        }
        behind = behind.max(since);
    }
    match behind {
        Duration::ZERO => Verdict::Right,
        _ => Verdict::Behind(behind),
    }
}

fn may_be_over(ending: Ending) -> bool {
    !matches!(ending, Ending::No)
}
