//! `DELETE /v1/members/{member}`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::IfMatch;
use axum::extract::State;
use http::StatusCode;

/// Deletes a member who owns no key. Needs `people.write`.
#[utoipa::path(delete, path = "/v1/members/{member}", tag = "people", operation_id = "delete_member",
    params(("member" = String, Path, description = "The member's id or e-mail address, or `me`."), ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    responses((status = 204, description = "It is gone."), Problems))]
pub(super) async fn delete(
    State(app): State<App>,
    Called(caller): Called,
    Path(member): Path<String>,
    IfMatch(version): IfMatch,
) -> Result<StatusCode, ApiProblem> {
    app.keystead.delete_member(&caller, &member, version).await?;
    Ok(StatusCode::NO_CONTENT)
}
