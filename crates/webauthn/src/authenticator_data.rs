//! What the authenticator says of a ceremony (Level 3 §6.1). Read whole or not at all: bytes that are left over are
//! refused.

use crate::CREDENTIAL_ID_BYTES_MAX;
use crate::cose::PublicKey;
use crate::failure::Failure;
use aws_lc_rs::digest;
use minicbor::Decoder;

/// The most that is read, in bytes: an id and an RSA key are below 2,000.
const BYTES_MAX: usize = 8_192;

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const HAS_CREDENTIAL: u8 = 0x40;
const HAS_EXTENSIONS: u8 = 0x80;

/// A credential that was made.
pub(crate) struct NewCredential<'a> {
    pub(crate) id: &'a [u8],
    /// Its public key as it was sent, COSE.
    pub(crate) cose: &'a [u8],
    pub(crate) key: PublicKey<'a>,
}

/// What was said.
pub(crate) struct AuthenticatorData<'a> {
    pub(crate) backup_eligible: bool,
    pub(crate) backed_up: bool,
    pub(crate) count: u32,
    pub(crate) credential: Option<NewCredential<'a>>,
}

impl<'a> AuthenticatorData<'a> {
    /// Reads it, and checks what both ceremonies demand: for this site, with somebody there who proved to be its user.
    pub(crate) fn check(bytes: &'a [u8], site: &str) -> Result<Self, Failure> {
        let malformed = Failure::AuthenticatorData;
        if bytes.len() > BYTES_MAX {
            return Err(malformed);
        }
        let (hash, rest) = bytes.split_at_checked(32).ok_or(malformed)?;
        let (&flags, rest) = rest.split_first().ok_or(malformed)?;
        let (&count, mut rest) = rest.split_first_chunk::<4>().ok_or(malformed)?;
        let has = |flag: u8| flags & flag != 0;
        let mut credential = None;
        if has(HAS_CREDENTIAL) {
            let (read, left) = new_credential(rest)?;
            (credential, rest) = (Some(read), left);
        }
        if has(HAS_EXTENSIONS) {
            rest = after_map(rest).ok_or(malformed)?;
        }
        if !rest.is_empty() {
            return Err(malformed);
        }
        if hash != digest::digest(&digest::SHA256, site.as_bytes()).as_ref() {
            return Err(Failure::RelyingParty);
        }
        if !has(USER_PRESENT) {
            return Err(Failure::UserPresence);
        }
        if !has(USER_VERIFIED) {
            return Err(Failure::UserVerification);
        }
        if has(BACKED_UP) && !has(BACKUP_ELIGIBLE) {
            return Err(Failure::Backup);
        }
        Ok(Self {
            backup_eligible: has(BACKUP_ELIGIBLE),
            backed_up: has(BACKED_UP),
            count: u32::from_be_bytes(count),
            credential,
        })
    }
}

/// Attested credential data (§6.5.2): who made it (not looked at), the id, the key.
fn new_credential(bytes: &[u8]) -> Result<(NewCredential<'_>, &[u8]), Failure> {
    let malformed = Failure::AuthenticatorData;
    let (_, rest) = bytes.split_at_checked(16).ok_or(malformed)?;
    let (&length, rest) = rest.split_first_chunk::<2>().ok_or(malformed)?;
    let length = usize::from(u16::from_be_bytes(length));
    if length == 0 || length > CREDENTIAL_ID_BYTES_MAX {
        return Err(Failure::Credential);
    }
    let (id, rest) = rest.split_at_checked(length).ok_or(malformed)?;
    let (key, taken) = PublicKey::read_first(rest)?;
    let (cose, rest) = rest.split_at_checked(taken).ok_or(malformed)?;
    Ok((NewCredential { id, cose, key }, rest))
}

/// What follows one map, of whatever: no extension was asked for.
fn after_map(bytes: &[u8]) -> Option<&[u8]> {
    if minicbor::data::Type::Map != Decoder::new(bytes).datatype().ok()? {
        return None;
    }
    let mut decoder = Decoder::new(bytes);
    decoder.skip().ok()?;
    bytes.get(decoder.position()..)
}
