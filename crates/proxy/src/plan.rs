//! What a proxy is to do, checked before anything depends on it.

use crate::connect::{self, TrustError};
use crate::settings::Settings;
use keystead_listen::Tls;
use std::sync::Arc;
use tokio_rustls::TlsConnector;

/// Settings that can be put in force: nothing of them can fail any more.
pub struct Plan {
    pub(crate) settings: Settings,
    pub(crate) tls: Option<Arc<Tls>>,
    /// What checks upstreams' certificates, where they have some.
    pub(crate) connector: Option<TlsConnector>,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Plan {
    /// Reads the authorities of upstreams. `tls` is what clients see.
    ///
    /// # Errors
    /// When upstreams' certificates could not be checked.
    pub fn new(settings: Settings, tls: Option<Arc<Tls>>) -> Result<Self, TrustError> {
        let encrypted = settings.upstreams.iter().any(|origin| origin.tls);
        let connector = || connect::connector(settings.ca_file.as_deref(), settings.http2);
        let connector = encrypted.then(connector).transpose()?;
        Ok(Self { settings, tls, connector })
    }
}
