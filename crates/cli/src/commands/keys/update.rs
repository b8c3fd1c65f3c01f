//! `keystead keys update`: changes any part of a key.

use crate::commands::approvals::asked;
use crate::exit::{Failure, Outcome};
use crate::flags::amounts::Rates;
use crate::flags::approving::{Approving, refused};
use crate::flags::body::FromJson;
use crate::flags::grant::Grants;
use crate::flags::key_body::{Labels, Life, Narrowing};
use crate::flags::project::Expecting;
use crate::session::{Session, cleared, not_empty, replaced};
use clap::Args;
use keystead_sdk::api::{CreateApproval, Key, Restrictions, Timestamp, UpdateKey};

/// Change any part of a key
///
/// A list that is given replaces the whole list; of the restrictions, the parts that are not given
/// stay. The change is refused when somebody else changed the key meanwhile.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead keys update key_4fGhX2abcDEF --name 'Route importer (EU)' \\
      --expires 30d
  keystead keys update key_4fGhX2abcDEF --permission routes.read \\
      --permission routes.write@networks/NET-7
  keystead keys update key_4fGhX2abcDEF --network-allow 192.0.2.0/24 \\
      --no-hours
  keystead keys update key_4fGhX2abcDEF --limit default=200/1m --no-quota \\
      --no-expiry
  keystead keys update key_4fGhX2abcDEF --from-json changes.json --if-match 3
  keystead keys update key_4fGhX2abcDEF --no-networks \\
      --ask-approval 'the office moves'")]
pub(crate) struct Update {
    /// Its id (key_…)
    id: String,
    #[command(flatten)]
    subject: Subject,
    #[command(flatten)]
    grants: Grants,
    #[command(flatten)]
    narrowing: Narrowing,
    #[command(flatten)]
    rates: Rates,
    #[command(flatten)]
    life: Life,
    #[command(flatten)]
    labels: Labels,
    #[command(flatten)]
    removed: Removed,
    #[command(flatten)]
    removed_restrictions: RemovedRestrictions,
    #[command(flatten)]
    json: FromJson,
    #[command(flatten)]
    expecting: Expecting,
    #[command(flatten)]
    approving: Approving,
}

#[derive(Debug, Args)]
#[group(conflicts_with = "from_json")]
struct Subject {
    /// A new name
    #[arg(long)]
    name: Option<String>,
    /// A new owner: a service account's id or name, or a consumer's id
    #[arg(long)]
    owner: Option<String>,
    /// A new consumer: its id or external id
    #[arg(long)]
    consumer: Option<String>,
}

#[derive(Debug, Args)]
#[group(conflicts_with = "from_json")]
struct Removed {
    /// Remove the consumer
    #[arg(long, conflicts_with = "consumer", help_heading = "Removing")]
    no_consumer: bool,
    /// Take every permission away
    #[arg(long, conflicts_with = "permission", help_heading = "Removing")]
    no_permissions: bool,
    /// Take every role away
    #[arg(long, conflicts_with = "role", help_heading = "Removing")]
    no_roles: bool,
    /// Remove every rate limit
    #[arg(long, conflicts_with = "limit", help_heading = "Removing")]
    no_limits: bool,
    /// Remove the quota
    #[arg(long, conflicts_with = "quota", help_heading = "Removing")]
    no_quota: bool,
    /// Remove the credits: uses are no longer counted
    #[arg(long, conflicts_with = "credits", help_heading = "Removing")]
    no_credits: bool,
    /// Remove the start of validity
    #[arg(long, conflicts_with = "not_before", help_heading = "Removing")]
    no_not_before: bool,
    /// Remove the end of validity
    #[arg(long, conflicts_with = "expires", help_heading = "Removing")]
    no_expiry: bool,
    /// Remove every tag
    #[arg(long, conflicts_with = "tag", help_heading = "Removing")]
    no_tags: bool,
}

#[derive(Debug, Args)]
#[group(conflicts_with = "from_json")]
struct RemovedRestrictions {
    /// Remove the networks, allowed and denied
    #[arg(long, conflicts_with_all = ["network_allow", "network_deny"], help_heading = "Removing")]
    no_networks: bool,
    /// Remove the origins
    #[arg(long, conflicts_with = "origin", help_heading = "Removing")]
    no_origins: bool,
    /// Remove the endpoints
    #[arg(long, conflicts_with = "endpoint", help_heading = "Removing")]
    no_endpoints: bool,
    /// Remove the weekly hours
    #[arg(long, conflicts_with = "hours", help_heading = "Removing")]
    no_hours: bool,
}

impl RemovedRestrictions {
    fn is_given(&self) -> bool {
        self.no_networks || self.no_origins || self.no_endpoints || self.no_hours
    }

    fn from(&self, mut current: Restrictions) -> Restrictions {
        if self.no_networks {
            current.networks = None;
        }
        if self.no_origins {
            current.origins.clear();
        }
        if self.no_endpoints {
            current.endpoints.clear();
        }
        if self.no_hours {
            current.hours = None;
        }
        current
    }
}

impl Update {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        let (id, if_match) = (self.id.clone(), self.expecting.if_match);
        let ask = self.approving.ask_approval.clone();
        let broken = self.approving.break_glass.clone();
        let body: Option<UpdateKey> = self.json.body()?;
        let (changes, version) = match (body, if_match) {
            (Some(changes), Some(version)) => (changes, version),
            (body, _) => {
                let current = session.client.key(&id).await?.key;
                let version = if_match.unwrap_or(current.version);
                // Restrictions are changed as a whole: the parts that stay come from this version.
                (body.map_or_else(|| self.changes(current, session.now), Ok)?, version)
            }
        };
        let mut changes = not_empty(changes)?;
        changes.break_glass = broken.or(changes.break_glass);
        if let Some(why) = ask {
            let wish = CreateApproval {
                why,
                key: Some(id),
                update: Some(changes),
                version: Some(version),
                ..CreateApproval::default()
            };
            return asked(session, &session.client.create_approval(&wish).await?);
        }
        let changed = session.client.update_key(&id, &changes, Some(version)).await;
        let changed = changed.map_err(|error| refused(session, error))?;
        session.changed(&changed, &format!("Changed {id}."), "It holds from the key's next request on.")
    }

    fn changes(self, current: Key, now: Timestamp) -> Result<UpdateKey, Failure> {
        let Self { subject, grants, narrowing, rates, life, labels, removed, removed_restrictions, .. } =
            self;
        let restrictions = if narrowing.is_given() || removed_restrictions.is_given() {
            Some(narrowing.over(removed_restrictions.from(current.restrictions))?)
        } else {
            None
        };
        Ok(UpdateKey {
            name: subject.name,
            owner: subject.owner,
            consumer: cleared(removed.no_consumer, subject.consumer),
            permissions: replaced(removed.no_permissions, grants.permission),
            roles: replaced(removed.no_roles, grants.role),
            restrictions,
            limits: replaced(removed.no_limits, rates.limit),
            quota: cleared(removed.no_quota, rates.quota),
            credits: cleared(removed.no_credits, life.credits),
            not_before: cleared(removed.no_not_before, life.not_before.map(|moment| moment.ahead(now))),
            expires_at: cleared(removed.no_expiry, life.expires.map(|moment| moment.ahead(now))),
            may_mint: life.may_mint,
            tags: replaced(removed.no_tags, labels.tag),
            metadata: labels.metadata,
            break_glass: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::arguments::{ClientCommand, client_command};
    use crate::commands::keys::Keys;
    use keystead_sdk::api::Key;
    use serde_json::{Value, json};

    fn key() -> Key {
        serde_json::from_value(json!({
            "id": "key_1", "name": "x", "start": "acme_live_1", "project": "acme", "environment": "production",
            "kind": "private", "status": "active", "owner": {"kind": "consumer", "id": "con_1", "name": "c"},
            "consumer": null, "permissions": [], "roles": [], "limits": [], "quota": null, "credits": null,
            "restrictions": {"networks": {"allow": ["10.0.0.0/8"]}, "origins": ["https://a.example"]},
            "not_before": null, "expires_at": null, "suspended_until": null, "revocation": null, "tags": [],
            "metadata": {}, "last_used_at": null, "created_at": "2026-01-01T00:00:00Z", "created_by": null,
            "created_from": null, "updated_at": "2026-01-01T00:00:00Z", "version": 1
        }))
        .unwrap()
    }

    fn changes(flags: &[&str]) -> Value {
        let arguments = ["keystead", "keys", "update", "key_1"].iter().chain(flags);
        let ClientCommand::Keys(Keys::Update(update)) = client_command(arguments) else { panic!() };
        serde_json::to_value(update.changes(key(), "2026-01-01T00:00:00Z".parse().unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn only_what_was_given_changes() {
        assert_eq!(changes(&[]), json!({}));
        assert_eq!(
            changes(&["--name", "y", "--expires", "1d"]),
            json!({"name": "y", "expires_at": "2026-01-02T00:00:00Z"})
        );
        assert_eq!(changes(&["--role", "a", "--role", "b"]), json!({"roles": ["a", "b"]}));
    }

    #[test]
    fn everything_that_can_be_removed_has_a_flag() {
        let flags = [
            "--no-consumer",
            "--no-permissions",
            "--no-roles",
            "--no-limits",
            "--no-quota",
            "--no-credits",
            "--no-not-before",
            "--no-expiry",
            "--no-tags",
            "--no-networks",
            "--no-origins",
            "--no-endpoints",
            "--no-hours",
        ];
        let expected = json!({
            "consumer": null, "permissions": [], "roles": [], "restrictions": {}, "limits": [], "quota": null,
            "credits": null, "not_before": null, "expires_at": null, "tags": []
        });
        assert_eq!(changes(&flags), expected);
    }

    #[test]
    fn restrictions_that_were_not_named_stay() {
        let expected = json!({"restrictions": {"networks": {"allow": ["10.0.0.0/8"]}, "origins": ["https://b.example"]}});
        assert_eq!(changes(&["--origin", "https://b.example", "--no-hours"]), expected);
    }
}
