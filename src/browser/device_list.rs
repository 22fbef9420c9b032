//! What "your devices" shows.

use std::collections::HashSet;
use std::time::Duration;

use super::frame::{self, time, with_time};
use super::markup::Markup;
use super::texts::{Texts, counted};
use crate::clock::UnixTime;
use crate::session::risk::RiskFlag;
use crate::session::{DeviceKind, SessionInfo, UserDevices};
use crate::token::SessionId;

/// A user's sessions, as of an instant.
pub(super) struct DeviceList {
    current: Option<SessionInfo>,
    others: Vec<SessionInfo>,
    ended: Vec<SessionInfo>,
    new: HashSet<SessionId>,
    now: UnixTime,
}

impl DeviceList {
    pub(super) fn new(devices: UserDevices, current: Option<SessionId>, now: UnixTime) -> Self {
        let UserDevices {
            live,
            mut ended,
            new,
        } = devices;
        let (mut own, others): (Vec<_>, Vec<_>) =
            live.into_iter().partition(|info| current == Some(info.id));
        ended.truncate(SHOWN_ENDED);
        Self {
            current: own.pop(),
            others,
            ended,
            new,
            now,
        }
    }

    pub(super) fn view(&self, texts: &Texts, notice: Option<String>) -> Markup {
        let mut page = Markup::default();
        page.raw("<h1>").text(&texts.your_devices).raw("</h1>");
        page.add(frame::told(notice.as_deref()));
        if let Some(current) = &self.current {
            page.raw("<section aria-labelledby=\"this\"><h2 id=\"this\">");
            page.text(&texts.this_device)
                .raw("</h2><ul class=\"cards\">");
            page.add(self.card(texts, current, false))
                .raw("</ul></section>");
        }
        page.raw("<section aria-labelledby=\"others\"><h2 id=\"others\">");
        page.text(&texts.other_devices).raw("</h2>");
        if self.others.is_empty() {
            page.raw("<p>").text(&texts.no_sessions).raw("</p>");
        } else {
            page.raw("<ul class=\"cards\">");
            for other in &self.others {
                page.add(self.card(texts, other, true));
            }
            page.raw("</ul>").add(self.end_others(texts));
        }
        page.raw("</section>").add(self.recently_ended(texts));
        page
    }

    fn card(&self, texts: &Texts, info: &SessionInfo, may_end: bool) -> Markup {
        let mut card = Markup::default();
        card.raw("<li class=\"card\"><h3>").raw(icon(info));
        card.isolated(title(info));
        if may_end && self.new.contains(&info.id) {
            card.raw(" <span class=\"new\">")
                .text(&texts.new_device)
                .raw("</span>");
        }
        card.raw("</h3><p class=\"about\">");
        if info.name.is_some() {
            card.isolated(&info.device).raw(" · ");
        }
        if let Some(place) = place(info) {
            card.isolated(place).raw(" · ");
        }
        let last = time(texts, info.last_active, self.now);
        let first = time(texts, info.created_at, self.now);
        card.add(with_time(&texts.active, last)).raw(" · ");
        card.add(with_time(&texts.first_seen, first)).raw("</p>");
        if let Some(flag) = &info.flag {
            card.add(unusual(texts, flag));
        }
        card.raw("<div class=\"acts\">").add(rename(texts, info));
        if may_end {
            card.raw("<form method=\"post\" action=\"/devices/")
                .text(info.id);
            card.raw("/end\"><button class=\"danger\" aria-label=\"")
                .text(&texts.sign_out);
            card.raw(": ")
                .text(title(info))
                .raw("\">")
                .text(&texts.sign_out);
            card.raw("</button></form>");
        }
        card.raw("</div></li>");
        card
    }

    /// Asks first, with and without scripts.
    fn end_others(&self, texts: &Texts) -> Markup {
        let count = self.others.len() as u64;
        let mut form = Markup::default();
        form.raw("<details class=\"ask\"><summary>")
            .text(&texts.sign_out_others);
        form.raw("</summary><form method=\"post\" action=\"/devices/end-others\"><p>");
        form.text(counted(
            count,
            &texts.confirm_others_one,
            &texts.confirm_others,
        ));
        form.raw("</p><button class=\"danger\">")
            .text(&texts.sign_out_others);
        form.raw("</button></form></details>");
        form
    }

    fn recently_ended(&self, texts: &Texts) -> Markup {
        let mut section = Markup::default();
        if self.ended.is_empty() {
            return section;
        }
        section.raw("<section aria-labelledby=\"ended\"><h2 id=\"ended\">");
        section
            .text(&texts.recently_ended)
            .raw("</h2><ul class=\"ended\">");
        for info in &self.ended {
            section.raw("<li>").isolated(title(info)).raw(" · ");
            section.text(texts.reason(info.ended_reason.unwrap_or_default()));
            if let Some(at) = info.ended_at {
                section.raw(" · ").add(time(texts, at, self.now));
            }
            section.raw("</li>");
        }
        section.raw("</ul></section>");
        section
    }
}

fn unusual(texts: &Texts, flag: &RiskFlag) -> Markup {
    let mut note = Markup::default();
    let what = flag.signals.iter().map(|signal| texts.unusual(signal));
    let what: Vec<_> = what.collect();
    let told = texts.unusual.replace("{what}", &what.join(", "));
    note.raw("<p class=\"unusual\">").text(told).raw("</p>");
    note
}

fn rename(texts: &Texts, info: &SessionInfo) -> Markup {
    let mut form = Markup::default();
    form.raw("<details><summary aria-label=\"")
        .text(&texts.rename)
        .raw(": ");
    form.text(title(info))
        .raw("\">")
        .text(&texts.rename)
        .raw("</summary>");
    form.raw("<form method=\"post\" action=\"/devices/")
        .text(info.id);
    form.raw("/name\"><label>").text(&texts.name);
    form.raw(" <input name=\"name\" maxlength=\"64\" dir=\"auto\" autocomplete=\"off\" value=\"");
    form.text(info.name.as_deref().unwrap_or_default())
        .raw("\"></label> <small>");
    form.text(&texts.name_hint)
        .raw("</small> <button>")
        .text(&texts.save);
    form.raw("</button></form></details>");
    form
}

/// A picture of the kind of device, which its name says as well.
pub(super) fn icon(info: &SessionInfo) -> &'static str {
    match info.device_kind {
        DeviceKind::Phone => {
            "<svg viewBox=\"0 0 20 20\" aria-hidden=\"true\">\
             <rect x=\"6\" y=\"2\" width=\"8\" height=\"16\" rx=\"1.5\"/><path d=\"M9 15.5h2\"/></svg>"
        }
        DeviceKind::Tablet => {
            "<svg viewBox=\"0 0 20 20\" aria-hidden=\"true\">\
             <rect x=\"4\" y=\"2\" width=\"12\" height=\"16\" rx=\"1.5\"/><path d=\"M9 15.5h2\"/></svg>"
        }
        DeviceKind::Script => {
            "<svg viewBox=\"0 0 20 20\" aria-hidden=\"true\">\
             <rect x=\"2\" y=\"3\" width=\"16\" height=\"14\" rx=\"1.5\"/>\
             <path d=\"m5 7 3 3-3 3m5 0h5\"/></svg>"
        }
        _ => {
            "<svg viewBox=\"0 0 20 20\" aria-hidden=\"true\">\
             <rect x=\"3\" y=\"4\" width=\"14\" height=\"9\" rx=\"1\"/><path d=\"M1 16h18\"/></svg>"
        }
    }
}

fn title(info: &SessionInfo) -> &str {
    info.name.as_deref().unwrap_or(&info.device)
}

/// Where it was signed in, as far as that is known.
pub(super) fn place(info: &SessionInfo) -> Option<String> {
    let address = info.ip_address.map(|address| address.to_string());
    let parts = [info.city.clone(), info.country.clone(), address];
    let known: Vec<String> = parts.into_iter().flatten().collect();
    (!known.is_empty()).then(|| known.join(", "))
}

const SHOWN_ENDED: usize = 10;
/// How long a device is pointed out as a new one.
pub(super) const NEW: Duration = Duration::from_secs(24 * 60 * 60);
