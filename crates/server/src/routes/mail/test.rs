//! `POST /v1/mail/test`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use keystead_api::{MailTest, TestMail};

/// Sends a test message now, and answers whether the mail server took it; ten an hour of one node. For the operator.
#[utoipa::path(post, path = "/v1/mail/test", tag = "mail", operation_id = "test_mail",
    request_body = TestMail, responses((status = 200, body = MailTest), Problems))]
pub(super) async fn test(
    State(app): State<App>,
    Called(caller): Called,
    Json(input): Json<TestMail>,
) -> Result<Json<MailTest>, ApiProblem> {
    Ok(Json(app.keystead.test_mail(&caller, input).await?))
}
