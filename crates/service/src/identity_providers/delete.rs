//! Deleting an identity provider, with all that came from it: sessions, whom it knows, and places in teams. The
//! members stay.

use super::{on_record, target};
use crate::act::with_difference;
use crate::caller::Caller;
use crate::people::{member_change, turn};
use crate::refused::Refused;
use crate::{Keystead, management, versions};
use keystead_domain::time::Micros;
use keystead_store::{Acted, Change, IdentityProviderRow, Size, Tx};
use std::sync::Arc;

impl Keystead {
    /// Deletes an identity provider.
    ///
    /// # Errors
    /// When the caller does not have every right of the organization, or has not proved a second factor a moment ago;
    /// when there is none, or the version is another.
    pub async fn delete_identity_provider(
        self: &Arc<Self>,
        caller: &Caller,
        named: &str,
        if_match: Option<i64>,
    ) -> Result<(), Refused> {
        self.authorise(caller, management::PEOPLE_WRITE, None).await?;
        let id = self.provider_row(caller, named).await?.id;
        let (this, by) = (Arc::clone(self), caller.clone());
        self.act_of(Size::Large, move |tx| {
            Box::pin(async move {
                this.may_set_providers(tx, &by).await?;
                let all = tx.hold_identity_providers(by.organization()).await?;
                let row = all.into_iter().find(|row| row.id == id);
                let row = row.ok_or(Refused::not_found("identity provider"))?;
                versions::expect(if_match, row.version)?;
                let shown = this.show_provider(tx, &row).await?;
                let now = this.clock.now();
                let changes = take_places(tx, &row, now).await?;
                let sessions = tx.end_sessions_of_provider(row.organization_id, id, now).await?;
                let known = tx.delete_identities_of_provider(row.organization_id, id).await?;
                tx.delete_identity_provider(row.organization_id, id).await?;
                let gone = [
                    ("identities", known.into()),
                    ("sessions", sessions.into()),
                    ("places", changes.len().into()),
                ];
                let before = on_record(&shown, &gone);
                let event = this.event(&by, "identity_provider.delete", target(&row));
                Ok(Acted { value: (), events: vec![with_difference(event, Some(&before), None)], changes })
            })
        })
        .await
    }
}

/// Takes away the places in teams that nobody would take away any more.
async fn take_places(
    tx: &mut Tx,
    provider: &IdentityProviderRow,
    now: Micros,
) -> Result<Vec<Change>, Refused> {
    let mut changes = Vec::new();
    for id in tx.mapped_seats_of_provider(provider.id).await? {
        tx.delete_mapped_seat(id).await?;
        let Some(seat) = tx.seat(provider.organization_id, id).await? else { continue };
        if seat.left_at.is_none() {
            turn(tx, &seat, Some(now), now).await?;
        }
        if let Some(member) = tx.member(provider.organization_id, seat.member_id).await? {
            changes.push(member_change(&member));
        }
    }
    Ok(changes)
}
