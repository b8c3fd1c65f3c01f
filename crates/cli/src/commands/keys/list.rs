//! `keystead keys list|count|unknown`: finding keys.

use super::present::status_cell;
use crate::exit::{Exit, Outcome};
use crate::flags::moment::{Moment, moment};
use crate::flags::named::named;
use crate::flags::paging::Paging;
use crate::flags::project::InProject;
use crate::output::table::Cell;
use crate::session::Session;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use keystead_sdk::api::{KeyKind, KeyQuery, KeyStatus, KeyStatusFilter, Timestamp};

const STATUSES: [&str; 7] =
    ["active", "disabled", "suspended", "not_yet_valid", "expired", "revoked", "inactive"];

/// List keys, newest first
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead keys list --project acme --status active
  keystead keys list -p acme --consumer crm-1042 --environment production
  keystead keys list -p acme --expiring-before 30d
  keystead keys list -p acme --last-used-before 90d --all --json
  keystead keys list -p acme --never-used true --tag edge
  keystead keys list -p acme --prefix acme_live_4fGh
  keystead keys list -p acme --parent key_4fGhX2abcDEF")]
pub(crate) struct List {
    #[command(flatten)]
    project: InProject,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    paging: Paging,
}

/// Count keys by status
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead keys count --project acme
  keystead keys count -p acme --environment production --never-used true")]
pub(crate) struct Count {
    #[command(flatten)]
    project: InProject,
    #[command(flatten)]
    filter: Filter,
}

/// List refusals of keys that nobody knows: what brute force looks like
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead keys unknown --project acme")]
pub(crate) struct Unknown {
    #[command(flatten)]
    project: InProject,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, Clone, Args)]
pub(super) struct Filter {
    /// Only with this status; inactive means any but active
    #[arg(long, value_parser = PossibleValuesParser::new(STATUSES).try_map(|word| named::<KeyStatusFilter>(&word)), help_heading = "Filters")]
    status: Option<KeyStatusFilter>,
    /// Only of this owner (id)
    #[arg(long, help_heading = "Filters")]
    owner: Option<String>,
    /// Only of this consumer (id or external id)
    #[arg(long, help_heading = "Filters")]
    consumer: Option<String>,
    /// Only of this environment (id or slug)
    #[arg(long, short, help_heading = "Filters")]
    environment: Option<String>,
    /// Only of this kind
    #[arg(long, value_parser = PossibleValuesParser::new(KeyKind::ALL.map(KeyKind::as_str)).try_map(|word| named::<KeyKind>(&word)), help_heading = "Filters")]
    kind: Option<KeyKind>,
    /// Only minted from this key (key_…)
    #[arg(long, value_name = "KEY", help_heading = "Filters")]
    parent: Option<String>,
    /// Only with this tag
    #[arg(long, help_heading = "Filters")]
    tag: Option<String>,
    /// Only those that begin so, up to their public id: acme_live_4fGh
    #[arg(long, help_heading = "Filters")]
    prefix: Option<String>,
    /// Only with this text in name or id, whatever the case
    #[arg(long, help_heading = "Filters")]
    text: Option<String>,
    /// Only last used before: 2027-01-31, or so long ago: 90d
    #[arg(long, value_name = "WHEN", value_parser = moment, help_heading = "Filters")]
    last_used_before: Option<Moment>,
    /// Only last used at or after: 2027-01-31, or so long ago: 24h
    #[arg(long, value_name = "WHEN", value_parser = moment, help_heading = "Filters")]
    last_used_after: Option<Moment>,
    /// Only those that expire before: 2027-01-31, or so far from now: 30d
    #[arg(long, value_name = "WHEN", value_parser = moment, help_heading = "Filters")]
    expiring_before: Option<Moment>,
    /// true: only those never used; false: only those used
    #[arg(long, value_name = "BOOL", help_heading = "Filters")]
    never_used: Option<bool>,
    /// Only those whose person is disabled, or has left their team
    #[arg(long, help_heading = "Filters")]
    orphaned: bool,
}

impl Filter {
    pub(super) fn query(self, now: Timestamp) -> KeyQuery {
        KeyQuery {
            status: self.status,
            owner: self.owner,
            consumer: self.consumer,
            environment: self.environment,
            kind: self.kind,
            parent: self.parent,
            tag: self.tag,
            prefix: self.prefix,
            text: self.text,
            last_used_before: self.last_used_before.map(|moment| moment.ago(now)),
            last_used_after: self.last_used_after.map(|moment| moment.ago(now)),
            expiring_before: self.expiring_before.map(|moment| moment.ahead(now)),
            never_used: self.never_used,
            orphaned: self.orphaned.then_some(true),
            limit: None,
            cursor: None,
        }
    }
}

impl List {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        let query = self.filter.query(session.now);
        session
            .list(&self.paging, async |page| {
                let query = KeyQuery { limit: page.limit, cursor: page.cursor, ..query.clone() };
                session.client.list_keys(&self.project.project, &query).await
            })
            .await
    }
}

impl Count {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        let query = self.filter.query(session.now);
        let counts = session.client.count_keys(&self.project.project, &query).await?;
        if session.output.is_json() {
            session.output.json(&counts)?;
            return Ok(Exit::Done);
        }
        let row = |status: Cell, count: u64| vec![status, Cell::from(count.to_string())];
        let rows = [
            row(status_cell(KeyStatus::Active), counts.active),
            row(status_cell(KeyStatus::Disabled), counts.disabled),
            row(status_cell(KeyStatus::Suspended), counts.suspended),
            row(status_cell(KeyStatus::NotYetValid), counts.not_yet_valid),
            row(status_cell(KeyStatus::Expired), counts.expired),
            row(status_cell(KeyStatus::Revoked), counts.revoked),
            row("total".into(), counts.total),
        ];
        session.output.columns(&["STATUS", "KEYS"], &rows)?;
        Ok(Exit::Done)
    }
}

impl Unknown {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        let fetch = async |page| session.client.list_unknown_keys(&self.project.project, &page).await;
        session.list(&self.paging, fetch).await
    }
}
