//! `PATCH /v1/projects/{project}/consumers/{consumer}`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::{IfMatch, Versioned};
use axum::extract::State;
use keystead_api::{Consumer, UpdateConsumer};

/// Changes a consumer; its keys follow on their next request. Needs `consumers.write`.
#[utoipa::path(patch, path = "/v1/projects/{project}/consumers/{consumer}", tag = "principals", operation_id = "update_consumer",
    params(("project" = String, Path, description = "The project's id or slug."), ("consumer" = String, Path, description = "The consumer's id or external id."),
        ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    request_body = UpdateConsumer, responses((status = 200, body = Consumer, headers(("ETag" = String))), Problems))]
pub(super) async fn update(
    State(app): State<App>,
    Called(caller): Called,
    Path((project, consumer)): Path<(String, String)>,
    IfMatch(version): IfMatch,
    Json(input): Json<UpdateConsumer>,
) -> Result<Versioned<Consumer>, ApiProblem> {
    let changed = app.keystead.update_consumer(&caller, &project, &consumer, input, version).await?;
    Ok(Versioned(changed.version, changed))
}
