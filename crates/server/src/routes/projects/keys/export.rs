//! `GET /v1/projects/{project}/keys/export`

use crate::credential::Called;
use crate::ndjson;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::{Path, Query};
use crate::state::App;
use axum::extract::State;
use axum::response::Response;
use futures_util::stream;
use keystead_api::{ExportLine, KeyQuery};
use keystead_service::Refused;
use std::sync::Arc;

/// A project's keys that match, one JSON line each, without any secret. Needs `keys.read`.
///
/// The first line is `head`, the last one `end` with how many came between: without it the export was cut.
#[utoipa::path(get, path = "/v1/projects/{project}/keys/export", tag = "keys", operation_id = "export_keys",
    params(("project" = String, Path, description = "Id or slug."), KeyQuery),
    responses((status = 200, body = ExportLine, content_type = "application/x-ndjson"), Problems))]
pub(super) async fn export(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    Query(query): Query<KeyQuery>,
) -> Result<Response, ApiProblem> {
    let export = app.keystead.export_keys(&caller, &project, query).await?;
    let pages =
        stream::try_unfold((Arc::clone(&app.keystead), export), |(keystead, mut export)| async move {
            let page: Option<Vec<ExportLine>> = keystead.export_page(&mut export).await?;
            Ok::<_, Refused>(page.map(|page| (page, (keystead, export))))
        });
    Ok(ndjson::answer(pages))
}
