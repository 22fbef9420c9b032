//! Entries of the log as bytes, one behind the other.

use std::fmt;

use super::entry::{EndReason, EntryId, RevocationEntry, Revoked};
use super::hashes::Hashes;
use crate::clock::UnixTime;
use crate::token::{SessionId, TokenId, UserId};
use crate::verify::{Counter, TokenFacts};

/// Entries in pages of bytes. Each keeps its place until all are packed anew; an entry that was
/// dropped takes its room until then.
#[derive(Default)]
pub(super) struct Packed {
    pages: Vec<Vec<u8>>,
    dropped: usize,
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(u32);

/// An entry as it stands there.
#[derive(Clone, Copy)]
pub(super) struct Kept<'a> {
    head: &'a [u8; HEAD],
    rest: &'a [u8],
}

impl Packed {
    pub(super) fn push(&mut self, entry: &Written<'_>) -> Place {
        self.append([&entry.head, entry.name.bytes(), entry.user.as_bytes()])
    }

    /// Puts an entry, in its parts, behind the others.
    fn append(&mut self, parts: [&[u8]; 3]) -> Place {
        let needed: usize = parts.iter().map(|part| part.len()).sum();
        let page = match self.pages.last() {
            Some(page) if page.len() + needed <= PAGE => self.pages.len() - 1,
            // The first grows as it is filled: most shelves hold little.
            Some(_) => self.add_page(Vec::with_capacity(PAGE)),
            None => self.add_page(Vec::new()),
        };
        let bytes = &mut self.pages[page];
        let place = Place::at(page, bytes.len());
        parts.iter().for_each(|part| bytes.extend_from_slice(part));
        place
    }

    fn add_page(&mut self, page: Vec<u8>) -> usize {
        self.pages.push(page);
        self.pages.len() - 1
    }

    pub(super) fn get(&self, place: Place) -> Kept<'_> {
        Kept::at(&self.pages[place.page()][place.offset()..])
    }

    pub(super) fn set_until(&mut self, place: Place, until: UnixTime) {
        let page = &mut self.pages[place.page()];
        page[place.offset()..][UNTIL..HEAD].copy_from_slice(&until.as_micros().to_le_bytes());
    }

    /// Marks an entry as one that is not there any more.
    pub(super) fn drop_at(&mut self, place: Place) {
        self.pages[place.page()][place.offset()] |= DROPPED;
        self.dropped += self.get(place).len();
    }

    /// What is still there, in the order in which it came.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Place, Kept<'_>)> {
        self.pages.iter().enumerate().flat_map(|(number, page)| {
            let mut offset = 0;
            std::iter::from_fn(move || {
                let bytes = page.get(offset..).filter(|bytes| !bytes.is_empty())?;
                let (place, kept) = (Place::at(number, offset), Kept::at(bytes));
                offset += kept.len();
                Some((place, kept))
            })
            .filter(|(_, kept)| !kept.is_dropped())
        })
    }

    /// Whether so much was dropped that packing anew is worth its while.
    pub(super) fn is_loose(&self) -> bool {
        let taken: usize = self.pages.iter().map(Vec::len).sum();
        self.dropped > 0 && self.dropped * 4 >= taken
    }

    /// The same without what was dropped; everything stands elsewhere then.
    pub(super) fn packed(&self) -> Self {
        let mut packed = Self::default();
        for (_, kept) in self.iter() {
            packed.append([kept.head, kept.rest, &[]]);
        }
        packed
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packed")
            .field("pages", &self.pages.len())
            .field("dropped", &self.dropped)
            .finish()
    }
}

impl Place {
    fn at(page: usize, offset: usize) -> Self {
        let place = u32::try_from(page * PAGE + offset);
        Self(place.expect("a shelf holds less than four gigabytes"))
    }

    fn page(self) -> usize {
        self.0 as usize / PAGE
    }

    fn offset(self) -> usize {
        self.0 as usize % PAGE
    }
}

/// An entry as it is going to stand there: its head, what it is filed under (or the counter of a
/// user, and the session that stays), and the text of its user.
pub(super) struct Written<'a> {
    head: [u8; HEAD],
    name: Name<'a>,
    user: &'a str,
}

enum Name<'a> {
    Text(&'a [u8]),
    Below([u8; 24], usize),
}

impl<'a> Written<'a> {
    pub(super) fn of(entry: &'a RevocationEntry) -> Self {
        let (kind, name, user) = match &entry.revoked {
            Revoked::Session { session, user } => {
                (SESSION, Name::Text(session.as_bytes()), user.as_ref())
            }
            Revoked::Token { token, user } => {
                (TOKEN, Name::Text(token.as_str().as_bytes()), user.as_ref())
            }
            Revoked::Roles { user, below } => (ROLES, Name::below(*below, None), Some(user)),
            Revoked::User {
                user,
                below,
                except,
            } => (USER, Name::below(*below, *except), Some(user)),
        };
        let user = user.map_or("", UserId::as_str);
        let mut head = [0; HEAD];
        head[KIND] = kind;
        head[REASON] = entry.reason.code();
        // Ids are of at most 255 bytes.
        head[NAME_LEN] = name.bytes().len().to_le_bytes()[0];
        head[USER_LEN] = user.len().to_le_bytes()[0];
        head[ID..AT].copy_from_slice(entry.id.as_bytes());
        head[AT..UNTIL].copy_from_slice(&entry.at.as_micros().to_le_bytes());
        head[UNTIL..].copy_from_slice(&entry.until.as_micros().to_le_bytes());
        Self { head, name, user }
    }
}

impl Name<'_> {
    fn below(below: Counter, except: Option<SessionId>) -> Self {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&below.as_u64().to_le_bytes());
        let Some(except) = except else {
            return Self::Below(bytes, 8);
        };
        bytes[8..].copy_from_slice(except.as_bytes());
        Self::Below(bytes, 24)
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(bytes) => bytes,
            Self::Below(bytes, len) => &bytes[..*len],
        }
    }
}

impl<'a> Kept<'a> {
    fn at(bytes: &'a [u8]) -> Self {
        let (head, rest) = bytes.split_first_chunk().expect("a head begins here");
        let len = usize::from(head[NAME_LEN]) + usize::from(head[USER_LEN]);
        Self {
            head,
            rest: &rest[..len],
        }
    }

    fn len(&self) -> usize {
        HEAD + self.rest.len()
    }

    fn is_dropped(&self) -> bool {
        self.head[KIND] & DROPPED != 0
    }

    fn name(&self) -> &'a [u8] {
        &self.rest[..usize::from(self.head[NAME_LEN])]
    }

    fn user(&self) -> &'a [u8] {
        &self.rest[usize::from(self.head[NAME_LEN])..]
    }

    pub(super) fn id(&self) -> EntryId {
        EntryId::from_bytes(self.part(ID))
    }

    pub(super) fn until(&self) -> UnixTime {
        UnixTime::from_micros(u64::from_le_bytes(self.part(UNTIL)))
    }

    fn part<const N: usize>(&self, from: usize) -> [u8; N] {
        let part = self.head[from..].first_chunk();
        *part.expect("it is a part of the head")
    }

    /// A cheap test that passes everything that concerns a token, and little else.
    pub(super) fn may_concern(&self, facts: &TokenFacts) -> bool {
        let is = |known: Option<&[u8]>| known == Some(self.name());
        match self.head[KIND] {
            SESSION => is(facts
                .session
                .as_ref()
                .map(|session| &session.as_bytes()[..])),
            TOKEN => is(facts.token.as_ref().map(|token| token.as_str().as_bytes())),
            _ => self.user() == facts.user.as_str().as_bytes(),
        }
    }

    /// Whether it is the same entry: of one id, and about the same.
    pub(super) fn is(&self, new: &Written<'_>) -> bool {
        let of_user = matches!(self.head[KIND], ROLES | USER);
        self.head[KIND] == new.head[KIND]
            && self.head[ID..AT] == new.head[ID..AT]
            && self.name() == new.name.bytes()
            && (!of_user || self.user() == new.user.as_bytes())
    }

    pub(super) fn hash(&self, hashes: &Hashes) -> u64 {
        match self.head[KIND] {
            SESSION => hashes.session(self.name()),
            TOKEN => hashes.text(text(self.name())),
            _ => hashes.text(text(self.user())),
        }
    }

    pub(super) fn entry(&self) -> RevocationEntry {
        let reason = usize::from(self.head[REASON]);
        RevocationEntry {
            id: self.id(),
            revoked: self.revoked(),
            reason: EndReason::ALL[reason].clone(),
            at: UnixTime::from_micros(u64::from_le_bytes(self.part(AT))),
            until: self.until(),
        }
    }

    fn revoked(&self) -> Revoked {
        let user = || UserId::new(text(self.user())).ok();
        let whose = || user().expect("whom it concerns is never empty");
        match self.head[KIND] {
            SESSION => Revoked::Session {
                session: session(self.name()).expect("a session's id has sixteen bytes"),
                user: user(),
            },
            TOKEN => Revoked::Token {
                token: TokenId::new(text(self.name())).expect("it was an id before"),
                user: user(),
            },
            ROLES => Revoked::Roles {
                user: whose(),
                below: self.below(),
            },
            _ => Revoked::User {
                user: whose(),
                below: self.below(),
                except: self.name().get(8..).and_then(session),
            },
        }
    }

    fn below(&self) -> Counter {
        let below = self.name().first_chunk();
        Counter::from_u64(u64::from_le_bytes(
            *below.expect("a counter has eight bytes"),
        ))
    }
}

fn session(bytes: &[u8]) -> Option<SessionId> {
    bytes.first_chunk().copied().map(SessionId::from_bytes)
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("it was text before")
}

const PAGE: usize = 4096;

const KIND: usize = 0;
const REASON: usize = 1;
const NAME_LEN: usize = 2;
const USER_LEN: usize = 3;
const ID: usize = 4;
const AT: usize = 20;
const UNTIL: usize = 28;
const HEAD: usize = 36;

const SESSION: u8 = 0;
const TOKEN: u8 = 1;
const ROLES: u8 = 2;
const USER: u8 = 3;
/// Beside the kind.
const DROPPED: u8 = 0x80;

#[cfg(test)]
mod tests;
