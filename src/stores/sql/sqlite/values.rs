//! Values as SQLite takes them, and questions that stand alone.

use sqlx::query;

use super::error::BACKEND;
use super::statements::Statement;
use crate::error::{StoreError, StoreErrorKind};
use crate::session::Counters;
use crate::token::UserId;

pub(super) fn bytes(bytes: &[u8]) -> Vec<u8> {
    bytes.to_vec()
}

pub(super) fn text(user: &UserId) -> String {
    user.as_str().to_owned()
}

pub(super) fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

pub(super) fn unwritable(error: serde_json::Error) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, BACKEND).with_source(error)
}

/// A statement about a user and their counters.
pub(super) fn of_user(sql: &'static str, user: &UserId, counters: Counters) -> Statement {
    query(sql)
        .bind(text(user))
        .bind(counters.revoked_gen.as_u64().cast_signed())
        .bind(counters.roles_gen.as_u64().cast_signed())
}

pub(super) const FLEET: &str =
    "SELECT deployment, history, limits, covered_until, settles_at, highest FROM jwt_meta";

/// Each half is answered from an index alone.
pub(super) const POPULATION: &str = "SELECT \
     (SELECT count(*) FROM jwt_sessions WHERE ended_at IS NULL AND due_at > ?) AS sessions, \
     (SELECT count(DISTINCT user) FROM jwt_sessions WHERE ended_at IS NULL) AS users";
