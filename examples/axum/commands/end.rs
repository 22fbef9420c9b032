//! `sessions end` and `sessions clean-up`.

use std::collections::HashSet;
use std::process::ExitCode;

use tower_jwt_session::revocation::EndReason;
use tower_jwt_session::{SessionError, SessionId, UserId};

use super::progress::Progress;
use super::{Desk, Outcome, confirmed, print};
use crate::cli::{Reason, Which};

impl Desk {
    pub async fn end(&self, which: Which, reason: Reason, yes: bool) -> Outcome {
        let reason = EndReason::from(reason);
        let question = match (&which.id, &which.user) {
            (Some(id), _) => format!("This ends the session {}. Go on?", print::harmless(id)),
            (_, Some(user)) => format!(
                "This ends all sessions of {}. Go on?",
                print::harmless(user)
            ),
            _ => "This ends all sessions of everybody. Go on?".to_owned(),
        };
        if !confirmed(&question, yes)? {
            print::line("nothing was changed")?;
            return Ok(ExitCode::FAILURE);
        }
        let ended = match (which.id, which.user) {
            (Some(id), _) => self.end_one(&id, reason).await?,
            (_, Some(user)) => {
                let user = self.user(&user).await?;
                self.end_all_of(&user, &reason).await?
            }
            _ => self.end_all(&reason).await?,
        };
        self.write_down().await?;
        print::line(&format!("{ended} sessions ended"))?;
        Ok(ExitCode::SUCCESS)
    }

    async fn end_one(
        &self,
        id: &str,
        reason: EndReason,
    ) -> Result<u64, Box<dyn std::error::Error>> {
        let id: SessionId = id.parse()?;
        match self.auth.sessions().end(id, reason).await {
            Ok(done) => Ok(done.count() as u64),
            Err(SessionError::NotFound) => Err(format!("there is no session {id}").into()),
            Err(error) => Err(error.into()),
        }
    }

    async fn end_all_of(&self, user: &UserId, reason: &EndReason) -> Result<u64, SessionError> {
        let ending = self.auth.sessions().end_all(user);
        Ok(ending.because(reason.clone()).await?.count() as u64)
    }

    async fn end_all(&self, reason: &EndReason) -> Result<u64, Box<dyn std::error::Error>> {
        let mut progress = Progress::new();
        let (mut ended, mut after, mut done) = (0, None, HashSet::new());
        loop {
            let (page, next) = self.page(after).await?;
            for session in page {
                if !done.contains(&session.user_id) {
                    ended += self.end_all_of(&session.user_id, reason).await?;
                    done.insert(session.user_id);
                }
            }
            self.write_down().await?;
            progress.at(format!("{ended} sessions of {} users ended", done.len()));
            after = next;
            if after.is_none() {
                return Ok(ended);
            }
        }
    }

    /// Has the audit log say what was done: here is no server that does it by itself.
    async fn write_down(&self) -> Result<(), Box<dyn std::error::Error>> {
        match self.auth.write_audit().await {
            0 => Ok(()),
            lost => Err(format!(
                "sessions were ended, and {lost} entries of the audit log could not be written"
            )
            .into()),
        }
    }

    pub async fn clean_up(&self) -> Outcome {
        let mut progress = Progress::new();
        let (mut ended, mut forgotten) = (0, 0);
        loop {
            let cleaned = self.auth.sessions().clean_up().await?;
            ended += cleaned.ended;
            forgotten += cleaned.forgotten;
            self.write_down().await?;
            progress.at(format!("{ended} sessions were over, {forgotten} forgotten"));
            if !cleaned.more {
                break;
            }
        }
        drop(progress);
        print::line(&format!(
            "{ended} sessions were over and ended, {forgotten} that ended long ago forgotten"
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}

impl From<Reason> for EndReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::AdminRevoked => Self::AdminRevoked,
            Reason::PasswordChanged => Self::PasswordChanged,
            Reason::SignedOut => Self::SignedOut,
            Reason::UserRemoved => Self::UserRemoved,
            Reason::UserRevoked => Self::UserRevoked,
        }
    }
}
