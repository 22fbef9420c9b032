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

    /// Reads a page of entries of one [kind](crate::audit::KINDS) alone, as `ended`. No store sorts its log by
    /// kinds: it is looked through, up to some 25,000 entries for one page, so a page of a rare kind may hold fewer
    /// than were asked for, even none, and not be the last.
    ///
    /// # Security
    ///
    /// As for [`audit`](Self::audit).
    ///
    /// # Errors
    ///
    /// As for [`audit`](Self::audit).
    pub async fn audit_of(
        &self,
        kind: &str,
        mut request: AuditRequest,
    ) -> Result<AuditPage, SessionError> {
        let limit = request.limit.clamp(1, MAX_PAGE);
        let mut found = AuditPage::default();
        let mut size = limit;
        for _ in 0..LOOKS {
            request.limit = size;
            let mut page = self.audit(request.clone()).await?;
            page.entries.retain(|entry| entry.event == kind);
            let room = limit - found.entries.len();
            if page.entries.len() > room {
                // Once more, and only as far as there is room: the next page begins where this one ends.
                size = room;
                continue;
            }
            found.entries.append(&mut page.entries);
            found.next = page.next;
            request.before = page.next;
            if page.next.is_none() || found.entries.len() == limit {
                break;
            }
            size = (2 * size).min(MAX_PAGE);
        }
        Ok(found)
    }
}

const MAX_PAGE: usize = 1_000;
/// How often the log is looked into for one page.
const LOOKS: usize = 32;
