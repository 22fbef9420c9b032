//! The log, and answers about single tokens.

use std::collections::BTreeMap;
use std::time::Duration;

use redis::Value;
use tokio::runtime::Handle;

use super::error::{BACKEND, failed, garbled, not_opened, told};
use super::news::strings;
use super::scripts::{SCRIPTS, duration, flag, instant, number, optional};
use super::{RedisStore, entries, lock, reply};
use crate::BoxFuture;
use crate::error::{StoreError, StoreErrorKind};
use crate::revocation::{
    About, Answer, Attached, Committed, Cursor, FleetLimits, Glance, Lease, Poll, PollRequest,
    Question, RevocationEntry, RevocationStore,
};

impl RedisStore {
    async fn join(&self, limits: FleetLimits) -> Result<Attached, StoreError> {
        self.shared.link.check().await?;
        self.check_permissions().await?;
        let (name, limits_there) = self.found(limits).await?;
        if let Some(name) = name {
            self.call_it(name);
        }
        // The first part decides between nodes that are the first at once.
        let first = self.attach_to(vec![0], limits_there).await?;
        let Some((deployment, fleet)) = first.into_iter().next() else {
            return Err(garbled());
        };
        self.call_it(deployment.clone());
        let others = (1..self.parts()).collect();
        for (other, _) in self.attach_to(others, fleet).await? {
            if other != deployment {
                return Err(told(
                    StoreErrorKind::Configuration,
                    "the masters hold data of different deployments: choose another prefix",
                ));
            }
        }
        let exceeded = limits.access_lifetime > fleet.access_lifetime
            || limits.leeway > fleet.leeway
            || limits.skew > fleet.skew;
        if exceeded {
            return Err(told(
                StoreErrorKind::Configuration,
                "this node's tokens outlive what the fleet remembers",
            ));
        }
        let named = u128::from_str_radix(&deployment, 16).map_err(|_| garbled())?;
        self.listen();
        Ok(Attached {
            deployment: named,
            limits: fleet,
        })
    }

    /// Another deployment's server that is met later must not give its name to ours.
    fn call_it(&self, deployment: String) {
        let mut ours = lock(&self.shared.deployment);
        if !ours.found {
            ours.name = deployment;
            ours.found = true;
        }
    }

    /// The deployment and the limits that some part holds, so that one that lost its own is given
    /// them again; else those of this node.
    async fn found(
        &self,
        limits: FleetLimits,
    ) -> Result<(Option<String>, FleetLimits), StoreError> {
        if self.parts() == 1 {
            return Ok((None, limits));
        }
        let look = |_| vec![String::new(), String::new(), String::new(), flag(true)];
        let asked = (0..self.parts()).map(|part| (part, look(part))).collect();
        for (_, answer) in self.run_some(&SCRIPTS.attach, asked, not_opened).await? {
            if let Ok((deployment, fleet)) = attached(answer)
                && !deployment.is_empty()
            {
                return Ok((Some(deployment), fleet));
            }
        }
        Ok((None, limits))
    }

    async fn attach_to(
        &self,
        parts: Vec<u16>,
        limits: FleetLimits,
    ) -> Result<Vec<(String, FleetLimits)>, StoreError> {
        let args = [limits.access_lifetime, limits.leeway, limits.skew].map(duration);
        let asked = parts
            .into_iter()
            .map(|part| (part, args.to_vec()))
            .collect();
        let answers = self.run_some(&SCRIPTS.attach, asked, not_opened).await?;
        answers
            .into_iter()
            .map(|(_, answer)| attached(answer))
            .collect()
    }

    /// Whether the user may do what the scripts do.
    async fn check_permissions(&self) -> Result<(), StoreError> {
        let asked = (0..self.parts()).map(|part| (part, Vec::new())).collect();
        let mut denied = Vec::new();
        for (_, answer) in self.run_some(&SCRIPTS.probe, asked, not_opened).await? {
            denied.extend(strings(answer));
        }
        denied.sort_unstable();
        denied.dedup();
        if denied.is_empty() {
            return Ok(());
        }
        Err(told(
            StoreErrorKind::Configuration,
            format!(
                "the user lacks permissions; see docs/redis.md for the ACL rule: {}",
                denied.join("; ")
            ),
        ))
    }

    async fn read(&self, request: PollRequest<'_>) -> Result<Poll, StoreError> {
        let known = self.known(request.history);
        let since = request.since.map(|since| since.0.as_slice());
        let since = since.filter(|since| since.len() == known.len());
        let args = |part: u16| {
            let part = usize::from(part);
            let mut args = vec![
                format!("{:032x}", request.node.0),
                duration(request.lease),
                optional(since.map(|since| number(since[part]))),
                optional(known[part].map(|history| format!("{history:032x}"))),
            ];
            args.extend(request.probes.iter().copied().map(entries::name_of));
            args
        };
        let answers = self.run_all(&SCRIPTS.poll, args).await?;
        let mut parts = Vec::with_capacity(answers.len());
        for (part, answer) in (0..).zip(answers) {
            parts.push(
                self.read_on(part, reply::piece(answer)?, request.pieces)
                    .await?,
            );
        }
        Ok(self.joined_poll(parts))
    }

    async fn answer(&self, question: &Question) -> Result<Answer, StoreError> {
        let facts = &question.facts;
        let binding = facts.binding;
        let args = vec![
            match question.about {
                About::Log => "log",
                About::Session => "session",
            }
            .to_owned(),
            facts.user.to_string(),
            optional(facts.session),
            optional(facts.token.as_ref()),
            optional(binding.map(|binding| binding.generation)),
            optional(binding.map(|binding| number(binding.revoked_gen.as_u64()))),
            optional(binding.map(|binding| number(binding.roles_gen.as_u64()))),
            optional(facts.issued_at.map(instant)),
        ];
        let mut answer = reply::list(
            self.run(self.part_of(&facts.user), &SCRIPTS.ask, args)
                .await?,
        )?
        .into_iter();
        let what = reply::text(answer.next().ok_or_else(garbled)?)?;
        Ok(match what.as_str() {
            "alive" => Answer::Alive,
            "revoked" => Answer::Revoked(reply::reason(answer.next().ok_or_else(garbled)?)?),
            "stale" => Answer::Stale,
            "unknown" => Answer::Unknown,
            _ => return Err(garbled()),
        })
    }

    /// Each part's share is one script. What is nobody's, as far as is known, stands in each part,
    /// so that a question about a user finds it in the user's own.
    async fn write(&self, entries: Vec<RevocationEntry>) -> Result<Committed, StoreError> {
        let mut shares: BTreeMap<u16, Vec<String>> = BTreeMap::new();
        for entry in &entries {
            let parts = match entries::owner(entry) {
                Some(user) => self.part_of(user)..=self.part_of(user),
                None => 0..=self.parts() - 1,
            };
            for part in parts {
                shares
                    .entry(part)
                    .or_default()
                    .extend(entries::write(entry));
            }
        }
        if shares.is_empty() {
            shares.insert(0, Vec::new());
        }
        self.know_histories().await?;
        let asked = shares.into_iter().collect();
        let answers = self.run_some(&SCRIPTS.append, asked, failed).await?;
        let parts = answers
            .into_iter()
            .map(|(part, answer)| Ok((part, reply::standing(answer)?)))
            .collect::<Result<_, StoreError>>()?;
        Ok(self.joined(parts))
    }
}

pub(super) fn attached(answer: Value) -> Result<(String, FleetLimits), StoreError> {
    let [deployment, access, leeway, skew] = reply::fixed(answer)?;
    let micros = |value| reply::number(value).map(Duration::from_micros);
    let fleet = FleetLimits {
        access_lifetime: micros(access)?,
        leeway: micros(leeway)?,
        skew: micros(skew)?,
    };
    Ok((reply::text(deployment)?, fleet))
}

impl RevocationStore for RedisStore {
    fn backend(&self) -> &'static str {
        BACKEND
    }

    fn attach(&self, limits: FleetLimits) -> BoxFuture<'_, Result<Attached, StoreError>> {
        Box::pin(self.join(limits))
    }

    fn poll<'a>(&'a self, request: PollRequest<'a>) -> BoxFuture<'a, Result<Poll, StoreError>> {
        Box::pin(self.read(request))
    }

    fn hint(&self) -> BoxFuture<'_, ()> {
        if Handle::try_current().is_ok() {
            self.listen();
        }
        // Made now, not at the first poll of the future: what happens in between counts too.
        Box::pin(self.news().heard())
    }

    fn glance<'a>(
        &'a self,
        since: &'a Cursor,
        history: u128,
    ) -> BoxFuture<'a, Result<Glance, StoreError>> {
        Box::pin(async move {
            let &[read] = since.0.as_slice() else {
                return Ok(Glance::default());
            };
            let args = vec![format!("{history:032x}"), number(read)];
            reply::glance(self.run(0, &SCRIPTS.glance, args).await?)
        })
    }

    fn ask<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Result<Answer, StoreError>> {
        Box::pin(self.answer(question))
    }

    fn append(
        &self,
        entries: Vec<RevocationEntry>,
    ) -> BoxFuture<'_, Result<Committed, StoreError>> {
        Box::pin(self.write(entries))
    }

    fn leases(&self) -> BoxFuture<'_, Result<Vec<Lease>, StoreError>> {
        Box::pin(async move {
            let parts = (0..).zip(self.stand().await?).collect();
            Ok(self.joined(parts).leases)
        })
    }
}
