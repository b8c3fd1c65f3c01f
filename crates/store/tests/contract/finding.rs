//! Finding keys.

use crate::world::*;
use keystead_domain::ids::*;
use keystead_store::testing::{START, TestStore};
use keystead_store::*;

async fn find(store: &TestStore, change: impl FnOnce(&mut KeyFilter)) -> Vec<u64> {
    let mut filter = KeyFilter::of(org(1), project(1), minutes(0));
    change(&mut filter);
    let found = read(store).await.find_keys(&filter, None, 100).await.unwrap();
    let counts = read(store).await.count_keys(&filter).await.unwrap();
    let KeyCounts { active, disabled, suspended, not_yet_valid, expired, revoked } = counts;
    let sum = active + disabled + suspended + not_yet_valid + expired + revoked;
    assert_eq!(usize::try_from(sum).unwrap(), found.len(), "{filter:?}");
    let mut ids: Vec<u64> = found.iter().map(|(key, _)| key.id.digits().parse().unwrap()).collect();
    ids.sort_unstable();
    ids
}

pub(crate) async fn every_filter_narrows(store: TestStore) {
    settle(&store, 1).await;
    act!(store.store, |tx| {
        tx.insert_environment(&EnvironmentRow {
            id: environment(9),
            slug: "staging".to_owned(),
            tag: "test".to_owned(),
            ..environment_row(1)
        })
        .await?;
    })
    .unwrap();
    let owner = OwnerId::Consumer(consumer(1));
    let tagged = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
    add_tagged(&store, KeyRow { name: "Billing 100%".to_owned(), ..key_row(1, 1) }, tagged(&["prod", "eu"]))
        .await;
    add_tagged(
        &store,
        KeyRow {
            owner,
            consumer_id: Some(consumer(1)),
            kind: "temporary".to_owned(),
            parent_id: Some(key_id(1)),
            ..key_row(1, 2)
        },
        tagged(&["Prod"]),
    )
    .await;
    add_key(
        &store,
        KeyRow { environment_id: environment(9), start: "ACME_test_3".to_owned(), ..key_row(1, 3) },
    )
    .await;
    add_key(
        &store,
        KeyRow { expires_at: Some(minutes(5)), name: "É under_score".to_owned(), ..key_row(1, 4) },
    )
    .await;
    for (key, minute) in [(1, 1), (2, 3)] {
        let row = SeenRow { last_used_at: Some(minutes(minute)), ..crate::ledger::seen_row(key) };
        let put: Outcome =
            store.store.bookkeeping(move |l| Box::pin(async move { l.put_seen(&row).await })).await;
        put.unwrap();
    }
    assert_eq!(find(&store, |_| {}).await, [1, 2, 3, 4]);
    assert_eq!(find(&store, |f| f.owner = Some(owner)).await, [2]);
    assert_eq!(find(&store, |f| f.owner = Some(service_account(1))).await, [1, 3, 4]);
    assert_eq!(find(&store, |f| f.consumer = Some(consumer(1))).await, [2]);
    assert_eq!(find(&store, |f| f.environment = Some(environment(9))).await, [3]);
    assert_eq!(find(&store, |f| f.kind = Some("temporary".to_owned())).await, [2]);
    assert_eq!(find(&store, |f| f.parent = Some(key_id(1))).await, [2]);
    assert_eq!(find(&store, |f| f.parent = Some(key_id(2))).await, [0u64; 0]);
    assert_eq!(find(&store, |f| f.tag = Some("prod".to_owned())).await, [1]);
    assert_eq!(find(&store, |f| f.tag = Some("pro%".to_owned())).await, [0u64; 0]);
    assert_eq!(find(&store, |f| f.start_prefix = Some("acme_live_".to_owned())).await, [1, 2, 4]);
    assert_eq!(find(&store, |f| f.start_prefix = Some("ACME_".to_owned())).await, [3]);
    assert_eq!(find(&store, |f| f.start_prefix = Some("acme%".to_owned())).await, [0u64; 0]);
    assert_eq!(find(&store, |f| f.text = Some("BILLING".to_owned())).await, [1]);
    assert_eq!(find(&store, |f| f.text = Some("0%".to_owned())).await, [1]);
    assert_eq!(find(&store, |f| f.text = Some("r_s".to_owned())).await, [4]);
    assert_eq!(find(&store, |f| f.text = Some("y_1".to_owned())).await, [0u64; 0]);
    assert_eq!(find(&store, |f| f.text = Some("É".to_owned())).await, [4]);
    // Only ASCII is folded, on both engines alike.
    assert_eq!(find(&store, |f| f.text = Some("é".to_owned())).await, [0u64; 0]);
    assert_eq!(find(&store, |f| f.text = Some(key_id(2).to_string())).await, [2]);
    assert_eq!(find(&store, |f| f.last_used_before = Some(minutes(3))).await, [1]);
    assert_eq!(find(&store, |f| f.last_used_after = Some(minutes(3))).await, [2]);
    assert_eq!(find(&store, |f| f.never_used = Some(true)).await, [3, 4]);
    assert_eq!(find(&store, |f| f.never_used = Some(false)).await, [1, 2]);
    assert_eq!(find(&store, |f| f.expiring_before = Some(minutes(6))).await, [4]);
    assert_eq!(find(&store, |f| f.expiring_before = Some(minutes(5))).await, [0u64; 0]);
    let all = |f: &mut KeyFilter| {
        f.owner = Some(service_account(1));
        f.environment = Some(environment(1));
        f.tag = Some("eu".to_owned());
        f.start_prefix = Some("acme_".to_owned());
        f.text = Some("bill".to_owned());
        f.last_used_before = Some(minutes(2));
        f.last_used_after = Some(minutes(1));
        f.never_used = Some(false);
        f.status = Some(StatusFilter::Is(KeyStatus::Active));
    };
    assert_eq!(find(&store, all).await, [1]);
    let found =
        read(&store).await.find_keys(&KeyFilter::of(org(1), project(1), START), None, 2).await.unwrap();
    assert_eq!(found.iter().map(|(_, used)| *used).collect::<Vec<_>>(), [None, None]);
    let tags = read(&store).await.tags_of(&[key_id(2), key_id(1), key_id(3)]).await.unwrap();
    let expected = [(1, "eu"), (1, "prod"), (2, "Prod")].map(|(key, tag)| (key_id(key), tag.to_owned()));
    assert_eq!(tags, expected);
}

pub(crate) async fn a_key_without_its_person_is_found(store: TestStore) {
    crate::people::settle_people(&store, 1).await;
    let (member, seat) = (OwnerId::Member(MemberId([1; 16])), OwnerId::Seat(SeatId([1; 16])));
    for (number, owner) in [(1, member), (2, seat), (3, service_account(1)), (4, member), (5, seat)] {
        add_key(
            &store,
            KeyRow {
                owner,
                revoked_at: (number == 4).then(|| minutes(-1)),
                parent_id: (number == 5).then(|| key_id(2)),
                ..key_row(1, number)
            },
        )
        .await;
    }
    let orphaned = async |is| find(&store, |f: &mut KeyFilter| f.orphaned = Some(is)).await;
    assert_eq!((orphaned(true).await, orphaned(false).await), (vec![], vec![1, 2, 3, 4, 5]));
    act!(store.store, |tx| {
        let mut left = tx.seats_of_member(org(1), MemberId([1; 16])).await?.remove(0);
        (left.left_at, left.version) = (Some(START), 2);
        assert!(tx.update_seat(&left, 1).await?);
    })
    .unwrap();
    assert_eq!((orphaned(true).await, orphaned(false).await), (vec![2], vec![1, 3, 4, 5]));
    act!(store.store, |tx| {
        let mut gone = tx.member(org(1), MemberId([1; 16])).await?.unwrap();
        (gone.disabled, gone.disabled_at, gone.version) = (true, Some(START), 2);
        assert!(tx.update_member(&gone, 1).await?);
    })
    .unwrap();
    assert_eq!((orphaned(true).await, orphaned(false).await), (vec![1, 2], vec![3, 4, 5]));
}

pub(crate) async fn states_follow_their_precedence(store: TestStore) {
    settle(&store, 1).await;
    // Every combination of the five things that make a key inactive; the first of them decides.
    for bits in 0..32u64 {
        let set = |bit: u64| bits >> bit & 1 == 1;
        let row = KeyRow {
            revoked_at: set(4).then(|| minutes(-1)),
            disabled: set(3),
            suspended_until: Some(minutes(i64::from(set(2)))),
            not_before: Some(minutes(i64::from(set(1)))),
            expires_at: Some(minutes(i64::from(!set(0)))),
            ..key_row(1, bits)
        };
        add_key(&store, row).await;
    }
    let is = |status| move |f: &mut KeyFilter| f.status = Some(StatusFilter::Is(status));
    assert_eq!(find(&store, is(KeyStatus::Active)).await, [0]);
    assert_eq!(find(&store, is(KeyStatus::Expired)).await, [1]);
    assert_eq!(find(&store, is(KeyStatus::NotYetValid)).await, [2, 3]);
    assert_eq!(find(&store, is(KeyStatus::Suspended)).await, (4..8).collect::<Vec<_>>());
    assert_eq!(find(&store, is(KeyStatus::Disabled)).await, (8..16).collect::<Vec<_>>());
    assert_eq!(find(&store, is(KeyStatus::Revoked)).await, (16..32).collect::<Vec<_>>());
    let inactive = |f: &mut KeyFilter| f.status = Some(StatusFilter::Inactive);
    assert_eq!(find(&store, inactive).await, (1..32).collect::<Vec<_>>());
    let counts = read(&store).await.count_keys(&KeyFilter::of(org(1), project(1), minutes(0))).await.unwrap();
    let expected =
        KeyCounts { active: 1, disabled: 8, suspended: 4, not_yet_valid: 2, expired: 1, revoked: 16 };
    assert_eq!(counts, expected);
}

pub(crate) async fn pages_are_stable(store: TestStore) {
    settle(&store, 1).await;
    for n in 1..=25 {
        // Five of them share each instant: the id decides.
        add_key(&store, KeyRow { created_at: START.plus(i64::try_from(n / 5).unwrap()), ..key_row(1, n) })
            .await;
    }
    let filter = KeyFilter::of(org(1), project(1), START);
    let mut r = read(&store).await;
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = r.find_keys(&filter, after, 4).await.unwrap();
        let Some((last, _)) = page.last() else { break };
        after = Some((last.created_at, last.id));
        seen.extend(page.iter().map(|(key, _)| key.id));
        if seen.len() == 8 {
            // What comes and goes while somebody pages moves nothing else.
            add_key(&store, key_row(1, 100)).await;
            act!(store.store, |tx| assert!(tx.delete_key(org(1), key_id(24)).await?)).unwrap();
        }
    }
    let expected: Vec<KeyId> = (1..=25).rev().map(key_id).collect();
    assert_eq!(seen, expected);
}

pub(crate) async fn another_organization_finds_nothing(store: TestStore) {
    settle(&store, 1).await;
    settle(&store, 2).await;
    add_key(&store, key_row(1, 1)).await;
    let filter = KeyFilter::of(org(2), project(1), START);
    let mut r = read(&store).await;
    assert_eq!(r.find_keys(&filter, None, 10).await, Ok(vec![]));
    assert_eq!(r.count_keys(&filter).await, Ok(KeyCounts::default()));
}
