//! `GET /v1/guardrails`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use crate::version::Versioned;
use axum::extract::State;
use keystead_api::GuardrailsView;

/// The organization's guardrails, and all that holds there. Needs `guardrails.read`.
#[utoipa::path(get, path = "/v1/guardrails", tag = "guardrails", operation_id = "show_organization_guardrails",
    responses((status = 200, body = GuardrailsView, headers(("ETag" = String))), Problems))]
pub(super) async fn show(
    State(app): State<App>,
    Called(caller): Called,
) -> Result<Versioned<GuardrailsView>, ApiProblem> {
    let found = app.keystead.guardrails(&caller).await?;
    Ok(Versioned(found.version, found))
}
