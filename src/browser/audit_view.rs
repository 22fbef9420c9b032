//! What administrators are shown of the audit log.

use super::admin_view::encoded;
use super::audit::Wanted;
use super::frame::{self, time};
use super::markup::Markup;
use super::texts::Texts;
use crate::audit::KINDS;
use crate::clock::UnixTime;
use crate::session::{AuditCursor, AuditEntry, AuditPage};

/// A page of the log, as of an instant.
pub(super) struct AuditView<'t> {
    pub(super) texts: &'t Texts,
    pub(super) page: AuditPage,
    pub(super) wanted: Wanted,
    pub(super) typed: &'t str,
    pub(super) now: UnixTime,
}

impl AuditView<'_> {
    pub(super) fn page(&self) -> Markup {
        let texts = self.texts;
        let mut page = Markup::default();
        page.raw("<h1>").text(&texts.audit_log).raw("</h1>");
        page.add(frame::told(None)).add(self.search());
        if self.page.entries.is_empty() {
            let none = match self.page.next {
                None => &texts.no_entries,
                Some(_) => &texts.no_entries_yet,
            };
            page.raw("<p>").text(none).raw("</p>");
        } else {
            page.raw("<ol class=\"log\">");
            for entry in &self.page.entries {
                page.add(self.line(entry));
            }
            page.raw("</ol>");
        }
        page.add(self.ways_on());
        page
    }

    fn search(&self) -> Markup {
        let (texts, wanted) = (self.texts, &self.wanted);
        let mut form = Markup::default();
        form.raw("<form class=\"search acts\" role=\"search\" action=\"/admin/audit\"><label>");
        form.text(self.typed)
            .raw(" <input name=\"user\" dir=\"auto\" value=\"")
            .text(&wanted.user)
            .raw("\"></label><label>");
        form.text(&texts.event)
            .raw(" <select name=\"event\"><option value=\"\">")
            .text(&texts.all_events)
            .raw("</option>");
        for kind in KINDS.iter().copied() {
            form.raw("<option value=\"").text(kind).raw("\"");
            if wanted.event == Some(kind) {
                form.raw(" selected");
            }
            form.raw(">").text(texts.event(kind)).raw("</option>");
        }
        form.raw("</select></label>");
        if let Some(session) = wanted.session {
            form.raw("<input type=\"hidden\" name=\"session\" value=\"")
                .text(session)
                .raw("\">");
        }
        form.raw("<button>")
            .text(&texts.search)
            .raw("</button></form>");
        if let Some(session) = wanted.session {
            let of = texts.of_session.replace("{id}", &session.to_string());
            form.raw("<p class=\"about\">").text(of).raw("</p>");
        }
        form
    }

    fn line(&self, entry: &AuditEntry) -> Markup {
        let texts = self.texts;
        let mut line = Markup::default();
        line.raw("<li><b>")
            .text(texts.event(&entry.event))
            .raw("</b> ");
        if let Some(user) = &entry.user {
            line.raw("<a href=\"/admin/audit?user=")
                .text(encoded(user.as_str()))
                .raw("\">")
                .isolated(user.as_str())
                .raw("</a> ");
        }
        if let Some(reason) = entry.reason.as_deref() {
            line.isolated(texts.known_reason(reason).unwrap_or(reason));
        }
        line.raw("<p class=\"about\">")
            .add(time(texts, entry.at, self.now))
            .raw(" · <span dir=\"ltr\">")
            .text(entry.at)
            .raw("</span>");
        if let Some(by) = &entry.by {
            let (before, after) = texts.by.split_once("{who}").unwrap_or((&*texts.by, ""));
            line.raw(" · ")
                .text(before)
                .isolated(by.as_str())
                .text(after);
        }
        if let Some(device) = &entry.device {
            line.raw(" · ").isolated(device);
        }
        if let Some(address) = entry.address {
            line.raw(" · ").isolated(address);
        }
        if let Some(session) = entry.session.filter(|id| Some(*id) != self.wanted.session) {
            line.raw(" · <a href=\"/admin/audit?session=")
                .text(session)
                .raw("\" aria-label=\"");
            line.text(texts.of_session.replace("{id}", &session.to_string()))
                .raw("\">")
                .text(&texts.this_session)
                .raw("</a>");
        }
        line.raw("</p></li>");
        line
    }

    fn ways_on(&self) -> Markup {
        let (texts, user) = (self.texts, &self.wanted.user);
        let mut ways = Markup::default();
        ways.raw("<p class=\"windows\">");
        if let Some(next) = self.page.next {
            ways.raw("<a rel=\"next\" href=\"")
                .text(self.address(Some(next)))
                .raw("\">")
                .text(&texts.older_entries)
                .raw("</a> ");
        }
        if self.wanted.is_further_back() {
            ways.raw("<a href=\"")
                .text(self.address(None))
                .raw("\">")
                .text(&texts.latest_entries)
                .raw("</a> ");
        }
        if !user.is_empty() {
            ways.raw("<a href=\"/admin?user=")
                .text(encoded(user))
                .raw("\">");
            ways.text(&texts.sessions_of_user).raw("</a>");
        }
        ways.raw("</p>");
        ways
    }

    /// The same search from another place on.
    fn address(&self, cursor: Option<AuditCursor>) -> String {
        let Wanted {
            user,
            event,
            session,
            ..
        } = &self.wanted;
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("user", user);
        query.append_pair("event", event.unwrap_or_default());
        if let Some(session) = session {
            query.append_pair("session", &session.to_string());
        }
        if let Some(cursor) = cursor {
            query.append_pair("cursor", &cursor.to_string());
        }
        format!("/admin/audit?{}", query.finish())
    }
}
