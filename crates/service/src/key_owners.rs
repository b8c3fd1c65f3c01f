//! Whose a key is, and to whom it is issued, as requests name them.

use crate::Keystead;
use crate::caller::Caller;
use crate::people::{ME, may_hand_to};
use crate::refused::Refused;
use keystead_api::{CreateKey, UpdateKey};
use keystead_domain::cells::{Place, ProjectCell};
use keystead_domain::ids::{ConsumerId, MemberId, OwnerId, ServiceAccountId};
use keystead_domain::invalid::Invalid;
use keystead_store::{KeyRow, Tx};

impl Keystead {
    /// Owner and consumer of a new key, as it names them.
    pub(crate) async fn owners_of(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        project: &ProjectCell,
        input: &CreateKey,
    ) -> Result<(OwnerId, Option<ConsumerId>), Refused> {
        let Some(team) = &input.team else {
            return owners(tx, caller, project, input.owner.as_deref(), input.consumer.as_deref()).await;
        };
        if input.owner.as_deref().is_some_and(|owner| owner != ME) {
            let fix = "Send `team` alone: the key is the caller's, in the team's name.";
            return Err(Invalid::new("/owner", "A key made in a team's name has no other owner.", fix).into());
        }
        let seat = self.seat_in(tx, caller, team).await?;
        let (_, consumer) = owners(tx, caller, project, Some(ME), input.consumer.as_deref()).await?;
        Ok((seat, consumer))
    }
}

/// Owner and consumer as named, else the consumer, else the owner of the caller's key.
async fn owners(
    tx: &mut Tx,
    caller: &Caller,
    project: &ProjectCell,
    owner: Option<&str>,
    consumer: Option<&str>,
) -> Result<(OwnerId, Option<ConsumerId>), Refused> {
    let consumer = match consumer {
        Some(named) => Some(consumer_named(tx, project, named, "/consumer").await?),
        None => None,
    };
    let owner = match (owner, consumer) {
        (Some(named), _) => owner_named(tx, caller, project, named).await?,
        (None, Some(consumer)) => OwnerId::Consumer(consumer),
        (None, None) => caller.entry.owner.id,
    };
    Ok((owner, consumer))
}

pub(crate) async fn consumer_named(
    tx: &mut Tx,
    project: &ProjectCell,
    named: &str,
    field: &str,
) -> Result<ConsumerId, Refused> {
    let row = match named.parse::<ConsumerId>() {
        Ok(id) => tx.consumer(project.organization, id).await?.filter(|row| row.project_id == project.id),
        Err(_) => tx.consumer_by_external_id(project.id, named).await?,
    };
    row.map(|row| row.id).ok_or_else(|| {
        Refused::unknown(
            field,
            "This project has no such consumer.",
            "Send a consumer's id or external id, or create it first.",
        )
    })
}

pub(crate) async fn owner_named(
    tx: &mut Tx,
    caller: &Caller,
    project: &ProjectCell,
    named: &str,
) -> Result<OwnerId, Refused> {
    if named == caller.entry.owner.id.to_string() {
        return Ok(caller.entry.owner.id);
    }
    if let Some(member) = caller.member().filter(|member| named == ME || named == member.to_string()) {
        return Ok(OwnerId::Member(member));
    }
    if named.parse::<ConsumerId>().is_ok() {
        return consumer_named(tx, project, named, "/owner").await.map(OwnerId::Consumer);
    }
    let row = match named.parse::<ServiceAccountId>() {
        Ok(id) => {
            tx.service_account(project.organization, id).await?.filter(|row| row.project_id == project.id)
        }
        Err(_) => tx.service_account_by_name(project.id, named).await?,
    };
    row.map(|row| OwnerId::ServiceAccount(row.id)).ok_or_else(no_owner)
}

fn no_owner() -> Refused {
    Refused::unknown(
        "/owner",
        "This project has no such owner.",
        "Send the id or name of one of its service accounts, or the id of a consumer or member.",
    )
}

/// Writes a new owner and consumer into a key, where they are named. Another member gets one only by being handed
/// it: nobody makes a key in somebody's name.
pub(crate) async fn set_owners(
    tx: &mut Tx,
    caller: &Caller,
    place: &Place,
    row: &mut KeyRow,
    input: &UpdateKey,
) -> Result<(), Refused> {
    if let Some(consumer) = &input.consumer {
        row.consumer_id = match consumer {
            Some(named) => Some(consumer_named(tx, &place.project, named, "/consumer").await?),
            None => None,
        };
    }
    if let Some(owner) = &input.owner {
        let other = owner.parse::<MemberId>().ok().filter(|id| caller.member() != Some(*id));
        let owner = match other {
            Some(id) => {
                let member = tx.member(place.project.organization, id).await?;
                OwnerId::Member(member.ok_or_else(no_owner)?.id)
            }
            None => owner_named(tx, caller, &place.project, owner).await?,
        };
        if owner != row.owner {
            may_hand_to(caller, place, owner)?;
        }
        row.owner = owner;
    }
    Ok(())
}
