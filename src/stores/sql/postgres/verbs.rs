//! The verbs: what each is atomic on, and what it reads ahead.

use std::time::Duration;

use super::PostgresStore;
use super::ahead::{key_of_entry, of, on, session_of};
use super::cursor;
use super::error::BACKEND;
use super::known::Asked;
use super::names::{Lock, key_of};
use super::outcome::Outcome;
use super::pools::Class;
use super::run::{Ahead, Stepping};
use crate::BoxFuture;
use crate::clock::Clock;
use crate::error::StoreError;
use crate::revocation::{
    Answer, Attached, Committed, Cursor, EntryId, FleetLimits, Glance, Lease, LogPosition, Poll,
    PollRequest, Question, RevocationEntry, RevocationStore,
};
use crate::session::{
    AuditLog, Counters, EndAll, EndAllOutcome, EndOutcome, EndSession, Listing, NewSession, Page,
    PageRequest, Population, RefreshAttempt, RefreshOutcome, SessionChange, SessionRecord,
    SessionStore, SignInOutcome, Swept, Upkeep, Use,
};
use crate::stores::sql::rows::Rows;
use crate::token::{SessionId, UserId};

impl PostgresStore {
    pub(super) async fn write<T, F>(&self, ahead: Ahead<'_>, step: F) -> Result<T, StoreError>
    where
        F: for<'a> Fn(&'a mut Stepping) -> BoxFuture<'a, Result<T, StoreError>> + Send + Sync,
        T: Outcome,
    {
        self.shared.write(self.clock(), ahead, step).await
    }

    pub(super) async fn read<T, F>(
        &self,
        class: Class,
        asked: Asked<'_>,
        step: F,
    ) -> Result<T, StoreError>
    where
        F: for<'a> Fn(&'a mut Stepping) -> BoxFuture<'a, Result<T, StoreError>> + Send + Sync,
        T: Send,
    {
        self.shared.read(self.clock(), class, asked, step).await
    }

    pub(super) fn clock(&self) -> Option<&dyn Clock> {
        self.clock.as_deref()
    }

    pub(super) async fn sign_in_alone(
        &self,
        session: &NewSession,
    ) -> Result<SignInOutcome, StoreError> {
        let ahead = Ahead {
            keys: vec![key_of(session.user.as_str())],
            asked: Asked {
                user: Some(&session.user),
                operation: Some(&session.operation),
                ..Asked::default()
            },
            ..Ahead::default()
        };
        self.write(ahead, |steps| Box::pin(steps.sign_in(session.clone())))
            .await
    }

    pub(super) async fn refresh_alone(
        &self,
        attempt: &RefreshAttempt,
    ) -> Result<RefreshOutcome, StoreError> {
        let (sessions, entries) = ([attempt.session], [attempt.entry]);
        self.write(on(&sessions, &entries), |steps| {
            let attempt = attempt.clone();
            Box::pin(async move { steps.refresh(&attempt).await })
        })
        .await
    }
}

impl RevocationStore for PostgresStore {
    fn backend(&self) -> &'static str {
        BACKEND
    }

    fn attach(&self, limits: FleetLimits) -> BoxFuture<'_, Result<Attached, StoreError>> {
        let ahead = Ahead {
            keys: vec![key_of(FLEET)],
            ..Ahead::default()
        };
        Box::pin(self.write(ahead, move |steps| Box::pin(steps.attach(limits))))
    }

    fn poll<'a>(&'a self, request: PollRequest<'a>) -> BoxFuture<'a, Result<Poll, StoreError>> {
        Box::pin(async move { self.shared.poll(self.clock(), &request).await })
    }

    fn hint(&self) -> BoxFuture<'_, ()> {
        // Made now, not at the first poll of the future: what happens in between counts too.
        let heard = self.shared.heard();
        Box::pin(async move {
            // Where nothing can be opened nobody listens. Why it cannot be, the next poll tells.
            let _ = self.shared.opened().await;
            heard.await;
        })
    }

    fn glance<'a>(
        &'a self,
        since: &'a Cursor,
        history: u128,
    ) -> BoxFuture<'a, Result<Glance, StoreError>> {
        Box::pin(async move { self.shared.glance(self.clock(), since, history).await })
    }

    fn has_read(&self, cursor: &Cursor, position: LogPosition) -> bool {
        cursor::has_read(cursor, position)
    }

    fn ask<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Result<Answer, StoreError>> {
        Box::pin(async move {
            if let Some(answer) = self.ask_once(question).await? {
                return Ok(answer);
            }
            // It changed between the look and the mark: this one waits for its turn.
            let session = question.facts.session;
            let ahead = Ahead {
                users_of: session.as_slice(),
                asked: Asked {
                    sessions: session.as_slice(),
                    ..Asked::default()
                },
                ..Ahead::default()
            };
            self.write(ahead, |steps| {
                let question = question.clone();
                Box::pin(async move { steps.ask(&question).await })
            })
            .await
        })
    }

    fn append(
        &self,
        entries: Vec<RevocationEntry>,
    ) -> BoxFuture<'_, Result<Committed, StoreError>> {
        Box::pin(async move {
            let ids: Vec<EntryId> = entries.iter().map(|entry| entry.id).collect();
            let sessions: Vec<SessionId> = entries.iter().filter_map(session_of).collect();
            let ahead = Ahead {
                keys: entries.iter().map(key_of_entry).collect(),
                users_of: &sessions,
                asked: Asked {
                    sessions: &sessions,
                    entries: &ids,
                    ..Asked::default()
                },
                lock: Lock::Wait,
            };
            let entries = &entries;
            self.write(ahead, |steps| Box::pin(steps.append(entries.clone())))
                .await
        })
    }

    fn leases(&self) -> BoxFuture<'_, Result<Vec<Lease>, StoreError>> {
        let asked = Asked::default();
        Box::pin(self.read(Class::Follow, asked, |steps| Box::pin(steps.leases())))
    }
}

impl SessionStore for PostgresStore {
    fn audit_log(&self) -> Option<&dyn AuditLog> {
        Some(self)
    }

    fn counters<'a>(&'a self, user: &'a UserId) -> BoxFuture<'a, Result<Counters, StoreError>> {
        Box::pin(async move {
            let asked = Asked {
                user: Some(user),
                ..Asked::default()
            };
            self.read(Class::Write, asked, |steps| {
                let user = user.clone();
                Box::pin(async move { steps.counters(&user).await })
            })
            .await
        })
    }

    fn sign_in(&self, session: NewSession) -> BoxFuture<'_, Result<SignInOutcome, StoreError>> {
        Box::pin(async move {
            let (key, store) = (key_of(session.user.as_str()), self.clone());
            let together = move |jobs| {
                let store = store.clone();
                async move { store.sign_in_all(jobs).await }
            };
            let key = u128::from(key.cast_unsigned());
            match self.sign_ins.run(key, session.clone(), together).await {
                Some(answer) => answer,
                None => self.sign_in_alone(&session).await,
            }
        })
    }

    fn refresh(
        &self,
        attempt: RefreshAttempt,
    ) -> BoxFuture<'_, Result<RefreshOutcome, StoreError>> {
        Box::pin(async move {
            let (key, store) = (attempt.session, self.clone());
            let together = move |jobs| {
                let store = store.clone();
                async move { store.refresh_all(jobs).await }
            };
            let key = u128::from_be_bytes(*key.as_bytes());
            match self.refreshes.run(key, attempt.clone(), together).await {
                Some(answer) => answer,
                None => self.refresh_alone(&attempt).await,
            }
        })
    }

    fn end(&self, request: EndSession) -> BoxFuture<'_, Result<EndOutcome, StoreError>> {
        Box::pin(async move {
            let sessions = [request.session];
            let request = &request;
            self.write(on(&sessions, &[]), |steps| {
                Box::pin(steps.end_one(request.clone()))
            })
            .await
        })
    }

    fn end_all(&self, request: EndAll) -> BoxFuture<'_, Result<EndAllOutcome, StoreError>> {
        Box::pin(async move {
            let entries = [request.entry];
            let request = &request;
            self.write(of(&request.user, &entries), |steps| {
                let request = request.clone();
                Box::pin(async move { steps.end_all(&request).await })
            })
            .await
        })
    }

    fn raise_roles<'a>(
        &'a self,
        user: &'a UserId,
        entry: EntryId,
    ) -> BoxFuture<'a, Result<Committed, StoreError>> {
        Box::pin(async move {
            self.write(of(user, &[entry]), |steps| {
                let user = user.clone();
                Box::pin(async move { steps.raise_roles(&user, entry).await })
            })
            .await
        })
    }

    fn find(&self, id: SessionId) -> BoxFuture<'_, Result<Option<SessionRecord>, StoreError>> {
        Box::pin(async move {
            let asked = Asked {
                sessions: &[id],
                ..Asked::default()
            };
            self.read(Class::List, asked, |steps| Box::pin(steps.find(id)))
                .await
        })
    }

    fn list<'a>(
        &'a self,
        user: &'a UserId,
        listing: Listing,
    ) -> BoxFuture<'a, Result<Vec<SessionRecord>, StoreError>> {
        let asked = Asked::default();
        Box::pin(self.read(Class::List, asked, move |steps| {
            let user = user.clone();
            Box::pin(async move { steps.list(&user, listing).await })
        }))
    }

    fn count<'a>(&'a self, user: &'a UserId) -> BoxFuture<'a, Result<u64, StoreError>> {
        let asked = Asked::default();
        Box::pin(self.read(Class::List, asked, |steps| {
            let user = user.clone();
            Box::pin(async move { steps.count(&user).await })
        }))
    }

    fn change<'a>(
        &'a self,
        id: SessionId,
        user: &'a UserId,
        change: SessionChange,
    ) -> BoxFuture<'a, Result<Option<SessionRecord>, StoreError>> {
        Box::pin(async move {
            let change = &change;
            self.write(on(&[id], &[]), |steps| {
                let (user, change) = (user.clone(), change.clone());
                Box::pin(async move { steps.change(id, &user, change).await })
            })
            .await
        })
    }

    fn touch<'a>(&'a self, uses: &'a [Use]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            for used in self.touch_idle(uses).await? {
                let sessions = [used.session];
                self.write(on(&sessions, &[]), |steps| {
                    Box::pin(async move { steps.touch(&[used]).await })
                })
                .await?;
            }
            Ok(())
        })
    }

    fn sweep(&self, retention: Duration, batch: usize) -> BoxFuture<'_, Result<Swept, StoreError>> {
        Box::pin(self.write(Ahead::default(), move |steps| {
            Box::pin(async move {
                steps.rows.purge(steps.now).await?;
                steps.sweep(retention, batch).await
            })
        }))
    }

    fn page(&self, request: PageRequest) -> BoxFuture<'_, Result<Page, StoreError>> {
        Box::pin(async move {
            let request = &request;
            self.read(Class::List, Asked::default(), |steps| {
                let request = request.clone();
                Box::pin(async move { steps.page(&request).await })
            })
            .await
        })
    }

    fn population(&self) -> BoxFuture<'_, Result<Population, StoreError>> {
        Box::pin(self.read(Class::List, Asked::default(), |steps| {
            Box::pin(async move { steps.population().await })
        }))
    }

    fn erase<'a>(
        &'a self,
        user: &'a UserId,
        entry: EntryId,
    ) -> BoxFuture<'a, Result<EndAllOutcome, StoreError>> {
        Box::pin(async move {
            self.write(of(user, &[entry]), |steps| {
                let user = user.clone();
                Box::pin(async move { steps.erase(&user, entry).await })
            })
            .await
        })
    }

    fn upkeep(&self) -> Option<&dyn Upkeep> {
        Some(self)
    }
}

/// What the first of several nodes that join at once is told apart by. No user is named so.
const FLEET: &str = "\u{1}fleet";
