//! `GET /v1/teams/{team}`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::Versioned;
use axum::extract::State;
use keystead_api::Team;

/// One team. Needs `people.read`.
#[utoipa::path(get, path = "/v1/teams/{team}", tag = "people", operation_id = "show_team",
    params(("team" = String, Path, description = "The team's id or name.")),
    responses((status = 200, body = Team, headers(("ETag" = String))), Problems))]
pub(super) async fn show(
    State(app): State<App>,
    Called(caller): Called,
    Path(team): Path<String>,
) -> Result<Versioned<Team>, ApiProblem> {
    let found = app.keystead.team(&caller, &team).await?;
    Ok(Versioned(found.version, found))
}
