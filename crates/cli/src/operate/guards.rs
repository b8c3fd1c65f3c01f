//! The proxies that `keystead serve` runs before APIs: `[[guard]]` of the configuration.

use crate::exit::Failure;
use keystead_proxy::Proxy;
use keystead_server::configuration::Guard;
use keystead_server::listen::Tls;
use keystead_server::own_guard;
use keystead_server::request_id::RequestIds;
use keystead_service::Keystead;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Proxies that listen, and serve once the installation is open.
pub(super) struct Guards(Vec<Bound>);

struct Bound {
    guard: Guard,
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Arc<Tls>>,
    proxy: Proxy,
}

impl Guards {
    /// Reads certificates and listens: what is wrong stops the start, before anything serves.
    pub(super) async fn bind(guards: &[Guard]) -> Result<Self, Failure> {
        let mut bound = Vec::with_capacity(guards.len());
        for guard in guards {
            bound.push(bind(guard.clone()).await?);
        }
        Ok(Self(bound))
    }

    /// Serves until `stop`, and then what is in work.
    pub(super) fn serve(
        self,
        keystead: &Arc<Keystead>,
        ids: RequestIds,
        stop: &CancellationToken,
    ) -> JoinSet<()> {
        let (ids, mut serving) = (Arc::new(ids), JoinSet::new());
        for Bound { guard, listener, address, tls, proxy } in self.0 {
            let decide = own_guard::decide(keystead, &guard, &ids);
            let (project, environment) = (guard.project, guard.environment);
            tracing::info!(%address, project, environment, "guarding");
            if let Some(tls) = &tls {
                serving.spawn(Arc::clone(tls).watch(stop.clone()));
            }
            let stop = stop.clone();
            serving.spawn(async move {
                if let Err(error) = keystead_proxy::serve(listener, proxy, decide, tls, stop).await {
                    tracing::error!(%address, %error, "a guard's listener is broken");
                }
            });
        }
        serving
    }
}

async fn bind(guard: Guard) -> Result<Bound, Failure> {
    let fix = "Correct certificate and key of the guard; both are PEM files.";
    let tls = guard.tls.as_ref().map(|(certificate, key)| Tls::load(certificate, key)).transpose();
    let tls = tls.map_err(|error| Failure::local(error.to_string(), fix))?;
    let proxy = Proxy::new(guard.proxy.clone()).map_err(|error| {
        let fix = "Correct ca_file of the guard; without it the system's authorities are trusted.";
        Failure::local(format!("{error}."), fix)
    })?;
    let listener = TcpListener::bind(guard.listen).await.map_err(|error| {
        Failure::local(
            format!("{} cannot be listened on: {error}.", guard.listen),
            "Stop what listens there, or choose another address as listen of the guard.",
        )
    })?;
    let address = listener.local_addr().unwrap_or(guard.listen);
    Ok(Bound { guard, listener, address, tls, proxy })
}
