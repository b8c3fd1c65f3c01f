//! Errors of the API as RFC 9457 problem documents, with a closed set of codes.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use keystead_api::{FieldError, GuardrailViolation, Problem};
use keystead_domain::invalid::Invalid;
use std::borrow::Cow;

/// The closed set of codes: the enum, and for each its name, status, title and usual fix.
macro_rules! codes {
    ($( $(#[$doc:meta])* $Code:ident = $name:literal, $status:ident, $title:literal, $fix:literal; )+) => {
        /// What kind of error a problem document tells of.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ProblemCode { $( $(#[$doc])* $Code, )+ }

        impl ProblemCode {
            /// Every code.
            pub const ALL: &[Self] = &[$( Self::$Code, )+];

            /// Its stable name, for programs.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $( Self::$Code => $name, )+ }
            }

            /// The HTTP status that it is answered with.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $( Self::$Code => StatusCode::$status, )+ }
            }

            /// The same short sentence for every error of this code.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $( Self::$Code => $title, )+ }
            }

            /// What to do about it when nothing more exact is known.
            #[must_use]
            pub const fn fix(self) -> &'static str {
                match self { $( Self::$Code => $fix, )+ }
            }
        }
    };
}

codes! {
    /// The request as such makes no sense.
    InvalidRequest = "invalid_request", BAD_REQUEST, "The request is not valid.",
        "Compare the request with the API's description at /openapi.json.";
    /// The body is no JSON, or nested too deep.
    InvalidJson = "invalid_json", BAD_REQUEST, "The body is not valid JSON.", "Send one JSON value in UTF-8.";
    /// More than one credential came with the request.
    CredentialAmbiguous = "credential_ambiguous", BAD_REQUEST, "There is more than one credential.",
        "Send the key once: in `Authorization: Bearer` or in `X-API-Key`.";
    /// No credential, or one that is not valid.
    Unauthenticated = "unauthenticated", UNAUTHORIZED, "The request carries no valid key.",
        "Send a valid key: `Authorization: Bearer <key>`.";
    /// The caller may not do this.
    Forbidden = "forbidden", FORBIDDEN, "The key may not do this.",
        "Use a key that holds the permission, or ask an administrator to grant it.";
    /// A policy does not let the caller do this.
    PolicyDenied = "policy_denied", FORBIDDEN, "A policy forbids this.",
        "Do it as the policy allows, or ask whoever writes policies; GET /v1/policies/{policy} shows it.";
    /// Somebody who signs in is wrong in something.
    SignInFailed = "sign_in_failed", UNAUTHORIZED, "Signing in failed.",
        "Check e-mail, password, organization, code and passkey; a one-time code works once.";
    /// A passkey was used whose counter went back.
    PasskeyCopied = "passkey_copied", UNAUTHORIZED, "The passkey may have been copied.",
        "Sign in another way, delete the passkey (keystead account passkeys delete) and add another.";
    /// Who signs in through an identity provider is not let in.
    SingleSignOnFailed = "single_sign_on_failed", UNAUTHORIZED, "Signing in through the provider failed.",
        "Begin again, and finish in the same browser.";
    /// The organization wants its members to sign in through its provider.
    SingleSignOnRequired = "single_sign_on_required", FORBIDDEN, "The organization does not take passwords.",
        "Sign in through its provider: POST /v1/sign-in/oidc/start (keystead sign-in --sso).";
    /// The second factor is missing, or was proved too long ago.
    SecondFactorRequired = "second_factor_required", FORBIDDEN, "The second factor is needed.",
        "Send `code` or `passkey` when signing in; in a session, prove it with POST /v1/sessions/current/second-factor and try again.";
    /// A browser's request does not prove which page sent it.
    CsrfRequired = "csrf_required", FORBIDDEN, "The request does not prove where it comes from.",
        "Send the session's `csrf_token` in `X-CSRF-Token`; GET /v1/sessions/current has it.";
    /// Who signs in is a member of several organizations.
    OrganizationRequired = "organization_required", CONFLICT, "It is not said which organization is meant.",
        "Send `organization`, one of those that `organizations` names.";
    /// A link was used, replaced, is over, or never was.
    LinkInvalid = "link_invalid", NOT_FOUND, "The link does not work.",
        "Ask for a new one: each works once, and for some time.";
    /// No such thing, or none that the caller may see.
    NotFound = "not_found", NOT_FOUND, "There is no such thing here.", "Check the address and the ids in it.";
    /// The route exists, but not for this method.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "The method is not allowed here.",
        "Use a method that the `Allow` header names.";
    /// The request did not arrive in time.
    SlowRequest = "slow_request", REQUEST_TIMEOUT, "The request took too long to arrive.",
        "Send the request at once.";
    /// It collides with what there is.
    Conflict = "conflict", CONFLICT, "This collides with what exists.",
        "Read the current state, then decide again.";
    /// The request with the same `Idempotency-Key` still runs.
    IdempotencyInFlight = "idempotency_in_flight", CONFLICT, "The same request is still in work.",
        "Send it again after as long as `Retry-After` says.";
    /// It was done under the same `Idempotency-Key`; its secret is no longer given again.
    SecretNotKept = "secret_not_kept", CONFLICT, "It was done, and its secret is no longer shown.",
        "Look at what `ids` names; where the secret was lost, revoke it and make another.";
    /// `If-Match` names another version.
    PreconditionFailed = "precondition_failed", PRECONDITION_FAILED, "It was changed in the meantime.",
        "Read it again and send the new `ETag` in `If-Match`.";
    /// The body is larger than allowed.
    TooLarge = "too_large", PAYLOAD_TOO_LARGE, "The body is too large.", "Send less at a time.";
    /// The body is not `application/json`.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The body is of another type.",
        "Send JSON with `Content-Type: application/json`.";
    /// A field's value is not allowed.
    InvalidField = "invalid_field", UNPROCESSABLE_ENTITY, "A field is not valid.", "Correct the field.";
    /// The same `Idempotency-Key` with another request.
    IdempotencyMismatch = "idempotency_mismatch", UNPROCESSABLE_ENTITY, "The Idempotency-Key was used for something else.",
        "Send the same method, address and body again, or a new Idempotency-Key.";
    /// The organization's or the project's guardrails do not allow it.
    GuardrailViolated = "guardrail_violated", UNPROCESSABLE_ENTITY, "A guardrail does not allow this.",
        "Change what `violations` names, or ask whoever sets the guardrails.";
    /// The organization's or the project's guardrails demand another person's approval.
    ApprovalRequired = "approval_required", FORBIDDEN, "This needs another person's approval.",
        "Sign in and ask for it with POST /v1/approvals (keystead keys create --ask-approval), one key at a time.";
    /// A name that is in no catalogue.
    UnknownName = "unknown_name", UNPROCESSABLE_ENTITY, "A name is not known.",
        "Create what it names first, or correct the name.";
    /// The caller asks too often.
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "The limit is used up.", "Wait as long as `Retry-After` says.";
    /// More header fields than allowed.
    HeadersTooLarge = "headers_too_large", REQUEST_HEADER_FIELDS_TOO_LARGE, "There are too many header fields.",
        "Send fewer header fields.";
    /// A bug or a broken part: details stand in the server's log only.
    Internal = "internal", INTERNAL_SERVER_ERROR, "The server failed.",
        "Try again; if it stays, give the request id to whoever runs the server.";
    /// Too many requests are in work.
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, "The server is overloaded.",
        "Try again after as long as `Retry-After` says.";
    /// The server cannot answer truthfully now.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "The server cannot answer now.", "Try again in a moment.";
    /// The answer took too long.
    Timeout = "timeout", SERVICE_UNAVAILABLE, "The answer took too long.",
        "Try again; whether the request took effect is not known.";
}

/// An error on its way to the caller. `Front` writes its document, because it knows the request's id.
#[derive(Debug, Clone)]
pub struct ApiProblem(Box<Content>);

#[derive(Debug, Clone)]
struct Content {
    code: ProblemCode,
    detail: Cow<'static, str>,
    fix: Cow<'static, str>,
    field: Option<String>,
    errors: Vec<FieldError>,
    ids: Vec<String>,
    violations: Vec<GuardrailViolation>,
    organizations: Vec<String>,
    retry_after_seconds: Option<u64>,
    credential_sent: bool,
    cause: Option<String>,
}

impl ApiProblem {
    /// A problem with what was wrong this time, as a sentence that never repeats what may be secret.
    pub fn new(code: ProblemCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Content {
            code,
            detail: detail.into(),
            fix: Cow::Borrowed(code.fix()),
            field: None,
            errors: Vec::new(),
            ids: Vec::new(),
            violations: Vec::new(),
            organizations: Vec::new(),
            retry_after_seconds: None,
            credential_sent: false,
            cause: None,
        }))
    }

    /// The caller proved nothing. RFC 6750 §3.1: `error="invalid_token"` only when a credential was sent.
    pub fn unauthenticated(credential_sent: bool, detail: impl Into<Cow<'static, str>>) -> Self {
        let mut problem = Self::new(ProblemCode::Unauthenticated, detail);
        problem.0.credential_sent = credential_sent;
        problem
    }

    /// Guardrails do not allow it; each is told, the first one's field and fix first.
    #[must_use]
    pub fn guardrails(violations: Vec<GuardrailViolation>) -> Self {
        let names: Vec<String> = violations.iter().map(named).collect();
        let detail = format!("Guardrails do not allow this: {}.", names.join(", "));
        let mut problem = Self::new(ProblemCode::GuardrailViolated, detail);
        if let Some(first) = violations.first() {
            problem.0.fix = first.fix.clone().into();
            problem.0.field = Some(first.field.clone());
        }
        problem.0.violations = violations;
        problem
    }

    /// Guardrails demand an approval; each is told, with the field of the first one.
    #[must_use]
    pub fn approval_required(violations: Vec<GuardrailViolation>) -> Self {
        let names: Vec<String> = violations.iter().map(named).collect();
        let detail = format!("Guardrails demand that another person approves this: {}.", names.join(", "));
        let mut problem = Self::new(ProblemCode::ApprovalRequired, detail);
        problem.0.field = violations.first().map(|first| first.field.clone());
        problem.0.violations = violations;
        problem
    }

    /// A failure of the server; `cause` goes to its log beside the request's id, never to the caller.
    #[must_use]
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        let mut problem = Self::new(ProblemCode::Internal, "Something failed inside the server.");
        problem.0.cause = Some(cause.to_string());
        problem
    }

    /// What to do about it, instead of the code's usual fix.
    #[must_use]
    pub fn with_fix(mut self, fix: impl Into<Cow<'static, str>>) -> Self {
        self.0.fix = fix.into();
        self
    }

    /// Which field was wrong, as a JSON pointer.
    #[must_use]
    pub fn with_field(mut self, pointer: impl Into<String>) -> Self {
        self.0.field = Some(pointer.into());
        self
    }

    /// Which other fields were wrong.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<Invalid>) -> Self {
        let told = errors.into_iter().map(|Invalid { field, detail, fix }| FieldError { field, detail, fix });
        self.0.errors = told.collect();
        self
    }

    /// What was made by the request that this one repeats.
    #[must_use]
    pub fn with_ids(mut self, ids: Vec<String>) -> Self {
        self.0.ids = ids;
        self
    }

    /// Which organizations there are to choose from.
    #[must_use]
    pub fn with_organizations(mut self, slugs: Vec<String>) -> Self {
        self.0.organizations = slugs;
        self
    }

    /// When to try again: `Retry-After`, in seconds.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after_seconds = Some(seconds);
        self
    }

    /// Its code.
    #[must_use]
    pub fn code(&self) -> ProblemCode {
        self.0.code
    }

    /// Its detail, as the caller gets it.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// Which field was wrong, as a JSON pointer.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// What to log beside the request's id.
    pub(crate) fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// The document, for a request of that id.
    #[must_use]
    pub fn document(&self, request_id: String) -> Problem {
        let code = self.0.code;
        Problem {
            kind: format!("urn:keystead:problem:{}", code.name()),
            title: code.title().to_owned(),
            status: code.status().as_u16(),
            code: code.name().to_owned(),
            detail: self.0.detail.clone().into_owned(),
            fix: self.0.fix.clone().into_owned(),
            field: self.0.field.clone(),
            errors: self.0.errors.clone(),
            ids: self.0.ids.clone(),
            violations: self.0.violations.clone(),
            organizations: self.0.organizations.clone(),
            request_id,
        }
    }
}

/// A violated guardrail in a sentence: `lifetime_max (organization)`.
fn named(violation: &GuardrailViolation) -> String {
    let word = |value: serde_json::Result<serde_json::Value>| match value {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    };
    let guardrail = word(serde_json::to_value(violation.guardrail));
    format!("{guardrail} ({})", word(serde_json::to_value(violation.from)))
}

impl From<Invalid> for ApiProblem {
    fn from(invalid: Invalid) -> Self {
        Self::new(ProblemCode::InvalidField, invalid.detail).with_fix(invalid.fix).with_field(invalid.field)
    }
}

impl IntoResponse for ApiProblem {
    /// Status and headers, with the problem as an extension that [`write_document`] turns into the body.
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.0.code.status();
        let headers = response.headers_mut();
        // RFC 9110 §15.5.2: there is always a challenge.
        if self.0.code.status() == StatusCode::UNAUTHORIZED {
            headers.insert(
                WWW_AUTHENTICATE,
                HeaderValue::from_static(if self.0.credential_sent {
                    "Bearer realm=\"keystead\", error=\"invalid_token\""
                } else {
                    "Bearer realm=\"keystead\""
                }),
            );
        }
        if let Some(seconds) = self.0.retry_after_seconds {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the document of the problem that a response carries, if it does; returns the problem.
pub(crate) fn write_document(response: &mut Response, request_id: &str) -> Option<ApiProblem> {
    let problem = response.extensions_mut().remove::<ApiProblem>()?;
    let document = serde_json::to_vec(&problem.document(request_id.to_owned())).unwrap_or_default();
    *response.body_mut() = Body::from(document);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    Some(problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_own_name_and_an_error_status() {
        let names: std::collections::HashSet<_> = ProblemCode::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), ProblemCode::ALL.len());
        assert!(
            ProblemCode::ALL.iter().all(|code| code.status().as_u16() >= 400 && code.fix().ends_with('.'))
        );
    }

    #[test]
    fn an_invalid_input_becomes_a_problem_with_its_field() {
        let problem = ApiProblem::from(Invalid::new("/name", "It is empty.", "Give it a name."));
        let document = problem.document("req_1".to_owned());
        assert_eq!(document.status, 422);
        assert_eq!(document.kind, "urn:keystead:problem:invalid_field");
        assert_eq!(document.field.as_deref(), Some("/name"));
        assert_eq!((document.detail.as_str(), document.fix.as_str()), ("It is empty.", "Give it a name."));
    }

    #[test]
    fn a_challenge_names_an_error_only_when_a_credential_was_sent() {
        for (sent, challenge) in [
            (false, "Bearer realm=\"keystead\""),
            (true, "Bearer realm=\"keystead\", error=\"invalid_token\""),
        ] {
            let response = ApiProblem::unauthenticated(sent, "No key.").into_response();
            assert_eq!(response.headers()[WWW_AUTHENTICATE], challenge);
        }
    }

    #[test]
    fn a_failure_tells_its_cause_to_nobody_outside() {
        let mut response = ApiProblem::internal("the table burns").into_response();
        let problem = write_document(&mut response, "req_1").unwrap();
        assert_eq!(problem.cause(), Some("the table burns"));
        assert!(!serde_json::to_string(&problem.document(String::new())).unwrap().contains("burns"));
    }
}
