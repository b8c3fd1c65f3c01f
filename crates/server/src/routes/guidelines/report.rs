//! `GET /v1/guidelines/report`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Query;
use crate::state::App;
use axum::extract::State;
use keystead_api::{MemberReading, Page, PageQuery};

/// A page of the organization's members, newest first, each with the guidelines and lessons that they have read.
/// Needs `people.read`.
#[utoipa::path(get, path = "/v1/guidelines/report", tag = "guidelines", operation_id = "report_guidelines",
    params(PageQuery), responses((status = 200, body = Page<MemberReading>), Problems))]
pub(super) async fn report(
    State(app): State<App>,
    Called(caller): Called,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<MemberReading>>, ApiProblem> {
    Ok(Json(app.keystead.guidelines_report(&caller, &query).await?))
}
