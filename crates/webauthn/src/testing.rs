//! An authenticator in software for tests, with the browser around it. It says what it is told to say, also what no
//! browser would.
#![expect(clippy::unwrap_used, missing_docs, reason = "tests stand on it")]

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use minicbor::Encoder;

/// What it says of one ceremony; as a browser would, unless it is changed.
#[derive(Debug, Clone)]
pub struct Says {
    pub kind: Option<&'static str>,
    pub challenge: String,
    pub origin: String,
    pub cross_origin: bool,
    pub site: String,
    pub flags: u8,
    pub count: u32,
    /// What follows everything.
    pub tail: Vec<u8>,
}

impl Says {
    /// What a browser on `origin` would.
    #[must_use]
    pub fn new(challenge: &str, site: &str, origin: &str) -> Self {
        Self {
            kind: None,
            challenge: challenge.to_owned(),
            origin: origin.to_owned(),
            cross_origin: false,
            site: site.to_owned(),
            // Present and verified.
            flags: 0x05,
            count: 0,
            tail: Vec::new(),
        }
    }

    fn client_data(&self, kind: &str) -> Vec<u8> {
        let kind = self.kind.unwrap_or(kind);
        serde_json::json!({"type": kind, "challenge": self.challenge, "origin": self.origin,
            "crossOrigin": self.cross_origin})
        .to_string()
        .into_bytes()
    }

    fn authenticator_data(&self, credential: &[u8]) -> Vec<u8> {
        let mut data = digest(&SHA256, self.site.as_bytes()).as_ref().to_vec();
        data.push(self.flags | if credential.is_empty() { 0 } else { 0x40 });
        data.extend(self.count.to_be_bytes());
        data.extend(credential);
        data.extend(&self.tail);
        data
    }
}

enum Signer {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(RsaKeyPair),
}

/// One passkey.
pub struct Authenticator {
    pub credential_id: Vec<u8>,
    pub user_handle: Vec<u8>,
    signer: Signer,
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authenticator")
    }
}

/// What a browser brings back when a passkey is made: client data and attestation.
pub type Made = (Vec<u8>, Vec<u8>);
/// The same when it is used: client data, authenticator data and signature.
pub type Signed = (Vec<u8>, Vec<u8>, Vec<u8>);

impl Authenticator {
    #[must_use]
    pub fn es256(id: &[u8], user: &[u8]) -> Self {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key.as_ref()).unwrap();
        Self { credential_id: id.to_vec(), user_handle: user.to_vec(), signer: Signer::Es256(key) }
    }

    #[must_use]
    pub fn eddsa(id: &[u8], user: &[u8]) -> Self {
        let key = Signer::EdDsa(Ed25519KeyPair::generate().unwrap());
        Self { credential_id: id.to_vec(), user_handle: user.to_vec(), signer: key }
    }

    #[must_use]
    pub fn rs256(id: &[u8], user: &[u8]) -> Self {
        let key = Signer::Rs256(RsaKeyPair::generate(KeySize::Rsa2048).unwrap());
        Self { credential_id: id.to_vec(), user_handle: user.to_vec(), signer: key }
    }

    /// Its public key, COSE.
    #[must_use]
    pub fn cose(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut cbor = Encoder::new(&mut bytes);
        match &self.signer {
            Signer::Es256(key) => {
                let point = key.public_key().as_ref();
                let (x, y) = point.get(1..).unwrap().split_at(32);
                cbor.map(5).unwrap().i64(1).unwrap().i64(2).unwrap().i64(3).unwrap().i64(-7).unwrap();
                cbor.i64(-1).unwrap().i64(1).unwrap().i64(-2).unwrap().bytes(x).unwrap();
                cbor.i64(-3).unwrap().bytes(y).unwrap();
            }
            Signer::EdDsa(key) => {
                cbor.map(4).unwrap().i64(1).unwrap().i64(1).unwrap().i64(3).unwrap().i64(-8).unwrap();
                cbor.i64(-1).unwrap().i64(6).unwrap().i64(-2).unwrap();
                cbor.bytes(key.public_key().as_ref()).unwrap();
            }
            Signer::Rs256(key) => {
                // RSAPublicKey (RFC 8017 §A.1.1) of 2,048 bits: all lengths are known.
                let der = key.public_key().as_ref();
                let (n, e) = (der.get(9..265).unwrap(), der.get(267..).unwrap());
                cbor.map(4).unwrap().i64(1).unwrap().i64(3).unwrap().i64(3).unwrap().i64(-257).unwrap();
                cbor.i64(-1).unwrap().bytes(n).unwrap();
                cbor.i64(-2).unwrap().bytes(e).unwrap();
            }
        }
        bytes
    }

    /// Makes it.
    #[must_use]
    pub fn create(&self, says: &Says) -> Made {
        self.create_with(says, &self.cose())
    }

    /// The same with another public key.
    #[must_use]
    pub fn create_with(&self, says: &Says, cose: &[u8]) -> Made {
        let length = u16::try_from(self.credential_id.len()).unwrap().to_be_bytes();
        let credential = [&[0; 16][..], &length, &self.credential_id, cose].concat();
        let mut attestation = Vec::new();
        let mut cbor = Encoder::new(&mut attestation);
        cbor.map(3).unwrap().str("fmt").unwrap().str("none").unwrap().str("attStmt").unwrap();
        cbor.map(0).unwrap().str("authData").unwrap();
        cbor.bytes(&says.authenticator_data(&credential)).unwrap();
        (says.client_data("webauthn.create"), attestation)
    }

    /// Uses it.
    #[must_use]
    pub fn get(&self, says: &Says) -> Signed {
        let (client, data) = (says.client_data("webauthn.get"), says.authenticator_data(&[]));
        let message = [data.as_slice(), digest(&SHA256, &client).as_ref()].concat();
        let signature = match &self.signer {
            Signer::Es256(key) => key.sign(&SystemRandom::new(), &message).unwrap().as_ref().to_vec(),
            Signer::EdDsa(key) => key.sign(&message).as_ref().to_vec(),
            Signer::Rs256(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &message, &mut signature).unwrap();
                signature
            }
        };
        (client, data, signature)
    }

    /// As the API takes it: a new passkey.
    #[must_use]
    pub fn create_json(&self, flow: &str, name: &str, says: &Says) -> serde_json::Value {
        let (client, attestation) = self.create(says);
        serde_json::json!({"flow": flow, "name": name, "client_data": encode(&client),
            "attestation": encode(&attestation), "transports": ["internal"]})
    }

    /// As the API takes it: a proof.
    #[must_use]
    pub fn get_json(&self, flow: &str, says: &Says) -> serde_json::Value {
        let (client, data, signature) = self.get(says);
        serde_json::json!({"flow": flow, "credential_id": encode(&self.credential_id),
            "client_data": encode(&client), "authenticator_data": encode(&data),
            "signature": encode(&signature), "user_handle": encode(&self.user_handle)})
    }
}

/// Bytes in base64url.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
