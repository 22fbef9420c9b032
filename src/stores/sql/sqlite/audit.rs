//! The audit log in SQLite.

use std::ops::DerefMut;
use std::time::Duration;

use serde_json::json;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Row as _, query};

use super::SqliteStore;
use super::columns::integer;
use super::error::failed;
use super::statements::Tables;
use super::values::{count, unwritable};
use crate::BoxFuture;
use crate::clock::UnixTime;
use crate::error::StoreError;
use crate::session::{AuditEntry, AuditLog, AuditPage, AuditRequest};
use crate::stores::codec::hex;
use crate::stores::sql::audit::{AuditRows, Numbered, bound, read_entry};
use crate::token::UserId;

impl<C: DerefMut<Target = SqliteConnection> + Send> AuditRows for Tables<C> {
    /// In one statement, since each is a trip to SQLite's thread while other writes wait.
    async fn put_audit(&mut self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let row = |entry: &AuditEntry| {
            let text = serde_json::to_string(entry).map_err(unwritable)?;
            let session = entry.session.map(|session| hex(session.as_bytes()));
            Ok(json!([
                hex(entry.id.as_bytes()),
                integer(entry.at),
                entry.user,
                session,
                text
            ]))
        };
        let rows: Vec<_> = entries.iter().map(row).collect::<Result<_, StoreError>>()?;
        let rows = serde_json::to_string(&rows).map_err(unwritable)?;
        let sql = "INSERT INTO jwt_audit (id, at, user, session, entry) \
             SELECT unhex(value ->> 0), value ->> 1, value ->> 2, unhex(value ->> 3), value ->> 4 \
             FROM json_each(?) WHERE true ON CONFLICT (id) DO NOTHING";
        self.change_one(query(sql).bind(rows)).await.map(drop)
    }

    async fn audit_before(
        &mut self,
        request: &AuditRequest,
        number: u64,
        limit: usize,
    ) -> Result<Vec<Numbered>, StoreError> {
        // Which of the two is there is known beforehand, so each question has an index.
        let sql = match (&request.user, request.session) {
            (None, None) => concat!(audit!(), "ORDER BY number DESC LIMIT ?2"),
            (Some(_), None) => concat!(audit!(), "AND user = ?3 ORDER BY number DESC LIMIT ?2"),
            (None, Some(_)) => concat!(audit!(), "AND session = ?4 ORDER BY number DESC LIMIT ?2"),
            (Some(_), Some(_)) => concat!(
                audit!(),
                "AND +user = ?3 AND session = ?4 ORDER BY number DESC LIMIT ?2"
            ),
        };
        let statement = query(sql)
            .bind(bound(number))
            .bind(count(limit))
            .bind(request.user.as_ref().map(|user| user.as_str().to_owned()))
            .bind(request.session.map(|session| session.as_bytes().to_vec()));
        let rows = self.all(statement).await?;
        let read = rows.iter().map(|row| {
            let number = row.try_get::<i64, _>(0).map_err(failed)?.cast_unsigned();
            let text = row.try_get::<&str, _>(1).unwrap_or_default();
            Ok((number, read_entry(number, text)))
        });
        read.collect()
    }

    async fn forget_audit_before(
        &mut self,
        before: UnixTime,
        most: u64,
        limit: usize,
    ) -> Result<u64, StoreError> {
        let old = "DELETE FROM jwt_audit WHERE number IN \
             (SELECT number FROM jwt_audit WHERE at < ? ORDER BY at LIMIT ?)";
        let old = query(old).bind(integer(before)).bind(count(limit));
        let over = "DELETE FROM jwt_audit WHERE number IN (SELECT number FROM jwt_audit WHERE \
             number <= (SELECT max(number) FROM jwt_audit) - ? ORDER BY number LIMIT ?)";
        let over = query(over).bind(bound(most)).bind(count(limit));
        Ok(self.change(old).await? + self.change(over).await?)
    }

    async fn forget_audit_of(&mut self, user: &UserId) -> Result<(), StoreError> {
        let sql = "DELETE FROM jwt_audit WHERE user = ?";
        let statement = query(sql).bind(user.as_str().to_owned());
        self.change_one(statement).await.map(drop)
    }
}

/// What every question begins with.
macro_rules! audit {
    () => {
        "SELECT number, entry FROM jwt_audit WHERE number < ?1 "
    };
}
use audit;

impl AuditLog for SqliteStore {
    fn record<'a>(&'a self, entries: &'a [AuditEntry]) -> BoxFuture<'a, Result<(), StoreError>> {
        let entries = entries.to_vec();
        self.write(move |steps| Box::pin(async move { steps.put_audit(&entries).await }))
    }

    fn read(&self, request: AuditRequest) -> BoxFuture<'_, Result<AuditPage, StoreError>> {
        Box::pin(async move { self.reading().await?.audit_page(&request).await })
    }

    fn tidy(
        &self,
        keep: Duration,
        most: u64,
        batch: usize,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.write(move |steps| Box::pin(steps.tidy_audit(keep, most, batch)))
    }

    fn forget<'a>(&'a self, user: &'a UserId) -> BoxFuture<'a, Result<(), StoreError>> {
        let user = user.clone();
        self.write(move |steps| Box::pin(async move { steps.forget_audit(&user).await }))
    }
}
