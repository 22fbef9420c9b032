//! The judgement of what was let in.

use tower_jwt_session::revocation::Revoked;

use super::{Admission, CROWDED, Call, Known, Model, Out, PUSHED, Token, Whom};
use crate::node::Route;

impl Model {
    /// Judges all that was answered.
    pub fn judge(&mut self) {
        let admissions = std::mem::take(&mut self.admissions);
        for admission in &admissions {
            self.judged += 1;
            if let Some(problem) = self.wrong(admission) {
                self.problem(problem);
            }
        }
    }

    fn wrong(&self, admission: &Admission) -> Option<String> {
        let Admission {
            token, node, sent, ..
        } = admission;
        let known = self.sessions.get(&token.session)?;
        let what = format!(
            "request of {sent} with generation {} of {} on node {node} ({:?}) was let in",
            token.generation, token.session, admission.route
        );
        for call in &self.calls {
            if let Some(why) = self.breaks(call, admission, known) {
                return Some(format!("{what}: {why} {call:?}"));
            }
        }
        if admission.route == Route::Lenient {
            return None;
        }
        for out in self.outs.iter().filter(|out| !out.lost) {
            if !self.reaches_token(out, token, known) {
                continue;
            }
            let bound = match (admission.route, self.calm) {
                (Route::Always, _) => 1,
                (_, true) => PUSHED.min(self.settings.staleness),
                _ => self.settings.staleness,
            };
            if *sent >= out.at + bound {
                return Some(format!("{what}: out since {} by {:?}", out.at, out.revoked));
            }
        }
        (admission.settled && known.lost && !self.unnoticed)
            .then(|| format!("{what}: the store has lost it"))
    }

    /// Whether a token should have been refused because of what a verb answered.
    fn breaks(&self, call: &Call, admission: &Admission, known: &Known) -> Option<&'static str> {
        let token = &admission.token;
        let sent = admission.sent;
        let meant = match &call.whom {
            Whom::Session(id) => token.session == *id,
            Whom::Everything { user, except } => {
                known.user == self.names[*user]
                    && Some(token.session) != *except
                    && known.made < call.sent
            }
            Whom::Password {
                user,
                below,
                except,
            } => {
                known.user == self.names[*user]
                    && Some(token.session) != *except
                    && known.password.is_some_and(|password| password < *below)
            }
            Whom::Roles { user, below } => known.user == self.names[*user] && token.roles < *below,
        };
        let (at, holds) = call.answered?;
        if !meant {
            return None;
        }
        let here = (call.node, call.life) == (admission.node, admission.life);
        let roles = matches!(call.whom, Whom::Roles { .. });
        let stays = !roles && !known.lost && admission.route != Route::Lenient;
        // A full view has to ask a store that may have lost it, and writes back what it had room for.
        let crowded = self.settings.room < CROWDED && self.lost_something(call);
        let unsure = !holds && call.whom.spares();
        if here && !crowded && sent > at && (holds || stays) && !unsure {
            return Some("this node had said so:");
        }
        let healed = self.lives.get(call.node) == Some(&call.life);
        if admission.settled && healed && !unsure && !crowded {
            return Some("whoever ended it still lives:");
        }
        if !holds || admission.route == Route::Lenient {
            return None;
        }
        let lost = known.lost || self.lost_something(call);
        if !lost && call.everywhere.is_some_and(|everywhere| sent > everywhere) {
            return Some("it was to hold everywhere:");
        }
        if !lost && sent > at + self.settings.staleness {
            return Some("it was said longer ago than views may be old:");
        }
        None
    }

    /// Whether a failover may have lost what a verb wrote, or the session that it names.
    fn lost_something(&self, call: &Call) -> bool {
        self.lost && {
            let before = call.sent <= self.lost_at;
            let user = |user: &usize| before && self.tainted.contains(&self.names[*user]);
            match &call.whom {
                Whom::Session(id) => self
                    .sessions
                    .get(id)
                    .is_some_and(|known| self.tainted.contains(&known.user)),
                Whom::Everything { user: of, .. }
                | Whom::Password { user: of, .. }
                | Whom::Roles { user: of, .. } => user(of),
            }
        }
    }

    fn reaches_token(&self, out: &Out, token: &Token, known: &Known) -> bool {
        match &out.revoked {
            Revoked::Session { session, .. } => token.session == *session,
            Revoked::Token { token: id, .. } => id.as_str() == token.stamp.0,
            Revoked::User { user, except, .. } => {
                known.user == *user && *except != Some(token.session) && known.ran < out.ran
            }
            // What roles a token must carry is judged by the verb.
            _ => false,
        }
    }
}
