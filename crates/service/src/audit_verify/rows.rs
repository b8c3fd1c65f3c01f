//! Verifying the rows of a database.

use super::{Kept, Organization, Verified, VerifyFailed, tampered};
use keystead_domain::audit::check::{Entry, Fault, Held, Written};
use keystead_domain::audit::checkpoint::{Checkpoint, InvalidNote, Verifier};
use keystead_domain::audit::deletion;
use keystead_domain::audit::tree::Tree;
use keystead_domain::ids::OrganizationId;
use keystead_store::{AuditTreeRow, Conn, Leaf, Sequenced, Standing, StoreError};
use std::collections::BTreeSet;

/// Rows read at once.
const PAGE: u32 = 1_000;

/// Every organization's audit.
pub(super) async fn verify(conn: &mut Conn, kept: &Kept) -> Result<Vec<Verified>, VerifyFailed> {
    let trees = conn.audit_trees().await.map_err(|error| corrupt(error, || VerifyFailed::Unreadable))?;
    let origins: Vec<String> = trees.iter().map(|tree| Checkpoint::origin(tree.organization_id)).collect();
    if let Some((origin, from)) = kept.other_than(&origins) {
        let fault = Fault::Truncated { have: 0, size: 1, from: from.to_owned() };
        return Err(tampered(origin, fault));
    }
    // A server that was started a moment ago has not come to it yet.
    let waits: BTreeSet<_> = conn.audit_waits().await?.into_iter().collect();
    if trees.is_empty() && waits.is_empty() {
        return Err(VerifyFailed::Gone);
    }
    let mut without = conn.founded_organizations().await?;
    without.retain(|id| !waits.contains(id));
    without.extend(conn.audited_organizations().await?);
    for tree in &trees {
        without.remove(&tree.organization_id);
    }
    if let Some(id) = without.first() {
        return Err(VerifyFailed::TreeGone(id.to_string()));
    }
    let mut verified = Vec::new();
    for tree in trees {
        verified.push(one(conn, &tree, kept).await?);
    }
    Ok(verified)
}

/// What is not what Keystead writes was written by somebody else.
fn corrupt(error: StoreError, told: impl FnOnce() -> VerifyFailed) -> VerifyFailed {
    if matches!(error, StoreError::Corrupt(_)) { told() } else { error.into() }
}

async fn one(conn: &mut Conn, row: &AuditTreeRow, kept: &Kept) -> Result<Verified, VerifyFailed> {
    let id = row.organization_id;
    let unsigned = || VerifyFailed::Checkpoint {
        organization: id.to_string(),
        from: "the source itself".into(),
        error: InvalidNote::Unsigned,
    };
    let verifier: Verifier = row.verifier.parse().map_err(|_| unsigned())?;
    if verifier.name() != Checkpoint::origin(id) {
        return Err(unsigned());
    }
    let notes = notes(conn, id).await?;
    let mut organization = Organization::begin(id.to_string(), &verifier, &notes, tree(row), kept)?;
    // That of a deletion may wait for its place while the leaves are there already.
    let waiting = conn.audit_waiting_of(id, deletion::ACTION).await;
    for row in waiting.map_err(|error| corrupt(error, || organization.unreadable()))? {
        row.record(0).iter().for_each(|record| organization.check.hear(&record.text()));
    }
    let (mut from, mut rows) = (0, PAGE);
    loop {
        let page = match conn.audit_in_order(id, from, rows).await {
            Ok(page) => page,
            // One by one, so that the first that cannot be read is named.
            Err(StoreError::Corrupt(_)) if rows > 1 => {
                rows = 1;
                continue;
            }
            Err(error) => return Err(corrupt(error, || organization.unreadable())),
        };
        for standing in &page.standing {
            organization.add(&entry(standing))?;
        }
        match page.next {
            Some(next) => from = next,
            None => return organization.end(),
        }
    }
}

/// The notes of every checkpoint.
async fn notes(conn: &mut Conn, organization: OrganizationId) -> Result<Vec<String>, VerifyFailed> {
    let (mut notes, mut after) = (Vec::new(), None);
    loop {
        let rows = conn.audit_checkpoints(organization, after, PAGE).await.map_err(|error| {
            corrupt(error, || VerifyFailed::Checkpoint {
                organization: organization.to_string(),
                from: "the source itself".into(),
                error: InvalidNote::Form,
            })
        })?;
        after = rows.last().map(|row| (row.created_at, row.id.0));
        let is_last = rows.len() < PAGE as usize;
        notes.extend(rows.into_iter().map(|row| row.note));
        if is_last {
            return Ok(notes);
        }
    }
}

/// What the database says of the tree; nothing when that is no tree, which the checkpoints will show.
fn tree(row: &AuditTreeRow) -> Option<Held> {
    let tree = Tree::from_parts(u64::try_from(row.size).ok()?, &row.edge)?;
    let origin = Checkpoint::origin(row.organization_id);
    let checkpoint = Checkpoint { origin, size: tree.size(), root: tree.root() };
    Some(Held { checkpoint, from: "the database's own tree".into(), signed: false })
}

fn entry(standing: &Standing) -> Entry {
    match standing {
        Standing::Whole(row) => written(row),
        Standing::Deleted(leaf) => left(leaf),
    }
}

fn written(row: &Sequenced) -> Entry {
    let text = row.row.record(row.position).map(|record| record.text()).unwrap_or_default();
    let salt = row.salt.as_slice().try_into().unwrap_or_default();
    let record = Some(Written { id: row.row.id.to_string(), salt, text });
    Entry { position: place(row.position), leaf: row.leaf.as_slice().try_into().unwrap_or_default(), record }
}

fn left(leaf: &Leaf) -> Entry {
    let position = place(leaf.position);
    Entry { position, leaf: leaf.leaf.as_slice().try_into().unwrap_or_default(), record: None }
}

/// One that cannot be comes last, as one that is not missing.
fn place(position: i64) -> u64 {
    u64::try_from(position).unwrap_or(u64::MAX)
}
