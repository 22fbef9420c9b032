use DeviceKind::{App, Desktop, Phone, Script, Tablet, Unknown};

use super::*;

mod headers;

const WEBKIT: &str = "AppleWebKit/537.36 (KHTML, like Gecko)";
const APPLE: &str = "AppleWebKit/605.1.15 (KHTML, like Gecko)";
const WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)";
const MAC: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)";
const X11: &str = "Mozilla/5.0 (X11; Linux x86_64)";
const PIXEL: &str = "Mozilla/5.0 (Linux; Android 14; Pixel 8)";
const GALAXY: &str = "Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-S918B)";
const TAB: &str = "Mozilla/5.0 (Linux; Android 13; SM-X906C)";
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X)";
const IPAD: &str = "Mozilla/5.0 (iPad; CPU OS 17_4 like Mac OS X)";
const CROS: &str = "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0)";
const CHROME: &str = "Chrome/124.0.0.0 Safari/537.36";
const MOBILE_CHROME: &str = "Chrome/124.0.0.0 Mobile Safari/537.36";

fn check(rows: &[(String, &str, DeviceKind)]) {
    for (user_agent, label, kind) in rows {
        let device = Device::from_user_agent(user_agent);
        assert_eq!(
            (device.label.as_str(), device.kind),
            (*label, *kind),
            "{user_agent}"
        );
    }
}

fn row<'l>(user_agent: &str, label: &'l str, kind: DeviceKind) -> (String, &'l str, DeviceKind) {
    (user_agent.to_owned(), label, kind)
}

#[test]
fn browsers_on_computers_are_recognised() {
    let on = |system: &str, tail: &str| format!("{system} {WEBKIT} {tail}");
    let chrome = |more: &str| format!("{CHROME} {more}");
    check(&[
        (on(WINDOWS, CHROME), "Chrome on Windows", Desktop),
        (on(MAC, CHROME), "Chrome on macOS", Desktop),
        (on(X11, CHROME), "Chrome on Linux", Desktop),
        (on(CROS, CHROME), "Chrome on ChromeOS", Desktop),
        (
            on(WINDOWS, &chrome("Edg/124.0.2478.51")),
            "Edge on Windows",
            Desktop,
        ),
        (
            on(MAC, &chrome("Edg/124.0.2478.51")),
            "Edge on macOS",
            Desktop,
        ),
        (
            on(WINDOWS, "Chrome/64.0.3282.140 Safari/537.36 Edge/18.17763"),
            "Edge on Windows",
            Desktop,
        ),
        (
            on(WINDOWS, &chrome("OPR/109.0.0.0")),
            "Opera on Windows",
            Desktop,
        ),
        (on(X11, &chrome("OPR/109.0.0.0")), "Opera on Linux", Desktop),
        (
            on(WINDOWS, &chrome("Vivaldi/6.7")),
            "Vivaldi on Windows",
            Desktop,
        ),
        (
            on(WINDOWS, "Chrome/122.0.0.0 YaBrowser/24.4.0.0 Safari/537.36"),
            "Yandex Browser on Windows",
            Desktop,
        ),
        (
            on(
                X11,
                "Ubuntu Chromium/80.0.3987.163 Chrome/80.0.3987.163 Safari/537.36",
            ),
            "Chromium on Linux",
            Desktop,
        ),
        (
            format!("{MAC} {APPLE} Version/17.4.1 Safari/605.1.15"),
            "Safari on macOS",
            Desktop,
        ),
        (
            format!("{MAC} {APPLE} Version/17.4.1 Safari/605.1.15 Ddg/17.4"),
            "DuckDuckGo on macOS",
            Desktop,
        ),
        row(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:125.0) Gecko/20100101 Firefox/125.0",
            "Firefox on Windows",
            Desktop,
        ),
        row(
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:125.0) Gecko/20100101 Firefox/125.0",
            "Firefox on macOS",
            Desktop,
        ),
        row(
            "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
            "Firefox on Linux",
            Desktop,
        ),
        row(
            "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
            "Internet Explorer on Windows",
            Desktop,
        ),
        row(
            "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)",
            "Internet Explorer on Windows",
            Desktop,
        ),
        row(
            "Opera/9.80 (Windows NT 6.1) Presto/2.12.388 Version/12.18",
            "Opera on Windows",
            Desktop,
        ),
        row(
            "Lynx/2.8.9rel.1 libwww-FM/2.14 SSL-MM/1.4.1 GNUTLS/3.6.13",
            "Lynx",
            Unknown,
        ),
    ]);
}

#[test]
fn browsers_on_phones_and_tablets_are_recognised() {
    let on = |system: &str, tail: &str| format!("{system} {WEBKIT} {tail}");
    let apple =
        |system: &str, tail: &str| format!("{system} {APPLE} {tail} Mobile/15E148 Safari/604.1");
    check(&[
        (on(PIXEL, MOBILE_CHROME), "Chrome on Android", Phone),
        (on(TAB, CHROME), "Chrome on Android", Tablet),
        (
            on(PIXEL, &format!("{MOBILE_CHROME} EdgA/124.0.2478.62")),
            "Edge on Android",
            Phone,
        ),
        (
            on(PIXEL, &format!("{MOBILE_CHROME} OPR/81.5.4292.78446")),
            "Opera on Android",
            Phone,
        ),
        (
            on(
                GALAXY,
                "SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36",
            ),
            "Samsung Internet on Android",
            Phone,
        ),
        (
            on(TAB, "SamsungBrowser/25.0 Chrome/121.0.0.0 Safari/537.36"),
            "Samsung Internet on Android",
            Tablet,
        ),
        (
            on(PIXEL, "DuckDuckGo/5 Chrome/124.0.0.0 Mobile Safari/537.36"),
            "DuckDuckGo on Android",
            Phone,
        ),
        row(
            "Mozilla/5.0 (Android 14; Mobile; rv:125.0) Gecko/125.0 Firefox/125.0",
            "Firefox on Android",
            Phone,
        ),
        row(
            "Mozilla/5.0 (Android 13; Tablet; rv:125.0) Gecko/125.0 Firefox/125.0",
            "Firefox on Android",
            Tablet,
        ),
        row(
            "Mozilla/5.0 (Linux; U; Android 4.0.3; de-de; GT-I9100) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile Safari/534.30",
            "Android Browser on Android",
            Phone,
        ),
        (apple(IPHONE, "Version/17.4.1"), "Safari on iOS", Phone),
        (apple(IPAD, "Version/17.4.1"), "Safari on iPadOS", Tablet),
        (apple(IPHONE, "CriOS/124.0.6367.71"), "Chrome on iOS", Phone),
        (
            apple(IPAD, "CriOS/124.0.6367.71"),
            "Chrome on iPadOS",
            Tablet,
        ),
        (apple(IPHONE, "FxiOS/125.2"), "Firefox on iOS", Phone),
        (
            apple(IPHONE, "Version/17.0 EdgiOS/124.0.2478.50"),
            "Edge on iOS",
            Phone,
        ),
        (
            apple(IPHONE, "Version/17.4 OPT/4.6.0"),
            "Opera on iOS",
            Phone,
        ),
        row(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 14_0 like Mac OS X)",
            "Safari on iOS",
            Phone,
        ),
        row(
            "Mozilla/5.0 (iPod touch; CPU iPhone OS 12_0 like Mac OS X)",
            "Safari on iOS",
            Phone,
        ),
        row(
            "Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/52.0.2743.116 Mobile Safari/537.36 Edge/15.14977",
            "Edge on Windows Phone",
            Phone,
        ),
    ]);
}

#[test]
fn applications_go_by_their_own_name() {
    check(&[
        (
            format!(
                "{IPHONE} {APPLE} Mobile/15E148 [FBAN/FBIOS;FBAV/460.0.0.33.109;FBDV/iPhone14,2]"
            ),
            "Facebook on iOS",
            App,
        ),
        (
            format!(
                "{IPHONE} {APPLE} Mobile/15E148 Instagram 329.0.0.29.96 (iPhone13,2; iOS 17_4)"
            ),
            "Instagram on iOS",
            App,
        ),
        (format!("{IPHONE} {APPLE} Mobile/15E148"), "App on iOS", App),
        row(
            "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/UD1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/124.0.0.0 Mobile Safari/537.36",
            "App on Android",
            App,
        ),
        (
            format!(
                "{MAC} {WEBKIT} Slack/4.37.101 Chrome/122.0.6261.57 Electron/29.0.1 Safari/537.36"
            ),
            "Slack on macOS",
            App,
        ),
        (
            format!(
                "{WINDOWS} {WEBKIT} My-Notes/2.1.0 Chrome/122.0.6261.57 Electron/29.0.1 Safari/537.36"
            ),
            "My-Notes on Windows",
            App,
        ),
        row(
            "My%20App/145 CFNetwork/1410.0.3 Darwin/22.6.0",
            "My App",
            App,
        ),
        row(
            "Tracker/3.2 (iPhone; iOS 17.1; Scale/3.00)",
            "Tracker on iOS",
            App,
        ),
        row(
            "Tracker/3.2 (com.example.tracker; build:7; iOS 17.1.0) Alamofire/5.8.1",
            "Tracker on iOS",
            App,
        ),
        row(
            "Dalvik/2.1.0 (Linux; U; Android 13; Pixel 7 Build/TQ3A)",
            "App on Android",
            App,
        ),
    ]);
}

#[test]
fn command_line_clients_and_libraries_are_scripts() {
    check(&[
        row("curl/8.5.0", "curl", Script),
        row(
            "curl/7.64.1 (x86_64-apple-darwin20.0) libcurl/7.64.1",
            "curl on macOS",
            Script,
        ),
        row("Wget/1.21.2 (linux-gnu)", "Wget on Linux", Script),
        row("HTTPie/3.2.2", "HTTPie", Script),
        row("python-requests/2.31.0", "python-requests", Script),
        row("python-httpx/0.27.0", "HTTPX", Script),
        row("Python/3.11 aiohttp/3.9.5", "aiohttp", Script),
        row("Python-urllib/3.11", "python-urllib", Script),
        row("okhttp/4.12.0", "okhttp", Script),
        row("Go-http-client/1.1", "Go", Script),
        row("PostmanRuntime/7.37.3", "Postman", Script),
        row("axios/1.6.8", "axios", Script),
        row("node", "Node.js", Script),
        row("reqwest/0.12.4", "reqwest", Script),
        row("Java/17.0.10", "Java", Script),
        row(
            "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.19041.1",
            "PowerShell on Windows",
            Script,
        ),
        row("my-service/1.0", "my-service", Script),
    ]);
}

#[test]
fn bots_are_scripts() {
    check(&[
        row(
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Googlebot",
            Script,
        ),
        (
            format!(
                "{PIXEL} {WEBKIT} {MOBILE_CHROME} (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
            ),
            "Googlebot",
            Script,
        ),
        row(
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
            "Bingbot",
            Script,
        ),
        row(
            "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
            "Facebook crawler",
            Script,
        ),
        row(
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.0; +https://openai.com/gptbot)",
            "GPTBot",
            Script,
        ),
        row("kube-probe/1.29", "Kubernetes probe", Script),
        (
            format!("{X11} {WEBKIT} HeadlessChrome/124.0.0.0 Safari/537.36"),
            "Headless Chrome",
            Script,
        ),
        row(
            "Mozilla/5.0 (compatible; SomeNewBot/0.1; +https://example.com)",
            "Bot",
            Script,
        ),
    ]);
}

#[test]
fn nothing_is_made_up_about_the_unknown() {
    check(&[
        row("", "Unknown Device", Unknown),
        row("   ", "Unknown Device", Unknown),
        row("-", "Unknown Device", Unknown),
        row("Mozilla/5.0", "Unknown Device", Unknown),
        row("\u{202e}\u{0}", "Unknown Device", Unknown),
        row(
            "Mozilla/5.0 (Windows NT 10.0)",
            "Unknown Browser on Windows",
            Desktop,
        ),
    ]);
}
