//! The stores that keep their tables in an SQL database.
//!
//! What a verb does is one sequence of steps over the tables, written once for all of them
//! ([`Steps`](steps::Steps)). A database brings the tables themselves ([`Rows`](rows::Rows)) and
//! sees to it that a sequence is atomic: it runs inside a transaction that nobody else writes
//! beside, and its result is told only after the commit. What a refresh, a limit or an expiry
//! means is decided in [`session`](crate::session), as for every other store.

mod apart;
mod ask;
mod audit;
mod end;
#[cfg(test)]
mod fixtures;
#[cfg_attr(
    not(feature = "sqlite"),
    allow(dead_code, reason = "PostgreSQL tells what is new itself")
)]
mod follow;
mod layout;
mod manage;
mod moving;
#[cfg(feature = "postgres")]
mod postgres;
mod refresh;
mod rows;
mod sign_in;
#[cfg(feature = "sqlite")]
mod sqlite;
mod steps;
mod sweep;

#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
