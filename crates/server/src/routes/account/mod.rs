//! `/v1/account`: one's own password and second factor, and recovering a lost one.

mod passkeys;
mod password;
mod recovery;
mod recovery_codes;
mod totp;

use crate::state::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(passkeys::routes())
        .routes(routes!(password::change))
        .routes(routes!(recovery::request))
        .routes(routes!(recovery::confirm))
        .routes(routes!(recovery_codes::renew))
        .routes(routes!(totp::begin, totp::remove))
        .routes(routes!(totp::confirm))
}
