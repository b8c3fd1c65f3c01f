//! `PUT /v1/guardrails`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use crate::version::{IfMatch, Versioned};
use axum::extract::State;
use keystead_api::{Guardrails, GuardrailsView};

/// Replaces the organization's guardrails; keys that exist stay as they are. Needs `guardrails.write`.
#[utoipa::path(put, path = "/v1/guardrails", tag = "guardrails", operation_id = "set_organization_guardrails",
    params(
        ("If-Match" = Option<String>, Header, description = "The version that was seen; 0 where none were ever set.")),
    request_body = Guardrails, responses((status = 200, body = GuardrailsView, headers(("ETag" = String))), Problems))]
pub(super) async fn set(
    State(app): State<App>,
    Called(caller): Called,
    IfMatch(version): IfMatch,
    Json(rules): Json<Guardrails>,
) -> Result<Versioned<GuardrailsView>, ApiProblem> {
    let set = app.keystead.set_guardrails(&caller, rules, version).await?;
    Ok(Versioned(set.version, set))
}
