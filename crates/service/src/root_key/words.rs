//! Root keys as text: 32 bytes in base64 each, separated by white space; the last one is current,
//! those before it only open what they sealed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keystead_domain::seal::{RootKey, RootKeys};
use zeroize::Zeroizing;

/// Keys of one source at most.
pub(super) const KEYS_MAX: usize = 16;
/// Bytes of the longest text that is read.
pub(super) const TEXT_BYTES_MAX: usize = 4_096;

/// The keys that a text holds; `None` when it holds anything else.
pub(super) fn parse(text: &str) -> Option<RootKeys> {
    let keys: Option<Vec<RootKey>> = text.split_ascii_whitespace().map(key).collect();
    ring(keys?)
}

/// The last one is current.
pub(super) fn ring(mut keys: Vec<RootKey>) -> Option<RootKeys> {
    if keys.len() > KEYS_MAX {
        return None;
    }
    let current = keys.pop()?;
    Some(RootKeys::new(current, keys))
}

/// One key.
pub(super) fn key(word: &str) -> Option<RootKey> {
    let bytes = Zeroizing::new(STANDARD.decode(word).ok()?);
    RootKey::new(&Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?))
}

/// A key as a word.
pub(super) fn word(secret: &[u8; 32]) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(secret.as_slice()))
}

/// The words of the keys that `keep` wants, in their order.
pub(super) fn filter(text: &str, keep: impl Fn(&RootKey) -> bool) -> Zeroizing<String> {
    let mut kept = Zeroizing::new(String::with_capacity(TEXT_BYTES_MAX));
    for word in text.split_ascii_whitespace() {
        if key(word).is_some_and(|key| keep(&key)) {
            kept.push_str(word);
            kept.push('\n');
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_key_is_current_and_the_others_stay() {
        let (one, two) = (word(&[1; 32]), word(&[2; 32]));
        let keys = parse(&format!("{}\n{}\n", *one, *two)).unwrap();
        let ids: Vec<_> = keys.iter().map(RootKey::id).collect();
        let id = |n| RootKey::new(&[n; 32]).unwrap().id();
        assert_eq!(ids, [id(2), id(1)]);
        let kept = filter(&format!("{} {}", *one, *two), |key| key.id() == id(2));
        assert_eq!(*kept, format!("{}\n", *two));
        for text in
            ["", "short", &format!("{}x", *one), &format!("{} x", *one), &format!("{} ", *one).repeat(17)]
        {
            assert!(parse(text).is_none());
        }
    }
}
