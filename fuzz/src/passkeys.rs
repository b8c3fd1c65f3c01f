//! What a browser brings back of a passkey.

use crate::mutation::{Mutation, config, mutated};
use keystead_webauthn::testing::{Authenticator, Made, Says, Signed};
use keystead_webauthn::{
    Assertion, CREDENTIAL_ID_BYTES_MAX, Expected, Known, PublicKey, Registration, RelyingParty,
};
use proptest::prelude::*;
use std::sync::LazyLock;

const ORIGIN: &str = "https://keys.example.com";
const CHALLENGE: &str = "c29tZSBjaGFsbGVuZ2U";

/// Pieces of CBOR: heads of maps, texts and bytes of every length, labels, and what has no end.
const PIECES: [&[u8]; 24] = [
    b"\xa0",
    b"\xa3",
    b"\xbf",
    b"\xff",
    b"\x40",
    b"\x5f",
    b"\x58\x20",
    b"\x59\xff\xff",
    b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x9f",
    b"\x81",
    b"\xc0",
    b"\x01\x02",
    b"\x03\x26",
    b"\x03\x39\x01\x00",
    b"\x20\x01",
    b"\x21\x58\x20",
    b"\x22\xf5",
    b"\xf6",
    b"\x63fmt",
    b"\x67attStmt",
    b"\x68authData",
    b"\"",
];

struct Seeds {
    made: Vec<Made>,
    key: Vec<u8>,
    signed: Signed,
}

/// The same few in every input of a run.
static SEEDS: LazyLock<Seeds> = LazyLock::new(|| {
    let says = Says::new(CHALLENGE, "keys.example.com", ORIGIN);
    let key = Authenticator::es256(b"credential", b"ada");
    let others = [Authenticator::eddsa(b"c", b"ada"), Authenticator::rs256(b"c", b"ada")];
    let made = others.iter().chain([&key]).map(|key| key.create(&says)).collect();
    Seeds { made, key: key.cose(), signed: key.get(&says) }
});

static SITE: LazyLock<Option<RelyingParty>> = LazyLock::new(|| RelyingParty::of(ORIGIN, None));

fn expected() -> Expected<'static> {
    Expected { site: SITE.as_ref().unwrap(), challenge: CHALLENGE }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_attestation_is_read_whole_or_refused(mutation: Mutation) {
        let seeds: Vec<_> = SEEDS.made.iter().map(|(_, attestation)| attestation).collect();
        let client_data = SEEDS.made[0].0.as_slice();
        let mut attestation = mutated(&seeds, &PIECES, &mutation);
        let read = |attestation: &[u8]| Registration { client_data, attestation }.verify(&expected());
        if let Ok(registered) = read(&attestation) {
            prop_assert!((1..=CREDENTIAL_ID_BYTES_MAX).contains(&registered.credential_id.len()));
            let key = PublicKey::read(&registered.public_key);
            prop_assert_eq!(key.map(|key| key.algorithm()), Ok(registered.algorithm));
            attestation.push(0xa0);
            prop_assert!(read(&attestation).is_err());
        }
    }

    #[test]
    fn client_data_is_what_was_asked_or_refused(mutation: Mutation) {
        let (client, attestation) = &SEEDS.made[0];
        let client_data = mutated(&[client], &PIECES, &mutation);
        let read = Registration { client_data: &client_data, attestation }.verify(&expected());
        if read.is_ok() {
            // By what it says, not by its letters: `https:\/\/` is the same text in JSON.
            let says: serde_json::Value = serde_json::from_slice(&client_data).unwrap();
            prop_assert_eq!(says["type"].as_str(), Some("webauthn.create"));
            prop_assert_eq!(says["challenge"].as_str(), Some(CHALLENGE));
            prop_assert_eq!(says["origin"].as_str(), Some(ORIGIN));
            prop_assert_ne!(says["crossOrigin"].as_bool(), Some(true));
        }
    }

    #[test]
    fn only_what_was_signed_is_taken(mutation: Mutation, part in 0_usize..3) {
        let (client, data, signature) = &SEEDS.signed;
        let mut parts = [client.clone(), data.clone(), signature.clone()];
        let before = parts[part].clone();
        parts[part] = mutated(&[&before], &PIECES, &mutation);
        let [client_data, authenticator_data, signature] = &parts;
        let known = Known { user_handle: b"ada", public_key: &SEEDS.key, count: 0, backup_eligible: false };
        let assertion = Assertion { client_data, authenticator_data, signature, user_handle: None };
        prop_assert_eq!(assertion.verify(&known, &expected()).is_ok(), parts[part] == before);
    }
}
