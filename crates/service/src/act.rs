//! Administrative acts: effect, audit record and feed rows in one transaction, then the keyring,
//! then the answer; in a task that a disconnecting client cannot cancel.

use crate::Keystead;
use crate::caller::Caller;
use crate::refused::Refused;
use futures_util::future::BoxFuture;
use keystead_domain::ids::{AuditId, OrganizationId, ProjectId};
use keystead_store::{Acted, Change, Event, Size, Tx};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What an audit record says of the thing that was acted on.
pub(crate) struct Target<'a> {
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    pub(crate) name: &'a str,
    pub(crate) project: Option<ProjectId>,
}

impl Keystead {
    /// Runs an act to its end. The caller has been authorised.
    pub(crate) async fn act<T, W>(self: &Arc<Self>, work: W) -> Result<T, Refused>
    where
        T: Send + 'static,
        W: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<Acted<T>, Refused>> + Send + 'static,
    {
        self.act_of(Size::Usual, work).await
    }

    /// Runs an act that says how much it writes to its end. The caller has been authorised.
    pub(crate) async fn act_of<T, W>(self: &Arc<Self>, size: Size, work: W) -> Result<T, Refused>
    where
        T: Send + 'static,
        W: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<Acted<T>, Refused>> + Send + 'static,
    {
        let this = Arc::clone(self);
        let task = self.tasks.spawn(async move {
            // Known before the commit, so that a commit whose outcome is unknown can be read again.
            let changes = Arc::new(Mutex::new(Vec::<Change>::new()));
            let (noter, noted) = (Arc::clone(&this), Arc::clone(&changes));
            let result = this
                .store
                .act_of(size, move |tx| {
                    Box::pin(async move {
                        let acted = work(tx).await?;
                        noter.appliers.begin(&acted.changes);
                        noted.lock().clone_from(&acted.changes);
                        Ok::<_, Refused>(acted)
                    })
                })
                .await;
            let changes = std::mem::take(&mut *changes.lock());
            if matches!(result, Ok(_) | Err(Refused::OutcomeUnknown)) {
                this.apply(&changes).await;
                this.counters.acts.fetch_add(1, Ordering::Relaxed);
            }
            // What may be committed later than it was read is read again when the feed has it.
            if !matches!(result, Err(Refused::OutcomeUnknown)) {
                this.appliers.end(changes);
            }
            result
        });
        task.await.map_err(|_| Refused::Internal("an act did not run to its end".into()))?
    }

    /// The audit record of an act by a caller.
    pub(crate) fn event(&self, caller: &Caller, action: &'static str, target: Target<'_>) -> Event {
        Event {
            actor_kind: if caller.session.is_some() { "member" } else { "key" }.into(),
            actor_key: caller.key(),
            actor_session: caller.session.as_ref().map(|session| session.id.to_string()),
            actor_lineage: caller.key().map(|_| caller.entry.lineage.id),
            actor_owner: Some(caller.entry.owner.id.to_string()),
            actor_member: caller.member(),
            actor_team: caller.entry.owner.team().map(|team| team.id),
            address: caller.origin.ip.map(|ip| ip.to_string()),
            request_id: Some(caller.origin.request_id.to_string()),
            ..self.own_event(caller.organization(), action, target)
        }
    }

    /// The audit record of an act by the server itself.
    pub(crate) fn own_event(
        &self,
        organization: OrganizationId,
        action: &'static str,
        target: Target<'_>,
    ) -> Event {
        Event {
            id: self.entropy.with(|rng| AuditId::random(rng)),
            organization_id: organization,
            at: self.clock.now(),
            actor_kind: "server".into(),
            actor_key: None,
            actor_owner: None,
            actor_member: None,
            actor_team: None,
            actor_session: None,
            actor_lineage: None,
            target_lineage: None,
            address: None,
            action: action.into(),
            target_kind: target.kind.into(),
            target_id: target.id,
            target_name: target.name.into(),
            project_id: target.project,
            before_body: None,
            after_body: None,
            request_id: None,
        }
    }
}

/// Adds what changed to an audit record: only the fields that differ, as they were and are.
pub(crate) fn with_difference<T: serde::Serialize>(
    mut event: Event,
    before: Option<&T>,
    after: Option<&T>,
) -> Event {
    let as_map = |value: Option<&T>| match value.map(serde_json::to_value) {
        Some(Ok(serde_json::Value::Object(map))) => Some(map),
        _ => None,
    };
    let (mut before, mut after) = (as_map(before), as_map(after));
    if let (Some(before), Some(after)) = (&mut before, &mut after) {
        let same: Vec<String> = before
            .iter()
            .filter(|(name, value)| after.get(*name) == Some(value))
            .map(|(name, _)| name.clone())
            .collect();
        for name in same {
            before.remove(&name);
            after.remove(&name);
        }
    }
    event.before_body = before.map(|map| serde_json::Value::Object(map).to_string());
    event.after_body = after.map(|map| serde_json::Value::Object(map).to_string());
    event
}
