//! Why a use case did not happen. The server maps each to a problem document.

use keystead_api::{Code, GuardrailViolation};
use keystead_domain::conditions::Forbidden;
use keystead_domain::invalid::Invalid;
use keystead_oidc::Failure;
use keystead_store::StoreError;

/// Why somebody who signs in through an identity provider is not let in. It is told only to who holds the sign-in, and
/// no text of the provider's is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSignedIn {
    /// Used, over, of another browser, or never begun.
    #[error("This sign-in was not begun here, was finished, or took too long.")]
    Flow,
    /// Another provider sent the browser back.
    #[error("Another provider than the one that was asked has answered.")]
    Sender,
    /// The provider sent no code.
    #[error("The provider did not let the person in.")]
    Denied,
    /// The provider cannot be used, or what it says does not hold.
    #[error("{0}")]
    Provider(Failure),
    /// No verified address that counts, and nobody who is known already.
    #[error("The provider names no verified e-mail address in the domains that the organization allows.")]
    Email,
    /// Nobody with that address.
    #[error("The organization has no member with this e-mail address.")]
    NoMember,
    /// Whoever it was is disabled.
    #[error("The member is disabled.")]
    Disabled,
    /// The provider knew the member as somebody else.
    #[error("The member with this e-mail address is another person's at this provider.")]
    OtherIdentity,
}

impl NotSignedIn {
    /// What to do about it.
    #[must_use]
    pub const fn fix(self) -> &'static str {
        match self {
            Self::Flow | Self::Sender | Self::Denied => "Begin again, and finish in the same browser.",
            Self::Provider(_) => {
                "Try again; if it stays so, an administrator's keystead identity-providers test tells more."
            }
            Self::Email => {
                "Have the address verified at the provider, or its domain added to the provider's email_domains."
            }
            Self::NoMember => "Ask an administrator to add you, or to set the provider's just_in_time.",
            Self::Disabled => "Ask an administrator.",
            Self::OtherIdentity => {
                "Ask an administrator: the address was given to another person, or the account there was made anew."
            }
        }
    }
}

/// Why a use case did not happen; nothing was half-done.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The caller's key gives no verdict but a refusal.
    #[error("the caller's key was refused: {code}")]
    Caller {
        /// The verdict.
        code: Code,
        /// Seconds until trying again makes sense, where known.
        retry_after_seconds: Option<u64>,
    },
    /// The caller may not do this.
    #[error("this needs {permission} on {resource}")]
    Forbidden {
        /// The permission that is missing.
        permission: &'static str,
        /// What it is needed on.
        resource: String,
    },
    /// A policy does not let the caller do this.
    #[error("{0}")]
    Policy(String),
    /// A field breaks a rule.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// A field names something that does not exist.
    #[error("{0}")]
    Unknown(Invalid),
    /// Several fields break rules, or name what does not exist.
    #[error("{first}, and {} more", others.len())]
    Several {
        /// The first.
        first: Box<Self>,
        /// The others.
        others: Vec<Invalid>,
    },
    /// The thing that the path names does not exist, as far as this caller may know.
    #[error("there is no such {what}")]
    NotFound {
        /// What kind of thing.
        what: &'static str,
    },
    /// Guardrails do not allow it; each is named.
    #[error("{} guardrails do not allow it", .0.len())]
    Guardrails(Vec<GuardrailViolation>),
    /// Guardrails demand another person's approval; each is named.
    #[error("{} guardrails demand an approval", .0.len())]
    ApprovalRequired(Vec<GuardrailViolation>),
    /// The state of things does not allow it.
    #[error("{detail}")]
    Conflict {
        /// What is in the way.
        detail: String,
        /// What to do about it.
        fix: String,
    },
    /// It is asked for too often.
    #[error("{detail}")]
    TooOften {
        /// What was used up.
        detail: String,
        /// Seconds until trying again makes sense.
        retry_after_seconds: u64,
    },
    /// Somebody who signs in is wrong in something; it is not told in what.
    #[error("e-mail, password, organization or code is wrong")]
    SignInFailed,
    /// A passkey was used whose counter went back: somebody may have copied it.
    #[error("the passkey may have been copied")]
    PasskeyCopied,
    /// The password was right, and the second factor is missing; or it was proved too long ago.
    #[error("the second factor is needed")]
    SecondFactorRequired,
    /// Somebody who signs in is a member of several organizations; their slugs.
    #[error("it is to be said which organization is meant")]
    OrganizationRequired(Vec<String>),
    /// Who signs in through an identity provider is not let in.
    #[error("{0}")]
    SingleSignOn(NotSignedIn),
    /// The password was right, and the organization wants its members to sign in through a provider; which ones.
    #[error("the organization wants a sign-in through its identity provider")]
    SingleSignOnRequired(Vec<String>),
    /// A link's token is none, or was used, or its time is over.
    #[error("the link does not work")]
    LinkInvalid,
    /// The session is not known, or has ended.
    #[error("the session is not known, or has ended")]
    NoSession,
    /// It is for people who signed in.
    #[error("this needs a session")]
    NeedsSession,
    /// Too many passwords are being checked.
    #[error("too many passwords are being checked")]
    Busy,
    /// `If-Match` names another version.
    #[error("it is at version {current} now")]
    Changed {
        /// The version now.
        current: i64,
    },
    /// The same `Idempotency-Key` came with another request.
    #[error("the Idempotency-Key came with another request before")]
    AnotherRequest,
    /// The request with the same `Idempotency-Key` still runs.
    #[error("the request with this Idempotency-Key still runs")]
    StillRunning,
    /// It was done, and the secret in its answer is no longer given again.
    #[error("the secret in the answer is no longer given again")]
    SecretNotKept {
        /// What was made.
        ids: Vec<String>,
    },
    /// The database does not answer; nothing is known to have happened.
    #[error("the database does not answer")]
    Unavailable,
    /// Whether the act happened is not known: look before trying again.
    #[error("the database did not say whether the change was kept")]
    OutcomeUnknown,
    /// A fault of ours.
    #[error("internal error: {0}")]
    Internal(String),
}

impl Refused {
    /// A policy forbids it.
    pub(crate) fn policy(forbidden: &Forbidden) -> Self {
        Self::Policy(forbidden.to_string())
    }

    /// Nothing of that kind.
    #[must_use]
    pub const fn not_found(what: &'static str) -> Self {
        Self::NotFound { what }
    }

    /// The state of things does not allow it.
    pub fn conflict(detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Conflict { detail: detail.into(), fix: fix.into() }
    }

    /// A field names something that does not exist.
    pub fn unknown(field: impl Into<String>, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Unknown(Invalid::new(field, detail, fix))
    }
}

impl Refused {
    /// The same, seen from an object in which its field stands below `parent`.
    #[must_use]
    pub fn below(self, parent: &str) -> Self {
        match self {
            Self::Invalid(invalid) => Self::Invalid(invalid.below(parent)),
            Self::Unknown(invalid) => Self::Unknown(invalid.below(parent)),
            Self::Guardrails(mut violations) => {
                for violation in &mut violations {
                    violation.field.insert_str(0, parent);
                }
                Self::Guardrails(violations)
            }
            Self::ApprovalRequired(violations) => match Self::Guardrails(violations).below(parent) {
                Self::Guardrails(violations) => Self::ApprovalRequired(violations),
                other => other,
            },
            other => other,
        }
    }
}

/// Why one thing of many was not done.
pub(crate) struct Fault {
    /// As a JSON pointer, where it is a single one.
    pub(crate) field: Option<String>,
    pub(crate) violations: Vec<GuardrailViolation>,
    pub(crate) detail: String,
    pub(crate) fix: String,
}

impl Refused {
    /// The fault of the thing itself, which holds up no other.
    ///
    /// # Errors
    /// What is not its own fault.
    pub(crate) fn own_fault(self) -> Result<Fault, Self> {
        let (field, detail, fix) = match self {
            Self::Invalid(invalid) | Self::Unknown(invalid) => {
                (Some(invalid.field), invalid.detail, invalid.fix)
            }
            Self::Conflict { detail, fix } => (None, detail, fix),
            Self::Guardrails(violations) | Self::ApprovalRequired(violations) => {
                let joined = |of: fn(&GuardrailViolation) -> &str| {
                    violations.iter().map(of).collect::<Vec<_>>().join(" ")
                };
                let (detail, fix) = (joined(|one| &one.detail), joined(|one| &one.fix));
                return Ok(Fault { field: None, violations, detail, fix });
            }
            other => return Err(other),
        };
        Ok(Fault { field, violations: Vec::new(), detail, fix })
    }
}

/// The same, seen from a list in which it is about one item.
pub(crate) fn below_item(refused: Refused, index: usize) -> Refused {
    match refused {
        Refused::Conflict { detail, fix } => {
            Refused::Conflict { detail: format!("Item {index}: {detail}"), fix }
        }
        other => other.below(&format!("/items/{index}")),
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable,
            StoreError::OutcomeUnknown => Self::OutcomeUnknown,
            StoreError::Conflict => Self::conflict(
                "Somebody changed the same thing at the same moment.",
                "Look at it, and try again.",
            ),
            other => Self::Internal(other.to_string()),
        }
    }
}
