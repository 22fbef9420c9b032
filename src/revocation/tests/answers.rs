//! What the store has said is remembered, within bounds.

use super::super::answers::Answers;
use super::super::local::Stamp;
use super::*;

const LIFETIME: Duration = Duration::from_secs(900);
const STAMP: Stamp = Stamp { epoch: 1, era: 1 };

#[test]
fn whoever_collects_refusals_takes_room_from_nobody_who_is_in() {
    let answers = Answers::new(100_000, LIFETIME);
    let stamp = STAMP;
    let inside = facts_of("ada");
    answers.put(&inside, stamp, fake::START, &Answer::Alive);
    for _ in 0..30_000 {
        answers.put(&facts_of("eve"), stamp, fake::START, &Answer::Unknown);
    }
    let (alive, refused) = answers.len();
    assert!((alive, refused <= 10_000) == (1, true), "{refused}");
    let answer = answers.get(&inside, stamp, fake::START);
    assert!(matches!(answer, Some(Answer::Alive)));
}

#[test]
fn the_latest_answer_counts() {
    let answers = Answers::new(100, LIFETIME);
    let (stamp, facts) = (STAMP, facts_of("ada"));
    let told = |answer: &Answer| {
        answers.put(&facts, stamp, fake::START, answer);
        answers
            .get(&facts, stamp, fake::START)
            .expect("it is remembered")
    };
    assert!(matches!(told(&Answer::Alive), Answer::Alive));
    assert!(matches!(told(&Answer::Unknown), Answer::Unknown));
    assert_eq!(answers.len(), (0, 1));
    let later = fake::START + Duration::from_secs(1);
    assert!(
        answers.get(&facts, stamp, later).is_none(),
        "a moment later it is asked again"
    );
    assert!(matches!(told(&Answer::Alive), Answer::Alive));
    assert_eq!(answers.len(), (1, 0));
}

#[test]
fn what_was_forgotten_is_asked_again() {
    let answers = Answers::new(100, LIFETIME);
    for answer in [Answer::Alive, Answer::Unknown] {
        let facts = facts_of("ada");
        answers.put(&facts, STAMP, fake::START, &answer);
        assert!(answers.get(&facts, STAMP, fake::START).is_some());
        answers.clear();
        assert!(answers.get(&facts, STAMP, fake::START).is_none());
    }
}
