//! `keystead rotation-plan`: how old a project's keys may become, and how they are rotated.

use crate::exit::Outcome;
use crate::flags::body::FromJson;
use crate::flags::moment::seconds;
use crate::flags::project::{Expecting, InProject};
use crate::output::Present;
use crate::output::table::Cell;
use crate::session::Session;
use clap::{Args, Subcommand};
use keystead_sdk::api::{RotationPlan as Plan, SetRotationPlan};

/// Rotation plans: how old a project's keys may become
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  keystead rotation-plan show --project acme
  keystead rotation-plan set --project acme --max-age-days 90")]
pub(crate) enum RotationPlan {
    /// Show a project's plan
    #[command(after_help = "Examples:\n  keystead rotation-plan show --project acme")]
    Show {
        #[command(flatten)]
        project: InProject,
    },
    Set(Set),
}

/// Set a project's whole plan; what is left out goes back to its default
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead rotation-plan set --project acme --max-age-days 90
  keystead rotation-plan set -p acme --max-age-days 90 --notice-days 30 \\
      --grace 7d
  keystead rotation-plan set -p acme --from-json plan.json")]
pub(crate) struct Set {
    #[command(flatten)]
    project: InProject,
    #[command(flatten)]
    flags: SetFlags,
    #[command(flatten)]
    json: FromJson,
    #[command(flatten)]
    expecting: Expecting,
}

#[derive(Debug, Args)]
#[group(conflicts_with = "from_json")]
struct SetFlags {
    /// How old a key may become, 1 to 3650; by default nobody says
    #[arg(long, value_name = "DAYS")]
    max_age_days: Option<u32>,
    /// How long before that it is announced, 0 to 365; 14 by default
    #[arg(long, value_name = "DAYS")]
    notice_days: Option<u32>,
    /// How long an old key lives on beside the new one: 0s, 24h, 7d; a day by default
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    grace: Option<u64>,
    /// Use of a key after it was rotated away revokes all keys that came after it
    #[arg(long)]
    revoke_lineage_on_reuse: bool,
}

impl RotationPlan {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        match self {
            Self::Show { project } => session.show(&session.client.rotation_plan(&project.project).await?),
            Self::Set(set) => set.run(session).await,
        }
    }
}

impl Set {
    async fn run(self, session: &Session) -> Outcome {
        let project = self.project.project;
        let plan = match self.json.body()? {
            Some(plan) => plan,
            None => {
                let SetFlags { max_age_days, notice_days, grace, revoke_lineage_on_reuse } = self.flags;
                SetRotationPlan { max_age_days, notice_days, grace_seconds: grace, revoke_lineage_on_reuse }
            }
        };
        let version = match self.expecting.if_match {
            Some(version) => version,
            None => session.client.rotation_plan(&project).await?.version,
        };
        let set = session.client.set_rotation_plan(&project, &plan, Some(version)).await?;
        let next = format!("Next: keystead keys due --project {project}");
        session.changed(&set, &format!("Set the rotation plan of {project}."), &next)
    }
}

impl Present for Plan {
    const HEADINGS: &'static [&'static str] = &["MAX AGE", "NOTICE", "GRACE", "CHANGED"];

    fn row(&self) -> Vec<Cell> {
        vec![
            self.max_age_days.map_or_else(Cell::none, |days| format!("{days} days").into()),
            format!("{} days", self.notice_days).into(),
            format!("{} s", self.grace_seconds).into(),
            Cell::time(self.updated_at),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        vec![
            (
                "keys may be",
                self.max_age_days.map_or_else(Cell::none, |days| format!("{days} days old").into()),
            ),
            ("announced", format!("{} days before", self.notice_days).into()),
            ("grace", format!("{} seconds", self.grace_seconds).into()),
            ("reuse revokes", if self.revoke_lineage_on_reuse { "the lineage" } else { "nothing" }.into()),
            ("changed", Cell::time(self.updated_at)),
            ("version", self.version.to_string().into()),
        ]
    }
}
