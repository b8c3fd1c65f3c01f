//! A passkey that was made (Level 3 §7.1).

use crate::authenticator_data::AuthenticatorData;
use crate::client_data::{self, Ceremony};
use crate::cose::Algorithm;
use crate::failure::Failure;
use crate::relying_party::Expected;
use minicbor::Decoder;

/// The most of an attestation object that is read, in bytes: with a chain of certificates, which is not looked at.
const BYTES_MAX: usize = 16_384;

/// What a browser brought back.
#[derive(Clone, Copy)]
pub struct Registration<'a> {
    /// `clientDataJSON`.
    pub client_data: &'a [u8],
    /// `attestationObject`.
    pub attestation: &'a [u8],
}

/// What is to be kept of a passkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// Its id.
    pub credential_id: Vec<u8>,
    /// Its public key, COSE.
    pub public_key: Vec<u8>,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// How often it was used; 0 where it does not count.
    pub count: u32,
    /// Whether it may be copied to the person's other devices.
    pub backup_eligible: bool,
    /// Whether it was.
    pub backed_up: bool,
}

impl Registration<'_> {
    /// Checks it, step by step.
    ///
    /// # Errors
    /// The first step that fails.
    pub fn verify(&self, expected: &Expected<'_>) -> Result<Registered, Failure> {
        client_data::check(self.client_data, Ceremony::Create, expected)?;
        if self.attestation.len() > BYTES_MAX {
            return Err(Failure::Attestation);
        }
        let data = authenticator_data(self.attestation).ok_or(Failure::Attestation)?;
        let data = AuthenticatorData::check(data, expected.site.id())?;
        let credential = data.credential.ok_or(Failure::Credential)?;
        Ok(Registered {
            credential_id: credential.id.to_vec(),
            public_key: credential.cose.to_vec(),
            algorithm: credential.key.algorithm(),
            count: data.count,
            backup_eligible: data.backup_eligible,
            backed_up: data.backed_up,
        })
    }
}

/// The one part of an attestation object that is believed; `None` when it is none (§6.5.4), has a part twice, or
/// something follows it.
fn authenticator_data(bytes: &[u8]) -> Option<&[u8]> {
    let mut decoder = Decoder::new(bytes);
    if decoder.map().ok()?? != 3 {
        return None;
    }
    let (mut format, mut statement, mut data) = (None, None, None);
    for _ in 0..3 {
        let is_new = match decoder.str().ok()? {
            "fmt" => format.replace(decoder.str().ok()?).is_none(),
            "attStmt" => {
                let is_map = decoder.datatype().ok()? == minicbor::data::Type::Map;
                decoder.skip().ok()?;
                statement.replace(()).is_none() && is_map
            }
            "authData" => data.replace(decoder.bytes().ok()?).is_none(),
            _ => return None,
        };
        if !is_new {
            return None;
        }
    }
    data.filter(|_| decoder.position() == bytes.len())
}
