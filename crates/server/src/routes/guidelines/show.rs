//! `GET /v1/guidelines`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Query;
use crate::state::App;
use crate::version::Versioned;
use axum::extract::State;
use keystead_api::{Guidelines, GuidelinesQuery};

/// The organization's guidelines for handling keys: those that hold, or an earlier version. For everybody in it.
#[utoipa::path(get, path = "/v1/guidelines", tag = "guidelines", operation_id = "show_guidelines",
    params(GuidelinesQuery), responses((status = 200, body = Guidelines, headers(("ETag" = String))), Problems))]
pub(super) async fn show(
    State(app): State<App>,
    Called(caller): Called,
    Query(query): Query<GuidelinesQuery>,
) -> Result<Versioned<Guidelines>, ApiProblem> {
    let shown = app.keystead.guidelines(&caller, &query).await?;
    Ok(Versioned(shown.version, shown))
}
