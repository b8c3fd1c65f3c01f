//! What becomes of one request.

use crate::begun::{self, Begun};
use crate::counts::{Counts, Numbers};
use crate::download::{Download, Held};
use crate::forward::{self, From};
use crate::places::Places;
use crate::plan::Plan;
use crate::problem::Problem;
use crate::send::Outgoing;
use crate::tunnel::{self, Carried};
use crate::upload::Upload;
use crate::upstream::{Lent, Upstreams};
use crate::{Judge, Settings, hop, refuse};
use arc_swap::ArcSwap;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, UPGRADE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, Version};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::upgrade::{self, OnUpgrade};
use keystead_guard::Answer;
use keystead_listen::{Arrival, Connections, Setup};
use parking_lot::Mutex;
use std::io;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// One proxy. What is in force can be changed while it serves: the next request finds it, also on connections that
/// exist.
pub struct Proxy {
    in_force: ArcSwap<InForce>,
    setup: watch::Sender<Setup>,
    places: Arc<Places>,
    connections: Arc<Connections>,
    counts: Arc<Counts>,
    /// While it serves.
    checks: Mutex<JoinSet<()>>,
}

struct InForce {
    settings: Settings,
    upstreams: Upstreams,
    judge: Judge,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxy").field("settings", &self.in_force.load().settings).finish_non_exhaustive()
    }
}

/// Has `proxy` answer what comes to `listener` until `shutdown`; see [`keystead_listen::serve`].
///
/// # Errors
/// When the listener is broken.
pub async fn serve(listener: TcpListener, proxy: Arc<Proxy>, shutdown: CancellationToken) -> io::Result<()> {
    let (setup, open) = (proxy.setup.subscribe(), Arc::clone(&proxy.connections));
    proxy.check();
    let answering = Arc::clone(&proxy);
    let answer = move |request, arrival| {
        let proxy = Arc::clone(&answering);
        async move { proxy.answer(request, arrival).await }
    };
    let served = keystead_listen::serve_changing(listener, answer, setup, open, shutdown).await;
    proxy.checks.lock().abort_all();
    served
}

/// What a connection may become.
struct Upgrading {
    protocol: HeaderValue,
    client: OnUpgrade,
    cut: CancellationToken,
}

impl Proxy {
    /// Nothing is connected to yet.
    #[must_use]
    pub fn new(plan: Plan, judge: impl Into<Judge>) -> Arc<Self> {
        let Plan { settings, tls, connector } = plan;
        let setup = watch::Sender::new(Setup { tls, bounds: settings.bounds });
        let upstreams = Upstreams::new(&settings, connector, None);
        let in_force = ArcSwap::from_pointee(InForce { settings, upstreams, judge: judge.into() });
        Arc::new(Self {
            in_force,
            setup,
            places: Arc::default(),
            connections: Arc::default(),
            counts: Arc::default(),
            checks: Mutex::default(),
        })
    }

    /// Has this plan hold from the next request on; what is in work is finished as it began. Certificates, and bounds of
    /// connections, hold for those that come then.
    pub fn change(&self, plan: Plan, judge: impl Into<Judge>) {
        let Plan { settings, tls, connector } = plan;
        let before = self.in_force.load_full();
        let upstreams = Upstreams::new(&settings, connector, Some(&before.upstreams));
        self.setup.send_replace(Setup { tls, bounds: settings.bounds });
        self.in_force.store(Arc::new(InForce { settings, upstreams, judge: judge.into() }));
        self.check();
    }

    /// Has upstreams asked for their health as it is set now, and no longer as before.
    fn check(&self) {
        let in_force = self.in_force.load();
        *self.checks.lock() = in_force.upstreams.check(in_force.settings.health.as_ref());
    }

    async fn answer(&self, request: Request<Incoming>, arrival: Arrival) -> Response<Download> {
        let in_force = self.in_force.load_full();
        let response = match in_force.pass(self, request, arrival).await {
            Ok(response) => response,
            Err(problem) => problem.response().map(Download::Own),
        };
        self.counts.answered(response.status());
        response
    }

    /// What it has counted.
    #[must_use]
    pub fn numbers(&self) -> Numbers {
        Numbers {
            connections: self.connections.open(),
            in_flight: self.places.taken(),
            upstreams: self.in_force.load().upstreams.numbers(),
            ..self.counts.numbers()
        }
    }
}

impl InForce {
    async fn pass(
        &self,
        proxy: &Proxy,
        request: Request<Incoming>,
        arrival: Arrival,
    ) -> Result<Response<Download>, Problem> {
        let place = proxy.places.take(self.settings.requests_in_flight_max).ok_or(Problem::Busy)?;
        let host = forward::host(&request)?;
        self.check_length(&request)?;
        let from = From { client: arrival.peer.ip().to_canonical(), tls: arrival.tls };
        let (mut parts, body) = request.into_parts();
        let allowed = match (self.judge.decide)(&parts, from.client).await {
            Answer::Allow(allowed) => allowed,
            Answer::Refuse(refusal) => return Ok(refuse::response(&refusal).map(Download::Own)),
        };
        let upgrading = self.upgrading(&mut parts, arrival.cut);
        let begun = self.judge.still.clone().map(|still| Arc::new(Begun::new(still, &parts, from.client)));
        forward::change(&mut parts, &allowed, &host, from)?;
        let upload = Upload::new(body, self.settings.body_bytes_max, self.settings.idle, begun.clone());
        let outgoing = Outgoing {
            upstreams: &self.upstreams,
            host: &host,
            upgrade: upgrading.as_ref().map(|upgrading| &upgrading.protocol),
            answer: self.settings.answer,
            counts: &proxy.counts,
        };
        let (response, lent) = tokio::select! {
            // First: an upload that ends for the same reason is no fault of anybody's.
            biased;
            refusal = begun::refused(begun.as_deref()) => {
                tracing::info!("a request ends before its answer: it would be refused now");
                return Ok(refuse::late(refusal).map(Download::Own));
            }
            sent = outgoing.send(parts, upload) => sent?,
        };
        let held = Held { in_work: arrival.in_work, _place: place };
        self.back(&proxy.counts, (response, lent, held, begun), upgrading, &allowed.to_client)
    }

    /// A length that is known is refused before anything is asked or sent.
    fn check_length(&self, request: &Request<Incoming>) -> Result<(), Problem> {
        let length = request
            .headers()
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if length.is_some_and(|length| length > self.settings.body_bytes_max) {
            return Err(Problem::TooLarge);
        }
        Ok(())
    }

    fn upgrading(&self, parts: &mut Parts, cut: CancellationToken) -> Option<Upgrading> {
        if self.settings.http2 {
            return None;
        }
        let protocol = forward::wanted_upgrade(parts, &self.settings.upgrades)?;
        let to_client = parts.extensions.remove::<OnUpgrade>()?;
        Some(Upgrading { protocol, client: to_client, cut })
    }

    /// The answer as the client gets it.
    fn back(
        &self,
        counts: &Arc<Counts>,
        (mut response, lent, held, begun): (Response<Incoming>, Lent, Held, Option<Arc<Begun>>),
        upgrading: Option<Upgrading>,
        to_client: &[(HeaderName, HeaderValue)],
    ) -> Result<Response<Download>, Problem> {
        let switched = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        let protocol = response.headers().get(UPGRADE).cloned();
        hop::strip(response.headers_mut());
        for (name, value) in to_client {
            response.headers_mut().append(name, value.clone());
        }
        *response.version_mut() = Version::HTTP_11;
        if !switched {
            let idle = self.settings.idle;
            return Ok(response.map(|body| Download::new(body, idle, lent, (held, begun))));
        }
        // Who switches to what was not asked for would be believed by the client about whatever follows.
        let (Some(upgrading), Some(protocol)) = (upgrading, protocol) else { return Err(Problem::Failed) };
        if !protocol.as_bytes().eq_ignore_ascii_case(upgrading.protocol.as_bytes()) {
            return Err(Problem::Failed);
        }
        let upstream = upgrade::on(&mut response);
        let idle = self.settings.idle;
        let Upgrading { client, cut, .. } = upgrading;
        let carried = Carried { in_work: held, _lent: lent, _counted: counts.tunnel() };
        tokio::spawn(tunnel::carry(client, upstream, idle, carried, begun, cut));
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
        response.headers_mut().insert(UPGRADE, protocol);
        Ok(response.map(|_| Download::Own(Full::new(Bytes::new()))))
    }
}
