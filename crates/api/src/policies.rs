//! Policies in Cedar that an organization writes: they forbid what permissions and restrictions would let pass.

use crate::patch::present;
use crate::{KeyKind, OwnerKind, Timestamp};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// A policy: one or more Cedar `forbid`s.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Policy {
    /// `pol_…`
    pub id: String,
    /// Unique in the organization.
    pub name: String,
    /// The slug of the project that it is for; `null` for the whole organization.
    pub project: Option<String>,
    /// What it is for.
    pub description: String,
    /// Cedar.
    pub text: String,
    /// Whether it is in force.
    pub enabled: bool,
    /// What is wrong with it in this version of the server, where it is in force; then it forbids everything that it
    /// could be about, because what it means is not known.
    pub mistakes: Vec<PolicyMistake>,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    /// Counts changes; also the `ETag`.
    pub version: i64,
}

/// What is wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyMistake {
    /// In which line, from 1.
    pub line: usize,
    /// At which character of it, from 1.
    pub column: usize,
    /// What is wrong.
    pub detail: String,
    /// What to do about it.
    pub fix: String,
}

/// A new policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreatePolicy {
    /// `a-z`, `0-9`, `-`, `_`, 1 to 64 characters; unique in the organization.
    pub name: String,
    /// The project that it is for, by id or slug; the whole organization when left out. Never changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// 1 to 16 Cedar `forbid`s, at most 16 KiB.
    pub text: String,
    /// Whether it is in force at once.
    #[serde(default = "yes")]
    pub enabled: bool,
}

const fn yes() -> bool {
    true
}

impl Default for CreatePolicy {
    fn default() -> Self {
        Self {
            name: String::new(),
            project: None,
            description: String::new(),
            text: String::new(),
            enabled: true,
        }
    }
}

/// What to change of a policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdatePolicy {
    /// Another name.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub name: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub description: Option<String>,
    /// The whole new text.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub text: Option<String>,
    /// Whether it is in force.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub enabled: Option<bool>,
}

/// Which policies are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct PolicyQuery {
    /// Only those for this project, by id or slug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Items in one page, 1 to 1,000; 100 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// What policies may speak about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicySchema {
    /// A Cedar schema, in Cedar's own language: other tools for Cedar read it.
    pub schema: String,
}

/// Tries policies on described requests. Nothing is changed, and nothing is taken of any limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TestPolicies {
    /// The saved policy (id or name) in whose place `text` is tried; also one that is not in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// A text to be tried beside all other policies in force; without it these alone are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The project that a new policy would be for; the whole organization when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// 1 to 100 requests, each with what is expected.
    pub cases: Vec<PolicyCase>,
}

/// What policies are expected to say, or say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PolicyDecision {
    /// No policy forbids it. Permissions, restrictions and limits are not asked here.
    #[default]
    Allow,
    /// A policy forbids it.
    Forbid,
}

/// A request, and what policies are expected to say of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PolicyCase {
    /// What it is about, for people.
    pub name: String,
    /// A key that exists, by id; else `principal` describes who acts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Who acts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<PolicyPrincipal>,
    /// The action: `verify` (when left out), `mint`, or a permission of Keystead's own such as `keys.delete`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The project that is acted on, by id or slug; a key that exists has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The environment of it that is acted on, by id or slug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// When; now when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub time: Option<Timestamp>,
    /// The client's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub ip: Option<IpAddr>,
    /// Which permissions the request needs, at most 64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<String>,
    /// On what it needs them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Its HTTP method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Its `Origin` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// What is expected.
    pub expect: PolicyDecision,
    /// By which policy (id or name) it is expected to be forbidden; `candidate` is a new text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// What kind of principal is described.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PolicyPrincipalType {
    /// A key.
    #[default]
    Key,
    /// A person who signed in.
    Member,
}

/// A principal that need not exist.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PolicyPrincipal {
    /// Whether it is a key or a person.
    #[serde(default, rename = "type")]
    pub is: PolicyPrincipalType,
    /// Its id, where a policy names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// A key's kind; `private` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<KeyKind>,
    /// A key's tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The project of a key, by id or slug; what is acted on when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The environment of a key, by id or slug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The name of whose the key is, or of the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What whose the key is is; a service account when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_kind: Option<OwnerKind>,
    /// The teams of the person, by name or id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<String>,
    /// The name of whom the key was issued to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer: Option<String>,
    /// When the key ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
    /// Whether it was minted.
    #[serde(default)]
    pub minted: bool,
}

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyTestResult {
    /// Whether every case came out as expected.
    pub passed: bool,
    /// Each case, in order.
    pub cases: Vec<PolicyCaseResult>,
}

/// What came of one case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyCaseResult {
    /// Its name.
    pub name: String,
    /// Whether it came out as expected.
    pub passed: bool,
    /// What was expected.
    pub expect: PolicyDecision,
    /// What the policies say.
    pub decision: PolicyDecision,
    /// Every policy that forbids it.
    pub by: Vec<PolicyFinding>,
}

/// A policy that forbids a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyFinding {
    /// Its id; `null` for a new text.
    pub policy: Option<String>,
    /// Its name; `candidate` for a new text.
    pub name: String,
    /// Which of its `forbid`s, from 1; 0 where the policy is not valid.
    pub statement: usize,
    /// Why, as a sentence.
    pub why: String,
}
