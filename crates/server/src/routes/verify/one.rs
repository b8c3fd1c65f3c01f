//! `POST /v1/verify`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use keystead_api::{Verification, Verify};

/// The verdict on one request. A refused key is an answer, not an error. Needs `keys.verify`;
/// `explain` needs `keys.read` too.
#[utoipa::path(post, path = "/v1/verify", tag = "verify", request_body = Verify,
    responses((status = 200, body = Verification), Problems))]
pub(super) async fn verify(
    State(app): State<App>,
    Called(caller): Called,
    Json(input): Json<Verify>,
) -> Result<Json<Verification>, ApiProblem> {
    Ok(Json(app.keystead.verify(&caller, &input).await?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::extract::FromRequestParts;

    fn bytes<A, B, F>(_: impl FnOnce(A, B) -> F) -> usize {
        size_of::<F>()
    }

    fn bytes_of_three<A, B, C, F>(_: impl FnOnce(A, B, C) -> F) -> usize {
        size_of::<F>()
    }

    /// What waits in rare cases is in a box of its own: the router copies the whole future for each request, and
    /// 20 KiB of it took 2 µs and pushed everything else out of the processor's nearest cache.
    #[test]
    fn a_verifications_future_is_small() {
        let called = bytes(Called::from_request_parts);
        let verified = bytes_of_three(verify);
        assert!(called <= 1_024, "{called} bytes");
        assert!(verified <= 3_200, "{verified} bytes");
    }
}
