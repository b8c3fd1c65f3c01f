//! Base62 of fixed length: digits, capitals, small letters; one double-click selects it.

use rand_core::Rng;

/// The digits in their order.
pub const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What ten digits can count to, which 64 bits hold.
const TEN_DIGITS: u128 = 62_u128.pow(10);

/// Whether every byte is a base62 digit.
#[must_use]
pub fn is_base62(bytes: &[u8]) -> bool {
    // Without stopping at the first that is not: so the compiler looks at many at a time.
    bytes.iter().fold(true, |all, byte| all & byte.is_ascii_alphanumeric())
}

/// Writes `value` into all of `out`, most significant digit first, padded with `0`.
/// Digits that do not fit are cut off at the front.
pub fn encode(mut value: u128, out: &mut [u8]) {
    // Ten digits at a time: every answer carries such ids, and 128 bits are many times dearer to divide.
    for slots in out.rchunks_mut(10) {
        encode_u64(u64::try_from(value % TEN_DIGITS).unwrap_or_default(), slots);
        value /= TEN_DIGITS;
    }
}

/// Writes `value` like [`encode`].
pub fn encode_u64(mut value: u64, out: &mut [u8]) {
    for slot in out.iter_mut().rev() {
        *slot = digit(value % 62);
        value /= 62;
    }
}

/// Reads digits; `None` for another character or more than 128 bits.
#[must_use]
pub fn decode(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0_u128, |value, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'Z' => byte - b'A' + 10,
            b'a'..=b'z' => byte - b'a' + 36,
            _ => return None,
        };
        value.checked_mul(62)?.checked_add(u128::from(digit))
    })
}

/// Fills `out` with uniformly random digits.
///
/// Bytes of 248 and above are drawn again: taking them modulo 62 would favour the first digits.
pub fn random<R: Rng + ?Sized>(rng: &mut R, out: &mut [u8]) {
    let mut pool = [0_u8; 64];
    let mut unused: &[u8] = &[];
    for slot in out {
        *slot = loop {
            let Some((byte, rest)) = unused.split_first() else {
                rng.fill_bytes(&mut pool);
                unused = &pool;
                continue;
            };
            let byte = *byte;
            unused = rest;
            if byte < 248 {
                break digit(u64::from(byte % 62));
            }
        };
    }
    zeroize::Zeroize::zeroize(&mut pool);
}

fn digit(value: u64) -> u8 {
    usize::try_from(value).ok().and_then(|value| ALPHABET.get(value)).copied().unwrap_or(b'0')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value: u128) {
            let mut digits = [0; 22];
            encode(value, &mut digits);
            prop_assert_eq!(decode(&digits), Some(value));
        }
    }

    #[test]
    fn another_character_or_too_many_bits_are_refused() {
        assert_eq!(decode(b"0a-"), None);
        assert_eq!(decode(b"zzzzzzzzzzzzzzzzzzzzzz"), None);
    }
}
