//! The audit log in PostgreSQL.

use std::time::Duration;

use sqlx::Row as _;

use super::PostgresStore;
use super::columns;
use super::known::Asked;
use super::literal::{Id, Maybe, Text, instant, list};
use super::pools::Class;
use super::run::Ahead;
use super::tables::{Tables, unwritable};
use super::tag;
use crate::BoxFuture;
use crate::clock::UnixTime;
use crate::error::StoreError;
use crate::session::{AuditEntry, AuditLog, AuditPage, AuditRequest};
use crate::stores::sql::audit::{AuditRows, Numbered, bound, read_entry};
use crate::token::UserId;

impl AuditRows for Tables {
    async fn put_audit(&mut self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let row = |entry: &AuditEntry| {
            let text = serde_json::to_string(entry).map_err(unwritable)?;
            Ok(format!(
                "({}, {}, {}, {}, {})",
                Id(entry.id.as_bytes()),
                instant(entry.at),
                Maybe(entry.user.as_ref().map(|user| Text(user.as_str()))),
                Maybe(entry.session.as_ref().map(|session| Id(session.as_bytes()))),
                Text(&text),
            ))
        };
        let rows: Vec<_> = entries.iter().map(row).collect::<Result<_, StoreError>>()?;
        let names = self.names.clone();
        self.later(format_args!(
            "INSERT INTO {} (id, at, user_id, session_id, entry) VALUES {} \
             ON CONFLICT (id) DO NOTHING",
            names.audit,
            list(rows)
        ));
        Ok(())
    }

    async fn audit_before(
        &mut self,
        request: &AuditRequest,
        number: u64,
        limit: usize,
    ) -> Result<Vec<Numbered>, StoreError> {
        let mut question = format!(
            "SELECT {} AS q, number, entry FROM {} WHERE number < {}",
            tag::AUDIT,
            self.names.audit,
            bound(number)
        );
        if let Some(user) = &request.user {
            question.push_str(&format!(" AND user_id = {}", Text(user.as_str())));
        }
        if let Some(session) = &request.session {
            question.push_str(&format!(" AND session_id = {}", Id(session.as_bytes())));
        }
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        question.push_str(&format!(" ORDER BY number DESC LIMIT {limit}; "));
        let rows = self.ask_of(tag::AUDIT, &question).await?;
        let read = rows.iter().filter_map(|row| {
            let number = row.try_get::<i64, _>("number").ok()?.cast_unsigned();
            let text = row.try_get::<&str, _>("entry").unwrap_or_default();
            Some((number, read_entry(number, text)))
        });
        Ok(read.collect())
    }

    async fn forget_audit_before(
        &mut self,
        before: UnixTime,
        most: u64,
        limit: usize,
    ) -> Result<u64, StoreError> {
        let audit = &self.names.audit;
        let over = format!(
            "number <= (SELECT max(number) FROM {audit}) - {} ORDER BY number",
            bound(most)
        );
        let old = format!("at < {} ORDER BY at", instant(before));
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let delete = |which: String| {
            format!(
                "WITH gone AS (DELETE FROM {audit} WHERE number IN (SELECT number FROM {audit} \
                 WHERE {which} LIMIT {limit} FOR UPDATE SKIP LOCKED) RETURNING 1) \
                 SELECT {} AS q, count(*) AS count FROM gone; ",
                tag::COUNT
            )
        };
        let question = delete(old) + &delete(over);
        let rows = self.ask_of(tag::COUNT, &question).await?;
        Ok(rows
            .iter()
            .filter_map(|row| columns::count(row, "count"))
            .sum())
    }

    async fn forget_audit_of(&mut self, user: &UserId) -> Result<(), StoreError> {
        let names = self.names.clone();
        self.later(format_args!(
            "DELETE FROM {} WHERE user_id = {}",
            names.audit,
            Text(user.as_str())
        ));
        Ok(())
    }
}

impl AuditLog for PostgresStore {
    fn record<'a>(&'a self, entries: &'a [AuditEntry]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.write(Ahead::default(), move |steps| {
            let entries = entries.to_vec();
            Box::pin(async move { steps.put_audit(&entries).await })
        }))
    }

    fn read(&self, request: AuditRequest) -> BoxFuture<'_, Result<AuditPage, StoreError>> {
        Box::pin(async move {
            let request = &request;
            self.read(Class::List, Asked::default(), |steps| {
                let request = request.clone();
                Box::pin(async move { steps.audit_page(&request).await })
            })
            .await
        })
    }

    fn tidy(
        &self,
        keep: Duration,
        most: u64,
        batch: usize,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(self.write(Ahead::default(), move |steps| {
            Box::pin(steps.tidy_audit(keep, most, batch))
        }))
    }

    fn forget<'a>(&'a self, user: &'a UserId) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.write(Ahead::default(), move |steps| {
            let user = user.clone();
            Box::pin(async move { steps.forget_audit(&user).await })
        }))
    }
}
