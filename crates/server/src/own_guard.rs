//! What the installation's own proxies ask: the keyring in the same process, for each request.

use crate::configuration::Whose;
use crate::own_place::OwnPlace;
use crate::request_id::RequestIds;
use http::request::Parts;
use keystead_api::Code;
use keystead_guard::{Answer, Refusal, Request};
use keystead_proxy::Judge;
use keystead_service::Keystead;
use std::net::IpAddr;
use std::sync::Arc;

/// Whose keys are asked.
struct Own {
    keystead: Arc<Keystead>,
    ids: Arc<RequestIds>,
    place: OwnPlace,
}

/// What decides on the requests of a guard. An environment that is not there (yet), or a project that is not guarded,
/// lets nothing through.
#[must_use]
pub fn decide(keystead: &Arc<Keystead>, whose: &Whose, ids: &Arc<RequestIds>) -> Judge {
    let place = OwnPlace::new(keystead, whose.clone());
    let own = Arc::new(Own { keystead: Arc::clone(keystead), ids: Arc::clone(ids), place });
    let asked = Arc::clone(&own);
    Judge {
        decide: Arc::new(move |parts: &Parts, peer: IpAddr| {
            let own = Arc::clone(&own);
            Box::pin(async move { own.answer(parts, peer).await })
        }),
        still: Some(Arc::new(move |parts: &Parts, peer: IpAddr| asked.still(parts, peer))),
    }
}

impl Own {
    async fn answer(&self, parts: &Parts, peer: IpAddr) -> Answer {
        match self.place.door(self.ids.next()).await {
            Some(door) => self.keystead.guard_request(&door, &read(parts), Some(peer)).await,
            None => Answer::Refuse(Refusal::of(Code::Unavailable, None)),
        }
    }

    /// Why what this request began may not go on. Where there is no such environment or no guard any more, it may not.
    fn still(&self, parts: &Parts, peer: IpAddr) -> Option<Refusal> {
        match self.place.door_found(self.ids.next()) {
            Some(door) => self.keystead.refused_since(&door, &read(parts), Some(peer)),
            // Not 503: it would be sent again.
            None => Some(Refusal::of(Code::EndpointDenied, None)),
        }
    }
}

fn read(parts: &Parts) -> Request<'_> {
    Request {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query(),
        headers: &parts.headers,
        strips_query: true,
    }
}
