//! What administrators are shown.

use super::admin::REASONS;
use super::census::Counted;
use super::charts::bars;
use super::device_list::{icon, place};
use super::fleet::FleetCounts;
use super::frame::{self, time};
use super::markup::Markup;
use super::statistics::totals;
use super::texts::Texts;
use crate::audit::{AuditLevel, KINDS};
use crate::clock::UnixTime;
use crate::events::{Counts, SeenEvent};
use crate::session::{Population, SessionInfo};
use crate::token::SessionId;

/// The page, as of an instant.
pub(super) struct AdminView<'t> {
    pub(super) texts: &'t Texts,
    pub(super) live: Option<Counted<Population>>,
    pub(super) level: AuditLevel,
    pub(super) fleet: Option<Counted<FleetCounts>>,
    pub(super) counts: Vec<Counts>,
    pub(super) events: Vec<SeenEvent>,
    pub(super) sessions: Vec<SessionInfo>,
    pub(super) next: Option<SessionId>,
    pub(super) user: Option<String>,
    pub(super) typed: &'t str,
    pub(super) now: UnixTime,
}

impl AdminView<'_> {
    pub(super) fn page(&self, notice: Option<String>) -> Markup {
        let mut page = Markup::default();
        page.raw("<h1>").text(&self.texts.admin).raw("</h1>");
        page.add(frame::told(notice.as_deref()));
        page.add(self.now_everywhere())
            .add(self.lately_everywhere())
            .add(self.of_this_node())
            .add(self.feed())
            .add(self.listing());
        page
    }

    /// What the store holds, and so all nodes together.
    fn now_everywhere(&self) -> Markup {
        let texts = self.texts;
        let mut section = Markup::default();
        section
            .raw("<section aria-labelledby=\"now\"><h2 id=\"now\">")
            .text(&texts.on_all_nodes)
            .raw("</h2><dl class=\"counts\">");
        let population = self.live.as_ref().map(|live| live.what);
        for (name, of, count) in [
            (
                &texts.live_sessions,
                "live.sessions",
                population.map(|of| of.sessions),
            ),
            (
                &texts.live_users,
                "live.users",
                population.map(|of| of.users),
            ),
        ] {
            let count = count.map_or("–".to_owned(), |count| count.to_string());
            section.add(figure(name, of, &count));
        }
        section.raw("</dl><p class=\"about\">");
        match &self.live {
            Some(live) => {
                let at = time(texts, live.at, self.now);
                section.add(frame::with_time(&texts.counted, at));
            }
            None => {
                section.text(&texts.being_counted);
            }
        }
        section.raw("</p></section>");
        section
    }

    /// What all nodes wrote into the audit log.
    fn lately_everywhere(&self) -> Markup {
        let texts = self.texts;
        let mut section = Markup::default();
        section
            .raw("<section aria-labelledby=\"lately\"><h2 id=\"lately\">")
            .text(&texts.lately_on_all_nodes)
            .raw("</h2>")
            .add(self.windows());
        match &self.fleet {
            Some(fleet) => {
                section.add(self.fleet_charts(fleet));
            }
            None => {
                let why = match self.level {
                    AuditLevel::Off => &texts.no_audit_log,
                    _ => &texts.being_counted,
                };
                section.raw("<p class=\"about\">").text(why).raw("</p>");
            }
        }
        section.raw("</section>");
        section
    }

    fn fleet_charts(&self, fleet: &Counted<FleetCounts>) -> Markup {
        let texts = self.texts;
        let minutes = self.counts.len();
        let (counts, at) = (fleet.what.of(minutes), fleet.at);
        let mut part = Markup::default();
        part.raw("<p class=\"about\">");
        let told = time(texts, at, self.now);
        part.add(frame::with_time(&texts.counted_from_log, told));
        if !fleet.what.covers(minutes, at) {
            let since = time(texts, fleet.what.since, self.now);
            part.raw(" ")
                .add(frame::with_time(&texts.log_too_long, since));
        }
        if !fleet.what.has_refreshes {
            part.raw(" ").text(&texts.no_refreshes_in_log);
        }
        part.raw("</p><div class=\"charts\">");
        part.add(chart(texts, &texts.sign_ins, counts, |counts| {
            counts.signed_in
        }));
        if fleet.what.has_refreshes {
            part.add(chart(texts, &texts.refreshes, counts, |counts| {
                counts.refreshed
            }));
        }
        part.add(chart(texts, &texts.ended, counts, |counts| counts.ended));
        part.raw("</div>");
        part
    }

    fn of_this_node(&self) -> Markup {
        let texts = self.texts;
        let totals = totals(&self.counts);
        let mut section = Markup::default();
        section
            .raw("<section aria-labelledby=\"node\"><h2 id=\"node\">")
            .text(&texts.this_node)
            .raw("</h2><p class=\"about\">")
            .text(&texts.this_node_only)
            .raw("</p><dl class=\"counts\">");
        for (name, of, count) in [
            (&texts.sign_ins, "node.totals.signed_in", totals.signed_in),
            (&texts.refreshes, "node.totals.refreshed", totals.refreshed),
            (&texts.ended, "node.totals.ended", totals.ended),
            (&texts.refused, "node.totals.refused", totals.refused),
        ] {
            section.add(figure(name, of, &count.to_string()));
        }
        section.raw("</dl><div class=\"charts\">");
        let counts = &self.counts;
        section
            .add(chart(texts, &texts.sign_ins, counts, |counts| {
                counts.signed_in
            }))
            .add(chart(texts, &texts.refreshes, counts, |counts| {
                counts.refreshed
            }))
            .raw("</div></section>");
        section
    }

    fn windows(&self) -> Markup {
        let mut line = Markup::default();
        line.raw("<p class=\"windows\" data-chosen=\"")
            .text(self.counts.len())
            .raw("m\">");
        for (address, minutes, name) in [
            ("/admin?window=1h", 60, &self.texts.hour),
            ("/admin?window=24h", 24 * 60, &self.texts.today),
        ] {
            line.raw("<a href=\"").text(address).raw("\"");
            if self.counts.len() == minutes {
                line.raw(" aria-current=\"true\"");
            }
            line.raw(">").text(name).raw("</a> ");
        }
        line.raw("</p>");
        line
    }

    fn feed(&self) -> Markup {
        let mut feed = Markup::default();
        feed.raw("<section aria-labelledby=\"events\"><h2 id=\"events\">");
        feed.text(&self.texts.events).raw("</h2>");
        let last = self.events.last().map_or(0, |event| event.number);
        feed.raw("<ol id=\"feed\" tabindex=\"0\" aria-labelledby=\"events\" data-last=\"")
            .text(last)
            .raw("\" data-words=\"")
            .text(words(self.texts))
            .raw("\" data-none=\"")
            .text(&self.texts.no_events)
            .raw("\" data-now=\"")
            .text(&self.texts.just_now)
            .raw("\">");
        for event in self.events.iter().rev().take(SHOWN_EVENTS) {
            feed.raw("<li>")
                .add(time(self.texts, event.at, self.now))
                .raw(" <b>");
            feed.text(self.texts.event(event.what)).raw("</b> ");
            feed.isolated(event.user.as_deref().unwrap_or_default())
                .raw(" <small>");
            let reason = event.reason.as_deref().unwrap_or_default();
            feed.text(self.texts.known_reason(reason).unwrap_or(reason))
                .raw("</small></li>");
        }
        feed.raw("</ol><p><a href=\"/admin/audit\">")
            .text(&self.texts.audit_log)
            .raw("</a></p></section>");
        feed
    }

    fn listing(&self) -> Markup {
        let texts = self.texts;
        let mut section = Markup::default();
        section
            .raw("<section aria-labelledby=\"all\"><h2 id=\"all\">")
            .text(&texts.all_devices);
        section.raw("</h2><form class=\"search\" role=\"search\" action=\"/admin\"><label>");
        section
            .text(self.typed)
            .raw(" <input name=\"user\" dir=\"auto\" value=\"");
        section
            .text(self.user.as_deref().unwrap_or_default())
            .raw("\"></label> <button>");
        section.text(&texts.search).raw("</button></form>");
        if let Some(user) = &self.user {
            section
                .raw("<p><a href=\"/admin/audit?user=")
                .text(encoded(user));
            section
                .raw("\">")
                .text(&texts.audit_log_of_user)
                .raw("</a></p>");
        }
        if let Some(user) = self.user.as_deref().filter(|_| !self.sessions.is_empty()) {
            section.add(self.end_all(user));
        }
        if self.sessions.is_empty() {
            section
                .raw("<p>")
                .text(&texts.no_sessions)
                .raw("</p></section>");
            return section;
        }
        section.raw("<ul class=\"cards\">");
        for info in &self.sessions {
            section.add(self.row(info));
        }
        section.raw("</ul>").add(self.next_page()).raw("</section>");
        section
    }

    fn row(&self, info: &SessionInfo) -> Markup {
        let mut row = Markup::default();
        row.raw("<li class=\"card row\"><div><h3>")
            .raw(icon(info))
            .raw("<a href=\"/admin?user=");
        row.text(encoded(info.user_id.as_str())).raw("\">");
        row.isolated(info.user_id.as_str())
            .raw("</a></h3><p class=\"about\">");
        row.isolated(info.name.as_deref().unwrap_or(&info.device))
            .raw(" · ");
        if let Some(place) = place(info) {
            row.isolated(place).raw(" · ");
        }
        row.add(frame::with_time(
            &self.texts.active,
            time(self.texts, info.last_active, self.now),
        ));
        row.raw("</p></div><form class=\"acts\" method=\"post\" action=\"/admin/sessions/")
            .text(info.id);
        row.raw("/end\"><input type=\"hidden\" name=\"user\" value=\"");
        row.text(self.user.as_deref().unwrap_or_default())
            .raw("\">");
        row.add(self.reasons())
            .raw("<button class=\"danger\" aria-label=\"");
        row.text(&self.texts.sign_out)
            .raw(": ")
            .text(info.user_id.as_str())
            .raw(", ");
        row.text(&info.device)
            .raw("\">")
            .text(&self.texts.sign_out)
            .raw("</button></form></li>");
        row
    }

    fn end_all(&self, user: &str) -> Markup {
        let mut form = Markup::default();
        form.raw("<details class=\"ask\"><summary>")
            .text(&self.texts.end_all_of_user);
        form.raw("</summary><form class=\"acts\" method=\"post\" action=\"/admin/users/");
        form.text(encoded(user).replace('+', "%20"))
            .raw("/end-all\">")
            .add(self.reasons());
        form.raw("<button class=\"danger\">")
            .text(&self.texts.end_all_of_user);
        form.raw("</button></form></details>");
        form
    }

    fn reasons(&self) -> Markup {
        let mut select = Markup::default();
        select
            .raw("<label>")
            .text(&self.texts.reason)
            .raw(" <select name=\"reason\">");
        for reason in REASONS {
            select
                .raw("<option value=\"")
                .text(reason.as_str())
                .raw("\">");
            select
                .text(self.texts.reason(reason.as_str()))
                .raw("</option>");
        }
        select.raw("</select></label> ");
        select
    }

    fn next_page(&self) -> Markup {
        let mut link = Markup::default();
        if let Some(next) = self.next {
            let user = encoded(self.user.as_deref().unwrap_or_default());
            link.raw("<p><a rel=\"next\" href=\"/admin?user=")
                .text(user);
            link.raw("&amp;cursor=").text(next).raw("\">");
            link.text(&self.texts.next_page).raw("</a></p>");
        }
        link
    }
}

/// A figure, and where a program finds it.
fn figure(name: &str, of: &'static str, count: &str) -> Markup {
    let mut figure = Markup::default();
    figure
        .raw("<div><dt>")
        .text(name)
        .raw("</dt><dd data-of=\"")
        .raw(of)
        .raw("\">")
        .text(count)
        .raw("</dd></div>");
    figure
}

fn chart(texts: &Texts, title: &str, counts: &[Counts], of: fn(&Counts) -> u64) -> Markup {
    let counts: Vec<_> = counts.iter().map(of).collect();
    bars(texts, title, &counts)
}

/// What events are called, for the script that hears of more.
fn words(texts: &Texts) -> serde_json::Value {
    KINDS
        .iter()
        .map(|event| ((*event).to_owned(), texts.event(event).into()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

pub(super) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

const SHOWN_EVENTS: usize = 50;
