//! Errors of the API as RFC 9457 problem documents.

pub use crate::problem_code::ProblemCode;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use keystead_api::{FieldError, GuardrailViolation, Problem};
use keystead_domain::invalid::Invalid;
use std::borrow::Cow;

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
