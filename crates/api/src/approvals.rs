//! Approvals: what a guardrail lets nobody do alone is asked for, decided on by another person, and then done
//! by who asked.

use crate::{CreateKey, GuardrailViolation, Key, TeamRef, Timestamp, UpdateKey};
use serde::{Deserialize, Serialize};

/// A request for an approval: of a new key (`project` and `create`), or of a change of one (`key` and `update`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateApproval {
    /// Why it is needed, for who decides: 1 to 512 characters.
    pub why: String,
    /// The project of a new key: id or slug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The new key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create: Option<CreateKey>,
    /// The key to change: `key_…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What to change of it. Credits need no approval: they are set apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<UpdateKey>,
    /// The version of the key that was seen; its present one when left out. A key that was changed since is not
    /// changed by an approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
}

/// A decision on a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DecideApproval {
    /// For who asked, 1 to 512 characters; a denial must have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    /// Nobody has decided.
    Pending,
    /// Who asked may redeem it.
    Approved,
    /// It was denied.
    Denied,
    /// Who asked took it back.
    Withdrawn,
    /// Nobody decided, or nobody redeemed it, in time.
    Expired,
    /// It was done.
    Redeemed,
}

impl ApprovalState {
    /// Its name, also as it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Redeemed => "redeemed",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let all =
            [Self::Pending, Self::Approved, Self::Denied, Self::Withdrawn, Self::Expired, Self::Redeemed];
        all.into_iter().find(|state| state.as_str() == name)
    }
}

/// A person, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PersonRef {
    /// `mem_…`
    pub id: String,
    /// Their name; the id of one who was deleted.
    pub name: String,
}

/// How a request was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApprovalDecision {
    /// Whether it was approved.
    pub approved: bool,
    /// By whom.
    pub by: PersonRef,
    /// When.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
    /// What they said.
    pub comment: Option<String>,
}

/// A request for an approval, and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Approval {
    /// `apr_…`
    pub id: String,
    /// Where it stands.
    pub state: ApprovalState,
    /// Who asked.
    pub requester: PersonRef,
    /// In which team's name the key is to be made.
    pub team: Option<TeamRef>,
    /// Why.
    pub why: String,
    /// The key's name.
    pub name: String,
    /// The project's slug; its id when it is gone.
    pub project: String,
    /// The environment's slug; its id when it is gone.
    pub environment: String,
    /// The new key, as it was asked for.
    pub create: Option<CreateKey>,
    /// What is to be changed, as it was asked for.
    pub update: Option<UpdateKey>,
    /// The key that is to be changed, or was made (`key_…`).
    pub key_id: Option<String>,
    /// The version of the key that is to be changed.
    pub key_version: Option<i64>,
    /// Which guardrails demand the approval, and why.
    pub needs: Vec<GuardrailViolation>,
    /// How it was decided.
    pub decision: Option<ApprovalDecision>,
    /// When it was asked for.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// Until when it can be decided, and once it is approved, redeemed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub expires_at: Timestamp,
    /// When something last became of it.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    /// Counts changes; also the `ETag`.
    pub version: i64,
}

/// What an approval was redeemed for: a new key with its secret, shown only now, or a key as it was changed.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RedeemedKey {
    /// A new key itself, shown only now; left out where a key was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Everything else about it.
    #[serde(flatten)]
    pub details: Key,
}

impl std::fmt::Debug for RedeemedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedeemedKey").field("details", &self.details).finish_non_exhaustive()
    }
}

/// Which requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct ApprovalQuery {
    /// Only of this project (id or slug).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Only in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ApprovalState>,
    /// Only those that the caller asked for; needs no permission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mine: Option<bool>,
    /// Items in one page, 1 to 1,000; 100 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}
