//! `DELETE /v1/teams/{team}/members/{member}`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use axum::extract::State;
use http::StatusCode;

/// Takes a member out of a team; keys that they made in its name stop on the next request. Needs `people.write`.
/// One leaves without it.
#[utoipa::path(delete, path = "/v1/teams/{team}/members/{member}", tag = "people", operation_id = "leave_team",
    params(("team" = String, Path, description = "The team's id or name."), ("member" = String, Path, description = "The member's id or e-mail address, or `me`.")),
    responses((status = 204, description = "They left."), Problems))]
pub(super) async fn leave(
    State(app): State<App>,
    Called(caller): Called,
    Path((team, member)): Path<(String, String)>,
) -> Result<StatusCode, ApiProblem> {
    app.keystead.leave_team(&caller, &team, &member).await?;
    Ok(StatusCode::NO_CONTENT)
}
