//! `keystead contacts`: how organizations and their teams are reached.

use crate::connection::ConnectionFlags;
use crate::exit::{Exit, Failure, Outcome};
use crate::input;
use crate::output::Output;
use crate::output::table::Cell;
use crate::session::Session;
use clap::Subcommand;
use keystead_sdk::api::{ConfirmContact, Contacts as Found};

/// Contacts: how organizations and their teams are reached
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  keystead contacts show acme --url https://keystead.example.com
  keystead contacts ask routing
  keystead contacts confirm --url https://keystead.example.com")]
pub(crate) enum Contacts {
    /// Look up how an organization is reached; needs no key
    #[command(after_help = "Examples:
  keystead contacts show acme --url https://keystead.example.com
  keystead contacts show acme --json")]
    Show {
        /// The organization's slug
        organization: String,
    },
    /// Ask a team's contact whether it is the team's
    #[command(after_help = "Examples:
  keystead contacts ask routing

Where the server sends no e-mail the link is printed: hand it to whoever reads
the address. It works once, for fourteen days.")]
    Ask {
        /// The team's id or name
        team: String,
    },
    /// Say that an address is the team's: paste the link that it was sent
    #[command(after_help = "Examples:
  keystead contacts confirm --url https://keystead.example.com

The link is asked for without echo, or read from standard input.")]
    Confirm {},
}

impl Contacts {
    pub(crate) async fn run(
        self,
        connection: &ConnectionFlags,
        session: impl FnOnce() -> Result<Session, Failure>,
        output: &Output,
    ) -> Outcome {
        match self {
            Self::Show { organization } => {
                let (client, ..) = connection.connect_as_nobody()?;
                show(&client.contacts(&organization).await?, output)
            }
            Self::Ask { team } => {
                let session = session()?;
                let asked = session.client.ask_contact(&team).await?;
                let next = if asked.mailed {
                    "The link is on its way by e-mail."
                } else {
                    "Hand the link to whoever reads the address: it is shown only now."
                };
                session.changed(&asked, &format!("Asked {}.", asked.contact), next)
            }
            Self::Confirm {} => {
                let (client, ..) = connection.connect_as_nobody()?;
                let link = input::secret("Link")?;
                let token = super::token_of(&link).to_owned();
                let confirmed = client.confirm_contact(&ConfirmContact { token }).await?;
                output.note(&format!(
                    "{} is the address of {}, {}. It is asked again in a year.",
                    confirmed.contact, confirmed.team, confirmed.organization
                ));
                output.one(&confirmed)?;
                Ok(Exit::Done)
            }
        }
    }
}

fn show(found: &Found, output: &Output) -> Outcome {
    if output.is_json() {
        output.json(found)?;
        return Ok(Exit::Done);
    }
    output.note(&found.organization);
    let rows: Vec<Vec<Cell>> = found
        .contacts
        .iter()
        .map(|one| {
            vec![one.team.as_str().into(), one.contact.as_str().into(), Cell::time(Some(one.verified_at))]
        })
        .collect();
    output.columns(&["TEAM", "CONTACT", "VERIFIED"], &rows)?;
    Ok(Exit::Done)
}
