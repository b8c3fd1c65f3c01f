//! Where a request carries its key.

use http::HeaderName;
use http::header::AUTHORIZATION;
use keystead_domain::invalid::Invalid;

/// Most places in one list.
pub const PLACES_MAX: usize = 4;
/// Longest name of a header or of a query's parameter, in bytes.
pub const NAME_BYTES_MAX: usize = 64;

static BEARER: HeaderName = AUTHORIZATION;

/// A place in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// `Authorization: Bearer …`
    Bearer,
    /// A header with nothing but the key.
    Header(HeaderName),
    /// A parameter of the query.
    Query(Box<str>),
}

impl Place {
    /// Reads a list of places.
    ///
    /// # Errors
    /// Names the first that is wrong: `/1`.
    pub fn list(places: &[String]) -> Result<Box<[Self]>, Invalid> {
        if !(1..=PLACES_MAX).contains(&places.len()) {
            let fix = format!("Send 1 to {PLACES_MAX}; a route without keys is `public`.");
            return Err(Invalid::new("", format!("These are {} places.", places.len()), fix));
        }
        let mut read: Vec<Self> = Vec::with_capacity(places.len());
        for (at, text) in places.iter().enumerate() {
            let place = Self::parse(text).map_err(|invalid| invalid.below(&format!("/{at}")))?;
            if read.contains(&place) {
                let fix = "Name each place once; the case of headers does not count.";
                return Err(Invalid::new(format!("/{at}"), "This place is there twice.", fix));
            }
            read.push(place);
        }
        Ok(read.into())
    }

    fn parse(text: &str) -> Result<Self, Invalid> {
        let fix = "Send `bearer`, `header:NAME` or `query:NAME`, such as `header:x-api-key`.";
        let no_place = || Invalid::new("", "This is no place for a key.", fix);
        if text == "bearer" {
            return Ok(Self::Bearer);
        }
        let (kind, name) = text.split_once(':').ok_or_else(no_place)?;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if !(1..=NAME_BYTES_MAX).contains(&name.len()) || !name.bytes().all(is_name) {
            return Err(no_place());
        }
        match kind {
            "header" => {
                let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| no_place())?;
                if TAKEN.contains(&name.as_str()) || crate::headers::is_ours(name.as_str()) {
                    let fix = "Send another header, such as `header:x-api-key`; `bearer` is `Authorization: Bearer`.";
                    return Err(Invalid::new("", "This header means something else.", fix));
                }
                // Proxies and upstreams disagree on what it is (LESSONS 17).
                if name.as_str().contains(['_', '.']) {
                    let fix = "Send a name with hyphens only: others are lost or mistaken on the way.";
                    return Err(Invalid::new("", "This header's name has `_` or `.` in it.", fix));
                }
                Ok(Self::Header(name))
            }
            "query" => Ok(Self::Query(name.into())),
            _ => Err(no_place()),
        }
    }

    /// The header that it is in; none for a query.
    #[must_use]
    pub fn header(&self) -> Option<&HeaderName> {
        match self {
            Self::Bearer => Some(&BEARER),
            Self::Header(name) => Some(name),
            Self::Query(_) => None,
        }
    }
}

/// What nobody's key can be in: the message's own structure.
const TAKEN: [&str; 13] = [
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "forwarded",
    "host",
    "origin",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn list(texts: &[&str]) -> Result<Box<[Place]>, Invalid> {
        Place::list(&texts.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn places_are_read() {
        let read = list(&["bearer", "header:X-API-Key", "query:api_key"]).unwrap();
        assert_eq!(read[0].header().unwrap(), "authorization");
        assert_eq!(read[1].header().unwrap(), "x-api-key");
        assert_eq!(read[2], Place::Query("api_key".into()));
    }

    #[test]
    fn what_is_no_place_is_refused_and_named() {
        for (wrong, field) in [
            (&["basic"][..], "/0"),
            (&["bearer", "bearer"], "/1"),
            (&["header:x-api-key", "header:X-Api-Key"], "/1"),
            (&["header:authorization"], "/0"),
            (&["header:x_api_key"], "/0"),
            (&["header:x-keystead-key-id"], "/0"),
            (&["header:"], "/0"),
            (&["query:a b"], "/0"),
            (&[], ""),
            (&["query:a", "query:b", "query:c", "query:d", "query:e"], ""),
        ] {
            assert_eq!(list(wrong).unwrap_err().field, field, "{wrong:?}");
        }
    }
}
