//! `POST /v1/members/{member}/invitation`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use axum::extract::State;
use keystead_api::Invitation;

/// Invites a member who has not joined, in place of the invitation before: by e-mail, or by a link in the answer where this server sends none. Needs `people.write`, and what the member was granted.
#[utoipa::path(post, path = "/v1/members/{member}/invitation", tag = "people", operation_id = "invite_member",
    params(("member" = String, Path, description = "Id, `mem_…`.")),
    responses((status = 200, body = Invitation), Problems))]
pub(super) async fn invite(
    State(app): State<App>,
    Called(caller): Called,
    Path(member): Path<String>,
) -> Result<Json<Invitation>, ApiProblem> {
    Ok(Json(app.keystead.invite_member(&caller, &member).await?))
}
