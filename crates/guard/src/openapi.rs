//! Reading an OpenAPI document (3.0, 3.1): which operations there are, and what each asks of who calls.

use crate::rules::ROUTES_MAX;
use keystead_api::{AllOf, AnyOf, GuardRoute, PermissionQuery};
use keystead_domain::endpoints::{PATH_BYTES_MAX, parse_pattern};
use keystead_domain::invalid::{Invalid, text_at_most};
use keystead_domain::name;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet};

/// Most operations that are read.
pub const OPERATIONS_MAX: usize = ROUTES_MAX;
/// Longest text before every path, in bytes.
pub const BASE_PATH_BYTES_MAX: usize = 128;
/// Most things that are noted.
const NOTES_MAX: usize = 100;

/// The members of a path item that are operations.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
/// What a document may say to Keystead itself, beside an operation.
const EXTENSION: &str = "x-keystead";

/// What a document says.
#[derive(Debug, Default)]
pub struct Operations {
    /// Each operation, as a route.
    pub list: Vec<Operation>,
    /// The permissions that they need, each with what it is for.
    pub permissions: BTreeMap<String, String>,
    /// What deserves a look.
    pub notes: Vec<String>,
}

/// An operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// What it is known by when the document is read again.
    pub id: String,
    /// What it needs.
    pub route: GuardRoute,
}

/// Reads a document. `base_path` stands before every path instead of what the document's first server says.
///
/// # Errors
/// When it is no OpenAPI document of version 3.0 or 3.1, or has too many operations.
pub fn operations(document: &Map<String, Value>, base_path: Option<&str>) -> Result<Operations, Invalid> {
    check_version(document)?;
    let base = match base_path {
        Some(base) => base_of("/base_path", base)?,
        None => base_of("/document/servers/0/url", &server_path(document))?,
    };
    let paths = document.get("paths").and_then(Value::as_object).ok_or_else(|| {
        let fix = "Send a whole OpenAPI document; webhooks and components alone name no endpoint.";
        Invalid::new("/document/paths", "The document has no paths.", fix)
    })?;
    let mut reader = Reader { document, base, read: Operations::default(), taken: HashSet::new() };
    for (path, item) in paths {
        reader.path(path, item)?;
    }
    let mut read = reader.read;
    read.notes.truncate(NOTES_MAX);
    Ok(read)
}

fn check_version(document: &Map<String, Value>) -> Result<(), Invalid> {
    let version = document.get("openapi").and_then(Value::as_str).unwrap_or_default();
    if version.starts_with("3.0") || version.starts_with("3.1") {
        return Ok(());
    }
    let what = if document.contains_key("swagger") {
        "This is a Swagger 2.0 document."
    } else {
        "The document does not say that it is OpenAPI 3.0 or 3.1."
    };
    Err(Invalid::new(
        "/document/openapi",
        what,
        "Send an OpenAPI 3.0 or 3.1 document; converters make one of 2.0.",
    ))
}

/// The path of the first server's address, which may be a path alone.
fn server_path(document: &Map<String, Value>) -> String {
    let servers = document.get("servers").and_then(Value::as_array);
    let url = servers.and_then(|servers| servers.first()).and_then(|server| server.get("url"));
    let url = url.and_then(Value::as_str).unwrap_or_default();
    match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map(|(_, path)| format!("/{path}")).unwrap_or_default(),
        None => url.to_owned(),
    }
}

fn base_of(field: &str, text: &str) -> Result<String, Invalid> {
    text_at_most(BASE_PATH_BYTES_MAX, field, text)?;
    let base = text.trim_end_matches('/');
    if !base.is_empty() && (parse_pattern(base).is_err() || base.contains(['*', '{'])) {
        let fix = "Send `base_path`: what stands before every path, such as `/v1`, or `/` for nothing.";
        return Err(Invalid::new(field, "This is no path that requests can begin with.", fix));
    }
    Ok(base.to_owned())
}

struct Reader<'a> {
    document: &'a Map<String, Value>,
    base: String,
    read: Operations,
    taken: HashSet<(String, String)>,
}

impl Reader<'_> {
    fn path(&mut self, path: &str, item: &Value) -> Result<(), Invalid> {
        let Some(item) = item.as_object() else { return Ok(()) };
        if item.contains_key("$ref") {
            self.note(path, "refers to another document or place, which is not followed");
        }
        for method in METHODS {
            let Some(operation) = item.get(method).and_then(Value::as_object) else { continue };
            if self.read.list.len() >= OPERATIONS_MAX {
                let fix = format!("Send at most {OPERATIONS_MAX}; guard each part of the API as a project.");
                return Err(Invalid::new("/document/paths", "There are too many operations.", fix));
            }
            self.operation(path, method, operation)?;
        }
        Ok(())
    }

    fn operation(&mut self, path: &str, method: &str, said: &Map<String, Value>) -> Result<(), Invalid> {
        let method = method.to_ascii_uppercase();
        let named = format!("{method} {path}");
        let pattern = format!("{}{}", self.base, pattern_of(path));
        if pattern.len() > PATH_BYTES_MAX || parse_pattern(&pattern).is_err() {
            self.note(&named, "has a path that proxies and servers read in different ways; it is left out");
            return Ok(());
        }
        if path.split('/').any(|segment| segment.contains('{') && !is_parameter(segment)) {
            self.note(
                &named,
                "has a parameter that is no whole segment; the route stands for every segment there",
            );
        }
        if !self.taken.insert((method.clone(), pattern.clone())) {
            self.note(&named, "stands for the same requests as another operation; it is left out");
            return Ok(());
        }
        let id = said.get("operationId").and_then(Value::as_str).filter(|id| id.len() <= 256);
        let id = id.map_or_else(|| named.clone(), ToOwned::to_owned);
        let mut route = GuardRoute { methods: vec![method.clone()], path: pattern, ..GuardRoute::default() };
        route.operation = Some(id.clone());
        match self.security(said) {
            Security::Public => route.public = true,
            Security::Scopes(query) => route.permissions = Some(query),
            Security::Unsaid => {
                route.permissions = Some(PermissionQuery::One(self.derived(path, &method, said)))
            }
        }
        if let Some(extension) = said.get(EXTENSION) {
            extend(&mut route, extension).map_err(|invalid| at(&named, invalid))?;
        }
        self.read.list.push(Operation { id, route });
        Ok(())
    }

    fn note(&mut self, what: &str, note: &str) {
        if self.read.notes.len() < NOTES_MAX {
            self.read.notes.push(format!("{what} {note}."));
        }
    }

    /// What the operation's own `security` says, or else the document's. Where neither is there, nothing was said:
    /// an API without keys is not an API that is meant to be open.
    fn security(&mut self, said: &Map<String, Value>) -> Security {
        let Some(security) = said.get("security").or_else(|| self.document.get("security")) else {
            return Security::Unsaid;
        };
        let Some(alternatives) = security.as_array() else { return Security::Unsaid };
        let requirements: Vec<&Map<String, Value>> =
            alternatives.iter().filter_map(Value::as_object).collect();
        if requirements.is_empty() || requirements.iter().any(|requirement| requirement.is_empty()) {
            return Security::Public;
        }
        let mut any = Vec::new();
        for requirement in requirements {
            let scopes = requirement.values().filter_map(Value::as_array).flatten().filter_map(Value::as_str);
            let mut all: Vec<String> = scopes.filter_map(permission_of).collect();
            all.sort_unstable();
            all.dedup();
            if all.is_empty() {
                return Security::Unsaid;
            }
            for name in &all {
                let description = self.scope_description(name);
                self.read.permissions.entry(name.clone()).or_insert(description);
            }
            any.push(joined(all.into_iter().map(PermissionQuery::One).collect(), |all| {
                PermissionQuery::All(AllOf { all })
            }));
        }
        Security::Scopes(joined(any, |any| PermissionQuery::Any(AnyOf { any })))
    }

    /// How the document describes a scope, in whichever flow of whichever scheme.
    fn scope_description(&self, name: &str) -> String {
        let schemes =
            self.document.get("components").and_then(|components| components.get("securitySchemes"));
        let schemes = schemes.and_then(Value::as_object).into_iter().flat_map(Map::values);
        let flows = schemes.filter_map(|scheme| scheme.get("flows")?.as_object()).flat_map(Map::values);
        let mut scopes = flows.filter_map(|flow| flow.get("scopes")?.as_object()).flatten();
        let found = scopes.find(|(scope, _)| permission_of(scope).as_deref() == Some(name));
        described(found.and_then(|(_, text)| text.as_str()))
    }

    /// A permission for an operation that asks for none: `orders.read`, by its first tag or else its path's first
    /// segment.
    fn derived(&mut self, path: &str, method: &str, said: &Map<String, Value>) -> String {
        let tags = said.get("tags").and_then(Value::as_array);
        let tag = tags.and_then(|tags| tags.first()).and_then(Value::as_str);
        let segment = path.split('/').find(|segment| !segment.is_empty() && !segment.contains('{'));
        let topic = tag.and_then(slug).or_else(|| segment.and_then(slug)).unwrap_or_else(|| "api".to_owned());
        let reads = matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE");
        let name = format!("{topic}.{}", if reads { "read" } else { "write" });
        let tags = self.document.get("tags").and_then(Value::as_array).into_iter().flatten();
        let described_tag = tags.filter(|entry| entry.get("name").and_then(Value::as_str) == tag);
        let text = described_tag.filter_map(|entry| entry.get("description")?.as_str()).next();
        let description = described(text.or(tag).or(segment));
        self.read.permissions.entry(name.clone()).or_insert(description);
        name
    }
}

enum Security {
    Public,
    Scopes(PermissionQuery),
    Unsaid,
}

fn joined(
    mut parts: Vec<PermissionQuery>,
    join: fn(Vec<PermissionQuery>) -> PermissionQuery,
) -> PermissionQuery {
    match parts.len() {
        1 => parts.remove(0),
        _ => join(parts),
    }
}

fn at(named: &str, invalid: Invalid) -> Invalid {
    let detail = format!("{named}: {}", invalid.detail);
    Invalid::new(format!("/document/paths/{EXTENSION}{}", invalid.field), detail, invalid.fix)
}

/// What `x-keystead` says of an operation wins over what was found out.
fn extend(route: &mut GuardRoute, extension: &Value) -> Result<(), Invalid> {
    let fix = "Write an object with `permissions`, `resource`, `cost`, `limits`, `public` or `credentials`, as a route has them.";
    let mut said =
        extension.as_object().cloned().ok_or_else(|| Invalid::new("", "`x-keystead` is no object.", fix))?;
    for own in ["path", "methods", "operation", "absent", "mode"] {
        if said.contains_key(own) {
            return Err(Invalid::new(format!("/{own}"), "This is not a document's to say.", fix));
        }
    }
    said.insert("path".into(), Value::String(route.path.clone()));
    let read: GuardRoute = serde_json::from_value(Value::Object(said)).map_err(|_| {
        Invalid::new("", "`x-keystead` has a field that a route does not have, or of another kind.", fix)
    })?;
    if read.public {
        route.permissions = None;
    }
    route.public = read.public || (route.public && read.permissions.is_none());
    route.permissions = read.permissions.or(route.permissions.take());
    (route.resource, route.cost, route.credentials) = (read.resource, read.cost, read.credentials);
    route.limits = read.limits;
    Ok(())
}

fn is_parameter(segment: &str) -> bool {
    segment.starts_with('{') && segment.ends_with('}') && segment.matches('{').count() == 1
}

/// `/orders/{id}` as `/orders/*`.
fn pattern_of(path: &str) -> String {
    let segments = path.split('/').map(|segment| if segment.contains('{') { "*" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

/// A scope as a permission: `read:pets` as `read.pets`; none where nothing of it is left.
fn permission_of(scope: &str) -> Option<String> {
    // Addresses as scopes (`https://…/auth/x`): their last part says what is meant.
    let scope = scope.rsplit('/').next().unwrap_or(scope);
    let parts: Vec<String> = scope.split([':', '.']).filter_map(slug).collect();
    let name = parts.join(".");
    name::permission_name("", &name).is_ok().then_some(name)
}

/// A text in the letters that names have; none where nothing of it is left.
fn slug(text: &str) -> Option<String> {
    let mut slug = String::new();
    for byte in text.bytes() {
        match byte.to_ascii_lowercase() {
            byte @ (b'a'..=b'z' | b'0'..=b'9') => slug.push(char::from(byte)),
            _ if slug.is_empty() || slug.ends_with('_') => {}
            _ => slug.push('_'),
        }
    }
    slug.truncate(40);
    let slug = slug.trim_end_matches('_');
    (!slug.is_empty()).then(|| slug.to_owned())
}

fn described(text: Option<&str>) -> String {
    let line = text.unwrap_or_default().lines().next().unwrap_or_default().trim();
    let short: String = line.chars().take(200).collect();
    if name::description("", &short).is_ok() { short } else { String::new() }
}
