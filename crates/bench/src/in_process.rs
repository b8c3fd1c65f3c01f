//! `keyring.verify` against one bare HMAC-SHA-256 of the same bytes, in turns, on one thread.

use crate::figure::Figure;
use crate::measure::{median, timed};
use crate::population::{self, NOW, SCOPE, TOKEN_BYTES};
use crate::say;
use anyhow::{Context, Result, ensure};
use aws_lc_rs::hmac;
use keystead_api::Code;
use keystead_domain::decide::{Ask, Decision};
use keystead_service::keyring::Keyring;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use std::hint::black_box;

/// Keys of the small keyring and of the large one.
pub const SIZES: [usize; 2] = [10_000, 1_000_000];
/// Requests timed together: their tokens fit the first cache, as those of requests just read do.
const BATCH: usize = 128;
const ROUNDS: usize = 150;
/// Rounds in which the caches become the keyring's.
const WARM_UP_ROUNDS: usize = 150;
const BLOCKS: usize = 15;

/// A keyring and all of its tokens, one after the other.
struct Filled {
    keyring: Keyring,
    tokens: String,
}

impl Filled {
    fn new(keys: usize) -> Result<Self> {
        let mut tokens = String::with_capacity(keys * TOKEN_BYTES);
        let keyring = population::fill(keys, |token| tokens.push_str(token))?;
        ensure!(tokens.len() == keys * TOKEN_BYTES, "tokens are of another length");
        Ok(Self { keyring, tokens })
    }

    /// Some tokens drawn uniformly, copied together: a request's token is hot when it is verified.
    fn draw(&self, rng: &mut ChaCha8Rng, into: &mut String) -> Result<()> {
        into.clear();
        let keys = u32::try_from(self.tokens.len() / TOKEN_BYTES)?;
        for _ in 0..BATCH {
            let at = usize::try_from(rng.next_u32() % keys)? * TOKEN_BYTES;
            into.push_str(self.tokens.get(at..at + TOKEN_BYTES).context("a token")?);
        }
        Ok(())
    }
}

fn verify_all(keyring: &Keyring, tokens: &str, ask: &Ask<'_>) -> usize {
    let mut valid = 0;
    for at in (0..tokens.len()).step_by(TOKEN_BYTES) {
        let token = tokens.get(at..at + TOKEN_BYTES).unwrap_or_default();
        let decision = black_box(keyring.verify(&SCOPE, black_box(token), ask, NOW, |decision, _| decision));
        valid += usize::from(matches!(decision, Ok(Decision::Made(verdict)) if verdict.code == Code::Valid));
    }
    valid
}

fn hmac_all(key: &hmac::Key, messages: &[u8]) {
    for message in messages.chunks(messages.len() / BATCH) {
        black_box(hmac::sign(key, black_box(message)));
    }
}

/// One keyring for a while, as alone in the processor's caches as it is in a server.
#[derive(Clone, Copy)]
struct Block {
    verify_ns: f64,
    hmac_ns: f64,
    ratio: f64,
}

/// Measures a block: in turns a batch of digests and a batch of verifications.
fn block(filled: &Filled, key: &hmac::Key, ask: &Ask<'_>, rng: &mut ChaCha8Rng) -> Result<Block> {
    let (mut tokens, mut messages) = (String::new(), Vec::new());
    let (mut verify_ns, mut hmac_ns) = (Vec::with_capacity(ROUNDS), Vec::with_capacity(ROUNDS));
    for round in 0..WARM_UP_ROUNDS + ROUNDS {
        filled.draw(rng, &mut tokens)?;
        messages.clear();
        for at in (0..tokens.len()).step_by(TOKEN_BYTES) {
            population::message(tokens.get(at..at + TOKEN_BYTES).context("a token")?, &mut messages);
        }
        let (hmac, ()) = timed(|| hmac_all(key, &messages));
        let (verify, valid) = timed(|| verify_all(&filled.keyring, &tokens, ask));
        ensure!(valid == BATCH, "a token was refused");
        if round >= WARM_UP_ROUNDS {
            hmac_ns.push(hmac.as_secs_f64() * 1e9 / BATCH as f64);
            verify_ns.push(verify.as_secs_f64() * 1e9 / BATCH as f64);
        }
    }
    let ratios = verify_ns.iter().zip(&hmac_ns).map(|(verify, hmac)| verify / hmac).collect();
    Ok(Block { verify_ns: median(verify_ns), hmac_ns: median(hmac_ns), ratio: median(ratios) })
}

/// Measures.
///
/// # Errors
/// When a token is not valid: then there is nothing to measure.
pub fn figures() -> Result<Vec<Figure>> {
    say::progress("filling keyrings of 10,000 and of 1,000,000 keys");
    let [small, large] = [Filled::new(SIZES[0])?, Filled::new(SIZES[1])?];
    say::progress("verifying in turns with bare HMAC-SHA-256");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &population::pepper());
    let (query, mut rng) = (population::query()?, ChaCha8Rng::seed_from_u64(1));
    let ask = population::ask(&query);
    let mut blocks = Vec::with_capacity(BLOCKS);
    for _ in 0..BLOCKS {
        blocks.push([block(&small, &key, &ask, &mut rng)?, block(&large, &key, &ask, &mut rng)?]);
    }
    let of = |figure: fn(&[Block; 2]) -> f64| median(blocks.iter().map(figure).collect());
    Ok(vec![
        Figure::at_most(
            "verify_over_hmac",
            of(|[small, _]| small.ratio),
            2.5,
            "a verification over one HMAC-SHA-256 of the same bytes, 10,000 keys",
        ),
        Figure::at_most(
            "verify_1m_over_10k",
            of(|[small, large]| large.verify_ns / small.verify_ns),
            1.6,
            "a verification among 1,000,000 keys over one among 10,000",
        ),
        Figure::told("verify_ns", of(|[small, _]| small.verify_ns), "a verification, 10,000 keys, ns"),
        Figure::told("verify_1m_ns", of(|[_, large]| large.verify_ns), "a verification, 1,000,000 keys, ns"),
        Figure::told("hmac_ns", of(|[small, _]| small.hmac_ns), "HMAC-SHA-256 of the same bytes, ns"),
    ])
}
