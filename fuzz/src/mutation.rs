//! Inputs that are almost right: a seed, changed at a few places. Pure noise would never get past
//! the first byte of a JSON parser.

use proptest::prelude::ProptestConfig;

/// Which seed, how many edits, and the edits: where, which kind, with which value.
pub(crate) type Mutation = (u8, u8, [(u16, u8, u8); 6]);

/// Runs each target on 20,000 inputs, or on as many as `PROPTEST_CASES` says.
pub(crate) fn config() -> ProptestConfig {
    let chosen = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { chosen.cases } else { 20_000 };
    ProptestConfig { cases, ..chosen }
}

const BYTES_MAX: usize = 8 * 1024;

/// The chosen seed after the edits; pieces of `dictionary` are put in whole.
pub(crate) fn mutated(
    seeds: &[impl AsRef<[u8]>],
    dictionary: &[impl AsRef<[u8]>],
    (seed, count, edits): &Mutation,
) -> Vec<u8> {
    let mut bytes = seeds[usize::from(*seed) % seeds.len()].as_ref().to_vec();
    // Few edits are likelier than many, so that much stays readable; none is one in 32.
    let count = if *count < 8 { 0 } else { usize::try_from(count.leading_zeros()).unwrap_or(0) + 1 };
    for (at, kind, value) in edits.iter().take(count) {
        let at = usize::from(*at) % (bytes.len() + 1);
        let end = bytes.len().min(at + usize::from(*value % 16));
        let piece = dictionary[usize::from(*value) % dictionary.len()].as_ref();
        match kind % 8 {
            0 => drop(bytes.splice(at..end, [])),
            1 => drop(bytes.splice(at..at, piece.iter().copied())),
            2 => drop(bytes.splice(at..end, piece.iter().copied())),
            3 => bytes.extend_from_within(at..end),
            4 => bytes.insert(at, *value),
            kind => {
                let (begin, end) = word(&bytes, at);
                let at = if kind == 5 { begin } else { end };
                let begin = if kind == 7 { begin } else { at };
                bytes.splice(begin..at, piece.iter().copied().filter(|byte| *byte != b'"'));
            }
        }
        bytes.truncate(BYTES_MAX);
    }
    bytes
}

/// Where the text between quotation marks around or after `at` begins and ends.
fn word(bytes: &[u8], at: usize) -> (usize, usize) {
    let quotes: Vec<usize> =
        bytes.iter().enumerate().filter(|(_, byte)| **byte == b'"').map(|(at, _)| at).collect();
    let pair = quotes.chunks_exact(2).find(|pair| at <= pair[1]);
    pair.map_or((0, bytes.len()), |pair| (pair[0] + 1, pair[1]))
}
