//! `GET /v1/audit/export`

use crate::credential::Called;
use crate::ndjson;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use axum::response::Response;
use futures_util::stream;
use keystead_api::AuditExportLine;
use keystead_service::Refused;
use std::sync::Arc;

/// The organization's whole audit with what is needed to verify it, one JSON line each. Needs `audit.read`.
///
/// The first line is `head`, the last one `end` with how many came between: without it the export was cut.
/// The checkpoints come first, then the records in the order of their tree, up to the record of this export.
#[utoipa::path(get, path = "/v1/audit/export", tag = "audit", operation_id = "export_audit",
    responses((status = 200, body = AuditExportLine, content_type = "application/x-ndjson"), Problems))]
pub(super) async fn export(State(app): State<App>, Called(caller): Called) -> Result<Response, ApiProblem> {
    let export = app.keystead.export_audit(&caller).await?;
    let pages =
        stream::try_unfold((Arc::clone(&app.keystead), export), |(keystead, mut export)| async move {
            let page: Option<Vec<AuditExportLine>> = keystead.export_audit_page(&mut export).await?;
            Ok::<_, Refused>(page.map(|page| (page, (keystead, export))))
        });
    Ok(ndjson::answer(pages))
}
