//! `POST /v1/approvals/{approval}/redeem`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::Versioned;
use axum::extract::State;
use keystead_api::RedeemedKey;

/// Makes or changes the key that was approved, once, if all of it still may be. For the person who asked; a new
/// key is shown now, and never again.
#[utoipa::path(post, path = "/v1/approvals/{approval}/redeem", tag = "approvals", operation_id = "redeem_approval",
    params(("approval" = String, Path, description = "`apr_…`")),
    responses((status = 200, body = RedeemedKey, headers(("ETag" = String))), Problems))]
pub(super) async fn redeem(
    State(app): State<App>,
    Called(caller): Called,
    Path(id): Path<String>,
) -> Result<Versioned<RedeemedKey>, ApiProblem> {
    let key = app.keystead.redeem_approval(&caller, &id).await?;
    Ok(Versioned(key.details.version, key))
}
