//! A guard, compiled: its routes, and what holds for all of them.

use crate::place::Place;
use crate::router::{Router, captures};
use http::{HeaderName, Method};
use keystead_api::{Endpoint, Guard, GuardMode, GuardRoute, Networks, UnlistedEndpoints};
use keystead_domain::decide::COST_MAX;
use keystead_domain::endpoints::{EndpointRules, parse_pattern};
use keystead_domain::invalid::{Invalid, text_at_most};
use keystead_domain::networks::NetworkRules;
use keystead_domain::query::Query;
use keystead_domain::resource;
use keystead_domain::route_limits::RouteLimit;
use std::collections::HashMap;
use std::sync::Arc;

/// Most routes of one guard.
pub const ROUTES_MAX: usize = 2_000;
/// Most networks of trusted proxies.
const PROXIES_MAX: usize = 64;
/// Longest audience, in bytes.
const AUDIENCE_BYTES_MAX: usize = 128;
/// Longest operation id, in bytes.
const OPERATION_BYTES_MAX: usize = 256;
/// What stands for a route where none lists the endpoint.
pub const UNLISTED: &str = "unlisted";

/// A guard that has passed every check.
#[derive(Debug)]
pub struct Compiled {
    pub(crate) mode: GuardMode,
    pub(crate) unlisted: UnlistedEndpoints,
    pub(crate) places: Box<[Place]>,
    pub(crate) preflight: bool,
    /// Whether clients are told what remains of their limits.
    pub rate_limit_headers: bool,
    trusted: Option<NetworkRules>,
    audience: Option<Arc<str>>,
    routes: Box<[Route]>,
    router: Router,
    /// Every header that some route takes a key from: none of them goes on by accident.
    pub(crate) headers: Box<[HeaderName]>,
}

/// A route.
#[derive(Debug)]
pub struct Route {
    /// As people write it: `GET /orders/*`.
    pub label: Box<str>,
    methods: Box<[Method]>,
    pattern: Box<str>,
    /// Which permissions it needs.
    pub permissions: Option<Query>,
    resource: Option<Box<str>>,
    /// What a request takes.
    pub cost: Option<u64>,
    /// Its own rate limits.
    pub limits: Box<[RouteLimit]>,
    pub(crate) public: bool,
    pub(crate) mode: Option<GuardMode>,
    pub(crate) places: Option<Box<[Place]>>,
}

impl Compiled {
    /// Compiles a guard.
    ///
    /// # Errors
    /// Names what is wrong: `/routes/3/path`.
    pub fn new(guard: &Guard) -> Result<Self, Invalid> {
        if guard.routes.len() > ROUTES_MAX {
            let what = format!("These are {} routes.", guard.routes.len());
            let fix = format!("Send at most {ROUTES_MAX}; `*` and `**` stand for many.");
            return Err(Invalid::new("/routes", what, fix));
        }
        let places = Place::list(&guard.credentials).map_err(|invalid| invalid.below("/credentials"))?;
        let trusted = trusted(&guard.trusted_proxies)?;
        guard.audience.as_deref().map_or(Ok(()), check_audience)?;
        let (mut routes, mut router) = (Vec::with_capacity(guard.routes.len()), Router::default());
        let mut seen: HashMap<(Box<str>, Option<Method>), usize> = HashMap::new();
        for (at, route) in guard.routes.iter().enumerate() {
            let below = |invalid: Invalid| invalid.below(&format!("/routes/{at}"));
            let route = Route::new(route).map_err(below)?;
            for method in route.every_method() {
                if let Some(other) = seen.insert((route.pattern.clone(), method), at) {
                    let what = format!("Route {other} has the same path and method.");
                    return Err(below(Invalid::new("/path", what, "Write one route for both.")));
                }
            }
            router.add(&route.pattern, at);
            routes.push(route);
        }
        let every_place = places.iter().chain(routes.iter().flat_map(|route| route.places.iter().flatten()));
        let mut headers: Vec<HeaderName> = every_place.filter_map(Place::header).cloned().collect();
        headers.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        headers.dedup();
        Ok(Self {
            mode: guard.mode,
            unlisted: guard.unlisted,
            places,
            preflight: guard.preflight,
            rate_limit_headers: guard.rate_limit_headers,
            trusted,
            audience: guard.audience.as_deref().map(Into::into),
            routes: routes.into(),
            router,
            headers: headers.into(),
        })
    }

    /// Whether this address is one of a trusted proxy's.
    pub(crate) fn trusts(&self, ip: std::net::IpAddr) -> bool {
        self.trusted.as_ref().is_some_and(|trusted| trusted.admits(ip))
    }

    /// The route of a canonical path and a method. The most specific path decides, whatever methods others have.
    pub(crate) fn route(&self, method: &str, path: &str) -> Option<&Route> {
        let found = self.router.find(path);
        let named = |wanted: &str| {
            let mut routes = found.iter().filter_map(|at| self.routes.get(*at));
            routes.find(|route| route.methods.iter().any(|method| method.as_str() == wanted))
        };
        let get = if method == "HEAD" { named("GET") } else { None };
        named(method).or(get).or_else(|| {
            let mut routes = found.iter().filter_map(|at| self.routes.get(*at));
            routes.find(|route| route.methods.is_empty())
        })
    }

    /// Every limit of every route.
    pub fn limits(&self) -> impl Iterator<Item = &RouteLimit> {
        self.routes.iter().flat_map(|route| &route.limits)
    }

    /// For whom signed identities are, where the guard says it; `{environment}` stands for the environment's slug.
    #[must_use]
    pub fn audience(&self) -> Option<&Arc<str>> {
        self.audience.as_ref()
    }

    /// Every header that some route takes a key from.
    #[must_use]
    pub fn credential_headers(&self) -> &[HeaderName] {
        &self.headers
    }
}

/// What every audience begins with that names its organization: no other organization can have it.
pub const AUDIENCES_RESERVED: &str = "keystead:";

fn check_audience(audience: &str) -> Result<(), Invalid> {
    if !(1..=AUDIENCE_BYTES_MAX).contains(&audience.len()) || !audience.bytes().all(|b| b.is_ascii_graphic())
    {
        let fix = format!("Send 1 to {AUDIENCE_BYTES_MAX} visible ASCII characters without spaces.");
        return Err(Invalid::new("/audience", "This is no audience.", fix));
    }
    let begins = audience.get(..AUDIENCES_RESERVED.len());
    if begins.is_some_and(|begins| begins.eq_ignore_ascii_case(AUDIENCES_RESERVED)) {
        let what = format!("Audiences that begin with `{AUDIENCES_RESERVED}` are Keystead's own.");
        let fix = "Choose another, such as the API's URL, or leave it out for the usual one.";
        return Err(Invalid::new("/audience", what, fix));
    }
    Ok(())
}

fn trusted(proxies: &[String]) -> Result<Option<NetworkRules>, Invalid> {
    if proxies.len() > PROXIES_MAX {
        let what = format!("These are {} networks.", proxies.len());
        return Err(Invalid::new("/trusted_proxies", what, format!("Send at most {PROXIES_MAX}.")));
    }
    if proxies.is_empty() {
        return Ok(None);
    }
    let networks = Networks { allow: proxies.to_vec(), deny: Vec::new() };
    NetworkRules::parse(&networks).map(Some).map_err(|invalid| Invalid {
        field: invalid.field.replacen("/allow", "/trusted_proxies", 1),
        ..invalid
    })
}

impl Route {
    fn new(route: &GuardRoute) -> Result<Self, Invalid> {
        let methods: &[String] = match route.methods.as_slice() {
            [any] if any == "*" => &[],
            listed => listed,
        };
        let endpoint = Endpoint { methods: methods.to_vec(), path: route.path.clone() };
        let _ = EndpointRules::parse(&[endpoint])
            .map_err(|invalid| Invalid { field: invalid.field.replacen("/0", "", 1), ..invalid })?;
        let pattern = parse_pattern(&route.path).map_err(|invalid| invalid.below("/path"))?;
        let permissions = route.permissions.as_ref().map(Query::parse).transpose();
        let permissions = permissions.map_err(|invalid| invalid.below("/permissions"))?;
        if route.public && (route.permissions.is_some() || route.cost.is_some() || route.resource.is_some()) {
            let fix = "Leave out `public`, or what only keys have: `permissions`, `resource`, `cost`.";
            return Err(Invalid::new("/public", "Who calls without a key has no permissions.", fix));
        }
        if route.cost.is_some_and(|cost| cost > COST_MAX) {
            return Err(Invalid::new("/cost", "This costs too much.", format!("Send at most {COST_MAX}.")));
        }
        if let Some(operation) = &route.operation {
            text_at_most(OPERATION_BYTES_MAX, "/operation", operation)?;
        }
        if let Some(template) = &route.resource {
            check_template(template, &pattern)?;
        }
        let places = route.credentials.as_deref().map(Place::list).transpose();
        let methods: Box<[Method]> =
            methods.iter().filter_map(|method| Method::from_bytes(method.as_bytes()).ok()).collect();
        Ok(Self {
            label: label(route).into(),
            limits: RouteLimit::list(&named(&methods, &pattern), &route.limits, route.public)?,
            methods,
            pattern,
            permissions,
            resource: route.resource.as_deref().map(Into::into),
            cost: route.cost,
            public: route.public,
            mode: route.mode,
            places: places.map_err(|invalid| invalid.below("/credentials"))?,
        })
    }

    /// Each of its methods; none stands for any.
    fn every_method(&self) -> Vec<Option<Method>> {
        if self.methods.is_empty() { vec![None] } else { self.methods.iter().cloned().map(Some).collect() }
    }

    /// What its permissions are needed on, for a canonical path.
    pub(crate) fn resource(&self, path: &str) -> Option<String> {
        let template = self.resource.as_deref()?;
        let parts = captures(&self.pattern, path);
        Some(fill(template, |at| parts.get(at).map(|part| (*part).to_owned()).unwrap_or_default()))
    }
}

/// What tells a route from the others of its guard, however its methods are ordered.
fn named(methods: &[Method], pattern: &str) -> String {
    let mut methods: Vec<&str> = methods.iter().map(Method::as_str).collect();
    methods.sort_unstable();
    format!("{} {pattern}", methods.join(","))
}

/// A route as people write it: `GET /orders/*`, `GET,PUT /a`, `* /b`.
#[must_use]
pub fn label(route: &GuardRoute) -> String {
    let methods = if route.methods.is_empty() { "*".to_owned() } else { route.methods.join(",") };
    format!("{methods} {}", route.path)
}

/// Puts what `part` says in place of `{1}`, `{2}`, …
fn fill(template: &str, part: impl Fn(usize) -> String) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let (number, after) = after.split_once('}').unwrap_or((after, ""));
        let at = number.parse::<usize>().unwrap_or(0);
        filled.push_str(&at.checked_sub(1).map(&part).unwrap_or_default());
        rest = after;
    }
    filled.push_str(rest);
    filled
}

fn check_template(template: &str, pattern: &str) -> Result<(), Invalid> {
    let stars = pattern.split('/').filter(|segment| *segment == "*").count();
    let fix = "Send a resource such as `networks/{1}`, where {1} stands for the path's first `*`.";
    for piece in template.split('{').skip(1) {
        let number = piece.split_once('}').and_then(|(number, _)| number.parse::<usize>().ok());
        if !number.is_some_and(|number| (1..=stars).contains(&number)) {
            let what = format!("The path has {stars} `*`, and this asks for another.");
            return Err(Invalid::new("/resource", what, fix));
        }
    }
    resource::check(&fill(template, |_| "x".to_owned())).map_err(|invalid| invalid.below("/resource"))
}
