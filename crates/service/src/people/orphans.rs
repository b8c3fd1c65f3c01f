//! Orphans: keys whose person is disabled, or has left the team in whose name they were made. Administrators are told
//! of each person's once, so that the keys are handed over or revoked.

use super::person;
use crate::refused::Refused;
use crate::{Keystead, management};
use keystead_domain::cells::{Principal, ProjectCell};
use keystead_domain::ids::{OrganizationId, OwnerId, ProjectId};
use keystead_domain::time::Micros;
use keystead_store::{KeyRow, MemberRow, Reader};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The most keys of one owner that are told of, and named in one letter.
const KEYS_MAX: u32 = 1_000;
const NAMED_MAX: usize = 20;
/// The most administrators who are told.
const TOLD_MAX: usize = 8;
/// Members that are read at once.
const PAGE: u32 = 256;

/// What is told of one owner's keys in one project.
pub(crate) struct Orphans {
    /// The oldest of them.
    pub(crate) key: KeyRow,
    /// Names the occasion, whoever is told.
    pub(crate) once: String,
    pub(crate) subject: String,
    pub(crate) body: String,
}

impl Keystead {
    /// Tells the administrators of every organization, once each, of keys whose person is gone.
    ///
    /// # Errors
    /// When the database cannot answer; what was told by then stays told.
    pub async fn tell_orphans(self: &Arc<Self>) -> Result<(), Refused> {
        let mut administrators: HashMap<OrganizationId, Arc<[String]>> = HashMap::new();
        for owner in self.keyring.directory.principals() {
            if person(owner.id, &owner.state.load().reach).is_none() || !owner.state.load().is_off() {
                continue;
            }
            let mut reader = self.store.read().await?;
            let told = self.orphans_of(&mut reader, &owner).await?;
            if told.is_empty() {
                continue;
            }
            let to = match administrators.get(&owner.organization) {
                Some(known) => Arc::clone(known),
                None => self.administrators(&mut reader, owner.organization).await?.into(),
            };
            administrators.insert(owner.organization, Arc::clone(&to));
            drop(reader);
            let this = Arc::clone(self);
            self.store
                .bookkeeping(move |ledger| {
                    Box::pin(async move {
                        for orphans in &told {
                            for administrator in to.iter() {
                                this.notify_orphans(ledger, orphans, administrator).await?;
                            }
                        }
                        Ok::<_, Refused>(())
                    })
                })
                .await?;
        }
        Ok(())
    }

    /// An owner's keys that would work if the person were not gone, project by project.
    async fn orphans_of(&self, reader: &mut Reader, owner: &Principal) -> Result<Vec<Orphans>, Refused> {
        let now = self.clock.now();
        let mut keys = reader.keys_owned(owner.organization, owner.id, KEYS_MAX).await?;
        keys.retain(|key| {
            key.revoked_at.is_none() && key.parent_id.is_none() && key.expires_at.is_none_or(|end| end > now)
        });
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let Some(since) = gone_since(reader, owner).await? else { return Ok(Vec::new()) };
        let mut by_project: BTreeMap<ProjectId, Vec<KeyRow>> = BTreeMap::new();
        for key in keys {
            by_project.entry(key.project_id).or_default().push(key);
        }
        let mut told = Vec::new();
        for (id, keys) in by_project {
            let project = self.keyring.directory.project_by_id(id);
            told.extend(project.and_then(|project| letter(owner, since, &project, &keys)));
        }
        Ok(told)
    }

    /// The addresses of those who look after people in the whole organization, and have joined.
    async fn administrators(
        &self,
        reader: &mut Reader,
        organization: OrganizationId,
    ) -> Result<Vec<String>, Refused> {
        let place = self.system_place(organization)?;
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let rows = reader.members(organization, after, PAGE).await?;
            let last = rows.last().map(|row| (row.created_at, row.id.0));
            let is_last = rows.len() < PAGE as usize;
            let is_administrator = |row: &MemberRow| {
                let principal = self.keyring.directory.principal(OwnerId::Member(row.id));
                !row.disabled
                    && row.joined_at.is_some()
                    && principal.is_some_and(|principal| {
                        principal.state.load().reach.allows(&place, management::PEOPLE_WRITE, None)
                    })
            };
            found.extend(rows.into_iter().filter(is_administrator).map(|row| row.email));
            if is_last || found.len() >= TOLD_MAX {
                found.truncate(TOLD_MAX);
                return Ok(found);
            }
            after = last;
        }
    }
}

/// Since when a person is gone, for this owner; `None` when they came back meanwhile.
async fn gone_since(reader: &mut Reader, owner: &Principal) -> Result<Option<Micros>, Refused> {
    let (member, left_at) = match owner.id {
        OwnerId::Member(id) => (id, None),
        OwnerId::Seat(id) => match reader.seat(owner.organization, id).await? {
            Some(seat) => (seat.member_id, seat.left_at),
            None => return Ok(None),
        },
        OwnerId::ServiceAccount(_) | OwnerId::Consumer(_) => return Ok(None),
    };
    let disabled_at = reader.member(owner.organization, member).await?.and_then(|row| row.disabled_at);
    Ok(disabled_at.into_iter().chain(left_at).min())
}

fn letter(owner: &Principal, since: Micros, project: &ProjectCell, keys: &[KeyRow]) -> Option<Orphans> {
    let state = owner.state.load();
    let (name, slug, number) = (&state.name, &project.slug, keys.len());
    let in_team = owner.team().map(|team| format!(" in the name of team {}", team.state.load().name));
    let in_team = in_team.unwrap_or_default();
    let keys_of = if number == 1 { "1 API key of".to_owned() } else { format!("{number} API keys of") };
    let subject = format!("{keys_of} {name} in {slug} have nobody");
    let mut body = format!(
        "{keys_of} {name}{in_team} in {slug} stopped on {}, and nobody answers for them:\n\n",
        since.to_timestamp(),
    );
    for key in keys.iter().take(NAMED_MAX) {
        body.push_str(&format!("  {}  \"{}\"\n", key.id, key.name));
    }
    if number > NAMED_MAX {
        body.push_str(&format!("  and {} more\n", number - NAMED_MAX));
    }
    body.push_str(&format!(
        "\nWhat to do:\n\
         1. Look at all of them: keystead keys list --project {slug} --orphaned\n\
         2. Hand over what is still needed: keystead keys update KEY --owner OWNER; everything of a member at once: \
         keystead members hand-over MEMBER --to MEMBER. Rotate what {name} knew.\n\
         3. Revoke the others: keystead keys revoke KEY --reason REASON\n",
    ));
    let once = format!("{}:{}:{}", owner.id, project.id, since.0);
    Some(Orphans { key: keys.first()?.clone(), once, subject, body })
}
