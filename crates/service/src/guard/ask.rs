//! What becomes of a request that a proxy asks about.

use super::identity::{allowed, limits_to_client, nobody, to_client};
use super::{Observed, unguarded};
use crate::asked::{Question, TEXT_BYTES_MAX};
use crate::caller::Caller;
use crate::keyring::Guarded;
use crate::locate::Where;
use crate::refused::Refused;
use crate::verify::{Asker, retry_after};
use crate::{Keystead, management, present};
use http::StatusCode;
use http::header::{ORIGIN, USER_AGENT};
use http::{HeaderMap, HeaderName};
use keystead_api::{Code, GuardMode, Verify};
use keystead_domain::cells::Place as Environment;
use keystead_domain::decide::Ask;
use keystead_domain::ids::RequestId;
use keystead_domain::invalid::{Invalid, text_at_most};
use keystead_domain::networks;
use keystead_domain::route_limits::AtRoute;
use keystead_domain::share::Sharing;
use keystead_domain::token::Token;
use keystead_guard::{Allowed, Answer, Asking, Compiled, Fault, Place, Reading, Refusal, Request, Route};
use std::net::IpAddr;
use std::sync::Arc;

/// Where requests are guarded that a proxy asks about.
#[derive(Debug, Clone)]
pub struct Door {
    guarded: Arc<Guarded>,
    environment: Arc<Environment>,
    pub(super) within: Arc<Where>,
    asker: Asker,
}

impl Keystead {
    /// The door that a proxy's own key opens: that of the one environment that its `keys.verify` is narrowed to.
    ///
    /// # Errors
    /// When the key does not pass, is not narrowed to one environment, or its project is not guarded.
    pub async fn open_door(self: &Arc<Self>, proxy: &Caller) -> Result<Door, Refused> {
        let within = self.locate(proxy, &Verify::default())?;
        self.authorise(proxy, management::KEYS_VERIFY, within.resource.as_deref()).await?;
        let environment = within.place().cloned().ok_or(Refused::not_found("environment"))?;
        let asker = Asker { organization: proxy.organization(), request_id: proxy.origin.request_id };
        self.door(environment, within, asker)
    }

    /// The door of an environment of the installation's own proxy, for one request.
    ///
    /// # Errors
    /// When there is no such project or environment, or it is not guarded.
    pub fn own_door(
        self: &Arc<Self>,
        environment: &Arc<Environment>,
        request_id: RequestId,
    ) -> Result<Door, Refused> {
        let asker = Asker { organization: environment.project.organization, request_id };
        self.door(Arc::clone(environment), Where::at(environment), asker)
    }

    fn door(&self, environment: Arc<Environment>, within: Where, asker: Asker) -> Result<Door, Refused> {
        let guarded = self.keyring.directory.guard(environment.project.id).ok_or_else(unguarded)?;
        Ok(Door { guarded, environment, within: Arc::new(within), asker })
    }

    /// What becomes of a request. `peer` is who sent it to the proxy that asks.
    pub async fn guard_request(
        self: &Arc<Self>,
        door: &Door,
        request: &Request<'_>,
        peer: Option<IpAddr>,
    ) -> Answer {
        let guard = door.rules();
        let ip = peer.map(|peer| guard.client(peer, request.headers));
        match guard.read(request) {
            Reading::Pass(_) => Answer::Allow(without_our_keys(guard, request, nobody())),
            Reading::Refuse { route, mode, fault } => {
                let refusal = at_once(fault);
                let observed = Observed::new(door, route, refusal.code, refusal.detail, (request, ip));
                self.unless_observing(door, mode, refusal, observed, request)
            }
            Reading::Count { route, mode } => self.count_open(door, request, (route, mode), ip).await,
            Reading::Ask(asking) => self.ask_key(door, request, &asking, ip).await,
        }
    }

    async fn ask_key(
        self: &Arc<Self>,
        door: &Door,
        request: &Request<'_>,
        asking: &Asking<'_>,
        ip: Option<IpAddr>,
    ) -> Answer {
        let at_route = asking.route.and_then(|route| door.at(route));
        let judged = match question(request, asking, ip, &self.sharing) {
            Ok(question) => {
                let ask = Ask { route: at_route.as_ref(), ..question.ask };
                let question = Question { ask, ..question };
                self.judge(door.asker, &question, &door.within).await
            }
            Err(invalid) => Err(invalid.into()),
        };
        let (code, retry, judged) = match judged {
            Ok(judged) => (judged.answer.code, judged.answer.retry_after_seconds, Some(judged)),
            Err(refused) => {
                tracing::error!(%refused, "a guarded request could not be judged");
                (Code::Unavailable, None, None)
            }
        };
        let now = self.clock.now();
        if let (Code::Valid, Some(judged)) = (code, &judged) {
            let signed = self.identities.token(door.rules(), &door.environment, judged, now);
            return Answer::Allow(without(asking.place, allowed(door.rules(), judged, signed, now)));
        }
        let mut refusal = Refusal::of(code, retry);
        if let Some(judged) = &judged {
            refusal.to_client = to_client(door.rules(), &judged.answer, now);
        }
        let mut observed = Observed::new(door, asking.route, code.as_str(), refusal.detail, (request, ip));
        observed.key = judged.and_then(|judged| judged.answer.key_id);
        let mut answer = self.unless_observing(door, asking.mode, refusal, observed, request);
        if let (Answer::Allow(allowed), Place::Query(name)) = (&mut answer, asking.place)
            && Token::parse(asking.key).is_some()
        {
            // In a header it would not go on either.
            allowed.remove_parameter = Some(name.clone());
        }
        answer
    }

    /// A request without a key to a route that anybody may call, as long as its limits last.
    async fn count_open(
        self: &Arc<Self>,
        door: &Door,
        request: &Request<'_>,
        (route, mode): (&Route, GuardMode),
        ip: Option<IpAddr>,
    ) -> Answer {
        let at_route = door.at(route);
        let ask = Ask { ip, cost: 1, sharing: &self.sharing, route: at_route.as_ref(), ..Ask::default() };
        let now = self.clock.now();
        let verdict = self.settle(None, &ask, now).await;
        let limits = at_route.iter().flat_map(|route| present::route_limits(route, None, &ask, now));
        let to_client = limits_to_client(door.rules(), &limits.collect::<Vec<_>>());
        if verdict.code == Code::Valid {
            let allowed = Allowed { to_client, ..nobody() };
            return Answer::Allow(without_our_keys(door.rules(), request, allowed));
        }
        let refusal = Refusal { to_client, ..Refusal::of(verdict.code, retry_after(&verdict)) };
        let code = verdict.code.as_str();
        let observed = Observed::new(door, Some(route), code, refusal.detail, (request, ip));
        self.unless_observing(door, mode, refusal, observed, request)
    }

    /// A refusal; where the guard only observes, the request passes instead, and what it would have been is kept.
    fn unless_observing(
        &self,
        door: &Door,
        mode: GuardMode,
        refusal: Refusal,
        observed: Observed,
        request: &Request<'_>,
    ) -> Answer {
        self.counters.guarded(mode == GuardMode::Observe);
        match mode {
            GuardMode::Enforce => Answer::Refuse(refusal),
            GuardMode::Observe => {
                self.observe(observed);
                Answer::Allow(without_our_keys(door.rules(), request, nobody()))
            }
        }
    }
}

impl Door {
    /// The environment that it belongs to.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    pub(super) fn rules(&self) -> &Compiled {
        &self.guarded.rules
    }

    /// The limits that a request meets at a route, where that has some.
    fn at<'a>(&'a self, route: &'a Route) -> Option<AtRoute<'a>> {
        (!route.limits.is_empty()).then(|| AtRoute {
            limits: &route.limits,
            cells: &self.guarded.cells,
            environment: self.environment.environment,
        })
    }

    /// Every header that some route takes a key from.
    #[must_use]
    pub fn credential_headers(&self) -> &[HeaderName] {
        self.rules().credential_headers()
    }
}

/// What is asked about a request's key.
pub(super) fn question<'a>(
    request: &'a Request<'a>,
    asking: &'a Asking<'a>,
    ip: Option<IpAddr>,
    sharing: &'a Sharing,
) -> Result<Question<'a>, Invalid> {
    let route = asking.route;
    for (field, text) in [("/method", request.method), ("/path", request.path)] {
        text_at_most(TEXT_BYTES_MAX, field, text)?;
    }
    // What is too long is no origin and no resource that anybody listed.
    let short = |text: &&str| text.len() <= TEXT_BYTES_MAX;
    let user_agent = text(request.headers, &USER_AGENT);
    Ok(Question {
        key: asking.key,
        ask: Ask {
            ip: ip.map(networks::normalise),
            method: Some(request.method),
            path: Some(request.path),
            origin: text(request.headers, &ORIGIN).filter(short),
            resource: asking.resource.as_deref().filter(short),
            permissions: route.and_then(|route| route.permissions.as_ref()),
            cost: route.and_then(|route| route.cost).unwrap_or(1),
            sharing,
            ..Ask::default()
        },
        user_agent: user_agent.and_then(|agent| agent.get(..agent.floor_char_boundary(TEXT_BYTES_MAX))),
        include: &[],
        explain: false,
    })
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// What no key makes good.
pub(super) fn at_once(fault: Fault) -> Refusal {
    let (status, code, detail, key_sent) = match fault {
        Fault::Forged => (
            StatusCode::BAD_REQUEST,
            "identity_header_forged",
            "The request brings a header that only the guard sets.",
            false,
        ),
        Fault::Misleading => (
            StatusCode::BAD_REQUEST,
            "request_misleading",
            "A header makes the request another one than it looks: an overridden method or path, or an upgrade to h2c.",
            false,
        ),
        Fault::AmbiguousPath => (
            StatusCode::FORBIDDEN,
            Code::EndpointDenied.as_str(),
            "The path can be read in different ways.",
            false,
        ),
        Fault::Unlisted => {
            (StatusCode::FORBIDDEN, Code::EndpointDenied.as_str(), "There is no such endpoint here.", false)
        }
        Fault::NoKey => {
            (StatusCode::UNAUTHORIZED, Code::Malformed.as_str(), "The request carries no key.", false)
        }
        Fault::SeveralKeys => (
            StatusCode::UNAUTHORIZED,
            Code::Malformed.as_str(),
            "The request carries more than one key.",
            true,
        ),
        Fault::KeyInQuery => (
            StatusCode::UNAUTHORIZED,
            Code::Malformed.as_str(),
            "The key is in the query, where this proxy cannot take it out.",
            true,
        ),
    };
    Refusal::at_once(status, code, detail, key_sent)
}

/// Without the key that was verified.
fn without(place: &Place, mut allowed: Allowed) -> Allowed {
    match place {
        Place::Query(name) => allowed.remove_parameter = Some(name.clone()),
        place => allowed.remove.extend(place.header().cloned()),
    }
    allowed
}

/// Without what has the form of a key of ours: where nothing was verified, what others gave out passes.
fn without_our_keys(guard: &Compiled, request: &Request<'_>, mut allowed: Allowed) -> Allowed {
    for name in guard.credential_headers() {
        let values = request.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        let is_ours = |value: &str| value.split([' ', ',']).any(|word| Token::parse(word).is_some());
        if values.into_iter().any(is_ours) {
            allowed.remove.push(name.clone());
        }
    }
    allowed
}
