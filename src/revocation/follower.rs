//! Following the log.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};

use super::Revocations;
use super::backoff::Backoff;
use super::entry::RevocationEntry;
use super::glance::Looks;
use super::progress::{EntryIds, Load, Probe};
use super::shelf::Put;
use super::signal::Signal;
use super::store::{Pieces, Poll, PollRequest};
use crate::BoxFuture;
use crate::clock::UnixTime;
use crate::error::{StoreError, StoreErrorKind};
use crate::telemetry;

/// What a poll came to.
enum Polled {
    /// It was complete; whether it brought anything new.
    Complete { news: bool },
    /// The log is not the one that was read before.
    Gap,
}

impl Revocations {
    /// Joins the fleet and loads the log.
    pub(crate) async fn load(self: &Arc<Self>) -> Result<(), StoreError> {
        self.reload(false).await
    }

    /// Follows the log until it is dropped; call after [`load`](Self::load), in a task of its own.
    ///
    /// While the store is away nothing is extended, so the view stops answering by itself.
    pub(crate) async fn follow(self: Arc<Self>) {
        let looks = Looks::default();
        tokio::join!(
            self.poll_for_ever(&looks),
            self.glance_for_ever(&looks),
            self.watch_freshness(),
        );
    }

    /// Passes on to `looks` what it is hinted at.
    async fn poll_for_ever(&self, looks: &Looks) {
        let mut backoff = Backoff::begun_at(self.settings.poll_interval, self.clock.now());
        let mut failing = false;
        loop {
            let next = Instant::now() + PACE;
            // Listening begins before the log is read: a hint that comes meanwhile is not lost.
            let mut hint = self.store.hint();
            let (outcome, hinted) = self.beside_looks(&mut hint, looks, self.step()).await;
            match outcome {
                Ok(again) => {
                    failing = false;
                    backoff.reset();
                    let news = if again || hinted {
                        self.beside_looks(&mut hint, looks, sleep_until(next)).await;
                        true
                    } else {
                        timeout(self.settings.poll_interval, hint).await.is_ok()
                    };
                    if news {
                        looks.look_first().await;
                    }
                }
                Err(error) => {
                    if !failing {
                        tracing::warn!(%error, "the revocation log cannot be followed");
                    }
                    failing = true;
                    self.progress().fall_back();
                    tokio::time::sleep(backoff.next()).await;
                }
            }
        }
    }

    /// Does something while `looks` are told of each hint; what it came to, and whether there was one.
    async fn beside_looks<'a, T>(
        &'a self,
        hint: &mut BoxFuture<'a, ()>,
        looks: &Looks,
        work: impl Future<Output = T>,
    ) -> (T, bool) {
        let mut work = pin!(work);
        let mut hinted = false;
        loop {
            tokio::select! {
                // Where hints are always there, the work has its turn, too.
                biased;
                done = &mut work => return (done, hinted),
                () = &mut *hint => {
                    hinted = true;
                    looks.want();
                    *hint = self.store.hint();
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    /// Tells when the view ceases to answer and when it answers again. Begins with one that does.
    async fn watch_freshness(&self) {
        let mut stale_since = None;
        loop {
            let now = self.clock.instants();
            let left = self.local.fresh().left(now);
            match (stale_since, left.is_zero()) {
                (None, true) => {
                    stale_since = Some(now.monotonic);
                    self.signal(Signal::ViewStale);
                }
                (Some(since), false) => {
                    stale_since = None;
                    let stale = now.monotonic.saturating_sub(since);
                    self.signal(Signal::ViewFresh { stale });
                }
                _ => {}
            }
            tokio::time::sleep(self.settings.poll_interval).await;
        }
    }

    /// One round; whether another should follow at once, because this one brought something and
    /// its cursor is only reported by the next.
    pub(super) async fn step(&self) -> Result<bool, StoreError> {
        if self.progress().history().is_none() {
            self.reload(false).await?;
            return Ok(true);
        }
        let mut again = match self.poll().await? {
            Polled::Complete { news } => news,
            Polled::Gap => {
                tracing::warn!("the revocation log has lost entries or changed its history");
                self.signal(Signal::LogChanged);
                self.reload(true).await?;
                true
            }
        };
        let view = self.local.view();
        if !view.is_complete() && view.may_fit() {
            self.reload(false).await?;
            again = true;
        }
        Ok(self.write_back().await? || again)
    }

    /// Reads what is new. Only a complete poll extends the time that the view may answer, and it
    /// does so last, counted from before the poll began.
    async fn poll(&self) -> Result<Polled, StoreError> {
        let began = self.clock.instants();
        let next = self.progress().next_poll(began);
        let request = PollRequest {
            node: self.node,
            since: next.cursor.as_ref(),
            history: next.history,
            lease: self.lease(),
            probes: &next.probes,
            pieces: None,
        };
        let limit = (self.settings.max_staleness / 3).max(self.settings.store_timeout);
        let poll = self.within(limit, self.asked_again(request)).await?;
        if !self.progress().continues(&poll) {
            return Ok(Polled::Gap);
        }
        let mut news = false;
        for entry in &poll.entries {
            let put = self.apply(entry.clone());
            if put == Put::New {
                telemetry::lagged(poll.now.since(entry.at));
            }
            news |= self.progress().was_glanced(entry.id) || put == Put::New;
        }
        self.tidy(poll.now);
        self.progress().advanced(poll, began, &*self.store);
        self.local
            .fresh()
            .extend(began, self.settings.max_staleness);
        Ok(Polled::Complete { news })
    }

    /// Polls, and polls once more beside a poll that is silent for long, time and again: a
    /// connection that was cut without a word never answers, and a log that has become long
    /// answers late. The first answer will do, because both ask for the same.
    async fn asked_again(&self, request: PollRequest<'_>) -> Result<Poll, StoreError> {
        let mut first = pin!(self.store.poll(request.clone()));
        if let Ok(answer) = timeout(SILENCE, &mut first).await {
            return answer;
        }
        loop {
            let again = timeout(SILENCE, self.store.poll(request.clone()));
            let again = tokio::select! {
                biased;
                answer = &mut first => return answer,
                again = again => again,
            };
            match again {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(_)) => {
                    if let Ok(answer) = timeout(SILENCE, &mut first).await {
                        return answer;
                    }
                }
                Err(_) => {}
            }
        }
    }

    /// Reads the whole log. What this node knew stays, and what the log lacks of it is written
    /// back afterwards.
    ///
    /// After a `gap`, or on another history, what the store confirmed before does not count: it
    /// may have lost sessions, too.
    pub(super) async fn reload(&self, gap: bool) -> Result<(), StoreError> {
        self.attach().await?;
        let overflows = self.local.view().overflows();
        let began = self.clock.instants();
        let pieces = Pieces::default();
        let request = PollRequest {
            pieces: Some(&pieces),
            ..PollRequest::new(self.node, self.lease())
        };
        // A log may be longer than anybody waits for one answer.
        let poll = self
            .each_within(self.patience(), &pieces, self.store.poll(request))
            .await?;
        self.tidy(poll.now);
        let (gap, beyond) = {
            let progress = self.progress();
            let other = progress.history().is_some_and(|old| old != poll.history);
            (gap || other, progress.lost_beyond(gap || other))
        };
        let log: EntryIds = poll.entries.iter().map(|entry| entry.id).collect();
        let view = self.local.view();
        let load = Load {
            history: poll.history,
            cursor: poll.cursor,
            began,
            last: poll.entries.last().map(Probe::of),
            lost: view.pick(|id, until| until > beyond && !log.contains(&id)),
            log,
            beyond,
        };
        self.fill(poll.entries).await;
        self.local.reloaded(overflows, gap);
        self.wakers.wake(None);
        if gap {
            self.answers.clear();
        }
        self.progress().loaded(load);
        self.local
            .fresh()
            .extend(began, self.settings.max_staleness);
        Ok(())
    }

    /// Puts a long log into the view without keeping the thread from everything else.
    async fn fill(&self, log: Vec<RevocationEntry>) {
        let mut log = log.into_iter().peekable();
        while log.peek().is_some() {
            self.local.fill(log.by_ref().take(FILLED_AT_ONCE));
            tokio::task::yield_now().await;
        }
    }

    async fn attach(&self) -> Result<(), StoreError> {
        let attach = self.store.attach(self.settings.limits);
        let attached = self.within(self.patience(), attach).await?;
        let (ours, skew) = {
            let mut progress = self.progress();
            (progress.attached(&attached), progress.skew())
        };
        self.stranger.store(!ours, Ordering::Release);
        if !ours {
            let kind = StoreErrorKind::Configuration;
            let error = StoreError::new(kind, self.store.backend());
            return Err(error.with_source("the store holds another deployment's data"));
        }
        self.local.view().set_skew(skew);
        Ok(())
    }

    /// Gives the log back what it lost, a part at a time; whether there was any.
    async fn write_back(&self) -> Result<bool, StoreError> {
        let mut part = self.progress().to_write_back(WRITE_BACK);
        if part.is_empty() {
            return Ok(false);
        }
        // In the order in which they were made: that is how they are told.
        part.sort_unstable_by_key(|entry| (entry.at, entry.id));
        let ids = part.iter().map(|entry| entry.id).collect();
        tracing::warn!(
            entries = part.len(),
            "writing back revocations that the log has lost"
        );
        let append = self.store.append(part);
        let committed = self.within(self.patience(), append).await?;
        self.progress().wrote_back(&ids);
        self.committed(&committed);
        self.signal(Signal::WrittenBack { entries: ids.len() });
        Ok(true)
    }

    /// Forgets a part of what is over.
    pub(super) fn tidy(&self, store_now: UnixTime) {
        let over = self.progress().over_before(self.clock.now(), store_now);
        self.local.view().purge(over, PURGED_AT_ONCE);
    }

    /// How long a lease lasts: as long as this node may answer from the poll, even if the
    /// store's clock is set from one end of what is allowed to the other meanwhile.
    fn lease(&self) -> Duration {
        let step = self.progress().skew().saturating_mul(2);
        self.settings.max_staleness.saturating_add(step)
    }

    /// How long the big steps may take.
    fn patience(&self) -> Duration {
        self.settings.max_staleness.max(Duration::from_secs(10))
    }
}

/// From the beginning of a poll to that of the next where news come all the time: looks bring them
/// meanwhile, and a poll merely reports how far it has read.
pub(super) const PACE: Duration = Duration::from_millis(10);

/// How long a poll may be silent before another is sent beside it.
const SILENCE: Duration = Duration::from_millis(500);

/// How many entries go into the view between two looks at what else there is to do.
const FILLED_AT_ONCE: usize = 4096;

/// How many entries are written back at once.
const WRITE_BACK: usize = 1000;

/// How many shelves of the view are tidied with one poll: all of them in half a minute.
const PURGED_AT_ONCE: usize = 8;
