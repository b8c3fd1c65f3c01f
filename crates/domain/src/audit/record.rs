//! What of an audit record is committed to: its text in one fixed form, behind a salt of its own.
//!
//! The salt keeps a leaf from telling anything of its record once that was deleted: without it, the few
//! possible records could be tried.

use super::tree::Hash;
use crate::ids::{AuditId, KeyId, MemberId, OrganizationId, ProjectId, TeamId};
use crate::time::Micros;
use aws_lc_rs::digest::{Context, SHA256};
use serde::Serialize;
use serde_json::value::RawValue;

/// Bytes of a salt.
pub const SALT_LEN: usize = 16;
/// The form of the text below.
const VERSION: u8 = 1;

/// An audit record as the store has it.
#[derive(Debug, Clone, Copy)]
pub struct Record<'r> {
    /// Its place among the organization's records, from 0.
    pub position: u64,
    /// Its id.
    pub id: AuditId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// When it happened.
    pub at: Micros,
    /// `key`, `server`, …
    pub actor_kind: &'r str,
    /// Through which key.
    pub actor_key: Option<KeyId>,
    /// Whose key that was.
    pub actor_owner: Option<&'r str>,
    /// From which address.
    pub address: Option<&'r str>,
    /// What was done.
    pub action: &'r str,
    /// On what kind of thing.
    pub target_kind: &'r str,
    /// On which one.
    pub target_id: &'r str,
    /// What that was called.
    pub target_name: &'r str,
    /// In which project.
    pub project: Option<ProjectId>,
    /// What changed, as it was: JSON.
    pub before: Option<&'r str>,
    /// What changed, as it is: JSON.
    pub after: Option<&'r str>,
    /// In which request.
    pub request_id: Option<&'r str>,
    /// Which person did it.
    pub actor_member: Option<MemberId>,
    /// In which team's name.
    pub actor_team: Option<TeamId>,
    /// Through which session.
    pub actor_session: Option<&'r str>,
    /// Through a key of which lineage.
    pub actor_lineage: Option<KeyId>,
    /// On a key of which lineage.
    pub target_lineage: Option<KeyId>,
}

#[derive(Serialize)]
struct Text<'r> {
    v: u8,
    position: u64,
    id: String,
    organization: String,
    at: String,
    actor_kind: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_owner: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'r str>,
    action: &'r str,
    target_kind: &'r str,
    target_id: &'r str,
    target_name: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Body<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Body<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_member: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_team: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_session: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_lineage: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_lineage: Option<String>,
}

/// What changed: byte for byte as it was written, or as a string where that is no JSON, as only somebody else
/// could have written it.
#[derive(Serialize)]
#[serde(untagged)]
enum Body<'r> {
    Json(&'r RawValue),
    Text(&'r str),
}

impl<'r> Body<'r> {
    fn of(text: &'r str) -> Self {
        serde_json::from_str(text).map_or(Self::Text(text), Self::Json)
    }
}

impl Record<'_> {
    /// The text that is committed to: one line of JSON, its fields in this order, without those that are
    /// null.
    #[must_use]
    pub fn text(&self) -> String {
        let text = Text {
            v: VERSION,
            position: self.position,
            id: self.id.to_string(),
            organization: self.organization.to_string(),
            at: self.at.to_timestamp().to_string(),
            actor_kind: self.actor_kind,
            actor_key: self.actor_key.map(|id| id.to_string()),
            actor_owner: self.actor_owner,
            address: self.address,
            action: self.action,
            target_kind: self.target_kind,
            target_id: self.target_id,
            target_name: self.target_name,
            project: self.project.map(|id| id.to_string()),
            before: self.before.map(Body::of),
            after: self.after.map(Body::of),
            request_id: self.request_id,
            actor_member: self.actor_member.map(|id| id.to_string()),
            actor_team: self.actor_team.map(|id| id.to_string()),
            actor_session: self.actor_session,
            actor_lineage: self.actor_lineage.map(|id| id.to_string()),
            target_lineage: self.target_lineage.map(|id| id.to_string()),
        };
        // Texts and numbers: there is nothing in it that JSON cannot say.
        serde_json::to_string(&text).unwrap_or_default()
    }
}

/// The leaf of a record's text: SHA-256 of salt and text. The tree hashes it once more.
#[must_use]
pub fn leaf(salt: &[u8; SALT_LEN], text: &str) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(salt);
    context.update(text.as_bytes());
    super::tree::finish(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A change of this text is a new version of the form: what was committed to must stay verifiable.
    #[test]
    fn the_text_is_fixed() {
        let record = Record {
            position: 7,
            id: AuditId([1; 16]),
            organization: OrganizationId([2; 16]),
            at: Micros(1_700_000_000_000_001),
            actor_kind: "key",
            actor_key: None,
            actor_owner: Some("sa_x"),
            address: Some("192.0.2.1"),
            action: "key.update",
            target_kind: "key",
            target_id: "key_1",
            target_name: "A \"name\"",
            project: None,
            before: Some(r#"{"b":1, "a":1.0}"#),
            after: None,
            request_id: Some("req_1"),
            actor_member: None,
            actor_team: None,
            actor_session: None,
            actor_lineage: None,
            target_lineage: None,
        };
        let text = record.text();
        assert_eq!(
            text,
            concat!(
                r#"{"v":1,"position":7,"id":"aud_01tRy6czI6jAOLpZvq3hw1","organization":"org_03mtwDFyaDSKmhf9rg7Ps2","#,
                r#""at":"2023-11-14T22:13:20.000001Z","actor_kind":"key","actor_owner":"sa_x","#,
                r#""address":"192.0.2.1","action":"key.update","target_kind":"key","target_id":"key_1","#,
                r#""target_name":"A \"name\"","before":{"b":1, "a":1.0},"request_id":"req_1"}"#,
            )
        );
        assert_ne!(leaf(&[0; SALT_LEN], &text), leaf(&[1; SALT_LEN], &text));
        let all = Record {
            actor_member: Some(MemberId([3; 16])),
            actor_team: Some(TeamId([4; 16])),
            actor_session: Some("ses_1"),
            actor_lineage: KeyId::from_slice(b"aaaaaaaaaaaa"),
            target_lineage: KeyId::from_slice(b"bbbbbbbbbbbb"),
            ..record
        };
        let last = concat!(
            r#""req_1","actor_member":"mem_05gLuJsxsKBVB3UjnWB7o3","actor_team":"team_07ZnsQVxAQufZPKJjMEpk4","#,
            r#""actor_session":"ses_1","actor_lineage":"key_aaaaaaaaaaaa","target_lineage":"key_bbbbbbbbbbbb""#,
        );
        assert_eq!(all.text(), text.replace(r#""req_1""#, last));
        let damaged = Record { before: Some("{"), ..record }.text();
        assert_eq!(damaged, text.replace(r#"{"b":1, "a":1.0}"#, r#""{""#));
    }
}
