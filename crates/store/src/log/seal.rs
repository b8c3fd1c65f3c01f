//! What makes a log's file safe to leave lying about: each record is sealed for its number in the file, so
//! that none can be read, changed, moved or left out.

use super::record::Record;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keystead_domain::seal::{RootKey, RootKeys};
use rand_core::Rng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Bytes of the longest record that is read.
pub(super) const RECORD_BYTES_MAX: u32 = 256 << 20;

#[derive(Serialize, Deserialize)]
struct Header {
    keystead_log: u32,
    /// 16 bytes.
    id: String,
    /// The key of the records, sealed by the root key.
    key: String,
}

/// What seals a log's records.
pub(super) struct Seal {
    pub(super) id: [u8; 16],
    secret: Zeroizing<[u8; 32]>,
    key: RootKey,
}

impl Seal {
    pub(super) fn new(id: [u8; 16], secret: Zeroizing<[u8; 32]>) -> Option<Self> {
        RootKey::new(&secret).map(|key| Self { id, secret, key })
    }

    fn place(&self) -> String {
        format!("log/{}", STANDARD.encode(self.id.as_slice()))
    }

    /// The file's first line. It is as long whichever root key seals it.
    pub(super) fn header(&self, keys: &RootKeys, rng: &mut dyn Rng) -> Option<Vec<u8>> {
        let key = keys.seal(&self.place(), self.secret.as_slice(), rng).ok()?;
        let id = STANDARD.encode(self.id.as_slice());
        let header = Header { keystead_log: 1, id, key: STANDARD.encode(key) };
        let mut line = serde_json::to_vec(&header).ok()?;
        line.push(b'\n');
        Some(line)
    }

    pub(super) fn open(line: &[u8], keys: &RootKeys) -> Option<Self> {
        let header: Header = serde_json::from_slice(line).ok()?;
        let id: [u8; 16] = STANDARD.decode(header.id).ok()?.try_into().ok()?;
        let place = format!("log/{}", STANDARD.encode(id.as_slice()));
        let secret = keys.open(&place, &STANDARD.decode(header.key).ok()?).ok()?;
        let secret = Zeroizing::new(<[u8; 32]>::try_from(secret.as_slice()).ok()?);
        Self::new(id, secret).filter(|_| header.keystead_log == 1)
    }

    /// A record as it stands in the file.
    pub(super) fn frame(&self, number: u64, record: &Record, rng: &mut dyn Rng) -> Option<Vec<u8>> {
        let body = serde_json::to_vec(record).ok()?;
        let sealed = self.key.seal(&format!("{}/{number}", self.place()), &body, rng).ok()?;
        let length = u32::try_from(sealed.len()).ok().filter(|length| *length <= RECORD_BYTES_MAX)?;
        Some([length.to_be_bytes().as_slice(), &sealed].concat())
    }

    pub(super) fn record(&self, number: u64, sealed: &[u8]) -> Option<Record> {
        let body = self.key.open(&format!("{}/{number}", self.place()), sealed).ok()?;
        serde_json::from_slice(&body).ok()
    }
}
