//! `GET /v1/teams`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Query;
use crate::state::App;
use axum::extract::State;
use keystead_api::{Page, PageQuery, Team};

/// A page of the organization's teams, newest first. Needs `people.read`.
#[utoipa::path(get, path = "/v1/teams", tag = "people", operation_id = "list_teams", params(PageQuery),
    responses((status = 200, body = Page<Team>), Problems))]
pub(super) async fn list(
    State(app): State<App>,
    Called(caller): Called,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Team>>, ApiProblem> {
    Ok(Json(app.keystead.list_teams(&caller, &query).await?))
}
