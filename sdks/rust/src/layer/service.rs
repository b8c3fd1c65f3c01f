//! The layer, and the service that it makes of another.

use super::judge::{AskedBy, Judge};
use super::need::Need;
use super::question::is_preflight;
use http::request::Parts;
use http::{Request, Response};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

pub(super) type Needs = Arc<dyn Fn(&Parts) -> Need + Send + Sync>;

/// Lets only requests reach a service whose key may do what they need; made by a [`Guard`](super::Guard).
#[derive(Clone)]
pub struct GuardLayer {
    pub(super) judge: Arc<Judge>,
    pub(super) needs: Needs,
    pub(super) pass_preflight: bool,
}

/// A service behind a [`GuardLayer`].
#[derive(Clone)]
pub struct Guarded<S> {
    inner: S,
    layer: GuardLayer,
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, layer: self.clone() }
    }
}

impl<S, B, R> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Send + 'static,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let clone = self.inner.clone();
        // The one that was made ready is the one to call.
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let GuardLayer { judge, needs, pass_preflight } = self.layer.clone();
        let (mut parts, body) = request.into_parts();
        Box::pin(async move {
            if !(pass_preflight && is_preflight(&parts)) {
                let need = needs(&parts);
                let verdict = match judge.judge(&parts, need).await {
                    Ok(verdict) => verdict,
                    Err(refusal) => return Ok(refusal.response(&judge.realm)),
                };
                if verdict.valid {
                    parts.extensions.insert(AskedBy(judge));
                }
                parts.extensions.insert(verdict);
            }
            inner.call(Request::from_parts(parts, body)).await
        })
    }
}

impl fmt::Debug for GuardLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardLayer").field("url", &self.judge.client.url()).finish_non_exhaustive()
    }
}

impl<S> fmt::Debug for Guarded<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").field("layer", &self.layer).finish_non_exhaustive()
    }
}
