//! Looking at identity providers.

use crate::caller::Caller;
use crate::refused::Refused;
use crate::{Keystead, management};
use keystead_api::{IdentityProvider, Page};
use keystead_domain::ids::IdentityProviderId;
use keystead_store::IdentityProviderRow;
use std::sync::Arc;

impl Keystead {
    /// The organization's identity providers, newest first: all of them, for they are few.
    ///
    /// # Errors
    /// When the caller may not see them.
    pub async fn list_identity_providers(
        self: &Arc<Self>,
        caller: &Caller,
    ) -> Result<Page<IdentityProvider>, Refused> {
        self.authorise(caller, management::PEOPLE_READ, None).await?;
        let mut reader = self.store.read().await?;
        let mut items = Vec::new();
        for row in reader.identity_providers(caller.organization()).await? {
            items.push(self.show_provider(&mut reader, &row).await?);
        }
        Ok(Page { items, next_cursor: None })
    }

    /// One identity provider, by id or name.
    ///
    /// # Errors
    /// When there is none, or the caller may not see it.
    pub async fn identity_provider(
        self: &Arc<Self>,
        caller: &Caller,
        named: &str,
    ) -> Result<IdentityProvider, Refused> {
        self.authorise(caller, management::PEOPLE_READ, None).await?;
        let row = self.provider_row(caller, named).await?;
        let mut reader = self.store.read().await?;
        self.show_provider(&mut reader, &row).await
    }

    pub(super) async fn provider_row(
        &self,
        caller: &Caller,
        named: &str,
    ) -> Result<IdentityProviderRow, Refused> {
        let mut reader = self.store.read().await?;
        let row = match named.parse::<IdentityProviderId>() {
            Ok(id) => reader.identity_provider(caller.organization(), id).await?,
            Err(_) => reader.identity_provider_by_name(caller.organization(), named).await?,
        };
        row.ok_or(Refused::not_found("identity provider"))
    }
}
