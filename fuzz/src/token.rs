//! The key parser.

use crate::mutation::{Mutation, config, mutated};
use keystead_domain::ids::KeyId;
use keystead_domain::token::{PlainKey, SECRET_DIGITS, TOKEN_BYTES_MAX, Token};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

const PIECES: [&str; 8] = ["_", "__", "a", "A", "0", "é", "\0", "my_company_live_"];

/// The same few tokens in every run.
fn minted() -> [String; 3] {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    [("acme", "live"), ("my_company", "dev1"), ("a", "b")].map(|(prefix, tag)| {
        let id = KeyId::random(&mut rng);
        PlainKey::mint(prefix, tag, id, &mut rng).expose().to_owned()
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_token_that_is_read_is_one_that_was_minted_and_hides_its_secret(mutation: Mutation) {
        let minted = minted();
        let seeds = [minted[0].as_str(), minted[1].as_str(), minted[2].as_str(), "", "acme_live_", "___"];
        let text = String::from_utf8_lossy(&mutated(&seeds, &PIECES, &mutation)).into_owned();
        if let Some(token) = Token::parse(&text) {
            // 32 bits of checksum stand between a few edits and another well-formed token.
            prop_assert!(minted.contains(&text), "{}", text);
            prop_assert!(text.len() <= TOKEN_BYTES_MAX && text.starts_with(token.start()));
            let secret = &text[token.start().len()..][..SECRET_DIGITS];
            let printed = format!("{token:?}");
            prop_assert!(!printed.contains(secret) && token.start().ends_with(token.id().digits()));
        }
    }
}
