//! `GET /v1/sessions`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Query;
use crate::state::App;
use axum::extract::State;
use keystead_api::{Page, PageQuery, Session};

/// The sessions of one's own account that go on, newest first. For people who signed in.
#[utoipa::path(get, path = "/v1/sessions", tag = "account", operation_id = "list_sessions", params(PageQuery),
    responses((status = 200, body = Page<Session>), Problems))]
pub(super) async fn list(
    State(app): State<App>,
    Called(caller): Called,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Session>>, ApiProblem> {
    Ok(Json(app.keystead.list_sessions(&caller, &query).await?))
}
