//! `keystead audit`: the list of who did what, when, from where.

use crate::exit::Outcome;
use crate::flags::moment::{Moment, moment};
use crate::flags::paging::Paging;
use crate::output::Present;
use crate::output::table::Cell;
use crate::session::Session;
use clap::Args;
use keystead_sdk::api::{AuditQuery, AuditRecord};

/// Which acts are listed.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Only of this project (id or slug)
    #[arg(long, short)]
    project: Option<String>,
    /// Only this action: key.create, role.update, …
    #[arg(long)]
    action: Option<String>,
    /// Only by this key (key_…), person (mem_…) or in this team's name (team_…)
    #[arg(long, value_name = "ID")]
    actor: Option<String>,
    /// Only on the target with this id
    #[arg(long, value_name = "ID")]
    target: Option<String>,
    /// Only by or on this key, its predecessors, successors and minted keys
    #[arg(long, value_name = "KEY_ID")]
    lineage: Option<String>,
    /// Only of this request (req_…)
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    /// Only at or after: 2027-01-31T12:00:00Z, 2027-01-31, or so long ago: 24h, 30d
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    since: Option<Moment>,
    /// Only before: as --since
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    until: Option<Moment>,
    #[command(flatten)]
    paging: Paging,
}

impl List {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        let query = AuditQuery {
            project: self.project,
            action: self.action,
            actor: self.actor,
            target: self.target,
            lineage: self.lineage,
            request_id: self.request_id,
            since: self.since.map(|moment| moment.ago(session.now)),
            until: self.until.map(|moment| moment.ago(session.now)),
            limit: None,
            cursor: None,
        };
        session
            .list(&self.paging, async |page| {
                let query = AuditQuery { limit: page.limit, cursor: page.cursor, ..query.clone() };
                session.client.list_audit(&query).await
            })
            .await
    }
}

impl Present for AuditRecord {
    const HEADINGS: &'static [&'static str] =
        &["AT", "ACTION", "TARGET", "ID", "ACTOR", "ADDRESS", "REQUEST"];

    fn row(&self) -> Vec<Cell> {
        vec![
            Cell::time(Some(self.at)),
            self.action.as_str().into(),
            Cell::from(self.target.name.as_str()).shortened(40),
            self.target.id.as_str().into(),
            self.actor.key_id.as_deref().or(self.actor.member.as_deref()).unwrap_or(&self.actor.kind).into(),
            Cell::maybe(self.address.as_deref()),
            Cell::maybe(self.request_id.as_deref()),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        let json = |value: &Option<serde_json::Value>| {
            Cell::maybe(value.as_ref().map(ToString::to_string).as_deref())
        };
        vec![
            ("id", self.id.as_str().into()),
            ("at", Cell::time(Some(self.at))),
            ("action", self.action.as_str().into()),
            (
                "actor",
                self.actor
                    .key_id
                    .as_deref()
                    .or(self.actor.member.as_deref())
                    .unwrap_or(&self.actor.kind)
                    .into(),
            ),
            ("lineage", Cell::maybe(self.actor.lineage.as_deref().or(self.target.lineage.as_deref()))),
            ("owner then", Cell::maybe(self.actor.owner.as_deref())),
            ("address", Cell::maybe(self.address.as_deref())),
            ("target", format!("{} {} ({})", self.target.kind, self.target.name, self.target.id).into()),
            ("project", Cell::maybe(self.project.as_deref())),
            ("before", json(&self.before)),
            ("after", json(&self.after)),
            ("request", Cell::maybe(self.request_id.as_deref())),
        ]
    }
}
