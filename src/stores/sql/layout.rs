//! The versions that the tables go through.

/// What leads from nothing to the tables that this code knows, a version at a time.
///
/// A step that was released is never changed, and the one after it leaves what nodes of the
/// version before still use: they go on while the first node of the new one starts. All steps that
/// are due run in one transaction with the number that says they did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout(&'static [&'static str]);

/// Tables that this code must leave alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    /// They are of a version that this code does not know yet.
    Newer(i64),
    /// They are somebody else's.
    Foreign,
}

impl Layout {
    /// The layout that these steps lead to, each in the SQL of its database.
    pub(super) const fn new(steps: &'static [&'static str]) -> Self {
        Self(steps)
    }

    /// The version of the tables when all is done; there is none before 1.
    pub(super) fn version(self) -> usize {
        self.0.len()
    }

    /// What tables are that say so of themselves; `None` where they say nothing.
    ///
    /// # Errors
    ///
    /// Why they must be left alone.
    pub(super) fn judge(self, said: Option<i64>) -> Result<usize, Misfit> {
        let said = said.filter(|said| *said > 0).ok_or(Misfit::Foreign)?;
        match usize::try_from(said) {
            Ok(version) if version <= self.version() => Ok(version),
            _ => Err(Misfit::Newer(said)),
        }
    }

    /// The steps that tables of a version have not gone through, in their order; all of them where
    /// there are none (version 0).
    pub(super) fn after(self, version: usize) -> impl Iterator<Item = &'static str> {
        self.0.iter().skip(version).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: Layout = Layout::new(&["one", "two", "three"]);

    #[test]
    fn tables_of_a_known_version_go_through_what_they_lack_and_no_more() {
        for (version, lacking) in [
            (0, &["one", "two", "three"][..]),
            (1, &["two", "three"]),
            (2, &["three"]),
            (3, &[]),
        ] {
            assert_eq!(THREE.after(version).collect::<Vec<_>>(), lacking);
        }
        for said in 1..=3 {
            let version = usize::try_from(said).expect("it is small");
            assert_eq!(THREE.judge(Some(said)), Ok(version));
        }
    }

    #[test]
    fn tables_of_a_newer_version_or_of_none_are_left_alone() {
        for newer in [4, i64::MAX] {
            assert_eq!(THREE.judge(Some(newer)), Err(Misfit::Newer(newer)));
        }
        for odd in [None, Some(0), Some(-1), Some(i64::MIN)] {
            assert_eq!(THREE.judge(odd), Err(Misfit::Foreign));
        }
    }
}
