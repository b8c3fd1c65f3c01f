//! A passkey that was used (Level 3 §7.2).

use crate::authenticator_data::AuthenticatorData;
use crate::client_data::{self, Ceremony};
use crate::cose::PublicKey;
use crate::failure::Failure;
use crate::relying_party::Expected;
use aws_lc_rs::digest;

/// The longest signature that is looked at, in bytes: of RSA with 4,096 bits.
const SIGNATURE_BYTES_MAX: usize = 512;

/// What a browser brought back.
#[derive(Clone, Copy)]
pub struct Assertion<'a> {
    /// `clientDataJSON`.
    pub client_data: &'a [u8],
    /// `authenticatorData`.
    pub authenticator_data: &'a [u8],
    /// `signature`.
    pub signature: &'a [u8],
    /// `userHandle`; an authenticator may leave it out where it was told which credential.
    pub user_handle: Option<&'a [u8]>,
}

/// What is kept of the passkey.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The id of its account, as it was told when the passkey was made.
    pub user_handle: &'a [u8],
    /// Its public key, COSE.
    pub public_key: &'a [u8],
    /// How often it was used, when it was last seen.
    pub count: u32,
    /// Whether it may be copied to the person's other devices.
    pub backup_eligible: bool,
}

/// What changes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// How often it was used.
    pub count: u32,
    /// Whether it was copied to another device.
    pub backed_up: bool,
}

impl Assertion<'_> {
    /// Checks it, step by step.
    ///
    /// # Errors
    /// The first step that fails. [`Failure::Counter`] only of what is right in all else: it was signed by that key.
    pub fn verify(&self, known: &Known<'_>, expected: &Expected<'_>) -> Result<Used, Failure> {
        if self.user_handle.is_some_and(|handle| handle != known.user_handle) {
            return Err(Failure::UserHandle);
        }
        client_data::check(self.client_data, Ceremony::Get, expected)?;
        let data = AuthenticatorData::check(self.authenticator_data, expected.site.id())?;
        if data.backup_eligible != known.backup_eligible {
            return Err(Failure::Backup);
        }
        if self.signature.len() > SIGNATURE_BYTES_MAX {
            return Err(Failure::Signature);
        }
        let hash = digest::digest(&digest::SHA256, self.client_data);
        let message = [self.authenticator_data, hash.as_ref()].concat();
        PublicKey::read(known.public_key)?.verify(&message, self.signature)?;
        let counts = data.count != 0 || known.count != 0;
        if counts && data.count <= known.count {
            return Err(Failure::Counter);
        }
        Ok(Used { count: data.count, backed_up: data.backed_up })
    }
}
