//! Honest clients over a network that loses, repeats and delays.

use proptest::prelude::*;

use super::*;

/// Refreshes until an answer arrives, each try within the grace of the one before.
fn refresh_until_answered(line: &mut Line, dice: &mut Dice, token: u32) -> u32 {
    loop {
        let answer = line.refresh(token);
        let generation = answer.generation();
        let generation = generation.unwrap_or_else(|| panic!("an honest client gets {answer:?}"));
        if !dice.percent(30) {
            return generation;
        }
        line.pass(dice.up_to(GRACE - SECOND));
    }
}

#[test]
fn lost_answers_and_retries_sign_nobody_out_over_ten_thousand_refreshes() {
    let mut dice = Dice(1);
    let mut line = Line::new();
    line.absolute_end = UnixTime::MAX;
    let mut token = 1;
    for _ in 0..10_000 {
        token = refresh_until_answered(&mut line, &mut dice, token);
        if dice.percent(50) {
            assert!(line.admit(token));
        }
        let pause = if dice.percent(50) { ACCESS } else { 3 * GRACE };
        line.pass(dice.up_to(pause));
    }
    assert!(line.state.generation > 5_000);
}

#[test]
fn a_client_that_sleeps_after_a_lost_answer_is_signed_in_still() {
    let mut dice = Dice(2);
    let mut line = Line::new();
    line.absolute_end = UnixTime::MAX;
    let mut token = 1;
    for _ in 0..2_000 {
        line.pass(2 * GRACE + dice.up_to(ACCESS));
        assert!(line.refresh(token).generation().is_some());
        line.pass(dice.up_to(3 * ACCESS));
        token = refresh_until_answered(&mut line, &mut dice, token);
        assert!(line.admit(token));
    }
}

/// A message on its way: when it arrives, and the token in it.
#[derive(Clone, Copy, Debug)]
struct Letter {
    at: UnixTime,
    token: u32,
    answer: bool,
    sets_cookie: bool,
}

/// Two tabs over one cookie jar, whose last answer wins; requests and answers take less than the
/// grace together, and any of them is lost or repeated.
fn tabs_over_one_jar(seed: u64, steps: u32) -> Line {
    let mut dice = Dice(seed);
    let mut line = Line::new();
    let mut jar = 1;
    let mut letters: Vec<Letter> = Vec::new();
    let way = GRACE / 2 - SECOND;
    for _ in 0..steps {
        let idle = if dice.percent(10) { ACCESS } else { GRACE / 4 };
        let until = line.now + dice.up_to(idle);
        if dice.percent(60) {
            for _ in 0..=u64::from(dice.percent(20)) {
                letters.push(Letter {
                    at: line.now + dice.up_to(way),
                    token: jar,
                    answer: false,
                    sets_cookie: false,
                });
            }
        }
        if dice.percent(30) {
            line.admit(jar);
        }
        loop {
            letters.sort_by_key(|letter| letter.at);
            let Some(letter) = letters.first().copied().filter(|letter| letter.at <= until) else {
                break;
            };
            letters.remove(0);
            line.now = letter.at;
            if dice.percent(20) {
                continue;
            }
            if letter.answer {
                if letter.sets_cookie {
                    jar = letter.token;
                }
                continue;
            }
            let answer = line.refresh(letter.token);
            assert!(!line.ended, "seed {seed}: {letter:?} was taken for theft");
            if let Some(token) = answer.generation() {
                letters.push(Letter {
                    at: line.now + dice.up_to(way),
                    token,
                    answer: true,
                    sets_cookie: answer.sets_cookie(),
                });
            }
        }
        line.now = until.max(line.now);
    }
    line
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn tabs_over_one_cookie_jar_are_never_taken_for_thieves(seed in any::<u64>()) {
        tabs_over_one_jar(seed, 200);
    }

    #[test]
    fn no_sequence_of_tokens_breaks_the_shape_of_the_state(
        tokens in prop::collection::vec((0u32..12, 0u64..200, any::<bool>()), 1..80),
        strict in any::<bool>(),
    ) {
        let grace = if strict { Duration::ZERO } else { GRACE };
        let mut line = Line::with_grace(grace);
        for (token, wait, admit) in tokens {
            let before = line.state.clone();
            line.pass(Duration::from_secs(wait));
            if admit {
                line.admit(token);
            }
            let answer = line.refresh(token);
            let after = &line.state;
            prop_assert!(after.generation >= before.generation);
            prop_assert!(after.predecessor < after.generation);
            prop_assert!(after.access_expires_at <= line.absolute_end);
            prop_assert!(after.expires_at <= line.absolute_end);
            prop_assert!(after.ever_used >= before.ever_used);
            prop_assert_eq!(after.seed, before.seed);
            if let Some(generation) = answer.generation() {
                prop_assert_eq!(generation, after.generation);
                prop_assert!(token > 0 && token != generation || !strict);
            }
            if strict {
                prop_assert!(!matches!(
                    answer,
                    Answer::Same(_, ReplayKind::HoldOff | ReplayKind::Predecessor)
                ));
            }
        }
    }
}
