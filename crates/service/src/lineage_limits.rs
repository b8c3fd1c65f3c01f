//! Limits, a quota and credits belong to the lineage: while two of its keys are valid, a change of
//! one's holds for the other, or the same units would be counted twice (LESSONS 3).

use crate::Keystead;
use crate::act::with_difference;
use crate::caller::Caller;
use crate::refused::Refused;
use crate::rotate_key::shorten;
use keystead_domain::ids::KeyId;
use keystead_domain::policy::PolicySpec;
use keystead_store::{Acted, Change, ChangeKind, RotationStage, Tx};

impl Keystead {
    /// Gives the other key of a rotation that is not over the same rules.
    pub(crate) async fn share_limits<T>(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: KeyId,
        rules: &PolicySpec,
        acted: &mut Acted<T>,
    ) -> Result<(), Refused> {
        let organization = caller.organization();
        let rotations = tx.rotations_of(organization, id).await?;
        let open = rotations.into_iter().find(|rotation| rotation.state == RotationStage::Draining);
        let Some(rotation) = open else {
            return Ok(());
        };
        let other = if rotation.old_key_id == id { rotation.new_key_id } else { rotation.old_key_id };
        let before = self.stored_key(tx, caller, other, None).await?;
        let spec = PolicySpec {
            limits: rules.limits.clone(),
            quota: rules.quota.clone(),
            credits: rules.credits,
            ..before.spec
        };
        let json = spec.to_json();
        let mut row = before.row;
        row.policy_hash = PolicySpec::hash_of(&json);
        tx.insert_policy(organization, &row.policy_hash, &json).await?;
        shorten(tx, &mut row, None, self.clock.now()).await?;
        let after = self.stored_key(tx, caller, other, None).await?.shown;
        let event = self.key_event(caller, "key.update", &row);
        acted.events.push(with_difference(event, Some(&before.shown), Some(&after)));
        acted.changes.push(Change::new(organization, ChangeKind::Key, other.as_bytes()));
        Ok(())
    }
}
