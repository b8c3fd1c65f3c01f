//! What clients offer to switch to (`Upgrade`), and nobody takes up.
//!
//! hyper hands such a connection over at its end, as if it had become something else, and does not close it in order.

use crate::activity::Activity;
use http::header::UPGRADE;
use http::{Request, StatusCode};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;

/// A connection's last offer that was not taken up.
#[derive(Debug)]
pub(super) struct Offer {
    activity: Arc<Activity>,
    open: Mutex<Option<OnUpgrade>>,
}

impl Offer {
    pub(super) fn none(activity: Arc<Activity>) -> Arc<Self> {
        Arc::new(Self { activity, open: Mutex::default() })
    }

    /// What is to be told how this request was answered; nothing where it offers nothing.
    pub(super) fn of(self: &Arc<Self>, request: &Request<Incoming>) -> Option<Arc<Self>> {
        let offer = request.headers().get(UPGRADE).and(request.extensions().get::<OnUpgrade>())?;
        *self.open.lock() = Some(offer.clone());
        Some(Arc::clone(self))
    }

    pub(super) fn answered(&self, status: StatusCode) {
        if status == StatusCode::SWITCHING_PROTOCOLS {
            // Whoever switched gets the connection: two that wait for it would take it from each other.
            *self.open.lock() = None;
            self.activity.switch();
        }
    }

    /// Closes the connection, which has ended, if it was handed over for nothing.
    pub(super) async fn close(&self) {
        let open = self.open.lock().take();
        if let Some(open) = open
            && let Ok(connection) = open.await
        {
            let _ = TokioIo::new(connection).shutdown().await;
        }
    }
}
