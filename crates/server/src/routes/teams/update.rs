//! `PATCH /v1/teams/{team}`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::{IfMatch, Versioned};
use axum::extract::State;
use keystead_api::{Team, UpdateTeam};

/// Changes a team; everything done in its name follows on the next request. Needs `people.write`, and the right to
/// give what it may do from now on.
#[utoipa::path(patch, path = "/v1/teams/{team}", tag = "people", operation_id = "update_team",
    params(("team" = String, Path, description = "The team's id or name."), ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    request_body = UpdateTeam, responses((status = 200, body = Team, headers(("ETag" = String))), Problems))]
pub(super) async fn update(
    State(app): State<App>,
    Called(caller): Called,
    Path(team): Path<String>,
    IfMatch(version): IfMatch,
    Json(input): Json<UpdateTeam>,
) -> Result<Versioned<Team>, ApiProblem> {
    let changed = app.keystead.update_team(&caller, &team, input, version).await?;
    Ok(Versioned(changed.version, changed))
}
