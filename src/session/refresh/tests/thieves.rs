//! A thief who waits for the window to pass is shut out, or ends the session.

use super::*;

/// What the victim does after the theft.
#[derive(Clone, Copy, Debug)]
enum Victim {
    RefreshesAgain,
    OnlyUsesTheAccessToken,
    Sleeps,
}

const VICTIMS: [Victim; 3] = [
    Victim::RefreshesAgain,
    Victim::OnlyUsesTheAccessToken,
    Victim::Sleeps,
];

#[test]
fn a_thief_who_replays_after_the_window_is_shut_out_or_ends_the_session() {
    let mut dice = Dice(7);
    for round in 0..3_000 {
        let victim = VICTIMS[round % 3];
        let mut line = Line::new();
        let mut current = 1;
        for _ in 0..dice.next() % 4 {
            line.pass(2 * GRACE + dice.up_to(ACCESS));
            current = line.refresh(current).generation().expect("it is current");
            line.admit(current);
        }
        let stolen = current;
        line.pass(2 * GRACE + dice.up_to(GRACE));
        current = line.refresh(current).generation().expect("it is current");
        match victim {
            Victim::RefreshesAgain => {
                line.pass(2 * GRACE + dice.up_to(ACCESS));
                current = line.refresh(current).generation().expect("it is current");
            }
            Victim::OnlyUsesTheAccessToken => assert!(line.admit(current)),
            Victim::Sleeps => {}
        }
        line.pass(GRACE + dice.up_to(ACCESS));
        let answer = line.refresh(stolen);
        match victim {
            Victim::Sleeps => {
                let taken = answer.generation().expect("nobody used the successor");
                assert_eq!(answer, Answer::New(taken, Advance::Replaced));
                line.admit(taken);
                line.pass(dice.up_to(ACCESS));
                assert!(!line.admit(current), "the victim sees that it is out");
                assert_eq!(line.refresh(current), Answer::Theft);
                assert!(!line.admit(taken));
            }
            _ => assert_eq!(answer, Answer::Theft, "{victim:?}, round {round}"),
        }
        assert!(line.ended);
    }
}

#[test]
fn a_thief_who_rotates_first_is_seen_when_the_victim_comes_back() {
    for wait in [GRACE, 2 * GRACE, ACCESS] {
        let mut line = Line::new();
        assert_eq!(line.refresh(1), Answer::New(2, Advance::Rotated));
        line.admit(2);
        assert_eq!(line.pass(wait).refresh(1), Answer::Theft);
    }
}

#[test]
fn a_quiet_thief_does_not_take_every_second_generation_for_ever() {
    let mut line = Line::new();
    // The thief rotates, uses nothing, and waits until the victim has got a pair of its own.
    let thief = line.refresh(1).generation().expect("it is current");
    line.pass(GRACE);
    let victim = line.refresh(1);
    assert_eq!(victim, Answer::New(3, Advance::Replaced));
    assert!(!line.admit(thief));
    assert_eq!(line.refresh(thief), Answer::Theft);
}

#[test]
fn a_thief_in_step_is_out_of_step_after_one_pause() {
    let mut line = Line::rotated();
    let thief = line.refresh(1);
    assert_eq!(thief, Answer::Same(2, ReplayKind::Predecessor));
    line.pass(2 * GRACE);
    assert_eq!(line.refresh(2), Answer::New(3, Advance::Rotated));
    line.admit(3);
    assert_eq!(line.pass(GRACE).refresh(2), Answer::Theft);
}

#[test]
fn a_predecessor_of_an_idle_session_is_noticed_at_the_first_use_of_either_party() {
    let mut line = Line::rotated();
    line.pass(ACCESS);
    let taken = line
        .refresh(1)
        .generation()
        .expect("nobody used the successor");
    line.admit(taken);
    assert!(!line.admit(2));
    assert_eq!(line.refresh(2), Answer::Theft);
}

#[test]
fn a_thief_alone_cannot_keep_the_window_open_once_the_victim_uses_the_session() {
    let mut line = Line::rotated();
    line.admit(2);
    let mut granted = 0;
    loop {
        line.pass(GRACE / 2);
        match line.refresh(1) {
            Answer::Same(2, ReplayKind::Predecessor) => granted += 1,
            other => {
                assert_eq!(other, Answer::Theft);
                break;
            }
        }
    }
    assert_eq!(granted, 1);
}
