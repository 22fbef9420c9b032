//! Reading sessions, and what changes without ending them.
#![expect(missing_docs, reason = "the name of a rule is what it says")]

use std::time::Duration;

use super::Harness;
use super::fixture::{Case, HOUR, ids, some_user};
use crate::revocation::EndReason;
use crate::session::{Listing, PageRequest, SessionChange, SessionRecord};
use crate::token::SessionId;

async fn list(case: &Case<'_>, listing: Listing) -> Vec<SessionRecord> {
    let listed = case.store.list(&case.user, listing).await;
    listed.expect("the store answers")
}

pub async fn a_session_is_found_alive_and_ended(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    assert_eq!(case.find(record.id).await, record);
    case.end(&record).await;
    assert!(case.find(record.id).await.ended.is_some());
    let unknown = case.store.find(SessionId::random()).await;
    assert_eq!(unknown.ok(), Some(None));
}

pub async fn live_sessions_are_listed_by_their_last_use(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(case.sign_in().await);
        case.pass_a_moment().await;
    }
    case.with_another_user().sign_in().await;
    case.touch(&made[0], case.now().await).await;
    let listed = list(&case, Listing::Live).await;
    assert_eq!(ids(&listed), [made[0].id, made[2].id, made[1].id]);
}

pub async fn ended_sessions_are_listed_by_their_end_with_the_reason(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let (first, second) = (case.sign_in().await, case.sign_in().await);
    let live = case.sign_in().await;
    case.end(&second).await;
    case.pass_a_moment().await;
    case.end(&first).await;
    let listed = list(&case, Listing::Ended).await;
    assert_eq!(ids(&listed), [first.id, second.id]);
    for record in &listed {
        let reason = record.ended.as_ref().map(|ended| &ended.reason);
        assert_eq!(reason, Some(&EndReason::SignedOut));
    }
    assert_eq!(ids(&list(&case, Listing::Live).await), [live.id]);
}

pub async fn what_is_over_is_neither_listed_as_live_nor_counted(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let live = case.sign_in().await;
    case.sign_in_idle().await;
    assert_eq!(ids(&list(&case, Listing::Live).await), [live.id]);
    assert_eq!(case.store.count(&case.user).await.ok(), Some(1));
}

pub async fn live_sessions_are_counted(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    case.with_another_user().sign_in().await;
    assert_eq!(case.store.count(&case.user).await.ok(), Some(0));
    let first = case.sign_in().await;
    case.sign_in().await;
    assert_eq!(case.store.count(&case.user).await.ok(), Some(2));
    case.end(&first).await;
    assert_eq!(case.store.count(&case.user).await.ok(), Some(1));
}

pub async fn the_open_sessions_of_everybody_are_counted(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let counted = case.store.count_all().await.expect("the store answers");
    // A store need not.
    if counted.is_none() {
        return;
    }
    assert_eq!(counted, Some(0));
    case.with_another_user().sign_in().await;
    let first = case.sign_in().await;
    case.sign_in().await;
    assert_eq!(case.store.count_all().await.ok(), Some(Some(3)));
    case.end(&first).await;
    assert_eq!(case.store.count_all().await.ok(), Some(Some(2)));
}

pub async fn a_session_is_renamed_and_the_name_taken_away(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    for name in [Some("my \u{1f4f1} phone".to_owned()), None] {
        let change = SessionChange::Name(name.clone());
        let changed = case.store.change(record.id, &case.user, change).await;
        let changed = changed.expect("the store answers").expect("it lives");
        let expected = SessionRecord {
            name,
            ..record.clone()
        };
        assert_eq!(changed, expected);
        assert_eq!(case.find(record.id).await, expected);
    }
}

pub async fn the_applications_data_is_kept_to_the_last_byte(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    let filling = "\u{e9}".repeat((SessionRecord::MAX_DATA - 2) / 2);
    let data = Some(format!("\"{filling}\""));
    let change = SessionChange::Data(data.clone());
    let changed = case.store.change(record.id, &case.user, change).await;
    let changed = changed.expect("the store answers").expect("it lives");
    assert_eq!((&changed.data, &changed.name), (&data, &record.name));
    assert_eq!(case.find(record.id).await.data, data);
}

pub async fn only_the_owner_of_a_living_session_changes_it(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let live = case.sign_in().await;
    let idle = case.sign_in_idle().await;
    let ended = case.sign_in().await;
    case.end(&ended).await;
    let stranger = some_user();
    let attempts = [
        (live.id, &stranger),
        (ended.id, &case.user),
        (idle.id, &case.user),
        (SessionId::random(), &case.user),
    ];
    for (id, user) in attempts {
        let change = SessionChange::Name(Some("mine".to_owned()));
        let changed = case.store.change(id, user, change).await;
        assert_eq!(changed.ok(), Some(None));
    }
    for id in [live.id, ended.id, idle.id] {
        assert_eq!(case.find(id).await.name, None);
    }
}

pub async fn a_later_use_replaces_an_earlier_one_and_not_the_other_way(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    case.pass_a_moment().await;
    let later = case.now().await;
    case.touch(&record, later).await;
    let touched = case.find(record.id).await;
    assert_eq!(touched.last_active_at, later);
    assert!(touched.refresh.ever_used && !touched.refresh.used);
    case.touch(&record, record.created_at).await;
    assert_eq!(case.find(record.id).await.last_active_at, later);
}

pub async fn a_use_ahead_of_the_store_counts_as_now(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    case.touch(&record, case.now().await + HOUR).await;
    let touched = case.find(record.id).await.last_active_at;
    assert!(touched <= case.now().await);
}

pub async fn a_use_leaves_ended_and_unknown_sessions_as_they_are(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    case.end(&record).await;
    let ended = case.find(record.id).await;
    case.pass_a_moment().await;
    case.touch(&record, case.now().await).await;
    assert_eq!(case.find(record.id).await, ended);
    let mut unknown = record;
    unknown.id = SessionId::random();
    case.touch(&unknown, case.now().await).await;
    assert_eq!(case.store.find(unknown.id).await.ok(), Some(None));
}

pub async fn a_use_revives_no_session_that_was_idle_for_too_long(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let idle = case.sign_in_idle().await;
    case.pass_a_moment().await;
    case.touch(&idle, case.now().await).await;
    assert_eq!(case.store.count(&case.user).await.ok(), Some(0));
}

pub async fn a_use_written_late_counts_from_when_it_was(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let mut new = case.new_session().await;
    new.idle_lifetime = Some(HOUR);
    let record = case.sign_in_with(new).await;
    if !case.pass(HOUR + HOUR / 4) {
        return;
    }
    assert!(!case.is_admitted(&record).await);
    case.touch(&record, record.created_at + HOUR / 2).await;
    assert!(case.is_admitted(&record).await);
    case.pass(HOUR / 4);
    assert!(!case.is_admitted(&record).await);
}

pub async fn pages_go_by_id_and_meet_each_live_session_once(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let other = case.with_another_user();
    let mut expected = Vec::new();
    for _ in 0..4 {
        expected.push(case.sign_in().await.id);
        expected.push(other.sign_in().await.id);
    }
    let ended = case.sign_in().await;
    case.end(&ended).await;
    case.with_another_user().sign_in_idle().await;
    expected.sort();
    let mut met = Vec::new();
    let mut after = None;
    loop {
        let request = PageRequest {
            user: None,
            after,
            limit: 3,
        };
        let page = case.store.page(request).await.expect("the store answers");
        assert!(page.records.len() <= 3);
        met.extend(ids(&page.records));
        after = page.next;
        if after.is_none() {
            break;
        }
        assert_eq!(after, met.last().copied());
    }
    assert_eq!(met, expected);
}

pub async fn pages_of_one_user_hold_nobody_else(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let (first, second) = (case.sign_in().await, case.sign_in().await);
    case.with_another_user().sign_in().await;
    let mut expected = [first.id, second.id];
    expected.sort();
    let mut request = PageRequest {
        user: Some(case.user.clone()),
        after: None,
        limit: 2,
    };
    let page = case.store.page(request.clone()).await.expect("it answers");
    assert_eq!(ids(&page.records), expected);
    assert_eq!(page.next, None);
    request.after = Some(expected[0]);
    let page = case.store.page(request).await.expect("it answers");
    assert_eq!(ids(&page.records), [expected[1]]);
}

pub async fn a_session_ends_by_idleness_at_its_very_moment(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let mut new = case.new_session().await;
    new.idle_lifetime = Some(HOUR);
    let record = case.sign_in_with(new).await;
    let tick = Duration::from_micros(1);
    if !case.pass(HOUR - tick) {
        return;
    }
    assert!(case.is_admitted(&record).await);
    case.pass(tick);
    assert!(!case.is_admitted(&record).await);
}
