//! What the pages say, in English and German, each text to be replaced.

use std::borrow::Cow;
use std::time::Duration;

macro_rules! texts {
    ($($name:ident: $english:literal, $german:literal;)*) => {
        /// What the pages say.
        ///
        /// # Examples
        ///
        /// ```
        /// use tower_jwt_session::browser::Texts;
        ///
        /// let mut texts = Texts::english();
        /// texts.your_devices = "Where you are signed in".into();
        /// ```
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub struct Texts {
            /// The language (RFC 5646), as `en`.
            pub language: Cow<'static, str>,
            /// Whether it is written from right to left.
            pub right_to_left: bool,
            $(#[doc = concat!("In English: ", $english)] pub $name: Cow<'static, str>,)*
        }

        impl Texts {
            /// The pages in English.
            #[must_use]
            pub fn english() -> Self {
                Self {
                    language: "en".into(),
                    right_to_left: false,
                    $($name: Cow::Borrowed($english),)*
                }
            }

            /// The pages in German.
            #[must_use]
            pub fn german() -> Self {
                Self {
                    language: "de".into(),
                    right_to_left: false,
                    $($name: Cow::Borrowed($german),)*
                }
            }
        }
    };
}

texts! {
    active: "Active {when}", "Aktiv {when}";
    admin: "Administration", "Verwaltung";
    all_devices: "All sessions", "Alle Sitzungen";
    being_counted: "Still being counted; load the page again.", "Wird noch gezählt; bitte neu laden.";
    by_minute: "By minute, up to {most}", "Je Minute, höchstens {most}";
    cannot_read: "This cannot be shown right now. Try again in a moment.", "Das kann gerade nicht angezeigt werden. Bitte gleich noch einmal versuchen.";
    confirm_others: "Sign out {count} other devices? They have to sign in again.", "{count} andere Geräte abmelden? Sie müssen sich neu anmelden.";
    confirm_others_one: "Sign out the other device? It has to sign in again.", "Das andere Gerät abmelden? Es muss sich neu anmelden.";
    counted: "Counted {when}", "Gezählt {when}";
    days_ago: "{count} days ago", "vor {count} Tagen";
    days_ago_one: "yesterday", "gestern";
    device: "Device", "Gerät";
    devices: "Devices", "Geräte";
    done_all: "{count} devices were signed out.", "{count} Geräte wurden abgemeldet.";
    done_all_one: "One device was signed out.", "Ein Gerät wurde abgemeldet.";
    done_end: "The device was signed out.", "Das Gerät wurde abgemeldet.";
    done_name: "The name was saved.", "Der Name wurde gespeichert.";
    end_all_of_user: "Sign out this user everywhere", "Diese Person überall abmelden";
    ended: "Ended", "Beendet";
    event_ended: "ended", "beendet";
    event_refresh_failed: "refresh failed", "Erneuerung gescheitert";
    event_refreshed: "refreshed", "erneuert";
    event_renamed: "renamed", "umbenannt";
    event_replay_accepted: "answered again", "noch einmal beantwortet";
    event_roles_changed: "roles changed", "Rollen geändert";
    event_sign_in_refused: "sign-in refused", "Anmeldung abgewiesen";
    event_signed_in: "signed in", "angemeldet";
    events: "Events on this node", "Ereignisse auf diesem Knoten";
    first_seen: "First seen {when}", "Zuerst gesehen {when}";
    hour: "Last hour", "Letzte Stunde";
    hours_ago: "{count} hours ago", "vor {count} Stunden";
    hours_ago_one: "1 hour ago", "vor 1 Stunde";
    just_now: "just now", "gerade eben";
    live_sessions: "Live sessions", "Laufende Sitzungen";
    live_users: "Users with a session", "Personen mit Sitzung";
    minutes_ago: "{count} minutes ago", "vor {count} Minuten";
    minutes_ago_one: "1 minute ago", "vor 1 Minute";
    name: "Name", "Name";
    name_hint: "At most 64 characters; empty for none.", "Höchstens 64 Zeichen; leer für keinen.";
    new_device: "New", "Neu";
    next_page: "Next 100", "Nächste 100";
    no_events: "Nothing has happened yet.", "Noch ist nichts geschehen.";
    no_sessions: "There are none.", "Es gibt keine.";
    not_done: "That did not work: {why}", "Das hat nicht geklappt: {why}";
    on_all_nodes: "Now, on all nodes", "Jetzt, auf allen Knoten";
    other_devices: "Other devices", "Andere Geräte";
    reason: "Reason", "Grund";
    reason_admin_revoked: "ended by an administrator", "von der Verwaltung beendet";
    reason_evicted: "made room for a newer sign-in", "wich einer neueren Anmeldung";
    reason_expired: "expired", "abgelaufen";
    reason_idle: "not used for too long", "zu lange nicht benutzt";
    reason_other: "ended", "beendet";
    reason_password_changed: "the password was changed", "das Passwort wurde geändert";
    reason_refresh_reused: "ended for safety: its sign-in was used twice", "zur Sicherheit beendet: die Anmeldung wurde doppelt benutzt";
    reason_signed_out: "signed out", "abgemeldet";
    reason_suspicious: "it looked suspicious", "sie war verdächtig";
    reason_user_removed: "the account was removed", "das Konto wurde entfernt";
    reason_user_revoked: "signed out from another device", "von einem anderen Gerät abgemeldet";
    recently_ended: "Recently ended", "Kürzlich beendet";
    refreshes: "Refreshes", "Erneuerungen";
    refused: "Refused", "Abgewiesen";
    rename: "Rename", "Umbenennen";
    save: "Save", "Speichern";
    search: "Search", "Suchen";
    sign_in: "Sign in", "Anmelden";
    sign_in_again: "Sign in again", "Neu anmelden";
    sign_ins: "Sign-ins", "Anmeldungen";
    sign_out: "Sign out", "Abmelden";
    sign_out_others: "Sign out all other devices", "Alle anderen Geräte abmelden";
    signed_out: "You were signed out: {why}.", "Sie wurden abgemeldet: {why}.";
    skip: "Skip to content", "Zum Inhalt";
    this_device: "This device", "Dieses Gerät";
    this_node: "This node", "Dieser Knoten";
    this_node_only: "What this node has seen since it started. Other nodes count for themselves.", "Was dieser Knoten seit seinem Start gesehen hat. Andere Knoten zählen für sich.";
    today: "Last day", "Letzter Tag";
    unusual: "Unusual: {what}. If this was not you, sign this device out and change your password.", "Ungewöhnlich: {what}. Wenn Sie das nicht waren, melden Sie dieses Gerät ab und ändern Sie Ihr Passwort.";
    unusual_address_change: "another network than before", "ein anderes Netz als zuvor";
    unusual_impossible_travel: "too far from where you were shortly before", "zu weit von dem Ort, an dem Sie kurz zuvor waren";
    unusual_many_new_devices: "many new devices in a short time", "viele neue Geräte in kurzer Zeit";
    unusual_new_country: "a country you have not been seen in", "ein Land, in dem Sie bisher nicht gesehen wurden";
    unusual_other: "something you have not done before", "etwas, das Sie bisher nicht getan haben";
    unusual_refresh_failures: "many failed attempts to stay signed in", "viele fehlgeschlagene Versuche, angemeldet zu bleiben";
    unusual_user_agent_change: "another browser than before", "ein anderer Browser als zuvor";
    user: "User", "Person";
    your_devices: "Your devices", "Ihre Geräte";
}

impl Texts {
    /// How long ago something was, in words.
    pub(super) fn ago(&self, passed: Duration) -> String {
        let minutes = passed.as_secs() / 60;
        let (count, one, many) = match minutes {
            0 => return self.just_now.to_string(),
            1..60 => (minutes, &self.minutes_ago_one, &self.minutes_ago),
            60..1440 => (minutes / 60, &self.hours_ago_one, &self.hours_ago),
            _ => (minutes / 1440, &self.days_ago_one, &self.days_ago),
        };
        counted(count, one, many)
    }

    /// What an event is called; by its plain name where it is a rare one.
    pub(super) fn event(&self, what: &str) -> Cow<'_, str> {
        let name = match what {
            "ended" => &self.event_ended,
            "refresh_failed" => &self.event_refresh_failed,
            "refreshed" => &self.event_refreshed,
            "renamed" => &self.event_renamed,
            "replay_accepted" => &self.event_replay_accepted,
            "roles_changed" => &self.event_roles_changed,
            "sign_in_refused" => &self.event_sign_in_refused,
            "signed_in" => &self.event_signed_in,
            other => return other.replace('_', " ").into(),
        };
        Cow::Borrowed(name)
    }

    /// Why a session ended.
    /// What is unusual, by the name of its signal.
    pub(super) fn unusual(&self, signal: &str) -> &str {
        match signal {
            "address_change" => &self.unusual_address_change,
            "impossible_travel" => &self.unusual_impossible_travel,
            "many_new_devices" => &self.unusual_many_new_devices,
            "new_country" => &self.unusual_new_country,
            "refresh_failures" => &self.unusual_refresh_failures,
            "user_agent_change" => &self.unusual_user_agent_change,
            _ => &self.unusual_other,
        }
    }

    pub(super) fn reason(&self, reason: &str) -> &str {
        self.known_reason(reason).unwrap_or(&self.reason_other)
    }

    pub(super) fn known_reason(&self, reason: &str) -> Option<&str> {
        Some(match reason {
            "admin_revoked" => &self.reason_admin_revoked,
            "evicted" => &self.reason_evicted,
            "expired" => &self.reason_expired,
            "idle" => &self.reason_idle,
            "password_changed" => &self.reason_password_changed,
            "refresh_reused" => &self.reason_refresh_reused,
            "signed_out" => &self.reason_signed_out,
            "suspicious" => &self.reason_suspicious,
            "user_removed" => &self.reason_user_removed,
            "user_revoked" => &self.reason_user_revoked,
            _ => return None,
        })
    }
}

/// A text in the singular or the plural.
pub(super) fn counted(count: u64, one: &str, many: &str) -> String {
    let text = if count == 1 { one } else { many };
    text.replace("{count}", &count.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_words() {
        let english = Texts::english();
        let ago = |secs| english.ago(Duration::from_secs(secs));
        assert_eq!(ago(59), "just now");
        assert_eq!(ago(60), "1 minute ago");
        assert_eq!(ago(3_599), "59 minutes ago");
        assert_eq!(ago(7_200), "2 hours ago");
        assert_eq!(ago(86_400), "yesterday");
        assert_eq!(ago(10 * 86_400), "10 days ago");
        assert_eq!(
            Texts::german().ago(Duration::from_secs(180)),
            "vor 3 Minuten"
        );
    }
}
