//! Changing an identity provider, and having the organization's members sign in through providers only.

use super::{on_record, read, target};
use crate::act::with_difference;
use crate::caller::Caller;
use crate::refused::Refused;
use crate::{Keystead, management, versions};
use keystead_api::{IdentityProvider, UpdateIdentityProvider};
use keystead_store::{Acted, IdentityProviderRow, Tx, provider_secret_place};
use std::sync::Arc;
use zeroize::Zeroizing;

impl Keystead {
    /// Changes an identity provider.
    ///
    /// # Errors
    /// When the caller does not have every right of the organization, or has not proved a second factor a moment ago;
    /// when a field breaks a rule, the version is another, or a provider is to be enforced that never let anybody in.
    pub async fn update_identity_provider(
        self: &Arc<Self>,
        caller: &Caller,
        named: &str,
        input: UpdateIdentityProvider,
        if_match: Option<i64>,
    ) -> Result<IdentityProvider, Refused> {
        self.authorise(caller, management::PEOPLE_WRITE, None).await?;
        let id = self.provider_row(caller, named).await?.id;
        let (this, by) = (Arc::clone(self), caller.clone());
        self.act(move |tx| {
            Box::pin(async move {
                this.may_set_providers(tx, &by).await?;
                let all = tx.hold_identity_providers(by.organization()).await?;
                let before = all.into_iter().find(|row| row.id == id);
                let before = before.ok_or(Refused::not_found("identity provider"))?;
                versions::expect(if_match, before.version)?;
                this.write_provider(tx, &by, before, input).await
            })
        })
        .await
    }

    async fn write_provider(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        before: IdentityProviderRow,
        input: UpdateIdentityProvider,
    ) -> Result<Acted<IdentityProvider>, Refused> {
        let mut row = before.clone();
        let new_secret: &[_] =
            if matches!(input.client_secret, Some(Some(_))) { &[("new_secret", true.into())] } else { &[] };
        if let Some(id) = input.client_id {
            read::client_id(&id)?;
            row.client_id = id;
        }
        if let Some(secret) = input.client_secret {
            row.sealed = match secret.map(Zeroizing::new) {
                None => None,
                Some(secret) => {
                    read::secret(&secret)?;
                    Some(self.seal_at(tx, &provider_secret_place(row.id), secret.as_bytes()).await?)
                }
            };
        }
        if let Some(scopes) = input.scopes {
            row.scopes = read::scopes(Some(scopes))?;
        }
        if let Some(claim) = input.groups_claim {
            claim.as_deref().map(read::groups_claim).transpose()?;
            row.groups_claim = claim;
        }
        if let Some(sent) = &input.group_teams {
            row.group_teams = read::group_teams(tx, row.organization_id, sent).await?;
        }
        if let Some(domains) = &input.email_domains {
            row.email_domains = read::email_domains(domains)?;
        }
        row.just_in_time = input.just_in_time.unwrap_or(row.just_in_time);
        row.enforced = input.enforced.unwrap_or(row.enforced);
        (row.version, row.updated_at) = (before.version + 1, self.clock.now());
        if row.enforced && !before.enforced {
            self.enforce(tx, caller, &row).await?;
        }
        if !tx.update_identity_provider(&row, before.version).await? {
            return Err(versions::overtaken(Some(before.version + 1), "identity provider"));
        }
        let (was, shown) = (self.show_provider(tx, &before).await?, self.show_provider(tx, &row).await?);
        let event = self.event(caller, "identity_provider.update", target(&row));
        let event = with_difference(event, Some(&on_record(&was, &[])), Some(&on_record(&shown, new_secret)));
        Ok(Acted { value: shown, events: vec![event], changes: Vec::new() })
    }

    /// Ends what began with a password, but the session of the owner who does this: it is one that breaks glass.
    async fn enforce(&self, tx: &mut Tx, caller: &Caller, row: &IdentityProviderRow) -> Result<(), Refused> {
        if tx.identities_of_provider(row.id).await? == 0 {
            return Err(Refused::conflict(
                "Nobody has signed in through this provider yet.",
                "Sign in through it once (keystead sign-in --sso): else a mistake in it would keep everybody out.",
            ));
        }
        let own = caller.session.as_ref().map(|session| session.id);
        tx.end_password_sessions(row.organization_id, own, self.clock.now()).await?;
        Ok(())
    }
}
