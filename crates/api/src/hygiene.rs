//! Hygiene: how keys are held and used, judged from what was observed; each finding with its evidence
//! and its fix.

use crate::{ConsumerRef, KeyKind, OwnerRef, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was found of a key. The names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HygieneCode {
    /// A key with administrative permissions is used from many places or by many programs.
    AdminKeyShared,
    /// A key is used from many places or by many programs.
    KeyShared,
    /// Nobody can tell from its owner who answers for it.
    OwnerUnclear,
    /// Its owner, a person, is disabled: it does nothing, and works again when they do.
    LeaversKey,
    /// It was made in a team's name by somebody who has left the team.
    TeamKeyWithoutPerson,
    /// It was never used.
    NeverUsed,
    /// It has not been used for long.
    Dormant,
    /// It was given permissions that it has never used.
    OverPrivileged,
    /// It never expires.
    NoExpiry,
    /// A rotation plan or a guardrail says that it should have been rotated.
    RotationOverdue,
    /// It may be used from any network.
    NoNetworkRule,
    /// It is public, and can do more than what everybody sees should.
    PublicTooStrong,
}

impl HygieneCode {
    /// Every one.
    pub const ALL: [Self; 12] = [
        Self::AdminKeyShared,
        Self::KeyShared,
        Self::OwnerUnclear,
        Self::LeaversKey,
        Self::TeamKeyWithoutPerson,
        Self::NeverUsed,
        Self::Dormant,
        Self::OverPrivileged,
        Self::NoExpiry,
        Self::RotationOverdue,
        Self::NoNetworkRule,
        Self::PublicTooStrong,
    ];

    /// As the API writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AdminKeyShared => "admin_key_shared",
            Self::KeyShared => "key_shared",
            Self::OwnerUnclear => "owner_unclear",
            Self::LeaversKey => "leavers_key",
            Self::TeamKeyWithoutPerson => "team_key_without_person",
            Self::NeverUsed => "never_used",
            Self::Dormant => "dormant",
            Self::OverPrivileged => "over_privileged",
            Self::NoExpiry => "no_expiry",
            Self::RotationOverdue => "rotation_overdue",
            Self::NoNetworkRule => "no_network_rule",
            Self::PublicTooStrong => "public_too_strong",
        }
    }
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HygieneSeverity {
    /// When there is time.
    Low,
    /// Soon.
    Medium,
    /// This week.
    High,
    /// Today.
    Critical,
}

/// The order of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HygieneSort {
    /// The worst score first; of up to 100,000 keys, all of which are looked at for every page.
    #[default]
    Score,
    /// Project by project, the newest key first; of any number of keys.
    Newest,
}

/// Which keys to report on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct HygieneQuery {
    /// Only of this project (id or slug); else of every project and environment whose keys the caller
    /// may see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Only of this environment (id or slug) of the project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Only this finding. Scores and numbers are of all findings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<HygieneCode>,
    /// In which order; `score` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<HygieneSort>,
    /// Items in one page, 1 to 1,000; 100 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A page of keys with something to mend, and the numbers of all that were looked at for it: with
/// `sort=score` every key, with `sort=newest` those of this page's part of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HygieneReport {
    /// 0 to 100, of the keys that were looked at: the mean of their scores; at most 50 while a finding is
    /// critical.
    pub score: u32,
    /// What the score is made of.
    pub checked: HygieneCounts,
    /// The two questions that every team should ask.
    pub questions: Vec<HygieneAnswer>,
    /// Keys with findings. A page may hold fewer than asked and still have a `next_cursor`.
    pub items: Vec<HygieneKey>,
    /// Pass as `cursor` for the next page; `null` on the last.
    pub next_cursor: Option<String>,
}

/// Numbers of the keys that were looked at; those of several pages can be added up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HygieneCounts {
    /// Keys that can be used, now or by themselves later: not revoked, expired, disabled, minted, or being
    /// rotated away; and those that stopped only because their person is gone.
    pub keys: u64,
    /// Of these, those with a finding.
    pub keys_with_findings: u64,
    /// The sum of their scores.
    pub points: u64,
    /// How many keys have each finding.
    pub by_finding: BTreeMap<HygieneCode, u64>,
    /// How many findings there are of each severity.
    pub by_severity: BTreeMap<HygieneSeverity, u64>,
}

/// One of the questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HygieneQuestion {
    /// Are you sharing admin-level keys?
    SharingAdminKeys,
    /// Is it hard to trace who made which change?
    HardToTrace,
}

/// The answer to one of the questions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HygieneAnswer {
    /// Which question.
    pub question: HygieneQuestion,
    /// The question in words.
    pub text: String,
    /// How many keys say yes; 0 means no.
    pub keys: u64,
    /// The finding that says yes.
    pub finding: HygieneCode,
}

/// A key with something to mend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HygieneKey {
    /// 100 less the weights of all of its findings, at least 0.
    pub score: u32,
    /// `key_…`
    pub id: String,
    /// For people.
    pub name: String,
    /// How it begins, up to its public id.
    pub start: String,
    /// The project's slug.
    pub project: String,
    /// The environment's slug.
    pub environment: String,
    /// What it is for.
    pub kind: KeyKind,
    /// Whether it holds a permission that its catalogue marks as `sensitive`, or everything by `**`: each
    /// severity is one higher.
    pub administrative: bool,
    /// Whose it is.
    pub owner: OwnerRef,
    /// To whom it is issued.
    pub consumer: Option<ConsumerRef>,
    /// When it was created.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When its lineage last passed.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub last_used_at: Option<Timestamp>,
    /// What was found, the worst first.
    pub findings: Vec<HygieneFinding>,
}

/// Something to mend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HygieneFinding {
    /// What.
    pub code: HygieneCode,
    /// How bad.
    pub severity: HygieneSeverity,
    /// What it takes of the key's score.
    pub weight: u32,
    /// What was found, in words.
    pub detail: String,
    /// In numbers and dates.
    pub evidence: HygieneEvidence,
    /// What to do.
    pub fix: String,
    /// The same as a command; words in capitals are yours to replace. `null` where no command does it.
    pub command: Option<String>,
}

/// Numbers and dates of a finding; what does not belong to it is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HygieneEvidence {
    /// Since when it is so, or has been watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub since: Option<Timestamp>,
    /// Whole days since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u64>,
    /// How many requests passed, as far as they were recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<u64>,
    /// Networks it was lately seen in: /24 of IPv4, /48 of IPv6; at most 16.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<String>,
    /// Programs that lately used it, as their user agents name them; at most 16.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<String>,
    /// Whether there may have been more networks or programs than are remembered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub maybe_more: bool,
    /// How many permissions it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions_held: Option<u64>,
    /// How many of them the finding is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions_concerned: Option<u64>,
    /// Their names; at most 32.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<String>,
}
