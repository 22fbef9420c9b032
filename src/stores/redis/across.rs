//! The verbs that no single part of the store can answer.

use std::time::Duration;

use redis::Value;

use super::error::garbled;
use super::reply::Standing;
use super::scripts::{SCRIPTS, duration, optional};
use super::{RedisStore, reply};
use crate::error::StoreError;
use crate::session::{Page, PageRequest, Population, SessionRecord, Swept};
use crate::token::SessionId;

impl RedisStore {
    /// A session that is known by its id alone, and the part that holds it.
    pub(super) async fn look_for(&self, id: SessionId) -> Result<Option<(u16, Value)>, StoreError> {
        let args = |_| vec![id.to_string()];
        let answers = self.run_all(&SCRIPTS.find, args).await?;
        for (part, answer) in (0..).zip(answers) {
            if let Some(found) = reply::optional(answer, Ok)? {
                return Ok(Some((part, found)));
            }
        }
        Ok(None)
    }

    /// One part after the other, until the batch is full.
    pub(super) async fn swept(
        &self,
        retention: Duration,
        batch: usize,
    ) -> Result<Swept, StoreError> {
        let mut left = batch.min(MOST_AT_ONCE) as u64;
        let mut parts = Vec::new();
        let mut whole = Swept {
            ended: Vec::new(),
            committed: None,
            forgotten: 0,
            more: false,
        };
        for part in 0..self.parts() {
            let (swept, standing) = match self.sweep_part(part, retention, left).await {
                Ok(swept) => swept,
                // What was ended is told; whoever comes for the rest hears what is wrong.
                Err(error) if !parts.is_empty() || whole.forgotten > 0 => {
                    tracing::debug!(%error, "a sweep was cut short");
                    whole.more = true;
                    break;
                }
                Err(error) => return Err(error),
            };
            left = left.saturating_sub(swept.forgotten.max(swept.ended.len() as u64));
            whole.ended.extend(swept.ended);
            whole.forgotten += swept.forgotten;
            whole.more |= swept.more;
            parts.extend(standing.map(|standing| (part, standing)));
        }
        whole.committed = (!parts.is_empty()).then(|| self.joined(parts));
        Ok(whole)
    }

    async fn sweep_part(
        &self,
        part: u16,
        retention: Duration,
        batch: u64,
    ) -> Result<(Swept, Option<Standing>), StoreError> {
        let args = vec![duration(retention), batch.to_string()];
        let answer = self.run(part, &SCRIPTS.sweep, args).await?;
        let [ended, standing, forgotten, more] = reply::fixed(answer)?;
        let swept = Swept {
            ended: reply::sessions(ended)?,
            committed: None,
            forgotten: reply::number(forgotten)?,
            more: reply::number(more)? == 1,
        };
        Ok((swept, reply::optional(standing, reply::standing)?))
    }

    pub(super) async fn counted(&self) -> Result<Population, StoreError> {
        let mut population = Population::default();
        for answer in self.run_all(&SCRIPTS.population, |_| Vec::new()).await? {
            let [sessions, users] = reply::fixed(answer)?;
            population.sessions += reply::number(sessions)?;
            population.users += reply::number(users)?;
        }
        Ok(population)
    }

    pub(super) async fn paged(&self, request: PageRequest) -> Result<Page, StoreError> {
        let limit = request.limit.clamp(1, MOST_AT_ONCE);
        let user = request.user.as_ref();
        let args = vec![optional(user), optional(request.after), limit.to_string()];
        let answers = match user {
            Some(user) => vec![self.run(self.part_of(user), &SCRIPTS.page, args).await?],
            None => self.run_all(&SCRIPTS.page, |_| args.clone()).await?,
        };
        let mut found: Vec<(SessionId, Option<SessionRecord>)> = Vec::new();
        for answer in answers {
            for value in reply::list(answer)? {
                let [id, fields] = reply::fixed(value)?;
                let key = reply::text(id.clone())?.parse().map_err(|_| garbled())?;
                found.push((key, reply::record(Value::Array(vec![id, fields]))?));
            }
        }
        found.sort_unstable_by_key(|(id, _)| *id);
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().map(|(id, _)| *id);
        Ok(Page {
            records: found.into_iter().filter_map(|(_, record)| record).collect(),
            next: last.filter(|_| more),
        })
    }
}

const MOST_AT_ONCE: usize = 10_000;
