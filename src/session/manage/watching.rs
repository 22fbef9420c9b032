//! Looking at sign-ins, refreshes and re-authentications as they happen.
//!
//! What is unusual never fails a step by itself: where the store cannot say what is remembered, or
//! cannot write down what was seen, the step goes on and the log tells. What a policy decided is
//! another matter: a session that it ends, and cannot, is answered like any write that failed.

use std::sync::Arc;
use std::time::Duration;

use super::Sessions;
use super::error::SessionError;
use crate::clock::UnixTime;
use crate::error::StoreError;
use crate::events::Event;
use crate::revocation::EndReason;
use crate::session::core::Core;
use crate::session::device::Device;
use crate::session::record::SessionRecord;
use crate::session::risk::{
    NewDevice, RiskAssessment, RiskFlag, RiskSignal, RiskStep, RiskVerdict, Sight, Sighting,
    changed_country, is_known, is_news,
};
use crate::session::store::{Listing, SessionChange};
use crate::token::{SessionId, UserId};
use crate::verify::CustomClaims;

impl<C: CustomClaims> Sessions<C> {
    /// Takes the flag of a session away, as when its user says that it was them.
    ///
    /// # Errors
    ///
    /// [`SessionError::NotFound`], also for another user's session; [`SessionError::Store`].
    pub async fn unflag(&self, user: &UserId, id: SessionId) -> Result<(), SessionError> {
        self.change(user, id, SessionChange::Flag(None)).await?;
        Ok(())
    }
}

/// A session after a verdict.
struct Judged {
    record: SessionRecord,
    is_written: bool,
}

impl Judged {
    fn of(record: SessionRecord) -> Self {
        Self {
            record,
            is_written: true,
        }
    }
}

impl<C: CustomClaims> Core<C> {
    /// Looks at a sign-in, which made its session or found it made.
    pub(super) async fn watch_sign_in(
        self: &Arc<Self>,
        record: SessionRecord,
        made: bool,
        first: bool,
    ) -> Result<SessionRecord, SessionError> {
        if first || (self.watch.is_none() && self.notices.is_none()) {
            return Ok(record);
        }
        let others = self.others(&record).await;
        if made {
            self.notice(&record, others.as_deref());
        }
        // A repetition finds the verdict of the first, unless that came to none.
        let (Some(watch), Some(others), None) = (&self.watch, others, &record.flag) else {
            return Ok(record);
        };
        let now = Sighting::of_sign_in(&record);
        let signals = watch.rules.of_sign_in(&now, &Sighting::all(&others));
        let judged = self.judged(record, RiskStep::SignIn, now.at, signals);
        Ok(judged.await?.record)
    }

    /// Looks at a refresh, which was granted, by a client of which this is known.
    pub(super) async fn watch_refresh(
        self: &Arc<Self>,
        record: SessionRecord,
        mut device: Device,
    ) -> Result<SessionRecord, SessionError> {
        let Some(watch) = &self.watch else {
            return Ok(record);
        };
        self.placing.apply(&mut device);
        let now = Sighting::new(self.clock.now(), &device, Sight::Refreshed);
        if !now.says_something() {
            return Ok(record);
        }
        let last = Sighting::latest(&record);
        let before = if changed_country(&last, &now) {
            let mut before = Sighting::all(&self.others(&record).await.unwrap_or_default());
            before.push(Sighting::of_sign_in(&record));
            before.push(last.clone());
            before
        } else {
            Vec::new()
        };
        let signals = watch.rules.of_refresh(&now, &last, &before);
        let judged = self.judged(record, RiskStep::Refresh, now.at, signals);
        let judged = judged.await?;
        self.saw(&judged, &last, &now).await;
        Ok(judged.record)
    }

    /// Looks at a user who has just proved again who they are.
    pub(super) async fn watch_proof(
        self: &Arc<Self>,
        record: SessionRecord,
        mut device: Device,
    ) -> Result<SessionRecord, SessionError> {
        let Some(watch) = &self.watch else {
            return Ok(record);
        };
        self.placing.apply(&mut device);
        let now = Sighting::new(self.clock.now(), &device, Sight::Proven);
        if !now.says_something() {
            return Ok(record);
        }
        let last = Sighting::latest(&record);
        let mut known = self.others(&record).await.unwrap_or_default();
        known.push(record.clone());
        let signals = watch.rules.of_sign_in(&now, &Sighting::all(&known));
        let step = RiskStep::Reauthentication;
        let judged = self.judged(record, step, now.at, signals).await?;
        self.saw(&judged, &last, &now).await;
        Ok(judged.record)
    }

    /// Looks at a refresh of a session that failed, one of so many.
    pub(super) async fn watch_failure(self: &Arc<Self>, session: SessionId, failures: u32) {
        let signal = self.watch.as_ref();
        let Some(signal) = signal.and_then(|watch| watch.rules.of_failures(failures)) else {
            return;
        };
        let Ok(Some(record)) = self.within(self.store.find(session)).await else {
            return;
        };
        let (step, now) = (RiskStep::RefreshFailure, self.clock.now());
        if let Err(error) = self.judged(record, step, now, vec![signal]).await {
            tracing::debug!(%error, %session, "nothing more came of failed refreshes");
        }
    }

    /// What else is remembered of the user; `None` where the store does not say.
    async fn others(&self, record: &SessionRecord) -> Option<Vec<SessionRecord>> {
        let listed = async {
            let mut all = self.store.list(&record.user, Listing::Live).await?;
            all.extend(self.store.list(&record.user, Listing::Ended).await?);
            Ok::<_, StoreError>(all)
        };
        match self.within(listed).await {
            Ok(mut all) => {
                all.retain(|other| other.id != record.id);
                Some(all)
            }
            Err(error) => {
                tracing::warn!(%error, "what is unusual about a session is not known");
                None
            }
        }
    }

    /// Tells of a device that was not seen before. Where nothing is known it is told, too: better
    /// one message too many.
    fn notice(&self, record: &SessionRecord, others: Option<&[SessionRecord]>) {
        let known = others.is_some_and(|others| {
            // Another sign-in may have been the first, and is forgotten by now.
            others.is_empty() || is_known(&record.device, others)
        });
        if known {
            return;
        }
        self.observe(&Event::NewDevice {
            session: record.id,
            user: record.user.clone(),
            device: Box::new(record.device.clone()),
        });
        if let Some(notices) = &self.notices {
            (notices.0)(NewDevice::of(record));
        }
    }

    /// Has it decided what becomes of what is unusual, and does it.
    async fn judged(
        self: &Arc<Self>,
        record: SessionRecord,
        step: RiskStep,
        at: UnixTime,
        signals: Vec<RiskSignal>,
    ) -> Result<Judged, SessionError> {
        let Some(watch) = self.watch.as_ref().filter(|_| !signals.is_empty()) else {
            return Ok(Judged::of(record));
        };
        let case = RiskAssessment {
            user: record.user.clone(),
            session: record.id,
            step,
            at,
            signals,
        };
        let verdict = watch.policy.decide(&case);
        let RiskAssessment { signals, .. } = case;
        self.observe(&Event::RiskRaised {
            session: record.id,
            user: record.user.clone(),
            step,
            signals: signals.clone(),
            verdict,
        });
        match verdict {
            RiskVerdict::Allow => Ok(Judged::of(record)),
            RiskVerdict::Flag => Ok(self.flagged(record, &signals, at).await),
            RiskVerdict::AskFresh if step == RiskStep::Reauthentication => {
                Ok(self.flagged(record, &signals, at).await)
            }
            RiskVerdict::AskFresh => {
                let record = self.flagged(record, &signals, at).await.record;
                let change = SessionChange::Authenticated {
                    at: UnixTime::EPOCH,
                    authentication: record.authentication.clone(),
                };
                Ok(Judged::of(self.changed(&record, change).await?))
            }
            RiskVerdict::End => {
                let sessions = Sessions::new(self.clone());
                let _done = sessions.end(record.id, EndReason::Suspicious).await?;
                Err(SessionError::Over(EndReason::Suspicious))
            }
        }
    }

    async fn flagged(&self, record: SessionRecord, signals: &[RiskSignal], at: UnixTime) -> Judged {
        let flag = RiskFlag::text_with(&record, signals, at);
        match self.changed(&record, SessionChange::Flag(flag)).await {
            Ok(record) => Judged::of(record),
            Err(error) => {
                tracing::warn!(%error, session = %record.id, "a session is not flagged");
                Judged {
                    record,
                    is_written: false,
                }
            }
        }
    }

    /// Writes down where a session is now, where that is news.
    async fn saw(&self, judged: &Judged, last: &Sighting, now: &Sighting) {
        let Judged { record, is_written } = judged;
        let recent = last.at <= now.at && now.at.since(last.at) < SEEN_FOR;
        // Without its flag, what is unusual has to be found again.
        if !is_written || (recent && !is_news(last, now)) {
            return;
        }
        let seen = SessionChange::Seen(now.to_text());
        if let Err(error) = self.changed(record, seen).await {
            tracing::debug!(%error, session = %record.id, "where a session is was not written down");
        }
    }

    async fn changed(
        &self,
        record: &SessionRecord,
        change: SessionChange,
    ) -> Result<SessionRecord, SessionError> {
        let write = || self.store.change(record.id, &record.user, change.clone());
        let changed = self.settle(write).await?;
        changed.ok_or(SessionError::NotFound)
    }
}

/// How old what is written down of a session may be where nothing has changed: it is what speeds
/// are reckoned from.
const SEEN_FOR: Duration = Duration::from_secs(600);
