//! Breaking glass: what cannot wait is done at once, with a reason, and everybody who decides is told.

use super::Lifted;
use super::tell::{Occasion, listed};
use crate::Keystead;
use crate::act::with_difference;
use crate::caller::Caller;
use crate::create_key::Issue;
use crate::refused::Refused;
use keystead_api::{CreateKey, CreatedKey, Key, UpdateKey};
use keystead_domain::cells::Place;
use keystead_domain::ids::KeyId;
use keystead_domain::invalid::Invalid;
use keystead_domain::token::PlainKey;
use keystead_store::{Acted, Event, Tx};
use serde_json::json;

impl Keystead {
    /// Issues a key without the approval that guardrails demand. The caller may break glass there.
    pub(crate) async fn issue_breaking_glass(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        place: &Place,
        input: CreateKey,
        (id, key): (KeyId, PlainKey),
        reason: &str,
    ) -> Result<Acted<CreatedKey>, Refused> {
        let mut lifted = Lifted::default();
        let proof = self.proof_of(place.project.organization, id, &key)?;
        let issue =
            Issue { action: "key.create", proof, token: Some(key.expose()), lifted: Some(&mut lifted) };
        let now = self.clock.now();
        let Acted { value, mut events, changes } =
            self.issue_proven(tx, caller, place, input, issue, now).await?;
        events.push(self.broke_glass(tx, caller, place, &value, (lifted, reason)).await?);
        let value = CreatedKey { key: key.expose().to_owned(), details: value };
        Ok(Acted { value, events, changes })
    }

    /// Changes a key without it.
    pub(crate) async fn change_breaking_glass(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        place: &Place,
        key: (KeyId, Option<i64>),
        input: UpdateKey,
        reason: &str,
    ) -> Result<Acted<Key>, Refused> {
        let mut lifted = Lifted::default();
        let mut acted = self.change(tx, caller, place, key, input, Some(&mut lifted)).await?;
        let event = self.broke_glass(tx, caller, place, &acted.value, (lifted, reason)).await?;
        acted.events.push(event);
        Ok(acted)
    }

    /// The alarm: an act of its own on record, a letter to each who decides, a warning in the log.
    async fn broke_glass(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        place: &Place,
        key: &Key,
        (lifted, reason): (Lifted, &str),
    ) -> Result<Event, Refused> {
        if lifted.needs.is_empty() {
            let fix = "Leave it out: an alarm is for what needs one.";
            return Err(Invalid::new("/break_glass", "No guardrail demands an approval of this.", fix).into());
        }
        let organization = caller.organization();
        let id: KeyId = key.id.parse().map_err(|_| Refused::Internal("a key without an id".into()))?;
        let row = tx.key(organization, id).await?.ok_or(Refused::not_found("key"))?;
        let mut event = self.key_event(caller, "key.break_glass", &row);
        let at = format!("{}/{}", place.project.slug, place.slug);
        let who = caller.entry.owner.state.load().name.to_string();
        let subject = format!("{who} broke glass for the API key \"{}\"", key.name);
        let body = format!(
            "{who} made or changed the API key \"{}\" ({id}) of {at} without the approval that guardrails \
             demand.\n\nWhy: {reason}\n\nWhat nobody approved:\n{}\n\
             What to do: keystead keys show {id}. If it should not be: keystead keys revoke {id} --reason '…'\n\
             Who did it, and from where: keystead audit --target {id}\n",
            key.name,
            listed(&lifted.needs),
        );
        let occasion = Occasion {
            kind: "break_glass",
            id: event.id.to_string(),
            organization,
            project: row.project_id,
            subject: &subject,
            body: &body,
        };
        for member in self.deciders(organization, place)? {
            self.tell(tx, &occasion, member).await?;
        }
        tracing::warn!(
            key = %id,
            place = at,
            by = %caller.entry.owner.id,
            request = %caller.origin.request_id,
            "glass was broken: a key without the approval that guardrails demand; the audit has the reason"
        );
        let needs: Vec<_> = lifted.needs.iter().map(|one| one.guardrail).collect();
        let after = json!({ "reason": reason, "guardrails": needs });
        event = with_difference(event, None, Some(&after));
        Ok(event)
    }
}
