//! What is broken of one organization's tree: the others go on, and the server signs nothing that it did not see
//! grow.

use crate::house::*;
use crate::tampering::grown;
use keystead_service::Keystead;
use keystead_service::caller::Caller;
use keystead_store::testing::tamper;
use std::sync::Arc;

/// Three organizations, that of the smallest id first.
async fn three(house: &House) -> [Caller; 3] {
    let mut callers = [house.admin(), house.tenant("one").await, house.tenant("two").await];
    callers.sort_by_key(Caller::organization);
    house.keystead.sequence_audit().await.unwrap();
    house.keystead.sign_audit().await.unwrap();
    callers
}

/// How many records the organization's checkpoints vouch for.
async fn signed(keystead: &Arc<Keystead>, caller: &Caller) -> u64 {
    let checkpoints = keystead.list_checkpoints(caller, &page(100, None)).await.unwrap();
    checkpoints.items.iter().map(|one| one.size).max().unwrap_or_default()
}

/// Each organization gets a record more.
async fn act(house: &House, callers: &[Caller], slug: &str) {
    for caller in callers {
        house.project(caller, slug).await;
    }
}

pub(crate) async fn one_broken_tree_stops_no_other(house: House) {
    let callers = three(&house).await;
    let smallest = "(SELECT organization_id FROM audit_trees ORDER BY organization_id LIMIT 1)";
    let breaks = [
        format!(
            "UPDATE audit_trees SET edge = substr(edge, 1, 5), size = size + 1 WHERE organization_id = {smallest}"
        ),
        format!("DELETE FROM audit_trees WHERE organization_id = {smallest}"),
    ];
    for (slug, broken) in ["edge", "row"].into_iter().zip(breaks) {
        let before = [signed(&house.keystead, &callers[1]).await, signed(&house.keystead, &callers[2]).await];
        tamper(house.database(), &broken).await;
        act(&house, &callers, slug).await;
        let told = house.keystead.sequence_audit().await.unwrap_err().to_string();
        assert!(told.contains(&callers[0].organization().to_string()), "{told}");
        let signs = house.keystead.sign_audit().await;
        assert_eq!(signs.is_err(), slug == "edge", "{signs:?}");
        for (caller, before) in callers[1..].iter().zip(before) {
            assert!(signed(&house.keystead, caller).await > before, "{slug}");
        }
        // Nor does an export look at others.
        house.keystead.export_audit(&callers[1]).await.unwrap();
        assert!(house.keystead.export_audit(&callers[0]).await.is_err());
    }
}

/// Somebody changes a record, its leaf and the tree, and takes away the checkpoints that tell: the server must not
/// sign that for them.
pub(crate) async fn what_was_signed_and_rewritten_is_not_signed_again(house: House) {
    grown(&house).await;
    let (admin, other) = (house.admin(), house.tenant("other").await);
    house.keystead.sequence_audit().await.unwrap();
    house.keystead.sign_audit().await.unwrap();
    let own = "(SELECT organization_id FROM audit WHERE action = 'installation.create')";
    let rewrite = format!(
        "UPDATE audit SET leaf = salt || salt WHERE position = 1 AND organization_id = {own}; \
         UPDATE audit_trees SET edge = (SELECT leaf FROM audit WHERE position = 1 AND organization_id = {own}) \
           || substr(edge, 33) WHERE organization_id = {own}; \
         DELETE FROM audit_checkpoints WHERE organization_id = {own}"
    );
    tamper(house.database(), &rewrite).await;
    for slug in ["a-project", "another"] {
        let before = signed(&house.keystead, &other).await;
        act(&house, &[admin.clone(), other.clone()], slug).await;
        house.keystead.sequence_audit().await.unwrap();
        let told = house.keystead.sign_audit().await.unwrap_err().to_string();
        assert!(told.contains(&admin.organization().to_string()), "{told}");
        assert_eq!(signed(&house.keystead, &admin).await, 0);
        assert!(signed(&house.keystead, &other).await > before);
    }
}

/// Another node signed meanwhile, and retention deleted: the memory of this one grows all the same.
pub(crate) async fn the_memory_of_a_node_grows_with_what_others_do(mut house: House) {
    grown(&house).await;
    house.retain_audit_for(30 * 86_400).await;
    let admin = house.admin();
    let there = match house.database() {
        keystead_store::Database::Postgres(_) => house.another_node().await,
        keystead_store::Database::Sqlite(_) => Arc::clone(&house.keystead),
    };
    let mut before = 0;
    for (number, signer) in [&house.keystead, &there, &house.keystead, &there].into_iter().enumerate() {
        house.project(&admin, &format!("project-{number}")).await;
        house.clock.step(31 * 86_400 * keystead_domain::time::SECOND);
        house.keystead.delete_old_audit().await.unwrap();
        signer.sequence_audit().await.unwrap();
        signer.sign_audit().await.unwrap();
        let size = signed(&house.keystead, &admin).await;
        assert!(size > before, "{number}");
        before = size;
    }
    there.close().await;
}
