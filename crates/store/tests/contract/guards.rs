//! How the APIs of projects are guarded, and what observing found.

use crate::log::{Now, backup_of, begin, log_in, logged_rows, restored};
use crate::world::*;
use keystead_domain::ids::EnvironmentId;
use keystead_domain::time::{Micros, SECOND};
use keystead_store::testing::{START, TestStore};
use keystead_store::*;

fn guard_row(n: u8) -> GuardRow {
    GuardRow {
        project_id: project(n),
        organization_id: org(n),
        body: r#"{"mode":"observe"}"#.to_owned(),
        updated_at: START,
        version: 1,
    }
}

fn observation(route: &str, last_at: Micros) -> GuardObservationRow {
    GuardObservationRow {
        project_id: project(1),
        environment_id: EnvironmentId([1; 16]),
        route: route.to_owned(),
        code: "not_found".to_owned(),
        key_id: String::new(),
        organization_id: org(1),
        count: 2,
        first_at: START,
        last_at,
        body: "{}".to_owned(),
    }
}

pub(crate) async fn a_guard_is_its_projects_and_keeps_old_binaries_away(store: TestStore) {
    settle(&store, 1).await;
    settle(&store, 2).await;
    let done = act!(store.store, |tx| {
        (tx.insert_guard(&guard_row(1)).await?, tx.insert_guard(&guard_row(1)).await?)
    });
    assert_eq!(done, Ok((true, false)));
    let oldest = read(&store).await.installation_value("schema_oldest_binary").await.unwrap();
    assert_eq!(oldest.as_deref(), Some("24"));
    let changed = GuardRow { body: "{}".to_owned(), version: 2, ..guard_row(1) };
    let others = GuardRow { organization_id: org(2), ..changed.clone() };
    let expected = changed.clone();
    let done = act!(store.store, |tx| (
        tx.update_guard(&others, 1).await?,
        tx.update_guard(&changed, 2).await?,
        tx.update_guard(&changed, 1).await?,
    ));
    assert_eq!(done, Ok((false, false, true)));
    let mut r = read(&store).await;
    assert_eq!(r.guard(org(1), project(1)).await, Ok(Some(expected.clone())));
    assert_eq!(r.guard(org(2), project(1)).await, Ok(None));
    assert_eq!(r.guard(org(2), project(2)).await, Ok(None));
    assert_eq!(r.all_guards().await, Ok(vec![expected]));
}

pub(crate) async fn what_observing_finds_adds_up_within_bounds(store: TestStore) {
    let (first, last) = (START.plus(SECOND), START.plus(2 * SECOND));
    let written = store
        .store
        .bookkeeping(move |ledger| {
            Box::pin(async move {
                Ok::<_, StoreError>((
                    ledger.add_guard_observation(&observation("GET /a", first), 2).await?,
                    ledger.add_guard_observation(&observation("GET /a", last), 2).await?,
                    ledger.add_guard_observation(&observation("GET /b", first), 2).await?,
                    ledger.add_guard_observation(&observation("GET /c", first), 2).await?,
                    ledger.add_guard_observation(&observation("GET /b", first), 2).await?,
                ))
            })
        })
        .await;
    assert_eq!(written, Ok((true, true, true, false, true)));
    let mut rows = read(&store).await.guard_observations(org(1), project(1)).await.unwrap();
    rows.sort_by(|a, b| a.route.cmp(&b.route));
    let found: Vec<_> = rows.iter().map(|row| (row.route.as_str(), row.count, row.last_at)).collect();
    assert_eq!(found, [("GET /a", 4, last), ("GET /b", 4, first)]);
    assert_eq!(read(&store).await.guard_observations(org(2), project(1)).await, Ok(Vec::new()));
    let rows = async |store: &TestStore| {
        read(store).await.guard_observations(org(1), project(1)).await.unwrap().len()
    };
    let trimmed = store.store.bookkeeping(move |ledger| {
        Box::pin(async move { ledger.trim_guard_observations(project(1), last).await })
    });
    assert_eq!(trimmed.await, Ok(()));
    assert_eq!(rows(&store).await, 1);
}

pub(crate) async fn backup_and_log_have_guards(store: TestStore) {
    let folder = tempfile::tempdir().unwrap();
    let path = log_in(&folder, "a.log");
    begin(&store, Some(&path), 1).await;
    settle(&store, 1).await;
    settle(&store, 2).await;
    act!(store.store, |tx| tx.insert_guard(&guard_row(1)).await?).unwrap();
    let backup = backup_of(&store.database, store.clock_now()).await;
    act!(store.store, |tx| {
        let changed = GuardRow { version: 2, ..guard_row(1) };
        assert!(tx.update_guard(&changed, 1).await?);
        tx.insert_guard(&guard_row(2)).await?;
    })
    .unwrap();
    store.store.end_session().await.unwrap();
    let expected = logged_rows(&store.database).await;
    restored(&backup, std::slice::from_ref(&path), &expected).await;
}
