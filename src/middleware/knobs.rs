//! What a layer does with requests beyond checking them, one type per knob.

/// What happens to requests without a token.
///
/// A bearer token that is present but bad is refused either way: whoever sends one wants to be
/// somebody. Cookies are sent by browsers, whatever the page: where requests without a token may
/// pass, those with an unusable cookie do as well, and go on without a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Anonymous {
    /// They go on without a session, and the [guards](crate::guard) or handlers decide.
    Allow,
    /// They are refused with 401. The default: a route is protected unless it says otherwise.
    #[default]
    Reject,
}

/// Whether a refusal is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Enforcement {
    /// What fails a check is refused. The default.
    #[default]
    Enforce,
    /// Everything is checked and reported, nothing is refused: for trying the layer out in front
    /// of a service that has another way to protect itself. **Such a layer protects nothing.**
    ///
    /// A good token still brings its session; what would have been refused goes on without one,
    /// so guards behind the layer refuse it.
    ReportOnly,
}

/// Whether a request shows that the user is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CountAs {
    /// It does: the session's last use moves, and its idle time starts anew. The default.
    #[default]
    Activity,
    /// It does not, as with polling and event streams that a page keeps up by itself.
    Background,
}
