//! Adding an identity provider.

use super::{PROVIDERS_MAX, on_record, read, taken, target};
use crate::act::with_difference;
use crate::caller::Caller;
use crate::refused::Refused;
use crate::{Keystead, management};
use keystead_api::{CreateIdentityProvider, IdentityProvider};
use keystead_domain::ids::IdentityProviderId;
use keystead_domain::name;
use keystead_oidc::Issuer;
use keystead_store::{Acted, IdentityProviderRow, provider_secret_place};
use std::sync::Arc;
use zeroize::Zeroizing;

impl Keystead {
    /// Adds an identity provider. Nobody is asked yet, and nobody's password is refused yet.
    ///
    /// # Errors
    /// When the caller does not have every right of the organization, or has not proved a second factor a moment ago;
    /// when a field breaks a rule, the name is taken, or there are as many as there may be.
    pub async fn create_identity_provider(
        self: &Arc<Self>,
        caller: &Caller,
        input: CreateIdentityProvider,
    ) -> Result<IdentityProvider, Refused> {
        self.authorise(caller, management::PEOPLE_WRITE, None).await?;
        name::handle("/name", &input.name)?;
        let issuer = Issuer::read("/issuer", &input.issuer, self.sign_in.relying.bounds())?;
        read::client_id(&input.client_id)?;
        if let Some(claim) = &input.groups_claim {
            read::groups_claim(claim)?;
        }
        let secret = input.client_secret.map(Zeroizing::new);
        if let Some(secret) = &secret {
            read::secret(secret)?;
        }
        let now = self.clock.now();
        let mut row = IdentityProviderRow {
            id: self.entropy.with(|rng| IdentityProviderId::random(rng)),
            organization_id: caller.organization(),
            name: input.name,
            issuer: issuer.as_str().to_owned(),
            client_id: input.client_id,
            sealed: None,
            scopes: read::scopes(input.scopes)?,
            groups_claim: input.groups_claim,
            group_teams: String::new(),
            email_domains: read::email_domains(&input.email_domains)?,
            just_in_time: input.just_in_time,
            enforced: false,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let (this, by, group_teams) = (Arc::clone(self), caller.clone(), input.group_teams);
        self.act_once(caller, move |tx| {
            Box::pin(async move {
                this.may_set_providers(tx, &by).await?;
                if tx.hold_identity_providers(row.organization_id).await?.len() >= PROVIDERS_MAX {
                    return Err(Refused::conflict(
                        format!("The organization has {PROVIDERS_MAX} identity providers."),
                        "Delete one that nobody uses.",
                    ));
                }
                row.group_teams = read::group_teams(tx, row.organization_id, &group_teams).await?;
                if let Some(secret) = &secret {
                    row.sealed =
                        Some(this.seal_at(tx, &provider_secret_place(row.id), secret.as_bytes()).await?);
                }
                tx.insert_identity_provider(&row).await.map_err(taken)?;
                let shown = this.show_provider(tx, &row).await?;
                let event = this.event(&by, "identity_provider.create", target(&row));
                let event = with_difference(event, None, Some(&on_record(&shown, &[])));
                Ok(Acted { value: shown, events: vec![event], changes: Vec::new() })
            })
        })
        .await
    }
}
