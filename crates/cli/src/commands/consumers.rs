//! `keystead consumers`: outside parties that keys are issued to.

use crate::exit::Outcome;
use crate::flags::amounts::{Rates, limit_text, quota_text};
use crate::flags::body::FromJson;
use crate::flags::ceiling::{Ceiling, NoCeiling, ceiling_cell};
use crate::flags::paging::Paging;
use crate::flags::project::{Expecting, ExpectingIfGiven, InProject};
use crate::output::Present;
use crate::output::table::{Cell, state};
use crate::session::{Session, cleared, not_empty, replaced};
use clap::{Args, Subcommand};
use keystead_sdk::api::{Consumer, CreateConsumer, UpdateConsumer};

/// Consumers: the customers, partners and applications that keys are issued to
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  keystead consumers list --project acme
  keystead consumers create --project acme --name 'Blue Couriers' \\
      --external-id crm-1042")]
pub(crate) enum Consumers {
    /// List consumers
    #[command(
        after_help = "Examples:\n  keystead consumers list --project acme\n  keystead consumers list -p acme --all --json"
    )]
    List {
        #[command(flatten)]
        project: InProject,
        #[command(flatten)]
        paging: Paging,
    },
    Create(Create),
    /// Show a consumer
    #[command(after_help = "Examples:\n  keystead consumers show --project acme crm-1042")]
    Show {
        #[command(flatten)]
        project: InProject,
        /// Its id or external id
        consumer: String,
    },
    Update(Update),
    /// Delete a consumer
    #[command(after_help = "Examples:\n  keystead consumers delete --project acme crm-1042")]
    Delete {
        #[command(flatten)]
        project: InProject,
        /// Its id or external id
        consumer: String,
        #[command(flatten)]
        expecting: ExpectingIfGiven,
    },
}

/// Make a consumer
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead consumers create --project acme --name 'Blue Couriers' \\
      --external-id crm-1042 --contact api@blue.example
  keystead consumers create -p acme --name 'Blue Couriers' \\
      --ceiling 'routes.*' --limit shared=1000/1m --quota 1000000/month
  keystead consumers create -p acme --from-json consumer.json")]
pub(crate) struct Create {
    #[command(flatten)]
    project: InProject,
    #[command(flatten)]
    flags: CreateFlags,
    #[command(flatten)]
    ceiling: Ceiling,
    #[command(flatten)]
    rates: Rates,
    #[command(flatten)]
    json: FromJson,
}

#[derive(Debug, Args)]
#[group(conflicts_with = "from_json")]
struct CreateFlags {
    /// For people, 1 to 128 characters
    #[arg(long, required_unless_present = "from_json")]
    name: Option<String>,
    /// Your own name for it, unique in the project
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// Whom to write to about its keys: an e-mail address
    #[arg(long, value_name = "EMAIL")]
    contact: Option<String>,
}

/// Change a consumer
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead consumers update --project acme crm-1042 --contact ops@blue.example
  keystead consumers update -p acme crm-1042 --disabled true
  keystead consumers update -p acme crm-1042 --limit shared=2000/1m --no-quota")]
pub(crate) struct Update {
    #[command(flatten)]
    project: InProject,
    /// Its id or external id
    consumer: String,
    #[command(flatten)]
    flags: UpdateFlags,
    #[command(flatten)]
    ceiling: Ceiling,
    #[command(flatten)]
    rates: Rates,
    #[command(flatten)]
    json: FromJson,
    #[command(flatten)]
    expecting: Expecting,
}

#[derive(Debug, Args)]
#[group(conflicts_with = "from_json")]
struct UpdateFlags {
    /// A new name
    #[arg(long)]
    name: Option<String>,
    /// A new external id
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// Remove the external id
    #[arg(long, conflicts_with = "external_id")]
    no_external_id: bool,
    /// A new contact
    #[arg(long, value_name = "EMAIL")]
    contact: Option<String>,
    /// Remove the contact
    #[arg(long, conflicts_with = "contact")]
    no_contact: bool,
    /// Remove every limit
    #[arg(long, conflicts_with = "limit")]
    no_limits: bool,
    /// Remove the quota
    #[arg(long, conflicts_with = "quota")]
    no_quota: bool,
    /// true stops all of its keys, false restarts them
    #[arg(long, value_name = "BOOL")]
    disabled: Option<bool>,
    #[command(flatten)]
    no_ceiling: NoCeiling,
}

impl Consumers {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        match self {
            Self::List { project, paging } => {
                let fetch = async |page| session.client.list_consumers(&project.project, &page).await;
                session.list(&paging, fetch).await
            }
            Self::Create(create) => create.run(session).await,
            Self::Show { project, consumer } => {
                session.show(&session.client.consumer(&project.project, &consumer).await?)
            }
            Self::Update(update) => update.run(session).await,
            Self::Delete { project, consumer, expecting } => {
                session.client.delete_consumer(&project.project, &consumer, expecting.if_match).await?;
                session.deleted(&format!("Deleted consumer {consumer}."))
            }
        }
    }
}

impl Create {
    async fn run(self, session: &Session) -> Outcome {
        let project = self.project.project;
        let new = match self.json.body()? {
            Some(new) => new,
            None => CreateConsumer {
                name: self.flags.name.unwrap_or_default(),
                external_id: self.flags.external_id,
                contact: self.flags.contact,
                ceiling: self.ceiling.given(),
                limits: self.rates.limit,
                quota: self.rates.quota,
            },
        };
        let made = session.client.create_consumer(&project, &new).await?;
        let next = format!(
            "Next: keystead keys create --project {project} --environment production --name NAME --consumer {}",
            made.id
        );
        session.changed(&made, &format!("Created consumer {}.", made.name), &next)
    }
}

impl Update {
    async fn run(self, session: &Session) -> Outcome {
        let project = self.project.project;
        let changes = match self.json.body()? {
            Some(changes) => changes,
            None => {
                let flags = self.flags;
                UpdateConsumer {
                    name: flags.name,
                    external_id: cleared(flags.no_external_id, flags.external_id),
                    contact: cleared(flags.no_contact, flags.contact),
                    ceiling: flags.no_ceiling.or(self.ceiling),
                    limits: replaced(flags.no_limits, self.rates.limit),
                    quota: cleared(flags.no_quota, self.rates.quota),
                    disabled: flags.disabled,
                }
            }
        };
        let changes = not_empty(changes)?;
        let version = match self.expecting.if_match {
            Some(version) => version,
            None => session.client.consumer(&project, &self.consumer).await?.version,
        };
        let changed =
            session.client.update_consumer(&project, &self.consumer, &changes, Some(version)).await?;
        session.changed(
            &changed,
            &format!("Changed consumer {}.", changed.name),
            "Its keys follow on their next request.",
        )
    }
}

impl Present for Consumer {
    const HEADINGS: &'static [&'static str] = &["ID", "NAME", "EXTERNAL ID", "STATE", "CONTACT", "CEILING"];

    fn row(&self) -> Vec<Cell> {
        vec![
            self.id.as_str().into(),
            Cell::from(self.name.as_str()).shortened(48),
            Cell::maybe(self.external_id.as_deref()).shortened(32),
            state(self.disabled),
            Cell::maybe(self.contact.as_deref()).shortened(40),
            ceiling_cell(self.ceiling.as_deref()).shortened(40),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        vec![
            ("id", self.id.as_str().into()),
            ("name", self.name.as_str().into()),
            ("external id", Cell::maybe(self.external_id.as_deref())),
            ("state", state(self.disabled)),
            ("contact", Cell::maybe(self.contact.as_deref())),
            ("ceiling", ceiling_cell(self.ceiling.as_deref())),
            ("limits", Cell::list(&self.limits.iter().map(limit_text).collect::<Vec<_>>())),
            ("quota", Cell::maybe(self.quota.as_ref().map(quota_text).as_deref())),
            ("created", Cell::time(Some(self.created_at))),
            ("changed", Cell::time(Some(self.updated_at))),
            ("version", self.version.to_string().into()),
        ]
    }
}
