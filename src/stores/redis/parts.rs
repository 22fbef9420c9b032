//! The parts of the store: one on a server, 64 on a cluster, each under a hash tag of its own.
//!
//! A part holds its users with their sessions and its piece of the log, so that each step is one
//! script in one slot.

use std::sync::Mutex;

use redis::{Pipeline, RedisError, Value};
use tokio::task::JoinSet;

use super::call::Call;
use super::error::{failed, told};
use super::reply::{self, Standing};
use super::scripts::{self, SCRIPTS, Verb};
use super::{RedisStore, fresh, lock};
use crate::crypto::digest::{SHA256, digest};
use crate::error::{StoreError, StoreErrorKind};
use crate::session::refresh::bucket_of;
use crate::token::UserId;

/// The history of each part, as it was heard last.
pub(super) struct Histories(Mutex<Vec<Option<u128>>>);

impl Histories {
    pub(super) fn new(parts: u16) -> Self {
        Self(Mutex::new(vec![None; parts.into()]))
    }

    /// Takes note of what parts said; how all stand now.
    pub(super) fn heard(&self, of: impl IntoIterator<Item = (u16, u128)>) -> Vec<u128> {
        let mut known = lock(&self.0);
        for (part, history) in of {
            if let Some(known) = known.get_mut(usize::from(part)) {
                *known = Some(history);
            }
        }
        known
            .iter()
            .map(|known| known.unwrap_or_default())
            .collect()
    }

    fn are_known(&self) -> bool {
        lock(&self.0).iter().all(Option::is_some)
    }
}

/// The history of the whole: another one as soon as that of any part is.
pub(super) fn whole(parts: &[u128]) -> u128 {
    if let [only] = parts {
        return *only;
    }
    let bytes: Vec<u8> = parts.iter().flat_map(|part| part.to_be_bytes()).collect();
    let digest = digest(&SHA256, &bytes);
    digest
        .as_ref()
        .iter()
        .take(16)
        .fold(0, |sum, byte| sum << 8 | u128::from(*byte))
}

impl RedisStore {
    pub(super) fn parts(&self) -> u16 {
        if self.shared.link.is_cluster() {
            BUCKETS
        } else {
            1
        }
    }

    pub(super) fn part_of(&self, user: &UserId) -> u16 {
        self.part_at(bucket_of(user))
    }

    pub(super) fn part_at(&self, bucket: u8) -> u16 {
        u16::from(bucket) % self.parts()
    }

    /// Runs a script on a part, and tells of the records that it could not read.
    pub(super) async fn run(
        &self,
        part: u16,
        verb: &Verb,
        args: Vec<String>,
    ) -> Result<Value, StoreError> {
        self.know_histories().await?;
        self.run_bare(part, verb, args, failed).await
    }

    /// What a write answers names the history of the whole.
    pub(super) async fn know_histories(&self) -> Result<(), StoreError> {
        if self.parts() > 1 && !self.shared.histories.are_known() {
            self.stand().await?;
        }
        Ok(())
    }

    /// The same on all parts at once. Fails where one does.
    pub(super) async fn run_all(
        &self,
        verb: &'static Verb,
        args: impl Fn(u16) -> Vec<String>,
    ) -> Result<Vec<Value>, StoreError> {
        let asked = (0..self.parts()).map(|part| (part, args(part))).collect();
        let answers = self.run_some(verb, asked, failed).await?;
        Ok(answers.into_iter().map(|(_, answer)| answer).collect())
    }

    /// The same on some of them, in their order.
    pub(super) async fn run_some(
        &self,
        verb: &'static Verb,
        mut asked: Vec<(u16, Vec<String>)>,
        meaning: fn(RedisError) -> StoreError,
    ) -> Result<Vec<(u16, Value)>, StoreError> {
        if asked.len() == 1 {
            let mut answers = Vec::new();
            for (part, args) in asked {
                answers.push((part, self.run_bare(part, verb, args, meaning).await?));
            }
            return Ok(answers);
        }
        let mut running = JoinSet::new();
        for (part, args) in asked.drain(..) {
            let store = self.clone();
            running.spawn(async move { (part, store.run_bare(part, verb, args, meaning).await) });
        }
        let mut answers = Vec::new();
        while let Some(done) = running.join_next().await {
            let (part, answer) = done
                .map_err(|_| told(StoreErrorKind::Unavailable, "the runtime is shutting down"))?;
            answers.push((part, answer?));
        }
        answers.sort_unstable_by_key(|(part, _)| *part);
        Ok(answers)
    }

    /// How each part stands: its history, its clock and its leases.
    pub(super) async fn stand(&self) -> Result<Vec<Standing>, StoreError> {
        let answers = self.run_all(&SCRIPTS.leases, |_| Vec::new()).await?;
        let stand: Vec<Standing> = answers
            .into_iter()
            .map(reply::standing)
            .collect::<Result<_, _>>()?;
        let histories = stand.iter().map(|part| part.history);
        self.shared.histories.heard((0..).zip(histories));
        Ok(stand)
    }

    pub(super) async fn run_bare(
        &self,
        part: u16,
        verb: &Verb,
        args: Vec<String>,
        meaning: fn(RedisError) -> StoreError,
    ) -> Result<Value, StoreError> {
        let now = self.settings.clock.as_ref().map(|clock| clock.now());
        let mut all = vec![
            now.map(scripts::instant).unwrap_or_default(),
            fresh(),
            lock(&self.shared.deployment).name.clone(),
            scripts::flag(self.lists_ended_tokens()),
        ];
        all.extend(args);
        let keys = [self.key(part, "fleet"), self.key(part, "never")];
        let call = Call::Script(verb, &keys, &all);
        let answer = self.shared.link.run(&call).await?;
        reply::answer(answer.map_err(meaning)?)
    }

    /// Asks by commands that only read, about keys of one part.
    pub(super) async fn plain(&self, commands: &Pipeline) -> Result<Value, StoreError> {
        let answer = self.shared.link.run(&Call::Plain(commands)).await?;
        answer.map_err(failed)
    }

    pub(super) fn key(&self, part: u16, name: &str) -> String {
        let prefix = &self.settings.prefix;
        match self.parts() {
            1 => format!("{{{prefix}}}:{name}"),
            _ => format!("{{{prefix}:{part}}}:{name}"),
        }
    }

    /// Where each part says that its log has grown.
    pub(super) fn channels(&self) -> Vec<String> {
        (0..self.parts())
            .map(|part| self.key(part, "news"))
            .collect()
    }
}

/// As many as [`bucket_of`] tells apart.
pub(super) const BUCKETS: u16 = 64;
