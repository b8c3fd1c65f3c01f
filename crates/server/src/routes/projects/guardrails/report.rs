//! `GET /v1/projects/{project}/guardrails/report`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::{Path, Query};
use crate::state::App;
use axum::extract::State;
use keystead_api::{Page, PageQuery, ViolatingKey};

/// A project's keys, neither revoked nor expired, that violate a guardrail now. Needs `keys.read`.
///
/// A page may hold fewer keys than asked and still say where the next begins.
#[utoipa::path(get, path = "/v1/projects/{project}/guardrails/report", tag = "guardrails", operation_id = "report_guardrails",
    params(("project" = String, Path, description = "The project's id or slug."), PageQuery),
    responses((status = 200, body = Page<ViolatingKey>), Problems))]
pub(super) async fn report(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<ViolatingKey>>, ApiProblem> {
    Ok(Json(app.keystead.guardrails_report(&caller, &project, &query).await?))
}
