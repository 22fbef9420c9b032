//! Reading the audit log.

use super::Sessions;
use super::error::SessionError;
use crate::session::audit::{AuditPage, AuditRequest};
use crate::verify::CustomClaims;

impl<C: CustomClaims> Sessions<C> {
    /// Reads a page of the audit log, the last entry that was written first; at most 1,000 at once. Entries appear
    /// a moment after what they tell.
    ///
    /// # Security
    ///
    /// Entries name users, devices and addresses: for administrators, and with
    /// [`about_user`](AuditRequest::about_user) for the user.
    ///
    /// # Errors
    ///
    /// [`SessionError::NotFound`] where none is kept; [`SessionError::Store`].
    pub async fn audit(&self, mut request: AuditRequest) -> Result<AuditPage, SessionError> {
        let log = self.core.audited().ok_or(SessionError::NotFound)?;
        request.limit = request.limit.clamp(1, MAX_PAGE);
        Ok(self.core.within(log.read(request)).await?)
    }
}

const MAX_PAGE: usize = 1_000;
