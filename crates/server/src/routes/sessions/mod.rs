//! `/v1/sessions`: signing in, and the sessions of one's own account.

mod create;
mod current;
mod delete;
mod list;
mod passkey;
mod second_factor;

use crate::state::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(current::current, delete::sign_out))
        .routes(routes!(delete::delete))
        .routes(routes!(second_factor::step_up))
        .merge(passkey::routes())
}
