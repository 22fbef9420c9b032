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
    all_events: "All events", "Alle Ereignisse";
    all_devices: "All sessions", "Alle Sitzungen";
    audit_log: "Audit log", "Protokoll";
    audit_log_of_user: "Audit log of this user", "Protokoll dieser Person";
    being_counted: "Still being counted; load the page again.", "Wird noch gezählt; bitte neu laden.";
    by: "by {who}", "durch {who}";
    by_minute: "By minute, up to {most}", "Je Minute, höchstens {most}";
    cannot_read: "This cannot be shown right now. Try again in a moment.", "Das kann gerade nicht angezeigt werden. Bitte gleich noch einmal versuchen.";
    confirm_others: "Sign out {count} other devices? They have to sign in again.", "{count} andere Geräte abmelden? Sie müssen sich neu anmelden.";
    confirm_others_one: "Sign out the other device? It has to sign in again.", "Das andere Gerät abmelden? Es muss sich neu anmelden.";
    counted: "Counted {when}", "Gezählt {when}";
    counted_from_log: "Counted from the audit log {when}.", "Gezählt nach dem Protokoll {when}.";
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
    event: "Event", "Ereignis";
    event_audit_lost: "entries of the log lost", "Einträge des Protokolls verloren";
    event_ended: "ended", "beendet";
    event_erased: "user erased", "Person gelöscht";
    event_log_changed: "another revocation log", "anderes Widerrufsprotokoll";
    event_new_device: "new device", "neues Gerät";
    event_reauthenticated: "proved who they are again", "erneut ausgewiesen";
    event_refresh_failed: "refresh failed", "Erneuerung gescheitert";
    event_refreshed: "refreshed", "erneuert";
    event_renamed: "renamed", "umbenannt";
    event_replay_accepted: "answered again", "noch einmal beantwortet";
    event_restored_ahead: "ahead of a restored store", "weiter als der wiederhergestellte Speicher";
    event_risk_raised: "something unusual", "etwas Ungewöhnliches";
    event_roles_changed: "roles changed", "Rollen geändert";
    event_sign_in_refused: "sign-in refused", "Anmeldung abgewiesen";
    event_signed_in: "signed in", "angemeldet";
    event_store_back: "store is back", "Speicher wieder da";
    event_store_lost: "store lost", "Speicher ausgefallen";
    event_token_revoked: "token revoked", "Token widerrufen";
    event_too_many_refresh_failures: "many failed refreshes", "viele gescheiterte Erneuerungen";
    event_untracked_issued: "token without a session made", "Token ohne Sitzung ausgestellt";
    event_view_fresh: "answers by itself again", "antwortet wieder selbst";
    event_view_stale: "asks the store for each request", "fragt den Speicher bei jeder Anfrage";
    event_written_back: "revocations written back", "Widerrufe zurückgeschrieben";
    events: "Events on this node", "Ereignisse auf diesem Knoten";
    first_seen: "First seen {when}", "Zuerst gesehen {when}";
    hour: "Last hour", "Letzte Stunde";
    hours_ago: "{count} hours ago", "vor {count} Stunden";
    hours_ago_one: "1 hour ago", "vor 1 Stunde";
    just_now: "just now", "gerade eben";
    lately_on_all_nodes: "Lately, on all nodes", "In letzter Zeit, auf allen Knoten";
    latest_entries: "Latest entries", "Neueste Einträge";
    live_sessions: "Live sessions", "Laufende Sitzungen";
    live_users: "Users with a session", "Personen mit Sitzung";
    log_too_long: "Complete since {when}: the log holds more than is read for this page.", "Vollständig seit {when}: Das Protokoll enthält mehr, als für diese Seite gelesen wird.";
    minutes_ago: "{count} minutes ago", "vor {count} Minuten";
    minutes_ago_one: "1 minute ago", "vor 1 Minute";
    name: "Name", "Name";
    name_hint: "At most 64 characters; empty for none.", "Höchstens 64 Zeichen; leer für keinen.";
    new_device: "New", "Neu";
    next_page: "Next 100", "Nächste 100";
    no_audit_log: "No audit log is kept.", "Es wird kein Protokoll geführt.";
    no_entries: "There are no such entries.", "Es gibt keine solchen Einträge.";
    no_entries_yet: "None among the entries that were looked through; there are older ones.", "Keine unter den durchgesehenen Einträgen; es gibt ältere.";
    no_events: "Nothing has happened yet.", "Noch ist nichts geschehen.";
    no_refreshes_in_log: "Refreshes are counted here where SESSION_AUDIT is all.", "Erneuerungen werden hier gezählt, wo SESSION_AUDIT auf all steht.";
    no_sessions: "There are none.", "Es gibt keine.";
    not_done: "That did not work: {why}", "Das hat nicht geklappt: {why}";
    of_session: "Session {id}", "Sitzung {id}";
    older_entries: "Older entries", "Ältere Einträge";
    on_all_nodes: "Now, on all nodes", "Jetzt, auf allen Knoten";
    other_devices: "Other devices", "Andere Geräte";
    reason: "Reason", "Grund";
    reason_admin_revoked: "ended by an administrator", "von der Verwaltung beendet";
    reason_evicted: "made room for a newer sign-in", "wich einer neueren Anmeldung";
    reason_expired: "expired", "abgelaufen";
    reason_first: "their first session", "die erste Sitzung";
    reason_forwarded: "ahead of the store", "weiter als der Speicher";
    reason_hold_off: "several tabs", "mehrere Fenster";
    reason_idle: "not used for too long", "zu lange nicht benutzt";
    reason_invalid_token: "no valid token", "kein gültiges Token";
    reason_other: "ended", "beendet";
    reason_over: "the session was over", "die Sitzung war vorbei";
    reason_password_changed: "the password was changed", "das Passwort wurde geändert";
    reason_predecessor: "an answer was lost", "eine Antwort ging verloren";
    reason_refresh_reused: "ended for safety: its sign-in was used twice", "zur Sicherheit beendet: die Anmeldung wurde doppelt benutzt";
    reason_repeated: "the same again, too often", "dasselbe noch einmal, zu oft";
    reason_replaced: "an answer was lost for long", "eine Antwort blieb lange aus";
    reason_reused: "a token was used twice", "ein Token wurde doppelt benutzt";
    reason_rotated: "as it should be", "wie vorgesehen";
    reason_same_operation: "our own write again", "derselbe Schreibvorgang noch einmal";
    reason_signed_out: "signed out", "abgemeldet";
    reason_suspicious: "it looked suspicious", "sie war verdächtig";
    reason_unknown_user: "no such user", "keine solche Person";
    reason_user_removed: "the account was removed", "das Konto wurde entfernt";
    reason_user_revoked: "signed out from another device", "von einem anderen Gerät abgemeldet";
    recently_ended: "Recently ended", "Kürzlich beendet";
    refreshes: "Refreshes", "Erneuerungen";
    refused: "Refused", "Abgewiesen";
    rename: "Rename", "Umbenennen";
    save: "Save", "Speichern";
    search: "Search", "Suchen";
    sessions_of_user: "Sessions of this user", "Sitzungen dieser Person";
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
    this_session: "Session", "Sitzung";
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
    user_id: "Id of the user", "Kennung der Person";
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
            "audit_lost" => &self.event_audit_lost,
            "ended" => &self.event_ended,
            "erased" => &self.event_erased,
            "log_changed" => &self.event_log_changed,
            "new_device" => &self.event_new_device,
            "reauthenticated" => &self.event_reauthenticated,
            "refresh_failed" => &self.event_refresh_failed,
            "refreshed" => &self.event_refreshed,
            "renamed" => &self.event_renamed,
            "replay_accepted" => &self.event_replay_accepted,
            "restored_ahead" => &self.event_restored_ahead,
            "risk_raised" => &self.event_risk_raised,
            "roles_changed" => &self.event_roles_changed,
            "signed_in" => &self.event_signed_in,
            "sign_in_refused" => &self.event_sign_in_refused,
            "store_back" => &self.event_store_back,
            "store_lost" => &self.event_store_lost,
            "token_revoked" => &self.event_token_revoked,
            "too_many_refresh_failures" => &self.event_too_many_refresh_failures,
            "untracked_issued" => &self.event_untracked_issued,
            "view_fresh" => &self.event_view_fresh,
            "view_stale" => &self.event_view_stale,
            "written_back" => &self.event_written_back,
            other => return other.replace('_', " ").into(),
        };
        Cow::Borrowed(name)
    }

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

    /// Why a session ended.
    pub(super) fn reason(&self, reason: &str) -> &str {
        self.known_reason(reason).unwrap_or(&self.reason_other)
    }

    /// Why something happened that the audit log tells of.
    pub(super) fn known_reason(&self, reason: &str) -> Option<&str> {
        Some(match reason {
            "admin_revoked" => &self.reason_admin_revoked,
            "evicted" => &self.reason_evicted,
            "expired" => &self.reason_expired,
            "first" => &self.reason_first,
            "forwarded" => &self.reason_forwarded,
            "hold_off" => &self.reason_hold_off,
            "idle" => &self.reason_idle,
            "invalid_token" => &self.reason_invalid_token,
            "over" => &self.reason_over,
            "password_changed" => &self.reason_password_changed,
            "predecessor" => &self.reason_predecessor,
            "refresh_reused" => &self.reason_refresh_reused,
            "repeated" => &self.reason_repeated,
            "replaced" => &self.reason_replaced,
            "reused" => &self.reason_reused,
            "rotated" => &self.reason_rotated,
            "same_operation" => &self.reason_same_operation,
            "signed_out" => &self.reason_signed_out,
            "suspicious" => &self.reason_suspicious,
            "unknown_user" => &self.reason_unknown_user,
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
    fn every_kind_of_entry_has_a_name_in_both_languages() {
        let (english, german) = (Texts::english(), Texts::german());
        for kind in crate::audit::KINDS {
            assert!(matches!(english.event(kind), Cow::Borrowed(_)), "{kind}");
            assert_ne!(english.event(kind), german.event(kind), "{kind}");
        }
    }

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
