//! `GET /v1/projects/{project}/guard/report`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::{Path, Query};
use crate::state::App;
use axum::extract::State;
use keystead_api::{GuardObservation, Page, PageQuery};

/// The requests that observing let pass and enforcing would refuse, the most frequent first. Needs `guards.read`.
///
/// A row goes 30 days after its last request; there are 1,000 at most, on one page.
#[utoipa::path(get, path = "/v1/projects/{project}/guard/report", tag = "guard", operation_id = "guard_report",
    params(("project" = String, Path, description = "The project's id or slug."), PageQuery),
    responses((status = 200, body = Page<GuardObservation>), Problems))]
pub(super) async fn report(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<GuardObservation>>, ApiProblem> {
    Ok(Json(app.keystead.guard_report(&caller, &project, &query).await?))
}
