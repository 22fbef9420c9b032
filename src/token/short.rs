//! Short texts, kept where they are used.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A text that takes no memory of its own unless it is long: a node keeps two in each token that it
/// knows. Cloning is cheap.
#[derive(Clone)]
pub(super) enum Text {
    Short { length: u8, bytes: [u8; SHORT] },
    Long(Arc<str>),
}

impl Text {
    pub(super) fn new(text: &str) -> Self {
        let mut bytes = [0; SHORT];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(text.as_bytes());
                Self::Short { length, bytes }
            }
            _ => Self::Long(text.into()),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        match self {
            // It was taken from a text.
            Self::Short { .. } => std::str::from_utf8(self.as_bytes()).unwrap_or_default(),
            Self::Long(text) => text,
        }
    }

    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short { length, bytes } => &bytes[..usize::from(*length).min(SHORT)],
            Self::Long(text) => text.as_bytes(),
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Text {}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

/// With it a text takes 48 bytes; the ids of our tokens have 43, a UUID has 36.
const SHORT: usize = 46;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_text_is_what_it_was_made_of(text in ".{0,60}", other in ".{0,60}") {
            let (kept, beside) = (Text::new(&text), Text::new(&other));
            prop_assert_eq!(kept.as_str(), &text);
            prop_assert_eq!(kept.clone() == beside, text == other);
            prop_assert_eq!(kept.cmp(&beside), text.cmp(&other));
        }
    }

    #[test]
    fn texts_are_hashed_as_what_they_say_however_they_are_kept() {
        use std::hash::{BuildHasher, RandomState};

        let state = RandomState::new();
        let hash = |text: &str| state.hash_one(Text::new(text));
        assert_eq!(hash("ada"), hash("ada"));
        assert_ne!(hash("ada"), hash("bob"));
        assert_ne!(hash(&"x".repeat(SHORT)), hash(&"x".repeat(SHORT + 1)));
    }

    #[test]
    fn a_short_one_takes_48_bytes_and_nothing_else() {
        assert_eq!(size_of::<Text>(), 48);
        assert_eq!(size_of::<Option<Text>>(), 48);
        assert!(matches!(Text::new(&"x".repeat(SHORT)), Text::Short { .. }));
        assert!(matches!(Text::new(&"x".repeat(SHORT + 1)), Text::Long(_)));
    }
}
