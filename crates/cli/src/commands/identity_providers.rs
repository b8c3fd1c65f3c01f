//! `keystead identity-providers`: through whom an organization's members sign in.

mod change;
mod present;

use crate::exit::Outcome;
use crate::flags::project::ExpectingIfGiven;
use crate::session::Session;
use change::{Create, Update};
use clap::Subcommand;

/// Identity providers: single sign-on with OpenID Connect
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  keystead identity-providers list
  keystead identity-providers create --name corp \\
      --issuer https://id.example.com --client-id keystead \\
      --client-secret-file secret.txt --domain example.com --just-in-time
  keystead identity-providers test corp

Then sign in through it: keystead sign-in --sso acme/corp")]
pub(crate) enum IdentityProviders {
    /// List identity providers
    #[command(after_help = "Examples:\n  keystead identity-providers list")]
    List,
    Create(Box<Create>),
    /// Show an identity provider; its secret is never shown
    #[command(after_help = "Examples:\n  keystead identity-providers show corp")]
    Show {
        /// Its id or name
        provider: String,
    },
    Update(Box<Update>),
    /// Delete an identity provider: what began through it ends, members stay
    #[command(after_help = "Examples:\n  keystead identity-providers delete corp")]
    Delete {
        /// Its id or name
        provider: String,
        #[command(flatten)]
        expecting: ExpectingIfGiven,
    },
    /// Have the server ask a provider for its configuration and keys
    #[command(after_help = "Examples:\n  keystead identity-providers test corp")]
    Test {
        /// Its id or name
        provider: String,
    },
}

impl IdentityProviders {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let client = &session.client;
        match self {
            Self::List => list(session).await,
            Self::Create(create) => create.run(session).await,
            Self::Show { provider } => session.show(&client.identity_provider(&provider).await?),
            Self::Update(update) => update.run(session).await,
            Self::Delete { provider, expecting } => {
                client.delete_identity_provider(&provider, expecting.if_match).await?;
                session.deleted(&format!("Deleted identity provider {provider}, with the sessions it began."))
            }
            Self::Test { provider } => {
                let found = client.test_identity_provider(&provider).await?;
                if found.ok {
                    session.output.note(&format!("A sign-in through {provider} can begin."));
                }
                session.show(&found)
            }
        }
    }
}

async fn list(session: &Session) -> Outcome {
    session.whole(&session.client.list_identity_providers().await?)
}
