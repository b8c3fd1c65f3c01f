//! Why a use case did not happen, as a problem document.

use crate::problem::{ApiProblem, ProblemCode};
use keystead_api::Code;
use keystead_service::Refused;

impl From<Refused> for ApiProblem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Caller { code, retry_after_seconds } => caller(code, retry_after_seconds),
            Refused::Forbidden { permission, resource } => {
                Self::new(ProblemCode::Forbidden, format!("This needs {permission} on {resource}."))
            }
            Refused::Policy(why) => Self::new(ProblemCode::PolicyDenied, format!("Refused, because {why}.")),
            Refused::Invalid(invalid) => invalid.into(),
            Refused::Unknown(invalid) => Self::new(ProblemCode::UnknownName, invalid.detail)
                .with_fix(invalid.fix)
                .with_field(invalid.field),
            Refused::Several { first, others } => Self::from(*first).with_errors(others),
            Refused::Guardrails(violations) => Self::guardrails(violations),
            Refused::ApprovalRequired(violations) => Self::approval_required(violations),
            Refused::NotFound { what } => {
                Self::new(ProblemCode::NotFound, format!("There is no such {what}, or you may not see it."))
            }
            Refused::Conflict { detail, fix } => Self::new(ProblemCode::Conflict, detail).with_fix(fix),
            Refused::TooOften { detail, retry_after_seconds } => {
                Self::new(ProblemCode::RateLimited, detail).with_retry_after(retry_after_seconds)
            }
            signing_in @ (Refused::SignInFailed
            | Refused::PasskeyCopied
            | Refused::SecondFactorRequired
            | Refused::OrganizationRequired(_)
            | Refused::SingleSignOn(_)
            | Refused::SingleSignOnRequired(_)
            | Refused::LinkInvalid
            | Refused::NoSession
            | Refused::NeedsSession
            | Refused::Busy) => of_signing_in(signing_in),
            Refused::Changed { current } => {
                Self::new(ProblemCode::PreconditionFailed, format!("It is at version {current} now."))
            }
            Refused::AnotherRequest => Self::new(
                ProblemCode::IdempotencyMismatch,
                "Another request came with this Idempotency-Key before.",
            ),
            Refused::StillRunning => Self::new(
                ProblemCode::IdempotencyInFlight,
                "The request that came with this Idempotency-Key before is still in work.",
            )
            .with_retry_after(1),
            Refused::SecretNotKept { ids } => Self::new(
                ProblemCode::SecretNotKept,
                "This was done before; the secret in its answer was given again for ten minutes only.",
            )
            .with_ids(ids),
            Refused::Unavailable => {
                Self::new(ProblemCode::Unavailable, "The database does not answer; nothing was changed.")
                    .with_retry_after(1)
            }
            Refused::OutcomeUnknown => {
                Self::new(ProblemCode::Unavailable, "The database did not say whether the change was kept.")
                    .with_fix("Look whether it was kept before you send it again.")
                    .with_retry_after(1)
            }
            Refused::Internal(cause) => Self::internal(cause),
        }
    }
}

/// What people are told who sign in, or should.
fn of_signing_in(refused: Refused) -> ApiProblem {
    match refused {
        Refused::SignInFailed => ApiProblem::new(
            ProblemCode::SignInFailed,
            "Something of what was sent is wrong; it is not told what.",
        ),
        Refused::PasskeyCopied => ApiProblem::new(
            ProblemCode::PasskeyCopied,
            "The passkey counts its uses, and its count went back: there may be two of it.",
        ),
        Refused::SecondFactorRequired => ApiProblem::new(
            ProblemCode::SecondFactorRequired,
            "This needs a second factor that was proved in the last ten minutes.",
        ),
        Refused::OrganizationRequired(slugs) => {
            ApiProblem::new(ProblemCode::OrganizationRequired, "The account is in several organizations.")
                .with_organizations(slugs)
        }
        Refused::SingleSignOn(why) => {
            ApiProblem::new(ProblemCode::SingleSignOnFailed, why.to_string()).with_fix(why.fix())
        }
        Refused::SingleSignOnRequired(providers) => ApiProblem::new(
            ProblemCode::SingleSignOnRequired,
            "The organization's members sign in through its identity provider.",
        )
        .with_fix(format!(
            "Sign in through {}: POST /v1/sign-in/oidc/start (keystead sign-in --sso); an owner may use a password \
             with a second factor.",
            providers.join(" or ")
        )),
        Refused::LinkInvalid => ApiProblem::new(
            ProblemCode::LinkInvalid,
            "The link was used, replaced, is over, or was never given out.",
        ),
        Refused::NoSession => {
            ApiProblem::unauthenticated(true, "The session has ended, or is not known here.")
                .with_fix("Sign in again: POST /v1/sessions (keystead sign-in).")
        }
        Refused::NeedsSession => {
            ApiProblem::new(ProblemCode::Forbidden, "This is for people who signed in, not for keys.")
                .with_fix("Sign in: POST /v1/sessions (keystead sign-in).")
        }
        Refused::Busy => {
            ApiProblem::new(ProblemCode::Overloaded, "Too many people are signing in.").with_retry_after(1)
        }
        other => ApiProblem::internal(other),
    }
}

/// The caller's own key was refused. What is no key of ours, and what only looks like one, get the
/// same answer: state is not for strangers.
fn caller(code: Code, retry_after_seconds: Option<u64>) -> ApiProblem {
    let problem = match code {
        Code::Valid => ApiProblem::internal("a valid key was refused"),
        Code::Malformed | Code::NotFound | Code::WrongSecret => {
            ApiProblem::unauthenticated(true, "The key is not known here.")
        }
        Code::Disabled | Code::Revoked | Code::Expired | Code::NotYetValid | Code::Suspended => {
            ApiProblem::unauthenticated(true, format!("The key cannot be used now: {code}."))
        }
        Code::NetworkDenied | Code::OriginDenied | Code::EndpointDenied | Code::ConditionDenied => {
            ApiProblem::new(ProblemCode::Forbidden, format!("The key may not be used so: {code}."))
                .with_fix("Use it as its restrictions allow, or ask an administrator to change them.")
        }
        Code::InsufficientPermissions => {
            ApiProblem::new(ProblemCode::Forbidden, "The key lacks a permission.")
        }
        // LESSONS 9: a limit is not a failed authentication.
        Code::RateLimited | Code::QuotaExceeded | Code::CreditsExhausted => {
            ApiProblem::new(ProblemCode::RateLimited, format!("The key's limit is used up: {code}."))
        }
        Code::Unavailable => {
            ApiProblem::new(ProblemCode::Unavailable, "This node cannot know of every change right now.")
        }
    };
    match (code, retry_after_seconds) {
        (_, Some(seconds)) => problem.with_retry_after(seconds),
        (Code::Unavailable, None) => problem.with_retry_after(1),
        (_, None) => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// LESSONS 9: rate-limited answered as 401.
    #[test]
    fn lesson_9_a_used_up_limit_is_429_and_a_stranger_learns_nothing() {
        let status =
            |code| ApiProblem::from(Refused::Caller { code, retry_after_seconds: None }).code().status();
        for code in [Code::RateLimited, Code::QuotaExceeded, Code::CreditsExhausted] {
            assert_eq!(status(code), 429);
        }
        let detail = |code| caller(code, None).detail().to_owned();
        assert_eq!(detail(Code::NotFound), detail(Code::WrongSecret));
        assert_eq!(detail(Code::NotFound), detail(Code::Malformed));
        assert_eq!(status(Code::NetworkDenied), 403);
        assert_eq!(status(Code::Unavailable), 503);
    }
}
