//! What hygiene reads.

use crate::world::*;
use keystead_domain::ids::*;
use keystead_domain::time::Micros;
use keystead_store::testing::TestStore;
use keystead_store::*;

pub(crate) async fn a_page_has_what_was_seen_and_who_owns_each(store: TestStore) {
    settle(&store, 1).await;
    settle(&store, 2).await;
    act!(store.store, |tx| {
        let other =
            EnvironmentRow { slug: "staging".to_owned(), tag: "test".to_owned(), ..environment_row(1) };
        tx.insert_environment(&EnvironmentRow { id: environment(9), ..other }).await?;
    })
    .unwrap();
    let owner = OwnerId::Consumer(consumer(1));
    add_key(&store, key_row(1, 1)).await;
    add_key(&store, KeyRow { owner, consumer_id: Some(consumer(1)), ..key_row(1, 2) }).await;
    add_key(&store, KeyRow { environment_id: environment(9), revoked_at: Some(minutes(1)), ..key_row(1, 3) })
        .await;
    add_key(&store, KeyRow { lineage_id: key_id(1), parent_id: Some(key_id(1)), ..key_row(1, 4) }).await;
    add_key(&store, key_row(2, 5)).await;
    add_key(&store, KeyRow { environment_id: environment(9), ..key_row(1, 6) }).await;
    for key in [1, 3] {
        let row = crate::ledger::seen_row(key);
        let put: Outcome =
            store.store.bookkeeping(move |l| Box::pin(async move { l.put_seen(&row).await })).await;
        put.unwrap();
    }
    let mut r = read(&store).await;
    let rows = r.hygiene_rows(org(1), project(1), None, None, 9).await.unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.id, row.seen.as_deref())).collect();
    // Neither the revoked one nor the minted one.
    assert_eq!(told, [(6, None), (2, None), (1, Some("{}"))].map(|(id, seen)| (key_id(id), seen)));
    let (owned, plain) = (&rows[1], &rows[2]);
    let account = service_account_row(1);
    assert_eq!(plain.account_project, Some(account.project_id));
    assert_eq!(plain.account_description.as_ref(), Some(&account.description));
    assert_eq!((&plain.name, &plain.start), (&key_row(1, 1).name, &key_row(1, 1).start));
    assert_eq!((plain.created_at, plain.updated_at), (key_row(1, 1).created_at, key_row(1, 1).updated_at));
    let changed = |row: &HygieneRow| (row.account_updated_at, row.owner_updated_at, row.consumer_updated_at);
    assert_eq!(changed(plain), (Some(account.updated_at), None, None));
    let of_consumer = Some(consumer_row(1).updated_at);
    assert_eq!(changed(owned), (None, of_consumer, of_consumer));
    assert_eq!((owned.account_project, &owned.consumer_contact), (None, &consumer_row(1).contact));

    let ids = async |r: &mut Reader, of: u8, place: Option<u8>, after: After<KeyId>, rows_max| {
        let rows =
            r.hygiene_rows(org(of), project(1), place.map(environment), after, rows_max).await.unwrap();
        rows.iter().map(|row| row.id.digits().parse::<u64>().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&mut r, 1, Some(1), None, 9).await, [2, 1]);
    assert_eq!(ids(&mut r, 1, Some(9), None, 9).await, [6]);
    assert_eq!(ids(&mut r, 1, None, None, 2).await, [6, 2]);
    assert_eq!(ids(&mut r, 1, None, Some((rows[1].created_at, rows[1].id)), 3).await, [1]);
    assert_eq!(ids(&mut r, 1, None, Some((Micros(i64::MIN), key_id(0))), 3).await, [0_u64; 0]);
    assert_eq!(ids(&mut r, 2, None, None, 9).await, [0_u64; 0]);
    assert_eq!(ids(&mut r, 2, Some(1), None, 9).await, [0_u64; 0]);
}
