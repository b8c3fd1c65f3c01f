//! Who calls: the one key in a request, and where the request comes from.

use crate::front::{IDEMPOTENCY_KEY, RequestDigest};
use crate::listen::Peer;
use crate::problem::{ApiProblem, ProblemCode};
use crate::request_id::ThisRequest;
use crate::state::App;
use axum::extract::FromRequestParts;
use http::header::{AUTHORIZATION, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use keystead_domain::networks;
use keystead_domain::replay::{IdempotencyKey, VALUE_BYTES_MAX};
use keystead_domain::sign_in::secret_token::TokenKind;
use keystead_service::caller::{Caller, Origin};

pub(crate) mod cookie;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// A caller whose key's digest has matched. What it may do is each use case's question.
#[derive(Debug)]
pub(crate) struct Called(pub(crate) Caller);

impl FromRequestParts<App> for Called {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiProblem> {
        let origin = origin(parts)?;
        if let Some(token) = cookie::alone(&parts.headers, app)? {
            let caller = Box::pin(app.keystead.recognise_session(&token, origin)).await?;
            cookie::check_sender(&parts.method, &parts.headers, app, &caller)?;
            return Ok(Self(caller));
        }
        let token = credential(&parts.headers)?;
        if TokenKind::Session.is_meant(token) {
            // Apart: what a verification waits in is not to be as large.
            return Ok(Self(Box::pin(app.keystead.recognise_session(token, origin)).await?));
        }
        Ok(Self(app.keystead.recognise(token, origin).await?))
    }
}

/// Where a request comes from whose sender proves nothing yet.
#[derive(Debug)]
pub(crate) struct Unproven(pub(crate) Origin);

impl FromRequestParts<App> for Unproven {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiProblem> {
        origin(parts).map(Self)
    }
}

/// A caller that holds any issued key, which need not manage anything: for what a key is asked to do
/// with itself.
#[derive(Debug)]
pub(crate) struct Holding(pub(crate) Caller);

impl FromRequestParts<App> for Holding {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiProblem> {
        let _ = cookie::alone(&parts.headers, app)?;
        let token = credential(&parts.headers)?;
        Ok(Self(app.keystead.identify_holder(token, origin(parts)?).await?))
    }
}

pub(crate) fn origin(parts: &Parts) -> Result<Origin, ApiProblem> {
    let ThisRequest(request_id) = parts
        .extensions
        .get::<ThisRequest>()
        .copied()
        .ok_or_else(|| ApiProblem::internal("a request without an id"))?;
    Ok(Origin {
        // The address of the connection. What headers say of it is the client's own word.
        ip: parts.extensions.get::<Peer>().map(|Peer(peer)| networks::normalise(peer.ip())),
        method: parts.method.as_str().into(),
        path: parts.uri.path().into(),
        user_agent: parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).map(Into::into),
        request_id,
        idempotency: idempotency_key(parts)?,
    })
}

/// The `Idempotency-Key` of a POST; elsewhere the header has no meaning.
fn idempotency_key(parts: &Parts) -> Result<Option<IdempotencyKey>, ApiProblem> {
    let Some(RequestDigest(request)) = parts.extensions.get() else { return Ok(None) };
    let mut sent = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
    let key = sent.next().and_then(|value| IdempotencyKey::new(value.as_bytes(), *request));
    if key.is_none() || sent.next().is_some() {
        return Err(ApiProblem::new(
            ProblemCode::InvalidRequest,
            "The Idempotency-Key header is empty, too long, holds other characters, or stands there twice.",
        )
        .with_fix(format!(
            "Send one value of 1 to {VALUE_BYTES_MAX} visible ASCII characters, such as a UUID."
        )));
    }
    Ok(key)
}

/// The one key that came with the request. Two are refused: proxies disagree on which one counts
/// (LESSONS 20).
fn credential(headers: &HeaderMap) -> Result<&str, ApiProblem> {
    let mut all = headers.get_all(AUTHORIZATION).iter().chain(headers.get_all(API_KEY));
    let Some(value) = all.next() else {
        return Err(ApiProblem::unauthenticated(false, "The request carries no key."));
    };
    if all.next().is_some() {
        return Err(ApiProblem::new(
            ProblemCode::CredentialAmbiguous,
            "The request carries more than one key.",
        ));
    }
    let value = value.to_str().unwrap_or_default();
    if headers.contains_key(API_KEY) {
        return Ok(value.trim());
    }
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(ApiProblem::unauthenticated(true, "The Authorization header carries no bearer token.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn one_key_in_either_place_is_taken() {
        assert_eq!(credential(&headers(&[("authorization", "Bearer abc")])).unwrap(), "abc");
        assert_eq!(credential(&headers(&[("authorization", "bearer  abc ")])).unwrap(), "abc");
        assert_eq!(credential(&headers(&[("x-api-key", "abc")])).unwrap(), "abc");
    }

    /// LESSONS 20: two credentials in one request.
    #[test]
    fn lesson_20_two_keys_are_refused_and_none_is_told_apart() {
        let mut twice = headers(&[("authorization", "Bearer a")]);
        twice.append(AUTHORIZATION, "Bearer b".parse().unwrap());
        for both in [twice, headers(&[("authorization", "Bearer a"), ("x-api-key", "b")])] {
            assert_eq!(credential(&both).unwrap_err().code(), ProblemCode::CredentialAmbiguous);
        }
        assert_eq!(credential(&headers(&[])).unwrap_err().code(), ProblemCode::Unauthenticated);
        let basic = headers(&[("authorization", "Basic abc")]);
        assert_eq!(credential(&basic).unwrap_err().code(), ProblemCode::Unauthenticated);
    }
}
