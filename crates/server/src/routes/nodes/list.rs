//! `GET /v1/nodes`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use keystead_api::{Node, Page};

/// The servers that share the database, the oldest first, all in one page. For the operator.
#[utoipa::path(get, path = "/v1/nodes", tag = "nodes", operation_id = "list_nodes",
    responses((status = 200, body = Page<Node>), Problems))]
pub(super) async fn list(
    State(app): State<App>,
    Called(caller): Called,
) -> Result<Json<Page<Node>>, ApiProblem> {
    Ok(Json(app.keystead.list_nodes(&caller).await?))
}
