//! What the browser says of a ceremony: `clientDataJSON` (Level 3 §5.8.1).

use crate::failure::Failure;
use crate::relying_party::Expected;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde::Deserialize;

/// The most that is read, in bytes; browsers send some 150.
const BYTES_MAX: usize = 4_096;

/// Which ceremony.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ceremony {
    /// A passkey is made.
    Create,
    /// One is used.
    Get,
}

#[derive(Deserialize)]
struct ClientData {
    r#type: String,
    challenge: String,
    origin: String,
    #[serde(default, rename = "crossOrigin")]
    cross_origin: bool,
    #[serde(default, rename = "topOrigin")]
    top_origin: Option<String>,
}

/// Checks it, in the order of the steps.
pub(crate) fn check(json: &[u8], ceremony: Ceremony, expected: &Expected<'_>) -> Result<(), Failure> {
    if json.len() > BYTES_MAX {
        return Err(Failure::ClientData);
    }
    let data: ClientData = serde_json::from_slice(json).map_err(|_| Failure::ClientData)?;
    let wanted = match ceremony {
        Ceremony::Create => "webauthn.create",
        Ceremony::Get => "webauthn.get",
    };
    if data.r#type != wanted {
        return Err(Failure::Type);
    }
    let (sent, asked) = (data.challenge.as_bytes(), expected.challenge.as_bytes());
    if asked.is_empty() || verify_slices_are_equal(sent, asked).is_err() {
        return Err(Failure::Challenge);
    }
    if data.origin != expected.site.origin() {
        return Err(Failure::Origin);
    }
    if data.cross_origin || data.top_origin.is_some() {
        return Err(Failure::CrossOrigin);
    }
    Ok(())
}
