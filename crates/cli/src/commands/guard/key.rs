//! `keystead guard key`: the key by which a proxy asks.

use crate::exit::{Exit, Outcome};
use crate::flags::project::InProject;
use crate::session::Session;
use clap::Args;
use keystead_sdk::Error;
use keystead_sdk::api::{CreateKey, CreateServiceAccount, NarrowedPermission, PermissionGrant};

/// The project of Keystead's own API, and the environment of its keys.
const OWN: (&str, &str) = ("keystead", "production");

/// Make the key by which a proxy asks Keystead: it may ask about one environment's requests, and
/// nothing else
///
/// Prints the key alone on standard output, once. It belongs to a service account of its own, so
/// that it outlives whoever makes it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead guard key -p shop -e live
  keystead guard key -p shop -e live --json")]
pub(crate) struct Key {
    #[command(flatten)]
    project: InProject,
    /// The environment's id or slug
    #[arg(long, short)]
    environment: String,
}

impl Key {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        let client = &session.client;
        let environment = client.environment(&self.project.project, &self.environment).await?;
        let project = client.project(&self.project.project).await?;
        let mut owner = format!("guard-{}-{}", project.slug, environment.slug);
        owner.truncate(64);
        let account = CreateServiceAccount {
            name: owner.clone(),
            description: format!("The proxies that guard {} ({})", project.slug, environment.slug),
            ceiling: Some(vec!["keys.verify".to_owned()]),
        };
        match client.create_service_account(OWN.0, &account).await {
            Ok(_) => {}
            // It is there from the last time.
            Err(Error::Problem { problem, .. }) if problem.status == 409 => {}
            Err(error) => return Err(error.into()),
        }
        let permission = NarrowedPermission {
            permission: "keys.verify".to_owned(),
            resources: vec![format!("projects/{}/environments/{}", project.id, environment.id)],
        };
        let new = CreateKey {
            name: format!("Guard of {} ({})", project.slug, environment.slug),
            environment: OWN.1.to_owned(),
            owner: Some(owner),
            permissions: vec![PermissionGrant::Narrowed(permission)],
            may_mint: Some(false),
            tags: vec!["guard".to_owned()],
            ..CreateKey::default()
        };
        let created = client.create_key(OWN.0, &new).await?;
        if session.output.is_json() {
            session.output.json(&created)?;
            return Ok(Exit::Done);
        }
        session.output.note(&format!(
            "Made {}: a proxy's own key for {}/{}. It is shown only now.",
            created.details.id, project.slug, environment.slug
        ));
        session.output.secret(&created.key)?;
        Ok(Exit::Done)
    }
}
