//! `DELETE /v1/teams/{team}`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::IfMatch;
use axum::extract::State;
use http::StatusCode;

/// Deletes a team in whose name no key was made. Needs `people.write`.
#[utoipa::path(delete, path = "/v1/teams/{team}", tag = "people", operation_id = "delete_team",
    params(("team" = String, Path, description = "The team's id or name."), ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    responses((status = 204, description = "It is gone."), Problems))]
pub(super) async fn delete(
    State(app): State<App>,
    Called(caller): Called,
    Path(team): Path<String>,
    IfMatch(version): IfMatch,
) -> Result<StatusCode, ApiProblem> {
    app.keystead.delete_team(&caller, &team, version).await?;
    Ok(StatusCode::NO_CONTENT)
}
