//! Figures, brought up to date.

use super::{JwtSession, VerifyOnly};
use crate::verify::CustomClaims;

impl<C: CustomClaims> JwtSession<C> {
    /// Tells the recorder of the `metrics` crate what was counted since the last time, and how this node stands.
    ///
    /// Call it before a scrape is answered, so that it shows this very moment. While the work in the background
    /// runs that happens every five seconds by itself. See [`telemetry`](crate::telemetry).
    pub fn publish_metrics(&self) {
        let status = self.status();
        self.core.telemetry.publish(&status.view, status.store);
    }
}

impl<C: CustomClaims> VerifyOnly<C> {
    /// Brings the figures up to date, as [`JwtSession::publish_metrics`].
    pub fn publish_metrics(&self) {
        let status = self.status();
        self.core.telemetry.publish(&status.view, status.store);
    }
}
