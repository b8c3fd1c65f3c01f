//! `GET /v1/teams/{team}/members`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use axum::extract::State;
use keystead_api::TeamMembers;

/// Everyone who is or was in a team. Needs `people.read`.
#[utoipa::path(get, path = "/v1/teams/{team}/members", tag = "people", operation_id = "team_members",
    params(("team" = String, Path, description = "The team's id or name.")),
    responses((status = 200, body = TeamMembers), Problems))]
pub(super) async fn members(
    State(app): State<App>,
    Called(caller): Called,
    Path(team): Path<String>,
) -> Result<Json<TeamMembers>, ApiProblem> {
    Ok(Json(app.keystead.team_members(&caller, &team).await?))
}
