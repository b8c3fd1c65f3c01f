//! `POST /v1/teams`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use crate::version::Created;
use axum::extract::State;
use keystead_api::{CreateTeam, Team};

/// Creates a team. Needs `people.write`, and the right to give what it may do.
#[utoipa::path(post, path = "/v1/teams", tag = "people", operation_id = "create_team", request_body = CreateTeam,
    responses((status = 201, body = Team, headers(("ETag" = String), ("Location" = String))), Problems))]
pub(super) async fn create(
    State(app): State<App>,
    Called(caller): Called,
    Json(input): Json<CreateTeam>,
) -> Result<Created<Team>, ApiProblem> {
    let created = app.keystead.create_team(&caller, input).await?;
    let location = format!("/v1/teams/{}", created.id);
    Ok(Created { location, version: created.version, thing: created })
}
