//! Keystead in front of the API: takes the key from a request, asks whether it may pass, and says why not.

use crate::problem::Problem;
use crate::say;
use anyhow::Result;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::MethodRouter;
use keystead_sdk::api::{Code, OwnerRef, PermissionQuery, Verification, Verify};
use keystead_sdk::{Client, Error};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// Whoever waits longer than this for a verdict is better told to come again.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks Keystead.
#[derive(Debug, Clone)]
pub(crate) struct Guard(Client);

/// Who was let in, and to do what.
#[derive(Debug, Clone)]
pub(crate) struct Admitted {
    pub(crate) key_id: String,
    /// Whose key it is: the person, and the team in whose name they act.
    pub(crate) owner: Option<Arc<OwnerRef>>,
    pub(crate) permission: &'static str,
    pub(crate) resource: String,
    /// How Keystead calls the request that asked for the verdict.
    pub(crate) request_id: String,
}

impl Guard {
    /// Asks there, with a key that may do that and nothing else.
    pub(crate) fn new(url: &str, key: String) -> Result<Self> {
        Ok(Self(Client::builder().url(url).key(key).timeout(PATIENCE).build()?))
    }

    /// Lets only requests reach `handler` whose key has `permission` on the resource that the path names.
    pub(crate) fn needs<S>(&self, permission: &'static str, handler: MethodRouter<S>) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        handler.route_layer(from_fn_with_state((self.clone(), permission), pass))
    }
}

async fn pass(
    State((Guard(keystead), permission)): State<(Guard, &'static str)>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (headers, path) = (request.headers(), request.uri().path());
    let resource = resource(path)?.to_owned();
    let text = |name: HeaderName| Some(headers.get(name)?.to_str().ok()?.to_owned());
    let asked = Verify {
        key: key(headers)?.to_owned(),
        // The connection's own address: what headers say of it is the client's word.
        ip: Some(peer.ip().to_canonical().to_string()),
        method: Some(request.method().to_string()),
        path: Some(path.to_owned()),
        origin: text(header::ORIGIN),
        user_agent: text(header::USER_AGENT),
        resource: Some(resource.clone()),
        permissions: Some(PermissionQuery::One(permission.to_owned())),
        ..Verify::default()
    };
    let verdict = keystead.verify(&asked).await.map_err(|error| unjudged(&error))?;
    let (true, Some(key_id)) = (verdict.valid, verdict.key_id.clone()) else {
        return Err(refusal(&verdict, permission, &resource));
    };
    let Verification { owner, request_id, .. } = verdict;
    request.extensions_mut().insert(Admitted { key_id, owner, permission, resource, request_id });
    Ok(next.run(request).await)
}

/// The one key of a request. Two are refused: whoever stands in between may have looked at the other one.
fn key(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter().chain(headers.get_all(API_KEY));
    let Some(value) = all.next() else {
        let fix = "Send `Authorization: Bearer <key>`, with a key of your own.";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "no_key", "The request has no key.", fix)
            .with_header(header::WWW_AUTHENTICATE, r#"Bearer realm="registry""#));
    };
    if all.next().is_some() {
        let fix = "Send `Authorization` or `X-API-Key`, once.";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "two_keys", "The request has two keys.", fix));
    }
    let value = value.to_str().unwrap_or_default();
    Ok(match value.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => key.trim(),
        _ => value,
    })
}

/// The path is the resource. One that can be written in two ways (`NET%2D7`) is refused: Keystead would judge the
/// one, and a handler would do the other.
fn resource(path: &str) -> Result<&str, Problem> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
    let is_name = |name: &str| !matches!(name, "" | "." | "..") && name.chars().all(is_plain);
    path.strip_prefix("/v1/").filter(|resource| resource.split('/').all(is_name)).ok_or_else(|| {
        let fix = "Write letters, digits and `-._:` as themselves.";
        Problem::new(StatusCode::BAD_REQUEST, "ambiguous_path", "This path can be read in two ways.", fix)
    })
}

/// The answer to a request that may not pass, as docs/API.md has it.
fn refusal(verdict: &Verification, permission: &str, resource: &str) -> Problem {
    let code = verdict.code.as_str();
    let later = verdict.retry_after_seconds;
    let problem = match verdict.code {
        Code::Valid | Code::Unavailable => unanswered(),
        Code::NetworkDenied | Code::OriginDenied | Code::EndpointDenied | Code::ConditionDenied => Problem::new(
            StatusCode::FORBIDDEN,
            code,
            "This key may not be used so.",
            "Look at the key's restrictions: `keystead keys show`.",
        ),
        Code::InsufficientPermissions => Problem::new(
            StatusCode::FORBIDDEN,
            code,
            format!("This key may not {permission} on {resource}."),
            "Use a key that may, or ask for the permission; `keystead verify --explain` says what is missing.",
        )
        .with_header(
            header::WWW_AUTHENTICATE,
            &format!(r#"Bearer realm="registry", error="insufficient_scope", scope="{permission}""#),
        ),
        Code::RateLimited | Code::QuotaExceeded | Code::CreditsExhausted => {
            Problem::new(StatusCode::TOO_MANY_REQUESTS, code, "This key has used what it may.", "Try again later.")
        }
        _ => Problem::new(
            StatusCode::UNAUTHORIZED,
            code,
            format!("This key does not work: {code}."),
            "Use another key, or ask whoever issued it.",
        )
        .with_header(
            header::WWW_AUTHENTICATE,
            &format!(r#"Bearer realm="registry", error="invalid_token", error_description="{code}""#),
        ),
    };
    match later {
        Some(seconds) => problem.with_header(header::RETRY_AFTER, &seconds.to_string()),
        None => problem,
    }
}

/// Closed when Keystead does not answer: a request that nobody judged does not pass.
fn unjudged(error: &Error) -> Problem {
    if let Some(400 | 413 | 422) = error.status() {
        let detail = "Keystead cannot judge this request: something in it is too long, or not as it must be.";
        let fix = "Look at the key, the path and the headers.";
        return Problem::new(StatusCode::BAD_REQUEST, "not_judged", detail, fix);
    }
    say::error(&format!("no verdict: {error}"));
    unanswered()
}

fn unanswered() -> Problem {
    let detail = "Whether this key may pass cannot be known now.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail, "Try again in a moment.")
        .with_header(header::RETRY_AFTER, "1")
}

#[cfg(test)]
mod tests;
