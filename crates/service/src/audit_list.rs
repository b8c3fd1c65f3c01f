//! Reading the audit: who did what, through which key, when, from where.

use crate::caller::Caller;
use crate::cursor::Cut;
use crate::present::rows;
use crate::refused::Refused;
use crate::{Keystead, management};
use keystead_api::{AuditQuery, AuditRecord, Page};
use keystead_domain::ids::{KeyId, ProjectId};
use keystead_domain::invalid::{Invalid, texts_at_most};
use keystead_domain::time::Micros;
use keystead_store::{Actor, AuditFilter, Reader};
use std::sync::Arc;

/// The longest text that a filter compares, in bytes.
const TEXT_BYTES_MAX: usize = 128;

impl Keystead {
    /// A page of the audit, newest first: the organization's, or one project's.
    ///
    /// # Errors
    /// When the caller may not read it, or a filter makes no sense.
    pub async fn list_audit(
        self: &Arc<Self>,
        caller: &Caller,
        query: &AuditQuery,
    ) -> Result<Page<AuditRecord>, Refused> {
        let directory = &self.keyring.directory;
        let project = match &query.project {
            Some(named) => {
                let found = directory.project(caller.organization(), named);
                Some(found.ok_or_else(no_project)?)
            }
            None => None,
        };
        let resource = project.as_ref().map(|project| &*project.resource);
        self.authorise(caller, management::AUDIT_READ, resource).await?;
        let mut filter = filter(caller, query, project.map(|project| project.id))?;
        let cut = Cut::read(query.limit, query.cursor.as_deref())?;
        let mut reader = self.store.read().await?;
        if let Some(named) = &query.lineage {
            filter.lineage = Some(self.lineage_named(&mut reader, caller, named).await?);
        }
        let rows = reader.audit(&filter, cut.after, cut.rows()).await?;
        cut.page(rows, |row| (row.at, row.id.0), rows::audit_record)
    }

    /// The lineage of a key, also of one that is deleted: by what the audit says of it.
    async fn lineage_named(
        &self,
        reader: &mut Reader,
        caller: &Caller,
        named: &str,
    ) -> Result<KeyId, Refused> {
        let id: KeyId = named.parse().map_err(|_| {
            Invalid::new(
                "/lineage",
                "This is no key's id.",
                "Send the id of any key of the lineage (`key_…`).",
            )
        })?;
        let organization = caller.organization();
        match reader.key(organization, id).await? {
            Some(row) => Ok(row.lineage_id),
            None => Ok(reader.audited_lineage(organization, id).await?.unwrap_or(id)),
        }
    }
}

fn filter(caller: &Caller, query: &AuditQuery, project: Option<ProjectId>) -> Result<AuditFilter, Invalid> {
    let texts = [("/action", &query.action), ("/target", &query.target), ("/request_id", &query.request_id)];
    texts_at_most(TEXT_BYTES_MAX, &texts)?;
    let actor = query.actor.as_deref().map(actor).transpose()?;
    Ok(AuditFilter {
        project,
        action: query.action.clone(),
        actor,
        target_id: query.target.clone(),
        request_id: query.request_id.clone(),
        since: query.since.map(Micros::from),
        until: query.until.map(Micros::from),
        ..AuditFilter::of(caller.organization())
    })
}

fn actor(id: &str) -> Result<Actor, Invalid> {
    let key = id.parse().ok().map(Actor::Key);
    let person = key.or_else(|| id.parse().ok().map(Actor::Member));
    person.or_else(|| id.parse().ok().map(Actor::Team)).ok_or_else(|| {
        Invalid::new(
            "/actor",
            "This is the id of nobody who acts.",
            "Send the id of a key (`key_…`), a member (`mem_…`) or a team (`team_…`).",
        )
    })
}

pub(crate) fn no_project() -> Refused {
    Refused::unknown(
        "/project",
        "There is no such project.",
        "Send the id or slug of one of your projects, or leave it out.",
    )
}
