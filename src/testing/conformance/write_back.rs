//! Appending entries, as for tokens of other issuers and after a failover.
#![expect(missing_docs, reason = "the name of a rule is what it says")]

use super::Harness;
use super::fixture::{
    Case, HOUR, NO_TIME, entry, facts_of, lives_long_enough, some_entry, some_user,
};
use crate::revocation::{About, Answer, EndReason, Revoked};
use crate::session::{EndAllOutcome, RefreshOutcome};
use crate::verify::Counter;

pub async fn instants_that_are_not_given_are_filled_in(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let committed = case.append(vec![some_entry()]).await;
    let entry = &committed.entries[0];
    assert_eq!(entry.at, committed.now);
    lives_long_enough(entry, committed.now);
}

pub async fn instants_that_are_given_are_kept(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let now = case.now().await;
    let mut given = some_entry();
    given.at = now - HOUR;
    given.until = now + HOUR;
    let committed = case.append(vec![given.clone()]).await;
    assert_eq!(committed.entries, [given]);
}

pub async fn an_entry_of_a_known_id_is_left_as_it_is_but_the_later_end_wins(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let first = case.append(vec![some_entry()]).await.entries.remove(0);
    let cursor = case.poll(None).await.cursor;
    let mut again = some_entry();
    again.id = first.id;
    again.until = first.until + HOUR;
    let later = case.append(vec![again.clone()]).await.entries.remove(0);
    assert_eq!((&later.revoked, later.at), (&first.revoked, first.at));
    assert_eq!(later.until, first.until + HOUR);
    again.until = first.until - HOUR;
    let earlier = case.append(vec![again]).await;
    assert_eq!(earlier.entries, [later]);
    assert!(case.store.has_read(&cursor, earlier.positions[0]) || case.log_holds(&earlier).await);
    let of_that_id = case.poll(None).await.entries.into_iter();
    assert_eq!(of_that_id.filter(|entry| entry.id == first.id).count(), 1);
}

pub async fn an_empty_append_changes_nothing(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let committed = case.append(Vec::new()).await;
    assert!(committed.entries.is_empty() && committed.positions.is_empty());
    assert!(case.poll(None).await.entries.is_empty());
}

pub async fn the_end_of_a_session_ends_its_record(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let (record, other) = (case.sign_in().await, case.sign_in().await);
    let ends = Revoked::Session {
        session: record.id,
        user: Some(case.user.clone()),
    };
    case.append(vec![entry(ends, EndReason::AdminRevoked)])
        .await;
    let reason = case.ended_reason(record.id).await;
    assert_eq!(reason, Some(EndReason::AdminRevoked));
    let refreshed = case.refresh_by(&record, 1, HOUR).await;
    assert!(matches!(refreshed, RefreshOutcome::Over { .. }));
    assert!(case.is_admitted(&other).await);
}

pub async fn the_end_of_a_session_of_another_user_ends_no_record(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    let ends = Revoked::Session {
        session: record.id,
        user: Some(some_user()),
    };
    case.append(vec![entry(ends, EndReason::AdminRevoked)])
        .await;
    assert!(case.is_admitted(&record).await);
}

pub async fn the_end_of_everything_ends_the_records_and_raises_the_counter(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let (stays, goes) = (case.sign_in().await, case.sign_in().await);
    let below = case.counters().await.revoked_gen.raised(case.now().await);
    let ends = Revoked::User {
        user: case.user.clone(),
        below,
        except: Some(stays.id),
    };
    case.append(vec![entry(ends, EndReason::PasswordChanged)])
        .await;
    assert_eq!(case.counters().await.revoked_gen, below);
    let reason = case.ended_reason(goes.id).await;
    assert_eq!(reason, Some(EndReason::PasswordChanged));
    assert!(case.is_admitted(&stays).await);
    let stays = case.granted(&stays, 1, HOUR).await;
    assert_eq!(stays.spared, below);
}

pub async fn a_lower_counter_written_back_ends_the_sessions_below_it_and_lowers_nothing(
    harness: &dyn Harness,
) {
    let case = Case::of(harness).await;
    let spared = case.sign_in().await;
    let (_, committed) = case.end_all(Some(spared.id)).await;
    let high = case.counters().await.revoked_gen;
    let after = case.sign_in().await;
    let low = Counter::from_u64(high.as_u64() - 1);
    let ends = Revoked::User {
        user: case.user.clone(),
        below: low,
        except: None,
    };
    case.append(vec![entry(ends, EndReason::UserRevoked)]).await;
    assert_eq!(case.counters().await.revoked_gen, high);
    assert!(case.find(spared.id).await.ended.is_some());
    assert!(case.is_admitted(&after).await);
    assert!(case.log_holds(&committed).await);
}

pub async fn a_role_change_raises_the_role_counter_and_never_lowers_it(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    let old = facts_of(&record, 1, case.counters().await);
    let below = case.counters().await.roles_gen.raised(case.now().await);
    for below in [below, Counter::from_u64(below.as_u64() - 1)] {
        let roles = Revoked::Roles {
            user: case.user.clone(),
            below,
        };
        case.append(vec![entry(roles, EndReason::RolesChanged)])
            .await;
    }
    assert_eq!(case.counters().await.roles_gen, below);
    assert_eq!(case.ask(old, About::Session).await, Answer::Stale);
    assert!(case.is_admitted(&record).await);
}

pub async fn writing_back_what_the_store_still_has_changes_nothing(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    case.sign_in().await;
    let (_, committed) = case.end_all(None).await;
    let (counters, new) = (case.counters().await, case.sign_in().await);
    case.append(committed.entries).await;
    assert_eq!(case.counters().await, counters);
    assert!(case.is_admitted(&new).await);
}

pub async fn a_write_repeated_by_its_name_happens_once(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    case.sign_in().await;
    let request = case.everything(None);
    let name = request.entry;
    for _ in 0..2 {
        let outcome = case.store.end_all(request.clone()).await;
        let EndAllOutcome::Ended { committed, .. } = outcome.expect("the store answers") else {
            panic!("there is no exception");
        };
        assert_eq!(committed.entries[0].id, name);
    }
    let counters = case.counters().await;
    let new = case.sign_in().await;
    let again = case.store.end_all(request).await;
    assert!(again.is_ok());
    assert_eq!(case.counters().await, counters);
    assert!(case.is_admitted(&new).await);
    let roles = some_entry().id;
    let once = case.store.raise_roles(&case.user, roles).await;
    let raised = case.counters().await.roles_gen;
    let twice = case.store.raise_roles(&case.user, roles).await;
    assert_eq!(case.counters().await.roles_gen, raised);
    let (once, twice) = (once.expect("it answers"), twice.expect("it answers"));
    assert_eq!(once.entries[0].revoked, twice.entries[0].revoked);
}

pub async fn a_theft_found_again_by_its_name_has_one_entry(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    case.granted(&record, 1, NO_TIME).await;
    case.granted(&record, 2, NO_TIME).await;
    let attempt = case.attempt(&record, 1, NO_TIME).await;
    for _ in 0..2 {
        let RefreshOutcome::Reused { committed, .. } = case.refresh(attempt.clone()).await else {
            panic!("the first generation is older than the predecessor");
        };
        assert!(case.log_holds(&committed).await);
    }
    assert_eq!(case.poll(None).await.entries.len(), 1);
}
