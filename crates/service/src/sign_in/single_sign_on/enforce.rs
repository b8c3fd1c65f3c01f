//! Whether a password still signs a member in, where the organization wants its provider to do it. Owners may with a
//! second factor: else a provider that is broken, or hostile, would keep everybody out for ever.

use crate::Keystead;
use crate::refused::Refused;
use crate::widening::covers;
use keystead_domain::ids::OrganizationId;
use keystead_domain::pattern::Pattern;
use keystead_store::{SessionRow, Tx};

impl Keystead {
    /// Refuses a session that began with a password. Asked in the transaction that begins it, which holds the
    /// providers: of a sign-in and an enforcement at once the enforcement wins.
    ///
    /// # Errors
    /// [`Refused::SingleSignOnRequired`].
    pub(in crate::sign_in) async fn password_suffices(
        &self,
        tx: &mut Tx,
        organization: OrganizationId,
        breaks_glass: bool,
    ) -> Result<(), Refused> {
        let providers = tx.hold_identity_providers(organization).await?;
        if breaks_glass || !providers.iter().any(|provider| provider.enforced) {
            return Ok(());
        }
        Err(Refused::SingleSignOnRequired(providers.into_iter().map(|provider| provider.name).collect()))
    }

    /// Whether somebody may do everything in the organization, and proved a second factor.
    pub(in crate::sign_in) fn breaks_glass(&self, row: &SessionRow) -> Result<bool, Refused> {
        if row.second_factor_at.is_none() {
            return Ok(false);
        }
        let everything = Pattern::parse("**")?;
        Ok(self.entry_of(row).is_ok_and(|entry| covers(&entry, &everything, None)))
    }
}
