//! Each rule that can be left out, and how: a place in the source that stands there once, and what
//! stands there in a copy of the crate where `crate::off` says which rule is left out.

/// A rule that a copy of the crate can be without.
pub struct Rule {
    pub name: &'static str,
    pub what: &'static str,
    pub file: &'static str,
    pub from: &'static str,
    pub to: &'static str,
}

const fn rule(
    name: &'static str,
    what: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
) -> Rule {
    Rule {
        name,
        what,
        file,
        from,
        to,
    }
}

const CHECK: &str = "src/revocation/check.rs";
const COMMIT: &str = "src/revocation/commit.rs";
const DECISION: &str = "src/session/refresh/decision.rs";
const END: &str = "src/stores/memory/end.rs";
const ENTRY: &str = "src/revocation/entry.rs";
const EVERYWHERE: &str = "src/revocation/everywhere.rs";
const FOLLOWER: &str = "src/revocation/follower.rs";
const FRESH: &str = "src/revocation/fresh.rs";
const LOCAL: &str = "src/revocation/local.rs";
const PROGRESS: &str = "src/revocation/progress.rs";
const REFRESH: &str = "src/stores/memory/refresh.rs";
const REFRESHING: &str = "src/session/manage/refreshing.rs";
const SIGN_IN: &str = "src/stores/memory/sign_in.rs";

/// Rules whose absence was never noticed, and what notices it instead.
pub const MISSED: &[(&str, &str)] = &[
    (
        "R10-monotonic",
        "a_view_is_fresh_only_while_the_monotonic_clock_says_so",
    ),
    (
        "R10-start",
        "a_process_that_stood_still_after_its_poll_answers_nobody_from_it",
    ),
    (
        "R12",
        "a_reload_keeps_what_the_node_knew_and_writes_back_what_the_log_lost; what is dropped is written back and read again",
    ),
    ("R12-history", "the probes notice the same"),
    (
        "R12-again",
        "what_came_between_a_loss_and_what_another_node_wrote_back_is_read; seed 10734, which is beyond what is played for a rule",
    ),
    (
        "everywhere-changed",
        "after_a_change_of_history_everywhere_waits_for_those_whose_leases_it_lost",
    ),
];

pub const RULES: &[Rule] = &[
    rule(
        "R1",
        "a raised counter takes the store's clock",
        "src/verify/claims/mod.rs",
        "    pub const fn raised(self, now: UnixTime) -> Self {
        let next = self.0.saturating_add(1);
        let clock = now.as_micros();",
        "    pub fn raised(self, now: UnixTime) -> Self {
        let next = self.0.saturating_add(1);
        let clock = if crate::off(\"R1\") { 0 } else { now.as_micros() };",
    ),
    rule(
        "R2",
        "a token below the counter is out",
        ENTRY,
        "Some(binding) => binding.revoked_gen < *below,",
        "Some(binding) => !crate::off(\"R2\") && binding.revoked_gen < *below,",
    ),
    rule(
        "R2-spared",
        "the session that the entry spares is not",
        ENTRY,
        "(except.is_some() && facts.session == *except)",
        "(!crate::off(\"R2-spared\") && except.is_some() && facts.session == *except)",
    ),
    rule(
        "R2-kept",
        "that it was spared is written down",
        END,
        "record.spared = record.spared.max(below);",
        "if !crate::off(\"R2-kept\") { record.spared = record.spared.max(below); }",
    ),
    rule(
        "R3",
        "tokens with older roles are stale",
        ENTRY,
        "Some(binding) => binding.roles_gen < *below,",
        "Some(binding) => !crate::off(\"R3\") && binding.roles_gen < *below,",
    ),
    rule(
        "R5",
        "a sign-in compares the counter that its ticket read",
        SIGN_IN,
        "        if self.counters(&new.user).revoked_gen != new.revoked_gen {",
        "        let mut new = new;
        if crate::off(\"R5\") {
            new.revoked_gen = self.counters(&new.user).revoked_gen;
        }
        if self.counters(&new.user).revoked_gen != new.revoked_gen {",
    ),
    rule(
        "R6",
        "an answer that comes after its deadline is thrown away",
        "src/session/core.rs",
        "if self.clock.now() <= begun + 2 * self.store_timeout + PAUSE {",
        "if crate::off(\"R6\") || self.clock.now() <= begun + 2 * self.store_timeout + PAUSE {",
    ),
    rule(
        "R7",
        "an entry outlives the tokens that it concerns",
        "src/revocation/store.rs",
        "        self.access_lifetime
            .saturating_add(self.leeway)",
        "        if crate::off(\"R7\") {
            return self.leeway;
        }
        self.access_lifetime
            .saturating_add(self.leeway)",
    ),
    rule(
        "R8",
        "a view that is full says so",
        "src/revocation/view.rs",
        "if put == Put::NoRoom {",
        "if put == Put::NoRoom && !crate::off(\"R8\") {",
    ),
    rule(
        "R8-asks",
        "a view that is not complete asks where it finds nothing",
        LOCAL,
        "let sure = self.fresh.holds(now) && self.view.is_complete();",
        "let sure = self.fresh.holds(now) && (crate::off(\"R8-asks\") || self.view.is_complete());",
    ),
    rule(
        "R8-clocks",
        "an entry is over when both clocks say so",
        PROGRESS,
        "        self.wall.min(self.store)",
        "        if crate::off(\"R8-clocks\") { return self.wall.max(self.store); }
        self.wall.min(self.store)",
    ),
    rule(
        "R14-full",
        "without the store a full view lets nobody go on of whom something came",
        LOCAL,
        "(self.epochs.current(group) == epoch || self.view.is_complete())",
        "(crate::off(\"R14-full\") || self.epochs.current(group) == epoch || self.view.is_complete())",
    ),
    rule(
        "R9",
        "the epoch is raised with every entry",
        LOCAL,
        "        let put = self.view.put(entry);
        self.epochs.raise(user);",
        "        let put = self.view.put(entry);
        if !crate::off(\"R9\") { self.epochs.raise(user); }",
    ),
    rule(
        "R9-all",
        "a reload raises all epochs",
        LOCAL,
        "        self.epochs.raise(None);",
        "        if !crate::off(\"R9-all\") { self.epochs.raise(None); }",
    ),
    rule(
        "R10-monotonic",
        "the monotonic clock has to call the view fresh",
        FRESH,
        "        micros(now.monotonic) < self.monotonic.load(Ordering::Acquire)
            && now",
        "        (crate::off(\"R10-monotonic\") || micros(now.monotonic) < self.monotonic.load(Ordering::Acquire))
            && now",
    ),
    rule(
        "R10-wall",
        "the wall clock has to call the view fresh",
        FRESH,
        "            && now.wall.as_micros() < self.wall.load(Ordering::Relaxed)",
        "            && (crate::off(\"R10-wall\") || now.wall.as_micros() < self.wall.load(Ordering::Relaxed))",
    ),
    rule(
        "R10-start",
        "freshness counts from the start of a poll",
        FOLLOWER,
        "        self.progress().advanced(poll, began, &*self.store);
        self.local
            .fresh()
            .extend(began, self.settings.max_staleness);",
        "        self.progress().advanced(poll, began, &*self.store);
        let began = if crate::off(\"R10-start\") { self.clock.instants() } else { began };
        self.local
            .fresh()
            .extend(began, self.settings.max_staleness);",
    ),
    rule(
        "R10-warm",
        "a token that was admitted before needs a fresh view, too",
        LOCAL,
        "        self.fresh.holds(now)
            && self.epochs",
        "        (crate::off(\"R10-warm\") || self.fresh.holds(now))
            && self.epochs",
    ),
    rule(
        "R11",
        "the store confirms a session at first sight",
        CHECK,
        "let first_sight = terms.confirm == Confirm::FirstSight",
        "let first_sight = !crate::off(\"R11\") && terms.confirm == Confirm::FirstSight",
    ),
    rule(
        "R11-era",
        "what was confirmed before the history changed does not count",
        LOCAL,
        "        standing.confirmed.load(Ordering::Acquire) == era",
        "        let confirmed = standing.confirmed.load(Ordering::Acquire);
        confirmed == era || (crate::off(\"R11-era\") && confirmed != 0)",
    ),
    rule(
        "R11-always",
        "a route that always asks does ask",
        CHECK,
        "let must_ask = !search.sure || terms.confirm == Confirm::Always;",
        "let must_ask = !search.sure || (terms.confirm == Confirm::Always && !crate::off(\"R11-always\"));",
    ),
    rule(
        "R11-own",
        "and joins no question that was sent before",
        CHECK,
        "            shared: !must_ask,",
        "            shared: !must_ask || crate::off(\"R11-own\"),",
    ),
    rule(
        "R12",
        "a reload keeps what the node knew",
        FOLLOWER,
        "        self.fill(poll.entries).await;",
        "        if crate::off(\"R12\") {
            self.local.view().purge(UnixTime::MAX, usize::MAX);
        }
        self.fill(poll.entries).await;",
    ),
    rule(
        "R12-back",
        "what the log has lost is written back",
        PROGRESS,
        "self.back.iter().take(max)",
        "self.back.iter().take(if crate::off(\"R12-back\") { 0 } else { max })",
    ),
    rule(
        "R12-history",
        "a poll of another history does not count",
        PROGRESS,
        "        self.history == Some(poll.history)
            && poll.missing.is_empty()
            && !self.was_read(&poll.entries)",
        "        (crate::off(\"R12-history\") || self.history == Some(poll.history))
            && (crate::off(\"R12-probes\") || poll.missing.is_empty())
            && (crate::off(\"R12-again\") || !self.was_read(&poll.entries))",
    ),
    rule("R12-probes", "nor one whose log lacks what was read or written", PROGRESS, "", ""),
    rule("R12-again", "nor one that brings what was read once more", PROGRESS, "", ""),
    rule(
        "R13",
        "what is being ended is out before the store has said so",
        COMMIT,
        "            self.hold(entry.clone());",
        "            if !crate::off(\"R13\") { self.hold(entry.clone()); }",
    ),
    rule(
        "R13-applied",
        "what is committed is in the view before the answer",
        COMMIT,
        "        if let Some(committed) = known.as_ref().ok().and_then(committed) {",
        "        if let Some(committed) = known.as_ref().ok().and_then(committed).filter(|_| !crate::off(\"R13-applied\")) {",
    ),
    rule(
        "R13-stays",
        "after a 503 it stays out",
        COMMIT,
        "        self.heard(&mut outcome).await
    }",
        "        let heard = self.heard(&mut outcome).await;
        if crate::off(\"R13-stays\") && heard.is_err() {
            self.release(&tentative);
        }
        heard
    }",
    ),
    rule(
        "R13-goes-on",
        "a write goes on until its outcome is known",
        COMMIT,
        "                Err(error) if error.is_unavailable() => {",
        "                Err(error) if error.is_unavailable() && !crate::off(\"R13-goes-on\") => {",
    ),
    rule(
        "R13-survives",
        "a write survives its caller",
        COMMIT,
        "            tasks::spawn(Box::pin(run.in_current_span()));",
        "            let run: BoxFuture<'static, ()> = Box::pin(run.in_current_span());
            if crate::off(\"R13-survives\") {
                run.await;
            } else {
                tasks::spawn(run);
            }",
    ),
    rule(
        "R14",
        "a route that is closed without the store is closed",
        CHECK,
        "let goes_on = pending.on_store_failure == OnStoreFailure::AcceptVerifiedUntilExpiry",
        "let goes_on = (crate::off(\"R14\") || pending.on_store_failure == OnStoreFailure::AcceptVerifiedUntilExpiry)",
    ),
    rule(
        "R15",
        "a hint is followed before the next poll is due",
        FOLLOWER,
        "let news = if again || hinted {",
        "let news = if crate::off(\"R15\") && !again {
                        tokio::time::sleep(self.settings.poll_interval).await;
                        false
                    } else if again || hinted {",
    ),
    rule(
        "everywhere",
        "`everywhere` waits for the nodes that have not read it",
        EVERYWHERE,
        "                Ok(Some(applied)) => behind.retain(|lease| !applied.contains(&lease.node)),",
        "                Ok(Some(_)) if crate::off(\"everywhere\") => return Ok(()),
                Ok(Some(applied)) => behind.retain(|lease| !applied.contains(&lease.node)),",
    ),
    rule(
        "everywhere-lease",
        "a lease lasts as long as its node may answer",
        FOLLOWER,
        "        self.settings.max_staleness.saturating_add(step)",
        "        if crate::off(\"everywhere-lease\") { return Duration::from_millis(100); }
        self.settings.max_staleness.saturating_add(step)",
    ),
    rule(
        "everywhere-changed",
        "after a change of history it waits for those whose leases that lost",
        EVERYWHERE,
        "        let nobody_left = Instant::now() + self.left_of_the_history_before(&committed);",
        "        let mut nobody_left = Instant::now() + self.left_of_the_history_before(&committed);
        if crate::off(\"everywhere-changed\") {
            nobody_left = Instant::now();
        }",
    ),
    rule(
        "R12-clock",
        "a clock that was far ahead hides no loss",
        PROGRESS,
        "        let sure = self.wall.min(store) + self.skew.saturating_mul(2);",
        "        let over = if crate::off(\"R12-clock\") { self.wall } else { self.wall.min(store) };
        let sure = over + self.skew.saturating_mul(2);",
    ),
    rule(
        "R12-clock",
        "",
        PROGRESS,
        "        self.over() + margin",
        "        if crate::off(\"R12-clock\") { return self.wall + margin; }
        self.over() + margin",
    ),
    rule(
        "R13-clock",
        "everything that is being ended is out by the store's clock",
        "src/session/manage/end.rs",
        "Counter::ZERO.raised(self.revocations.store_now()),",
        "Counter::ZERO.raised(if crate::off(\"R13-clock\") { self.clock.now() } else { self.revocations.store_now() }),",
    ),
    rule(
        "F3-hold-off",
        "the current one within the hold-off: the same pair",
        DECISION,
        "if rotated && attempt.is_within(self.rotated_at, 2 * attempt.rules.grace) {",
        "if !crate::off(\"F3-hold-off\") && rotated && attempt.is_within(self.rotated_at, 2 * attempt.rules.grace) {",
    ),
    rule(
        "F3-grace",
        "the predecessor within the grace: the same successor",
        DECISION,
        "        if attempt.is_within(self.rotated_at, attempt.rules.grace) {",
        "        if !crate::off(\"F3-grace\") && attempt.is_within(self.rotated_at, attempt.rules.grace) {",
    ),
    rule(
        "F3-anew",
        "the grace starts anew while the successor is not used",
        DECISION,
        "            if !state.used {",
        "            if !state.used && !crate::off(\"F3-anew\") {",
    ),
    rule(
        "F3-replaces",
        "the predecessor later, its successor unused: replaced",
        DECISION,
        "        if self.used {
            return RefreshDecision::Theft;",
        "        if crate::off(\"F3-replaces\") || self.used && !crate::off(\"F3-used\") {
            return RefreshDecision::Theft;",
    ),
    rule("F3-used", "its successor used: theft", DECISION, "", ""),
    rule(
        "F3-older",
        "anything older: theft",
        DECISION,
        "            Ordering::Less => RefreshDecision::Theft,
        }",
        "            Ordering::Less if crate::off(\"F3-older\") => self.previous(&attempt),
            Ordering::Less => RefreshDecision::Theft,
        }",
    ),
    rule(
        "F3-onwards",
        "above the store's: onwards from there",
        DECISION,
        "            Ordering::Greater => self.ahead(&attempt),",
        "            Ordering::Greater if crate::off(\"F3-onwards\") => RefreshDecision::Theft,
            Ordering::Greater => self.ahead(&attempt),",
    ),
    rule(
        "F3-out",
        "the generation that was replaced is out",
        "src/session/requests.rs",
        "            Advance::Replaced => skipped,",
        "            Advance::Replaced => skipped.filter(|_| !crate::off(\"F3-out\")),",
    ),
    rule(
        "F4",
        "theft ends the session",
        REFRESH,
        "            RefreshDecision::Theft => self",
        "            RefreshDecision::Theft if crate::off(\"F4\") => RefreshOutcome::Unknown,
            RefreshDecision::Theft => self",
    ),
    rule(
        "F5",
        "an answer given again prolongs nothing",
        REFRESHING,
        "        let access_token = self.access_token(record, binding, grants, state.access_expires_at)?;",
        "        let until = if crate::off(\"F5\") { expiry(self.clock.now(), self.lifetimes.access()) } else { state.access_expires_at };
        let access_token = self.access_token(record, binding, grants, until)?;",
    ),
    rule(
        "F6",
        "the first admission of a generation marks it used",
        "src/stores/memory/ask.rs",
        "if presented == Some(record.refresh.generation) {",
        "if presented == Some(record.refresh.generation) && !crate::off(\"F6\") {",
    ),
    rule(
        "F8",
        "a write that is repeated finds itself",
        DECISION,
        "        if operation != 0 && operation == self.operation {",
        "        if !crate::off(\"F8\") && operation != 0 && operation == self.operation {",
    ),
    rule(
        "F9",
        "what has ended is not refreshed",
        REFRESH,
        "        if let Some(reason) = self.over(record, now) {",
        "        if let Some(reason) = self.over(record, now).filter(|_| !crate::off(\"F9\")) {",
    ),
    rule(
        "F9",
        "",
        REFRESH,
        "            return self.refresh_of_ended(attempt, reason, now);",
        "            if !crate::off(\"F9\") {
                return self.refresh_of_ended(attempt, reason, now);
            }",
    ),
    rule(
        "S1",
        "sessions are counted where they are made",
        "src/session/limit.rs",
        "        if excess == 0 {",
        "        if excess == 0 || crate::off(\"S1\") {",
    ),
    rule(
        "S2",
        "a repeated sign-in finds its session",
        SIGN_IN,
        "        if let Some(record) = self.records.of_operation(&new.user, &new.operation) {",
        "        if !crate::off(\"S2\")
            && let Some(record) = self.records.of_operation(&new.user, &new.operation)
            && (!crate::off(\"S2-ghost\") || self.is_alive(record, now))
        {",
    ),
    rule("S2-ghost", "and is refused when that has ended", SIGN_IN, "", ""),
    rule(
        "S4",
        "sessions that were never used go first",
        "src/session/limit.rs",
        "                record.refresh.ever_used,",
        "                record.refresh.ever_used && !crate::off(\"S4\"),",
    ),
];
