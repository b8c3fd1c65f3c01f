//! Reading one key to import: what it is digested by, and that all of it is within bounds.

use crate::Keystead;
use crate::create_key::prepare;
use crate::create_keys::no_environment;
use crate::refused::Refused;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use keystead_api::{CreateKey, HashAlgorithm, ImportHash, ImportKey, KeyKind};
use keystead_domain::cells::{Place, ProjectCell};
use keystead_domain::foreign::{ForeignToken, Form, PLAIN_BYTES_MIN, PREFIX_BYTES_MAX, PREFIX_BYTES_MIN};
use keystead_domain::invalid::Invalid;
use keystead_domain::slow_digest::SlowDigest;
use keystead_domain::time::Micros;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The longest external id, in bytes.
const EXTERNAL_ID_BYTES_MAX: usize = 128;

/// A key to import, read and bounded.
pub(super) struct Incoming {
    pub(super) place: Arc<Place>,
    pub(super) key: CreateKey,
    pub(super) form: Form,
    /// What the form's HMACs are made of.
    pub(super) material: Zeroizing<Vec<u8>>,
    pub(super) prefix: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) slow: Option<SlowDigest>,
}

impl Incoming {
    /// The token, where it came in the clear.
    pub(super) fn token(&self) -> Option<ForeignToken<'_>> {
        if self.form != Form::Token {
            return None;
        }
        ForeignToken::new(str::from_utf8(&self.material).ok()?)
    }
}

impl Keystead {
    pub(super) fn read_import(
        &self,
        project: &ProjectCell,
        item: ImportKey,
        now: Micros,
    ) -> Result<Incoming, Refused> {
        let ImportKey { external_id, hash, plain, prefix, mut key } = item;
        let plain = plain.map(Zeroizing::new);
        prepare(project, &mut key, now).map_err(|invalid| invalid.below("/key"))?;
        let place = self.keyring.directory.place(project.id, &key.environment);
        let place = place.ok_or_else(|| no_environment().below("/key"))?;
        let printable = |text: &str| !text.chars().any(char::is_control);
        if external_id
            .as_ref()
            .is_some_and(|id| id.is_empty() || id.len() > EXTERNAL_ID_BYTES_MAX || !printable(id))
        {
            let fix = format!("Send 1 to {EXTERNAL_ID_BYTES_MAX} bytes without control characters.");
            return Err(Invalid::new("/external_id", "This cannot be an external id.", fix).into());
        }
        check_prefix(prefix.as_deref(), plain.as_ref().map(|plain| plain.as_str()))?;
        let (form, material, slow) = match (&hash, &plain) {
            (Some(hash), None) => digest(hash)?,
            (None, Some(plain)) => (Form::Token, whole(plain)?, None),
            _ => {
                let what = "A key needs either a hash or itself in the clear.";
                return Err(Invalid::new("/hash", what, "Send `hash` or `plain`, and not both.").into());
            }
        };
        if key.kind == KeyKind::Public && form != Form::Token {
            let what = "A public key can be read again, and a hash cannot be turned back.";
            return Err(Invalid::new("/hash", what, "Send `plain` instead.").into());
        }
        if form == Form::Slow && prefix.is_none() {
            let what = "A key with a slow hash is found by how its token begins.";
            return Err(Invalid::new("/prefix", what, "Send its first characters.").into());
        }
        Ok(Incoming { place, key, form, material, prefix, external_id, slow })
    }
}

fn check_prefix(prefix: Option<&str>, plain: Option<&str>) -> Result<(), Invalid> {
    let Some(prefix) = prefix else { return Ok(()) };
    let bounds = PREFIX_BYTES_MIN..=PREFIX_BYTES_MAX;
    if !bounds.contains(&prefix.len()) || ForeignToken::new(prefix).is_none() {
        let fix = format!("Send {PREFIX_BYTES_MIN} to {PREFIX_BYTES_MAX} visible ASCII characters.");
        return Err(Invalid::new("/prefix", "This cannot be the beginning of a token.", fix));
    }
    // Lists show it: what is left must still be a secret.
    if plain.is_some_and(|plain| !plain.starts_with(prefix) || plain.len() < prefix.len() + PLAIN_BYTES_MIN) {
        let fix = format!("Send how it begins, and leave {PLAIN_BYTES_MIN} characters or more of it unsaid.");
        return Err(Invalid::new("/prefix", "The token does not begin so, or hardly goes on after it.", fix));
    }
    Ok(())
}

fn whole(plain: &str) -> Result<Zeroizing<Vec<u8>>, Invalid> {
    match ForeignToken::new(plain) {
        Some(token) if !token.is_weak() => Ok(Zeroizing::new(plain.as_bytes().to_vec())),
        Some(_) => {
            Err(Invalid::new("/plain", "This token is too easily guessed.", "Issue a new key in its place."))
        }
        None => {
            Err(Invalid::new("/plain", "This cannot be a token.", "Send 16 to 512 visible ASCII characters."))
        }
    }
}

type Digested = (Form, Zeroizing<Vec<u8>>, Option<SlowDigest>);

fn digest(hash: &ImportHash) -> Result<Digested, Invalid> {
    let invalid = |fix: &str| Invalid::new("/hash/value", "This is no hash of that algorithm.", fix);
    let (form, bytes) = match hash.algorithm {
        HashAlgorithm::Sha256 => (Form::Sha256, 32),
        HashAlgorithm::Sha512 => (Form::Sha512, 64),
        HashAlgorithm::Bcrypt | HashAlgorithm::Argon2id => {
            let digest = SlowDigest::read(&hash.value).filter(|digest| {
                matches!(digest, SlowDigest::Bcrypt(_)) == (hash.algorithm == HashAlgorithm::Bcrypt)
            });
            let fix = "Send $2b$… of cost 4 to 14, or $argon2id$… of at most 128 MiB, 10 passes, 16 lanes.";
            let digest = digest.ok_or_else(|| invalid(fix))?;
            return Ok((Form::Slow, Zeroizing::new(hash.value.as_bytes().to_vec()), Some(digest)));
        }
    };
    let decoded = decode(&hash.value).filter(|decoded| decoded.len() == bytes);
    let decoded = decoded.ok_or_else(|| invalid("Send it in hex or base64."))?;
    Ok((form, Zeroizing::new(decoded), None))
}

/// Hex, else base64 of either alphabet: no SHA digest's hex has the length of a base64.
fn decode(text: &str) -> Option<Vec<u8>> {
    if text.len() > 128 {
        return None;
    }
    if matches!(text.len(), 64 | 128) && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let digits = text.as_bytes().chunks_exact(2);
        return digits.map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect();
    }
    STANDARD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text.trim_end_matches('='))).ok()
}
