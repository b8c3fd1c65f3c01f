//! Errors of the API: RFC 9457 problem documents.

use crate::GuardrailViolation;
use serde::{Deserialize, Serialize};

/// An error of the API itself (not a verdict): `application/problem+json`, RFC 9457.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// A URI that names the kind of error: `urn:keystead:problem:<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// A short sentence, the same for every error of this code.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// A stable name for programs, in snake case.
    pub code: String,
    /// What was wrong this time.
    pub detail: String,
    /// What to do about it.
    pub fix: String,
    /// Which field was wrong, as a JSON pointer, where one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Which other fields were wrong, where several were; at most 99.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// What the same request made before, where it did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    /// Every guardrail that the request violates (`guardrail_violated`), or that demands an approval
    /// (`approval_required`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<GuardrailViolation>,
    /// The slugs of the organizations to choose from (`organization_required`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub organizations: Vec<String>,
    /// Quote this when asking for help; it stands in the server's log.
    pub request_id: String,
}

/// What was wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// The field, as a JSON pointer.
    pub field: String,
    /// What was wrong.
    pub detail: String,
    /// What to do about it.
    pub fix: String,
}
