//! `GET /v1/projects/{project}/consumers/{consumer}`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::Versioned;
use axum::extract::State;
use keystead_api::Consumer;

/// One consumer of a project. Needs `consumers.read`.
#[utoipa::path(get, path = "/v1/projects/{project}/consumers/{consumer}", tag = "principals", operation_id = "show_consumer",
    params(("project" = String, Path, description = "The project's id or slug."), ("consumer" = String, Path, description = "The consumer's id or external id.")),
    responses((status = 200, body = Consumer, headers(("ETag" = String))), Problems))]
pub(super) async fn show(
    State(app): State<App>,
    Called(caller): Called,
    Path((project, consumer)): Path<(String, String)>,
) -> Result<Versioned<Consumer>, ApiProblem> {
    let found = app.keystead.consumer(&caller, &project, &consumer).await?;
    Ok(Versioned(found.version, found))
}
