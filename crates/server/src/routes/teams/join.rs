//! `PUT /v1/teams/{team}/members/{member}`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use axum::extract::State;
use keystead_api::TeamMembers;

/// Puts a member in a team; one who is in it stays. Needs `people.write`, and the right to give what the team may
/// do.
#[utoipa::path(put, path = "/v1/teams/{team}/members/{member}", tag = "people", operation_id = "join_team",
    params(("team" = String, Path, description = "The team's id or name."), ("member" = String, Path, description = "The member's id or e-mail address, or `me`.")),
    responses((status = 200, body = TeamMembers), Problems))]
pub(super) async fn join(
    State(app): State<App>,
    Called(caller): Called,
    Path((team, member)): Path<(String, String)>,
) -> Result<Json<TeamMembers>, ApiProblem> {
    Ok(Json(app.keystead.join_team(&caller, &team, &member).await?))
}
