//! What a session shows of what was unusual about it.

use serde::{Deserialize, Serialize, Serializer};

use super::signal::RiskSignal;
use crate::clock::UnixTime;
use crate::session::record::SessionRecord;

/// That something about a session was unusual. The evidence is in the event; here are only the names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RiskFlag {
    /// When it was last so.
    #[serde(serialize_with = "shown")]
    pub at: UnixTime,
    /// What, by the names of [`RiskSignal::name`].
    pub signals: Vec<String>,
}

/// What a record keeps of it.
#[derive(Serialize, Deserialize)]
struct Kept {
    at: UnixTime,
    signals: Vec<String>,
}

impl RiskFlag {
    /// The flag of a session. What cannot be read is none.
    pub(crate) fn of(record: &SessionRecord) -> Option<Self> {
        let kept: Kept = serde_json::from_str(record.flag.as_deref()?).ok()?;
        Some(Self {
            at: kept.at,
            signals: kept.signals,
        })
    }

    /// What a record keeps once these signals are added to those that it has.
    pub(crate) fn text_with(
        record: &SessionRecord,
        signals: &[RiskSignal],
        at: UnixTime,
    ) -> Option<String> {
        let mut names = Self::of(record).map_or_else(Vec::new, |flag| flag.signals);
        for name in signals.iter().map(RiskSignal::name) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        let kept = Kept { at, signals: names };
        serde_json::to_string(&kept).ok()
    }
}

fn shown<S: Serializer>(at: &UnixTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}
