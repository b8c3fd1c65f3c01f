//! `PATCH /v1/members/{member}`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::{IfMatch, Versioned};
use axum::extract::State;
use keystead_api::{Member, UpdateMember};

/// Changes a member; everything of theirs follows on the next request. Needs `people.write`, and the right to
/// give what it may do from now on.
#[utoipa::path(patch, path = "/v1/members/{member}", tag = "people", operation_id = "update_member",
    params(("member" = String, Path, description = "The member's id or e-mail address, or `me`."), ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    request_body = UpdateMember, responses((status = 200, body = Member, headers(("ETag" = String))), Problems))]
pub(super) async fn update(
    State(app): State<App>,
    Called(caller): Called,
    Path(member): Path<String>,
    IfMatch(version): IfMatch,
    Json(input): Json<UpdateMember>,
) -> Result<Versioned<Member>, ApiProblem> {
    let changed = app.keystead.update_member(&caller, &member, input, version).await?;
    Ok(Versioned(changed.version, changed))
}
