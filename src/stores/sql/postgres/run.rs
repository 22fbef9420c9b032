//! Running the steps of a verb: what is sent before them, and what after.

use std::sync::Arc;

use sqlx::postgres::PgRow;

use super::columns::{self, Greeting};
use super::cursor::Snapshot;
use super::error::told;
use super::known::{self, Asked, Known};
use super::link::Link;
use super::literal::Name;
use super::names::{Lock, Names, Now};
use super::opened::{Failure, Opened, Shared, Tries};
use super::outcome::{Aftermath, Outcome};
use super::pieces;
use super::pools::Class;
use super::tables::Tables;
use super::tag;
use crate::BoxFuture;
use crate::clock::{Clock, UnixTime};
use crate::error::{StoreError, StoreErrorKind};
use crate::revocation::{Cursor, Glance, Pieces, Poll, PollRequest};
use crate::stores::sql::rows::Line;
use crate::stores::sql::steps::Steps;
use crate::token::SessionId;

/// The steps over these tables.
pub(super) type Stepping = Steps<Tables>;

/// What a write is about.
#[derive(Debug)]
pub(super) struct Ahead<'a> {
    /// The keys of the users that it is atomic on.
    pub(super) keys: Vec<i64>,
    /// Sessions whose users it is atomic on.
    pub(super) users_of: &'a [SessionId],
    pub(super) asked: Asked<'a>,
    pub(super) lock: Lock,
}

impl Default for Ahead<'_> {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            users_of: &[],
            asked: Asked::default(),
            lock: Lock::Wait,
        }
    }
}

impl Shared {
    /// Runs steps that write, in one transaction.
    pub(super) async fn write<T, F>(
        &self,
        clock: Option<&dyn Clock>,
        ahead: Ahead<'_>,
        step: F,
    ) -> Result<T, StoreError>
    where
        F: for<'a> Fn(&'a mut Stepping) -> BoxFuture<'a, Result<T, StoreError>> + Send + Sync,
        T: Outcome,
    {
        let mut tries = Tries::default();
        loop {
            let opened = self.opened().await?;
            match self.write_once(&opened, clock, &ahead, &step).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => self.again(&mut tries, failure).await?,
            }
        }
    }

    async fn write_once<T, F>(
        &self,
        opened: &Opened,
        clock: Option<&dyn Clock>,
        ahead: &Ahead<'_>,
        step: &F,
    ) -> Result<T, Failure>
    where
        F: for<'a> Fn(&'a mut Stepping) -> BoxFuture<'a, Result<T, StoreError>> + Send + Sync,
        T: Outcome,
    {
        let names = &opened.names;
        let mut statements = BEGIN.to_owned();
        statements.push_str(&names.lock(&ahead.keys, ahead.users_of));
        let link = self.acquire(Class::Write).await?;
        let ask = &ahead.asked;
        let (mut steps, _) = begin(
            link,
            names,
            statements,
            (ask, ahead.lock),
            clock,
            Lock::Wait,
        )
        .await?;
        let mut answer = match step(&mut steps).await {
            Ok(answer) => answer,
            Err(error) => return Err(Failure::of(error, &mut steps.rows.link).await),
        };
        commit(steps).await?.complete(&mut answer);
        Ok(answer)
    }

    /// Runs steps that only read.
    pub(super) async fn read<T, F>(
        &self,
        clock: Option<&dyn Clock>,
        class: Class,
        asked: Asked<'_>,
        step: F,
    ) -> Result<T, StoreError>
    where
        F: for<'a> Fn(&'a mut Stepping) -> BoxFuture<'a, Result<T, StoreError>> + Send + Sync,
        T: Send,
    {
        let mut tries = Tries::default();
        loop {
            let opened = self.opened().await?;
            match self.read_once(&opened, clock, class, &asked, &step).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => self.again(&mut tries, failure).await?,
            }
        }
    }

    async fn read_once<T, F>(
        &self,
        opened: &Opened,
        clock: Option<&dyn Clock>,
        class: Class,
        asked: &Asked<'_>,
        step: &F,
    ) -> Result<T, Failure>
    where
        F: for<'a> Fn(&'a mut Stepping) -> BoxFuture<'a, Result<T, StoreError>> + Send + Sync,
    {
        let link = self.acquire(class).await?;
        let asked = (asked, Lock::None);
        let begun = begin(link, &opened.names, String::new(), asked, clock, Lock::None);
        let (mut steps, _) = begun.await?;
        match step(&mut steps).await {
            Ok(answer) => {
                steps.rows.link.finish();
                Ok(answer)
            }
            Err(error) => Err(Failure::of(error, &mut steps.rows.link).await),
        }
    }

    /// Writes the lease down, and reads the log in a snapshot that is taken after its commit.
    pub(super) async fn poll(
        &self,
        clock: Option<&dyn Clock>,
        request: &PollRequest<'_>,
    ) -> Result<Poll, StoreError> {
        let mut tries = Tries::default();
        loop {
            let opened = self.opened().await?;
            match self.poll_once(&opened, clock, request).await {
                Ok(poll) => return Ok(poll),
                Err(failure) => self.again(&mut tries, failure).await?,
            }
        }
    }

    /// Reads what a cursor has not seen, in one round trip and without a wait for the disk.
    pub(super) async fn glance(
        &self,
        clock: Option<&dyn Clock>,
        since: &Cursor,
        history: u128,
    ) -> Result<Glance, StoreError> {
        let Some(before) = Snapshot::of(since) else {
            return Ok(Glance::default());
        };
        let opened = self.opened().await?;
        let link = self.acquire(Class::Follow).await;
        let mut link = link.map_err(Failure::into_error)?;
        let now = clock.map_or(Now::Server, |clock| Now::At(clock.now()));
        let lines = opened.names.lines(tag::LINE, &before.unseen(), now);
        let statements = opened.names.snapshot() + &lines + "COMMIT";
        let rows = match link.run(statements).await {
            Ok(rows) => rows,
            Err(error) => return Err(Failure::of(error, &mut link).await.into_error()),
        };
        link.finish();
        let greeting = greeted(&mut link, &rows, clock)?;
        if greeting.fleet.history != history || !before.is_known_to(greeting.xmax) {
            return Ok(Glance::default());
        }
        let lines = known::lines(&rows, tag::LINE, greeting.now).into_iter();
        Ok(Glance {
            entries: lines.map(|line| line.entry).collect(),
            cursor: columns::cursor(&rows),
        })
    }

    async fn poll_once(
        &self,
        opened: &Opened,
        clock: Option<&dyn Clock>,
        request: &PollRequest<'_>,
    ) -> Result<Poll, Failure> {
        let names = &opened.names;
        let link = self.acquire(Class::Follow).await?;
        let nothing = Asked::default();
        let asked = (&nothing, Lock::None);
        let (mut steps, greeting) =
            begin(link, names, BEGIN.to_owned(), asked, clock, Lock::None).await?;
        let applied = request.since.cloned().unwrap_or_default();
        let lease = steps.lease(request.node, request.history, applied, request.lease);
        if let Err(error) = lease.await {
            return Err(Failure::of(error, &mut steps.rows.link).await);
        }
        let (now, mut tables) = (steps.now, steps.rows);
        let history = greeting.fleet.history;
        let known = request.history.is_none_or(|known| known == history);
        let since = request.since.filter(|_| known);
        let before = since.and_then(Snapshot::of);
        let before = before.filter(|before| before.is_known_to(greeting.xmax));
        let asked = Asked {
            entries: request.probes,
            ..Asked::default()
        };
        let mut statements = tables.unsent() + "COMMIT; " + &names.snapshot();
        statements.push_str(&asked.statements(names, Lock::None, Now::At(now)));
        let read = read_log(
            &mut tables.link,
            names,
            statements,
            before,
            (now, request.pieces),
        )
        .await;
        let (rows, lines) = match read {
            Ok(read) => read,
            Err(error) => return Err(Failure::of(error, &mut tables.link).await),
        };
        tables.link.finish();
        let greeting = greeted(&mut tables.link, &rows, clock)?;
        let mut known = Known::read(&rows, &asked, &greeting);
        let cursor = columns::cursor(&rows).ok_or_else(|| {
            told(
                StoreErrorKind::Unavailable,
                "the server does not say what it sees",
            )
        })?;
        known.log = Some((since.cloned(), lines, cursor));
        let mut tables = Tables::new(tables.link, names.clone(), greeting, Lock::None);
        tables.known = known;
        let now = greeting.now;
        let mut steps = Steps { rows: tables, now };
        let poll = steps.poll(request).await?;
        // Whatever else was asked stands in no transaction.
        steps.rows.link.finish();
        Ok(poll)
    }
}

/// Sends what begins in a snapshot, and reads there what was not seen `before`: at once, or, where
/// it is the whole log, a piece at a time. Ends the transaction.
async fn read_log(
    link: &mut Link,
    names: &Names,
    mut statements: String,
    before: Option<Snapshot>,
    (now, pieces): (UnixTime, Option<&Pieces>),
) -> Result<(Vec<PgRow>, Vec<Line>), StoreError> {
    let Some(before) = before else {
        statements.push_str(&names.piece_after(0, now));
        let mut rows = link.run(statements).await?;
        let lines = pieces::read_on(link, names, &mut rows, now, pieces).await?;
        return Ok((rows, lines));
    };
    statements.push_str(&names.lines(tag::LINE, &before.unseen(), Now::At(now)));
    statements.push_str("COMMIT");
    let rows = link.run(statements).await?;
    let lines = known::lines(&rows, tag::LINE, now);
    Ok((rows, lines))
}

/// Sends what was not sent yet with the commit, and tells what was known only after it.
pub(super) async fn commit(steps: Stepping) -> Result<Aftermath, Failure> {
    let (now, mut tables) = (steps.now, steps.rows);
    let mut statements = tables.unsent();
    if tables.log_grew {
        statements.push_str(&format!("NOTIFY {}; ", Name(&tables.names.channel)));
    }
    statements.push_str("COMMIT; ");
    if tables.looks_back {
        statements.push_str(&tables.names.after_commit(Now::At(now)));
    }
    let rows = match tables.link.run(statements).await {
        Ok(rows) => rows,
        Err(error) => return Err(Failure::of_commit(error, &mut tables.link).await),
    };
    tables.link.finish();
    tables.note(&rows);
    let of = |kind| {
        rows.iter()
            .filter(move |row| columns::tag(row) == Some(kind))
    };
    let deployment = tables.fleet.deployment;
    let written = of(tag::WRITTEN).next();
    let history = written.and_then(|row| columns::history(deployment, row));
    let history = history.unwrap_or(tables.fleet.history);
    Ok(Aftermath {
        leases: of(tag::LEASE)
            .map(|row| columns::lease(row, history))
            .collect(),
        standing: tables.standing,
        history,
    })
}

/// Sends the first statements, and reads ahead with them. What writes (with a lock on `every`
/// row) is told which server it is with its commit.
pub(super) async fn begin(
    mut link: Link,
    names: &Arc<Names>,
    mut statements: String,
    (asked, lock): (&Asked<'_>, Lock),
    clock: Option<&dyn Clock>,
    every: Lock,
) -> Result<(Stepping, Greeting), Failure> {
    let now = clock.map_or(Now::Server, |clock| Now::At(clock.now()));
    let asking = asked.call(names, now).unwrap_or_else(|| {
        let fleet = match every {
            Lock::None => names.fleet(),
            Lock::Skip | Lock::Wait => names.fleet_alone(),
        };
        fleet + &asked.statements(names, lock, now)
    });
    statements.push_str(&asking);
    let rows = match link.run(statements).await {
        Ok(rows) => rows,
        Err(error) => return Err(Failure::of(error, &mut link).await),
    };
    let greeting = match greeted(&mut link, &rows, clock) {
        Ok(greeting) => greeting,
        Err(error) => return Err(Failure::of(error, &mut link).await),
    };
    let known = Known::read(&rows, asked, &greeting);
    let mut tables = Tables::new(link, names.clone(), greeting, every);
    tables.known = known;
    let now = greeting.now;
    Ok((Steps { rows: tables, now }, greeting))
}

fn greeted(
    link: &mut Link,
    rows: &[PgRow],
    clock: Option<&dyn Clock>,
) -> Result<Greeting, StoreError> {
    let greeting = columns::greeting(rows).inspect_err(|error| {
        if error.kind() == StoreErrorKind::Unavailable {
            link.misled();
        }
    })?;
    let now: UnixTime = clock.map_or(greeting.now, Clock::now);
    Ok(Greeting { now, ..greeting })
}

/// A node that stops in the middle does not keep the locks of its users; and nobody waits longer for one, also where
/// the caller has gone: the server does not notice that, and would collect connections that wait.
pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
     SET LOCAL idle_in_transaction_session_timeout = '5s'; SET LOCAL lock_timeout = '10s'; ";
/// The same without either bound.
pub(super) const BEGIN_ALONE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; ";
