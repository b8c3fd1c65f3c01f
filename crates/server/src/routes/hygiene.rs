//! `GET /v1/hygiene`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Query;
use crate::state::App;
use axum::extract::State;
use keystead_api::{HygieneQuery, HygieneReport};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(hygiene))
}

/// Keys with something to mend, with evidence and fix, and the score of all that were looked at. Needs `keys.read`.
#[utoipa::path(get, path = "/v1/hygiene", tag = "keys", operation_id = "hygiene", params(HygieneQuery),
    responses((status = 200, body = HygieneReport), Problems))]
async fn hygiene(
    State(app): State<App>,
    Called(caller): Called,
    Query(query): Query<HygieneQuery>,
) -> Result<Json<HygieneReport>, ApiProblem> {
    Ok(Json(app.keystead.hygiene(&caller, &query).await?))
}
