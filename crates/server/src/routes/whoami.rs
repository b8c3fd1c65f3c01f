//! `POST /v1/whoami`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use keystead_api::{WhoAmI, WhoIs};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(whoami))
}

/// The key that a raw value is; the caller's own when the body is left out or names none. Another
/// key needs `keys.read` on it.
#[utoipa::path(post, path = "/v1/whoami", tag = "keys", request_body = Option<WhoAmI>,
    responses((status = 200, body = WhoIs), Problems))]
async fn whoami(
    State(app): State<App>,
    Called(caller): Called,
    input: Option<Json<WhoAmI>>,
) -> Result<Json<WhoIs>, ApiProblem> {
    let input = input.map(|Json(input)| input).unwrap_or_default();
    Ok(Json(app.keystead.who_is(&caller, &input).await?))
}
