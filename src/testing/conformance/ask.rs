//! Questions about single tokens.
#![expect(missing_docs, reason = "the name of a rule is what it says")]

use super::Harness;
use super::fixture::{Case, HOUR, LIMITS, NO_TIME, entry, facts_of, some_user};
use crate::revocation::{About, Answer, EndReason, EntryId, Revoked};
use crate::token::{SessionId, TokenId};
use crate::verify::Counter;

pub async fn the_token_of_a_living_session_is_confirmed(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    assert_eq!(case.confirm(&record, 1).await, Answer::Alive);
}

pub async fn a_session_that_is_not_there_is_unknown(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let mut record = case.sign_in().await;
    record.id = SessionId::random();
    assert_eq!(case.confirm(&record, 1).await, Answer::Unknown);
}

pub async fn a_session_of_another_user_is_unknown(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let mut record = case.sign_in().await;
    record.user = some_user();
    assert_eq!(case.confirm(&record, 1).await, Answer::Unknown);
}

pub async fn a_token_without_a_session_has_no_session_that_lives(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    let mut facts = facts_of(&record, 1, case.counters().await);
    facts.session = None;
    let about_log = case.ask(facts.clone(), About::Log).await;
    assert_eq!(about_log, Answer::Alive);
    assert_eq!(case.ask(facts, About::Session).await, Answer::Unknown);
}

pub async fn a_token_of_an_ended_session_is_revoked_with_the_reason(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    case.end(&record).await;
    let facts = facts_of(&record, 1, case.counters().await);
    for about in [About::Log, About::Session] {
        let answer = case.ask(facts.clone(), about).await;
        assert_eq!(answer, Answer::Revoked(EndReason::SignedOut));
    }
}

pub async fn a_session_stays_ended_after_its_entry_is_forgotten(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    case.end(&record).await;
    if !case.pass(LIMITS.entry_lifetime() + HOUR) {
        return;
    }
    let answer = case.confirm(&record, 1).await;
    assert_eq!(answer, Answer::Revoked(EndReason::SignedOut));
}

pub async fn a_token_of_an_expired_session_is_revoked(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let expired = case.sign_in_expired().await;
    let idle = case.sign_in_idle().await;
    let answer = case.confirm(&expired, 1).await;
    assert_eq!(answer, Answer::Revoked(EndReason::Expired));
    let answer = case.confirm(&idle, 1).await;
    assert_eq!(answer, Answer::Revoked(EndReason::Idle));
}

pub async fn a_revoked_token_is_out_and_the_others_of_its_session_are_not(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    let token = Revoked::Token {
        token: TokenId::of_generation(record.id, 1),
        user: Some(case.user.clone()),
    };
    case.append(vec![entry(token, EndReason::AdminRevoked)])
        .await;
    let first = case.confirm(&record, 1).await;
    assert_eq!(first, Answer::Revoked(EndReason::AdminRevoked));
    assert_eq!(case.confirm(&record, 2).await, Answer::Alive);
}

pub async fn a_role_change_makes_older_tokens_stale_and_newer_ones_not(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    let old = facts_of(&record, 1, case.counters().await);
    let raised = case.store.raise_roles(&case.user, EntryId::random()).await;
    raised.expect("the store answers");
    for about in [About::Log, About::Session] {
        assert_eq!(case.ask(old.clone(), about).await, Answer::Stale);
    }
    assert!(case.is_admitted(&record).await);
}

pub async fn a_token_is_stale_also_after_the_entry_is_forgotten(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    let old = facts_of(&record, 1, case.counters().await);
    let raised = case.store.raise_roles(&case.user, EntryId::random()).await;
    raised.expect("the store answers");
    if !case.pass(LIMITS.entry_lifetime() + HOUR) {
        return;
    }
    assert_eq!(case.ask(old, About::Session).await, Answer::Stale);
    assert!(case.is_admitted(&record).await);
}

pub async fn a_token_that_is_stale_and_revoked_is_revoked(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    let old = facts_of(&record, 1, case.counters().await);
    case.end(&record).await;
    let raised = case.store.raise_roles(&case.user, EntryId::random()).await;
    raised.expect("the store answers");
    for about in [About::Log, About::Session] {
        let answer = case.ask(old.clone(), about).await;
        assert_eq!(answer, Answer::Revoked(EndReason::SignedOut));
    }
}

pub async fn a_token_that_was_stale_first_and_revoked_later_is_revoked(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    let old = facts_of(&record, 1, case.counters().await);
    let raised = case.store.raise_roles(&case.user, EntryId::random()).await;
    raised.expect("the store answers");
    case.end_all(None).await;
    for about in [About::Log, About::Session] {
        let answer = case.ask(old.clone(), about).await;
        assert_eq!(answer, Answer::Revoked(EndReason::PasswordChanged));
    }
}

pub async fn the_end_of_everything_puts_all_out_but_the_exception(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let (stays, goes) = (case.sign_in().await, case.sign_in().await);
    case.end_all(Some(stays.id)).await;
    let answer = case.confirm(&goes, 1).await;
    assert_eq!(answer, Answer::Revoked(EndReason::PasswordChanged));
    assert_eq!(case.confirm(&stays, 1).await, Answer::Alive);
}

pub async fn entries_about_a_user_are_judged_one_by_one(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let (first, second) = (case.sign_in().await, case.sign_in().await);
    case.end_all(Some(first.id)).await;
    let third = case.sign_in().await;
    case.end_all(Some(third.id)).await;
    for out in [&first, &second] {
        assert!(matches!(case.confirm(out, 1).await, Answer::Revoked(_)));
    }
    assert_eq!(case.confirm(&third, 1).await, Answer::Alive);
}

pub async fn a_token_without_counters_falls_by_when_it_was_issued(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    let ends = Revoked::User {
        user: case.user.clone(),
        below: Counter::ZERO,
        except: None,
    };
    let committed = case
        .append(vec![entry(ends, EndReason::AdminRevoked)])
        .await;
    let cut_off = committed.entries[0].at + 2 * LIMITS.skew;
    let mut foreign = facts_of(&record, 1, case.counters().await);
    foreign.binding = None;
    foreign.session = None;
    for (issued_at, out) in [
        (Some(cut_off), true),
        (Some(cut_off + LIMITS.skew), false),
        (None, true),
    ] {
        foreign.issued_at = issued_at;
        let answer = case.ask(foreign.clone(), About::Log).await;
        assert_eq!(matches!(answer, Answer::Revoked(_)), out);
    }
}

pub async fn a_confirmation_marks_the_current_generation_used(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    assert!(!record.refresh.used && !record.refresh.ever_used);
    case.confirm(&record, 1).await;
    let marked = case.find(record.id).await.refresh;
    assert!(marked.used && marked.ever_used);
}

pub async fn a_confirmation_of_the_generation_before_does_not_mark_the_current_one(
    harness: &dyn Harness,
) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    case.granted(&record, 1, NO_TIME).await;
    assert_eq!(case.confirm(&record, 1).await, Answer::Alive);
    assert!(!case.find(record.id).await.refresh.used);
}

pub async fn a_generation_above_the_record_is_confirmed(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    assert_eq!(case.confirm(&record, 7).await, Answer::Alive);
    assert!(!case.find(record.id).await.refresh.used);
}

pub async fn a_generation_that_was_replaced_is_out(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    case.granted(&record, 1, NO_TIME).await;
    let replaced = case.granted(&record, 1, NO_TIME).await;
    assert_eq!(replaced.refresh.generation, 3);
    let answer = case.confirm(&record, 2).await;
    assert_eq!(answer, Answer::Revoked(EndReason::Replaced));
    assert_eq!(case.confirm(&record, 3).await, Answer::Alive);
}

pub async fn only_a_yes_about_the_session_marks_anything(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    let mut facts = facts_of(&record, 1, case.counters().await);
    case.ask(facts.clone(), About::Log).await;
    let raised = case.store.raise_roles(&case.user, EntryId::random()).await;
    raised.expect("the store answers");
    let stale = case.ask(facts.clone(), About::Session).await;
    assert_eq!(stale, Answer::Stale);
    facts.user = some_user();
    case.ask(facts, About::Session).await;
    let record = case.find(record.id).await;
    assert!(!record.refresh.used && !record.refresh.ever_used);
}

pub async fn a_confirmation_is_not_a_use_by_the_user(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    case.pass_a_moment().await;
    case.confirm(&record, 1).await;
    let found = case.find(record.id).await;
    assert_eq!(found.last_active_at, record.last_active_at);
}
