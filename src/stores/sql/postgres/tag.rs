//! What a row of an answer is, in its column `q`.

pub(super) const LOCKED: i32 = 0;
pub(super) const FLEET: i32 = 1;
pub(super) const SESSION: i32 = 2;
pub(super) const OPEN: i32 = 3;
pub(super) const USER: i32 = 4;
pub(super) const LINE: i32 = 5;
pub(super) const PUT: i32 = 6;
pub(super) const LEASE: i32 = 7;
pub(super) const WRITTEN: i32 = 8;
pub(super) const PIECE: i32 = 9;
pub(super) const PROBE: i32 = 10;
pub(super) const COUNT: i32 = 11;
pub(super) const AUDIT: i32 = 12;
pub(super) const POPULATION: i32 = 12;
pub(super) const MADE: i32 = 12;
/// What a function reads ahead, as one row: whether the lock was free, what the fleet shares,
/// the counters of a user, and a line of the log that was asked for.
pub(super) const AHEAD: i32 = 13;
