//! One-time codes that an app computes from a shared secret and the time: RFC 6238 with SHA-1, 30 seconds and
//! six digits, which every such app knows.

use crate::time::{Micros, SECOND};
use aws_lc_rs::hmac;
use data_encoding::BASE32_NOPAD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt::Write as _;
use zeroize::Zeroizing;

/// Bytes of a secret (RFC 4226 §4, R6).
pub const SECRET_LEN: usize = 20;
const STEP_SECONDS: i64 = 30;
const DIGITS: usize = 6;
const CODES: u32 = 1_000_000;

/// A code as it is typed, without the spaces that apps show; `None` when it is not six digits.
#[must_use]
pub fn canonical(code: &str) -> Option<[u8; DIGITS]> {
    let digits: Vec<u8> = code.bytes().filter(|byte| *byte != b' ').take(DIGITS + 1).collect();
    <[u8; DIGITS]>::try_from(digits).ok().filter(|digits| digits.iter().all(u8::is_ascii_digit))
}

/// The step whose code this is, of the current one and its neighbours (RFC 6238 §5.2), if it comes after
/// `last`: a code works once, however it is spelled (CVE-2025-6014).
#[must_use]
pub fn step_of(secret: &[u8], code: &str, last: i64, now: Micros) -> Option<i64> {
    let code = canonical(code)?;
    let current = now.0.div_euclid(STEP_SECONDS * SECOND);
    let mut found = None;
    for step in [current - 1, current, current + 1] {
        // All are compared, so that the time does not tell which one it was.
        if crate::digest::equal(&code_of(secret, step), &code) && step > last {
            found = Some(step);
        }
    }
    found
}

/// The code of a step (RFC 4226 §5.3).
#[must_use]
pub fn code_of(secret: &[u8], step: i64) -> [u8; DIGITS] {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag.last().copied().unwrap_or_default() & 0xf);
    let word = tag.get(offset..).and_then(|rest| rest.first_chunk::<4>()).copied().unwrap_or_default();
    let mut number = (u32::from_be_bytes(word) & 0x7fff_ffff) % CODES;
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
    digits
}

/// A secret as apps take it typed.
#[must_use]
pub fn base32(secret: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(BASE32_NOPAD.encode(secret))
}

/// A secret as apps take it from a QR code.
#[must_use]
pub fn uri(secret: &[u8], email: &str) -> Zeroizing<String> {
    let mut uri = Zeroizing::new(String::with_capacity(512));
    // Writing to a String cannot fail.
    let _ = write!(
        uri,
        "otpauth://totp/Keystead:{}?secret={}&issuer=Keystead",
        utf8_percent_encode(email, NON_ALPHANUMERIC),
        *base32(secret)
    );
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> Micros {
        Micros(seconds * SECOND)
    }

    /// RFC 6238, appendix B: the last six of its eight digits.
    #[test]
    fn the_test_vectors_of_the_rfc() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code_of(SECRET, seconds / 30), *code.as_bytes());
            assert_eq!(step_of(SECRET, code, 0, at(seconds)), Some(seconds / 30), "{code}");
        }
    }

    /// LESSONS 23: a code with spaces was taken a second time.
    #[test]
    fn lesson_23_a_code_works_once_however_it_is_spelled() {
        let step = step_of(SECRET, "050471", 0, at(1_111_111_111)).unwrap();
        for spelled in ["050471", "050 471", " 050471 ", "0 5 0 4 7 1"] {
            assert_eq!(step_of(SECRET, spelled, 0, at(1_111_111_111)), Some(step));
            assert_eq!(step_of(SECRET, spelled, step, at(1_111_111_111)), None, "used");
        }
        for text in ["", "50471", "0504711", "05047a", "050-471", "٠٥٠٤٧١"] {
            assert_eq!(step_of(SECRET, text, 0, at(1_111_111_111)), None, "{text}");
        }
    }

    #[test]
    fn the_neighbouring_steps_count_and_no_further_ones() {
        let step = 1_111_111_111 / 30;
        for (away, passes) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let now = at((step + away) * 30);
            assert_eq!(step_of(SECRET, "050471", 0, now).is_some(), passes, "{away}");
        }
    }

    #[test]
    fn apps_read_the_secret() {
        assert_eq!(*base32(SECRET), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(
            *uri(SECRET, "ada+x@example.com"),
            "otpauth://totp/Keystead:ada%2Bx%40example%2Ecom?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Keystead"
        );
    }
}
