//! `GET /v1/members`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Query;
use crate::state::App;
use axum::extract::State;
use keystead_api::{Member, Page, PageQuery};

/// A page of the organization's members, newest first. Needs `people.read`.
#[utoipa::path(get, path = "/v1/members", tag = "people", operation_id = "list_members", params(PageQuery),
    responses((status = 200, body = Page<Member>), Problems))]
pub(super) async fn list(
    State(app): State<App>,
    Called(caller): Called,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Member>>, ApiProblem> {
    Ok(Json(app.keystead.list_members(&caller, &query).await?))
}
