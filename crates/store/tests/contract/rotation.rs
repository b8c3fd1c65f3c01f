//! Rotations, what is seen of draining keys, plans, and the outbox.

use crate::world::*;
use keystead_domain::ids::*;
use keystead_domain::time::Micros;
use keystead_store::testing::{START, TestStore};
use keystead_store::*;

pub(crate) fn rotation(old: u64, new: u64) -> RotationRow {
    RotationRow {
        new_key_id: key_id(new),
        old_key_id: key_id(old),
        organization_id: org(1),
        state: RotationStage::Draining,
        overlap_seconds: None,
        old_expires_at: Some(minutes(90)),
        started_at: START.plus(i64::try_from(new).unwrap()),
        first_used_at: None,
        ends_at: Some(minutes(60)),
        closed_at: None,
        revoke_lineage_on_reuse: true,
    }
}

pub(crate) fn plan() -> RotationPlanRow {
    RotationPlanRow {
        project_id: project(1),
        organization_id: org(1),
        max_age_days: Some(90),
        notice_days: 14,
        grace_seconds: 3_600,
        revoke_lineage_on_reuse: false,
        updated_at: START,
        version: 1,
    }
}

pub(crate) fn notice(number: u8, once: &str) -> NoticeRow {
    NoticeRow {
        id: NoticeId([number; 16]),
        organization_id: org(1),
        project_id: project(1),
        kind: "rotation_due".to_owned(),
        key_id: key_id(u64::from(number)),
        once: once.to_owned(),
        recipients: r#"["noc@example.net"]"#.to_owned(),
        subject: "To be rotated".to_owned(),
        body: "What to do".to_owned(),
        state: "waiting".to_owned(),
        created_at: START.plus(i64::from(number)),
        attempts: 0,
        next_at: None,
        sending_since: None,
        retried_at: None,
        outcome: None,
        closed_at: None,
        last_error: None,
        delivered: None,
        sealed: None,
    }
}

pub(crate) async fn a_rotation_is_kept_and_closed_once(store: TestStore) {
    settle(&store, 1).await;
    let waiting = RotationRow { overlap_seconds: Some(30), ends_at: None, ..rotation(3, 4) };
    let rows = [rotation(1, 2), waiting.clone()];
    let inserted = rows.clone();
    act!(store.store, |tx| {
        for row in &inserted {
            tx.insert_rotation(row).await?;
        }
    })
    .unwrap();
    // Whatever comes at once, a key is rotated into one other.
    let again = act!(store.store, |tx| tx.insert_rotation(&rotation(1, 9)).await?);
    assert!(matches!(again, Err(StoreError::Unique(_))), "{again:?}");
    let mut r = read(&store).await;
    for key in [1, 2] {
        assert_eq!(r.rotations_of(org(1), key_id(key)).await, Ok(vec![rows[0].clone()]));
        assert_eq!(r.rotations_of(org(2), key_id(key)).await, Ok(vec![]));
    }
    assert_eq!(r.all_rotations().await.unwrap().len(), 2);
    assert_eq!(r.open_rotations_of(&[]).await, Ok(vec![]));
    assert_eq!(r.open_rotations_of(&[key_id(2), key_id(9)]).await, Ok(vec![rows[0].clone()]));
    let many: Vec<_> = (1..40).map(key_id).collect();
    assert_eq!(r.open_rotations_of(&many).await.unwrap().len(), 2);
    assert_eq!(r.ended_rotations(minutes(59), 9).await, Ok(vec![]));
    assert_eq!(r.ended_rotations(minutes(60), 9).await, Ok(vec![rows[0].clone()]));
    // Nobody waits for the first use any more once the old key has ended by itself.
    assert_eq!(r.ended_rotations(minutes(90), 9).await.unwrap().len(), 2);

    let noted = act!(store.store, |tx| (
        tx.note_first_use(key_id(4), minutes(1), minutes(2)).await?,
        tx.note_first_use(key_id(4), minutes(5), minutes(6)).await?,
        tx.note_first_use(key_id(2), minutes(1), minutes(2)).await?,
    ));
    assert_eq!(noted, Ok((true, false, false)));
    let closed = act!(store.store, |tx| (
        tx.close_rotation(key_id(4), RotationStage::Cancelled, None, minutes(3)).await?,
        tx.close_rotation(key_id(4), RotationStage::Complete, None, minutes(4)).await?,
        tx.close_rotation(key_id(2), RotationStage::Complete, Some(minutes(3)), minutes(3)).await?,
    ));
    assert_eq!(closed, Ok((true, false, true)));
    let cancelled = RotationRow {
        state: RotationStage::Cancelled,
        first_used_at: Some(minutes(1)),
        closed_at: Some(minutes(3)),
        ..waiting
    };
    assert_eq!(r.rotations_of(org(1), key_id(3)).await, Ok(vec![cancelled]));
    assert_eq!(r.all_rotations().await.unwrap().len(), 1);
    assert_eq!(r.open_rotations_of(&many).await, Ok(vec![]));
    // Once it was cancelled, the key can be rotated again; the latest comes first.
    act!(store.store, |tx| tx.insert_rotation(&rotation(3, 5)).await?).unwrap();
    let of_key = r.rotations_of(org(1), key_id(3)).await.unwrap();
    assert_eq!(of_key.iter().map(|row| row.new_key_id).collect::<Vec<_>>(), [key_id(5), key_id(4)]);
}

pub(crate) async fn a_purged_key_takes_its_rotations(store: TestStore) {
    settle(&store, 1).await;
    for row in [key_row(1, 1), KeyRow { lineage_id: key_id(1), ..key_row(1, 2) }, key_row(1, 3)] {
        add_key(&store, row).await;
    }
    let body = "{}".to_owned();
    let seen = DrainSeenRow { key_id: key_id(1), phase: DrainPhase::Draining, organization_id: org(1), body };
    let reused = DrainSeenRow { phase: DrainPhase::Reused, ..seen.clone() };
    let newer = DrainSeenRow { body: r#"{"passed":1}"#.to_owned(), ..seen.clone() };
    let rows = [seen, reused.clone(), newer.clone()];
    act!(store.store, |tx| {
        tx.insert_rotation(&rotation(1, 2)).await?;
        for row in &rows {
            tx.put_drain_seen(row).await?;
        }
    })
    .unwrap();
    let mut r = read(&store).await;
    assert_eq!(r.drain_seen(key_id(1)).await, Ok(vec![newer, reused]));
    let living = r.living_of_lineage(org(1), key_id(1), 9).await.unwrap();
    assert_eq!(living.iter().map(|row| row.id).collect::<Vec<_>>(), [key_id(1), key_id(2)]);
    assert_eq!(r.living_of_lineage(org(2), key_id(1), 9).await, Ok(vec![]));
    assert_eq!(act!(store.store, |tx| tx.delete_key(org(1), key_id(1)).await?), Ok(true));
    assert_eq!(r.drain_seen(key_id(1)).await, Ok(vec![]));
    assert_eq!(r.rotations_of(org(1), key_id(2)).await, Ok(vec![]));
}

pub(crate) async fn a_plan_is_set_by_version(store: TestStore) {
    settle(&store, 1).await;
    let second = RotationPlanRow { max_age_days: None, updated_at: minutes(1), version: 2, ..plan() };
    let after = second.clone();
    let put = act!(store.store, |tx| (
        tx.put_rotation_plan(&plan(), 0).await?,
        tx.put_rotation_plan(&plan(), 0).await?,
        tx.put_rotation_plan(&second, 7).await?,
    ));
    assert_eq!(put, Ok((true, false, false)));
    let mut r = read(&store).await;
    assert_eq!(r.rotation_plan(org(1), project(1)).await, Ok(Some(plan())));
    assert_eq!(r.rotation_plan(org(2), project(1)).await, Ok(None));
    assert_eq!(r.rotation_plans_in_force().await, Ok(vec![plan()]));
    let second = after.clone();
    assert_eq!(act!(store.store, |tx| tx.put_rotation_plan(&second, 1).await?), Ok(true));
    assert_eq!(r.rotation_plan(org(1), project(1)).await, Ok(Some(after)));
    assert_eq!(r.rotation_plans_in_force().await, Ok(vec![]));
}

pub(crate) async fn usable_keys_are_due_by_age(store: TestStore) {
    settle(&store, 1).await;
    settle(&store, 2).await;
    let rows = [
        key_row(1, 1),
        KeyRow { created_at: START, ..key_row(1, 2) },
        KeyRow { revoked_at: Some(START), ..key_row(1, 3) },
        KeyRow { expires_at: Some(minutes(5)), ..key_row(1, 4) },
        KeyRow { kind: "temporary".to_owned(), ..key_row(1, 5) },
        key_row(1, 6),
        KeyRow { created_at: minutes(9), ..key_row(1, 7) },
        key_row(1, 8),
        key_row(2, 9),
    ];
    for row in rows {
        add_key(&store, row).await;
    }
    act!(store.store, |tx| {
        tx.insert_rotation(&rotation(6, 60)).await?;
        tx.insert_notice(&notice(1, "rotation_due:1")).await?;
    })
    .unwrap();
    let mut r = read(&store).await;
    let ids =
        |rows: Vec<(KeyRow, Option<Micros>)>| rows.into_iter().map(|(row, _)| row.id).collect::<Vec<_>>();
    let now = minutes(5);
    let due = r.keys_made_by(project(1), now, now, None, 9).await.unwrap();
    let last = due[1].0.clone();
    assert_eq!(ids(due), [2, 1, 8].map(key_id));
    let after = Some((last.created_at, last.id));
    let rest = r.keys_made_by(project(1), now, now, after, 9).await.unwrap();
    assert_eq!(ids(rest), [key_id(8)]);
    let before = r.keys_made_by(project(1), now, Micros(minutes(5).0 - 1), None, 9).await.unwrap();
    assert_eq!(ids(before), [2, 1, 4, 8].map(key_id));
    let untold = r.keys_untold(project(1), now, now, 9).await.unwrap();
    assert_eq!(untold.into_iter().map(|row| row.id).collect::<Vec<_>>(), [2, 8].map(key_id));
}

pub(crate) async fn a_notice_is_written_once_and_kept_for_a_while(store: TestStore) {
    settle(&store, 1).await;
    for number in [1, 2] {
        add_key(&store, key_row(1, number)).await;
    }
    let started = NoticeRow { kind: "rotation_started".to_owned(), ..notice(3, "c") };
    let rows = [notice(1, "a"), notice(2, "a"), notice(4, "b"), started.clone()];
    let inserted = act!(store.store, |tx| {
        let mut inserted = Vec::new();
        for row in &rows {
            inserted.push(tx.insert_notice(row).await?);
        }
        inserted
    });
    assert_eq!(inserted, Ok(vec![true, false, true, true]));
    let mut r = read(&store).await;
    let all = r.notices(org(1), project(1), None, 9).await.unwrap();
    assert_eq!(all, [notice(4, "b"), started, notice(1, "a")]);
    let after = Some((all[0].created_at, all[0].id.0));
    assert_eq!(r.notices(org(1), project(1), after, 9).await.unwrap(), all[1..]);
    assert_eq!(r.notices(org(2), project(1), None, 9).await, Ok(vec![]));
    // That a living key is due is told once in its life.
    let trim: Outcome<u64> = store
        .store
        .bookkeeping(|ledger| Box::pin(async move { ledger.trim_notices(minutes(1)).await }))
        .await;
    assert_eq!(trim, Ok(2));
    assert_eq!(r.notices(org(1), project(1), None, 9).await, Ok(vec![notice(1, "a")]));
}
