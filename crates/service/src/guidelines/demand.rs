//! Guardrails that ask people to have read something before they make, rotate or read a key.

use super::{guidelines_in, lessons_in};
use crate::caller::Caller;
use crate::guardrails::enforce::refuse;
use crate::present::json;
use crate::refused::Refused;
use keystead_api::GuardrailScope;
use keystead_domain::cells::ProjectCell;
use keystead_domain::guardrails::{AskedOfPeople, Read};
use keystead_store::Conn;

/// Refuses a person who has yet to read what the organization or the project asks. Programs read nothing; the
/// organization's demand holds for keys of Keystead itself as well.
pub(crate) async fn has_read(conn: &mut Conn, caller: &Caller, project: &ProjectCell) -> Result<(), Refused> {
    let Some(member) = caller.member() else { return Ok(()) };
    let mut asked = AskedOfPeople::default();
    for row in conn.guardrails_in_force(project.organization, project.id).await? {
        let from =
            if row.project_id.is_none() { GuardrailScope::Organization } else { GuardrailScope::Project };
        asked = asked
            .and(from, &json(&row.body)?)
            .map_err(|_| Refused::Internal("the database holds guardrails that are none".into()))?;
    }
    if asked.is_nothing() {
        return Ok(());
    }
    let readings = conn.readings(member).await?;
    let current = conn.guidelines_version(project.organization).await?;
    refuse(asked.missing(&Read {
        guidelines: guidelines_in(&readings).is_some_and(|row| row.version == current),
        lessons: lessons_in(&readings).map(|(lesson, _)| lesson.name).collect(),
    }))
}
