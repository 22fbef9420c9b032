//! Clocks that step by a day.

use std::time::Duration;

use tower_jwt_session::SessionError;
use tower_jwt_session::revocation::EndReason;
use tower_jwt_session::session::risk::RiskVerdict;

use crate::support::{admit, user};
use crate::watched::{BERLIN, TOKYO, Watched, always, at};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn a_clock_that_steps_by_a_day_raises_no_alarm_and_revives_nothing() {
    for ahead in [true, false] {
        // Whatever is unusual would end the session here.
        let world = Watched::new(always(RiskVerdict::End)).await;
        let ended = world.sign_in(at(BERLIN)).await.unwrap();
        let kept = world.sign_in(at(BERLIN)).await.unwrap();
        let sessions = world.auth.sessions();
        let reason = EndReason::UserRevoked;
        let done = sessions
            .end_own(&user("ada"), ended.session_id, reason)
            .await;
        let _done = done.unwrap();
        world.clock.advance(HOUR);
        let kept = world.refresh(&kept, at(BERLIN)).await.unwrap();

        if ahead {
            world.clock.step_wall(DAY);
        } else {
            world.clock.step_wall_back(DAY);
        }
        for _ in 0..3 {
            let refused = admit(&world.auth, &ended.access_token).await;
            assert!(refused.is_err(), "{ahead}");
            let refused = world.refresh(&ended, at(BERLIN)).await;
            assert!(matches!(refused, Err(SessionError::Over(_))), "{refused:?}");
            world.sign_in(at(BERLIN)).await.unwrap();
            world.clock.advance(Duration::from_secs(60));
        }
        let kept = world.refresh(&kept, at(BERLIN)).await.unwrap();
        assert!(world.raised().is_empty(), "{ahead}");

        // From there on what is unusual is so again, by the new clock.
        world.clock.advance(HOUR);
        let caught = world.refresh(&kept, at(TOKYO)).await;
        assert!(matches!(
            caught,
            Err(SessionError::Over(EndReason::Suspicious))
        ));
        let raised = world.raised();
        assert_eq!(raised[0].0[0], "impossible_travel", "{ahead}: {raised:?}");
    }
}
