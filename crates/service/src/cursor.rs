//! Cursors of lists: where a page ended, as an opaque text.

use crate::refused::Refused;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keystead_api::Page;
use keystead_domain::invalid::Invalid;
use keystead_domain::time::Micros;
use keystead_store::After;

/// Items in one page when nothing was asked.
const DEFAULT: u32 = 100;
/// The most items in one page.
const MAX: u32 = 1_000;

/// Where to begin and how many to read: one more than asked, to know whether there is a next page.
pub(crate) struct Cut<const N: usize> {
    pub(crate) after: After<[u8; N]>,
    limit: u32,
}

impl<const N: usize> Cut<N> {
    pub(crate) fn read(limit: Option<u32>, cursor: Option<&str>) -> Result<Self, Refused> {
        let limit = limit.unwrap_or(DEFAULT);
        if !(1..=MAX).contains(&limit) {
            return Err(Invalid::new(
                "/limit",
                format!("A page of {limit} is not possible."),
                format!("Ask for 1 to {MAX}."),
            )
            .into());
        }
        let after = cursor.map(decode).transpose()?;
        Ok(Self { after, limit })
    }

    /// Items in the page at most.
    pub(crate) const fn limit(&self) -> usize {
        self.limit as usize
    }

    pub(crate) const fn rows(&self) -> u32 {
        self.limit + 1
    }

    /// Cuts what was read to the page, and says where the next one begins.
    pub(crate) fn page<R, T>(
        &self,
        mut rows: Vec<R>,
        at: impl Fn(&R) -> (Micros, [u8; N]),
        show: impl FnMut(R) -> Result<T, Refused>,
    ) -> Result<Page<T>, Refused> {
        let limit = self.limit();
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| more).map(|row| encode(at(row)));
        Ok(Page { items: rows.into_iter().map(show).collect::<Result<_, _>>()?, next_cursor })
    }
}

pub(crate) fn encode<const N: usize>((at, id): (Micros, [u8; N])) -> String {
    URL_SAFE_NO_PAD.encode([&at.0.to_be_bytes()[..], &id[..]].concat())
}

fn decode<const N: usize>(text: &str) -> Result<(Micros, [u8; N]), Refused> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| no_cursor())?;
    let (at, id) = bytes.split_at_checked(8).ok_or_else(no_cursor)?;
    let at = i64::from_be_bytes(at.try_into().map_err(|_| no_cursor())?);
    Ok((Micros(at), id.try_into().map_err(|_| no_cursor())?))
}

/// What is sent where a cursor belongs is none.
pub(crate) fn no_cursor() -> Invalid {
    Invalid::new(
        "/cursor",
        "This is not a cursor of this list.",
        "Send `next_cursor` of the page before, or leave it out.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_nonsense_is_refused() {
        let at = (Micros(-5), [7_u8; 16]);
        assert_eq!(decode::<16>(&encode(at)).unwrap(), at);
        for text in ["", "x", "!!!!", &encode((Micros(0), [0_u8; 12]))] {
            assert!(decode::<16>(text).is_err(), "{text}");
        }
    }
}
