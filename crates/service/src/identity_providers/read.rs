//! What an identity provider is told to be, checked; and how it is shown.

use crate::Keystead;
use crate::people::team_named;
use crate::present::{json, to_json};
use crate::refused::Refused;
use keystead_api::{GroupTeam, IdentityProvider};
use keystead_domain::ids::OrganizationId;
use keystead_domain::invalid::Invalid;
use keystead_domain::name;
use keystead_store::{Conn, IdentityProviderRow};

const SCOPES_MAX: usize = 16;
const DOMAINS_MAX: usize = 20;
const GROUPS_MAX: usize = 200;
const SECRET_BYTES_MAX: usize = 1_024;

/// A text that the provider gave out, such as a client's id.
pub(super) fn text(field: &str, value: &str, bytes_max: usize) -> Result<(), Invalid> {
    let plain = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if value.is_empty() || value.len() > bytes_max || !plain || value.trim() != value {
        let fix = format!("Send 1 to {bytes_max} visible ASCII characters, without spaces around them.");
        return Err(Invalid::new(field, "This cannot be what the provider gave out.", fix));
    }
    Ok(())
}

pub(super) fn client_id(value: &str) -> Result<(), Invalid> {
    text("/client_id", value, 256)
}

pub(super) fn secret(value: &str) -> Result<(), Invalid> {
    text("/client_secret", value, SECRET_BYTES_MAX)
}

pub(super) fn groups_claim(value: &str) -> Result<(), Invalid> {
    text("/groups_claim", value, 128)
}

/// What to ask for; always `openid`.
pub(super) fn scopes(sent: Option<Vec<String>>) -> Result<String, Refused> {
    let mut scopes = sent.unwrap_or_else(|| ["openid", "email", "profile"].map(str::to_owned).to_vec());
    if scopes.len() > SCOPES_MAX {
        return Err(Invalid::new(
            "/scopes",
            "There are too many scopes.",
            format!("Send at most {SCOPES_MAX}."),
        )
        .into());
    }
    for (index, scope) in scopes.iter().enumerate() {
        let field = format!("/scopes/{index}");
        text(&field, scope, 128)?;
        if scope.contains([' ', '"', '\\']) {
            return Err(Invalid::new(
                field,
                "This is not one scope.",
                "Send each scope as a text of its own.",
            )
            .into());
        }
    }
    if !scopes.iter().any(|scope| scope == "openid") {
        scopes.insert(0, "openid".into());
    }
    to_json(&scopes)
}

/// Domains in their one form. None may be left out: an address in whatever domain would be anybody's.
pub(super) fn email_domains(sent: &[String]) -> Result<String, Refused> {
    if sent.is_empty() || sent.len() > DOMAINS_MAX {
        let fix = format!("Send 1 to {DOMAINS_MAX} domains whose addresses the provider gives out.");
        return Err(Invalid::new("/email_domains", "There has to be a domain.", fix).into());
    }
    let mut domains = Vec::with_capacity(sent.len());
    for (index, domain) in sent.iter().enumerate() {
        let domain = domain.trim().to_ascii_lowercase();
        let plain = domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
        if !plain || name::email("", &format!("a@{domain}")).is_err() {
            let field = format!("/email_domains/{index}");
            return Err(Invalid::new(field, "This is no domain.", "Send something like example.com.").into());
        }
        if !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    to_json(&domains)
}

/// Which group is which team, by the teams' ids.
pub(super) async fn group_teams(
    conn: &mut Conn,
    organization: OrganizationId,
    sent: &[GroupTeam],
) -> Result<String, Refused> {
    if sent.len() > GROUPS_MAX {
        let fix = format!("Send at most {GROUPS_MAX}.");
        return Err(Invalid::new("/group_teams", "There are too many groups.", fix).into());
    }
    let mut stored: Vec<GroupTeam> = Vec::with_capacity(sent.len());
    for (index, entry) in sent.iter().enumerate() {
        let field = format!("/group_teams/{index}");
        name::reason(&format!("{field}/group"), &entry.group)?;
        let team = team_named(conn, organization, &entry.team).await?.ok_or_else(|| {
            Refused::unknown(
                format!("{field}/team"),
                "There is no such team.",
                "Send the name or id of one of your teams, or create it first.",
            )
        })?;
        let entry = GroupTeam { group: entry.group.clone(), team: team.id.to_string() };
        if !stored.contains(&entry) {
            stored.push(entry);
        }
    }
    to_json(&stored)
}

impl Keystead {
    /// As it is shown: never the secret.
    pub(super) async fn show_provider(
        &self,
        conn: &mut Conn,
        row: &IdentityProviderRow,
    ) -> Result<IdentityProvider, Refused> {
        let mut group_teams: Vec<GroupTeam> = json(&row.group_teams)?;
        for entry in &mut group_teams {
            if let Some(team) = team_named(conn, row.organization_id, &entry.team).await? {
                entry.team = team.name;
            }
        }
        Ok(IdentityProvider {
            id: row.id.to_string(),
            name: row.name.clone(),
            issuer: row.issuer.clone(),
            client_id: row.client_id.clone(),
            has_secret: row.sealed.is_some(),
            scopes: json(&row.scopes)?,
            groups_claim: row.groups_claim.clone(),
            group_teams,
            email_domains: json(&row.email_domains)?,
            just_in_time: row.just_in_time,
            enforced: row.enforced,
            redirect_uri: self.redirect_uri(),
            created_at: row.created_at.to_timestamp(),
            updated_at: row.updated_at.to_timestamp(),
            version: row.version,
        })
    }
}
