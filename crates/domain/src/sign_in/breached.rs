//! Finding a password in a list of those that were lost somewhere: the "ordered by hash" list of Have I Been
//! Pwned, lines of `SHA-1 in hex:count`, tens of gigabytes of them; a few reads find one.

use std::cmp::Ordering;
use std::io;

/// Bytes of a SHA-1 digest.
pub const DIGEST_LEN: usize = 20;
/// Hex digits of one.
const HEX_LEN: usize = 2 * DIGEST_LEN;
/// The longest line, with its end: 40 digits, `:`, a count, CR LF.
const LINE_MAX: usize = 64;

/// What a look into a list says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// The digest is in it.
    Yes,
    /// It is not.
    No,
    /// This is no such list.
    NoList,
}

/// Looks for a digest in a list of `length` bytes, of which `read` fills a buffer from an offset.
///
/// # Errors
/// When `read` cannot.
pub fn find(
    length: u64,
    digest: &[u8; DIGEST_LEN],
    read: &mut dyn FnMut(u64, &mut [u8]) -> io::Result<()>,
) -> io::Result<Listed> {
    let wanted = data_encoding::HEXUPPER.encode(digest);
    let (mut low, mut high) = (0, length);
    if length == 0 {
        return Ok(Listed::NoList);
    }
    // `low` and `high` are where lines begin.
    while low < high {
        let middle = low + (high - low) / 2;
        let from = middle.saturating_sub(LINE_MAX as u64).max(low);
        let to = middle.saturating_add(LINE_MAX as u64).min(high);
        let mut window = [0; 2 * LINE_MAX];
        let Some(window) = usize::try_from(to - from).ok().and_then(|len| window.get_mut(..len)) else {
            return Ok(Listed::NoList);
        };
        read(from, window)?;
        let Some((begin, line)) = line_at(window, middle - from, from == low, to == high) else {
            return Ok(Listed::NoList);
        };
        let (Some(digits), Some(b':' | b'\r' | b'\n') | None) = (line.get(..HEX_LEN), line.get(HEX_LEN))
        else {
            return Ok(Listed::NoList);
        };
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Ok(Listed::NoList);
        }
        match digits.to_ascii_uppercase().as_slice().cmp(wanted.as_bytes()) {
            Ordering::Equal => return Ok(Listed::Yes),
            Ordering::Less => low = from + begin + line.len() as u64,
            Ordering::Greater => high = from + begin,
        }
    }
    Ok(Listed::No)
}

/// The line that `at` is in, with its end, and where it begins. `first` and `last` say that the window begins
/// and ends where lines do.
fn line_at(window: &[u8], at: u64, first: bool, last: bool) -> Option<(u64, &[u8])> {
    let at = usize::try_from(at).ok()?;
    let before = window.get(..at)?.iter().rposition(|byte| *byte == b'\n');
    let begin = match before {
        Some(end) => end + 1,
        None if first => 0,
        None => return None,
    };
    let rest = window.get(begin..)?;
    let line = match rest.iter().position(|byte| *byte == b'\n') {
        Some(end) => rest.get(..=end)?,
        None if last => rest,
        None => return None,
    };
    Some((u64::try_from(begin).ok()?, line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn look(list: &[u8], digest: [u8; DIGEST_LEN]) -> Listed {
        let mut reads = 0;
        let found = find(list.len() as u64, &digest, &mut |offset, buffer| {
            reads += 1;
            let from = usize::try_from(offset).unwrap();
            buffer.copy_from_slice(&list[from..from + buffer.len()]);
            Ok(())
        });
        assert!(reads <= 64 - (list.len() as u64).leading_zeros() + 1, "{reads} reads");
        found.unwrap()
    }

    proptest! {
        #[test]
        fn each_that_is_in_the_list_is_found_and_no_other(
            mut digests in prop::collection::btree_set(any::<[u8; DIGEST_LEN]>(), 2..200),
            counts in prop::collection::vec(0..100_000_000_u64, 200),
            end in prop::sample::select(vec!["\n", "\r\n"]),
            closed in any::<bool>(),
        ) {
            let other = digests.pop_last().unwrap();
            let mut list: String = digests.iter().zip(counts).map(|(digest, count)| {
                format!("{}:{count}{end}", data_encoding::HEXUPPER.encode(digest))
            }).collect();
            if !closed {
                list.truncate(list.len() - end.len());
            }
            for digest in &digests {
                prop_assert_eq!(look(list.as_bytes(), *digest), Listed::Yes);
            }
            for no in [other, [0; DIGEST_LEN], [255; DIGEST_LEN]] {
                let is_in = digests.contains(&no);
                prop_assert_eq!(look(list.as_bytes(), no) == Listed::Yes, is_in);
            }
        }

        #[test]
        fn no_bytes_are_too_strange(list in prop::collection::vec(any::<u8>(), 0..400), digest: [u8; DIGEST_LEN]) {
            look(&list, digest);
        }
    }

    #[test]
    fn what_is_no_list_is_told() {
        let line = format!("{}:1\n", "AB".repeat(DIGEST_LEN));
        for list in ["", "hunter2\npassword\n", "{\"a\": 1}", &line.repeat(3).replace('\n', " "), "AB:1\n"] {
            assert_eq!(look(list.as_bytes(), [0; DIGEST_LEN]), Listed::NoList, "{list}");
        }
    }
}
