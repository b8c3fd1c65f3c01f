//! Which key signs when, whatever the clock does.

use super::*;
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use proptest::prelude::*;
use serde_json::{Value, json};

const START: Micros = Micros(1_800_000_000_000_000);
const HOUR: i64 = DAY / 24;

/// What a node does once an hour.
fn tend(starts: &mut Vec<Micros>, now: Micros) {
    starts.extend(next(starts, now));
    starts.sort_unstable();
    for at in over(starts, now).into_iter().rev() {
        starts.remove(at);
    }
}

#[test]
fn what_is_signed_is_verified_with_what_is_published() {
    let signer = IdentitySigner::new(SigningKeyId([7; 16]), &Zeroizing::new([9; 32])).unwrap();
    let token = signer.sign(&json!({"sub": "key_1"})).unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let read =
        |part: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
    assert_eq!(read(parts[0]), json!({"alg": "EdDSA", "typ": "JWT", "kid": signer.id().to_string()}));
    assert_eq!(read(parts[1]), json!({"sub": "key_1"}));
    let published = serde_json::to_value(PublishedKey::new(signer.id(), signer.public())).unwrap();
    assert_eq!(published["use"], "sig");
    let public = URL_SAFE_NO_PAD.decode(published["x"].as_str().unwrap()).unwrap();
    let (said, signature) = token.rsplit_once('.').unwrap();
    let key = UnparsedPublicKey::new(&ED25519, public);
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    assert!(key.verify(said.as_bytes(), &signature).is_ok());
    assert!(key.verify(said.replace('.', ".e").as_bytes(), &signature).is_err());
    assert_eq!(format!("{signer:?}"), format!("IdentitySigner({})", signer.id()));
}

#[test]
fn a_key_signs_for_thirty_days_and_the_next_is_published_a_day_before() {
    let mut starts = Vec::new();
    tend(&mut starts, START);
    assert_eq!(starts, [START], "the very first one signs at once");
    let at = |hours: i64| START.plus(hours * HOUR);
    tend(&mut starts, at(29 * 24 - 1));
    assert_eq!(starts, [START]);
    tend(&mut starts, at(29 * 24));
    tend(&mut starts, at(29 * 24 + 1));
    assert_eq!(starts, [START, at(30 * 24)]);
    assert_eq!(signing(&starts, at(30 * 24 - 1)), Some(0));
    assert_eq!(signing(&starts, at(30 * 24)), Some(1));
    tend(&mut starts, at(31 * 24 - 1));
    assert_eq!(starts.len(), 2, "the one before is still published");
    tend(&mut starts, at(31 * 24));
    assert_eq!(starts, [at(30 * 24)]);
}

#[test]
fn who_was_away_for_long_signs_by_the_old_key_until_the_new_one_was_published() {
    let mut starts = vec![START];
    let back = START.plus(400 * DAY);
    tend(&mut starts, back);
    assert_eq!(starts, [START, back.plus(DAY)]);
    assert_eq!(signing(&starts, back.plus(DAY - 1)), Some(0));
    tend(&mut starts, back.plus(DAY));
    assert_eq!(starts.len(), 2);
    tend(&mut starts, back.plus(2 * DAY));
    assert_eq!(starts, [back.plus(DAY)]);
}

#[test]
fn a_clock_that_steps_back_again_and_again_makes_one_key() {
    let (mut starts, back) = (vec![START], START.plus(-3 * DAY));
    for step in 0..20 {
        tend(&mut starts, back.plus(-step));
    }
    assert_eq!(starts, [back.plus(DAY), START]);
}

#[test]
fn keys_that_a_clock_far_ahead_made_keep_none_from_being_made() {
    let mut starts = vec![START];
    starts.extend((1..8).map(|year| START.plus(year * 400 * DAY)));
    let later = START.plus(30 * DAY);
    tend(&mut starts, later);
    assert_eq!(starts.len(), KEYS_MAX - 1);
    tend(&mut starts, later);
    assert!(starts.contains(&later.plus(DAY)), "{starts:?}");
}

proptest! {
    /// However the clock jumps, a key signs, the keys are few, and one that signs was published before, but the first.
    #[test]
    fn whatever_the_clock_does_a_published_key_signs(
        jumps in proptest::collection::vec(prop_oneof![8 => Just(HOUR), 1 => -400 * DAY..400 * DAY, 1 => -2 * DAY..0, 1 => -9..9i64], 1..400),
    ) {
        let (mut starts, mut now) = (Vec::new(), START);
        tend(&mut starts, now);
        for jump in jumps {
            now = now.plus(jump);
            // Whoever cached the keys before the tick knows the one that signs until the next.
            let known = starts.clone();
            prop_assert!(signing(&known, now).is_some());
            tend(&mut starts, now);
            let signs = starts[signing(&starts, now).unwrap()];
            prop_assert!(known.contains(&signs));
            prop_assert!(starts.len() <= KEYS_MAX, "{}", starts.len());
        }
    }
}
