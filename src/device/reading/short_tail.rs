//! What stands in for the data set of woothee in a build without it.

use crate::session::DeviceKind;

/// Nothing more is known.
pub(super) fn known(_user_agent: &str) -> Option<(Option<String>, DeviceKind)> {
    None
}
