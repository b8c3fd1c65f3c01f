//! `GET /v1/members/{member}/keys`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use axum::extract::State;
use keystead_api::{OwnedKey, Page};

/// The keys that a person owns, themselves and in teams' names, oldest first, at most 1,000: what stops when they
/// are disabled. Needs `people.read`. One's own are seen without it.
#[utoipa::path(get, path = "/v1/members/{member}/keys", tag = "people", operation_id = "keys_of_member",
    params(("member" = String, Path, description = "The member's id or e-mail address, or `me`.")),
    responses((status = 200, body = Page<OwnedKey>), Problems))]
pub(super) async fn keys(
    State(app): State<App>,
    Called(caller): Called,
    Path(member): Path<String>,
) -> Result<Json<Page<OwnedKey>>, ApiProblem> {
    Ok(Json(app.keystead.keys_of_member(&caller, &member).await?))
}
