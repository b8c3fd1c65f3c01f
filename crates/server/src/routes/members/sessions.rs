//! `DELETE /v1/members/{member}/sessions`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use axum::extract::State;
use http::StatusCode;

/// Ends every session that a member has in this organization. Needs `people.write`.
#[utoipa::path(delete, path = "/v1/members/{member}/sessions", tag = "people", operation_id = "end_member_sessions",
    params(("member" = String, Path, description = "Id, `mem_…`.")),
    responses((status = 204), Problems))]
pub(super) async fn end(
    State(app): State<App>,
    Called(caller): Called,
    Path(member): Path<String>,
) -> Result<StatusCode, ApiProblem> {
    app.keystead.end_sessions_of_member(&caller, &member).await?;
    Ok(StatusCode::NO_CONTENT)
}
