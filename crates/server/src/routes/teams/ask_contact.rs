//! `POST /v1/teams/{team}/contact/ask`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use axum::extract::State;
use keystead_api::ContactAsked;

/// Asks a team's contact whether it is the team's: by e-mail, or by a link in the answer where this server sends none. A new or changed contact is asked by itself where it sends some, and again every year. Needs `people.write`.
#[utoipa::path(post, path = "/v1/teams/{team}/contact/ask", tag = "people", operation_id = "ask_contact",
    params(("team" = String, Path, description = "The team's id or name.")),
    responses((status = 200, body = ContactAsked), Problems))]
pub(super) async fn ask_contact(
    State(app): State<App>,
    Called(caller): Called,
    Path(team): Path<String>,
) -> Result<Json<ContactAsked>, ApiProblem> {
    Ok(Json(app.keystead.ask_contact(&caller, &team).await?))
}
