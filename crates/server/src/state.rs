//! What every route can reach.

use crate::metrics::Metrics;
use keystead_service::Keystead;
use std::sync::Arc;

/// What every route can reach. Clones share it.
#[derive(Debug, Clone)]
pub struct App {
    /// The installation.
    pub keystead: Arc<Keystead>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}
