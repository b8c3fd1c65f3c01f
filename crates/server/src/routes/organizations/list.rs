//! `GET /v1/organizations`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Query;
use crate::state::App;
use axum::extract::State;
use keystead_api::{Organization, Page, PageQuery};

/// Every organization of the installation, newest first. For the operator.
#[utoipa::path(get, path = "/v1/organizations", tag = "organizations", operation_id = "list_organizations", params(PageQuery),
    responses((status = 200, body = Page<Organization>), Problems))]
pub(super) async fn list(
    State(app): State<App>,
    Called(caller): Called,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Organization>>, ApiProblem> {
    Ok(Json(app.keystead.list_organizations(&caller, &query).await?))
}
