//! Allocations of a verification and bytes of a resident key, counted by an allocator that counts.
//! In a program of its own: counting would slow everything else that is measured.

use crate::figure::Figure;
use crate::in_process::SIZES;
use crate::measure::resident_bytes;
use crate::population::{self, NOW, SCOPE};
use crate::say;
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::process::{Command, Stdio};

/// What the counting program counted.
#[derive(Debug, Serialize, Deserialize)]
pub struct Counted {
    /// Allocations of all verifications.
    pub allocations: u64,
    /// Bytes asked of the allocator, a key.
    pub asked_bytes_per_key: f64,
    /// Growth of the resident set, a key: with the allocator's own overhead.
    pub resident_bytes_per_key: f64,
}

/// Counts, given a function that counts allocations: how many, and how many bytes remain.
///
/// # Errors
/// When the kernel does not tell the resident set.
pub fn count(measure: impl Fn(&mut dyn FnMut()) -> (u64, i64)) -> Result<Counted> {
    const SAMPLE: usize = 1_000;
    let keys = SIZES[1];
    // What starts lazily has started before.
    drop(population::fill(SAMPLE, |_| {})?);
    let mut sample = Vec::with_capacity(SAMPLE);
    let (before, mut filled) = (resident_bytes()?, None);
    let (_, asked) = measure(&mut || {
        filled = Some(population::fill(keys, |token| {
            if sample.len() < SAMPLE {
                sample.push(token.to_owned());
            }
        }));
    });
    let resident = resident_bytes()?.saturating_sub(before);
    let keyring = filled.context("the keyring was filled")??;
    ensure!(keyring.len() == keys, "not every key is there");
    let sampled: usize = sample.iter().map(String::capacity).sum();
    let query = population::query()?;
    let ask = population::ask(&query);
    let (allocations, _) = measure(&mut || {
        for token in &sample {
            let _ = std::hint::black_box(keyring.verify(&SCOPE, token, &ask, NOW, |decision, _| decision));
        }
    });
    Ok(Counted {
        allocations,
        asked_bytes_per_key: (asked as f64 - sampled as f64) / keys as f64,
        resident_bytes_per_key: resident as f64 / keys as f64,
    })
}

/// Runs the counting program that stands beside this one.
///
/// # Errors
/// When it is not there or fails.
pub fn figures() -> Result<Vec<Figure>> {
    say::progress("counting allocations and bytes of 1,000,000 keys");
    let program = std::env::current_exe()?.with_file_name("keystead-bench-count");
    let output = Command::new(&program).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot start {}", program.display()))?;
    ensure!(output.status.success(), "{} failed", program.display());
    let counted: Counted = serde_json::from_slice(&output.stdout)?;
    Ok(vec![
        Figure::at_most(
            "allocations",
            counted.allocations as f64,
            0.0,
            "heap allocations of 1,000 verifications",
        ),
        Figure::at_most(
            "bytes_per_key",
            counted.asked_bytes_per_key.max(counted.resident_bytes_per_key),
            200.0,
            "the larger of the next two",
        ),
        Figure::told(
            "bytes_per_key_asked",
            counted.asked_bytes_per_key,
            "asked of the allocator, 1,000,000 keys",
        ),
        Figure::told("bytes_per_key_resident", counted.resident_bytes_per_key, "growth of the resident set"),
    ])
}
