//! One attack: what is sent, and what may come of it.

/// An attack by what stands in a request for a resource of one's own.
pub struct Case {
    pub family: &'static str,
    pub name: String,
    /// Where the attack, or the rule against it, is described.
    pub reference: &'static str,
    pub sent: Sent,
    pub expected: Expected,
}

pub enum Sent {
    /// A bearer token of these bytes.
    Bearer(Vec<u8>),
    /// These lines of a head, each with its end.
    Head(Vec<u8>),
    /// Another target of the request, with these lines.
    Target(String, Vec<u8>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It may pass, if it opens nothing that the token it was made of does not.
    NoMore,
    /// Refused with 401, whatever the code.
    Refused,
    /// It is the good token in another form: the same session.
    Same,
}

pub fn bearer(
    family: &'static str,
    name: impl Into<String>,
    reference: &'static str,
    token: impl Into<Vec<u8>>,
) -> Case {
    Case {
        family,
        name: name.into(),
        reference,
        sent: Sent::Bearer(token.into()),
        expected: Expected::Refused,
    }
}

pub fn head(
    family: &'static str,
    name: impl Into<String>,
    reference: &'static str,
    lines: impl Into<Vec<u8>>,
) -> Case {
    Case {
        family,
        name: name.into(),
        reference,
        sent: Sent::Head(lines.into()),
        expected: Expected::Refused,
    }
}

impl Case {
    pub fn expecting(mut self, expected: Expected) -> Self {
        self.expected = expected;
        self
    }
}
