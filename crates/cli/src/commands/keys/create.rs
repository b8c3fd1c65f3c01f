//! `keystead keys create`: issues a key and shows it once.

use super::present::shown_once;
use crate::commands::approvals::asked;
use crate::exit::{Failure, Outcome};
use crate::flags::amounts::Rates;
use crate::flags::approving::{Approving, refused};
use crate::flags::body::FromJson;
use crate::flags::grant::Grants;
use crate::flags::key_body::{Labels, Life, Narrowing};
use crate::flags::named::named;
use crate::flags::project::InProject;
use crate::session::Session;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use keystead_sdk::api::{CreateApproval, CreateKey, KeyKind, Restrictions, Timestamp};

/// Issue a key and print it, once
///
/// Standard output holds the key alone, so that a script can store it: KEY=$(keystead keys create …).
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead keys create --project acme --environment production \\
      --name 'Route importer' --permission routes.read
  keystead keys create -p acme -e production --name 'Blue Couriers' \\
      --consumer crm-1042 --role editor@networks/NET-7 --expires 90d
  keystead keys create -p acme -e production --name Edge --role reader \\
      --network-allow 192.0.2.0/24 --endpoint 'GET /v1/zones/**'
  keystead keys create -p acme -e staging --name Trial --role reader \\
      --limit default=100/1m:20 --quota 10000/day@Europe/Berlin \\
      --credits 500,refill=monthly
  keystead keys create -p acme -e production --name Desk --role reader \\
      --hours 'mon-fri 08:00-18:00 Europe/Berlin' --tag desk \\
      --metadata '{\"ticket\":\"OPS-7\"}'
  keystead keys create -p acme -e production --name Map --kind public \\
      --permission tiles.read --origin https://maps.example.com
  keystead keys create -p acme -e production --name Upload --kind temporary \\
      --uses 1 --expires 10m --role uploader
  keystead keys create -p acme --from-json key.json --json
  keystead keys create -p acme -e production --name Purge --role purger \\
      --ask-approval 'clean up after the move'")]
pub(crate) struct Create {
    #[command(flatten)]
    project: InProject,
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
    json: FromJson,
    #[command(flatten)]
    approving: Approving,
}

#[derive(Debug, Args)]
#[group(conflicts_with = "from_json")]
struct Subject {
    /// For people, 1 to 128 characters
    #[arg(long, required_unless_present = "from_json")]
    name: Option<String>,
    /// The environment's id or slug
    #[arg(long, short, required_unless_present = "from_json")]
    environment: Option<String>,
    /// What it is for: a public key can be seen and needs --origin or --endpoint; a partner's needs
    /// --consumer and --expires; a temporary one lives for a day at most, unless guardrails
    /// say otherwise
    #[arg(long, default_value = "private", value_parser = PossibleValuesParser::new(KeyKind::ALL.map(KeyKind::as_str)).try_map(|word| named::<KeyKind>(&word)))]
    kind: KeyKind,
    /// Whose it is: a service account's id or name, a consumer's id, or `me`; by default the consumer,
    /// else whoever creates it
    #[arg(long)]
    owner: Option<String>,
    /// Make it in the name of a team that you are in: it may do what the team may while you are
    #[arg(long, conflicts_with = "owner")]
    team: Option<String>,
    /// To whom it is issued: a consumer's id or external id
    #[arg(long)]
    consumer: Option<String>,
    /// How many requests a temporary key may pass
    #[arg(long, value_name = "N", help_heading = "Limits")]
    uses: Option<u64>,
}

impl Create {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        let project = self.project.project.clone();
        let ask = self.approving.ask_approval.clone();
        let broken = self.approving.break_glass.clone();
        let mut new: CreateKey = match self.json.body()? {
            Some(new) => new,
            None => self.new_key(session.now)?,
        };
        new.break_glass = broken.or(new.break_glass);
        if let Some(why) = ask {
            let wish = CreateApproval {
                why,
                project: Some(project),
                create: Some(new),
                ..CreateApproval::default()
            };
            return asked(session, &session.client.create_approval(&wish).await?);
        }
        let created = session.client.create_key(&project, &new).await;
        let created = created.map_err(|error| refused(session, error))?;
        let key = &created.details;
        let did = format!("Created {} ({}) in {}/{}.", key.id, key.name, key.project, key.environment);
        let next = format!(
            "Next: try it with keystead verify --project {} --environment {}; see it with keystead keys show {}",
            key.project, key.environment, key.id
        );
        shown_once(session, &created, &did, Some(&next))
    }

    fn new_key(self, now: Timestamp) -> Result<CreateKey, Failure> {
        Ok(CreateKey {
            name: self.subject.name.unwrap_or_default(),
            environment: self.subject.environment.unwrap_or_default(),
            kind: self.subject.kind,
            owner: self.subject.owner,
            team: self.subject.team,
            consumer: self.subject.consumer,
            permissions: self.grants.permission,
            roles: self.grants.role,
            restrictions: self.narrowing.over(Restrictions::default())?,
            limits: self.rates.limit,
            quota: self.rates.quota,
            credits: self.life.credits,
            not_before: self.life.not_before.map(|moment| moment.ahead(now)),
            expires_at: self.life.expires.map(|moment| moment.ahead(now)),
            uses: self.subject.uses,
            may_mint: self.life.may_mint,
            tags: self.labels.tag,
            metadata: self.labels.metadata,
            break_glass: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::arguments::{Cli, ClientCommand, client_command};
    use crate::commands::keys::Keys;
    use clap::Parser;
    use serde_json::json;

    #[test]
    fn every_field_of_a_new_key_is_reachable_by_flags() {
        let arguments = [
            "keystead",
            "keys",
            "create",
            "--project",
            "acme",
            "--environment",
            "production",
            "--name",
            "Importer",
            "--kind",
            "private",
            "--owner",
            "importer",
            "--consumer",
            "crm-1",
            "--permission",
            "routes.read",
            "--permission",
            "routes.write@networks/NET-7",
            "--role",
            "editor",
            "--network-allow",
            "10.0.0.0/8",
            "--network-deny",
            "10.1.0.0/16",
            "--origin",
            "https://a.example",
            "--endpoint",
            "GET,POST /v1/zones/*",
            "--hours",
            "mon 08:00-18:00 Europe/Berlin",
            "--limit",
            "default=100/1m:5",
            "--quota",
            "10/day@Asia/Tokyo",
            "--credits",
            "5,refill=monthly,amount=9",
            "--not-before",
            "1d",
            "--expires",
            "2027-01-31",
            "--uses",
            "3",
            "--may-mint",
            "false",
            "--tag",
            "a,b",
            "--metadata",
            r#"{"x":1}"#,
        ];
        let ClientCommand::Keys(Keys::Create(create)) = client_command(arguments) else { panic!() };
        let new = create.new_key("2026-01-01T00:00:00Z".parse().unwrap()).unwrap();
        let expected = json!({
            "name": "Importer", "environment": "production", "kind": "private", "owner": "importer", "consumer": "crm-1",
            "permissions": ["routes.read", {"permission": "routes.write", "resources": ["networks/NET-7"]}],
            "roles": ["editor"],
            "restrictions": {
                "networks": {"allow": ["10.0.0.0/8"], "deny": ["10.1.0.0/16"]},
                "origins": ["https://a.example"],
                "endpoints": [{"methods": ["GET", "POST"], "path": "/v1/zones/*"}],
                "hours": {"time_zone": "Europe/Berlin", "weekly": [{"days": ["mon"], "from": "08:00", "to": "18:00"}]},
            },
            "limits": [{"name": "default", "limit": 100, "window": "1m", "burst": 5}],
            "quota": {"limit": 10, "per": "day", "time_zone": "Asia/Tokyo"},
            "credits": {"remaining": 5, "refill": "monthly", "amount": 9},
            "not_before": "2026-01-02T00:00:00Z", "expires_at": "2027-01-31T00:00:00Z",
            "uses": 3, "may_mint": false,
            "tags": ["a", "b"], "metadata": {"x": 1},
        });
        assert_eq!(serde_json::to_value(new).unwrap(), expected);
    }

    #[test]
    fn a_body_from_json_and_flags_exclude_each_other() {
        let base = ["keystead", "keys", "create", "-p", "acme", "--from-json", "x.json"];
        assert!(Cli::try_parse_from(base).is_ok());
        for flag in
            [["--name", "x"], ["--role", "x"], ["--tag", "x"], ["--quota", "1/day"], ["--origin", "x"]]
        {
            assert!(Cli::try_parse_from(base.iter().chain(&flag)).is_err(), "{flag:?}");
        }
        assert!(Cli::try_parse_from(["keystead", "keys", "create", "-p", "acme", "--name", "x"]).is_err());
    }
}
