//! What an entry does to which token.

use super::*;

fn everything_of(name: &str, below: u64, except: Option<SessionId>) -> RevocationEntry {
    let revoked = Revoked::User {
        user: user(name),
        below: Counter::from_u64(below),
        except,
    };
    entry(revoked, fake::START)
}

#[test]
fn tokens_below_the_counter_are_out_and_those_at_it_are_not() {
    let facts = facts_of("ada");
    let effect = |below| everything_of("ada", below, None).effect_on(&facts, SKEW);
    assert_eq!(effect(5), None);
    assert_eq!(effect(6), Some(Effect::Revoked(EndReason::SignedOut)));
    assert_eq!(everything_of("bob", 6, None).effect_on(&facts, SKEW), None);
}

#[test]
fn the_excepted_session_stays() {
    let facts = facts_of("ada");
    let effect = everything_of("ada", 6, facts.session).effect_on(&facts, SKEW);
    assert_eq!(effect, None);
}

#[tokio::test]
async fn entries_of_a_user_are_looked_at_one_by_one_and_never_merged() {
    let bench = Bench::new().await;
    let (first, second) = (facts_of("ada"), facts_of("ada"));
    bench.store.write(everything_of("ada", 6, first.session));
    bench.store.write(everything_of("ada", 7, second.session));
    bench.poll().await;
    for facts in [first, second] {
        let refused = bench.request(&token_of(&facts), &NEVER).await;
        assert_eq!(refused.unwrap_err(), signed_out());
    }
}

#[tokio::test]
async fn a_role_change_makes_tokens_stale_and_a_revocation_is_stronger() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    let token = token_of(&facts);
    let roles = Revoked::Roles {
        user: user("ada"),
        below: Counter::from_u64(6),
    };
    bench.store.write(entry(roles, fake::START));
    bench.poll().await;
    let refused = bench.request(&token, &NEVER).await;
    assert_eq!(refused.unwrap_err(), Refusal::Stale);

    bench.store.write(everything_of("ada", 6, None));
    bench.poll().await;
    let refused = bench.request(&token, &NEVER).await;
    assert_eq!(refused.unwrap_err(), signed_out());
}

#[test]
fn a_foreign_token_is_out_when_issued_up_to_two_skews_after_the_cut_off() {
    let cut = everything_of("ada", 6, None);
    let issued = |issued_at| {
        let facts = TokenFacts {
            issued_at,
            ..foreign_facts_of("ada")
        };
        cut.effect_on(&facts, SKEW).is_some()
    };
    assert!(issued(Some(cut.at + 2 * SKEW)));
    assert!(!issued(Some(cut.at + 2 * SKEW + Duration::from_micros(1))));
    assert!(
        issued(None),
        "one that does not say when it was issued is out"
    );
}

#[test]
fn an_entry_for_anothers_session_or_token_id_does_not_match() {
    let facts = facts_of("ada");
    let session = facts.session.expect("it has one");
    let token = facts.token.clone().expect("it has one");
    for owner in [Some(user("bob")), Some(user("ada")), None] {
        let meant = owner != Some(user("bob"));
        let by_session = Revoked::Session {
            session,
            user: owner.clone(),
        };
        let by_token = Revoked::Token {
            token: token.clone(),
            user: owner,
        };
        for revoked in [by_session, by_token] {
            let effect = entry(revoked, fake::START).effect_on(&facts, SKEW);
            assert_eq!(effect.is_some(), meant);
        }
    }
}

#[test]
fn an_entry_lives_for_lifetime_and_leeway_and_four_skews() {
    let expected = Duration::from_secs(7200 + 5 + 4 * 2);
    assert_eq!(fake::LIMITS.entry_lifetime(), expected);
    let endless = FleetLimits {
        skew: Duration::MAX,
        ..fake::LIMITS
    };
    assert_eq!(endless.entry_lifetime(), Duration::MAX);
}

#[tokio::test]
async fn what_the_view_keeps_is_what_it_was_given() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    let kinds = [
        ends_token(&facts, fake::START).revoked,
        Revoked::Session {
            session: SessionId::random(),
            user: None,
        },
        Revoked::Token {
            token: facts.token.clone().expect("it has one"),
            user: Some(user("ada")),
        },
        Revoked::Roles {
            user: user("ada"),
            below: Counter::from_u64(3),
        },
        Revoked::User {
            user: user("ada"),
            below: Counter::from_u64(3),
            except: facts.session,
        },
    ];
    let mut given: Vec<_> = kinds.map(|kind| entry(kind, fake::START)).into();
    for entry in &given {
        bench.store.write(entry.clone());
    }
    bench.poll().await;
    let mut kept = bench.node.local.view().pick(|_, _| true);
    given.sort_by_key(|entry| entry.id);
    kept.sort_by_key(|entry| entry.id);
    assert_eq!(kept, given);
}

#[tokio::test]
async fn what_is_printed_says_what_it_is() {
    let id = EntryId::random();
    let hyphenated = format!("{id}");
    assert_eq!(
        hyphenated.parse::<uuid::Uuid>().unwrap().to_string(),
        hyphenated
    );
    assert_eq!(format!("{id:?}"), hyphenated);

    let bench = Bench::new().await;
    let facts = facts_of("ada");
    let active = bench.request(&token_of(&facts), &NEVER).await.unwrap();
    let printed = format!("{active:?}");
    assert!(printed.starts_with("ActiveToken("), "{printed}");
    assert!(printed.contains("\"ada\""), "{printed}");
    let printed = format!("{:?}", bench.node);
    assert!(printed.starts_with("Revocations {"), "{printed}");
    assert!(printed.contains("entries: 0"), "{printed}");
}
