//! A user with some sessions, who does one thing after the other and so knows what may be answered.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::fleet::{Fleet, Up};
use super::held::{Access, Held};
use super::http::{Connection, Reply};
use super::model::{self, Asked, Ending, Token, Verdict};
use super::tally::{Tally, is_quiet};
use super::weather::Weather;

pub struct Client {
    pub(super) name: String,
    pub(super) fleet: Arc<Fleet>,
    pub(super) weather: Arc<Weather>,
    pub(super) tally: Arc<Tally>,
    connections: [Connection; 2],
    pub(super) live: Vec<Held>,
    /// Of which a token that has not run out is still tried.
    pub(super) over: VecDeque<Held>,
    pub(super) expired: VecDeque<Access>,
    /// Whether there may be sessions of which nobody was told.
    pub(super) orphans: bool,
    pub(super) until: Instant,
}

/// What a verb came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Done(String),
    Refused(String),
    /// The store failed, or the node was gone: whether it was done is not known.
    Unknown,
}

impl Client {
    pub fn new(
        number: usize,
        fleet: &Arc<Fleet>,
        weather: &Arc<Weather>,
        tally: &Arc<Tally>,
    ) -> Self {
        Self {
            name: format!("user-{number}"),
            fleet: fleet.clone(),
            weather: weather.clone(),
            tally: tally.clone(),
            connections: Default::default(),
            live: Vec::new(),
            over: VecDeque::new(),
            expired: VecDeque::new(),
            orphans: false,
            until: Instant::now(),
        }
    }

    pub async fn live(mut self, until: Instant) {
        self.until = until;
        while Instant::now() < until {
            self.step().await;
            tokio::time::sleep(Duration::from_millis(fastrand::u64(8..40))).await;
        }
    }

    async fn step(&mut self) {
        let now = Instant::now();
        if let Some(due) = self.live.iter().position(|held| held.over_at <= now) {
            return self.end(due).await;
        }
        if let Some(due) = self.live.iter().position(|held| held.refresh_at <= now) {
            return self.refresh(due).await;
        }
        if self.live.len() < SESSIONS && fastrand::u32(0..10) == 0 {
            return self.sign_in().await;
        }
        match fastrand::u32(0..1_000) {
            0..2 => self.end_all().await,
            2..4 => self.change_roles().await,
            4..10 => self.list().await,
            10..20 => self.refresh_what_is_over().await,
            20..40 => self.forge().await,
            40..60 => self.try_expired().await,
            60..160 => self.try_what_is_over().await,
            _ => self.request().await,
        }
    }

    /// A request with a token of a live session, mostly the newest.
    pub(super) async fn request(&mut self) {
        if self.live.is_empty() {
            return;
        }
        let which = fastrand::usize(0..self.live.len());
        let held = &self.live[which];
        let newest = held.tokens.len() - 1;
        let token = match fastrand::u32(0..8) {
            0 => fastrand::usize(0..held.tokens.len()),
            _ => newest,
        };
        let access = held.tokens[token].clone();
        let token_of = Token::Ours {
            session: held.ending,
            roles: access.roles,
        };
        if let Some((node, process)) = self.check("request", &access, token_of).await {
            let held = &mut self.live[which];
            held.tokens[token].seen[node] = process;
            held.used |= token == newest;
        }
    }

    async fn try_what_is_over(&mut self) {
        if self.over.is_empty() {
            return;
        }
        let held = &self.over[fastrand::usize(0..self.over.len())];
        let Some(access) = held.tokens.last().cloned() else {
            return;
        };
        let token = Token::Ours {
            session: held.ending,
            roles: access.roles,
        };
        self.check("request of what has ended", &access, token)
            .await;
    }

    async fn try_expired(&mut self) {
        let Some(access) = self.expired.pop_front() else {
            return;
        };
        if access.dead_from <= Instant::now() {
            self.check("expired", &access, Token::Expired).await;
        } else {
            self.expired.push_back(access);
        }
    }

    async fn forge(&mut self) {
        let Some(mut access) = self
            .live
            .first()
            .and_then(|held| held.tokens.last().cloned())
        else {
            return;
        };
        if fastrand::bool() {
            let end = access.text.len() - 10;
            let other = if &access.text[end..=end] == "A" {
                "B"
            } else {
                "A"
            };
            access.text.replace_range(end..=end, other);
            self.check("forged", &access, Token::Forged).await;
        } else {
            access.text = format!("garbage-{}", fastrand::u64(..));
            self.check("garbage", &access, Token::Garbage).await;
        }
    }

    /// Sends a request and judges the answer; says by which process of which node it was let in.
    async fn check(&mut self, what: &str, access: &Access, token: Token) -> Option<(usize, u32)> {
        let is_ours = matches!(token, Token::Ours { .. });
        if is_ours && access.good_until <= Instant::now() {
            return None;
        }
        let (node, up) = self.some_node()?;
        let quiet_before = is_quiet(&self.weather);
        let sent = Instant::now();
        let reply = self.connections[node].ask(up.listens, &access.text).await;
        let asked = Asked {
            node,
            sent,
            answered: Instant::now(),
        };
        let mut verdict = model::request(token, asked, &reply, &self.weather);
        let ran_out = Reply::Answered(401, "token_expired".to_owned());
        if reply == ran_out && asked.answered >= access.good_until {
            verdict = Verdict::Right;
        }
        let came = match &reply {
            Reply::Answered(status, code) => format!("{status} {code}"),
            other => format!("{other:?}"),
        };
        self.note(what, &came, asked, &verdict);
        let let_in = matches!(&reply, Reply::Answered(200, _));
        let is_warm = let_in && access.seen[node] == up.node.id();
        if is_warm && quiet_before && is_quiet(&self.weather) {
            self.tally.warm(asked.answered - asked.sent);
        }
        let_in.then(|| (node, up.node.id()))
    }

    /// Any node that is there.
    pub(super) fn some_node(&self) -> Option<(usize, Up)> {
        let first = fastrand::usize(0..2);
        [first, 1 - first]
            .into_iter()
            .find_map(|node| Some((node, self.fleet.up(node)?)))
    }

    /// What a node says to a command; `judge` says whether an answer that is one is right.
    pub(super) async fn verb(
        &self,
        what: &str,
        node: usize,
        command: &str,
        judge: impl FnOnce(&Said) -> bool,
    ) -> (Said, Asked) {
        let sent = Instant::now();
        let answer = match self.fleet.up(node) {
            Some(up) => up.node.try_ask(command).await,
            None => None,
        };
        let asked = Asked {
            node,
            sent,
            answered: Instant::now(),
        };
        let said = said(answer.as_deref());
        let verdict = match &said {
            Said::Unknown => model::without_answer(answer.is_none(), asked, &self.weather),
            _ if judge(&said) => Verdict::Right,
            _ => Verdict::Unexplained,
        };
        let came = match (&said, &answer) {
            (Said::Done(_), _) => "done".to_owned(),
            (Said::Refused(why), _) => why.clone(),
            (Said::Unknown, Some(why)) => why.trim_start_matches("no ").to_owned(),
            (Said::Unknown, None) => "gone".to_owned(),
        };
        self.note(what, &came, asked, &verdict);
        (said, asked)
    }

    fn note(&self, what: &str, came: &str, asked: Asked, verdict: &Verdict) {
        let began = self.weather.began;
        self.tally.note(what, came, asked, verdict, began);
    }

    /// Puts away a session that has ended, or that is not known to.
    pub(super) fn put_away(&mut self, held: Held) {
        self.over.push_front(held);
        if self.over.len() > REMEMBERED {
            let oldest = self.over.pop_back();
            self.expired
                .extend(oldest.and_then(|held| held.tokens.into_iter().last()));
        }
        if self.expired.len() > REMEMBERED {
            self.expired.pop_front();
        }
    }

    /// Tells every token that roles were changed, or are about to.
    pub(super) fn roles_are(&mut self, roles: Ending) {
        for held in self.live.iter_mut().chain(&mut self.over) {
            for access in &mut held.tokens {
                if !matches!(access.roles, Ending::Done { .. }) {
                    access.roles = roles;
                }
            }
        }
    }
}

fn said(answer: Option<&str>) -> Said {
    match answer {
        None => Said::Unknown,
        Some("ok") => Said::Done(String::new()),
        Some(answer) => match answer.split_once(' ') {
            Some(("ok", rest)) => Said::Done(rest.to_owned()),
            Some((_, why)) if why.starts_with("the session store failed") => Said::Unknown,
            Some((_, why)) => Said::Refused(why.to_owned()),
            None => Said::Refused(answer.to_owned()),
        },
    }
}

/// How many a user has at once, and how many that ended are tried for a while.
const SESSIONS: usize = 6;
const REMEMBERED: usize = 12;
