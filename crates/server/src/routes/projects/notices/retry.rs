//! `POST /v1/projects/{project}/notices/{notice}/retry`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use axum::extract::State;
use keystead_api::Notice;

/// Sends a notice now, also one that was given up, to the addresses that are known by now. Needs
/// `keys.rotate`, `keys.read` and `consumers.read`.
#[utoipa::path(post, path = "/v1/projects/{project}/notices/{notice}/retry", tag = "keys", operation_id = "retry_notice",
    params(
        ("project" = String, Path, description = "The project's id or slug."),
        ("notice" = String, Path, description = "`ntc_…`"),
    ),
    responses((status = 200, body = Notice), Problems))]
pub(super) async fn retry(
    State(app): State<App>,
    Called(caller): Called,
    Path((project, notice)): Path<(String, String)>,
) -> Result<Json<Notice>, ApiProblem> {
    Ok(Json(app.keystead.retry_notice(&caller, &project, &notice).await?))
}
