//! `DELETE /v1/projects/{project}/consumers/{consumer}`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::IfMatch;
use axum::extract::State;
use http::StatusCode;

/// Deletes a consumer that has no key. Needs `consumers.write`.
#[utoipa::path(delete, path = "/v1/projects/{project}/consumers/{consumer}", tag = "principals", operation_id = "delete_consumer",
    params(("project" = String, Path, description = "The project's id or slug."), ("consumer" = String, Path, description = "The consumer's id or external id."),
        ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    responses((status = 204, description = "It is gone."), Problems))]
pub(super) async fn delete(
    State(app): State<App>,
    Called(caller): Called,
    Path((project, consumer)): Path<(String, String)>,
    IfMatch(version): IfMatch,
) -> Result<StatusCode, ApiProblem> {
    app.keystead.delete_consumer(&caller, &project, &consumer, version).await?;
    Ok(StatusCode::NO_CONTENT)
}
