//! Codes for whoever lost the app that computes one-time codes: each works once.

use rand_core::Rng;
use zeroize::Zeroizing;

/// How many are given at a time.
pub const CODES: usize = 10;
/// Characters of one: 60 bits.
const CHARACTERS: usize = 12;
/// No `l` and `o`, no `0` and `1`: they are typed from paper.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A new one, as it is shown: `abcd-efgh-ijkm`.
pub fn mint<R: Rng + ?Sized>(rng: &mut R) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; CHARACTERS]);
    rng.fill_bytes(bytes.as_mut());
    let mut shown = Zeroizing::new(String::with_capacity(CHARACTERS + 2));
    for (at, byte) in bytes.iter().enumerate() {
        if at > 0 && at % 4 == 0 {
            shown.push('-');
        }
        // 32 divides 256: each is as likely.
        shown.push(char::from(ALPHABET.get(usize::from(byte % 32)).copied().unwrap_or(b'a')));
    }
    shown
}

/// One as it is typed, in its one form; `None` when it is none.
#[must_use]
pub fn canonical(text: &str) -> Option<Zeroizing<String>> {
    if text.len() > 64 {
        return None;
    }
    let mut code = Zeroizing::new(String::with_capacity(text.len()));
    code.extend(text.chars().filter(|c| !matches!(c, ' ' | '-')).map(|c| c.to_ascii_lowercase()));
    (code.len() == CHARACTERS && code.bytes().all(|byte| ALPHABET.contains(&byte))).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;

    #[test]
    fn a_code_is_one_however_it_is_typed_and_no_one_time_code() {
        let code = mint(&mut ChaCha8Rng::seed_from_u64(1));
        let form = canonical(&code).unwrap();
        for typed in [code.to_uppercase(), code.replace('-', ""), format!(" {} ", code.replace('-', " "))] {
            assert_eq!(canonical(&typed).unwrap(), form);
        }
        for text in ["", "123456", "abcd-efgh-ijk", "abcd-efgh-ijkl", "abcd-efgh-ijk0", &"a".repeat(100)] {
            assert!(canonical(text).is_none(), "{text}");
        }
    }
}
