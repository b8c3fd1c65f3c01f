//! `Front` as a layer of tower.

use super::Front;
use axum::extract::Request;
use axum::response::Response;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower::{Layer, Service};

/// What `Front` stands before: any of axum's routes.
pub(super) trait Handler:
    Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<H> Handler for H where
    H: Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

#[derive(Debug, Clone)]
pub(super) struct FrontLayer(pub(super) Arc<Front>);

impl<H> Layer<H> for FrontLayer {
    type Service = FrontService<H>;

    fn layer(&self, handler: H) -> FrontService<H> {
        FrontService { front: Arc::clone(&self.0), handler }
    }
}

#[derive(Debug, Clone)]
pub(super) struct FrontService<H> {
    front: Arc<Front>,
    handler: H,
}

impl<H: Handler> Service<Request> for FrontService<H> {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.handler.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The one that was polled ready answers; its clone takes the next request.
        let clone = self.handler.clone();
        let handler = std::mem::replace(&mut self.handler, clone);
        let front = Arc::clone(&self.front);
        Box::pin(async move { Ok(front.pass(handler, request).await) })
    }
}
