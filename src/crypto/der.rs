//! As much of DER (X.690, section 10) as keys are written in.

/// The content of the element with this tag at the start, and what follows it.
pub(crate) fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    if *found != tag {
        return None;
    }
    let (len, rest) = match *first {
        short @ 0..=0x7f => (usize::from(short), rest),
        long @ 0x81..=0x84 => {
            let (len, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            let len = len
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (len, rest)
        }
        _ => return None,
    };
    rest.split_at_checked(len)
}

/// The bytes of a positive `INTEGER` without the zero that keeps it positive, and what follows it.
pub(crate) fn positive(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (integer, rest) = element(0x02, der)?;
    let number = match integer {
        [0, number @ ..] if number.first().is_some_and(|first| *first >= 0x80) => number,
        [1..=0x7f, ..] => integer,
        _ => return None,
    };
    Some((number, rest))
}

/// The key in a `SubjectPublicKeyInfo` of exactly this algorithm (RFC 5280, section 4.1).
pub(crate) fn public_key<'d>(algorithm: &[u8], der: &'d [u8]) -> Option<&'d [u8]> {
    let (info, rest) = element(0x30, der)?;
    let (found, info) = element(0x30, info)?;
    let (bits, end) = element(0x03, info)?;
    let (unused, key) = bits.split_first()?;
    let whole = rest.is_empty() && end.is_empty() && *unused == 0;
    (whole && found == algorithm).then_some(key)
}

/// How many bits a number has.
pub(crate) fn bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let number = &number[zeros..];
    let first = number.first().map_or(0, |first| first.leading_zeros());
    number.len() * 8 - first as usize
}
