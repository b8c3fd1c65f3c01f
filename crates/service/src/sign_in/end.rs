//! Ending sessions: one's own, or all of a member's in an organization.

use crate::act::Target;
use crate::caller::Caller;
use crate::refused::Refused;
use crate::{Keystead, management};
use keystead_domain::ids::SessionId;
use keystead_store::Acted;
use std::sync::Arc;

impl Keystead {
    /// Ends a session of the caller's account; `current` is the caller's own.
    ///
    /// # Errors
    /// When the caller has no session, or the account no such one that goes on.
    pub async fn end_session(self: &Arc<Self>, caller: &Caller, session: &str) -> Result<(), Refused> {
        let own = caller.signed_in()?.clone();
        let id = match session {
            "current" => own.id,
            other => other.parse::<SessionId>().map_err(|_| Refused::not_found("session"))?,
        };
        let email = self.own_account(&own).await?.email;
        let target = Target { kind: "session", id: id.to_string(), name: &email, project: None };
        let event = self.event(caller, "session.end", target);
        let now = self.clock.now();
        self.act(move |tx| {
            Box::pin(async move {
                if !tx.end_session(own.account, id, now).await? {
                    return Err(Refused::not_found("session"));
                }
                Ok(Acted { value: (), events: vec![event], changes: Vec::new() })
            })
        })
        .await
    }

    /// Ends every session that a member has in the caller's organization.
    ///
    /// # Errors
    /// When the caller may not, or there is no such member.
    pub async fn end_sessions_of_member(
        self: &Arc<Self>,
        caller: &Caller,
        member: &str,
    ) -> Result<(), Refused> {
        self.authorise(caller, management::PEOPLE_WRITE, None).await?;
        let id = self.member_row(caller, member).await?.id;
        let (this, caller, now) = (Arc::clone(self), caller.clone(), self.clock.now());
        self.act(move |tx| {
            Box::pin(async move {
                let row = tx.member(caller.organization(), id).await?;
                let row = row.ok_or(Refused::not_found("member"))?;
                let ended = tx.end_sessions_of_member(row.organization_id, id, now).await?;
                let target = Target { kind: "member", id: id.to_string(), name: &row.email, project: None };
                let mut event = this.event(&caller, "member.end_sessions", target);
                event.after_body = Some(format!("{{\"sessions\":{ended}}}"));
                Ok(Acted { value: (), events: vec![event], changes: Vec::new() })
            })
        })
        .await
    }
}
