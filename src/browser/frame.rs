//! What stands around every page: the head, the navigation bar and the headers of the answer.

use std::time::Duration;

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::Full;

use super::markup::Markup;
use super::{Pages, Texts, assets};
use crate::clock::UnixTime;
use crate::endpoints::Response;
use crate::session::Session;
use crate::verify::CustomClaims;

impl<C: CustomClaims> Pages<C> {
    /// A page of the application in the frame of these, with their navigation bar: `main` is HTML
    /// and put in as it is, so it has to be part of the program; `title` and `notice` are text.
    #[must_use]
    pub fn page(
        &self,
        request: &Parts,
        status: StatusCode,
        title: &str,
        main: &'static str,
        notice: Option<&str>,
    ) -> Response {
        let mut content = Markup::default();
        content.raw("<h1>").text(title).raw("</h1>");
        content.add(told(notice));
        content.raw(main);
        self.framed(request, status, title, content)
    }

    pub(super) fn framed(
        &self,
        request: &Parts,
        status: StatusCode,
        title: &str,
        main: Markup,
    ) -> Response {
        let texts = self.texts(request);
        let session = request.extensions.get::<Session>();
        let mut page = self.head(texts, title, session);
        page.add(self.navigation(texts, session, request.uri.path()));
        page.raw("<main id=\"main\" tabindex=\"-1\">").add(main);
        page.raw("</main></body></html>\n");
        html(status, page)
    }

    fn head(&self, texts: &Texts, title: &str, session: Option<&Session>) -> Markup {
        let mut head = Markup::default();
        head.raw("<!doctype html><html lang=\"")
            .text(&texts.language);
        head.raw(if texts.right_to_left {
            "\" dir=\"rtl\">"
        } else {
            "\" dir=\"ltr\">"
        });
        head.raw("<head><meta charset=\"utf-8\"><title>")
            .text(title)
            .raw("</title>");
        head.raw("<meta name=\"viewport\" content=\"width=device-width\">");
        head.raw("<meta name=\"color-scheme\" content=\"light dark\">");
        head.raw("<link rel=\"icon\" href=\"data:,\">");
        head.raw("<link rel=\"stylesheet\" href=\"/pages.css?v=")
            .text(assets::STYLE.version());
        if let Some(path) = &self.settings.stylesheet {
            head.raw("\"><link rel=\"stylesheet\" href=\"").text(path);
        }
        head.raw("\">").add(self.declaration(session));
        head.raw("<script type=\"module\" src=\"/token-manager.js?v=");
        head.text(assets::TOKEN_MANAGER.version());
        head.raw("\"></script><script type=\"module\" src=\"/pages.js?v=");
        head.text(assets::SCRIPT.version())
            .raw("\"></script></head>");
        head
    }

    /// What the token manager is told: how to refresh, and the session.
    fn declaration(&self, session: Option<&Session>) -> Markup {
        let mut meta = Markup::default();
        let grace = self.auth.rotation().grace();
        meta.raw("<meta name=\"token-manager\" content=\"cookie\" data-timeout=\"");
        meta.text(timeout(grace).as_millis()).raw("\"");
        if grace.is_zero() {
            meta.raw(" data-strict=\"true\"");
        }
        if let Some((session, id)) = session.and_then(|session| Some((session, session.id()?))) {
            let binding = session.token().facts().binding;
            let left = session.expires_at().since(self.auth.clock().now());
            meta.raw(" data-session=\"").text(id);
            meta.raw("\" data-generation=\"")
                .text(binding.map_or(0, |binding| binding.generation));
            meta.raw("\" data-expires-in=\"")
                .text(left.as_secs())
                .raw("\"");
        }
        meta.raw(">");
        meta
    }

    fn navigation(&self, texts: &Texts, session: Option<&Session>, path: &str) -> Markup {
        let mut bar = Markup::default();
        bar.raw("<body data-signed-out=\"").text(&texts.signed_out);
        bar.raw("\" data-reasons=\"").text(reasons(texts));
        bar.raw("\" data-again=\"").text(&texts.sign_in_again);
        bar.raw("\" data-failed=\"")
            .text(texts.not_done.replace("{why}", &texts.cannot_read));
        bar.raw("\" data-ago=\"").text(ago(texts));
        bar.raw("\" data-now=\"").text(self.auth.clock().now());
        bar.raw("\" data-sign-in=\"").text(&self.settings.sign_in);
        bar.raw("\"><a class=\"skip\" href=\"#main\">")
            .text(&texts.skip);
        bar.raw("</a><header><nav><a href=\"/\">");
        bar.text(&self.auth.policy().issuer).raw("</a>");
        let mut link = |to: &'static str, text: &str| {
            bar.raw("<a href=\"").text(to).raw("\"");
            if to == path {
                bar.raw(" aria-current=\"page\"");
            }
            bar.raw(">").text(text).raw("</a>");
        };
        let Some(session) = session else {
            bar.raw("</nav><a href=\"").text(&self.settings.sign_in);
            bar.raw("\">").text(&texts.sign_in);
            bar.raw("</a></header>");
            return bar;
        };
        link("/devices", &texts.devices);
        if session.has_role(&self.settings.admin_role) {
            link("/admin", &texts.admin);
        }
        bar.raw("</nav><form method=\"post\" action=\"/sign-out\"><button>");
        bar.text(&texts.sign_out).raw("</button></form></header>");
        bar
    }
}

/// What has just been done or has failed, read out by screen readers.
pub(super) fn told(notice: Option<&str>) -> Markup {
    let mut told = Markup::default();
    told.raw("<p id=\"notice\" role=\"status\" tabindex=\"-1\">");
    told.text(notice.unwrap_or_default()).raw("</p>");
    told
}

/// An instant in words, and exactly for whoever hovers over it.
pub(super) fn time(texts: &Texts, at: UnixTime, now: UnixTime) -> Markup {
    let mut time = Markup::default();
    time.raw("<time datetime=\"")
        .text(at)
        .raw("\" title=\"")
        .text(at);
    time.raw("\">")
        .text(texts.ago(now.since(at)))
        .raw("</time>");
    time
}

/// A text with a place for an instant.
pub(super) fn with_time(text: &str, time: Markup) -> Markup {
    let (before, after) = text.split_once("{when}").unwrap_or((text, ""));
    let mut markup = Markup::default();
    markup.text(before).add(time).text(after);
    markup
}

/// The first language that the reader asks for and there is.
pub(super) fn chosen<'t>(texts: &'t [Texts], headers: &HeaderMap) -> &'t Texts {
    let asked = headers.get(http::header::ACCEPT_LANGUAGE);
    let asked = asked
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let tags = asked.split(',').filter_map(|range| range.split(';').next());
    let primary = |tag: &str| {
        tag.trim()
            .split('-')
            .next()
            .unwrap_or_default()
            .to_lowercase()
    };
    tags.map(primary)
        .find_map(|asked| texts.iter().find(|texts| primary(&texts.language) == asked))
        .unwrap_or(&texts[0])
}

/// Why a session ended, for the script that hears of it.
fn reasons(texts: &Texts) -> serde_json::Value {
    REASONS
        .iter()
        .map(|reason| ((*reason).to_owned(), texts.reason(reason).into()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// How long ago something was, in words: from how many seconds on, for one, for many.
fn ago(texts: &Texts) -> serde_json::Value {
    serde_json::json!([
        [86_400, texts.days_ago_one, texts.days_ago],
        [3_600, texts.hours_ago_one, texts.hours_ago],
        [60, texts.minutes_ago_one, texts.minutes_ago],
    ])
}

/// When a script gives an answer to a refresh up: early enough for asking again within the grace.
fn timeout(grace: Duration) -> Duration {
    const LONGEST: Duration = Duration::from_secs(8);
    if grace.is_zero() {
        return LONGEST;
    }
    (grace / 2).clamp(Duration::from_secs(1), LONGEST)
}

fn html(status: StatusCode, page: Markup) -> Response {
    let mut response = Response::new(Full::new(Bytes::from(page.into_string())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        // Not `no-referrer`: forms would come from the origin `null`.
        (REFERRER_POLICY, "same-origin"),
        (VARY, "accept-language, cookie"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

const REASONS: [&str; 11] = [
    "admin_revoked",
    "evicted",
    "expired",
    "idle",
    // None of these.
    "other",
    "password_changed",
    "refresh_reused",
    "signed_out",
    "suspicious",
    "user_removed",
    "user_revoked",
];
