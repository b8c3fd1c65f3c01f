//! `POST /v1/members`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use crate::version::Created;
use axum::extract::State;
use keystead_api::{CreateMember, Member};

/// Creates a member. Needs `people.write`, and the right to give what it may do.
#[utoipa::path(post, path = "/v1/members", tag = "people", operation_id = "create_member", request_body = CreateMember,
    responses((status = 201, body = Member, headers(("ETag" = String), ("Location" = String))), Problems))]
pub(super) async fn create(
    State(app): State<App>,
    Called(caller): Called,
    Json(input): Json<CreateMember>,
) -> Result<Created<Member>, ApiProblem> {
    let created = app.keystead.create_member(&caller, input).await?;
    let location = format!("/v1/members/{}", created.id);
    Ok(Created { location, version: created.version, thing: created })
}
