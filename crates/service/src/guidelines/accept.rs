//! Accepting the guidelines: by the person, signed in, and of the version that was read.

use super::GUIDELINES;
use super::publish::shown;
use crate::Keystead;
use crate::act::Target;
use crate::caller::Caller;
use crate::refused::Refused;
use keystead_api::{AcceptGuidelines, Guidelines};
use keystead_domain::ids::MemberId;
use keystead_store::{Acted, ReadingRow};
use std::sync::Arc;

impl Keystead {
    /// Notes that the caller has read the guidelines and accepts them.
    ///
    /// # Errors
    /// When the caller has no session, or another version holds than the one that was read.
    pub async fn accept_guidelines(
        self: &Arc<Self>,
        caller: &Caller,
        input: &AcceptGuidelines,
    ) -> Result<Guidelines, Refused> {
        let member = self.reading_person(caller).await?;
        let mut reader = self.store.read().await?;
        let row = reader.guidelines(caller.organization()).await?;
        let current = row.as_ref().map_or(0, |row| row.version);
        let known = shown(&mut reader, caller, row, current).await?;
        if known.accepted_at.is_some() && current == input.version {
            return Ok(known);
        }
        drop(reader);
        let (this, by, version) = (Arc::clone(self), caller.clone(), input.version);
        self.act(move |tx| {
            Box::pin(async move {
                let row = tx.guidelines(by.organization()).await?;
                let current = row.as_ref().map_or(0, |row| row.version);
                if version != current {
                    return Err(Refused::conflict(
                        format!("Version {current} of the guidelines holds, not version {version}."),
                        "Read the current one (GET /v1/guidelines, keystead guidelines show), then accept that.",
                    ));
                }
                let read_at = this.clock.now();
                let reading = ReadingRow { member_id: member, what: GUIDELINES.into(), version, read_at };
                tx.insert_reading(&reading).await?;
                let value = shown(tx, &by, row, current).await?;
                let target = Target {
                    kind: GUIDELINES,
                    id: by.organization().to_string(),
                    name: &format!("version {version}"),
                    project: None,
                };
                let event = this.event(&by, "guidelines.accept", target);
                Ok(Acted { value, events: vec![event], changes: Vec::new() })
            })
        })
        .await
    }

    /// The person who reads: signed in, because a program that has their key reads nothing.
    pub(super) async fn reading_person(self: &Arc<Self>, caller: &Caller) -> Result<MemberId, Refused> {
        self.admit(caller).await?;
        caller.signed_in()?;
        caller.member().ok_or(Refused::NeedsSession)
    }
}
