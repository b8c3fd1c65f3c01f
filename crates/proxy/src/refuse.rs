//! A refusal as an answer.

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use keystead_guard::Refusal;

pub(crate) fn response(refusal: &Refusal) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(refusal.document())));
    *response.status_mut() = refusal.status;
    for (name, value) in refusal.headers() {
        response.headers_mut().append(name, value);
    }
    response
}
