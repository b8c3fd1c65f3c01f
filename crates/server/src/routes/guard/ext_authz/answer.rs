//! What Envoy does with a request, as a message.

use super::messages::{
    CheckResponse, DeniedHttpResponse, HeaderValue as Header, HeaderValueOption, HttpStatus, OkHttpResponse,
    Status, Struct, Value,
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use keystead_guard::headers::{CONSUMER, GUARD, KEY_ID, OWNER, REQUEST_ID};
use keystead_guard::{Allowed, Refusal, spellings};
use keystead_service::Door;

/// `OVERWRITE_IF_EXISTS_OR_ADD`
const OVERWRITE: i32 = 2;
/// `PERMISSION_DENIED`: whatever is not 0 keeps the request out.
const DENIED: i32 = 7;

/// What an access log may tell of a key: by what name, and in which header it stands.
const TOLD: [(&str, HeaderName); 4] =
    [("key_id", KEY_ID), ("owner", OWNER), ("consumer", CONSUMER), ("request_id", REQUEST_ID)];

pub(super) fn passes(door: &Door, allowed: Allowed, query: Option<&str>) -> CheckResponse {
    let known = TOLD.into_iter().filter_map(|(field, name)| {
        let (_, value) = allowed.set.iter().find(|(set, _)| *set == name)?;
        Some((field, value.to_str().ok()?))
    });
    let dynamic_metadata = Some(metadata(Some(door), known));
    // The first is what other doors are proved by: a client's own must not go on.
    let removed = std::iter::once(&GUARD).chain(&allowed.remove).map(ToString::to_string).collect();
    let parameter = allowed.remove_parameter.as_deref();
    // Envoy looks for names letter by letter, upstreams unescape them.
    let spelled = parameter.into_iter().flat_map(|name| spellings(query.unwrap_or_default(), name));
    CheckResponse {
        status: Some(Status { code: 0 }),
        ok_response: Some(OkHttpResponse {
            headers_to_remove: removed,
            query_parameters_to_remove: spelled.chain(parameter).map(ToOwned::to_owned).collect(),
            headers: overwriting(allowed.set),
            response_headers_to_add: overwriting(allowed.to_client),
        }),
        denied_response: None,
        dynamic_metadata,
    }
}

pub(super) fn denied(door: Option<&Door>, refusal: &Refusal) -> CheckResponse {
    CheckResponse {
        status: Some(Status { code: DENIED }),
        denied_response: Some(DeniedHttpResponse {
            status: Some(HttpStatus { code: refusal.status.as_u16().into() }),
            headers: overwriting(refusal.headers()),
            body: refusal.document(),
        }),
        ok_response: None,
        dynamic_metadata: Some(metadata(door, [("code", refusal.code)])),
    }
}

fn overwriting(headers: Vec<(HeaderName, HeaderValue)>) -> Vec<HeaderValueOption> {
    let one = |(name, value): (HeaderName, HeaderValue)| {
        let (key, value) = (Bytes::from(name.to_string()), Bytes::copy_from_slice(value.as_bytes()));
        HeaderValueOption {
            header: Some(Header { key, value, raw_value: Bytes::new() }),
            append_action: OVERWRITE,
        }
    };
    headers.into_iter().filter(|(_, value)| value.to_str().is_ok()).map(one).collect()
}

fn metadata<'a>(door: Option<&'a Door>, told: impl IntoIterator<Item = (&'a str, &'a str)>) -> Struct {
    let environment = door.map(Door::environment);
    let place = environment
        .into_iter()
        .flat_map(|place| [("project", &*place.project.slug), ("environment", &*place.slug)]);
    let value = |text: &str| Value { string_value: Some(text.to_owned()) };
    Struct { fields: place.chain(told).map(|(name, text)| (name.to_owned(), value(text))).collect() }
}
