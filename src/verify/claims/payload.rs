//! One pass over a payload: the known members in their types, the others for the application.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, IntoDeserializer, MapAccess, Visitor,
};

use super::CustomClaims;
use super::members::{Known, Members};
use super::times::Times;
use super::values::NumericDate;
use crate::clock::UnixTime;
use crate::verify::VerifyError;
use crate::verify::policy::ClaimNames;

/// What the application reads of a token.
type Custom = Box<dyn Any + Send + Sync>;

/// [`read`] for the claims of one application.
pub(in crate::verify) type ReadPayload =
    fn(&str, &Reading<'_>) -> Result<(Members, Custom), VerifyError>;

/// How a payload is to be read.
#[derive(Clone, Copy, Debug)]
pub(in crate::verify) struct Reading<'a> {
    pub(in crate::verify) names: &'a ClaimNames,
    pub(in crate::verify) required: &'a [String],
    pub(in crate::verify) foreign: bool,
}

/// Reads a payload whose signature is good.
pub(in crate::verify) fn read<C: CustomClaims>(
    json: &str,
    reading: &Reading<'_>,
) -> Result<(Members, Custom), VerifyError> {
    let mut pass = Pass {
        reading,
        members: Members::default(),
        cause: None,
        present: 0,
    };
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let custom = (&mut deserializer)
        .deserialize_map(PassVisitor::<C>(&mut pass, std::marker::PhantomData))
        .and_then(|custom| deserializer.end().map(|()| custom));
    let Ok(custom) = custom else {
        return Err(VerifyError::invalid(pass.cause.unwrap_or(
            "the claims are no JSON object, or not those of the application",
        )));
    };
    if pass.present.count_ones() as usize != reading.required.len() {
        return Err(VerifyError::invalid("a required claim is missing"));
    }
    Ok((pass.members, Box::new(custom)))
}

/// Looks at the times of a payload whose signature is not known to be good, and at nothing else.
pub(in crate::verify) fn peek(json: &str) -> Result<Times, VerifyError> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    (&mut deserializer)
        .deserialize_map(PeekVisitor)
        .and_then(|times| deserializer.end().map(|()| times))
        .map_err(|_| VerifyError::invalid("the times cannot be read"))
}

/// A pass over the members of a payload.
struct Pass<'p> {
    reading: &'p Reading<'p>,
    members: Members,
    cause: Option<&'static str>,
    /// One bit for each required claim that was there.
    present: u64,
}

struct PassVisitor<'v, 'p, C>(&'v mut Pass<'p>, std::marker::PhantomData<C>);

impl<'de, C: CustomClaims> Visitor<'de> for PassVisitor<'_, '_, C> {
    type Value = C;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<C, A::Error> {
        let mut others = Others {
            map,
            pass: self.0,
            names: Vec::new(),
        };
        let custom = C::deserialize(MapAccessDeserializer::new(&mut others))?;
        // A type that has seen enough may stop early; the known members behind still count.
        while others.next_key::<IgnoredAny>()?.is_some() {
            others.next_value::<IgnoredAny>()?;
        }
        Ok(custom)
    }
}

/// The members that are the application's, as it sees them: the known ones are taken out.
struct Others<'de, 'v, 'p, A> {
    map: A,
    pass: &'v mut Pass<'p>,
    names: Vec<Cow<'de, str>>,
}

impl<'de, A: MapAccess<'de>> Others<'de, '_, '_, A> {
    /// Takes a known member out, or tells the name of another.
    fn sort(&mut self, name: Cow<'de, str>) -> Result<Option<Cow<'de, str>>, A::Error> {
        let reading = self.pass.reading;
        for (index, required) in reading.required.iter().enumerate() {
            if *required == name {
                self.pass.present |= 1 << index;
            }
        }
        let Some(known) = Known::of(&name, reading.names) else {
            if self.names.contains(&name) {
                return Err(self.fail("a claim stands twice"));
            }
            if self.names.len() == MAX_OTHERS {
                return Err(self.fail("too many claims"));
            }
            self.names.push(name.clone());
            return Ok(Some(name));
        };
        if !self.pass.members.mark(known) {
            return Err(self.fail("a claim stands twice"));
        }
        self.pass
            .members
            .take(known, reading.foreign, reading.names, &mut self.map)
            .inspect_err(|_| self.pass.cause = Some(known.misread()))?;
        Ok(None)
    }

    fn fail(&mut self, cause: &'static str) -> A::Error {
        self.pass.cause = Some(cause);
        A::Error::custom(cause)
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Others<'de, '_, '_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        while let Some(name) = self.map.next_key_seed(Name)? {
            if let Some(name) = self.sort(name)? {
                return seed.deserialize(name.into_deserializer()).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

/// Reads the name of a member, without a copy where it needs none.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

struct PeekVisitor;

impl<'de> Visitor<'de> for PeekVisitor {
    type Value = Times;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object with times")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Times, A::Error> {
        let mut times: [Option<UnixTime>; 3] = [None; 3];
        while let Some(name) = map.next_key_seed(Name)? {
            let slot = match &*name {
                "exp" => &mut times[0],
                "iat" => &mut times[1],
                "nbf" => &mut times[2],
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if slot.replace(map.next_value::<NumericDate>()?.0).is_some() {
                return Err(A::Error::custom("a time stands twice"));
            }
        }
        Ok(Times {
            expires_at: times[0].ok_or_else(|| A::Error::missing_field("exp"))?,
            issued_at: times[1],
            not_before: times[2],
        })
    }
}

/// Names are compared with each other, so their number is bounded.
const MAX_OTHERS: usize = 256;
