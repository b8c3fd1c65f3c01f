//! `GET /v1/members/{member}`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::Versioned;
use axum::extract::State;
use keystead_api::Member;

/// One member. Needs `people.read`. Oneself is seen without it.
#[utoipa::path(get, path = "/v1/members/{member}", tag = "people", operation_id = "show_member",
    params(("member" = String, Path, description = "The member's id or e-mail address, or `me`.")),
    responses((status = 200, body = Member, headers(("ETag" = String))), Problems))]
pub(super) async fn show(
    State(app): State<App>,
    Called(caller): Called,
    Path(member): Path<String>,
) -> Result<Versioned<Member>, ApiProblem> {
    let found = app.keystead.member(&caller, &member).await?;
    Ok(Versioned(found.version, found))
}
