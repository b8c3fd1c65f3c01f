//! `GET /v1/contacts/{slug}`

use crate::body::Json;
use crate::credential::Unproven;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use axum::extract::State;
use keystead_api::Contacts;

/// How an organization is reached: the verified contacts of the teams that it lists. Needs no key; 30 look-ups a minute from one network. An organization that lists none is answered as one that does not exist.
#[utoipa::path(get, path = "/v1/contacts/{slug}", tag = "contacts", operation_id = "contacts",
    params(("slug" = String, Path, description = "The organization's slug.")),
    security(()),
    responses((status = 200, body = Contacts), Problems))]
pub(super) async fn show(
    State(app): State<App>,
    Unproven(origin): Unproven,
    Path(slug): Path<String>,
) -> Result<Json<Contacts>, ApiProblem> {
    Ok(Json(app.keystead.contacts(&slug, &origin).await?))
}
