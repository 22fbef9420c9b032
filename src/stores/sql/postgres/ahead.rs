//! What a write reads ahead, and whose lock it takes.

use super::known::Asked;
use super::names::key_of;
use super::run::Ahead;
use crate::revocation::{EntryId, RevocationEntry, Revoked};
use crate::stores::codec;
use crate::token::{SessionId, UserId};

/// A write about sessions, and log entries that it may have written before.
pub(super) fn on<'a>(sessions: &'a [SessionId], entries: &'a [EntryId]) -> Ahead<'a> {
    Ahead {
        users_of: sessions,
        asked: Asked {
            sessions,
            entries,
            ..Asked::default()
        },
        ..Ahead::default()
    }
}

/// A write about everything of a user.
pub(super) fn of<'a>(user: &'a UserId, entries: &'a [EntryId]) -> Ahead<'a> {
    Ahead {
        keys: vec![key_of(user.as_str())],
        asked: Asked {
            user: Some(user),
            entries,
            ..Asked::default()
        },
        ..Ahead::default()
    }
}

pub(super) fn session_of(entry: &RevocationEntry) -> Option<SessionId> {
    match entry.revoked {
        Revoked::Session { session, .. } => Some(session),
        Revoked::Roles { .. } | Revoked::Token { .. } | Revoked::User { .. } => None,
    }
}

/// Who an entry is about: nobody else writes about them meanwhile.
pub(super) fn key_of_entry(entry: &RevocationEntry) -> i64 {
    match &entry.revoked {
        Revoked::Roles { user, .. } | Revoked::User { user, .. } => key_of(user.as_str()),
        Revoked::Session { user, .. } | Revoked::Token { user, .. } => match user {
            Some(user) => key_of(user.as_str()),
            None => key_of(&codec::subject_of(&entry.revoked)),
        },
    }
}
