//! A request's way to an upstream, with the time it may take and what is tried again.

use crate::connect::Sender;
use crate::counts::Counts;
use crate::forward;
use crate::problem::Problem;
use crate::upload::{Progress, Upload, Uploading};
use crate::upstream::{Flight, Lent, Upstream, Upstreams};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderValue, Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Tries of one request.
const TRIES_MAX: usize = 3;

/// A request on its way.
pub(crate) struct Outgoing<'a> {
    pub(crate) upstreams: &'a Upstreams,
    pub(crate) host: &'a Authority,
    pub(crate) upgrade: Option<&'a HeaderValue>,
    /// How long the head of the answer may take.
    pub(crate) answer: Duration,
    pub(crate) counts: &'a Counts,
}

/// Why a try brought no answer.
enum Lost {
    /// Nothing of it went out.
    Unsent(Box<Request<Upload>>),
    /// It went out.
    Sent(hyper::Error),
    /// Nothing came in time.
    Slow,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsent(_) => f.write_str("the connection ended before anything was sent"),
            Self::Sent(error) => error.fmt(f),
            Self::Slow => f.write_str("no answer came in time"),
        }
    }
}

impl Outgoing<'_> {
    /// Sends it. Tried again, at another upstream where there is one: what was never sent, and what changes nothing
    /// when it is done twice (RFC 9110 §9.2.2), has no body and was not answered by a byte.
    pub(crate) async fn send(
        &self,
        parts: Parts,
        upload: Upload,
    ) -> Result<(Response<Incoming>, Lent), Problem> {
        let uploading = upload.uploading();
        let progress = uploading.as_ref().map(Uploading::progress);
        let mut request = Request::from_parts(parts, upload);
        let (mut tried, mut fresh): (Vec<Arc<Upstream>>, bool) = (Vec::new(), false);
        let mut problem = Problem::Unreachable;
        for attempt in 0..TRIES_MAX.max(self.upstreams.count()) {
            let Some(flight) = self.upstreams.choose(&tried) else { return Err(problem) };
            if attempt > 0 {
                self.counts.retried();
            }
            let Some((mut sender, reused)) = self.upstreams.connection(&flight.0, fresh).await else {
                tried.push(Arc::clone(&flight.0));
                continue;
            };
            let spare = spare(&request);
            let lost = match self.attempt(request, &flight, &mut sender, progress).await? {
                Ok(response) => return Ok((response, Lent::new(flight, sender, uploading))),
                Err(lost) => lost,
            };
            // The client's own fault is not the upstream's.
            if let Some(problem) = progress.and_then(Progress::fault) {
                return Err(problem);
            }
            // What was kept open may have been closed by the other end: that is no failure of it.
            if !reused {
                tried.push(Arc::clone(&flight.0));
                flight.0.failed(&lost.to_string());
                problem = Problem::Failed;
            }
            fresh = true;
            request = match (lost, spare) {
                (Lost::Unsent(request), _) => *request,
                (Lost::Sent(error), Some(spare)) if !error.is_parse() => spare,
                (lost, _) => {
                    if reused {
                        flight.0.failed(&lost.to_string());
                    }
                    return Err(if matches!(lost, Lost::Slow) { Problem::Slow } else { Problem::Failed });
                }
            };
        }
        Err(problem)
    }

    async fn attempt(
        &self,
        request: Request<Upload>,
        flight: &Flight,
        sender: &mut Sender,
        progress: Option<&Progress>,
    ) -> Result<Result<Response<Incoming>, Lost>, Problem> {
        let (mut parts, upload) = request.into_parts();
        let unknown_length = !upload.is_none() && upload.size_hint().exact().is_none();
        forward::frame(&mut parts, self.host, self.upstreams.http2(&flight.0), self.upgrade, unknown_length)?;
        let request = Request::from_parts(parts, upload);
        let sent = match sender {
            Sender::Http1(sender) => self.in_time(sender.requests.try_send_request(request), progress).await,
            Sender::Http2(sender) => self.in_time(sender.try_send_request(request), progress).await,
        };
        Ok(sent.inspect(|_| flight.0.answered()))
    }

    /// The time runs anew with each piece of the body that the upstream takes.
    async fn in_time(
        &self,
        sending: impl Future<Output = Result<Response<Incoming>, TrySendError<Request<Upload>>>>,
        progress: Option<&Progress>,
    ) -> Result<Response<Incoming>, Lost> {
        let slow = async {
            match progress {
                Some(progress) => progress.rests(self.answer).await,
                None => sleep(self.answer).await,
            }
        };
        let mut error = tokio::select! {
            biased;
            sent = sending => match sent {
                Ok(response) => return Ok(response),
                Err(error) => error,
            },
            () = slow => return Err(Lost::Slow),
        };
        Err(match error.take_message() {
            Some(request) => Lost::Unsent(Box::new(request)),
            None => Lost::Sent(error.into_error()),
        })
    }
}

/// The same once more, if it may be sent twice.
fn spare(request: &Request<Upload>) -> Option<Request<Upload>> {
    if !request.body().is_none() || !request.method().is_idempotent() {
        return None;
    }
    let mut spare = Request::new(Upload::none());
    *spare.method_mut() = request.method().clone();
    *spare.uri_mut() = request.uri().clone();
    *spare.headers_mut() = request.headers().clone();
    Some(spare)
}
