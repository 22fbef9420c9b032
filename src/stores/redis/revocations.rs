//! The log, and answers about single tokens.

use std::time::Duration;

use tokio::runtime::Handle;

use super::error::{BACKEND, garbled, told};
use super::scripts::{SCRIPTS, duration, instant, number, optional};
use super::{RedisStore, entries, lock, reply};
use crate::BoxFuture;
use crate::error::{StoreError, StoreErrorKind};
use crate::revocation::{
    About, Answer, Attached, Committed, FleetLimits, Lease, Poll, PollRequest, Question,
    RevocationEntry, RevocationStore,
};

impl RedisStore {
    async fn join(&self, limits: FleetLimits) -> Result<Attached, StoreError> {
        self.shared.link.check().await?;
        self.check_permissions().await?;
        let args = [limits.access_lifetime, limits.leeway, limits.skew].map(duration);
        let answer = self.run_first(&SCRIPTS.attach, args.to_vec()).await?;
        let [deployment, access, leeway, skew] = reply::fixed(reply::answer(answer)?)?;
        let deployment = reply::text(deployment)?;
        let micros = |value| reply::number(value).map(Duration::from_micros);
        let fleet = FleetLimits {
            access_lifetime: micros(access)?,
            leeway: micros(leeway)?,
            skew: micros(skew)?,
        };
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
        {
            // Another deployment's server that is met later must not give its name to ours.
            let mut ours = lock(&self.shared.deployment);
            if !ours.found {
                ours.name = deployment;
                ours.found = true;
            }
        }
        self.listen();
        Ok(Attached {
            deployment: named,
            limits: fleet,
        })
    }

    async fn read(&self, request: PollRequest<'_>) -> Result<Poll, StoreError> {
        let since = request.since.map(|since| since.0.as_slice());
        let mut args = vec![
            format!("{:032x}", request.node.0),
            duration(request.lease),
            match since {
                Some(&[read]) => number(read),
                _ => String::new(),
            },
            optional(request.history.map(|history| format!("{history:032x}"))),
        ];
        args.extend(request.probes.iter().copied().map(entries::name_of));
        reply::poll(self.run(&SCRIPTS.poll, args).await?)
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
        let mut answer = reply::list(self.run(&SCRIPTS.ask, args).await?)?.into_iter();
        let what = reply::text(answer.next().ok_or_else(garbled)?)?;
        Ok(match what.as_str() {
            "alive" => Answer::Alive,
            "revoked" => Answer::Revoked(reply::reason(answer.next().ok_or_else(garbled)?)?),
            "stale" => Answer::Stale,
            "unknown" => Answer::Unknown,
            _ => return Err(garbled()),
        })
    }

    async fn write(&self, entries: Vec<RevocationEntry>) -> Result<Committed, StoreError> {
        let args = entries.iter().flat_map(entries::write).collect();
        reply::committed(self.run(&SCRIPTS.append, args).await?)
    }
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
        Box::pin(async move { reply::leases(self.run(&SCRIPTS.leases, Vec::new()).await?) })
    }
}
