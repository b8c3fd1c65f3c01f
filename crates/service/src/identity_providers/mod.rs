//! Identity providers of an organization: who may sign its members in. Whoever sets one decides who is whom, so it
//! takes every right of the organization, and a second factor that was proved a moment ago.

mod create;
mod delete;
mod look;
mod read;
mod test;
mod update;

use crate::Keystead;
use crate::act::Target;
use crate::caller::Caller;
use crate::refused::Refused;
use keystead_api::{AuthorityGrant, IdentityProvider};
use keystead_store::{IdentityProviderRow, StoreError, Tx, Unique};

/// The most of one organization.
const PROVIDERS_MAX: usize = 5;

impl Keystead {
    /// Refuses who could become more than they are through a provider of their own: it can say of anybody that they
    /// are the owner.
    async fn may_set_providers(&self, tx: &mut Tx, caller: &Caller) -> Result<(), Refused> {
        let everything = AuthorityGrant { permission: Some("**".into()), ..AuthorityGrant::default() };
        self.may_give(tx, caller, &[everything]).await
    }
}

fn target(row: &IdentityProviderRow) -> Target<'_> {
    Target { kind: "identity_provider", id: row.id.to_string(), name: &row.name, project: None }
}

/// What is on record of it: all but the secret, of which it is said only whether there is one; and what else is to be
/// known.
fn on_record(
    shown: &IdentityProvider,
    more: &[(&str, serde_json::Value)],
) -> serde_json::Map<String, serde_json::Value> {
    let mut record = match serde_json::to_value(shown) {
        Ok(serde_json::Value::Object(record)) => record,
        _ => serde_json::Map::new(),
    };
    record.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    record
}

fn taken(error: StoreError) -> Refused {
    match error {
        StoreError::Unique(Unique::IdentityProviderName) => Refused::conflict(
            "The organization has an identity provider with this name.",
            "Choose another name, or change that one.",
        ),
        other => other.into(),
    }
}
