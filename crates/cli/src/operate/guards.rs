//! The proxies that `keystead serve` runs before APIs: `[[guard]]` of the configuration.

use crate::exit::Failure;
use crate::operate::bind::bind;
use keystead_proxy::{Judge, Plan, Proxy};
use keystead_server::configuration::Guard;
use keystead_server::listen::Tls;
use keystead_server::metrics::Metrics;
use keystead_server::own_guard;
use keystead_server::request_id::RequestIds;
use keystead_service::Keystead;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::{JoinSet, spawn_blocking};
use tokio_util::sync::CancellationToken;

/// Proxies that listen, and serve once the installation is open.
pub(super) struct Guards(Vec<Bound>);

/// A proxy whose files have been read.
struct Planned {
    guard: Guard,
    tls: Option<Arc<Tls>>,
    plan: Plan,
}

struct Bound {
    planned: Planned,
    listener: TcpListener,
    address: SocketAddr,
}

/// Proxies that serve.
pub(super) struct Guarding {
    keystead: Arc<Keystead>,
    ids: Arc<RequestIds>,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
    running: Vec<Running>,
    pub(super) serving: JoinSet<()>,
}

struct Running {
    guard: Guard,
    address: SocketAddr,
    proxy: Arc<Proxy>,
    judge: Judge,
    stop: CancellationToken,
    /// Ends before it when the certificate is another.
    following: CancellationToken,
}

/// What a proxy becomes when the configuration changes.
enum Next {
    Kept(usize, Planned),
    New(Bound),
}

/// How many proxies a change was for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Changed {
    pub(super) kept: usize,
    pub(super) added: usize,
    pub(super) removed: usize,
}

impl Guards {
    /// Reads certificates and listens: what is wrong stops the start, before anything serves.
    pub(super) async fn bind(guards: Vec<Guard>) -> Result<Self, Failure> {
        let mut all = Vec::with_capacity(guards.len());
        for planned in plan_all(guards).await? {
            all.push(bound(planned).await?);
        }
        Ok(Self(all))
    }

    /// Serves until `stop`, and then what is in work.
    pub(super) fn serve(
        self,
        keystead: &Arc<Keystead>,
        ids: RequestIds,
        metrics: &Arc<Metrics>,
        stop: &CancellationToken,
    ) -> Guarding {
        let mut guarding = Guarding {
            keystead: Arc::clone(keystead),
            ids: Arc::new(ids),
            metrics: Arc::clone(metrics),
            stop: stop.clone(),
            running: Vec::with_capacity(self.0.len()),
            serving: JoinSet::new(),
        };
        self.0.into_iter().for_each(|bound| guarding.begin(bound));
        guarding.show();
        guarding
    }
}

impl Guarding {
    fn begin(&mut self, bound: Bound) {
        let Bound { planned: Planned { guard, tls, plan }, listener, address } = bound;
        let judge = own_guard::decide(&self.keystead, &guard.whose, &self.ids);
        tracing::info!(%address, project = guard.whose.project, environment = guard.whose.environment, "guarding");
        let stop = self.stop.child_token();
        let following = self.follow(tls, &stop);
        let proxy = Proxy::new(plan, judge.clone());
        let serving = keystead_proxy::serve(listener, Arc::clone(&proxy), stop.clone());
        self.serving.spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%address, %error, "a guard's listener is broken");
            }
        });
        self.running.push(Running { guard, address, proxy, judge, stop, following });
    }

    fn follow(&mut self, tls: Option<Arc<Tls>>, stop: &CancellationToken) -> CancellationToken {
        let following = stop.child_token();
        if let Some(tls) = tls {
            self.serving.spawn(tls.watch(following.clone()));
        }
        following
    }

    /// Has these proxies serve instead: all of them, or none of them and everything stays as it was. One that listens
    /// where one does already takes its place and keeps its connections.
    pub(super) async fn change(&mut self, guards: Vec<Guard>) -> Result<Changed, Failure> {
        let mut free: Vec<usize> = (0..self.running.len()).collect();
        let mut all = Vec::with_capacity(guards.len());
        for planned in plan_all(guards).await? {
            let listens = |at: usize| self.running.get(at).map(|running| running.guard.listen);
            let kept = free.iter().position(|at| listens(*at) == Some(planned.guard.listen));
            all.push(match kept {
                Some(place) => Next::Kept(free.remove(place), planned),
                None => Next::New(bound(planned).await?),
            });
        }
        // From here on nothing can fail.
        let mut before: Vec<_> = std::mem::take(&mut self.running).into_iter().map(Some).collect();
        let mut changed = Changed { kept: 0, added: 0, removed: 0 };
        for next in all {
            match next {
                Next::New(bound) => {
                    self.begin(bound);
                    changed.added += 1;
                }
                Next::Kept(at, planned) => {
                    if let Some(running) = before.get_mut(at).and_then(Option::take) {
                        self.put_in_force(running, planned);
                        changed.kept += 1;
                    }
                }
            }
        }
        for removed in before.into_iter().flatten() {
            tracing::info!(address = %removed.address, "guarding no more");
            removed.stop.cancel();
            changed.removed += 1;
        }
        self.show();
        Ok(changed)
    }

    fn show(&self) {
        let shown = self.running.iter().map(|one| (one.address.to_string(), Arc::clone(&one.proxy)));
        self.metrics.show_proxies(shown.collect());
    }

    fn put_in_force(&mut self, running: Running, planned: Planned) {
        let Planned { guard, tls, plan } = planned;
        let judge = if guard.whose == running.guard.whose {
            running.judge
        } else {
            own_guard::decide(&self.keystead, &guard.whose, &self.ids)
        };
        running.following.cancel();
        let following = self.follow(tls, &running.stop);
        running.proxy.change(plan, judge.clone());
        self.running.push(Running { guard, judge, following, ..running });
    }
}

/// Reads what a guard names, and leaves it at that.
pub(super) fn check(guard: Guard) -> Result<(), Failure> {
    plan(guard).map(drop)
}

/// Reads what the guards name, off the threads that serve.
async fn plan_all(guards: Vec<Guard>) -> Result<Vec<Planned>, Failure> {
    let planned = spawn_blocking(move || guards.into_iter().map(plan).collect());
    planned.await.map_err(|_| Failure::local("Guards cannot be read: it stops.", "Start it again."))?
}

fn plan(guard: Guard) -> Result<Planned, Failure> {
    let fix = "Correct certificate and key of the guard; both are PEM files.";
    let tls = guard.tls.as_ref().map(|(certificate, key)| Tls::load(certificate, key)).transpose();
    let tls = tls.map_err(|error| Failure::local(error.to_string(), fix))?;
    let plan = Plan::new(guard.proxy.clone(), tls.clone()).map_err(|error| {
        let fix = "Correct ca_file of the guard; without it the system's authorities are trusted.";
        Failure::local(format!("{error}."), fix)
    })?;
    Ok(Planned { guard, tls, plan })
}

async fn bound(planned: Planned) -> Result<Bound, Failure> {
    let (listener, address) = bind(planned.guard.listen, "as listen of the guard").await?;
    Ok(Bound { planned, listener, address })
}
