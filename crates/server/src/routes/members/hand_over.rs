//! `POST /v1/members/{member}/keys/hand-over`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use axum::extract::State;
use keystead_api::{BulkOutcome, HandOverKeys};

/// Hands over everything that a member owns, themselves and in teams' names, some keys a call, the oldest first: from
/// then on each does what its new owner may. What cannot be handed over is named, with the reason. Needs `people.read`, and
/// for each key `keys.read`, `keys.update`, and `authority.grant` (to a member) or `keys.create` (to a service account).
#[utoipa::path(post, path = "/v1/members/{member}/keys/hand-over", tag = "people", operation_id = "hand_over_keys",
    params(("member" = String, Path, description = "The member's id or e-mail address.")), request_body = HandOverKeys,
    responses((status = 200, body = BulkOutcome), Problems))]
pub(super) async fn hand_over(
    State(app): State<App>,
    Called(caller): Called,
    Path(member): Path<String>,
    Json(input): Json<HandOverKeys>,
) -> Result<Json<BulkOutcome>, ApiProblem> {
    Ok(Json(app.keystead.hand_over_keys(&caller, &member, input).await?))
}
