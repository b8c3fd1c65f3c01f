//! Showing a key, found by its id or by its raw value.

use crate::caller::Caller;
use crate::key_view::{Beside, spec_of, uses_of};
use crate::keyring::Scope;
use crate::present::{self, json};
use crate::refused::Refused;
use crate::rotation_view::rotating;
use crate::{Keystead, management};
use keystead_api::{KeyDetails, QuotaStatus, Seen, WhoAmI, WhoIs};
use keystead_domain::effective::effective_permissions;
use keystead_domain::entry::Entry;
use keystead_domain::lease::QuotaAccount;
use keystead_domain::meter::{Meter, MeterId, MeterRules};
use keystead_domain::time::Micros;
use keystead_store::Reader;
use std::sync::Arc;

impl Keystead {
    /// A key by its id, with all that can be said of it but its secret.
    ///
    /// # Errors
    /// When there is none, or the caller may not see it.
    pub async fn show_key(self: &Arc<Self>, caller: &Caller, id: &str) -> Result<KeyDetails, Refused> {
        let (id, _) = self.locate_own_key(caller, id, &[management::KEYS_READ]).await?;
        let entry = self.keyring.get(id).ok_or(Refused::not_found("key"))?;
        self.details(&entry).await
    }

    /// The key that a raw value is; the caller's own when none is given. To see another key needs
    /// `keys.read` on it; to see one's own needs nothing.
    ///
    /// # Errors
    /// When the value is no key of the caller's organization, or the caller may not see it.
    pub async fn who_is(self: &Arc<Self>, caller: &Caller, input: &WhoAmI) -> Result<WhoIs, Refused> {
        let organization = caller.organization();
        let scope = Scope::Within { organization, project: None, environment: None };
        let entry = match &input.key {
            None if caller.session.is_some() => {
                return Err(Refused::conflict(
                    "You signed in, so that you call with no key.",
                    "See yourself with GET /v1/members/me (keystead members show me), or send the key that you mean.",
                ));
            }
            None => caller.entry.clone(),
            Some(raw) => match self.find_any(&scope, raw).await {
                Ok(entry) => entry,
                Err(keystead_api::Code::Unavailable) => return Err(Refused::Unavailable),
                Err(_) => {
                    self.authorise(caller, management::KEYS_READ, None).await?;
                    return Err(Refused::not_found("key"));
                }
            },
        };
        let own = entry.id == caller.key_id();
        if own {
            self.admit(caller).await?;
        } else {
            self.authorise(caller, management::KEYS_READ, Some(&entry.place.resource)).await?;
        }
        Ok(WhoIs { own, key: self.details(&entry).await? })
    }

    async fn details(&self, entry: &Entry) -> Result<KeyDetails, Refused> {
        let organization = entry.place.project.organization;
        let mut reader = self.store.read().await?;
        let row = reader.key(organization, entry.id).await?.ok_or(Refused::not_found("key"))?;
        let spec = spec_of(&mut reader, &row).await?;
        let tags = reader.key_tags(entry.id).await?;
        let meter = reader.meter(MeterId::Lineage(row.lineage_id)).await?;
        let uses = uses_of(&mut reader, &row).await?;
        let seen = reader.seen(row.lineage_id).await?;
        let last_used_at = seen.as_ref().and_then(|seen| seen.last_used_at);
        let rotations = reader.rotations_of(organization, entry.id).await?;
        let rotation = self.rotation_and_use(&mut reader, rotations.first()).await?;
        let rotating = rotating(entry.id, &rotations, self.clock.now());
        let now = self.clock.now();
        Ok(KeyDetails {
            key: self.view(
                &row,
                &spec,
                Beside { tags, meter: meter.as_ref(), uses: uses.as_ref(), last_used_at, rotating },
            )?,
            effective_permissions: effective_permissions(entry),
            limit_status: present::limits(entry, 1, now),
            quota_status: match entry.spender() {
                Some(spender) => quotas(&mut reader, &spender, now).await?,
                None => Vec::new(),
            },
            seen: seen.map_or_else(|| Ok(Seen::default()), |seen| json(&seen.body))?,
            rotation,
        })
    }
}

/// What remains of the quotas: in the store, and in the block that this process holds.
async fn quotas(reader: &mut Reader, entry: &Entry, now: Micros) -> Result<Vec<QuotaStatus>, Refused> {
    let consumer = entry
        .consumer
        .as_ref()
        .and_then(|consumer| Some((consumer.consumer_id()?, consumer.state.load_full())));
    let mut meters: Vec<(&str, MeterId, &MeterRules, &Meter)> =
        vec![("key", MeterId::Lineage(entry.lineage.id), &entry.policy.rules, &entry.lineage.meter)];
    if let Some((id, state)) = &consumer {
        meters.push(("consumer", MeterId::Consumer(*id), &state.rules, &state.meter));
    }
    let mut quotas = Vec::new();
    for (of, id, rules, meter) in meters {
        let Some(rule) = &rules.quota else { continue };
        let account = reader.meter(id).await?.map_or_else(QuotaAccount::default, |row| QuotaAccount {
            used: crate::accounts::unsigned(row.quota_used),
            resets_at: row.quota_resets_at,
        });
        let account = account.at(rule, now);
        quotas.push(QuotaStatus {
            of: of.into(),
            limit: rule.limit,
            per: rule.per,
            remaining: rule
                .limit
                .saturating_sub(account.used)
                .saturating_add(meter.show_blocks().quota.held(now)),
            resets_at: rule.period_end(now).to_timestamp(),
        });
    }
    Ok(quotas)
}
