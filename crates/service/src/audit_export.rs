//! Exporting the audit with all that is needed to verify it: records in the order of the tree, their salts
//! and leaves, and the signed checkpoints.

use crate::Keystead;
use crate::act::Target;
use crate::caller::Caller;
use crate::management;
use crate::refused::Refused;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keystead_api::{
    AUDIT_EXPORT_FORMAT, AuditCheckpoint, AuditExportEnd, AuditExportHead, AuditExportLeaf, AuditExportLine,
    AuditExportRecord,
};
use keystead_domain::ids::OrganizationId;
use keystead_domain::time::Micros;
use keystead_store::{Acted, CheckpointRow, Conn, Leaf, Sequenced, Standing};
use serde_json::value::RawValue;
use std::sync::Arc;

/// Rows read at once.
const PAGE: u32 = 500;

/// An export of an organization's audit under way.
#[derive(Debug)]
pub struct ExportedAudit {
    organization: OrganizationId,
    verifier: String,
    size: i64,
    /// Before this place records were deleted by the time that it began.
    deleted_to: i64,
    began: Micros,
    checkpoints_after: Option<(Micros, [u8; 16])>,
    position: i64,
    lines: u64,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Head,
    Checkpoints,
    Records,
    End,
    Over,
}

impl Keystead {
    /// Begins an export of the caller's organization's audit, up to what is in the tree now. That it was
    /// exported is recorded first.
    ///
    /// # Errors
    /// When the caller may not read the audit.
    pub async fn export_audit(self: &Arc<Self>, caller: &Caller) -> Result<ExportedAudit, Refused> {
        self.authorise(caller, management::AUDIT_READ, None).await?;
        if caller.session.is_some() {
            self.stepped_up(caller)?;
        }
        let organization = caller.organization();
        let target = Target { kind: "audit", id: organization.to_string(), name: "audit", project: None };
        let event = self.event(caller, "audit.export", target);
        self.act(move |_| {
            Box::pin(async move { Ok(Acted { value: (), events: vec![event], changes: Vec::new() }) })
        })
        .await?;
        // Before the records: what says that these were deleted is then among them.
        let deleted_to = self.store.read().await?.audit_deleted_to(organization).await?;
        // With the record of the export itself.
        self.sequence_one(organization).await?;
        let tree = self.store.read().await?.audit_tree(organization).await?;
        Ok(ExportedAudit {
            organization,
            verifier: self.audit.verifier(organization),
            size: tree.map_or(0, |tree| tree.size),
            deleted_to,
            began: self.clock.now(),
            checkpoints_after: None,
            position: 0,
            lines: 0,
            stage: Stage::Head,
        })
    }

    /// The next lines of an export; `None` after the last.
    ///
    /// # Errors
    /// When the database cannot answer: then the export is not whole.
    pub async fn export_audit_page(
        &self,
        export: &mut ExportedAudit,
    ) -> Result<Option<Vec<AuditExportLine>>, Refused> {
        let lines = match export.stage {
            Stage::Head => {
                export.stage = Stage::Checkpoints;
                return Ok(Some(vec![export.head()]));
            }
            Stage::Checkpoints => export.next_checkpoints(&mut *self.store.read().await?).await?,
            Stage::Records => export.next_records(&mut *self.store.read().await?).await?,
            Stage::End => {
                export.stage = Stage::Over;
                return Ok(Some(vec![AuditExportLine::End(AuditExportEnd { lines: export.lines })]));
            }
            Stage::Over => return Ok(None),
        };
        export.lines += u64::try_from(lines.len()).unwrap_or(u64::MAX);
        Ok(Some(lines))
    }
}

impl ExportedAudit {
    fn head(&self) -> AuditExportLine {
        AuditExportLine::Head(AuditExportHead {
            format: AUDIT_EXPORT_FORMAT,
            organization: self.organization.to_string(),
            verifier: self.verifier.clone(),
            size: u64::try_from(self.size).unwrap_or_default(),
            exported_at: self.began.to_timestamp(),
        })
    }

    async fn next_checkpoints(&mut self, reader: &mut Conn) -> Result<Vec<AuditExportLine>, Refused> {
        let rows = reader.audit_checkpoints(self.organization, self.checkpoints_after, PAGE).await?;
        match rows.last() {
            Some(row) if rows.len() >= PAGE as usize => {
                self.checkpoints_after = Some((row.created_at, row.id.0));
            }
            _ => self.stage = Stage::Records,
        }
        // One of what came after the export began would vouch for more than comes.
        let known = rows.into_iter().filter(|row| row.size <= self.size);
        Ok(known.map(|row| AuditExportLine::Checkpoint(checkpoint(row, &self.verifier))).collect())
    }

    /// The records of the next places, and what retention left of others, in their order. One that is missing
    /// is left out: whoever verifies the export is told.
    async fn next_records(&mut self, reader: &mut Conn) -> Result<Vec<AuditExportLine>, Refused> {
        let page = reader.audit_in_order(self.organization, self.position, PAGE).await?;
        match page.next {
            Some(next) if next < self.size => self.position = next,
            _ => self.stage = Stage::End,
        }
        if let Some(place) = self.deleted_meanwhile(&page.standing)
            && reader.audit_before(self.organization, place, 1).await?.is_empty()
        {
            return Err(Refused::conflict(
                "old audit records were deleted while they were exported",
                "Export the audit again.",
            ));
        }
        let before = |standing: &Standing| standing.position() < self.size;
        page.standing.iter().filter(|standing| before(standing)).map(line).collect()
    }

    /// The first record that is no longer there, and was when the export began. Retention deletes all before it,
    /// too, and its record of that is not in this export; else it is a hole that somebody made.
    fn deleted_meanwhile(&self, standing: &[Standing]) -> Option<i64> {
        let deleted = standing.iter().filter(|one| matches!(one, Standing::Deleted(_)));
        deleted.map(Standing::position).find(|place| (self.deleted_to..self.size).contains(place))
    }
}

fn line(standing: &Standing) -> Result<AuditExportLine, Refused> {
    match standing {
        Standing::Whole(row) => record(row),
        Standing::Deleted(leaf) => Ok(left(leaf)),
    }
}

/// A checkpoint as it is shown.
pub(crate) fn checkpoint(row: CheckpointRow, verifier: &str) -> AuditCheckpoint {
    AuditCheckpoint {
        id: row.id.to_string(),
        size: u64::try_from(row.size).unwrap_or_default(),
        note: row.note,
        verifier: verifier.to_owned(),
        created_at: row.created_at.to_timestamp(),
    }
}

fn left(leaf: &Leaf) -> AuditExportLine {
    AuditExportLine::Deleted(AuditExportLeaf {
        position: u64::try_from(leaf.position).unwrap_or_default(),
        leaf: STANDARD.encode(&leaf.leaf),
    })
}

fn record(row: &Sequenced) -> Result<AuditExportLine, Refused> {
    let unreadable = || Refused::Internal("an audit record cannot be read".into());
    let committed = row.row.record(row.position).ok_or_else(unreadable)?;
    Ok(AuditExportLine::Record(AuditExportRecord {
        position: committed.position,
        salt: STANDARD.encode(&row.salt),
        leaf: STANDARD.encode(&row.leaf),
        record: RawValue::from_string(committed.text()).map_err(|_| unreadable())?,
    }))
}
