//! Adding and changing identity providers.

use crate::exit::{Failure, Outcome};
use crate::flags::body::{FromJson, Source};
use crate::flags::project::Expecting;
use crate::session::{Session, cleared, not_empty, replaced};
use clap::Args;
use keystead_sdk::api::{CreateIdentityProvider, GroupTeam, UpdateIdentityProvider};

/// Longer than any client's secret, in bytes.
const SECRET_BYTES_MAX: u64 = 8 << 10;

/// Add an OpenID Connect provider
///
/// Needs every right of the organization (the role owner), and a second factor that was proved in the last
/// ten minutes: a provider can say of anybody who they are. At the provider, register the redirect URI that
/// is answered, and http://127.0.0.1/callback for the command line.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead identity-providers create --name corp \\
      --issuer https://id.example.com --client-id keystead \\
      --client-secret-file secret.txt --domain example.com --just-in-time
  keystead identity-providers create --name corp \\
      --issuer https://id.example.com --client-id keystead \\
      --domain example.com --scope openid --scope email --scope groups \\
      --groups-claim groups --group net-admins=routing
  keystead identity-providers create --from-json provider.json")]
pub(crate) struct Create {
    #[command(flatten)]
    flags: CreateFlags,
    #[command(flatten)]
    json: FromJson,
}

#[derive(Debug, Args)]
#[group(conflicts_with = "from_json")]
struct CreateFlags {
    /// a-z, 0-9, -, _, 1 to 64 characters; never changes
    #[arg(long, required_unless_present = "from_json")]
    name: Option<String>,
    /// Its issuer's URL, exactly as it names itself; never changes
    #[arg(long, required_unless_present = "from_json")]
    issuer: Option<String>,
    /// The client's id there
    #[arg(long, required_unless_present = "from_json")]
    client_id: Option<String>,
    /// The file with the client's secret; `-` reads standard input. None for a public client
    #[arg(long, value_name = "FILE|-")]
    client_secret_file: Option<Source>,
    /// Verified addresses in this domain lead to members; can be given several times
    #[arg(long = "domain", required_unless_present = "from_json")]
    domains: Vec<String>,
    /// What to ask it for; openid, email and profile when left out
    #[arg(long = "scope")]
    scopes: Vec<String>,
    /// The claim that holds a person's groups
    #[arg(long)]
    groups_claim: Option<String>,
    /// Which group is which team; can be given several times
    #[arg(long = "group", value_name = "GROUP=TEAM", value_parser = group_team)]
    groups: Vec<GroupTeam>,
    /// Make a member of whoever signs in with such an address and is none
    #[arg(long)]
    just_in_time: bool,
}

/// Change an identity provider, or have members sign in through it only
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead identity-providers update corp --client-secret-file new.txt
  keystead identity-providers update corp --group net-admins=routing
  keystead identity-providers update corp --enforced true")]
pub(crate) struct Update {
    /// Its id or name
    provider: String,
    #[command(flatten)]
    flags: UpdateFlags,
    #[command(flatten)]
    json: FromJson,
    #[command(flatten)]
    expecting: Expecting,
}

#[derive(Debug, Args)]
#[group(conflicts_with = "from_json")]
struct UpdateFlags {
    /// Another client's id
    #[arg(long)]
    client_id: Option<String>,
    /// The file with another secret; `-` reads standard input
    #[arg(long, value_name = "FILE|-")]
    client_secret_file: Option<Source>,
    /// It is a public client
    #[arg(long, conflicts_with = "client_secret_file")]
    no_client_secret: bool,
    /// The whole new list of domains, one each time
    #[arg(long = "domain")]
    domains: Vec<String>,
    /// The whole new list of scopes, one each time
    #[arg(long = "scope")]
    scopes: Vec<String>,
    /// Another claim that holds a person's groups
    #[arg(long)]
    groups_claim: Option<String>,
    /// No claim does
    #[arg(long, conflicts_with = "groups_claim")]
    no_groups_claim: bool,
    /// The whole new list of groups, one each time
    #[arg(long = "group", value_name = "GROUP=TEAM", value_parser = group_team)]
    groups: Vec<GroupTeam>,
    /// No group is a team
    #[arg(long, conflicts_with = "groups")]
    no_groups: bool,
    /// Whether who is no member becomes one
    #[arg(long, value_name = "true|false")]
    just_in_time: Option<bool>,
    /// Whether members sign in through a provider only; owners may still use a password and a second factor
    #[arg(long, value_name = "true|false")]
    enforced: Option<bool>,
}

fn group_team(text: &str) -> Result<GroupTeam, String> {
    let (group, team) = text.rsplit_once('=').ok_or("write GROUP=TEAM")?;
    Ok(GroupTeam { group: group.to_owned(), team: team.to_owned() })
}

fn secret(source: Option<Source>) -> Result<Option<String>, Failure> {
    let read = source.map(|source| source.read(SECRET_BYTES_MAX)).transpose()?;
    Ok(read.map(|text| text.trim().to_owned()))
}

impl Create {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        let new = match self.json.body()? {
            Some(new) => new,
            None => CreateIdentityProvider {
                name: self.flags.name.unwrap_or_default(),
                issuer: self.flags.issuer.unwrap_or_default(),
                client_id: self.flags.client_id.unwrap_or_default(),
                client_secret: secret(self.flags.client_secret_file)?,
                scopes: (!self.flags.scopes.is_empty()).then_some(self.flags.scopes),
                groups_claim: self.flags.groups_claim,
                group_teams: self.flags.groups,
                email_domains: self.flags.domains,
                just_in_time: self.flags.just_in_time,
            },
        };
        let made = session.client.create_identity_provider(&new).await?;
        let did = format!("Created identity provider {}. Register its redirect URI there.", made.name);
        let next = format!("Next: keystead identity-providers test {}", made.name);
        session.changed(&made, &did, &next)
    }
}

impl Update {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        let changes = match self.json.body()? {
            Some(changes) => changes,
            None => {
                let flags = self.flags;
                UpdateIdentityProvider {
                    client_id: flags.client_id,
                    client_secret: cleared(flags.no_client_secret, secret(flags.client_secret_file)?),
                    scopes: replaced(false, flags.scopes),
                    groups_claim: cleared(flags.no_groups_claim, flags.groups_claim),
                    group_teams: replaced(flags.no_groups, flags.groups),
                    email_domains: replaced(false, flags.domains),
                    just_in_time: flags.just_in_time,
                    enforced: flags.enforced,
                }
            }
        };
        let changes = not_empty(changes)?;
        let version = match self.expecting.if_match {
            Some(version) => version,
            None => session.client.identity_provider(&self.provider).await?.version,
        };
        let changed =
            session.client.update_identity_provider(&self.provider, &changes, Some(version)).await?;
        let next = if changed.enforced {
            "Members sign in through a provider only; sessions that began with a password have ended."
        } else {
            "It holds from each person's next sign-in."
        };
        session.changed(&changed, &format!("Changed identity provider {}.", changed.name), next)
    }
}
