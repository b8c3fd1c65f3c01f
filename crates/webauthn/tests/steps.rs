//! Each step of Level 3 §7.1 and §7.2 that can fail, failed by an authenticator that lies; and that no bytes make a
//! reader panic, or leave some over.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "everything here is a test")]

use keystead_webauthn::testing::{Authenticator, Says};
use keystead_webauthn::*;
use proptest::prelude::*;

const CHALLENGE: &str = "c29tZSBjaGFsbGVuZ2Ugb2YgdGhpcnR5LXR3byBieXRlcw";
const SITE: &str = "keys.example.com";
const ORIGIN: &str = "https://keys.example.com";

fn site() -> RelyingParty {
    RelyingParty::of(ORIGIN, None).unwrap()
}

fn says() -> Says {
    Says::new(CHALLENGE, SITE, ORIGIN)
}

fn key() -> Authenticator {
    Authenticator::es256(b"credential", b"ada")
}

fn register(made: &(Vec<u8>, Vec<u8>)) -> Result<Registered, Failure> {
    let site = site();
    let expected = Expected { site: &site, challenge: CHALLENGE };
    Registration { client_data: &made.0, attestation: &made.1 }.verify(&expected)
}

fn known(cose: &[u8]) -> Known<'_> {
    Known { user_handle: b"ada", public_key: cose, count: 0, backup_eligible: false }
}

fn assert_with(known: &Known<'_>, signed: &(Vec<u8>, Vec<u8>, Vec<u8>)) -> Result<Used, Failure> {
    let site = site();
    let expected = Expected { site: &site, challenge: CHALLENGE };
    let (client_data, authenticator_data, signature) = (&signed.0, &signed.1, &signed.2);
    Assertion { client_data, authenticator_data, signature, user_handle: Some(b"ada") }
        .verify(known, &expected)
}

/// Each lie about what both ceremonies say, and the step that finds it.
fn lies() -> Vec<(Says, Failure)> {
    let other = |change: fn(&mut Says)| {
        let mut says = says();
        change(&mut says);
        says
    };
    vec![
        (other(|says| says.kind = Some("payment.get")), Failure::Type),
        (other(|says| says.challenge = "b3RoZXI".into()), Failure::Challenge),
        (other(|says| says.challenge = String::new()), Failure::Challenge),
        (other(|says| says.origin = "https://keys.example.com.evil.example".into()), Failure::Origin),
        (other(|says| says.origin = "https://sub.keys.example.com".into()), Failure::Origin),
        (other(|says| says.origin = "http://keys.example.com".into()), Failure::Origin),
        (other(|says| says.origin = "https://keys.example.com:8443".into()), Failure::Origin),
        (other(|says| says.cross_origin = true), Failure::CrossOrigin),
        (other(|says| says.site = "evil.example".into()), Failure::RelyingParty),
        (other(|says| says.flags = 0x04), Failure::UserPresence),
        (other(|says| says.flags = 0x01), Failure::UserVerification),
        (other(|says| says.flags = 0x15), Failure::Backup),
        (other(|says| says.tail = vec![0]), Failure::AuthenticatorData),
        // Extensions that are announced and not there, or are no map.
        (other(|says| says.flags = 0x85), Failure::AuthenticatorData),
        (
            other(|says| {
                says.flags = 0x85;
                says.tail = vec![0x80];
            }),
            Failure::AuthenticatorData,
        ),
    ]
}

#[test]
fn a_passkey_of_each_algorithm_is_made_and_used() {
    for (key, algorithm) in [
        (key(), Algorithm::Es256),
        (Authenticator::eddsa(b"credential", b"ada"), Algorithm::EdDsa),
        (Authenticator::rs256(b"credential", b"ada"), Algorithm::Rs256),
    ] {
        let registered = register(&key.create(&says())).unwrap();
        assert_eq!((registered.algorithm, registered.count), (algorithm, 0));
        assert_eq!(
            (registered.credential_id.as_slice(), &registered.public_key),
            (&b"credential"[..], &key.cose())
        );
        let signed = key.get(&says());
        assert_eq!(assert_with(&known(&key.cose()), &signed), Ok(Used { count: 0, backed_up: false }));
        let mut wrong = signed;
        let last = wrong.2.len() - 1;
        wrong.2[last] ^= 1;
        assert_eq!(assert_with(&known(&key.cose()), &wrong), Err(Failure::Signature));
    }
}

#[test]
fn extensions_that_nobody_asked_for_are_read_over() {
    let mut says = says();
    (says.flags, says.tail) = (0x85, vec![0xa1, 0x61, b'x', 0xf5]);
    register(&key().create(&says)).unwrap();
    let key = key();
    assert_with(&known(&key.cose()), &key.get(&says)).unwrap();
}

#[test]
fn each_lie_about_a_new_passkey_is_found_by_its_step() {
    for (says, failure) in lies() {
        assert_eq!(register(&key().create(&says)), Err(failure), "{says:?}");
    }
    let mut used = says();
    used.kind = Some("webauthn.get");
    assert_eq!(register(&key().create(&used)), Err(Failure::Type));
    // An assertion's data in its place: no credential.
    let (_, data, _) = key().get(&says());
    let mut attestation = vec![0xa3, 0x63, b'f', b'm', b't', 0x64, b'n', b'o', b'n', b'e'];
    attestation.extend([0x67, b'a', b't', b't', b'S', b't', b'm', b't', 0xa0]);
    attestation.extend([0x68, b'a', b'u', b't', b'h', b'D', b'a', b't', b'a', 0x58, 37]);
    attestation.extend(&data);
    assert_eq!(register(&(key().create(&says()).0, attestation)), Err(Failure::Credential));
    for length in [0, CREDENTIAL_ID_BYTES_MAX + 1] {
        let key = Authenticator::es256(&vec![7; length], b"ada");
        assert_eq!(register(&key.create(&says())), Err(Failure::Credential), "{length}");
    }
    register(&Authenticator::es256(&[7; CREDENTIAL_ID_BYTES_MAX], b"ada").create(&says())).unwrap();
}

#[test]
fn each_lie_about_a_use_is_found_by_its_step() {
    let key = key();
    for (says, failure) in lies() {
        assert_eq!(assert_with(&known(&key.cose()), &key.get(&says)), Err(failure), "{says:?}");
    }
    let mut made = says();
    made.kind = Some("webauthn.create");
    assert_eq!(assert_with(&known(&key.cose()), &key.get(&made)), Err(Failure::Type));
    let cose = key.cose();
    let others = Known { user_handle: b"bob", ..known(&cose) };
    assert_eq!(assert_with(&others, &key.get(&says())), Err(Failure::UserHandle));
    // Another key under the same id.
    let other = Authenticator::es256(b"credential", b"ada");
    assert_eq!(assert_with(&known(&key.cose()), &other.get(&says())), Err(Failure::Signature));
    // What may be copied, and what may not, does not change.
    let mut copied = says();
    copied.flags = 0x0d;
    assert_eq!(assert_with(&known(&cose), &key.get(&copied)), Err(Failure::Backup));
    let eligible = Known { backup_eligible: true, ..known(&cose) };
    assert_eq!(assert_with(&eligible, &key.get(&says())), Err(Failure::Backup));
    copied.flags = 0x1d;
    assert!(assert_with(&eligible, &key.get(&copied)).unwrap().backed_up);
}

#[test]
fn a_counter_only_goes_up() {
    let key = key();
    let cose = key.cose();
    let at = |kept: u32, count: u32| {
        let mut says = says();
        says.count = count;
        assert_with(&Known { count: kept, ..known(&cose) }, &key.get(&says)).map(|used| used.count)
    };
    assert_eq!(at(0, 0), Ok(0), "it does not count");
    assert_eq!(at(0, 1), Ok(1));
    assert_eq!(at(7, 8), Ok(8));
    for count in [0, 1, 7] {
        assert_eq!(at(7, count), Err(Failure::Counter));
    }
    // A wrong signature is told first: only its holder learns of the counter.
    let mut says = says();
    says.count = 1;
    let other = Authenticator::es256(b"credential", b"ada").get(&says);
    assert_eq!(assert_with(&Known { count: 7, ..known(&cose) }, &other), Err(Failure::Signature));
}

#[test]
fn a_key_that_was_not_asked_for_is_refused() {
    let good = key().cose();
    let with = |at: usize, to: u8| {
        let mut cose = good.clone();
        cose[at] = to;
        register(&key().create_with(&says(), &cose)).map(|_| ())
    };
    assert_eq!(with(4, 0x26), Ok(()), "as it was");
    // ES384, and a number that is none.
    assert_eq!(with(4, 0x38), Err(Failure::PublicKey));
    assert_eq!(with(4, 0x25), Err(Failure::Algorithm));
    assert_eq!(with(4, 0x27), Err(Failure::PublicKey), "an EdDSA key on P-256");
    assert_eq!(with(2, 0x03), Err(Failure::PublicKey), "of another type");
    assert_eq!(with(6, 0x02), Err(Failure::PublicKey), "on another curve");
    assert_eq!(with(3, 0x01), Err(Failure::PublicKey), "a label twice");
    assert_eq!(with(0, 0xa4), Err(Failure::PublicKey), "a label too few");
    assert_eq!(with(0, 0xbf), Err(Failure::PublicKey), "a map without an end");
    assert_eq!(with(15, good[15] ^ 1), Err(Failure::PublicKey), "a point off the curve");
    let mut es384 = good.clone();
    es384.splice(4..5, [0x38, 0x22]);
    assert_eq!(register(&key().create_with(&says(), &es384)).map(|_| ()), Err(Failure::Algorithm));
    let rsa = Authenticator::rs256(b"credential", b"ada");
    let mut weak = rsa.cose();
    let at = weak.len() - 1;
    weak[at] = 0;
    assert_eq!(
        register(&rsa.create_with(&says(), &weak)).map(|_| ()),
        Err(Failure::PublicKey),
        "an even exponent"
    );
}

#[test]
fn what_is_no_client_data_is_refused() {
    let made = key().create(&says());
    let with = |text: &str| register(&(text.as_bytes().to_vec(), made.1.clone())).map(|_| ());
    let good = String::from_utf8(made.0.clone()).unwrap();
    assert_eq!(with(&good), Ok(()));
    for text in ["", "{}", "[]", &good[1..], &format!("{good} x"), &good.replace("\"type\"", "\"origin\"")] {
        assert_eq!(with(text), Err(Failure::ClientData), "{text}");
    }
    assert_eq!(
        with(&good.replacen('{', "{\"topOrigin\":\"https://evil.example\",", 1)),
        Err(Failure::CrossOrigin)
    );
    let long = good.replacen('{', &format!("{{\"x\":\"{}\",", "x".repeat(4_096)), 1);
    assert_eq!(with(&long), Err(Failure::ClientData));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_attestation_is_refused_or_read_without_panic(bytes: Vec<u8>) {
        let made = key().create(&says());
        prop_assert!(register(&(made.0, bytes)).is_err());
    }

    #[test]
    fn a_changed_attestation_is_read_whole_or_refused(at: prop::sample::Index, to: u8) {
        let (client, mut attestation) = key().create(&says());
        let at = at.index(attestation.len());
        attestation[at] = to;
        let _ = register(&(client, attestation));
    }

    #[test]
    fn whatever_follows_an_attestation_is_refused(tail in prop::collection::vec(any::<u8>(), 1..20)) {
        let (client, mut attestation) = key().create(&says());
        attestation.extend(tail);
        prop_assert_eq!(register(&(client, attestation)), Err(Failure::Attestation));
    }

    #[test]
    fn a_shorter_attestation_is_refused(at: prop::sample::Index) {
        let (client, mut attestation) = key().create(&says());
        attestation.truncate(at.index(attestation.len()));
        prop_assert!(register(&(client, attestation)).is_err());
    }

    #[test]
    fn any_change_of_an_assertion_is_refused(part in 0_usize..3, at: prop::sample::Index, mask in 1_u8..) {
        let key = key();
        let mut signed = key.get(&says());
        let bytes = [&mut signed.0, &mut signed.1, &mut signed.2][part].as_mut_slice();
        let at = at.index(bytes.len());
        bytes[at] ^= mask;
        prop_assert!(assert_with(&known(&key.cose()), &signed).is_err());
    }

    #[test]
    fn any_public_key_is_refused_or_read_without_panic(bytes: Vec<u8>) {
        let _ = PublicKey::read(&bytes);
    }
}
