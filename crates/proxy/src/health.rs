//! Upstreams that are asked for their health, beside what requests show.

use crate::Health;
use crate::connect::{self, Sender};
use crate::upload::Upload;
use crate::upstream::Upstream;
use http::header::{CONNECTION, HOST, USER_AGENT};
use http::uri::Scheme;
use http::{HeaderValue, Request, Uri};
use std::sync::Arc;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_rustls::TlsConnector;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Asks one upstream, now and after each interval, for ever.
pub(crate) async fn watch(upstream: Arc<Upstream>, tls: Option<TlsConnector>, http2: bool, health: Health) {
    let mut times = interval(health.interval);
    times.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        times.tick().await;
        let came_out = match timeout(health.answer, check(&upstream, tls.as_ref(), http2, &health)).await {
            Ok(came_out) => came_out.map_err(|error| error.to_string()),
            Err(_) => Err("no answer came in time".to_owned()),
        };
        upstream.standing.checked(&upstream.origin, &health, came_out);
    }
}

/// One check, on a connection of its own: that none can be made is what has to be noticed.
async fn check(
    upstream: &Upstream,
    tls: Option<&TlsConnector>,
    http2: bool,
    health: &Health,
) -> Result<(), Failure> {
    let origin = &upstream.origin;
    let mut request = Request::new(Upload::none());
    request.headers_mut().insert(USER_AGENT, HeaderValue::from_static("keystead-health"));
    let response = match connect::connect(origin, tls, http2).await? {
        Sender::Http1(mut sender) => {
            let headers = request.headers_mut();
            headers.insert(HOST, HeaderValue::from_str(origin.authority.as_str())?);
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
            *request.uri_mut() = Uri::from(health.path.clone());
            let answer = sender.requests.send_request(request).await?;
            // It closes in order.
            sender.task.detach();
            answer
        }
        Sender::Http2(mut sender) => {
            let scheme = if origin.tls { Scheme::HTTPS } else { Scheme::HTTP };
            let uri = Uri::builder().scheme(scheme).authority(origin.authority.clone());
            *request.uri_mut() = uri.path_and_query(health.path.clone()).build()?;
            sender.send_request(request).await?
        }
    };
    let status = response.status();
    if status.is_success() { Ok(()) } else { Err(format!("it answered {}", status.as_u16()).into()) }
}
