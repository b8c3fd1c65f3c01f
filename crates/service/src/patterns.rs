//! The permission patterns of roles and ceilings: read, grounded in the catalogue, and in a system
//! project no wider than what the caller has.

use crate::caller::Caller;
use crate::cells;
use crate::key_grants::wider;
use crate::present::json;
use crate::projects::hold;
use crate::refused::Refused;
use crate::widening::covers;
use keystead_domain::cells::ProjectCell;
use keystead_domain::ids::ProjectId;
use keystead_domain::invalid::Invalid;
use keystead_domain::pattern::{Pattern, PermissionSet};
use keystead_store::Tx;

/// Where a request has the ceiling.
pub(crate) const CEILING: &str = "/ceiling";

/// Reads a list of names and patterns: at most 256, none twice.
pub(crate) fn read(field: &str, texts: &[String]) -> Result<PermissionSet, Invalid> {
    let set = PermissionSet::parse(texts).map_err(|invalid| invalid.below(field))?;
    for (index, text) in texts.iter().enumerate() {
        if texts.iter().take(index).any(|other| other == text) {
            return Err(Invalid::new(
                format!("{field}/{index}"),
                format!("{text} is there twice."),
                "Send it once.",
            ));
        }
    }
    Ok(set)
}

/// Refuses what the project's catalogue knows nothing of. In the transaction that stores the
/// patterns: the catalogue in memory may be about to change.
pub(crate) async fn ground(
    tx: &mut Tx,
    project: ProjectId,
    field: &str,
    set: &PermissionSet,
) -> Result<(), Refused> {
    let catalogue = cells::catalogue(&tx.permissions_in(project).await?);
    for (index, pattern) in set.iter().enumerate() {
        if !catalogue.grounds(pattern) {
            return Err(Refused::unknown(
                format!("{field}/{index}"),
                format!("The project's catalogue has nothing that is {pattern}."),
                "Send what is in the catalogue, or add it there first.",
            ));
        }
    }
    Ok(())
}

/// Refuses a role that has more than its writer.
pub(crate) fn role_not_wider(caller: &Caller, set: &PermissionSet) -> Result<(), Refused> {
    match set.iter().find(|pattern| !covers(&caller.entry, pattern, None)) {
        Some(pattern) => Err(wider(format!("{pattern}, which this role would have"))),
        None => Ok(()),
    }
}

/// Grounds a new ceiling, where there is one.
pub(crate) async fn ground_ceiling(
    tx: &mut Tx,
    project: &ProjectCell,
    set: Option<&PermissionSet>,
) -> Result<(), Refused> {
    let Some(set) = set else { return Ok(()) };
    hold(tx, project).await?;
    ground(tx, project.id, CEILING, set).await
}

/// A ceiling as it is stored; `None` is no ceiling.
pub(crate) fn stored(text: Option<&str>) -> Result<Option<PermissionSet>, Refused> {
    text.map(|text| Ok(PermissionSet::parse(&json::<Vec<String>>(text)?)?)).transpose()
}

/// Refuses a ceiling that lets more through than the one before, unless the caller has that.
/// `before` is as it was stored; `None` for whoever is new or switched on: nothing went through.
pub(crate) fn ceiling_not_wider(
    caller: &Caller,
    before: Option<Option<&str>>,
    after: Option<&str>,
) -> Result<(), Refused> {
    let before = match before.map(stored).transpose()? {
        Some(None) => return Ok(()),
        Some(Some(before)) => before,
        None => PermissionSet::default(),
    };
    let after = match stored(after)? {
        Some(after) => after,
        None => PermissionSet::parse(&["**".to_owned()])?,
    };
    let passed_on = |pattern: &&Pattern| before.covers(pattern) || covers(&caller.entry, pattern, None);
    match after.iter().find(|pattern| !passed_on(pattern)) {
        Some(pattern) => Err(wider(format!("{pattern}, which this ceiling would let through"))),
        None => Ok(()),
    }
}
