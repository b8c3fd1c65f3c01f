//! `POST /v1/projects/{project}/consumers`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::Created;
use axum::extract::State;
use keystead_api::{Consumer, CreateConsumer};

/// Creates a consumer of a project. Needs `consumers.write`.
#[utoipa::path(post, path = "/v1/projects/{project}/consumers", tag = "principals", operation_id = "create_consumer",
    params(("project" = String, Path, description = "The project's id or slug.")), request_body = CreateConsumer,
    responses((status = 201, body = Consumer, headers(("ETag" = String), ("Location" = String))), Problems))]
pub(super) async fn create(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    Json(input): Json<CreateConsumer>,
) -> Result<Created<Consumer>, ApiProblem> {
    let created = app.keystead.create_consumer(&caller, &project, input).await?;
    let location = format!("/v1/projects/{project}/consumers/{}", created.id);
    Ok(Created { location, version: created.version, thing: created })
}
