//! What both libraries have to answer alike, and what is read before they are asked.

use super::*;

#[test]
fn an_rsa_key_with_an_even_number_or_a_strange_exponent_is_refused() {
    let modulus = |last: u8| [&[0xc5; 255][..], &[last]].concat();
    let rsa = |n: &[u8], e: &[u8]| PublicKey::rsa(&signature::RSA_PKCS1_2048_8192_SHA256, n, e);
    let (odd, even) = (modulus(0x0f), modulus(0x0e));
    for e in [&[3][..], &[1, 0, 1], &[1, 0, 0, 0, 1]] {
        assert!(rsa(&odd, e).is_ok(), "{e:?}");
    }
    for e in [
        &[][..],
        &[0],
        &[1],
        &[2],
        &[1, 0, 0],
        &[0, 3],
        &[4, 0, 0, 0, 1],
    ] {
        assert_eq!(rsa(&odd, e).err(), Some(Refused::default()), "{e:?}");
    }
    let after_a_zero = [&[0], odd.as_slice()].concat();
    for n in [even.as_slice(), &after_a_zero, &[]] {
        assert_eq!(rsa(n, &[3]).err(), Some(Refused::default()), "{n:?}");
    }
}

#[test]
fn a_number_is_read_only_as_it_is_written() {
    for (der, number) in [
        (&[0x02, 0x01, 0x03][..], Some(&[3][..])),
        (&[0x02, 0x02, 0x00, 0x80], Some(&[0x80])),
        (&[0x02, 0x02, 0x01, 0x00], Some(&[1, 0])),
        (&[0x02, 0x01, 0x80], None),
        (&[0x02, 0x02, 0x00, 0x7f], None),
        (&[0x02, 0x01, 0x00], None),
        (&[0x02, 0x00], None),
        (&[0x04, 0x01, 0x03], None),
        (&[0x02, 0x02, 0x03], None),
        (&[], None),
    ] {
        let read = der::positive(der).map(|(number, _)| number);
        assert_eq!(read, number, "{der:?}");
    }
}

#[test]
fn bits_are_counted_without_zeros() {
    for (number, bits) in [
        (&[][..], 0),
        (&[0, 0], 0),
        (&[1], 1),
        (&[0, 0x80], 8),
        (&[1, 0, 1], 17),
    ] {
        assert_eq!(der::bits(number), bits, "{number:?}");
    }
}
