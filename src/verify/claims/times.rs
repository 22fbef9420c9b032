//! The times of a token.

use std::time::Duration;

use crate::clock::UnixTime;
use crate::verify::VerifyError;
use crate::verify::policy::TokenPolicy;

/// The times of a token (RFC 7519, sections 4.1.4 to 4.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::verify) struct Times {
    pub(in crate::verify) expires_at: UnixTime,
    pub(in crate::verify) issued_at: Option<UnixTime>,
    pub(in crate::verify) not_before: Option<UnixTime>,
}

/// The instants at which all times of a token are known to be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::verify) struct Window {
    from: UnixTime,
    end: UnixTime,
}

impl Window {
    /// Of a token whose times have to be looked at each time.
    pub(in crate::verify) const NEVER: Self = Self {
        from: UnixTime::MAX,
        end: UnixTime::EPOCH,
    };

    /// Whether `check_begin` and `check_end` would pass; two comparisons, for what is asked with each
    /// request.
    #[inline]
    pub(in crate::verify) fn holds(self, now: UnixTime) -> bool {
        self.from <= now && now < self.end
    }
}

impl Times {
    /// When both checks pass.
    pub(in crate::verify) fn window(&self, policy: &TokenPolicy) -> Window {
        let lifetime = policy.max_lifetime();
        let earliest = match self.issued_at {
            Some(at) if self.expires_at > at + lifetime => return Window::NEVER,
            Some(at) => at,
            None => self.expires_at - lifetime,
        };
        let begin = self.not_before.map_or(earliest, |at| at.max(earliest));
        Window {
            from: begin - policy.leeway,
            end: self.expires_at + policy.leeway.min(FORGOTTEN),
        }
    }

    /// Checks all but whether the token has expired, with the same answer for a forged token and
    /// a genuine one.
    pub(in crate::verify) fn check_begin(
        &self,
        policy: &TokenPolicy,
        now: UnixTime,
    ) -> Result<(), VerifyError> {
        let latest = now + policy.leeway;
        if self.issued_at.is_some_and(|at| at > latest) {
            return Err(VerifyError::invalid("issued in the future"));
        }
        if self.not_before.is_some_and(|at| at > latest) {
            return Err(VerifyError::invalid("not valid yet"));
        }
        let longest_end = match self.issued_at {
            Some(at) => at + policy.max_lifetime(),
            None => latest + policy.max_lifetime(),
        };
        if self.expires_at > longest_end {
            return Err(VerifyError::invalid(
                "valid for longer than the maximum lifetime",
            ));
        }
        if self.expires_at + FORGOTTEN <= now {
            return Err(VerifyError::invalid("expired long ago"));
        }
        Ok(())
    }

    /// Checks that the token has not expired. To be asked of genuine tokens alone.
    pub(in crate::verify) fn check_end(
        &self,
        policy: &TokenPolicy,
        now: UnixTime,
    ) -> Result<(), VerifyError> {
        // `>=`, not `>`: a token is refused on its end, not only after it.
        if now >= self.expires_at + policy.leeway {
            return Err(VerifyError::expired("expired"));
        }
        Ok(())
    }
}

/// A token that expired this long ago is refused unseen, without saying that it was genuine.
///
/// No session lasts longer by default, so nobody is kept from refreshing by it.
const FORGOTTEN: Duration = Duration::from_secs(90 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::verify::VerifyErrorKind;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn policy() -> TokenPolicy {
        TokenPolicy::new("i", "a")
            .with_leeway(Duration::from_secs(5))
            .with_max_lifetime(Duration::from_secs(3600))
    }

    fn times(iat: Option<i64>, nbf: Option<i64>, exp: i64) -> Times {
        let at = |offset: i64| UnixTime::from_secs(NOW.as_secs().saturating_add_signed(offset));
        Times {
            expires_at: at(exp),
            issued_at: iat.map(at),
            not_before: nbf.map(at),
        }
    }

    fn kind(times: Times) -> Option<VerifyErrorKind> {
        times
            .check_begin(&policy(), NOW)
            .and_then(|()| times.check_end(&policy(), NOW))
            .err()
            .map(|error| error.kind())
    }

    #[test]
    fn a_token_is_refused_from_its_end_and_the_leeway_on() {
        assert_eq!(kind(times(Some(-60), None, -4)), None);
        assert_eq!(
            kind(times(Some(-60), None, -5)),
            Some(VerifyErrorKind::Expired)
        );
    }

    #[test]
    fn a_beginning_in_the_future_is_refused_beyond_the_leeway() {
        assert_eq!(kind(times(Some(5), Some(5), 60)), None);
        assert_eq!(
            kind(times(Some(6), None, 60)),
            Some(VerifyErrorKind::Invalid)
        );
        assert_eq!(
            kind(times(None, Some(6), 60)),
            Some(VerifyErrorKind::Invalid)
        );
    }

    #[test]
    fn a_lifetime_above_the_maximum_is_refused() {
        assert_eq!(kind(times(Some(0), None, 3600)), None);
        assert!(times(Some(0), None, 3600).window(&policy()).holds(NOW));
        assert_eq!(
            kind(times(Some(0), None, 3601)),
            Some(VerifyErrorKind::Invalid)
        );
    }

    #[test]
    fn without_iat_the_lifetime_counts_from_now() {
        assert_eq!(kind(times(None, None, 3605)), None);
        assert_eq!(
            kind(times(None, None, 3606)),
            Some(VerifyErrorKind::Invalid)
        );
    }

    #[test]
    fn what_expired_long_ago_is_merely_invalid() {
        let day = 24 * 60 * 60;
        assert_eq!(
            kind(times(None, None, -89 * day)),
            Some(VerifyErrorKind::Expired)
        );
        assert_eq!(
            kind(times(None, None, -90 * day)),
            Some(VerifyErrorKind::Invalid)
        );
    }

    proptest! {
        #[test]
        fn the_window_is_when_both_checks_pass(
            iat in prop::option::of(-4000_i64..20),
            nbf in prop::option::of(-20_i64..20),
            exp in -20_i64..4000,
            edge in prop::option::of(prop::sample::select(vec![0, 1, u64::MAX - 1, u64::MAX])),
        ) {
            let mut times = times(iat, nbf, exp);
            if let Some(edge) = edge {
                times.expires_at = UnixTime::from_micros(edge);
            }
            for now in [UnixTime::EPOCH, NOW, UnixTime::MAX] {
                let passes = times.check_begin(&policy(), now).is_ok()
                    && times.check_end(&policy(), now).is_ok();
                prop_assert_eq!(times.window(&policy()).holds(now), passes, "{:?}", now);
            }
        }
    }

    #[test]
    fn no_time_overflows() {
        for at in [UnixTime::EPOCH, UnixTime::MAX] {
            let times = Times {
                expires_at: at,
                issued_at: Some(at),
                not_before: Some(at),
            };
            for now in [UnixTime::EPOCH, NOW, UnixTime::MAX] {
                let _ = times.check_begin(&policy(), now);
                let _ = times.check_end(&policy(), now);
            }
        }
    }
}
