//! An entry that ends one session.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EntryId(pub(crate) u64);

#[derive(Clone, Copy, Debug)]
pub(crate) struct RevocationEntry {
    pub(crate) id: EntryId,
    pub(crate) revoked: Revoked,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Revoked {
    pub(crate) session: u64,
    pub(crate) user: Option<u64>,
}

impl Revoked {
    pub(crate) fn user(&self) -> Option<&u64> {
        self.user.as_ref()
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Effect {
    Revoked,
}

impl Effect {
    pub(crate) fn stronger(self, _other: Self) -> Self {
        self
    }
}
