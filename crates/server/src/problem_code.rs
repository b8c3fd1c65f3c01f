//! What can be wrong, as a closed set of codes that programs rely on.

use http::StatusCode;

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
}
