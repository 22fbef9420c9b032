//! What a user asks of a node.

use std::time::{Duration, Instant};

use super::GRACE;
use super::clients::{Client, Said};
use super::held::{Held, Pair};
use super::model::{Asked, Ending};

impl Client {
    pub(super) async fn sign_in(&mut self) {
        let Some((node, _)) = self.some_node() else {
            return;
        };
        let command = format!("sign-in {}", self.name);
        let is_pair =
            |said: &Said| matches!(said, Said::Done(words) if Pair::read(words).is_some());
        match self.verb("sign-in", node, &command, is_pair).await {
            (Said::Done(words), asked) => {
                let pair = Pair::read(&words);
                self.live.extend(pair.map(|pair| Held::new(&pair, asked)));
            }
            (Said::Unknown, _) => self.orphans = true,
            (Said::Refused(_), _) => {}
        }
    }

    /// A refresh: by one node, by both at once, or of which the first answer is lost.
    pub(super) async fn refresh(&mut self, which: usize) {
        let Some((node, _)) = self.some_node() else {
            return;
        };
        match fastrand::u32(0..10) {
            0..2 => {
                let token = self.live[which].refresh.clone();
                let (one, other) = tokio::join!(
                    self.present("refresh of two at once", which, 0, &token),
                    self.present("refresh of two at once", which, 1, &token)
                );
                if let (Said::Done(one), Said::Done(other)) = (&one.0, &other.0)
                    && let (Some(one), Some(other)) = (Pair::read(one), Pair::read(other))
                {
                    let same = one.generation != other.generation || one.refresh == other.refresh;
                    assert!(same, "one generation has two refresh tokens");
                }
                self.take_in(which, &[one, other]);
            }
            2..4 => {
                let token = self.live[which].refresh.clone();
                let lost = self.present("refresh of which the answer is lost", which, node, &token);
                let (_, asked) = lost.await;
                self.live[which].trying.get_or_insert(asked.sent);
                let other = self.some_node().map_or(node, |(node, _)| node);
                let again = self
                    .present("refresh of what was lost", which, other, &token)
                    .await;
                self.take_in(which, &[again]);
            }
            _ => {
                let token = self.live[which].refresh.clone();
                let answer = self.present("refresh", which, node, &token).await;
                self.take_in(which, &[answer]);
            }
        }
    }

    async fn present(&self, what: &str, which: usize, node: usize, token: &str) -> (Said, Asked) {
        let (session, generation) = (&self.live[which].session, self.live[which].generation);
        let is_right = |said: &Said| match said {
            Said::Done(words) => Pair::read(words)
                .is_some_and(|pair| pair.session == *session && pair.generation >= generation),
            _ => false,
        };
        let command = format!("refresh {token}");
        self.verb(what, node, &command, is_right).await
    }

    fn take_in(&mut self, which: usize, answers: &[(Said, Asked)]) {
        let held = &mut self.live[which];
        let mut newest: Option<(Pair<'_>, Asked)> = None;
        let mut is_lost = false;
        for (said, asked) in answers {
            match said {
                Said::Done(words) => {
                    let pair = Pair::read(words).filter(|pair| {
                        newest
                            .as_ref()
                            .is_none_or(|(other, _)| pair.generation > other.generation)
                    });
                    newest = pair.map(|pair| (pair, *asked)).or(newest);
                }
                Said::Refused(_) => is_lost = true,
                Said::Unknown => {
                    held.trying.get_or_insert(asked.sent);
                }
            }
        }
        if is_lost {
            // It was told as unexplained; what becomes of the session now says nothing.
            self.live.swap_remove(which);
            self.orphans = true;
        } else if let Some((pair, asked)) = newest {
            held.refreshed(&pair, asked);
        } else {
            held.refresh_at = Instant::now() + Duration::from_millis(300);
        }
    }

    /// Ends a session that is due: here, everywhere, or as a thief's second use of a token does.
    pub(super) async fn end(&mut self, which: usize) {
        let Some((node, _)) = self.some_node() else {
            return;
        };
        let mut held = self.live.swap_remove(which);
        held.ending = Ending::Asked;
        let stolen = held
            .former
            .clone()
            .filter(|(_, since)| held.used && since.elapsed() > GRACE + Duration::from_secs(3));
        let session = held.session.clone();
        let (what, command, everywhere) = match (stolen, fastrand::u32(0..10)) {
            (Some((token, _)), 0..5) => ("theft", format!("refresh {token}"), false),
            (_, 0..2) => ("end everywhere", format!("end-everywhere {session}"), true),
            _ => ("end", format!("end {session}"), false),
        };
        self.put_away(held);
        let is_theft = what == "theft";
        let ended = |said: &Said| match said {
            Said::Done(_) => !is_theft,
            Said::Refused(_) => is_theft,
            Said::Unknown => false,
        };
        let (said, asked) = self.verb(what, node, &command, ended).await;
        let (asked, everywhere) = match said {
            Said::Unknown => {
                // A write that was under way may have done it: then there is nothing to end.
                let done = |said: &Said| match said {
                    Said::Done(_) => !is_theft,
                    Said::Refused(why) => is_theft || why == "no such session",
                    Said::Unknown => false,
                };
                let Some((said, asked)) = self.settle(what, node, &command, done).await else {
                    return;
                };
                (asked, everywhere && matches!(said, Said::Done(_)))
            }
            said if ended(&said) => (asked, everywhere),
            _ => return,
        };
        let done = Ending::Done {
            at: asked.answered,
            by: asked.node,
            everywhere,
        };
        if let Some(held) = self.over.iter_mut().find(|held| held.session == session) {
            held.ending = done;
        }
    }

    /// Ends all sessions, or all but one.
    pub(super) async fn end_all(&mut self) {
        let Some((node, _)) = self.some_node() else {
            return;
        };
        let kept = (fastrand::bool() && !self.live.is_empty()).then(|| self.live.swap_remove(0));
        let except = kept.as_ref().map_or("-", |held| held.session.as_str());
        let command = format!("end-all {} {except}", self.name);
        let ending: Vec<Held> = std::mem::take(&mut self.live);
        let sessions: Vec<String> = ending.iter().map(|held| held.session.clone()).collect();
        for mut held in ending {
            held.ending = Ending::Asked;
            self.put_away(held);
        }
        self.live.extend(kept);
        let at_least = sessions.len();
        let all = |said: &Said| match said {
            Said::Done(words) => {
                let count = words.split(' ').next().and_then(|count| count.parse().ok());
                count.is_some_and(|count: usize| count >= at_least)
            }
            _ => false,
        };
        let (said, mut asked) = self.verb("end all", node, &command, all).await;
        if said == Said::Unknown {
            let done = |said: &Said| matches!(said, Said::Done(_));
            let Some((_, settled)) = self.settle("end all", node, &command, done).await else {
                return;
            };
            asked = settled;
        }
        self.orphans = false;
        let done = Ending::Done {
            at: asked.answered,
            by: asked.node,
            everywhere: false,
        };
        for held in self
            .over
            .iter_mut()
            .filter(|held| sessions.contains(&held.session))
        {
            held.ending = done;
        }
    }

    pub(super) async fn change_roles(&mut self) {
        let Some((node, _)) = self.some_node() else {
            return;
        };
        self.roles_are(Ending::Asked);
        let command = format!("roles {}", self.name);
        let done = |said: &Said| matches!(said, Said::Done(_));
        let (said, mut asked) = self.verb("roles", node, &command, done).await;
        if said == Said::Unknown {
            let Some((_, settled)) = self.settle("roles", node, &command, done).await else {
                return;
            };
            asked = settled;
        }
        self.roles_are(Ending::Done {
            at: asked.answered,
            by: asked.node,
            everywhere: false,
        });
        for held in &mut self.live {
            held.refresh_at = Instant::now();
        }
    }

    /// Asks again what came to nobody knows what, in quiet times, until it is done; by the same node, which
    /// may still be at it. Goes on using what it has meanwhile.
    async fn settle(
        &mut self,
        what: &str,
        node: usize,
        command: &str,
        done: impl Fn(&Said) -> bool,
    ) -> Option<(Said, Asked)> {
        let what = format!("{what}, again");
        loop {
            let settles = self.weather.settles;
            while self.weather.quiet_for().is_none_or(|quiet| quiet < settles) {
                self.request().await;
                tokio::time::sleep(Duration::from_millis(50)).await;
                if Instant::now() >= self.until {
                    return None;
                }
            }
            let (said, asked) = self.verb(&what, node, command, &done).await;
            if done(&said) {
                return Some((said, asked));
            }
            if matches!(said, Said::Refused(_)) || Instant::now() >= self.until {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    /// What is listed is what is alive.
    pub(super) async fn list(&mut self) {
        let Some((node, _)) = self.some_node() else {
            return;
        };
        let command = format!("list {}", self.name);
        let is_right = |said: &Said| {
            let Said::Done(words) = said else {
                return false;
            };
            let listed: Vec<&str> = words.split_whitespace().collect();
            let has = |held: &Held| listed.contains(&held.session.as_str());
            let all_live = self.live.iter().all(has);
            let is_over = |held: &&Held| matches!(held.ending, Ending::Done { .. });
            let none_over = !self.over.iter().filter(is_over).any(has);
            let known = |id: &&str| {
                let mut all = self.live.iter().chain(&self.over);
                all.any(|held| held.session == **id)
            };
            all_live && none_over && (self.orphans || listed.iter().all(known))
        };
        self.verb("list", node, &command, is_right).await;
    }

    /// What has ended stays so.
    pub(super) async fn refresh_what_is_over(&mut self) {
        let Some((node, _)) = self.some_node() else {
            return;
        };
        let over = |held: &&Held| matches!(held.ending, Ending::Done { .. });
        let Some(held) = self.over.iter().find(over) else {
            return;
        };
        let command = format!("refresh {}", held.refresh);
        let refused = |said: &Said| matches!(said, Said::Refused(_));
        self.verb("refresh of what has ended", node, &command, refused)
            .await;
    }
}
