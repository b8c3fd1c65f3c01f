//! A refusal as an answer.

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use keystead_guard::Refusal;

/// The same for a request that had passed, and may have reached the API.
pub(crate) fn late(refusal: Refusal) -> Response<Full<Bytes>> {
    let detail = "The request would be refused now. Find out what became of it before sending it again.";
    response(&Refusal { detail, retry_after_seconds: None, ..refusal })
}

pub(crate) fn response(refusal: &Refusal) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(refusal.document())));
    *response.status_mut() = refusal.status;
    for (name, value) in refusal.headers() {
        response.headers_mut().append(name, value);
    }
    response
}
