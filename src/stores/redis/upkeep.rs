//! Looking at the servers, and moving their sessions.

use std::collections::BTreeMap;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisResult};

use super::address::Address;
use super::checks::{Said, field, judge, said, said_by_all, weaknesses};
use super::error::{BACKEND, SILENT, garbled, not_opened, told};
use super::revocations::attached;
use super::scripts::{SCRIPTS, flag, number};
use super::{RedisStore, records, reply};
use crate::BoxFuture;
use crate::clock::{Clock as _, SystemClock, UnixTime};
use crate::diagnosis::{Check, ClockReading, StoreReport};
use crate::error::{StoreError, StoreErrorKind};
use crate::revocation::RevocationEntry;
use crate::session::{Export, ExportCursor, Imported, StoredSession, Upkeep};

impl Upkeep for RedisStore {
    fn inspect(&self) -> BoxFuture<'_, StoreReport> {
        Box::pin(async move {
            let mut report = StoreReport::default();
            let looked = tokio::time::timeout(PATIENCE, self.look(&mut report)).await;
            let silent = Err(told(StoreErrorKind::Timeout, SILENT));
            if let Err(error) = looked.unwrap_or(silent) {
                let why = std::error::Error::source(&error).map(ToString::to_string);
                let why = why.unwrap_or_else(|| error.to_string());
                let fix = "see what is said of it, and docs/redis.md";
                report.checks.push(Check::fail(STORE, why, fix));
            }
            report
        })
    }

    fn export(
        &self,
        from: Option<ExportCursor>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Export, StoreError>> {
        Box::pin(async move {
            let place = from.map(|from| Place::parse(&from)).transpose()?;
            let place = place.unwrap_or_else(Place::first);
            let limit = limit.clamp(1, MOST_AT_ONCE) as u64;
            let args = vec![
                place.order.to_owned(),
                place.from.clone(),
                number(place.read),
                number(limit),
            ];
            let answer = self.run(place.part, &SCRIPTS.export, args).await?;
            let [sessions, over, from, read, bad] = reply::fixed(answer)?;
            let here = Place {
                from: reply::text(from)?,
                read: reply::number(read)?,
                ..place
            };
            let over = reply::number(over)? == 1;
            let next = if over {
                here.next(self.parts())
            } else {
                Some(here)
            };
            let (mut unreadable, mut exported) = (reply::number(bad)?, Vec::new());
            for value in reply::list(sessions)? {
                match reply::stored(value)? {
                    Some(stored) => exported.push(stored),
                    None => unreadable += 1,
                }
            }
            Ok(Export {
                sessions: exported,
                next: next.map(|place| place.cursor()),
                unreadable,
            })
        })
    }

    fn export_log(&self) -> BoxFuture<'_, Result<Vec<RevocationEntry>, StoreError>> {
        Box::pin(async move {
            let mut entries: Vec<RevocationEntry> = Vec::new();
            for answer in self.run_all(&SCRIPTS.export_log, |_| Vec::new()).await? {
                entries.extend(reply::log(answer)?);
            }
            // What names no user stands in every part.
            let mut known = std::collections::HashSet::new();
            entries.retain(|entry| known.insert(entry.id));
            Ok(entries)
        })
    }

    fn import(&self, sessions: Vec<StoredSession>) -> BoxFuture<'_, Result<Imported, StoreError>> {
        Box::pin(async move {
            let mut shares: BTreeMap<u16, Vec<&StoredSession>> = BTreeMap::new();
            for stored in &sessions {
                let part = self.part_of(&stored.record.user);
                shares.entry(part).or_default().push(stored);
            }
            let mut done = Imported::default();
            for (part, share) in shares {
                for some in share.chunks(IMPORTED_AT_ONCE) {
                    let args = arguments(some).ok_or_else(garbled)?;
                    let answer = self.run(part, &SCRIPTS.import, args).await?;
                    let [made, changed, kept] = reply::fixed(answer)?;
                    done.made += reply::number(made)?;
                    done.changed += reply::number(changed)?;
                    done.kept += reply::number(kept)?;
                }
            }
            Ok(done)
        })
    }
}

/// Sessions as `import` takes them.
fn arguments(sessions: &[&StoredSession]) -> Option<Vec<String>> {
    let mut args = Vec::new();
    for stored in sessions {
        let fields = records::all_fields(stored)?;
        args.extend([
            stored.record.id.to_string(),
            number(stored.counters.revoked_gen.as_u64()),
            number(stored.counters.roles_gen.as_u64()),
            (fields.len() / 2).to_string(),
        ]);
        args.extend(fields);
    }
    Some(args)
}

impl RedisStore {
    async fn look(&self, report: &mut StoreReport) -> Result<(), StoreError> {
        let (servers, mode) = match &self.shared.link.address {
            Address::Cluster(cluster) => {
                let mut wire = cluster.connect().await.map_err(not_opened)?;
                (said_by_all(&mut wire).await?, "cluster")
            }
            _ => (vec![self.look_at_one(report).await?], "standalone"),
        };
        describe(&servers, report);
        for (info, _) in &servers {
            judge(info, mode)?;
        }
        let look = vec![String::new(), String::new(), String::new(), flag(true)];
        let answer = self.run_bare(0, &SCRIPTS.attach, look, not_opened).await?;
        // An empty server has neither.
        if let Ok((deployment, limits)) = attached(answer) {
            report.deployment = u128::from_str_radix(&deployment, 16).ok();
            report.limits = report.deployment.map(|_| limits);
        }
        Ok(())
    }

    async fn look_at_one(&self, report: &mut StoreReport) -> Result<Said, StoreError> {
        let client = self.primary().await.map_err(not_opened)?;
        let config = AsyncConnectionConfig::new().set_connection_timeout(Some(PATIENCE));
        let mut wire = client
            .get_multiplexed_async_connection_with_config(&config)
            .await
            .map_err(not_opened)?;
        let said = said(&mut wire).await?;
        report.clock = read_clock(&mut wire).await.ok();
        Ok(said)
    }
}

async fn read_clock(wire: &mut MultiplexedConnection) -> RedisResult<ClockReading> {
    let clock = SystemClock;
    let asked = clock.now();
    let (seconds, micros): (u64, u64) = redis::cmd("TIME").query_async(wire).await?;
    Ok(ClockReading {
        asked,
        said: UnixTime::from_secs(seconds) + Duration::from_micros(micros),
        answered: clock.now(),
    })
}

fn describe(servers: &[Said], report: &mut StoreReport) {
    let Some((first, _)) = servers.first() else {
        return;
    };
    let of = |name| field(first, name).unwrap_or("?");
    let version = format!("Redis {}", of("redis_version"));
    let count = match servers.len() {
        1 => of("redis_mode").to_owned(),
        masters => format!("{masters} masters of a cluster"),
    };
    report
        .checks
        .push(Check::ok(STORE, format!("{version}, {count}")));
    report.version = Some(version);
    let mut weak: Vec<_> = servers
        .iter()
        .flat_map(|(info, fsync)| weaknesses(info, fsync.as_deref()))
        .collect();
    weak.sort_unstable();
    weak.dedup();
    let untold = servers.iter().any(|(_, fsync)| fsync.is_none());
    report.checks.push(if weak.is_empty() && untold {
        let fix = "permit +config|get, or see yourself that appendfsync is always";
        Check::warn(
            PERSISTENCE,
            "how often the file is written is not told",
            fix,
        )
    } else if weak.is_empty() {
        Check::ok(
            PERSISTENCE,
            "each write is on the disk before it is answered",
        )
    } else {
        let fix = "set appendonly yes and appendfsync always, or live with what may be lost";
        Check::warn(PERSISTENCE, weak.join("; "), fix)
    });
    report.checks.push(eviction(servers));
    report.checks.push(replication(servers));
    report.checks.extend(servers.iter().filter_map(memory));
}

/// What one of the servers says that it should not.
fn stray<'s>(servers: &'s [Said], name: &str, wanted: &str) -> Option<&'s str> {
    let mut values = servers.iter().filter_map(|(info, _)| field(info, name));
    values.find(|value| *value != wanted)
}

fn eviction(servers: &[Said]) -> Check {
    match stray(servers, "maxmemory_policy", "noeviction") {
        None => Check::ok(EVICTION, "noeviction"),
        Some(policy) => Check::fail(
            EVICTION,
            format!("maxmemory-policy {policy}: revocations may be forgotten for space"),
            "CONFIG SET maxmemory-policy noeviction",
        ),
    }
}

fn replication(servers: &[Said]) -> Check {
    match stray(servers, "role", "master") {
        None => replicas(servers),
        Some(_) => Check::fail(
            REPLICATION,
            "this server is a replica",
            "name the primary in SESSION_STORE, or the Sentinels",
        ),
    }
}

fn replicas(servers: &[Said]) -> Check {
    let counts = servers
        .iter()
        .filter_map(|(info, _)| field(info, "connected_slaves"));
    let least = counts.filter_map(|count| count.parse::<u32>().ok()).min();
    let guarded = servers
        .iter()
        .any(|(info, _)| field(info, "min_slaves_good_slaves").is_some());
    match least {
        Some(1..) if !guarded => Check::warn(
            REPLICATION,
            "a primary that is cut off from its replicas goes on accepting writes",
            "set min-replicas-to-write 1 and min-replicas-max-lag 10; see docs/redis.md",
        ),
        Some(count @ 1..) => Check::ok(REPLICATION, format!("{count} replicas, awaited")),
        _ => Check::ok(REPLICATION, "no replica"),
    }
}

fn memory((info, _): &Said) -> Option<Check> {
    let number = |name| field(info, name)?.parse::<u64>().ok();
    let (used, most) = (number("used_memory")?, number("maxmemory")?);
    let seen = match most {
        0 => format!("{} MiB used, no limit", used >> 20),
        most => format!("{} of {} MiB used", used >> 20, most >> 20),
    };
    Some(if most > 0 && used > most / 10 * 8 {
        Check::warn(
            MEMORY,
            seen,
            "raise maxmemory: a full server refuses every write",
        )
    } else {
        Check::ok(MEMORY, seen)
    })
}

/// Where an export stands.
struct Place {
    part: u16,
    order: &'static str,
    from: String,
    /// How many of those that ended at that very instant were read.
    read: u64,
}

impl Place {
    const fn first() -> Self {
        Self {
            part: 0,
            order: ORDERS[0],
            from: String::new(),
            read: 0,
        }
    }

    fn parse(cursor: &ExportCursor) -> Result<Self, StoreError> {
        let read = || {
            let mut words = cursor.0.split(' ');
            let place = Self {
                part: words.next()?.parse().ok()?,
                order: {
                    let word = words.next()?;
                    ORDERS.into_iter().find(|order| *order == word)?
                },
                from: words.next()?.to_owned(),
                read: words.next()?.parse().ok()?,
            };
            Some(place)
        };
        read().ok_or_else(|| {
            StoreError::new(StoreErrorKind::Configuration, BACKEND)
                .with_source("this is no place in an export of this store")
        })
    }

    fn cursor(&self) -> ExportCursor {
        ExportCursor(format!(
            "{} {} {} {}",
            self.part, self.order, self.from, self.read
        ))
    }

    /// The beginning of what comes after this order of this part.
    fn next(&self, parts: u16) -> Option<Self> {
        let (part, order) = match self.order {
            order if order == ORDERS[0] => (self.part, ORDERS[1]),
            _ => (self.part + 1, ORDERS[0]),
        };
        (part < parts).then_some(Self {
            part,
            order,
            ..Self::first()
        })
    }
}

/// Ended ones last: what ends meanwhile comes twice, and never not at all.
const ORDERS: [&str; 2] = ["open", "ended"];
const STORE: &str = "store";
const PERSISTENCE: &str = "store persistence";
const EVICTION: &str = "store eviction";
const REPLICATION: &str = "store replication";
const MEMORY: &str = "store memory";
const MOST_AT_ONCE: usize = 2_000;
/// How many sessions are taken over by one script: others wait for it meanwhile, and Lua's stack
/// bounds its arguments.
const IMPORTED_AT_ONCE: usize = 50;
const PATIENCE: Duration = Duration::from_secs(5);
