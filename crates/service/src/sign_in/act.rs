//! The audit record of what a person does who proves it otherwise than by a session: signing in, joining.

use crate::Keystead;
use crate::act::Target;
use crate::caller::Origin;
use keystead_domain::ids::SessionId;
use keystead_store::{Event, MemberRow};

impl Keystead {
    pub(super) fn event_of(
        &self,
        member: &MemberRow,
        session: Option<SessionId>,
        action: &'static str,
        name: &str,
        origin: &Origin,
    ) -> Event {
        let (kind, id) = match session {
            Some(session) => ("session", session.to_string()),
            None => ("member", member.id.to_string()),
        };
        self.event_by(member, session, action, Target { kind, id, name, project: None }, origin)
    }

    /// The same, of something that the person does not sign in with.
    pub(super) fn event_by(
        &self,
        member: &MemberRow,
        session: Option<SessionId>,
        action: &'static str,
        target: Target<'_>,
        origin: &Origin,
    ) -> Event {
        Event {
            actor_kind: "member".into(),
            actor_owner: Some(member.id.to_string()),
            actor_member: Some(member.id),
            actor_session: session.map(|session| session.to_string()),
            address: origin.ip.map(|ip| ip.to_string()),
            request_id: Some(origin.request_id.to_string()),
            ..self.own_event(member.organization_id, action, target)
        }
    }
}
