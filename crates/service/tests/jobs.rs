//! What every node of a PostgreSQL database does by itself, it does once for all: two nodes do not tell
//! people twice, nor lose each other's part. Without `KEYSTEAD_TEST_POSTGRES` these tests say so and pass.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "everything here is a test, or what tests stand on"
)]

mod house;

use house::{House, page};
use keystead_api::*;
use keystead_domain::time::SECOND;
use keystead_service::Keystead;
use keystead_service::caller::Caller;
use keystead_store::testing::{POSTGRES_VARIABLE, postgres};
use std::collections::BTreeSet;
use std::sync::Arc;

const DAY: i64 = 86_400 * SECOND;
const KEYS: usize = 40;

/// Two nodes with a project, and the administrator.
async fn pair() -> Option<(House, Arc<Keystead>, Caller)> {
    let Some(store) = postgres().await else {
        println!("not run: {POSTGRES_VARIABLE} is not set");
        return None;
    };
    let mut here = House::open(store).await;
    let admin = here.admin();
    here.acme(&admin).await;
    let there = here.another_node().await;
    Some((here, there, admin))
}

async fn verify(node: &Arc<Keystead>, admin: &Caller, key: &str) -> bool {
    let ask = Verify {
        key: key.into(),
        project: Some("acme".into()),
        environment: Some("production".into()),
        ..Verify::default()
    };
    node.verify(admin, &ask).await.unwrap().valid
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_tell_people_once() {
    let Some((here, there, admin)) = pair().await else { return };
    let plan = SetRotationPlan { max_age_days: Some(90), ..SetRotationPlan::default() };
    here.keystead.set_rotation_plan(&admin, "acme", plan, None).await.unwrap();
    let mut keys = Vec::new();
    for _ in 0..KEYS {
        keys.push(here.key(&admin, CreateKey::default()).await.details.id);
    }
    for key in keys.iter().take(KEYS / 2) {
        let rotation = RotateKey { grace_seconds: Some(60), ..RotateKey::default() };
        here.keystead.rotate_key(&admin, key, rotation, None).await.unwrap();
    }
    here.clock.step(80 * DAY);
    let (one, other) = tokio::join!(here.keystead.tend_rotations(), there.tend_rotations());
    one.and(other).unwrap();
    let notices = here.keystead.list_notices(&admin, "acme", &page(1_000, None)).await.unwrap().items;
    let told = |kind: &str| {
        let of_kind: Vec<_> = notices.iter().filter(|notice| notice.kind == kind).collect();
        let keys: BTreeSet<_> =
            of_kind.iter().map(|notice| notice.key_id.as_deref().unwrap_or_default()).collect();
        (of_kind.len(), keys.len())
    };
    assert_eq!(told("rotation_due"), (KEYS, KEYS), "those that were not rotated, and those that took over");
    assert_eq!(told("rotation_complete"), (KEYS / 2, KEYS / 2));
    let query = AuditQuery {
        action: Some("key.rotation.complete".into()),
        limit: Some(1_000),
        ..AuditQuery::default()
    };
    assert_eq!(here.keystead.list_audit(&admin, &query).await.unwrap().items.len(), KEYS / 2);
    there.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_purge_once_and_tell_what_they_purged() {
    let Some((here, there, admin)) = pair().await else { return };
    for _ in 0..KEYS {
        let kind = KeyKind::Temporary;
        here.key(&admin, CreateKey { kind, ..CreateKey::default() }).await;
    }
    here.clock.step(3 * DAY);
    let (one, other) = tokio::join!(here.keystead.purge_temporary_keys(), there.purge_temporary_keys());
    assert_eq!(one.unwrap() + other.unwrap(), KEYS);
    let told: Vec<u64> = here
        .audit(&admin, "key.purge")
        .await
        .iter()
        .map(|record| record.after.as_ref().unwrap()["purged"].as_u64().unwrap())
        .collect();
    assert_eq!(told.iter().sum::<u64>(), KEYS as u64);
    assert!(!told.contains(&0), "who purged nothing has nothing to tell: {told:?}");
    there.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_that_stop_at_once_lose_nothing() {
    let Some((mut here, there, admin)) = pair().await else { return };
    let spec = CreditsSpec { remaining: 1_000, refill: Refill::None, amount: None };
    let mut keys = Vec::new();
    for _ in 0..KEYS {
        keys.push(here.key(&admin, CreateKey { credits: Some(spec.clone()), ..CreateKey::default() }).await);
    }
    for key in &keys {
        assert!(verify(&here.keystead, &admin, &key.key).await);
    }
    // The other way round, so that each holds first what the other wants next.
    for key in keys.iter().rev() {
        for _ in 0..2 {
            assert!(verify(&there, &admin, &key.key).await);
        }
    }
    tokio::join!(Arc::clone(&here.keystead).close(), there.close());
    here.restart().await;
    for key in &keys {
        let shown = here.keystead.show_key(&admin, &key.details.id).await.unwrap();
        assert_eq!(shown.key.credits.unwrap().remaining, 997);
        assert_eq!(shown.seen.passed, 3);
    }
}
